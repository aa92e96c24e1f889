"""A check: one rule applied to one stored number, and what must be known to decide it.

A rule on an upper limit passes when the one-sided 1 − α bound of the number lies below the limit,
and fails when a test of "not above the limit" rejects; a lower limit is the mirror image. All rules
must pass for a policy to pass, so no bound that passes needs correction (an intersection-union
test); the tests that fail a rule are corrected over the policy's family, which is why a check hands
out its p-value and is settled only when all of them are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from fairaudit.errors import UsageError
from fairaudit.gating.gate_selection import Result, incapable, selector_of
from fairaudit.results.audit import AuditResult
from fairaudit.results.comparison import Comparison
from fairaudit.results.gate import GateDecision
from fairaudit.results.stored_evidence import (
    candidate_evidence,
    comparison_evidence,
    estimate_evidence,
)
from fairaudit.results.types import Estimate, Interval
from fairaudit.stats.evidence import Evidence
from fairaudit.stats.unseen import limiting
from fairaudit.vocabulary.decisions import INCONCLUSIVE
from fairaudit.vocabulary.metrics import METRICS
from fairaudit.vocabulary.verdicts import Verdict

NO_INTERVAL: Final = "there is no interval, so nothing bounds it"
Range = tuple[float | None, float | None]


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
    refused : bool
        As in `RuleResult`.
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
    refused: bool = False


def settled(
    rule: str,
    selector: str,
    decision: GateDecision,
    reason: str,
    *,
    value: float | None = None,
    bound: float | None = None,
    n: int | None = None,
    refused: bool = False,
) -> Check:
    """Return a check whose decision needs no test."""
    return Check(
        rule, selector, {decision: reason}, value=value, bound=bound, n=n, settled=decision,
        refused=refused,
    )  # fmt: skip


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
    #: Between which values the number lies, by the definition of its metric.
    range: Range = (None, None)

    def undecided(self, bound: float | None) -> Check | None:
        """Return the check of a number that cannot be judged; None if it can."""
        reason = self.doubt or (NO_INTERVAL if self.evidence is None else None)
        if reason is None:
            return None
        return settled(
            self.rule, self.selector, INCONCLUSIVE, reason,
            value=self.value, bound=bound, n=self.n,
        )  # fmt: skip

    def within(self, alpha: float) -> tuple[float, float]:
        """Return the bounds between which the number is said to keep, each at ``alpha``."""
        assert self.evidence is not None
        evidence = limiting(self.evidence)
        return evidence.lower(alpha), evidence.upper(alpha)

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
        assert self.interval is not None
        low, high = self.within(alpha)
        bounds = self.interval.model_copy(update={"low": low, "high": high, "level": 1 - 2 * alpha})
        return Check(
            self.rule, self.selector, words, value=self.value, bound=bound, interval=bounds,
            n=self.n, passes=passes, p_fail=min(1.0, p_fail),
        )  # fmt: skip


def own_number(rule: str, entry: Estimate | Comparison, result: Result) -> Number:
    """Return the value of a model by itself, or of a candidate on the items it shares."""
    if isinstance(entry, Estimate):
        weak = incapable(entry, result) if isinstance(result, AuditResult) else None
        return own_value(rule, entry, doubt=weak)
    return Number(
        rule,
        selector_of(entry),
        entry.value_candidate,
        entry.n,
        entry.candidate_interval,
        candidate_evidence(entry),
        _doubt_of(entry, entry.candidate_interval),
        range_of(entry),
    )


def own_value(rule: str, entry: Estimate, doubt: str | None = None) -> Number:
    """Return the value of an estimate, which ``doubt`` may keep from being judged."""
    reason = None if entry.value is not None and entry.interval is not None else entry.reason
    return Number(
        rule,
        selector_of(entry),
        entry.value,
        entry.n,
        entry.interval,
        estimate_evidence(entry),
        reason or doubt,
        entry.range,
    )


def difference_of(rule: str, entry: Comparison) -> Number:
    """Return the difference of candidate and baseline, above 0 where more stereotyped."""
    low, high = range_of(entry)
    width = None if low is None or high is None else high - low
    return Number(
        rule,
        selector_of(entry),
        entry.difference,
        entry.n,
        entry.interval,
        comparison_evidence(entry),
        _doubt_of(entry, entry.interval),
        (None, None) if width is None else (-width, width),
    )


def range_of(entry: Comparison) -> Range:
    """Return the values between which a metric lies; items that prefer one text give a rate."""
    rate = (0.0, 1.0) if entry.n_discordant is not None else (None, None)
    known = METRICS.get(entry.name)
    return known.range if known is not None and known.width is not None else rate


def _doubt_of(entry: Comparison, interval: Interval | None) -> str | None:
    if entry.verdict == Verdict.NOT_INTERPRETABLE:
        return "a model is not shown to be above chance, so its bias cannot be read"
    return entry.reason if interval is None else None


def refuse_vacuous(number: Number, key: str, limit: float, low: float, high: float) -> None:
    """Refuse a limit that allows all that a value can be, which is to say everything."""
    lowest, highest = number.range
    if lowest is None or highest is None or lowest < low or high < highest:
        return
    percent = f", so write {show(limit / 100)} for {show(limit)} points" if limit >= 1 else ""
    raise UsageError(
        f"{number.rule}: no value exceeds {key} = {show(limit)} ({number.selector}, from "
        f"{show(lowest)} to {show(highest)}); limits are fractions{percent}"
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
