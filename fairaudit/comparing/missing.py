"""What only one of two audits measured: no comparison speaks of it, so it is named.

A gap is called ``protocol | axis``, ``protocol | axis | group`` or ``protocol | axis | group |
metric`` (``-``: no group), as far as it reaches.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final

from fairaudit.comparing.joining import Joined
from fairaudit.metrics.building import Measurement
from fairaudit.results import Estimate

Gap = tuple[str, str]
_Key = tuple[str, str, str | None, str]

_NOTHING: Final = "the audits have no scored item in common"


def missing(
    joined: Joined,
    found: Sequence[tuple[Measurement, Measurement]],
    baseline: Sequence[Estimate],
    candidate: Sequence[Estimate],
) -> Iterator[Gap]:
    """Name what a suite holds of two audits and no comparison speaks of, with the reason.

    Parameters
    ----------
    joined : Joined
        The suite.
    found : sequence of pairs of Measurement
        What was compared.
    baseline, candidate : sequence of Estimate
        All estimates of both audits.

    Yields
    ------
    tuple of str
        What is missing (a suite, a protocol, or less), and why.
    """
    compared = {(one.where.protocol, one.where.axis) for one, _ in found}
    protocols = {protocol for protocol, _ in compared}
    if not found:
        yield joined.suite, _NOTHING
    ours, theirs = joined.protocols
    for protocol in sorted((ours & theirs) - protocols) if found else ():
        yield protocol, "no measurement in common"
    yield from _axes(joined, compared)
    measured = _values(baseline, protocols), _values(candidate, protocols)
    names = {(*_place(one), one.metric.name) for one, _ in found}
    yield from _one_sided(*measured, compared, names)


def _axes(joined: Joined, compared: Collection[tuple[str, str]]) -> Iterator[Gap]:
    """Name the axes of common protocols on which nothing was compared."""
    ours, theirs = joined.protocols
    protocols = {protocol for protocol, _ in compared}
    for (protocol, axis), (first, second) in sorted(joined.axes.items()):
        if (protocol, axis) in compared or protocol in ours ^ theirs:
            continue
        if first != second:
            yield f"{protocol} | {axis}", f"only the {_side(first)} was scored on this axis"
        elif not first:
            yield f"{protocol} | {axis}", "neither audit has a scored item on this axis"
        elif protocol in protocols:
            yield f"{protocol} | {axis}", _NOTHING


def _one_sided(
    ours: dict[_Key, Estimate],
    theirs: dict[_Key, Estimate],
    compared: Collection[tuple[str, str]],
    names: Collection[_Key],
) -> Iterator[Gap]:
    """Name groups and metrics that one audit lacks on an axis that was compared."""
    groups = {key[:3] for key in ours} & {key[:3] for key in theirs}
    gaps: dict[str, str] = {}
    for key in sorted(ours.keys() ^ theirs.keys(), key=str):
        protocol, axis, group, name = key
        if key in names or (protocol, axis) not in compared:
            continue
        only = f"only the {_side(key in ours)}"
        if (ours.get(key) or theirs[key]).primary:
            # Verdicts on the axis rest on it.
            gaps[f"{protocol} | {axis}"] = f"{only} has its {name}"
        elif group is not None and key[:3] not in groups:
            gaps[f"{protocol} | {axis} | {group}"] = f"{only} was scored on this group"
        else:
            gaps[f"{protocol} | {axis} | {group or '-'} | {name}"] = f"{only} has this number"
    yield from gaps.items()


def _values(estimates: Sequence[Estimate], protocols: Collection[str]) -> dict[_Key, Estimate]:
    return {
        one.key: one for one in estimates if one.protocol in protocols and one.value is not None
    }


def _place(measurement: Measurement) -> tuple[str, str, str | None]:
    where = measurement.where
    return where.protocol, where.axis, where.group


def _side(baseline: bool) -> str:
    return "baseline" if baseline else "candidate"
