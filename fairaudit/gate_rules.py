"""What each kind of rule makes of one stored number.

A rule on an upper limit passes when the one-sided 1 − α bound of the number lies below the limit,
and fails when a test of "not above the limit" rejects; a lower limit is the mirror image. All rules
must pass for a policy to pass, so no bound that passes needs correction (an intersection-union
test); the tests that fail a rule are corrected over the policy's family, which is why a check hands
out its p-value and is settled only when all of them are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fairaudit.errors import UsageError
from fairaudit.gate_selection import Result, incapable, selector_of
from fairaudit.policy import (
    EquivalentToBaseline,
    MaxDeviationFromIdeal,
    MaxIncreaseVsBaseline,
    MinCapability,
    MinItems,
)
from fairaudit.results.audit import AuditResult
from fairaudit.results.comparison import Comparison
from fairaudit.results.gate import GateDecision
from fairaudit.results.types import Estimate, Interval
from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import Evidence
from fairaudit.stored_evidence import (
    candidate_evidence,
    comparison_evidence,
    estimate_evidence,
)

NO_INTERVAL: Final = "there is no interval, so nothing bounds it"


@dataclass(frozen=True, slots=True)
class Check:
    """One rule applied to one number, not yet corrected for all the others.

    Parameters
    ----------
    rule, selector, value, bound, interval, n
        As in `RuleResult`.
    settled : str, optional
        The decision, where it needs no test.
    passes : bool
        The bounds at 1 − α keep the limit.
    p_fail : float, optional
        P-value of "the limit is kept".
    words : mapping
        The reason for each decision that is possible.
    """

    rule: str
    selector: str
    words: Mapping[GateDecision, str]
    value: float | None = None
    bound: float | None = None
    interval: Interval | None = None
    n: int | None = None
    settled: GateDecision | None = None
    passes: bool = False
    p_fail: float | None = None


def settled(
    rule: str,
    selector: str,
    decision: GateDecision,
    reason: str,
    *,
    value: float | None = None,
    bound: float | None = None,
    n: int | None = None,
) -> Check:
    """Return a check whose decision needs no test."""
    words = {decision: reason}
    return Check(rule, selector, words, value=value, bound=bound, n=n, settled=decision)


@dataclass(frozen=True, slots=True)
class Number:
    """A number under a rule: where it stands, its evidence, and why it may not be judged."""

    rule: str
    selector: str
    value: float | None
    n: int
    interval: Interval | None
    evidence: Evidence | None
    #: Why there is no evidence, or why it may not be read.
    doubt: str | None
    is_rate: bool = False

    def undecided(self, bound: float | None) -> Check | None:
        """Return the check of a number that cannot be judged; None if it can."""
        reason = self.doubt or (NO_INTERVAL if self.evidence is None else None)
        if reason is None:
            return None
        return settled(
            self.rule, self.selector, "INCONCLUSIVE", reason,
            value=self.value, bound=bound, n=self.n,
        )  # fmt: skip

    def check(
        self,
        alpha: float,
        bound: float,
        *,
        passes: bool,
        p_fail: float,
        words: Mapping[GateDecision, str],
    ) -> Check:
        """Return the check of a number that can be judged, with the bounds that judge it."""
        assert self.evidence is not None
        assert self.interval is not None
        bounds = self.interval.model_copy(
            update={
                "low": self.evidence.lower(alpha),
                "high": self.evidence.upper(alpha),
                "level": 1 - 2 * alpha,
            }
        )
        return Check(
            self.rule, self.selector, words, value=self.value, bound=bound, interval=bounds,
            n=self.n, passes=passes, p_fail=min(1.0, p_fail),
        )  # fmt: skip


def max_deviation(
    rule: MaxDeviationFromIdeal, entry: Estimate | Comparison, result: Result, alpha: float
) -> Check:
    """|value − ideal| ≤ limit, of a model by itself or of a candidate."""
    number = _own_number(rule.kind, entry, result)
    assert entry.ideal is not None
    floor, ceiling = entry.ideal - rule.limit, entry.ideal + rule.limit
    _refuse_vacuous(number, "limit", rule.limit, vacuous=floor <= 0 and ceiling >= 1)
    undecided = number.undecided(rule.limit)
    if undecided is not None:
        return undecided
    assert number.evidence is not None
    low, high = number.evidence.lower(alpha), number.evidence.upper(alpha)
    allowed = f"{show(floor)} to {show(ceiling)}"
    return number.check(
        alpha,
        rule.limit,
        passes=floor < low and high < ceiling,
        p_fail=p_within(number.evidence, floor, ceiling),
        words={
            "PASS": f"{_between(low, high)} keeps within {allowed}",
            "FAIL": f"the value is shown to lie outside {allowed}",
            "INCONCLUSIVE": f"{_between(low, high)} does not keep within {allowed}",
        },
    )


def max_increase(rule: MaxIncreaseVsBaseline, entry: Comparison, alpha: float) -> Check:
    """Difference towards the stereotype < margin, and no overshoot on the other side."""
    number, margin = _difference(rule.kind, entry), rule.margin or entry.margin
    early = _before_difference(number, entry, margin)
    if early is not None:
        return early
    assert margin is not None
    if entry.direction == 0:
        reason = f"{entry.name} has no stereotyped side; use equivalent_to_baseline"
        return settled(rule.kind, number.selector, "NOT_RUN", reason, value=number.value)
    assert number.evidence is not None
    upper = number.evidence.upper(alpha)
    other = _other_side(rule, entry, number.evidence, margin, alpha)
    p_fail = number.evidence.p_at_most(margin)
    increase = f"an increase of up to {show(upper)}"
    return number.check(
        alpha,
        margin,
        passes=upper < margin and other.kept,
        # Two ways to fail share one p-value (Bonferroni).
        p_fail=p_fail if other.p_fail is None else 2 * min(p_fail, other.p_fail),
        words={
            "PASS": f"at most {increase}, below {show(margin)}{other.words('PASS')}",
            "FAIL": f"the increase is shown to exceed {show(margin)}"
            if other.p_fail is None or p_fail <= other.p_fail
            else f"the candidate is shown to lie {other.where}",
            "INCONCLUSIVE": f"compatible with {increase}, not below {show(margin)}"
            if upper >= margin
            else f"the candidate may lie {other.where}",
        },
    )


def equivalent(rule: EquivalentToBaseline, entry: Comparison, alpha: float) -> Check:
    """|difference| < margin, by the rule that gives the verdict ``equivalent``."""
    number, margin = _difference(rule.kind, entry), rule.margin or entry.margin
    early = _before_difference(number, entry, margin)
    if early is not None:
        return early
    assert margin is not None
    assert number.value is not None
    assert number.evidence is not None
    made = decide(number.value, entry.se, entry.df, margin, alpha, evidence=number.evidence)
    low, high = number.evidence.lower(alpha), number.evidence.upper(alpha)
    return number.check(
        alpha,
        margin,
        passes=made.verdict == "equivalent",
        p_fail=p_within(number.evidence, -margin, margin),
        words={
            "PASS": f"{_between(low, high)} keeps within ±{show(margin)}",
            "FAIL": f"the difference is shown to exceed ±{show(margin)}",
            "INCONCLUSIVE": f"{_between(low, high)} does not keep within ±{show(margin)}",
        },
    )


def min_items(rule: MinItems, entry: Estimate | Comparison) -> Check:
    """N ≥ minimum: a count, so there is nothing to test."""
    enough = entry.n >= rule.minimum
    reason = f"{entry.n} items, {'at least' if enough else 'fewer than'} {rule.minimum}"
    return settled(
        rule.kind, selector_of(entry), "PASS" if enough else "FAIL", reason,
        value=entry.n, bound=rule.minimum, n=entry.n,
    )  # fmt: skip


def min_capability(rule: MinCapability, entry: Estimate, alpha: float) -> Check:
    """Capability > minimum, by default its chance level."""
    minimum = entry.chance if rule.minimum is None else rule.minimum
    selector = selector_of(entry)
    if minimum is None:
        reason = f"{entry.name} records no chance level; give the rule a 'minimum'"
        return settled(rule.kind, selector, "NOT_RUN", reason, value=entry.value, n=entry.n)
    number = _own(rule.kind, entry)
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
            "PASS": f"at least {low}, above {name}",
            "FAIL": f"shown to lie below {name}",
            "INCONCLUSIVE": f"may be as low as {low}, not above {name}",
        },
    )


def p_within(evidence: Evidence, low: float, high: float) -> float:
    """P-value of low ≤ θ ≤ high (Hodges and Lehmann 1954).

    At θ = high a value as far out is found on either side: beyond ``high``, or as far beyond
    ``low``, and both count. With low = high it is the two-sided test.
    """
    above = evidence.p_at_most(high) + evidence.p_at_most(low)
    below = evidence.p_at_least(low) + evidence.p_at_least(high)
    return min(1.0, above, below)


def show(value: float) -> str:
    """Write a number as policies do: a fraction of up to four decimals."""
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text.replace("-", "−")


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
    if entry.ideal is None or (not asked and difference.lower(alpha) > -margin):
        # Without a limit of its own, a candidate shown to be where the baseline was may stay.
        return _OtherSide(kept=True)
    limit = rule.max_deviation if rule.max_deviation is not None else margin
    where = f"past the ideal {show(entry.ideal)} on the other side by more than {show(limit)}"
    own = candidate_evidence(entry)
    if own is None:
        return _OtherSide(kept=False, where=f"{where}: its own value has no interval")
    beyond = entry.ideal - entry.direction * limit
    if entry.direction > 0:
        kept, p_fail = own.lower(alpha) > beyond, own.p_at_least(beyond)
    else:
        kept, p_fail = own.upper(alpha) < beyond, own.p_at_most(beyond)
    hint = "" if asked else "; 'max_deviation' says how far it may"
    said: dict[GateDecision, str] = {"PASS": f", and not {where}"}
    return _OtherSide(kept, where + hint, p_fail if asked else None, said)


def _before_difference(number: Number, entry: Comparison, margin: float | None) -> Check | None:
    """Settle what needs no bound: the same model, no margin, no evidence."""
    if entry.verdict == "identical":
        reason = "candidate and baseline are the same model: the difference is exactly 0"
        return settled(
            number.rule, number.selector, "PASS", reason, value=0.0, bound=margin, n=entry.n
        )
    undecided = number.undecided(margin)
    if undecided is None and margin is None:
        reason = f"{entry.name} declares no margin; give the rule a 'margin'"
        return settled(number.rule, number.selector, "NOT_RUN", reason, value=number.value)
    if margin is not None:
        _refuse_vacuous(number, "margin", margin, vacuous=margin >= 1)
    return undecided


def _own_number(rule: str, entry: Estimate | Comparison, result: Result) -> Number:
    if isinstance(entry, Estimate):
        weak = incapable(entry, result) if isinstance(result, AuditResult) else None
        return _own(rule, entry, doubt=weak)
    return Number(
        rule,
        selector_of(entry),
        entry.value_candidate,
        entry.n,
        entry.candidate_interval,
        candidate_evidence(entry),
        _doubt_of(entry, entry.candidate_interval),
        entry.n_discordant is not None,
    )


def _own(rule: str, entry: Estimate, doubt: str | None = None) -> Number:
    reason = None if entry.value is not None and entry.interval is not None else entry.reason
    return Number(
        rule,
        selector_of(entry),
        entry.value,
        entry.n,
        entry.interval,
        estimate_evidence(entry),
        reason or doubt,
        entry.range == (0.0, 1.0),
    )


def _difference(rule: str, entry: Comparison) -> Number:
    return Number(
        rule,
        selector_of(entry),
        entry.difference,
        entry.n,
        entry.interval,
        comparison_evidence(entry),
        _doubt_of(entry, entry.interval),
        entry.n_discordant is not None,
    )


def _doubt_of(entry: Comparison, interval: Interval | None) -> str | None:
    if entry.verdict == "not_interpretable":
        return "a model is not shown to be above chance, so its bias cannot be read"
    return entry.reason if interval is None else None


def _refuse_vacuous(number: Number, key: str, limit: float, *, vacuous: bool) -> None:
    """Refuse a limit that no rate can exceed: it would pass everything."""
    if number.is_rate and vacuous:
        percent = f", so write {show(limit / 100)} for {show(limit)} points" if limit >= 1 else ""
        raise UsageError(
            f"{number.rule}: no rate exceeds {key} = {show(limit)} ({number.selector}); limits are "
            f"fractions{percent}"
        )


def _between(low: float, high: float) -> str:
    return f"[{show(low)}, {show(high)}]"
