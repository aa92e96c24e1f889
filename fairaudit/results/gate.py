"""`GateResult`: the decision of a policy, rule by rule."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Literal

from pydantic import Field

from fairaudit.results.display import Shown
from fairaudit.results.stored import Stored
from fairaudit.results.types import Frozen, Interval
from fairaudit.vocabulary.decisions import GateDecision as GateDecision

GATE_SCHEMA: Literal["fairaudit/gate"] = "fairaudit/gate"
GATE_SCHEMA_VERSION = 1


class RuleResult(Frozen):
    """One rule applied to one number, or to nothing at all.

    Attributes
    ----------
    rule : str
        Kind of rule, such as ``max_increase_vs_baseline``.
    selector : str
        What it was applied to: ``protocol | axis | group | name``, or the globs that found
        nothing; in a comparison followed by the candidate.
    decision : GateDecision
        ``pass``, ``fail``, ``inconclusive`` or ``not_run``.
    value : float or None
        The number that the rule is about.
    bound : float or None
        The limit that the rule sets.
    interval : Interval or None
        The one-sided 1 − α bounds on both sides, as one interval of level 1 − 2α.
    n : int or None
        Items that it rests on.
    p_adjusted : float or None
        Test of "the limit is kept", corrected in the policy's family: FAIL where it is ≤ α.
    reason : str
        The decision in words; always said, also for PASS.
    refused : bool
        The comparison itself is at fault (sides swapped, items lost, other settings), so no pass
        was possible. Not forgiven by ``allow_inconclusive``.
    """

    rule: str
    selector: str
    decision: GateDecision
    value: float | None = None
    bound: float | None = None
    interval: Interval | None = None
    n: int | None = None
    p_adjusted: float | None = None
    reason: str
    refused: bool = False


class GateResult(Shown, Stored):
    """The decision of a whole policy: the worst of its rules, and never a pass by default.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    decision : GateDecision
        The decision of all rules together.
    exit_code : int
        0 PASS, 1 FAIL, 3 INCONCLUSIVE or NOT_RUN (0 with ``--allow-inconclusive``).
    policy_hash : str
        SHA-256 of the policy as read, in canonical form.
    rules : tuple of RuleResult
        What each rule found, in the order of the policy.
    """

    _file: ClassVar[str] = "gate.json"

    schema_: Literal["fairaudit/gate"] = Field(default=GATE_SCHEMA, alias="schema")
    schema_version: int = GATE_SCHEMA_VERSION
    decision: GateDecision
    exit_code: int
    policy_hash: str
    rules: tuple[RuleResult, ...]

    @property
    def counts(self) -> dict[GateDecision, int]:
        """How many checks came to each decision, the worst first."""
        found = Counter(rule.decision for rule in self.rules)
        return {decision: found[decision] for decision in GateDecision if found[decision]}

    def explain(self) -> str:
        """Return the decision in words, with a line for every check that does not pass."""
        total = ", ".join(f"{count} {decision}" for decision, count in self.counts.items())
        lines = [f"{self.decision} ({total})"]
        lines += [
            f"{rule.decision} {rule.rule} {rule.selector}: {rule.reason}"
            for rule in self.rules
            if rule.decision != GateDecision.PASS
        ]
        return "\n".join(lines)
