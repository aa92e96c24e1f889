"""The rule in its order, on worked numbers, and what must hold for all numbers."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fairaudit.stats.decide import Decision, decide, equivalence_p
from fairaudit.stats.evidence import Student, Tango
from fairaudit.stats.paired import infer_paired

DIFFERENCES = st.floats(-0.3, 0.3)
ERRORS = st.floats(0.001, 0.2)


@pytest.mark.parametrize(
    ("difference", "se", "margin", "verdict", "cautions"),
    [
        (0.08, 0.02, 0.05, "amplified", ()),
        (-0.08, 0.02, 0.05, "reduced", ()),
        (0.01, 0.02, 0.05, "equivalent", ()),
        # 0.02 ± 1.645·0.008 lies inside ±0.05, and 0.02 ± 1.96·0.008 above 0.
        (0.02, 0.008, 0.05, "equivalent", ("nonzero",)),
        (0.03, 0.02, 0.05, "inconclusive", ()),
        # Without a margin nothing is equivalent.
        (0.02, 0.008, None, "amplified", ()),
        (0.0, 0.001, None, "inconclusive", ()),
        # 0.05 − 1.645·0.02 lies inside, 0.05 + 1.645·0.02 does not; 2.5 errors from 0.
        (0.05, 0.02, 0.05, "amplified", ()),
    ],
)
def test_worked_verdicts(
    difference: float, se: float, margin: float | None, verdict: str, cautions: tuple[str, ...]
) -> None:
    decision = decide(difference, se, None, margin)
    assert (decision.verdict, decision.cautions) == (verdict, cautions)


def test_numbers_of_a_decision() -> None:
    decision = decide(0.08, 0.02, None, 0.05)
    assert (decision.low, decision.high) == pytest.approx((0.0408, 0.1192), abs=1e-4)
    # Two-sided 4 errors from 0; one-sided 1.5 errors above the margin, on the wrong side.
    assert decision.p_value == pytest.approx(6.33e-5, rel=1e-2)
    assert decision.p_equivalence == pytest.approx(0.9332, abs=1e-4)


def test_few_degrees_of_freedom_are_paid_for() -> None:
    assert decide(0.05, 0.02, None, None).verdict == "amplified"
    assert decide(0.05, 0.02, 4.0, None).verdict == "inconclusive"


def test_an_adjusted_p_value_decides_with_the_interval() -> None:
    assert decide(0.05, 0.02, None, None, p_adjusted=0.2).verdict == "inconclusive"
    assert decide(0.03, 0.02, None, None, p_adjusted=0.001).verdict == "inconclusive"
    assert decide(0.05, 0.02, None, None, p_adjusted=0.05).verdict == "amplified"


def test_overshot() -> None:
    past = decide(-0.2, 0.02, None, 0.05, candidate_low=-0.06)
    assert (past.verdict, past.cautions) == ("reduced", ("overshot",))
    assert decide(-0.2, 0.02, None, 0.05, candidate_low=-0.05).cautions == ()
    assert decide(0.2, 0.02, None, 0.05, candidate_low=-0.06).cautions == ()


def test_before_all_numbers() -> None:
    assert decide(0.08, 0.02, None, 0.05, identical=True) == Decision("identical")
    dull = decide(0.08, 0.02, None, 0.05, capable=False)
    assert dull.verdict == "not_interpretable"
    assert dull.low is not None


@pytest.mark.parametrize("se", [None, 0.0, math.nan])
def test_without_an_error_nothing_is_decided(se: float | None) -> None:
    assert decide(0.3, se, None, 0.05) == Decision("inconclusive")
    assert decide(0.3, se, None, 0.05, capable=False) == Decision("not_interpretable")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((math.nan, 0.1, None, 0.05), "finite"),
        ((0.1, 0.1, None, 0.0), "margin"),
        ((0.1, 0.1, None, -1.0), "margin"),
        ((0.1, 0.1, None, 0.05, 0.5), "alpha"),
        ((0.1, 0.1, None, 0.05, 0.0), "alpha"),
        ((0.1, 0.1, None, 0.05, math.nan), "alpha"),
    ],
)
def test_out_of_range(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        decide(*arguments)


def test_no_discordant_pair_among_20_says_nothing() -> None:
    found = infer_paired([1.0] * 20, [1.0] * 20, range(20), is_rate=True)
    assert found.difference == 0
    decision = decide(0.0, found.se, found.df, 0.05, evidence=found.evidence())
    assert decision.verdict == "inconclusive"
    many = infer_paired([1.0] * 60, [1.0] * 60, range(60), is_rate=True)
    assert decide(0.0, many.se, many.df, 0.05, evidence=many.evidence()).verdict == "equivalent"


@given(DIFFERENCES, ERRORS, st.sampled_from([None, 5.0, 40.0]))
def test_swapping_the_models_mirrors(difference: float, se: float, df: float | None) -> None:
    one, other = decide(difference, se, df, 0.05), decide(-difference, se, df, 0.05)
    mirrored = {"amplified": "reduced", "reduced": "amplified"}
    assert other.verdict == mirrored.get(one.verdict, one.verdict)
    assert one.low is not None
    assert other.high == pytest.approx(-one.low, abs=1e-12)


@given(DIFFERENCES, ERRORS, st.floats(0.01, 0.2))
def test_equivalence_is_its_p_value(difference: float, se: float, alpha: float) -> None:
    decision = decide(difference, se, 30.0, 0.05, alpha)
    assert decision.p_equivalence is not None
    if abs(decision.p_equivalence - alpha) > 1e-9:
        assert (decision.verdict == "equivalent") == (decision.p_equivalence < alpha)


@given(DIFFERENCES, ERRORS)
def test_a_change_is_claimed_only_off_0(difference: float, se: float) -> None:
    decision = decide(difference, se, None, 0.05)
    if decision.verdict == "amplified":
        assert decision.low > 0
    if decision.verdict == "reduced":
        assert decision.high < 0


def test_equivalence_by_hand() -> None:
    # (0.05 − 0.01)/0.02 = 2 errors to the nearer margin.
    assert equivalence_p(Student(0.01, 0.02, 0.02, None), 0.05) == pytest.approx(0.02275, abs=1e-5)
    # z²/(n + z²) < 0.05 with z = 1.645 from n = 19·z² = 51.4 on.
    assert equivalence_p(Tango(0, 0, 51), 0.05) > 0.05 > equivalence_p(Tango(0, 0, 52), 0.05)


def test_equivalence_of_means_is_that_of_two_t_tests() -> None:
    d = np.array([0.1, -0.2, 0.05, 0.0, 0.15, -0.1, 0.02])
    se = d.std(ddof=1) / np.sqrt(len(d))
    one_sided = [
        stats.ttest_1samp(d, -0.2, alternative="greater").pvalue,
        stats.ttest_1samp(d, 0.2, alternative="less").pvalue,
    ]
    found = equivalence_p(Student(d.mean(), se, se, len(d) - 1), 0.2)
    assert found == pytest.approx(max(one_sided))
