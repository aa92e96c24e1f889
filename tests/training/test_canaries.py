"""A lower bound on ε from one run: its arithmetic, its coverage, and faults that it finds."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pytest
from scipy import stats
from typer.testing import CliRunner

import fairaudit.training.loop as loop_module
from fairaudit.cli.app import app
from fairaudit.errors import ResultError, UsageError
from fairaudit.training.accounting import epsilon
from fairaudit.training.canaries import read_canaries
from fairaudit.training.finetuning import finetune
from fairaudit.training.one_run_audit import one_run_bound, p_value
from fairaudit.training.verification import verify, verify_canaries
from tests.conftest import CORPUS

TEXTS = [sentence.replace("old", f"old{number}") for number in range(4) for sentence in CORPUS]


def by_hand(m, guesses, right, eps, delta):
    """The bound of the paper, term by term."""
    b = stats.binom(guesses, math.exp(eps) / (1 + math.exp(eps)))
    worst = max(
        (sum(b.pmf(right - j) for j in range(1, i + 1)) / i for i in range(1, right + 1)),
        default=0.0,
    )
    return min(1.0, sum(b.pmf(k) for k in range(right, guesses + 1)) + 2 * m * delta * worst)


@pytest.mark.parametrize("setting", [(20, 20, 15, 0.0), (50, 20, 20, 1.3), (9, 4, 0, 0.5)])
@pytest.mark.parametrize("delta", [0.0, 1e-3])
def test_the_p_value_is_the_formula(setting, delta):
    m, guesses, right, eps = setting
    assert p_value(m, guesses, right, eps, delta) == pytest.approx(by_hand(*setting, delta))


def test_perfect_guesses_under_pure_privacy_have_a_closed_form():
    """All m right: P = (e^ε / (1 + e^ε))^m, so ε = log(x / (1 − x)) with x = error^(1/m)."""
    m = 100
    present = np.arange(m) % 2 == 0
    found = one_run_bound(present.astype(float), present, 0.0, level=0.95)
    x = (0.05 / 4) ** (1 / m)
    assert (found.guesses, found.right) == (m, m)
    assert found.epsilon == pytest.approx(math.log(x / (1 - x)), rel=1e-6)


@pytest.mark.long
def test_a_fair_mechanism_of_randomised_response_is_covered():
    """Each coin is told rightly with probability e^ε/(1 + e^ε): the worst that ε allows."""
    rng, eps, m = np.random.default_rng(0), 1.0, 200
    covered = 0
    for _ in range(1000):
        present = rng.random(m) < 0.5
        told = rng.random(m) < math.exp(eps) / (1 + math.exp(eps))
        scores = np.where(told, present, ~present) + 0.1 * rng.random(m)
        covered += one_run_bound(scores, present, 1e-5).epsilon <= eps
    assert covered >= 950


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0])
def test_the_gaussian_mechanism_keeps_its_claim_and_a_twentieth_of_its_noise_breaks_it(sigma):
    """Canaries in directions of their own: each score is the coin and noise."""
    rng, m, delta = np.random.default_rng(1), 2000, 1e-6
    claim = epsilon(sigma, 1.0, 1, delta)
    bounds, broken = [], []
    for _ in range(40):
        present = rng.random(m) < 0.5
        bounds.append(one_run_bound(present + sigma * rng.normal(size=m), present, delta).epsilon)
        weak = present + 0.05 * sigma * rng.normal(size=m)
        broken.append(one_run_bound(weak, present, delta).epsilon)
    assert np.mean(np.array(bounds) <= claim) >= 0.95
    if sigma > 0.5:
        assert min(broken) > claim
    assert np.mean(bounds) > 0 or sigma == 3.0


def test_more_canaries_say_more():
    rng = np.random.default_rng(2)

    def mean_bound(m):
        coins = [rng.random(m) < 0.5 for _ in range(30)]
        return np.mean(
            [one_run_bound(c + 0.7 * rng.normal(size=m), c, 1e-6).epsilon for c in coins]
        )

    bounds = [mean_bound(m) for m in (30, 100, 1000)]
    assert all(earlier < later for earlier, later in itertools.pairwise(bounds))


def test_without_anything_learned_there_is_no_bound():
    present = np.arange(100) < 50
    found = one_run_bound(np.tile([0.0, 1.0], 50), present, 1e-5)
    assert found.epsilon == 0.0


OPTIONS = {
    "steps": 60, "batch_size": 40, "device": "cpu", "learning_rate": 1e-2, "canaries": 100,
    "delta": 1e-5,
}  # fmt: skip


@pytest.fixture(scope="module")
def honest(checkpoint, tmp_path_factory):
    """A private run with canaries."""
    out = tmp_path_factory.mktemp("canaries") / "model"
    return finetune(checkpoint("gpt2"), TEXTS, output=out, epsilon=1.0, **OPTIONS)


def test_canaries_count_as_records_and_the_statement_carries_their_bound(honest):
    claim = honest.privacy
    assert claim.records == len(TEXTS) + 100
    assert claim.canaries.planted == 100
    assert claim.canaries.epsilon_lower_bound <= claim.epsilon
    found = verify(honest.folder)
    assert found.consistent
    assert claim.canaries.sentence in found.warnings
    planted = read_canaries(honest.folder)
    assert len(planted.records) == sum(planted.present) > 10
    assert json.loads((honest.folder / "private" / "data.json").read_text())["records"] == len(
        TEXTS
    )


def test_guessing_again_gives_the_same_and_no_secret_leaves_private(honest):
    told, problem = verify_canaries(honest.folder)
    assert (told, problem) == (honest.privacy.canaries, None)
    planted = read_canaries(honest.folder)
    coins = json.dumps(list(planted.present))
    for path in honest.folder.iterdir():
        if path.suffix == ".json":
            assert coins not in path.read_text()
    done = CliRunner().invoke(app, ["verify", str(honest.folder), "--canaries"])
    assert done.exit_code == 0
    assert "guessed again: " in done.output


@pytest.mark.long
def test_noise_that_was_forgotten_is_found(checkpoint, tmp_path, monkeypatch):
    """The parameters of the statement are right; what was done is not."""
    monkeypatch.setattr(loop_module, "add_noise", lambda *_: None)
    done = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "model", epsilon=0.5, **OPTIONS)
    assert done.privacy.canaries.epsilon_lower_bound > 1.0
    found = verify(done.folder)
    assert not found.consistent
    assert "but 0.5 is claimed" in found.sentence
    _, problem = verify_canaries(done.folder)
    assert "guesses about 100 canaries are right" in problem
    assert CliRunner().invoke(app, ["verify", str(done.folder)]).exit_code == 1


def test_masked_models_have_canaries_too(checkpoint, tmp_path):
    done = finetune(
        checkpoint("bert"), TEXTS, output=tmp_path / "model", epsilon=3.0,
        **{**OPTIONS, "steps": 4},
    )  # fmt: skip
    assert verify_canaries(done.folder) == (done.privacy.canaries, None)


class Stop(Exception):
    """Stands for a kill."""


def test_a_resumed_run_has_the_canaries_that_it_began_with(checkpoint, tmp_path):
    def stop(report, model):
        del model
        if report.step == 3:
            raise Stop

    options = {**OPTIONS, "steps": 6, "checkpoint_every": 2, "epsilon": 3.0}
    with pytest.raises(Stop):
        finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "m", on_step=stop, **options)
    before = read_canaries(tmp_path / "m")
    done = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "m", resume=True, **options)
    assert read_canaries(tmp_path / "m") == before
    assert verify_canaries(done.folder) == (done.privacy.canaries, None)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"canaries": 50}, "canaries bound the epsilon of a private run"),
        ({"canaries": 3, "epsilon": 3.0}, "3 canaries say nothing"),
        ({"canaries": 0, "epsilon": 3.0}, "canaries must be at least 1"),
    ],
)
def test_canaries_that_make_no_sense_are_refused(checkpoint, tmp_path, options, message):
    with pytest.raises(UsageError, match=message):
        finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "m", steps=2, **options)
    assert not (tmp_path / "m").exists()


def test_a_model_without_canaries_says_where_they_come_from(tmp_path, honest):
    with pytest.raises(ResultError, match=r"planted by `finetune --canaries`"):
        read_canaries(tmp_path)
    lower = honest.privacy.canaries.model_copy(update={"epsilon_lower_bound": 9.0})
    claim = honest.privacy.model_copy(update={"canaries": lower})
    assert f"but {claim.epsilon:.4g} is claimed" in verify(claim).sentence
