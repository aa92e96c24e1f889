"""What a report of a comparison shows, in order, cut from one result."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from fairaudit.report.grouping import anchor, grouped
from fairaudit.report.names import METRICS, axis_name, suite_name, variant
from fairaudit.results import Change, Comparison, ComparisonResult, NotCompared
from fairaudit.vocabulary.cautions import DISTANCE_UNKNOWN, NOT_MOVED, SINGLE_SEED
from fairaudit.vocabulary.suites import PROBE

Key = tuple[str, str, str, str | None, str]
#: Cautions about a model as a whole: said once where they hold for all of it.
_OF_THE_MODEL: Final = (NOT_MOVED.name, DISTANCE_UNKNOWN.name, SINGLE_SEED.name)
_AXES_FIRST: Final = ("gender", "race", "religion")
_KINDS: Final = ("distance", "capability", "composite")
#: Exploratory rows of a page; beyond them single groups stand in ``result.json`` only.
_MAX_ROWS: Final = 1200


@dataclass(frozen=True, slots=True)
class Block:
    """Exploratory comparisons of one protocol, by axis."""

    protocol: str
    axes: tuple[tuple[Comparison, ...], ...]

    @property
    def size(self) -> int:
        """Number of comparisons."""
        return sum(len(axis) for axis in self.axes)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Everything about one candidate: verdicts by axis and by protocol, and what stands beside.

    ``rest`` is everything exploratory, ``exploratory`` the part of it that a page shows.
    """

    name: str
    anchor: str
    axes: tuple[tuple[Comparison, ...], ...]
    protocols: tuple[tuple[Comparison, ...], ...]
    exploratory: tuple[Block, ...]
    rest: tuple[Comparison, ...]
    n_left_out: int
    changes: tuple[Change, ...]

    @property
    def primary(self) -> tuple[Comparison, ...]:
        """Comparisons that carry verdicts, by axis."""
        return tuple(found for axis in self.axes for found in axis)

    @property
    def cautions(self) -> tuple[str, ...]:
        """Cautions that hold for every verdict of this candidate."""
        judged = [found for found in self.primary if found.verdict is not None]
        return tuple(
            name
            for name in _OF_THE_MODEL
            if judged and all(name in found.cautions for found in judged)
        )

    @property
    def beside(self) -> tuple[Change, ...]:
        """Changes to read with the verdicts: distances, then capabilities, then composites.

        Of the protocols that verdicts rest on, and the probe text; pooled, or by axis where
        nothing is pooled.
        """
        judged = {found.protocol for found in self.primary}
        whole = [one for one in self.changes if one.group is None]
        near = [one for one in whole if one.protocol in judged or one.suite == PROBE.name]
        pooled = {(one.protocol, one.name) for one in near if one.axis == "all"}
        shown = [one for one in near if one.axis == "all" or (one.protocol, one.name) not in pooled]
        return tuple(one for kind in _KINDS for one in shown if one.kind == kind)

    def own_cautions(self, found: Comparison) -> tuple[str, ...]:
        """Cautions of one comparison beyond those of its candidate."""
        return tuple(name for name in found.cautions if name not in self.cautions)


@dataclass(frozen=True, slots=True)
class MatrixRow:
    """One protocol and axis, with the comparison of each candidate (None: there is none)."""

    first: Comparison
    cells: tuple[Comparison | None, ...]


@dataclass(frozen=True, slots=True)
class Gap:
    """What could not be compared, of whom (empty: of every candidate), and why."""

    what: str
    #: The same in words, without ids.
    named: str
    candidates: tuple[str, ...]
    reason: str
    #: None: a whole suite or protocol.
    axis: str | None
    #: Whether the whole axis is missing, not only a group or a number.
    whole_axis: bool


def primary(result: ComparisonResult) -> tuple[Comparison, ...]:
    """Comparisons that carry verdicts, in the order of the result."""
    return tuple(found for found in result.comparisons if found.primary)


def candidates(result: ComparisonResult) -> tuple[Candidate, ...]:
    """Return the candidates, each with its part of the result."""
    taken: set[str] = set()
    crowded = len(result.comparisons) - len(primary(result)) > _MAX_ROWS
    return tuple(
        _candidate(result, name, anchor(f"candidate {name}", taken), crowded=crowded)
        for name in result.candidates
    )


