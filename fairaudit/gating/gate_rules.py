"""What each kind of rule makes of one stored number."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fairaudit.gating.gate_checks import (
    Check,
    Number,
    difference_of,
    own_number,
    own_value,
    p_within,
    refuse_vacuous,
    settled,
    show,
)
from fairaudit.gating.gate_selection import Result, selector_of
from fairaudit.gating.policy import (
    EquivalentToBaseline,
    MaxDeviationFromIdeal,
    MaxIncreaseVsBaseline,
    MinCapability,
    MinItems,
)
from fairaudit.results.comparison import Comparison
from fairaudit.results.gate import GateDecision
from fairaudit.results.stored_evidence import candidate_evidence, equivalence_evidence
from fairaudit.results.types import Estimate
from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import Evidence
from fairaudit.stats.unseen import limiting
from fairaudit.vocabulary.decisions import FAIL, INCONCLUSIVE, NOT_RUN, PASS
from fairaudit.vocabulary.verdicts import CHANGED, Verdict


def max_deviation(
    rule: MaxDeviationFromIdeal, entry: Estimate | Comparison, result: Result, alpha: float
) -> Check:
    """|value − ideal| ≤ limit, of a model by itself or of a candidate."""
    number = own_number(rule.kind, entry, result)
    assert entry.ideal is not None
    floor, ceiling = entry.ideal - rule.limit, entry.ideal + rule.limit
    refuse_vacuous(number, "limit", rule.limit, floor, ceiling)
    undecided = number.undecided(rule.limit)
    if undecided is not None:
        return undecided
    assert number.evidence is not None
    low, high = number.within(alpha)
    allowed = f"{show(floor)} to {show(ceiling)}"
    also = _also_beyond(entry, floor, ceiling)
    return number.check(
        alpha,
        rule.limit,
        passes=floor < low and high < ceiling,
        p_fail=p_within(number.evidence, floor, ceiling),
        words={
            PASS: f"{_between(low, high)} keeps within {allowed}",
            FAIL: f"the value is shown to lie outside {allowed}{also}",
            INCONCLUSIVE: f"{_between(low, high)} does not keep within {allowed}{also}",
        },
    )


def _also_beyond(entry: Estimate | Comparison, floor: float, ceiling: float) -> str:
    """Say so where the baseline of a comparison lies outside a limit on the candidate."""
    baseline = entry.value_baseline if isinstance(entry, Comparison) else None
    if baseline is None or floor < baseline < ceiling:
        return ""
    return f"; so does the baseline ({show(baseline)})"


def max_increase(rule: MaxIncreaseVsBaseline, entry: Comparison, alpha: float) -> Check:
    """Difference towards the stereotype < margin, and no overshoot on the other side."""
    number, margin = difference_of(rule.kind, entry), rule.margin or entry.margin
    early = _before_bounds(number, entry, margin)
    if early is not None:
        return early
    assert margin is not None
    if entry.direction == 0:
        reason = f"{entry.name} has no stereotyped side; use equivalent_to_baseline"
        return settled(rule.kind, number.selector, NOT_RUN, reason, value=number.value)
    assert number.evidence is not None
    _, upper = number.within(alpha)
    other = _other_side(rule, entry, number.evidence, margin, alpha)
    p_fail = number.evidence.p_at_most(margin)
    return number.check(
        alpha,
        margin,
        passes=upper < margin and other.kept,
        # Two ways to fail share one p-value (Bonferroni).
        p_fail=p_fail if other.p_fail is None else 2 * min(p_fail, other.p_fail),
        words={
            PASS: f"an increase of at most {show(upper)}, below {show(margin)}" + other.words(PASS),
            FAIL: f"the increase is shown to exceed {show(margin)}"
            if other.p_fail is None or p_fail <= other.p_fail
            else f"the candidate is shown to lie {other.where}",
            INCONCLUSIVE: f"an increase of up to {show(upper)} is not excluded"
            if upper >= margin
            else f"the candidate may lie {other.where}",
        },
    )


def equivalent(rule: EquivalentToBaseline, entry: Comparison, alpha: float) -> Check:
    """|difference| < margin, by the rule that gives the verdict ``equivalent``."""
    number, margin = difference_of(rule.kind, entry), rule.margin or entry.margin
    early = _before_bounds(number, entry, margin)
    if early is not None:
        return early
    assert margin is not None
    assert number.value is not None
    assert number.evidence is not None
    made = decide(
        number.value,
        entry.se,
        entry.df,
        margin,
        alpha,
        evidence=number.evidence,
        within=equivalence_evidence(entry),
    )
    low, high = number.within(alpha)
    return number.check(
        alpha,
        margin,
        passes=made.verdict is Verdict.EQUIVALENT,
        p_fail=p_within(number.evidence, -margin, margin),
        words={
            PASS: f"{_between(low, high)} keeps within ±{show(margin)}",
            FAIL: f"the difference is shown to exceed ±{show(margin)}",
            INCONCLUSIVE: f"{_between(low, high)} does not keep within ±{show(margin)}",
        },
    )


def min_items(rule: MinItems, entry: Estimate | Comparison) -> Check:
    """N ≥ minimum: a count, so there is nothing to test."""
    enough = entry.n >= rule.minimum
    reason = f"{entry.n} items, {'at least' if enough else 'fewer than'} {rule.minimum}"
    return settled(
        rule.kind, selector_of(entry), PASS if enough else FAIL, reason,
        value=entry.n, bound=rule.minimum, n=entry.n,
    )  # fmt: skip


def min_capability(rule: MinCapability, entry: Estimate, alpha: float) -> Check:
    """Capability > minimum, by default its chance level."""
    minimum = entry.chance if rule.minimum is None else rule.minimum
    selector = selector_of(entry)
    if minimum is None:
        reason = f"{entry.name} records no chance level; give the rule a 'minimum'"
        return settled(rule.kind, selector, NOT_RUN, reason, value=entry.value, n=entry.n)
    number = own_value(rule.kind, entry)
    undecided = number.undecided(minimum)
    if undecided is not None:
        return undecided
    assert number.evidence is not None
    low = show(number.evidence.lower(alpha))
    name = f"{show(minimum)}{'' if rule.minimum is not None else ' (chance)'}"
    return number.check(
        alpha,
        minimum,
        passes=number.evidence.lower(alpha) > minimum,
        p_fail=number.evidence.p_at_least(minimum),
        words={
            PASS: f"at least {low}, above {name}",
            FAIL: f"shown to lie below {name}",
            INCONCLUSIVE: f"may be as low as {low}, not above {name}",
        },
    )


@dataclass(frozen=True, slots=True)
class _OtherSide:
    """Whether a candidate keeps on this side of the limit beyond the ideal."""

    kept: bool
    where: str = ""
    p_fail: float | None = None
    said: Mapping[GateDecision, str] = field(default_factory=dict)

    def words(self, decision: GateDecision) -> str:
        return self.said.get(decision, "")


def _other_side(
    rule: MaxIncreaseVsBaseline,
    entry: Comparison,
    difference: Evidence,
    margin: float,
    alpha: float,
) -> _OtherSide:
    """Judge the candidate's own value on the side of the ideal away from the stereotype."""
    asked = rule.max_deviation is not None
    if entry.ideal is None or (not asked and limiting(difference).lower(alpha) > -margin):
        # Without a limit of its own, a candidate shown to be where the baseline was may stay.
        return _OtherSide(kept=True)
    limit = rule.max_deviation if rule.max_deviation is not None else margin
    beyond = entry.ideal - entry.direction * limit
    baseline = entry.value_baseline
    if baseline is not None and entry.direction * (beyond - baseline) > 0:
        added = _added(entry.ideal, limit, baseline, difference, margin, alpha)
        return added if asked else replace(added, p_fail=None)
    where = f"past the ideal {show(entry.ideal)} on the other side by more than {show(limit)}"
    own = candidate_evidence(entry)
    if own is None:
        return _OtherSide(kept=False, where=f"{where}: its own value has no interval")
    if entry.direction > 0:
        kept, p_fail = limiting(own).lower(alpha) > beyond, own.p_at_least(beyond)
    else:
        kept, p_fail = limiting(own).upper(alpha) < beyond, own.p_at_most(beyond)
    hint = "" if asked else "; 'max_deviation' says how far it may"
    said = {PASS: f", and not {where}"}
    return _OtherSide(kept, where + hint, p_fail if asked else None, said)


