"""Statements of other trainers: what follows from their parameters, and what runs add up to."""

from __future__ import annotations

import math
import shutil

import pytest
import torch
from dp_accounting import GaussianDpEvent, PoissonSampledDpEvent, SelfComposedDpEvent
from dp_accounting.pld import PLDAccountant
from scipy.special import ndtr
from typer.testing import CliRunner

from fairaudit.cli.app import app
from fairaudit.errors import UsageError
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.training.accounting import Steps, epsilon, joint_bound
from fairaudit.training.foreign_statement import joint_epsilon, make_foreign_statement
from fairaudit.training.verification import bound_of, verify

RUN = {
    "trainer": "opacus", "records": 5000, "batch_size": 100, "steps": 200,
    "noise_multiplier": 1.0, "max_grad_norm": 1.0, "delta": 1e-5,
}  # fmt: skip


def test_poisson_batches_cost_what_ours_cost_and_the_statement_verifies():
    claim = make_foreign_statement(**RUN)
    assert claim.epsilon == epsilon(1.0, 0.02, 200, 1e-5)
    assert (claim.trainer, claim.adjacency) == ("opacus", "add_remove")
    assert "given by hand" in claim.not_covered[0]
    assert verify(claim).consistent


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
def test_opacus_itself_says_about_the_same():
    """Its own engine, loader and accountant, for the numbers that a user reads off it."""
    from opacus import PrivacyEngine
    from torch.utils.data import DataLoader, TensorDataset

    model = torch.nn.Linear(4, 2)
    loader = DataLoader(TensorDataset(torch.zeros(400, 4), torch.zeros(400).long()), batch_size=40)
    engine = PrivacyEngine(accountant="prv")
    model, optimizer, loader = engine.make_private(
        module=model, optimizer=torch.optim.SGD(model.parameters(), lr=0.1), data_loader=loader,
        noise_multiplier=1.1, max_grad_norm=1.0,
    )  # fmt: skip
    for _ in range(3):
        for inputs, labels in loader:
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(inputs), labels).backward()
            optimizer.step()
    steps = sum(times for *_, times in engine.accountant.history)
    claim = make_foreign_statement(
        trainer="opacus", records=400, batch_size=40, steps=steps, noise_multiplier=1.1,
        max_grad_norm=1.0, delta=1e-4,
    )  # fmt: skip
    assert claim.epsilon == pytest.approx(engine.get_epsilon(1e-4), abs=0.03)


def test_shuffled_batches_are_stated_without_amplification():
    """Two epochs: two Gaussian mechanisms, whose δ(ε) has a closed form (Balle and Wang 2018)."""
    claim = make_foreign_statement(**{**RUN, "sampler": "shuffled", "steps": 100})
    mu = math.sqrt(2) / 1.0

    def delta_of(eps):
        return ndtr(mu / 2 - eps / mu) - math.exp(eps) * ndtr(-mu / 2 - eps / mu)

    assert delta_of(claim.epsilon) <= 1e-5 <= delta_of(claim.epsilon - 0.1)
    assert claim.adjacency == "zero_out"
    assert claim.epsilon > 3 * make_foreign_statement(**{**RUN, "steps": 100}).epsilon
    assert verify(claim).consistent
    # A part of an epoch counts as one: the record may be in it.
    more = make_foreign_statement(**{**RUN, "sampler": "shuffled", "steps": 101})
    assert more.epsilon > claim.epsilon
    amplified = claim.model_copy(update={"sampler": "poisson", "adjacency": "add_remove"})
    lowered = claim.model_copy(update={"epsilon": bound_of(amplified).epsilon})
    assert not verify(lowered).consistent


def test_runs_together_cost_what_their_steps_cost_together():
    first, second = (make_foreign_statement(**{**RUN, "steps": steps}) for steps in (200, 300))
    assert joint_epsilon([first, second]).epsilon == pytest.approx(
        epsilon(1.0, 0.02, 500, 1e-5), abs=0.011
    )


