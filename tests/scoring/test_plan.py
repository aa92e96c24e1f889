"""The plan: pure, deduplicated, within its budget; and what happens when memory runs out."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.errors import ModelError, NonFiniteError
from fairaudit.items import LogLikelihood, Skipped, UnmaskedLogLikelihood
from fairaudit.scoring import forward
from fairaudit.scoring.batch_plan import plan_batches
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from fairaudit.scoring.token_rows import Read, TokenRow
from tests.conftest import CORPUS, build_model

ROWS = st.builds(
    TokenRow, st.lists(st.integers(0, 9), min_size=1, max_size=12).map(tuple), st.booleans()
)
READS = st.lists(st.builds(lambda row, target: Read(row, 0, target), ROWS, st.integers(0, 9)))


@given(READS, st.integers(1, 40), st.randoms())
def test_plan_depends_on_the_set_of_reads_only(reads, budget, rng):
    shuffled = [*reads, *reads[:3]]
    rng.shuffle(shuffled)
    assert plan_batches(shuffled, budget) == plan_batches(reads, budget)


@given(READS, st.integers(1, 40))
def test_every_read_stands_in_exactly_one_batch_within_the_budget(reads, budget):
    batches = plan_batches(reads, budget)
    planned = [read for batch in batches for read in batch.reads]
    assert len(planned) == len(set(planned))
    assert set(planned) == set(reads)
    for batch in batches:
        assert batch.n_tokens <= budget or len(batch.rows) == 1
        assert len({row.attention for row in batch.rows}) == 1


def test_equal_requests_run_once():
    scorer = Scorer(load_model(build_model("gpt2")))
    once = scorer.plan([LogLikelihood(CORPUS[0])])
    twice = scorer.plan([LogLikelihood(CORPUS[0]), LogLikelihood(CORPUS[0])])
    assert twice.n_tokens == once.n_tokens


def test_too_long_and_empty_texts_are_skipped_with_a_reason():
    scorer = Scorer(load_model(build_model("gpt2")))
    long, empty = LogLikelihood("word " * 200), LogLikelihood("")
    answers = scorer.run(scorer.plan([long, empty]))
    assert isinstance(answers[long], Skipped)
    assert "the model takes 64" in answers[long].reason
    assert answers[empty] == Skipped("no token to score")


def test_out_of_memory_splits_the_batch(monkeypatch):
    loaded = load_model(build_model("bert"))
    scorer = Scorer(loaded, 10_000)
    requests = [UnmaskedLogLikelihood(text) for text in CORPUS]
    plan = scorer.plan(requests)
    whole = scorer.run(plan)
    real = forward.Forward._score

    def limited(self, batch):
        if len(batch.rows) > 1:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return real(self, batch)

    monkeypatch.setattr(forward.Forward, "_score", limited)
    split = scorer.run(plan)
    for request in requests:
        assert split[request].log_probs == pytest.approx(whole[request].log_probs, abs=1e-4)


def test_out_of_memory_on_one_row_is_an_error(monkeypatch):
    scorer = Scorer(load_model(build_model("bert")), 10_000)

    def never(self, batch):
        raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate")

    monkeypatch.setattr(forward.Forward, "_score", never)
    with pytest.raises(ModelError, match="out of memory on a single row"):
        scorer.run(scorer.plan([UnmaskedLogLikelihood(CORPUS[0])]))


def test_other_runtime_errors_are_not_taken_for_memory(monkeypatch):
    scorer = Scorer(load_model(build_model("bert")))

    def broken(self, batch):
        raise RuntimeError("shape mismatch")

    monkeypatch.setattr(forward.Forward, "_score", broken)
    with pytest.raises(RuntimeError, match="shape mismatch"):
        scorer.run(scorer.plan([UnmaskedLogLikelihood(CORPUS[0])]))


def test_an_overflowing_model_is_an_error_not_a_number():
    model, tokenizer = build_model("gpt2")
    with torch.no_grad():
        model.transformer.ln_f.weight.fill_(3e38)
    scorer = Scorer(load_model((model, tokenizer)))
    with pytest.raises(NonFiniteError, match="NaN or infinite"):
        scorer.run(scorer.plan([LogLikelihood(CORPUS[0])]))
