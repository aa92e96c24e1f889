"""The score store: exact, keyed by everything that matters, and never in the way."""

from __future__ import annotations

import dataclasses
import shutil
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from fairaudit.items import LogLikelihood, UnmaskedLogLikelihood
from fairaudit.scoring import store as store_module
from fairaudit.scoring.batch_plan import Batch
from fairaudit.scoring.forward import Forward, Scored
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from fairaudit.scoring.store import ScoreStore, batch_key
from fairaudit.scoring.token_rows import Read, TokenRow
from tests.conftest import CORPUS, build_model

BUDGET = 40
ROW = TokenRow((1, 2, 3))
BATCH = Batch((ROW,), (Read(ROW, 0, 2), Read(ROW, 1, 3)))
FLOATS = st.floats(-50, 0, width=32)


class Counting(Forward):
    """The real forward pass, counted."""

    calls = 0

    def __call__(self, batch):
        Counting.calls += 1
        return super().__call__(batch)


@pytest.fixture(autouse=True)
def counted(monkeypatch):
    Counting.calls = 0
    monkeypatch.setattr("fairaudit.scoring.scorer.Forward", Counting)


def answers(folder, cache, budget=BUDGET, kind=LogLikelihood, **options):
    """Answers of a checkpoint, and the number of batches its model ran."""
    scorer = Scorer(load_model(folder, **options), budget, cache)
    before = Counting.calls
    return scorer.run(scorer.plan([kind(text) for text in CORPUS])), Counting.calls - before


def segments(cache):
    return sorted(cache.rglob("*.scores"))


@pytest.mark.parametrize("kind", [UnmaskedLogLikelihood, lambda t: UnmaskedLogLikelihood(t, True)])
def test_stored_answers_are_the_same_to_the_last_bit(checkpoint, tmp_path, kind):
    fresh, _ = answers(checkpoint("bert"), None, kind=kind)
    first, scored = answers(checkpoint("bert"), tmp_path, kind=kind)
    again, rescored = answers(checkpoint("bert"), tmp_path, kind=kind)
    assert fresh == first == again
    assert scored > 1
    assert rescored == 0


