"""What could not be compared of two audits: named as far as it reaches, with the reason.

A gap without a protocol is a whole suite, one without an axis a whole protocol, and so on.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.comparing.joining import Joined
from fairaudit.metrics.sample_estimates import Measurement
from fairaudit.results import Estimate, NotCompared

_Key = tuple[str, str, str | None, str]

_NOTHING: Final = "the audits have no scored item in common"
_NO_NUMBER: Final = "the items in common give no number on this axis"


@dataclass(frozen=True, slots=True)
class Missing:
    """Collects what one suite of two audits holds and no comparison speaks of.

    Parameters
    ----------
    candidate : str
        The candidate's label.
    joined : Joined
        The suite.
    found : sequence of pairs of Measurement
        What was compared.
    """

    candidate: str
    joined: Joined
    found: Sequence[tuple[Measurement, Measurement]]

    def gaps(
        self, baseline: Sequence[Estimate], candidate: Sequence[Estimate]
    ) -> Iterator[NotCompared]:
        """Name each gap, given all estimates of both audits."""
        compared = {(one.where.protocol, one.where.axis) for one, _ in self.found}
        protocols = {protocol for protocol, _ in compared}
        if not self.found:
            yield self._gap(_NOTHING if self.joined.baseline.empty else "no measurement in common")
        ours, theirs = self.joined.protocols
        for protocol in sorted((ours & theirs) - protocols) if self.found else ():
            yield self._gap("no measurement in common", protocol)
        yield from self._axes(compared)
        yield from self._one_sided(_values(baseline, protocols), _values(candidate, protocols))

    def _axes(self, compared: Collection[tuple[str, str]]) -> Iterator[NotCompared]:
        """Name the axes of common protocols on which nothing was compared."""
        ours, theirs = self.joined.protocols
        protocols = {protocol for protocol, _ in compared}
        common = self.joined.common_places
        for (protocol, axis), (first, second) in sorted(self.joined.axes.items()):
            if (protocol, axis) in compared or protocol in ours ^ theirs:
                continue
            if first != second:
                yield self._gap(f"only the {_side(first)} was scored on this axis", protocol, axis)
            elif not first:
                yield self._gap("neither audit has a scored item on this axis", protocol, axis)
            elif protocol in protocols:
                reason = _NO_NUMBER if (protocol, axis) in common else _NOTHING
                yield self._gap(reason, protocol, axis)

    def _one_sided(
        self, ours: dict[_Key, Estimate], theirs: dict[_Key, Estimate]
    ) -> Iterator[NotCompared]:
        """Name groups and metrics that one audit lacks on an axis that was compared."""
        names = {(*_place(one), one.metric.name) for one, _ in self.found}
        compared = {name[:2] for name in names}
        groups = {key[:3] for key in ours} & {key[:3] for key in theirs}
        gaps: dict[tuple[str | None, ...], NotCompared] = {}
        for key in sorted(ours.keys() ^ theirs.keys(), key=str):
            protocol, axis, group, name = key
            if key in names or (protocol, axis) not in compared:
                continue
            only = f"only the {_side(key in ours)}"
            whole = group is not None and key[:3] not in groups
            reason = f"{only} was scored on this group" if whole else f"{only} has this number"
            reach = (protocol, axis, group, None if whole else name)
            gaps.setdefault(reach, self._gap(reason, *reach))
        yield from gaps.values()

    def _gap(
        self,
        reason: str,
        protocol: str | None = None,
        axis: str | None = None,
        group: str | None = None,
        metric: str | None = None,
    ) -> NotCompared:
        return NotCompared.of(
            self.candidate,
            self.joined.suite,
            reason,
            protocol=protocol,
            axis=axis,
            group=group,
            metric=metric,
        )


def _values(estimates: Sequence[Estimate], protocols: Collection[str]) -> dict[_Key, Estimate]:
    return {
        one.key: one for one in estimates if one.protocol in protocols and one.value is not None
    }


def _place(measurement: Measurement) -> tuple[str, str, str | None]:
    where = measurement.where
    return where.protocol, where.axis, where.group


def _side(baseline: bool) -> str:
    return "baseline" if baseline else "candidate"
