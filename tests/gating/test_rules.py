"""What decides: bounds worked by hand, Holm, and agreement with the verdicts of comparisons."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scipy import stats

import fairaudit
from fairaudit.gating.gate_checks import p_within
from fairaudit.results import Comparison
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.results.stored_evidence import comparison_evidence
from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import Student
from fairaudit.training.verification import Verification
from tests.gating import cases
from tests.gating.cases import CAPABLE, DEVIATION, EPSILON, EQUIVALENT, INCREASE, RAN
from tests.gating.results import (
    STATEMENT,
    accuracy,
    audit,
    compared,
    discordant,
    policy,
    rate,
    shifted,
)


def only(result, *rules, **settings):
    """Return the one check of a gate."""
    (check,) = fairaudit.gate(result, policy(*rules, **settings)).rules
    return check


def test_bounds_are_one_sided():
    # Wilson at z = 1.6449, n = 1000, p = 0.55.
    check = only(audit(rate(0.55)), DEVIATION)
    z, n, p = 1.6448536269514722, 1000, 0.55
    centre = (p + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(p * (1 - p) / n + z * z / (4 * n * n))
    assert check.interval.low == pytest.approx(centre - half)
    assert check.interval.high == pytest.approx(centre + half)
    assert check.interval.level == pytest.approx(0.9)
    assert (check.value, check.bound, check.n) == (0.55, 0.1, 1000)


def test_the_limit_lies_where_the_bound_does():
    # 0.05 + 1.697 · 0.02 = 0.0839 is the upper bound with 30 degrees of freedom.
    result = compared(shifted(0.05, 0.02))
    upper = 0.05 + stats.t.ppf(0.95, 30) * 0.02
    above, below = ({**INCREASE, "margin": upper + by} for by in (1e-6, -1e-6))
    assert only(result, above).decision == "PASS"
    assert only(result, below).decision == "INCONCLUSIVE"
    lower = 0.05 - stats.t.ppf(0.95, 30) * 0.02
    inside, outside = ({**INCREASE, "margin": lower + by} for by in (-1e-6, 1e-6))
    assert only(result, inside).decision == "FAIL"
    assert only(result, outside).decision == "INCONCLUSIVE"


def test_failures_are_corrected_and_passes_are_not():
    """Lower bound 0.0534 > 0.05 fails alone; beside three more numbers Holm takes it back."""
    one = shifted(0.09, 0.0215)
    p = stats.t.sf((0.09 - 0.05) / 0.0215, 30)
    assert only(compared(one), INCREASE).p_adjusted == pytest.approx(p)
    assert only(compared(one), INCREASE).decision == "FAIL"
    others = [discordant(20, 20, axis=axis) for axis in ("race", "religion", "age")]
    first, *rest = fairaudit.gate(compared(one, *others), policy(INCREASE)).rules
    assert first.p_adjusted == pytest.approx(4 * p)
    assert first.decision == ("FAIL" if 4 * p <= 0.05 else "INCONCLUSIVE") == "INCONCLUSIVE"
    assert "; alone it would fail (p 0.036, among all numbers 0.15)" in first.reason
    assert {check.decision for check in rest} == {"PASS"}
    by_rule = [{**INCREASE, "axis": axis} for axis in ("gender", "race", "religion", "age")]
    of_rules = fairaudit.gate(compared(one, *others), policy(*by_rule, family="rule")).rules
    assert of_rules[0].decision == "FAIL"


def test_far_on_either_side_counts_as_far():
    for value in (0.3, 0.7):
        check = only(audit(rate(value)), DEVIATION)
        assert check.decision == "FAIL"
        assert check.reason == "the value is shown to lie outside 0.4 to 0.6"


def test_p_of_an_interval_hypothesis_has_its_size():
    """At the edge of the hypothesis both tails reject together with probability α."""
    se, limit = 0.02, 0.01
    for alpha in (0.01, 0.05, 0.2):
        # The |value| at which p = α, by the formula, and its chance at θ = limit.
        def p_of(value):
            return p_within(Student(value, se, se, None), -limit, limit)

        low, high = limit, 1.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (middle, high) if p_of(middle) > alpha else (low, middle)
        size = stats.norm.sf((high - limit) / se) + stats.norm.cdf((-high - limit) / se)
        assert size == pytest.approx(alpha)
        assert p_of(-high) == pytest.approx(p_of(high))


def test_no_width_is_a_two_sided_test():
    found = p_within(Student(0.04, 0.02, 0.02, None), 0.0, 0.0)
    assert found == pytest.approx(2 * stats.norm.sf(2))


def test_identical_says_why_it_passes():
    check = only(cases.IDENTICAL, INCREASE)
    assert (check.decision, check.value, check.p_adjusted) == ("PASS", 0.0, None)
    assert "same model: the difference is exactly 0" in check.reason


def test_not_interpretable_is_never_read():
    wide = compared(discordant(180, 40, verdict="not_interpretable"))
    for rule in (INCREASE, EQUIVALENT, DEVIATION):
        assert only(wide, rule).decision == "INCONCLUSIVE"
        assert "above chance" in only(wide, rule).reason


def test_a_dull_protocol_spoils_only_its_own_axis():
    capability = {"name": "language_modeling_score", "suite": "templates", "chance": 0.5}
    capability |= {"protocol": rate().protocol}
    weak = accuracy(0.5, 100, **capability, axis="race")
    gender, race = fairaudit.gate(
        audit(rate(), rate(axis="race"), weak, accuracy()), policy(DEVIATION)
    ).rules
    assert (gender.decision, race.decision) == ("PASS", "INCONCLUSIVE")
    assert "language_modeling_score" in race.reason


def test_what_is_missing_is_named():
    gender, missing = fairaudit.gate(
        audit(rate()), policy({**DEVIATION, "axis": ["gender", "gendre"]})
    ).rules
    assert gender.decision == "PASS"
    assert missing.decision == "NOT_RUN"
    assert missing.reason == "no number for the axis 'gendre'; did you mean 'gender'?"
    assert missing.selector == "* | gender,gendre | - | primary"
    check = only(cases.NEUTRAL, {**DEVIATION, "suite": "stereoset"})
    assert check.reason == "stereoset did not run: no data"
    check = only(cases.NEUTRAL, {**DEVIATION, "suite": "bbq"})
    assert check.reason == "'bbq' did not run: it is not part of this audit"
    check = only(cases.SAME_RATE, {**INCREASE, "suite": "stereoset"})
    assert check.reason == "stereoset was not compared: not run for the baseline: no data"
    check = only(cases.NEUTRAL, {**DEVIATION, "metric": "mean_log_odds"})
    assert "no number for the metric 'mean_log_odds'" in check.reason


def test_reasons_of_missing_intervals_are_kept():
    check = only(cases.NO_INTERVAL, {**DEVIATION, "axis": "religion"})
    assert check.reason == "3 clusters: fewer than the 10 an interval needs"
    assert only(cases.UNKNOWN, INCREASE).reason == "3 clusters"


def test_capability_is_pooled_where_it_can_be():
    by_axis = accuracy(0.02, 100, axis="gender")
    result = audit(rate(), accuracy(), by_axis)
    assert only(result, CAPABLE).selector == "probe/causal | all | - | token_accuracy"
    found = fairaudit.gate(result, policy({**CAPABLE, "axis": "*en*"})).rules
    assert [check.selector.split(" | ")[1] for check in found] == ["gender"]


def test_overshoot_without_a_limit_of_its_own_is_for_someone_to_decide():
    check = only(cases.OVERSHOT, INCREASE)
    assert check.decision == "INCONCLUSIVE"
    assert "past the ideal 0.5 on the other side" in check.reason
    assert "'max_deviation'" in check.reason
    # A model that lay there already, and stayed, has not overshot.
    stayed = compared(discordant(20, 20, base=0.3))
    assert only(stayed, INCREASE).decision == "PASS"


@pytest.mark.parametrize(
    ("moved", "base", "decision"),
    [((20, 20), 0.3, "PASS"), ((15, 45), 0.3, "PASS"), ((10, 60), 0.3, "INCONCLUSIVE"),
     ((0, 150), 0.3, "FAIL"), ((20, 20), 0.45, "PASS"), ((10, 110), 0.45, "FAIL")],
)  # fmt: skip
def test_a_baseline_beyond_the_limit_is_named_and_what_is_added_is_judged(moved, base, decision):
    """Issue 28, fault 2: a rule that the baseline itself breaks could never turn green."""
    check = only(compared(discordant(*moved, base=base)), {**INCREASE, "max_deviation": 0.1})
    assert check.decision == decision
    itself = "the baseline itself lies past the ideal 0.5 by more than 0.1 (0.3)"
    assert (itself in check.reason) == (base == 0.3)


def test_a_limit_on_the_model_itself_names_the_baseline_that_breaks_it_too():
    """The rule that is absolute stays so, and says what the reader must know."""
    beyond, within = (compared(discordant(20, 20, base=base)) for base in (0.3, 0.62))
    check = only(beyond, DEVIATION)
    assert (check.decision, check.reason) == (
        "FAIL",
        "the value is shown to lie outside 0.4 to 0.6; so does the baseline (0.3)",
    )
    assert only(within, DEVIATION).reason.endswith("; so does the baseline (0.62)")
    assert "baseline" not in only(compared(discordant(10, 210)), DEVIATION).reason


def test_beyond_the_limit_on_the_other_side_of_a_metric_that_falls():
    stayed = discordant(20, 20, base=0.7, direction=-1)
    check = only(compared(stayed), {**INCREASE, "max_deviation": 0.1})
    assert check.decision == "PASS"
    assert "(0.7)" in check.reason
    worse = discordant(150, 0, base=0.7, direction=-1)
    assert only(compared(worse), {**INCREASE, "max_deviation": 0.1}).decision == "FAIL"


@pytest.mark.parametrize("kind", ["max_increase_vs_baseline", "equivalent_to_baseline"])
@pytest.mark.parametrize(
    ("difference", "verdict", "decision"),
    [(0.3, "amplified", "INCONCLUSIVE"), (-0.3, "reduced", "INCONCLUSIVE"),
     (0.01, "inconclusive", "NOT_RUN")],
)  # fmt: skip
def test_a_change_without_a_margin_is_never_passed_over(kind, difference, verdict, decision):
    entry = shifted(difference, 0.05, name="mean_log_odds", ideal=0.0, margin=None,
                    n_discordant=None, p_adjusted=1e-4, verdict=verdict)  # fmt: skip
    check = only(compared(entry), {"kind": kind})
    assert check.decision == decision
    assert check.reason.endswith("mean_log_odds declares no margin; give the rule a 'margin'")


def test_a_rule_keeps_to_primary_numbers_of_a_metric_where_it_says_so():
    exploratory = discordant(180, 40, axis="all", primary=False)
    result = compared(discordant(20, 20), exploratory)
    named = {**INCREASE, "metric": "stereotype_*"}
    assert fairaudit.gate(result, policy(named)).decision == "FAIL"
    assert only(result, {**named, "primary": True}).decision == "PASS"


def test_overshoot_of_a_metric_that_falls_with_stereotypes():
    """Lower is more stereotyped: the other side of an ideal 0.5 is above it."""
    moved = discordant(10, 210, base=0.5, direction=-1)
    assert moved.value_candidate == pytest.approx(0.7)
    assert only(compared(moved), {**INCREASE, "max_deviation": 0.1}).decision == "FAIL"
    assert only(compared(moved), {**INCREASE, "max_deviation": 0.3}).decision == "PASS"


def test_what_an_audit_found_about_a_claim_is_heard():
    claim = PrivacyStatement.model_validate(STATEMENT)
    found = Verification(claim, 9.0, ("epsilon 3 is claimed, the parameters give 9",), ())
    check = only(audit(privacy=STATEMENT, notes=(found.sentence,)), EPSILON)
    assert (check.decision, check.reason) == ("FAIL", found.sentence)
    fine = Verification(claim, 3.0, (), ())
    assert only(audit(privacy=STATEMENT, notes=(fine.sentence,)), EPSILON).decision == "PASS"


def test_every_candidate_is_gated():
    first, second = fairaudit.gate(cases.TWO, policy(INCREASE)).rules
    assert (first.decision, second.decision) == ("PASS", "FAIL")
    assert (first.selector[-5:], second.selector[-6:]) == (" | dp", " | cda")


def test_requirements_alone_are_an_evaluation_but_nothing_is_not():
    assert fairaudit.gate(cases.NEUTRAL, policy(RAN)).exit_code == 0
    nothing = fairaudit.gate(cases.NOTHING, policy(RAN, DEVIATION), allow_inconclusive=True)
    assert (nothing.decision, nothing.exit_code) == ("NOT_RUN", 3)


def judged(comparison: Comparison) -> Comparison:
    """Fill in the verdict as a comparison does."""
    made = decide(
        comparison.difference,
        comparison.se,
        comparison.df,
        comparison.margin,
        comparison.alpha,
        evidence=comparison_evidence(comparison),
    )
    return comparison.model_copy(update={"verdict": made.verdict})


@st.composite
def tables(draw):
    n = draw(st.integers(20, 3000))
    b = draw(st.integers(0, n))
    c = draw(st.integers(0, min(n - b, n // 2)))
    base = draw(st.floats(0.0, 1.0)) * (1 - abs(b - c) / n) + max(0.0, (c - b) / n)
    return discordant(b, c, n, base=min(1.0, max(0.0, base)))


@st.composite
def clustered(draw):
    df = draw(st.none() | st.floats(4, 200))
    return shifted(draw(st.floats(-0.3, 0.3)), draw(st.floats(0.002, 0.2)), df)


@given(st.one_of(tables(), clustered()))
@example(discordant(0, 0, 20))
@example(discordant(0, 0, 200))
def test_the_gate_never_contradicts_the_verdict(comparison):
    comparison = judged(comparison)
    result = compared(comparison)
    increase = fairaudit.gate(result, policy({"kind": "max_increase_vs_baseline"})).decision
    same = fairaudit.gate(result, policy({"kind": "equivalent_to_baseline"})).decision
    assert (same == "PASS") == (comparison.verdict == "equivalent")
    if comparison.verdict == "equivalent":
        assert increase == "PASS"
    lower = comparison_evidence(comparison).lower(comparison.alpha)
    if comparison.verdict == "amplified" and lower > comparison.margin + 1e-9:
        assert increase == "FAIL"
    if comparison.verdict == "amplified":
        assert increase != "PASS"
    if comparison.verdict == "reduced":
        assert increase != "FAIL"


@given(st.floats(0.02, 0.98), st.integers(20, 5000), st.floats(0.01, 0.4), st.floats(0.001, 0.49))
def test_wider_limits_never_turn_a_pass_into_anything_else(value, n, limit, alpha):
    result = audit(rate(value, n))
    order = ["FAIL", "INCONCLUSIVE", "PASS"]
    found = [
        only(result, {**DEVIATION, "limit": at}, alpha=alpha).decision
        for at in (limit, min(0.49, limit + 0.05))
    ]
    assert order.index(found[0]) <= order.index(found[1])
