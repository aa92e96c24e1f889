"""The heat map of single groups: where, by protocol, the preference rate of a group lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.report.audit.reading import Standing, standing
from fairaudit.report.grouping import grouped
from fairaudit.report.heat import Band, Cell, heat_map
from fairaudit.report.names import axis_name, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.report.words import bare, count, plural
from fairaudit.results import AuditResult, Estimate
from fairaudit.vocabulary.metrics import PREFERENCES

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_RATES: Final = frozenset(one.name for one in PREFERENCES)
#: Rows and columns with room for their words; the others stand in the tables.
_ROWS, _COLUMNS = 40, 4
_FULL: Final = 0.25
_LEGEND: Final = (
    "Preference rate, %: orange leans towards the stereotype, blue away from it; white is 50 %. "
    "Bold: the interval leaves out 50 %. Exploratory, so leads to follow and no findings."
)


def group_map(result: AuditResult) -> Callable[[], Figure] | None:
    """Return how to draw the heat map of an audit, or None if no group has a value."""
    found = [one for one in result.estimates if one.group is not None and _is_rate(one)]
    columns = list(dict.fromkeys(one.protocol for one in found))[:_COLUMNS]
    shown = [one for one in found if one.protocol in columns]
    rows = _most_asked(shown)
    if not rows:
        return None
    kept = [one for one in shown if _row(one) in rows]
    bands = [
        Band(axis_name(axis), _names(own), {_place(one): _cell(one, kept) for one in own})
        for axis, own in grouped(kept, lambda one: one.axis).items()
    ]
    left_out = len({_row(one) for one in found}) - len(rows)
    more = f" Left out: {plural(left_out, 'group')} with fewer items." if left_out else ""
    return partial(
        heat_map,
        bands,
        [_column(protocol) for protocol in columns],
        "Single groups: how often the stereotyped text is preferred",
        f"{shorten(result.label, 60)}. {_LEGEND}{more}",
    )


def _is_rate(found: Estimate) -> bool:
    return found.kind == "bias" and found.name in _RATES and found.value is not None


def _most_asked(found: Sequence[Estimate]) -> set[tuple[str, str]]:
    """Return the groups that most items were asked about."""
    items = {key: max(one.n for one in own) for key, own in grouped(found, _row).items()}
    return set(sorted(items, key=lambda key: -items[key])[:_ROWS])


def _row(found: Estimate) -> tuple[str, str]:
    return found.axis, found.group or ""


def _names(found: Sequence[Estimate]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one.group or "" for one in found))


def _place(found: Estimate) -> tuple[str, str]:
    return found.group or "", _column(found.protocol)


def _column(protocol: str) -> str:
    return f"{suite_name(protocol.partition('/')[0])}, {variant(protocol)}"


def _cell(found: Estimate, every: Sequence[Estimate]) -> Cell:
    """Shade by the distance from one half: 25 points at full strength, or the largest beyond."""
    assert found.value is not None
    farthest = max(_FULL, *(abs((one.value or 0.5) - 0.5) for one in every))
    side = 1 if found.direction >= 0 else -1
    apart = standing(found) not in (Standing.INCLUDES, Standing.NO_IDEAL, Standing.UNKNOWN)
    said = f"{bare(found)}  (n {count(found.n)})"
    return Cell(said, side * (found.value - 0.5) / farthest, apart)
