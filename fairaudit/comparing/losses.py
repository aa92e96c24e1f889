"""Items that only one of two audits scored, and what they could have changed.

A model that gives no usable answer to just the items on which it is biased looks better on the
rest. Nothing in the items that are left tells, so the loss is counted on each side, and for rates
the difference is bounded by what would be if every lost item had gone one way or the other
(Manski 2003).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from fairaudit.comparing.joining import Joined
from fairaudit.results import Change, Comparison, Estimate
from fairaudit.results.relations import loss_in_words
from fairaudit.vocabulary.suites import AXIS_NAMES, called

EntryT = TypeVar("EntryT", Comparison, Change)
_Key = tuple[str, str, str | None, str]

#: A smaller share on one side is not worth a note.
NOTED: Final = 0.05


def with_losses(entries: Iterable[EntryT], suite: Joined) -> Iterator[EntryT]:
    """Fill in how many items of a suite only one of the audits scored."""
    for entry in entries:
        lost = suite.n_only(entry.protocol, entry.axis, entry.group)
        counted: dict[str, object] = {"n_only_baseline": lost[0], "n_only_candidate": lost[1]}
        if entry.group is None:
            # A group that is all but gone hides in its axis.
            shares = suite.lost_by_group(entry.protocol, entry.axis)
            worst = max(shares, key=shares.__getitem__, default=None)
            if worst is not None and shares[worst] > 0:
                counted |= {"lost_group": worst, "lost_group_share": shares[worst]}
        yield entry.model_copy(update=counted)


def with_worst_cases(
    entries: Iterable[Comparison], baseline: Sequence[Estimate], candidate: Sequence[Estimate]
) -> Iterator[Comparison]:
    """Fill in the bounds of a difference of rates, whichever way the lost items had gone."""
    ours, theirs = ({one.key: one for one in side} for side in (baseline, candidate))
    for entry in entries:
        yield entry.model_copy(update={"worst_case": _worst_case(entry, ours, theirs)})


def _worst_case(
    entry: Comparison, baseline: Mapping[_Key, Estimate], candidate: Mapping[_Key, Estimate]
) -> tuple[float, float] | None:
    key = (entry.protocol, entry.axis, entry.group, entry.name)
    ours, theirs = baseline.get(key), candidate.get(key)
    is_rate = entry.n_discordant is not None
    if ours is None or theirs is None or not is_rate or not (entry.n_lost and entry.n):
        return None
    if ours.value is None or theirs.value is None:
        return None
    sides = (ours, entry.n_only_baseline), (theirs, entry.n_only_candidate)
    if any(one.n != entry.n + lost for one, lost in sides):
        # The rate is over other units than items: what a lost item weighs is not known.
        return None
    total = entry.n + entry.n_lost
    low_b, high_b = _bounds(ours.value * ours.n, ours.n, total)
    low_c, high_c = _bounds(theirs.value * theirs.n, theirs.n, total)
    low, high = low_c - high_b, high_c - low_b
    return (-high, -low) if entry.direction < 0 else (low, high)


def _bounds(counted: float, n: int, total: int) -> tuple[float, float]:
    """Return the rate over ``total`` items if none, or all, of the unscored ones were counted."""
    return counted / total, (counted + total - n) / total


def loss_notes(entries: Iterable[Comparison]) -> Iterator[str]:
    """Say of primary numbers which lost more than a few of their items on one side."""
    for entry in entries:
        if entry.primary and entry.lost_share > NOTED:
            axis = AXIS_NAMES.get(entry.axis, entry.axis.replace("_", " "))
            where = f"{entry.candidate}: {called(entry.protocol)}, {axis.lower()}"
            yield f"{where}: {loss_in_words(entry)}"
