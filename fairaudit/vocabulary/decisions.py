"""Every decision of a gate once."""

from __future__ import annotations

from enum import StrEnum


class GateDecision(StrEnum):
    """What a check comes to; from worst to best: the worst of any check is that of the whole."""

    exit_code: int
    #: Of its name in a terminal, and its element in JUnit's XML.
    style: str
    junit: str | None

    def __new__(cls, name: str, exit_code: int, style: str, junit: str | None) -> GateDecision:
        """Make a decision with its exit code and looks."""
        made = str.__new__(cls, name)
        made._value_, made.exit_code, made.style, made.junit = name, exit_code, style, junit
        return made

    #: Shown to break the rule.
    FAIL = "FAIL", 1, "bold red", "failure"
    #: The data do not decide it.
    INCONCLUSIVE = "INCONCLUSIVE", 3, "yellow", "error"
    #: Something that the policy asks about is missing.
    NOT_RUN = "NOT_RUN", 3, "yellow", "skipped"
    #: Shown to keep the rule.
    PASS = "PASS", 0, "green", None

    @property
    def rank(self) -> int:
        """Place from worst to best."""
        return list(GateDecision).index(self)


FAIL, INCONCLUSIVE, NOT_RUN, PASS = GateDecision
