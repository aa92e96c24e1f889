"""What a report shows, in order: cards, sections and control pairs, cut from one audit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.report.grouping import anchor, grouped
from fairaudit.results import AuditResult, Estimate, SuiteRun
from fairaudit.vocabulary.metrics import LANGUAGE_MODELING_SCORE, MEAN_LOG_ODDS
from fairaudit.vocabulary.suites import PROBE

#: Shown beside a primary estimate of the same protocol and axis.
_COMPANIONS: Final = (MEAN_LOG_ODDS.name, LANGUAGE_MODELING_SCORE.name)
_AXES_FIRST: Final = ("gender", "race", "religion")

Key = tuple[str, str, str | None, str]


@dataclass(frozen=True, slots=True)
class Card:
    """The primary estimates of one axis, over all suites."""

    axis: str
    estimates: tuple[Estimate, ...]


@dataclass(frozen=True, slots=True)
class PrimaryRow:
    """A primary estimate and what stands beside it, one entry per companion of its section."""

    estimate: Estimate
    companions: tuple[Estimate | None, ...]


@dataclass(frozen=True, slots=True)
class Block:
    """The exploratory estimates of one protocol, by axis."""

    protocol: str
    axes: tuple[tuple[Estimate, ...], ...]

    @property
    def size(self) -> int:
        """Number of estimates."""
        return sum(len(axis) for axis in self.axes)


@dataclass(frozen=True, slots=True)
class Section:
    """One suite: what became of it, and its estimates.

    ``asks`` holds one estimate for each metric that its question rests on.
    """

    name: str
    anchor: str
    run: SuiteRun | None
    companions: tuple[str, ...]
    primary: tuple[PrimaryRow, ...]
    exploratory: tuple[Block, ...]
    asks: tuple[Estimate, ...]
    protocols: tuple[str, ...]

    @property
    def primary_estimates(self) -> tuple[Estimate, ...]:
        """The estimates that verdicts rest on."""
        return tuple(row.estimate for row in self.primary)


def primary_bias(result: AuditResult) -> tuple[Estimate, ...]:
    """Bias estimates that verdicts rest on, in the order of the audit."""
    return tuple(found for found in result.estimates if found.primary and found.kind == "bias")


def cards(result: AuditResult) -> tuple[Card, ...]:
    """One card per axis; axes that more suites speak about come first."""
    by_axis = grouped(primary_bias(result), lambda found: found.axis)
    order = {axis: place for place, axis in enumerate(_AXES_FIRST)}
    found = [Card(axis, tuple(estimates)) for axis, estimates in by_axis.items()]
    found.sort(key=lambda card: (-len(card.estimates), order.get(card.axis, len(order))))
    return tuple(found)


def sections(result: AuditResult) -> tuple[Section, ...]:
    """Return the suites that ran, and estimates of suites that the audit does not list."""
    ran = {run.suite: run for run in result.suites if run.status == "run"}
    names = list(ran) + [e.suite for e in result.estimates if e.suite != PROBE.name]
    taken: set[str] = set()
    return tuple(
        _section(name, anchor(f"suite {name}", taken), ran.get(name), result.estimates)
        for name in dict.fromkeys(names)
    )


def not_run(result: AuditResult) -> tuple[SuiteRun, ...]:
    """Suites that did not run."""
    return tuple(run for run in result.suites if run.status == "not_run")


def controls(result: AuditResult) -> tuple[Block, ...]:
    """Control-pair estimates by protocol and axis."""
    return _blocks(found for found in result.estimates if found.kind == "control")


def anchors(result: AuditResult) -> dict[Key, str]:
    """Return a stable, unique HTML id for each primary bias estimate."""
    taken: set[str] = set()
    return {
        found.key: anchor(f"{found.protocol} {found.axis} {found.name}", taken)
        for found in primary_bias(result)
    }


def _section(name: str, place: str, run: SuiteRun | None, estimates: Sequence[Estimate]) -> Section:
    own = [found for found in estimates if found.suite == name and found.kind != "control"]
    primary = [found for found in own if found.primary and found.kind == "bias"]
    beside = {found.key: found for found in own}
    present = tuple(
        wanted
        for wanted in _COMPANIONS
        if any((one.protocol, one.axis, one.group, wanted) in beside for one in primary)
    )
    rows = tuple(
        PrimaryRow(
            one, tuple(beside.get((one.protocol, one.axis, one.group, other)) for other in present)
        )
        for one in primary
    )
    shown = {one.key for one in primary}
    protocols = (*(run.protocols if run else ()), *(found.protocol for found in own))
    return Section(
        name,
        place,
        run,
        present,
        rows,
        _blocks(found for found in own if found.key not in shown),
        tuple({found.name: found for found in primary or own[:1]}.values()),
        tuple(dict.fromkeys(protocols)),
    )


def _blocks(estimates: Iterable[Estimate]) -> tuple[Block, ...]:
    by_protocol = grouped(estimates, lambda found: found.protocol)
    return tuple(
        Block(
            protocol, tuple(tuple(axis) for axis in grouped(found, lambda one: one.axis).values())
        )
        for protocol, found in by_protocol.items()
    )