def anchors(result: ComparisonResult) -> dict[Key, str]:
    """Return a stable, unique HTML id for each comparison that carries a verdict."""
    taken: set[str] = set()
    places = {name: place for place, name in enumerate(result.candidates)}
    return {
        found.key: anchor(
            f"c{places.get(found.candidate, 0) + 1} {found.protocol} {found.axis} {found.name}",
            taken,
        )
        for found in primary(result)
    }


def matrix(result: ComparisonResult) -> tuple[MatrixRow, ...]:
    """One row per protocol and axis, one cell per candidate; axes in the order of the page."""
    rows = grouped(_by_axis(primary(result)), lambda found: found.key[1:])
    return tuple(_matrix_row(result, found) for found in rows.values())


def gaps(result: ComparisonResult) -> tuple[Gap, ...]:
    """Return what could not be compared, the same trouble of several candidates once."""
    found: dict[tuple[str, str], list[NotCompared]] = {}
    for entry in result.not_compared:
        found.setdefault((entry.what, entry.reason), []).append(entry)
    return tuple(
        Gap(
            what,
            _named(alike[0]),
            _whom([one.candidate for one in alike], result.candidates),
            reason,
            alike[0].axis,
            alike[0].axis is not None and alike[0].group is None and alike[0].metric is None,
        )
        for (what, reason), alike in found.items()
    )


def protocols(result: ComparisonResult) -> tuple[tuple[Comparison, ...], ...]:
    """One entry per protocol, holding one comparison of each metric that it was asked for."""
    in_order = grouped(result.comparisons, lambda found: found.suite).values()
    asked = (one for found in in_order for one in found)
    by_protocol = grouped(asked, lambda found: found.protocol)
    return tuple(tuple({one.name: one for one in found}.values()) for found in by_protocol.values())


def _candidate(result: ComparisonResult, name: str, place: str, *, crowded: bool) -> Candidate:
    own = [found for found in result.comparisons if found.candidate == name]
    first = _by_axis(found for found in own if found.primary)
    rest = [found for found in own if not found.primary]
    shown = [found for found in rest if found.group is None or not crowded]
    return Candidate(
        name,
        place,
        _grouped(first, by_protocol=False),
        _grouped(first, by_protocol=True),
        tuple(
            Block(protocol, _grouped(found, by_protocol=False))
            for protocol, found in grouped(shown, lambda one: one.protocol).items()
        ),
        tuple(rest),
        len(rest) - len(shown),
        tuple(change for change in result.changes if change.candidate == name),
    )


def _grouped(
    found: Iterable[Comparison], *, by_protocol: bool
) -> tuple[tuple[Comparison, ...], ...]:
    groups = grouped(found, lambda one: one.protocol if by_protocol else one.axis)
    return tuple(tuple(group) for group in groups.values())


def _by_axis(found: Iterable[Comparison]) -> list[Comparison]:
    """Sort by axis: those that more suites speak about first, then the main axes."""
    by_axis = grouped(found, lambda one: one.axis)
    order = {axis: place for place, axis in enumerate(_AXES_FIRST)}
    axes = sorted(
        by_axis,
        key=lambda axis: (
            -len({one.protocol for one in by_axis[axis]}),
            order.get(axis, len(order)),
        ),
    )
    return [one for axis in axes for one in by_axis[axis]]


def _matrix_row(result: ComparisonResult, found: list[Comparison]) -> MatrixRow:
    by_candidate = {one.candidate: one for one in found}
    return MatrixRow(found[0], tuple(by_candidate.get(name) for name in result.candidates))


def _named(found: NotCompared) -> str:
    """Return what is missing in words: ``BOLD, group-words: race, largest gap``."""
    if found.suite is None:
        return suite_name(found.what)
    protocol = None if found.protocol is None else variant(found.protocol)
    place = ", ".join(filter(None, (suite_name(found.suite), protocol)))
    metric = None if found.metric is None else _metric(found.metric)
    axis = None if found.axis is None else axis_name(found.axis).lower()
    inner = ", ".join(filter(None, (axis, found.group, metric)))
    return f"{place}: {inner}" if inner else place


def _metric(name: str) -> str:
    known = METRICS.get(name)
    return name.replace("_", " ") if known is None else known.label.lower()


def _whom(names: list[str], candidates: tuple[str, ...]) -> tuple[str, ...]:
    named = tuple(name for name in names if name)
    return () if len(named) == len(candidates) else named
