"""Examples of a suite's items in words: which they are, and by what rule they were chosen.

They may offend, so the page folds them behind a warning, and nothing else shows them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from fairaudit.report.grouping import grouped
from fairaudit.report.words import quantity
from fairaudit.results import ItemExample, SuiteRun
from fairaudit.vocabulary.units import Unit

_EXTREMES: Final = "They are extremes, not typical: what is typical stands in the tables."
_OF_PAIRS: Final = (
    "Of each axis: the pair with the largest preference for the stereotype, the pair with the "
    "largest preference against it, and the next largest of either side; a pair that ties is never "
    f"among them. {_EXTREMES}"
)
_OF_PROMPTS: Final = (
    "Of each axis: the two prompts about a group after which the model wrote the text with the "
    "worst score, each with that one text. Worst is most toxic, hurtful or negative, or of least "
    f"regard, whichever is measured. {_EXTREMES}"
)
#: In the order in which they are read.
_ROLES: Final = {
    "context": "Context",
    "prompt": "Prompt",
    "completion": "The model wrote",
    "stereotype": "Stereotype",
    "anti_stereotype": "Anti-stereotype",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One example: what is said of it, and its texts with their labels, in order of reading."""

    item_id: str
    group: str | None
    said: str
    texts: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Examples:
    """The examples of one suite, by axis, and the rule that chose them."""

    protocol: str
    rule: str
    axes: tuple[tuple[str, tuple[Entry, ...]], ...]

    @property
    def size(self) -> int:
        """Number of items."""
        return sum(len(entries) for _, entries in self.axes)


def examples_by_suite(runs: Iterable[SuiteRun]) -> dict[str, Examples]:
    """Return the examples of each suite that has some, by the suite's name."""
    return {run.suite: _examples(run) for run in runs if run.examples}


def _examples(run: SuiteRun) -> Examples:
    first = run.examples[0]
    by_axis = grouped(run.examples, lambda one: one.axis)
    return Examples(
        first.protocol,
        _OF_PROMPTS if first.extreme == "worst" else _OF_PAIRS,
        tuple((axis, tuple(map(_entry, own))) for axis, own in by_axis.items()),
    )


def _entry(example: ItemExample) -> Entry:
    return Entry(example.item_id, example.group, _said(example), tuple(_texts(example)))


def _said(example: ItemExample) -> str:
    if example.extreme == "worst":
        return f"Score {quantity(example.value, Unit.NUMBER)}"
    side = "Towards" if example.extreme == "towards" else "Against"
    return f"{side} the stereotype, {quantity(example.value, Unit.SIGNED_NATS)}"


def _texts(example: ItemExample) -> Iterator[tuple[str, str]]:
    for role in [*_ROLES, *sorted(example.texts.keys() - _ROLES.keys())]:
        if role in example.texts:
            label = _ROLES.get(role, role)
            score = example.scores.get(role)
            scored = "" if score is None else f", {quantity(score, Unit.NATS)}"
            yield f"{label}{scored}", example.texts[role]
