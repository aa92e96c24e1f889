"""Figures of one audit for papers and slides: the same estimates as in the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.report.audit import textgroups
from fairaudit.report.audit.groupmap import group_map
from fairaudit.report.audit.reading import mark_of
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.draw import Plot, PlotRow, draw
from fairaudit.report.grouping import grouped
from fairaudit.report.names import Unit, axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.words import bare, interval_of, with_interval
from fairaudit.results import AuditResult, Estimate
from fairaudit.vocabulary.metrics import MEAN_LOG_ODDS, PREFERENCES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Every figure that an audit may have.
STEMS: Final = ("preference", "log_odds", "texts", "capability", "groups")

_RATES: Final = frozenset(one.name for one in PREFERENCES)


def drawers(result: AuditResult) -> dict[str, Callable[[], Figure]]:
    """Return how to draw each figure of one audit, by stem.

    Returns
    -------
    dict of str to callable
        ``preference``, ``log_odds``, ``texts``, ``capability``, ``groups``; each only if there is
        something to draw.
    """
    wanted: dict[str, tuple[str, Callable[[AuditResult], list[Plot]]]] = {
        "preference": (
            "How often the stereotyped text is preferred: primary estimates",
            _preference,
        ),
        "log_odds": ("By how much the stereotyped text is preferred, in nats", _log_odds),
        "texts": ("What the model writes, by group", textgroups.plots),
        "capability": ("Capability", _capability),
    }
    found: dict[str, Callable[[], Figure]] = {}
    for stem, (title, plots_of) in wanted.items():
        plots = plots_of(result)
        if plots:
            found[stem] = partial(draw, plots, title, shorten(result.label, 60))
    groups = group_map(result)
    return found if groups is None else {**found, "groups": groups}


def _preference(result: AuditResult) -> list[Plot]:
    """Return one plot per protocol, of the rates that verdicts rest on."""
    shown = [found for found in primary_bias(result) if found.name in _RATES and _is_whole(found)]
    return _by_protocol(shown, shared=True)


def _log_odds(result: AuditResult) -> list[Plot]:
    """Return one plot per protocol, each with its own axis: sizes do not compare across."""
    shown = [found for found in result.estimates if found.name == MEAN_LOG_ODDS.name]
    return _by_protocol([found for found in shown if _is_whole(found)], shared=False)


def _capability(result: AuditResult) -> list[Plot]:
    shown = [found for found in result.estimates if found.kind == "capability"]
    by_name = grouped([found for found in shown if _is_whole(found)], lambda found: found.name)
    return [
        _plot(metric_of(found[0]).label, found, _place, alike=found) for found in by_name.values()
    ]


def _by_protocol(shown: list[Estimate], *, shared: bool) -> list[Plot]:
    return [
        _plot(
            f"{shorten(suite_name(found[0].suite), 40)}, {shorten(variant(protocol), 40)}",
            found,
            lambda one: axis_name(one.axis),
            alike=shown if shared else found,
        )
        for protocol, found in grouped(shown, lambda one: one.protocol).items()
    ]


def _plot(
    title: str,
    shown: Sequence[Estimate],
    label: Callable[[Estimate], str],
    *,
    alike: Sequence[Estimate],
) -> Plot:
    rows = tuple(PlotRow(label(one), mark_of(one), _value(one)) for one in shown)
    return Plot(title, rows, tuple(map(mark_of, alike)))


def _value(found: Estimate) -> str:
    """Return value and interval; nats stand in the title."""
    if metric_of(found).unit is not Unit.SIGNED_NATS:
        return with_interval(found)
    return bare(found) + (f" {interval_of(found)}" if found.interval else "")


def _place(found: Estimate) -> str:
    place = f"{suite_name(found.suite)}, {variant(found.protocol)}"
    return place if found.axis == "all" else f"{place}, {axis_name(found.axis).lower()}"


def _is_whole(found: Estimate) -> bool:
    return found.group is None and found.value is not None
