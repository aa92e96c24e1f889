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
    """One rule applied to one number, or to nothing at all."""

    #: Kind of rule, such as ``max_increase_vs_baseline``.
    rule: str
    #: What it was applied to: ``protocol | axis | group | name``, or the globs that found nothing;
    #: in a comparison followed by the candidate.
    selector: str
    decision: GateDecision
    value: float | None = None
    #: The limit that the rule sets.
    bound: float | None = None
    #: The one-sided 1 − α bounds on both sides, as one interval of level 1 − 2α.
    interval: Interval | None = None
    n: int | None = None
    #: Test of "the limit is kept", corrected in the policy's family: FAIL where it is ≤ α.
    p_adjusted: float | None = None
    #: The decision in words; always said, also for PASS.
    reason: str


class GateResult(Shown, Stored):
    """The decision of a whole policy: the worst of its rules, and never a pass by default."""

    _file: ClassVar[str] = "gate.json"

    schema_: Literal["fairaudit/gate"] = Field(default=GATE_SCHEMA, alias="schema")
    schema_version: int = GATE_SCHEMA_VERSION
    decision: GateDecision
    #: 0 PASS, 1 FAIL, 3 INCONCLUSIVE or NOT_RUN (0 with ``--allow-inconclusive``).
    exit_code: int
    #: SHA-256 of the policy as read, in canonical form.
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
