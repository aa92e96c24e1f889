"""Control pairs: sizes by hand, and errors that templates and occupations bring in together.

Issue 18, item 9: by template alone the standard error was 3 to 6 times too small.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy import stats

from fairaudit.metrics.controls import control_estimates
from fairaudit.metrics.sample_estimates import Slice
from fairaudit.metrics.tables import Part
from fairaudit.results import Estimate
from fairaudit.results.stored_evidence import estimate_evidence
from fairaudit.stats.clusters import cluster_totals, cr2, two_way
from fairaudit.stats.one_estimate import infer

Array = NDArray[np.float64]
WHERE = Slice("templates", "templates/causal-conditional", "gender")
NAMES = ("control_rms_log_odds", "identity_to_control_ratio", "excess_rms_log_odds")


@dataclass(frozen=True)
class Drawn:
    """Differences of identity and control pairs with the numbers of occupation and template."""

    d: Array
    d_labels: tuple[NDArray[np.intp], NDArray[np.intp]]
    c: Array
    c_labels: tuple[NDArray[np.intp], NDArray[np.intp]]


def part(moved: Array, labels, roles, n_skipped: int = 0) -> Part:
    items = pd.DataFrame(
        {
            "cluster": [f"job{number}" for number in labels[0]],
            "template": [f"frame{number}" for number in labels[1]],
            roles[0]: moved - 3.0,
            roles[1]: np.full(len(moved), -3.0),
        }
    )
    return Part("gender", None, items, n_skipped)


def found(drawn: Drawn) -> dict[str, Estimate]:
    identity = part(drawn.d, drawn.d_labels, ("stereotype", "anti_stereotype"))
    control = part(drawn.c, drawn.c_labels, ("control_a", "control_b"), n_skipped=2)
    return {one.name: one for one in control_estimates(identity, control, WHERE, seed=0)}


def layout(side: int, per_cluster: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Each occupation meets ``per_cluster`` of ``side`` templates, as in the shipped items."""
    jobs = np.repeat(np.arange(side), per_cluster)
    steps = np.arange(per_cluster) * (np.arange(per_cluster) + 1) // 2
    return jobs, (jobs + np.tile(steps, side)) % side


def crossed(
    rng: np.random.Generator, *, side: int = 64, jobs: float, frames: float, shared: float = 0.0
) -> Drawn:
    """Occupations and templates shift the pairs; ``shared`` of it moves both kinds alike."""
    labels = layout(side, 14)
    first = np.tile(np.arange(14) < 4, side)
    c_labels = labels[0][first], labels[1][first]
    common = [rng.normal(0, 1, side) for _ in range(2)]

    def shifts(mean: float, at: tuple[NDArray[np.intp], NDArray[np.intp]]) -> Array:
        own = [
            math.sqrt(shared) * common[k] + math.sqrt(1 - shared) * rng.normal(0, 1, side)
            for k in range(2)
        ]
        noise = rng.normal(0, 0.1, len(at[0]))
        return mean + jobs * own[0][at[0]] + frames * own[1][at[1]] + noise

    return Drawn(shifts(0.1, labels), labels, shifts(0.0, c_labels), c_labels)


def statistics(d: Array, c: Array, w_d: Array, w_c: Array) -> Array:
    """The three numbers of weighted pairs, worked by hand."""
    control = math.sqrt(np.average(c**2, weights=w_c))
    identity = math.sqrt(np.average(d**2, weights=w_d))
    return np.array([control, np.average(d, weights=w_d) / control, identity - control])


def test_values_by_hand():
    drawn = Drawn(
        np.array([1.0, 3.0]), (np.array([0, 1]), np.array([0, 1])),
        np.array([3.0, -4.0]), (np.array([0, 1]), np.array([1, 0])),
    )  # fmt: skip
    by_name = found(drawn)
    control, identity = math.sqrt(12.5), math.sqrt(5)
    expected = (control, 2 / control, identity - control)
    assert [by_name[name].value for name in NAMES] == pytest.approx(expected)
    assert [by_name[name].n for name in NAMES] == [2, 4, 4]
    assert [by_name[name].n_skipped for name in NAMES] == [2, 2, 2]
    for one in by_name.values():
        assert one.interval is None
        assert "fewer than the 10 an interval needs" in one.reason
        assert "few_clusters" in one.cautions


def test_errors_equal_those_of_influences_found_by_weighing_pairs_more():
    """Brute force: move each pair's weight, sum what happens by label, cluster both ways."""
    drawn = crossed(np.random.default_rng(3), side=24, jobs=0.5, frames=0.3)
    ones = np.ones(len(drawn.d)), np.ones(len(drawn.c))
    centre = statistics(drawn.d, drawn.c, *ones)
    step, moves = 1e-6, []
    for kind, index in [(k, i) for k in (0, 1) for i in range(len(ones[k]))]:
        weights = ones[0].copy(), ones[1].copy()
        weights[kind][index] += step
        moves.append((statistics(drawn.d, drawn.c, *weights) - centre) / step)
    moves = np.array(moves)
    labels = [np.concatenate([drawn.d_labels[k], drawn.c_labels[k]]) for k in (0, 1)]
    # Both kinds weigh the same in every label, so leverage is that of equal clusters.
    n = len(labels[0])
    for name, theta, influence in zip(NAMES[1:], centre[1:], moves.T[1:], strict=True):
        expected, _ = two_way(n * influence + theta, np.ones(n), *labels)
        one = found(drawn)[name]
        assert one.value == pytest.approx(theta)
        assert one.se == pytest.approx(expected, rel=0.01)
    own = slice(len(drawn.d), None)
    m = len(drawn.c)
    expected, _ = two_way(m * moves[own, 0] + centre[0], np.ones(m), *drawn.c_labels)
    assert found(drawn)[NAMES[0]].se == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_standard_errors_are_the_spread_over_draws_of_crossed_labels(shared: float):
    """Occupations vary much, templates little: what resampling templates alone cannot see."""
    rng = np.random.default_rng(7)
    draws = [crossed(rng, jobs=0.6, frames=0.1, shared=shared) for _ in range(150)]
    results = [found(one) for one in draws]
    by_template = [template_error(one) for one in draws]
    for name in NAMES:
        values = np.array([one[name].value for one in results])
        errors = np.array([one[name].se for one in results])
        # 150 draws know a standard deviation to 6 %.
        assert math.sqrt((errors**2).mean()) == pytest.approx(values.std(ddof=1), rel=0.2)
    ratios = np.array([one[NAMES[1]].value for one in results])
    assert ratios.std(ddof=1) / np.mean(by_template) > 3


