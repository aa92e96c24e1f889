"""Numbers of a map in words, and what is drawn of them."""

from __future__ import annotations

from fairaudit.report import words
from fairaudit.report.experiment.numbers import metric_named
from fairaudit.report.experiment.numbers import seeds as seeds
from fairaudit.report.experiment.numbers import tone as tone
from fairaudit.report.words import Number
from fairaudit.results.map import HeldOut, MapResult, OverSeeds
from fairaudit.vocabulary.units import Unit


def unit_of(result: MapResult) -> Unit:
    """Return the unit of a change of bias."""
    return metric_named(result.metric).unit.difference


def whole(found: OverSeeds | None, unit: Unit) -> Number:
    """Return a number with its interval, without one if there is none, or a dash."""
    value, interval = (found.value, found.interval) if found else (None, None)
    return words.quantity(value, unit, interval)


def share(value: float) -> str:
    """Return a share of the way: ``62 %``; it may lie above 100 or below 0."""
    return f"{100 * value:.0f} %".replace("-", "−")


def share_whole(found: OverSeeds) -> Number:
    """Return a share of the way with its interval, or a dash."""
    if found.value is None:
        return Number(words.MISSING, None)
    text = share(found.value)
    if found.interval is not None:
        ends = (share(end).removesuffix(" %") for end in (found.interval.low, found.interval.high))
        text += f" [{', '.join(ends)}]"
    return Number(text, found.value, interval=found.interval)


def r_squared(found: HeldOut) -> Number:
    """Return R² with its interval: ``0.93 [0.85, 0.97]``, or a dash."""
    if found.r_squared is None:
        return Number(words.MISSING, None)
    shown = f"{found.r_squared:.2f}"
    if found.interval is not None:
        shown += f" [{found.interval.low:.2f}, {found.interval.high:.2f}]"
    return Number(shown.replace("-", "−"), found.r_squared, interval=found.interval)


def lean(value: float) -> Number:
    """Return by how much the base leans more than the text: ``+0.5``, ``0``, ``−1``."""
    return Number(f"{value:+g}".replace("-", "−") if value else "0", value)


def frequency(value: float) -> Number:
    """Return the part of a text that names a group: ``5 %``."""
    return Number(f"{100 * value:.3g} %", value, Unit.PERCENT)
