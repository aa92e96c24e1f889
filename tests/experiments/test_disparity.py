"""Gradient disparity of the arms of an experiment: curves, claim, pushes, prediction of bias."""

from __future__ import annotations

import math
import shutil

import numpy as np
import pytest
from scipy import stats

from fairaudit.experiments.disparity import (
    AREA,
    convergence,
    diagnoses_of,
    disparities,
    disparity_claims,
    kendall_interval,
    predictions,
    pushes,
)
from fairaudit.experiments.experimenting import experiment
from fairaudit.experiments.probes import world_items, world_probes
from fairaudit.results import DiagnosticsResult
from fairaudit.results.experiment import ExperimentResult
from tests.experiments.test_grid import tiny

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def looked(tmp_path_factory):
    """An experiment whose arms were looked at in training."""
    folder = tmp_path_factory.mktemp("looked") / "tiny"
    plan = tiny(arms=["plain", "dp_8"], diagnose_every=2, axes=["gender"])
    return folder, plan, experiment(plan, output=folder)


def diagnosis(folder, arm) -> DiagnosticsResult:
    return DiagnosticsResult.load(folder / "arms" / arm / "seed-0" / "model" / "diagnostics")


def with_area(found: DiagnosticsResult, value: float) -> DiagnosticsResult:
    """The same diagnosis with another area between its curves."""
    changed = [
        one.model_copy(update={"difference": value}) if one.name == AREA else one
        for one in found.differences
    ]
    return found.model_copy(update={"differences": tuple(changed)})


def test_probe_texts_of_the_world_differ_in_the_group_alone():
    probes = world_probes(("gender", "race"))
    assert {(g.axis, g.group, g.n, g.n_templates) for g in probes.groups} == {
        (axis, group, 60, 60)
        for axis in ("gender", "race")
        for group in ("stereotypical", "anti-stereotypical")
    }
    for first, second in zip(probes.records[::2], probes.records[1::2], strict=True):
        assert first.template == second.template
        a, b = first.text.split(), second.text.split()
        assert len(set(a) ^ set(b)) <= 6
    assert len({item.cluster for item in world_items("gender")}) == 60


def test_arms_are_looked_at_before_during_and_after(looked):
    folder, _, result = looked
    curves = {(one.arm, one.axis): one for one in result.convergence}
    assert set(curves) == {("plain", "gender"), ("dp_8", "gender")}
    for one in curves.values():
        assert one.steps == (0, 2, 3)
        assert one.by_seed[0][0] == 0
        assert {one.group, one.other} == {"stereotypical", "anti-stereotypical"}
    assert ExperimentResult.load(folder) == result


def test_the_bias_score_is_that_of_the_world(looked):
    folder, _, result = looked
    found = diagnosis(folder, "plain")
    values = {
        (one.group, one.model): one.value
        for one in found.quantities
        if one.name == "bias_influence_gender" and one.group is not None
    }
    for group in ("stereotypical", "anti-stereotypical"):
        mean = np.mean([v for (of, _), v in values.items() if of == group])
        push = next(p for p in result.pushes if (p.arm, p.group) == ("plain", group))
        assert push.value == pytest.approx(mean)
        assert push.clipped is None
    private = [p for p in result.pushes if p.arm == "dp_8"]
    assert all(p.clipped is not None for p in private)


def planted(folder, areas):
    """Diagnoses of three seeds whose areas were chosen, (plain, private) for each."""
    plain, private = diagnosis(folder, "plain"), diagnosis(folder, "dp_8")
    diagnoses = {}
    for seed, (a, b) in enumerate(areas):
        diagnoses["plain", seed] = with_area(plain, a)
        diagnoses["dp_8", seed] = with_area(private, b)
    return diagnoses


def test_the_claim_compares_the_sizes_of_the_mean_areas(looked):
    folder, plan, _ = looked
    diagnoses = planted(folder, [(-0.1, -0.5), (-0.12, -0.62), (-0.08, -0.44)])
    assert disparities(diagnoses)["gender"]["dp_8", 0] == -0.5
    (claim,) = disparity_claims(diagnoses, plan)
    assert claim.value == pytest.approx(np.mean([0.4, 0.5, 0.36]))
    assert (claim.arm, claim.reference, claim.metric) == ("dp_8", "plain", AREA)
    assert claim.finding == "supported"
    assert claim.margin == plan.claims.disparity_margin
    turned = {
        (arm, seed): diagnoses["plain" if arm == "dp_8" else "dp_8", seed]
        for arm, seed in diagnoses
    }
    assert disparity_claims(turned, plan)[0].finding == "not_supported"
    areas = {one.arm: one.areas for one in convergence(diagnoses)}
    assert areas["dp_8"] == (-0.5, -0.62, -0.44)
    assert {one.n_seeds for one in pushes(diagnoses)} == {3}


