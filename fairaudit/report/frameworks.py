"""What each suite is evidence for: the tags that suites declare, framework by framework.

Evidence, and nothing more: whether a duty is met is for people to judge, never for a table.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fairaudit.results import SuiteRun
from fairaudit.vocabulary.suites import FRAMEWORKS

INTRO: Final = (
    "What the suites are evidence for, as each declares. Evidence is not fulfilment: whether "
    "a duty is met is for people to judge, who also need what no benchmark measures."
)
#: Regulation (EU) 2024/1689, recital 109: duties after a fine-tuning concern what it changed.
MODIFICATION: Final = (
    "Where a model was fine-tuned, the duties of the EU AI Act concern the modification (recital "
    "109): the difference from the base model is the evidence, not the model's value by itself."
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """One tag: what its framework asks for, and which suites speak to it."""

    tag: str
    #: What is asked for, in our words; empty for a framework that we do not know.
    asks: str
    ran: tuple[str, ...]
    #: Suites that would speak to it and did not run.
    missing: tuple[str, ...]


def evidence(runs: Iterable[SuiteRun]) -> tuple[Evidence, ...]:
    """Return the tags that suites declare, each with its suites, sorted by name."""
    listed = list(runs)
    tags = sorted({tag for run in listed for tag in run.evidence}, key=_in_order)
    return tuple(
        Evidence(
            tag,
            asked_by(tag),
            tuple(run.suite for run in listed if tag in run.evidence and run.status == "run"),
            tuple(run.suite for run in listed if tag in run.evidence and run.status != "run"),
        )
        for tag in tags
    )


def asked_by(tag: str) -> str:
    """Return what the framework of a tag asks for, or an empty text."""
    return FRAMEWORKS.get(tag, "")


def _in_order(tag: str) -> list[tuple[bool, int, str]]:
    """Sort numbers as numbers: 2.2 before 2.11."""
    parts = re.split(r"(\d+)", tag)
    return [(part.isdigit(), int(part) if part.isdigit() else 0, part) for part in parts]