def test_a_part_of_the_batches_is_completed(checkpoint, tmp_path):
    whole, scored = answers(checkpoint("gpt2"), tmp_path)
    (segment,) = segments(tmp_path)
    content = segment.read_bytes()
    segment.write_bytes(content[: len(content) // 2])
    resumed, rescored = answers(checkpoint("gpt2"), tmp_path)
    assert resumed == whole
    assert 0 < rescored < scored
    assert answers(checkpoint("gpt2"), tmp_path) == (whole, 0)


@pytest.mark.parametrize("where", [0, 5, 20, 60, -1])
def test_a_damaged_record_is_scored_again(checkpoint, tmp_path, where, caplog):
    whole, _ = answers(checkpoint("gpt2"), tmp_path)
    (segment,) = segments(tmp_path)
    content = bytearray(segment.read_bytes())
    content[where] ^= 0x41
    segment.write_bytes(content)
    found, rescored = answers(checkpoint("gpt2"), tmp_path)
    assert found == whole
    assert rescored > 0
    assert "the rest is done again" in caplog.text


@pytest.mark.parametrize("content", [b"", b"fa", b"not a record at all " * 9, b"fa\x00\x02" * 99])
def test_a_file_that_is_no_segment_is_ignored(checkpoint, tmp_path, content):
    whole, scored = answers(checkpoint("gpt2"), tmp_path)
    segments(tmp_path)[0].write_bytes(content)
    assert answers(checkpoint("gpt2"), tmp_path) == (whole, scored)


def test_a_changed_checkpoint_reuses_nothing(checkpoint, tmp_path):
    changed = shutil.copytree(checkpoint("gpt2"), tmp_path / "model")
    cache = tmp_path / "cache"
    _, scored = answers(checkpoint("gpt2"), cache)
    assert answers(changed, cache)[1] == 0, "the same checkpoint elsewhere is the same"
    weights = load_file(changed / "model.safetensors")
    weights["transformer.ln_f.bias"][0] += 1e-3
    save_file(weights, changed / "model.safetensors", metadata={"format": "pt"})
    assert answers(changed, cache)[1] == scored


def test_other_settings_reuse_nothing(checkpoint, tmp_path, monkeypatch):
    answers(checkpoint("gpt2"), tmp_path)
    assert answers(checkpoint("gpt2"), tmp_path, budget=BUDGET + 1)[1] > 0
    assert answers(checkpoint("gpt2"), tmp_path, dtype="bfloat16")[1] > 0
    monkeypatch.setattr(store_module, "REVISION", 0)
    assert answers(checkpoint("gpt2"), tmp_path)[1] > 0


def test_a_model_in_memory_or_with_code_of_its_own_is_not_stored(checkpoint, tmp_path):
    assert answers(build_model("gpt2"), tmp_path)[1] > 0
    assert answers(checkpoint("gpt2"), tmp_path, trust_remote_code=True)[1] > 0
    assert not segments(tmp_path)


def test_a_cache_that_cannot_be_written_is_not_needed(checkpoint, tmp_path, caplog):
    blocker = tmp_path / "file"
    blocker.write_text("x")
    fresh, _ = answers(checkpoint("gpt2"), None)
    found, _ = answers(checkpoint("gpt2"), blocker / "scores")
    assert found == fresh
    assert caplog.text.count("scores could not be cached") == 1


def test_only_missing_batches_are_estimated(checkpoint, tmp_path):
    scorer = Scorer(load_model(checkpoint("gpt2")), BUDGET, tmp_path)
    plan = scorer.plan([LogLikelihood(text) for text in CORPUS])
    assert len(scorer.missing(plan)) == len(plan.batches)
    assert scorer.estimate_seconds(plan) > 0
    scorer.run(plan)
    later = Scorer(load_model(checkpoint("gpt2")), BUDGET, tmp_path)
    assert later.missing(plan) == ()
    assert later.estimate_seconds(plan) == 0


@given(
    st.lists(st.tuples(FLOATS, st.booleans(), FLOATS, st.integers(0, 2**31 - 1)), min_size=1),
    st.booleans(),
    st.booleans(),
)
def test_records_give_back_what_went_in(tmp_path_factory, values, weighted, by_rank):
    log_probs, top1, weights, tokens = (list(column) for column in zip(*values, strict=True))
    scored = Scored(log_probs, top1, weights if weighted else None, tokens if by_rank else None)
    batch = Batch((ROW,), tuple(Read(ROW, 0, target) for target in range(len(values))))
    folder = tmp_path_factory.mktemp("store")
    ScoreStore(folder, {}).put(batch, scored)
    assert ScoreStore(folder, {}).get(batch) == scored
    assert ScoreStore(folder, {"other": 1}).get(batch) is None


def test_the_key_is_of_everything_in_the_batch():
    other = TokenRow((1, 2, 4))
    changed = [
        Batch((ROW, other), BATCH.reads),
        Batch((dataclasses.replace(ROW, attention=True),), ()),
        Batch((ROW,), BATCH.reads[:1]),
        Batch((ROW,), BATCH.reads[::-1]),
        Batch((ROW,), (Read(ROW, 0, 2), Read(ROW, 1, 4))),
        Batch((ROW,), (Read(ROW, 0, 2), Read(ROW, 2, 3))),
        Batch((TokenRow((1, 2)), TokenRow((3,))), ()),
        Batch((TokenRow((1,)), TokenRow((2, 3))), ()),
    ]
    keys = {batch_key(batch) for batch in [BATCH, *changed]}
    assert len(keys) == 1 + len(changed)


def append(folder, worker):
    """One of several audits that store at the same time."""
    store = ScoreStore(folder, {})
    for number in range(40):
        row = TokenRow((worker % 2, number))
        store.put(Batch((row,), (Read(row, 0, number),)), Scored([-float(number)], [True], None))


def test_audits_that_store_at_the_same_time_do_not_disturb_each_other(tmp_path):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, [tmp_path] * 4, range(4)))
    store = ScoreStore(tmp_path, {})
    rows = [TokenRow((side, number)) for side in (0, 1) for number in range(40)]
    found = [store.get(Batch((row,), (Read(row, 0, row.ids[1]),))) for row in rows]
    assert [scored.log_probs for scored in found] == [[-float(row.ids[1])] for row in rows]
    assert len(segments(tmp_path)) == 4


def test_scores_are_fp32_before_they_are_stored():
    scorer = Scorer(load_model(build_model("gpt2")), BUDGET)
    values = scorer.run(scorer.plan([LogLikelihood(CORPUS[0])])).popitem()[1].log_probs
    assert [float(np.float32(value)) for value in values] == list(values)