def test_an_arm_that_only_varies_more_has_no_more_disparity(looked):
    """Seed by seed its areas are larger, but no group stays behind in all of them."""
    folder, plan, _ = looked
    diagnoses = planted(folder, [(0.1, -0.5), (-0.1, 0.62), (0.05, -0.44)])
    (claim,) = disparity_claims(diagnoses, plan)
    assert claim.finding == "undecided"
    assert claim.interval.low < 0 < claim.interval.high


def test_a_training_that_was_not_looked_at_from_its_start_is_left_out_and_named(looked):
    folder, plan, result = looked
    found, notes = diagnoses_of(result.runs, folder, plan)
    assert set(found) == {("plain", 0), ("dp_8", 0)}
    assert notes == []
    longer = plan.model_copy(update={"diagnose_every": 1})
    found, notes = diagnoses_of(result.runs, folder, longer)
    assert found == {}
    assert sum("were not looked at from the start" in note for note in notes) == 2


def test_with_adapters_arms_are_looked_at_before_training_too(tmp_path):
    plan = tiny(arms=["plain"], diagnose_every=2, axes=["gender"], arm={"plain": {"lora": 2}})
    (one,) = experiment(plan, output=tmp_path / "out").convergence
    assert one.steps == (0, 2, 3)


def test_an_arm_without_its_diagnosis_is_trained_again(looked, tmp_path):
    """A process that ends between the model and its diagnosis leaves no diagnosis behind."""
    folder, plan, _ = looked
    again = tmp_path / "again"
    shutil.copytree(folder, again)
    place = again / "arms" / "plain" / "seed-0"
    (place / "arm.json").unlink()
    (place / "model" / "diagnostics" / "result.json").unlink()
    result = experiment(plan, output=again, processes=1)
    assert result.complete
    assert {one.arm for one in result.convergence} == {"plain", "dp_8"}


def test_nothing_is_claimed_where_nothing_was_looked_at(looked):
    _, plan, _ = looked
    assert disparity_claims({}, plan) == []
    assert list(convergence({})) == []


def test_prediction_is_kendalls_tau_of_disparity_and_change(looked):
    folder, plan, _ = looked
    from fairaudit.experiments.grid import audits_of
    from fairaudit.results.experiment import ArmRun

    found = diagnosis(folder, "plain")
    runs = [
        ArmRun(arm=arm, seed=0, status="done", audit=f"arms/{arm}/seed-0/audit")
        for arm in ("base", "plain")
    ]
    audits = audits_of(runs, folder)
    moves, areas = [0.3, -0.2, 0.5, 0.1, 0.9, -0.4], [0.2, -0.1, 0.6, 0.3, -0.4, 0.05]
    many = {}
    for seed, move in enumerate(moves):
        many["base", seed] = audits["base", 0]
        many["plain", seed] = _moved(audits["base", 0], move)
    diagnoses = {("plain", seed): with_area(found, area) for seed, area in enumerate(areas)}
    (one,) = predictions(diagnoses, many, plan)
    tau = stats.kendalltau(np.abs(areas), moves).statistic
    assert one.value == pytest.approx(tau)
    assert (one.arm, one.axis, one.n_seeds) == ("plain", "gender", 6)
    assert one.interval.low < tau < one.interval.high
    few = {key: diagnoses[key] for key in list(diagnoses)[:2]}
    (open_,) = predictions(few, many, plan)
    assert open_.value is None
    assert "2 seeds" in open_.reason


def _moved(audit, by):
    changed = [
        one.model_copy(update={"value": one.value + by})
        if one.name == "mean_log_odds" and one.value is not None
        else one
        for one in audit.estimates
    ]
    return audit.model_copy(update={"estimates": tuple(changed)})


@pytest.mark.parametrize("n", [5, 8, 20])
@pytest.mark.parametrize("tau", [-1.0, -0.3, 0.0, 0.7, 1.0])
def test_interval_of_tau(tau, n):
    found = kendall_interval(tau, n)
    assert -1 < found.low < found.high < 1
    mirrored = kendall_interval(-tau, n)
    assert mirrored.low == pytest.approx(-found.high)
    if abs(tau) < 1:
        half = 1.959964 * math.sqrt(0.437 / (n - 4))
        assert math.atanh(found.high) - math.atanh(tau) == pytest.approx(half, rel=1e-5)


def test_interval_of_tau_needs_five_values():
    assert kendall_interval(0.5, 4) is None