def _added(
    ideal: float, limit: float, baseline: float, difference: Evidence, margin: float, alpha: float
) -> _OtherSide:
    """Judge what the candidate adds, where the baseline itself lies beyond the limit."""
    itself = (
        f"the baseline itself lies past the ideal {show(ideal)} by more than {show(limit)} "
        f"({show(baseline)})"
    )
    where = f"further past the ideal than the baseline by {show(margin)} or more; {itself}"
    said = {PASS: f", and no further past the ideal; {itself}"}
    kept = difference.lower(alpha) > -margin
    return _OtherSide(kept, where, difference.p_at_least(-margin), said)


def _before_bounds(number: Number, entry: Comparison, margin: float | None) -> Check | None:
    """Settle what needs no bound: the same model, no margin, no evidence."""
    if _is_rounding(entry, margin):
        how = "exactly 0" if entry.difference == 0 else "no more than rounding"
        reason = f"candidate and baseline are the same model: the difference is {how}"
        return settled(
            number.rule, number.selector, PASS, reason,
            value=entry.difference, bound=margin, n=entry.n,
        )  # fmt: skip
    undecided = number.undecided(margin)
    if undecided is None and margin is None:
        return _without_margin(number, entry)
    if margin is not None:
        refuse_vacuous(number, "margin", margin, -margin, margin)
    return undecided


def _is_rounding(entry: Comparison, margin: float | None) -> bool:
    """Whether a difference is that of one model: equal scores, but for a flip at a tie."""
    if entry.verdict != Verdict.IDENTICAL or entry.difference is None:
        return False
    return entry.difference == 0 or margin is None or abs(entry.difference) < margin


def _without_margin(number: Number, entry: Comparison) -> Check:
    """Settle a difference that nobody has said how much of is too much."""
    reason = f"{entry.name} declares no margin; give the rule a 'margin'"
    decision = NOT_RUN
    if entry.verdict in CHANGED:
        decision, reason = INCONCLUSIVE, f"{entry.verdict}, and {reason}"
    return settled(number.rule, number.selector, decision, reason, value=number.value)


def _between(low: float, high: float) -> str:
    return f"[{show(low)}, {show(high)}]"
