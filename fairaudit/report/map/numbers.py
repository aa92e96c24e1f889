"""Numbers of a map in words, and what is drawn of them."""

from __future__ import annotations

from fairaudit.report import words
from fairaudit.report.experiment.numbers import metric_named
from fairaudit.results.map import HeldOut, MapResult, OverSeeds
from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.units import Unit


def unit_of(result: MapResult) -> Unit:
    """Return the unit of a change of bias."""
    return metric_named(result.metric).unit.difference


def change(found: OverSeeds | None, unit: Unit) -> str:
    """Return a change with its unit, or a dash."""
    return words.MISSING if found is None else words.quantity(found.value, unit)


def bounds(found: OverSeeds | None, unit: Unit) -> str:
    """Return the interval of a number, or a dash."""
    if found is None or found.interval is None:
        return words.MISSING
    return words.bounds(found.interval, unit)


def whole(found: OverSeeds | None, unit: Unit) -> str:
    """Return a number with its interval, without one if there is none, or a dash."""
    shown = change(found, unit)
    return shown if found is None or found.interval is None else f"{shown} {bounds(found, unit)}"


def share(value: float) -> str:
    """Return a share of the way: ``62 %``; it may lie above 100 or below 0."""
    return f"{100 * value:.0f} %".replace("-", "−")


def share_whole(found: OverSeeds) -> str:
    """Return a share of the way with its interval, or a dash."""
    if found.value is None:
        return words.MISSING
    if found.interval is None:
        return share(found.value)
    low, high = (share(end).removesuffix(" %") for end in (found.interval.low, found.interval.high))
    return f"{share(found.value)} [{low}, {high}]"


def r_squared(found: HeldOut) -> str:
    """Return R² with its interval: ``0.93 [0.85, 0.97]``, or a dash."""
    if found.r_squared is None:
        return words.MISSING
    shown = f"{found.r_squared:.2f}"
    if found.interval is not None:
        shown += f" [{found.interval.low:.2f}, {found.interval.high:.2f}]"
    return shown.replace("-", "−")


def lean(value: float) -> str:
    """Return by how much the base leans more than the text: ``+0.5``, ``0``, ``−1``."""
    return f"{value:+g}".replace("-", "−") if value else "0"


def frequency(value: float) -> str:
    """Return the part of a text that names a group: ``5 %``."""
    return f"{100 * value:.3g} %"


def tone(found: OverSeeds | None) -> Tone:
    """Return the colour of a change: that of its direction where its interval leaves out 0."""
    if found is None or found.interval is None:
        return Tone.OPEN
    if found.interval.low > 0:
        return Tone.TOWARDS
    return Tone.AWAY if found.interval.high < 0 else Tone.OPEN