def test_unlike_runs_together_agree_with_another_accountant():
    runs = [Steps(1.0, 0.02, 200), Steps(2.0, 0.1, 50), Steps(0.8, 0.005, 400)]
    oracle = PLDAccountant()
    for run in runs:
        event = PoissonSampledDpEvent(run.sample_rate, GaussianDpEvent(run.noise_multiplier))
        oracle.compose(SelfComposedDpEvent(event, run.steps))
    exact = oracle.get_epsilon(1e-5)
    found = joint_bound(runs, 1e-5)
    assert found.accountant == "prv"
    assert exact - 1e-3 <= found.epsilon <= exact + 0.02
    assert joint_bound(runs, 1e-5, accountant="rdp").epsilon > found.epsilon


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epsilon": 0.5}, "epsilon 0.5 is claimed, but these parameters give"),
        ({"epsilon": 2.5, "sampler": "shuffled"}, "nothing is gained by sampling"),
        ({"noise_multiplier": 0.0}, "no finite epsilon"),
        ({"noise_multiplier": -1.0}, "noise_multiplier"),
        ({"noise_multiplier": math.nan}, "noise_multiplier"),
        ({"batch_size": 6000}, "batch size 6000 must lie between"),
        ({"batch_size": 0}, "batch size 0 must lie between"),
        ({"delta": 1.5}, "delta"),
        ({"steps": 0}, "steps"),
        ({"max_grad_norm": 0.0}, "max_grad_norm"),
    ],
)
def test_parameters_that_give_no_statement_are_refused(change, message):
    with pytest.raises(UsageError, match=message):
        make_foreign_statement(**{**RUN, **change})


def test_runs_that_protect_different_things_have_no_epsilon_together():
    record, user = (make_foreign_statement(**RUN, unit=unit) for unit in ("record", "user"))
    with pytest.raises(UsageError, match="differ in what they protect"):
        joint_epsilon([record, user])
    with pytest.raises(UsageError, match="two runs or more"):
        joint_epsilon([record])
    with pytest.raises(UsageError, match="without a guarantee"):
        joint_epsilon([record, record.model_copy(update={"epsilon": None})])


def run(*arguments):
    return CliRunner().invoke(app, ["statement", *map(str, arguments)])


def test_the_command_line(checkpoint, tmp_path):
    folders = []
    for place, name in enumerate(("gpt2", "bert")):
        folder = tmp_path / name
        shutil.copytree(checkpoint(name), folder)
        folders.append(folder)
        done = run(
            "new", folder, "--trainer", "opacus", "--records", 5000, "--batch-size", 100,
            "--steps", 200 + place, "--noise-multiplier", 1, "--max-grad-norm", 1,
            "--delta", "1e-5",
        )  # fmt: skip
        assert done.exit_code == 0, done.exception
        assert CliRunner().invoke(app, ["verify", str(folder)]).exit_code == 0
    claim = PrivacyStatement.load(folders[0])
    shown = run("show", folders[0], "--delta", "1e-6", "--copies", "1,3").output
    assert f"{bound_of(claim, 3, 1e-6).epsilon:.4g}" in shown
    assert "3 equal records" in shown
    together = run("compose", *folders).output
    assert f"epsilon {epsilon(1.0, 0.02, 401, 1e-5):.2g}" in together
    again = run(
        "new", folders[0], "--trainer", "x", "--records", 10, "--batch-size", 1, "--steps", 1,
        "--noise-multiplier", 1, "--max-grad-norm", 1,
    )  # fmt: skip
    assert "is there already" in str(again.exception)
    assert "numbers" in str(run("show", folders[0], "--delta", "small").exception)
    assert "groups have 1 record or more" in str(run("show", folders[0], "--copies", "0").exception)


def test_a_claim_that_does_not_follow_writes_nothing(checkpoint, tmp_path):
    shutil.copytree(checkpoint("gpt2"), tmp_path / "m")
    done = run(
        "new", tmp_path / "m", "--trainer", "x", "--records", 100, "--batch-size", 10,
        "--steps", 100, "--noise-multiplier", 1, "--max-grad-norm", 1, "--epsilon", 1,
        "--sampler", "shuffled",
    )  # fmt: skip
    assert isinstance(done.exception, UsageError)
    assert not (tmp_path / "m" / "privacy.json").exists()
