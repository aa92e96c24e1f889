"""Flat, automatic and groupwise clipping: what they add, what they cost, and what they learn."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import load_file

from fairaudit.diagnostics.diagnose_options import DiagnoseOptions
from fairaudit.diagnostics.parameters import parameters_of
from fairaudit.errors import UsageError
from fairaudit.gradients import GradientEngine, inner_product
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.training.accounting import epsilon
from fairaudit.training.clipping import COUNT_SHARE, ByNorm, Groupwise, blocks_of
from fairaudit.training.draws import Example
from fairaudit.training.finetuning import finetune
from fairaudit.training.steps import GradientSum
from fairaudit.training.verification import verify
from tests.conftest import CORPUS
from tests.gradients.models import build

TEXTS = [sentence.replace("old", f"old{number}") for number in range(4) for sentence in CORPUS]
SHORT = {"steps": 4, "batch_size": 6, "device": "cpu"}
ROWS = [(5, 7, 9, 11), (8, 8, 8), (13, 21, 34, 55, 60), (6, 19)]
EXAMPLES = [Example(number, ((ids, ids),), (1.0,)) for number, ids in enumerate(ROWS)]


@pytest.fixture(scope="module")
def engine():
    return GradientEngine(build("gpt2"), objective="causal")


@pytest.fixture(scope="module")
def gradients(engine):
    """The gradient of each example by itself."""
    return [GradientSum(engine, None, None, 0).of([one])[0] for one in EXAMPLES]


def length(gradient, names=None):
    part = {n: v.double() for n, v in gradient.items() if names is None or n in names}
    return inner_product(part, part) ** 0.5


def close(found, expected):
    apart = {name: found[name].double() - value for name, value in expected.items()}
    return length(apart) <= 1e-5 * length(expected)


def test_automatic_clipping_is_its_formula(engine, gradients):
    expected = {
        name: sum(one[name].double() * 0.3 / (length(one) + 0.01) for one in gradients)
        for name in engine.parameters
    }
    sums, seen = GradientSum(engine, 0.3, None, 0, clipping=ByNorm(0.3, automatic=True)).of(
        EXAMPLES
    )
    assert close(sums, expected)
    assert seen.mean_norm == pytest.approx(sum(map(length, gradients)) / 4, rel=1e-5)


def test_groupwise_clipping_is_that_of_each_block(engine, gradients):
    blocks = blocks_of(engine.parameters)
    assert len(blocks) == 3
    clipping = Groupwise(0.3, blocks)
    clipping.restore({"quantiles": [1.0, 2.0, 2.0]})
    limits = [0.3 * (1 - COUNT_SHARE) ** 0.5 * part / 3 for part in (1.0, 2.0, 2.0)]
    assert clipping.thresholds == pytest.approx(limits)
    expected = {
        name: sum(one[name].double() * min(1.0, limit / length(one, block)) for one in gradients)
        for block, limit in zip(blocks, limits, strict=True)
        for name in block
    }
    sums, seen = GradientSum(engine, 0.3, None, 0, clipping=clipping).of(EXAMPLES)
    assert close(sums, expected)
    cut = [length(g, b) > c for g in gradients for b, c in zip(blocks, limits, strict=True)]
    assert seen.clip_rate == pytest.approx(sum(cut) / len(cut))


def test_one_record_s_gradient_and_counts_are_of_length_c_together(engine):
    clipping = Groupwise(1e-3, blocks_of(engine.parameters))
    sums, _ = GradientSum(engine, 1e-3, None, 0, clipping=clipping).of(EXAMPLES[:1])
    assert len(sums) == len(engine.parameters) + 1
    assert length(sums) == pytest.approx(1e-3, rel=1e-5)


def test_thresholds_reach_the_medians_and_an_empty_draw_moves_none(engine, gradients):
    blocks = blocks_of(engine.parameters)
    clipping = Groupwise(0.3, blocks)
    total = GradientSum(engine, 0.3, None, 0, clipping=clipping)
    start = clipping.state
    sums, _ = total.of([])
    total.learn(sums, 4.0)
    assert clipping.state == start
    assert sums.keys() == engine.parameters.keys()
    for _ in range(200):
        sums, _ = total.of(EXAMPLES)
        total.learn(sums, 4.0)
    for block, value in zip(blocks, clipping.state["quantiles"], strict=True):
        norms = sorted(length(one, block) for one in gradients)
        assert norms[1] * 0.8 <= value <= norms[2] * 1.2


def test_counts_beyond_all_records_move_a_threshold_by_one_step_at_most(engine):
    """Noise may say that a thousand records were within; a threshold must survive it."""
    clipping = Groupwise(1.0, blocks_of(engine.parameters))
    before = clipping.state["quantiles"]
    sums = {"weight": torch.zeros(2)}
    clipping.prepare(sums)
    next(value for name, value in sums.items() if name != "weight").add_(1e6)
    clipping.learn(sums, 4.0)
    after = clipping.state["quantiles"]
    assert all(0.8 * old < new < old for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize("kind", ["automatic", "groupwise"])
def test_epsilon_is_that_of_flat_clipping_and_both_files_say_how(checkpoint, tmp_path, kind):
    done = finetune(
        checkpoint("gpt2"), TEXTS, output=tmp_path / "m", noise_multiplier=1.0, clipping=kind,
        **SHORT,
    )  # fmt: skip
    claim = PrivacyStatement.load(done.folder)
    assert claim.epsilon == pytest.approx(epsilon(1.0, claim.sample_rate, 4, claim.delta))
    assert claim.clipping.kind == kind
    assert (claim.clipping.count_share > 0) == (kind == "groupwise")
    assert json.loads((done.folder / "training.json").read_text())["clipping"] == kind
    assert verify(done.folder).consistent


def test_another_clipping_than_the_statement_s_is_seen(checkpoint, tmp_path):
    done = finetune(
        checkpoint("gpt2"), TEXTS, output=tmp_path / "m", noise_multiplier=1.0,
        clipping="groupwise", **SHORT,
    )  # fmt: skip
    path = done.folder / "training.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "clipping": "flat"}))
    assert (
        "the clipping is groupwise here and flat in training.json" in verify(path.parent).sentence
    )


def test_a_diagnosis_does_not_describe_a_clipping_that_was_not_done(checkpoint, tmp_path, caplog):
    done = finetune(
        checkpoint("gpt2"), TEXTS, output=tmp_path / "m", noise_multiplier=1.0,
        clipping="automatic", **SHORT,
    )  # fmt: skip
    found, private = parameters_of(done.folder, DiagnoseOptions(str(done.folder)))
    assert (found.max_grad_norm, found.noise_multiplier, private) == (None, 1.0, True)
    assert "trained with automatic clipping" in caplog.text


class Stop(Exception):
    """Stands for a kill."""


def test_a_resumed_run_has_the_thresholds_that_it_had(checkpoint, tmp_path):
    options = {**SHORT, "steps": 6, "checkpoint_every": 2, "clipping": "groupwise",
               "noise_multiplier": 1.0, "noise_seed": 3}  # fmt: skip

    def stop(report, model):
        del model
        if report.step == 5:
            raise Stop

    whole = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "whole", **options)
    with pytest.raises(Stop):
        finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "cut", on_step=stop, **options)
    resumed = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "cut", resume=True, **options)
    first, second = (load_file(one.folder / "model.safetensors") for one in (whole, resumed))
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("options", [{}, {"ablation": "noise_only", "noise_multiplier": 1.0}])
def test_clipping_where_nothing_is_clipped_is_refused(checkpoint, tmp_path, options):
    with pytest.raises(UsageError, match="clipping 'automatic' has no effect"):
        finetune(
            checkpoint("gpt2"), TEXTS, output=tmp_path / "m", clipping="automatic", **options,
            **SHORT,
        )  # fmt: skip