def template_error(drawn: Drawn) -> float:
    """Error of the ratio with templates resampled alone, the numerator being what varies."""
    y, w, _ = cluster_totals(drawn.d, np.ones(len(drawn.d)), drawn.d_labels[1])
    return cr2(y, w)[0] / math.sqrt(float((drawn.c**2).mean()))


def test_movement_that_both_kinds_share_cancels_in_the_excess():
    """With labels resampled apart its error would be that of two independent sizes."""
    rng = np.random.default_rng(2)
    apart, together = (
        np.mean(
            [found(crossed(rng, jobs=0.6, frames=0.3, shared=s))[NAMES[2]].se for _ in range(20)]
        )
        for s in (0.0, 1.0)
    )
    assert together < 0.75 * apart


def test_the_ratio_is_never_surer_than_its_numerator():
    """The fault that was found: ratio 0.090 [0.064, 0.130], numerator 0.072 [−0.022, 0.166]."""
    drawn = crossed(np.random.default_rng(11), jobs=0.5, frames=0.3)
    jobs, frames = drawn.d_labels
    numerator = infer(drawn.d, jobs, crossed=frames)
    ratio = found(drawn)[NAMES[1]]
    assert ratio.interval.method == "two-way"
    assert ratio.interval.resampling_unit == "cluster x template"
    size = math.sqrt(float((drawn.c**2).mean()))
    assert ratio.se * size == pytest.approx(numerator.se, rel=0.1)


def test_the_size_has_its_interval_on_the_log_scale_and_a_gate_reads_the_same_one():
    rms = found(crossed(np.random.default_rng(5), jobs=0.5, frames=0.3))[NAMES[0]]
    assert rms.interval.method == "log-two-way"
    below, above = (abs(math.log(end / rms.value)) for end in (rms.interval.low, rms.interval.high))
    student = stats.t.ppf(0.975, rms.df) * rms.se / rms.value
    # Wider on the side to which few pairs lean, and Student's on the other.
    assert min(below, above) == pytest.approx(student)
    assert max(below, above) < 1.4 * student
    evidence = estimate_evidence(rms)
    assert evidence.lower(0.025) == pytest.approx(rms.interval.low)
    assert evidence.upper(0.025) == pytest.approx(rms.interval.high)


def without(drawn: Drawn, kind: str) -> Drawn:
    nothing = np.array([]), (np.array([], dtype=int), np.array([], dtype=int))
    if kind == "identity":
        return Drawn(*nothing, drawn.c, drawn.c_labels)
    return Drawn(drawn.d, drawn.d_labels, *nothing)


def still(drawn: Drawn, kind: str) -> Drawn:
    if kind == "identity":
        return Drawn(0 * drawn.d, drawn.d_labels, drawn.c, drawn.c_labels)
    return Drawn(drawn.d, drawn.d_labels, 0 * drawn.c, drawn.c_labels)


@pytest.mark.parametrize("kind", ["identity", "control"])
@pytest.mark.parametrize(
    ("change", "reason"), [(without, "no pair was scored"), (still, "no pair moved")]
)
def test_what_one_kind_of_pairs_lacks_is_said_and_never_an_interval(
    kind: str, change: Callable[[Drawn, str], Drawn], reason: str
):
    drawn = crossed(np.random.default_rng(1), side=24, jobs=0.5, frames=0.3)
    by_name = found(change(drawn, kind))
    for name in NAMES[1:]:
        assert by_name[name].interval is None
        assert by_name[name].reason == f"{kind} pairs: {reason}"
    assert (by_name[NAMES[0]].interval is None) == (kind == "control")
    if change is without:
        assert by_name[NAMES[1]].value is None
        assert by_name[NAMES[2]].value is None
    elif kind == "control":
        assert by_name[NAMES[1]].value is None


def test_few_controls_allow_no_interval_whatever_the_identity_pairs():
    drawn = crossed(np.random.default_rng(1), jobs=0.5, frames=0.3)
    few = drawn.c_labels[0] < 6
    labels = drawn.c_labels[0][few], drawn.c_labels[1][few]
    by_name = found(Drawn(drawn.d, drawn.d_labels, drawn.c[few], labels))
    for name in NAMES[1:]:
        assert by_name[name].value is not None
        assert by_name[name].interval is None
        assert by_name[name].reason.startswith("control pairs: 6 clusters: fewer than the 10")
        assert "few_clusters" in by_name[name].cautions
