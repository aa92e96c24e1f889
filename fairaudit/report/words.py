"""Numbers in words: one way to write a value, so that page, summary and terminal never disagree.

Fractions become percent here and nowhere else. A missing number is a dash; its reason stands with
the estimate.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from fairaudit.report.names import Unit, metric_of
from fairaudit.results import Estimate, Interval

MISSING: Final = "–"
_MINUS: Final = "−"


def count(number: int) -> str:
    """Return a count with thousands separated: ``1,508``."""
    return f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return ``1 item`` or ``2 items``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def number(value: float, unit: Unit) -> str:
    """Return a value in the digits of its unit, without the unit itself.

    A rate that only rounds to 0 or 100 % is written ``<0.1`` or ``>99.9``.
    """
    if unit is Unit.PERCENT and 0 < value < 0.0005:
        return "<0.1"
    if unit is Unit.PERCENT and 0.9995 <= value < 1:
        return ">99.9"
    if unit is Unit.NUMBER:
        return _magnitude(value)
    if unit is Unit.SIGNED_NUMBER and abs(value) >= 10:
        return ("+" if value > 0 else "") + _magnitude(value)
    digits = {Unit.NATS: 3, Unit.SIGNED_NATS: 3}.get(unit, 1 if unit.in_hundredths else 2)
    shown = 100 * value if unit.in_hundredths else value
    return _fixed(shown, digits, signed=unit.signed)


def quantity(value: float | None, unit: Unit) -> str:
    """Return a value with its unit: ``47.1 %``, ``+0.123 nats``, or a dash."""
    return MISSING if value is None else number(value, unit) + unit.suffix


def size(value: float, unit: Unit) -> str:
    """Return how large a signed value is, with its unit: ``5.2 points``."""
    return quantity(abs(value), unit).removeprefix("+")


def either_way(value: float | None, unit: Unit) -> str:
    """Return a distance that counts on both sides: ``±4.1``, or a dash."""
    return MISSING if value is None else "±" + number(abs(value), unit).removeprefix("+")


def level_name(level: float) -> str:
    """Return a confidence level: ``95 %``."""
    return f"{100 * level:.6g} %"


def value_of(estimate: Estimate) -> str:
    """Return the value of an estimate with its unit, or a dash."""
    return quantity(estimate.value, metric_of(estimate).unit)


def bare(estimate: Estimate) -> str:
    """Return the value of an estimate without its unit, or a dash."""
    return MISSING if estimate.value is None else number(estimate.value, metric_of(estimate).unit)


def bounds(interval: Interval, unit: Unit) -> str:
    """Return the bounds of an interval: ``[44.0, 50.2]``."""
    return f"[{number(interval.low, unit)}, {number(interval.high, unit)}]"


def interval_of(estimate: Estimate) -> str:
    """Return the interval of an estimate, or a dash."""
    if estimate.interval is None:
        return MISSING
    return bounds(estimate.interval, metric_of(estimate).unit)


def with_interval(estimate: Estimate) -> str:
    """Return value and interval: ``47.1 % [44.0, 50.2]``, only the value, or a dash."""
    if estimate.value is None or estimate.interval is None:
        return value_of(estimate)
    return f"{value_of(estimate)} {interval_of(estimate)}"


def reference(value: float | None, estimate: Estimate) -> str:
    """Return an ideal or chance level of an estimate: ``50 %``."""
    return level_of(value, metric_of(estimate).unit)


def level_of(value: float | None, unit: Unit) -> str:
    """Return a level with no digits beyond those it needs: ``50 %``, or a dash."""
    if value is None:
        return MISSING
    shown = 100 * value if unit.in_hundredths else value
    exact = f"{shown:.0f}" if abs(shown - round(shown)) < 1e-9 else number(value, unit)
    return exact.replace("-", _MINUS) + unit.suffix


def correlation(value: float) -> str:
    """Return a correlation: ``+0.33``."""
    return number(value, Unit.SIGNED_NUMBER)


def p_of(value: float | None) -> str:
    """Return a p-value: ``0.031``, ``<0.001`` or a dash."""
    if value is None:
        return MISSING
    return "<0.001" if value < 0.0005 else f"{value:.3f}"


def p_said(value: float) -> str:
    """Return a p-value behind its letter: ``p = 0.031`` or ``p <0.001``."""
    shown = p_of(value)
    return f"p {shown}" if value < 0.0005 else f"p = {shown}"


def detectable(estimate: Estimate) -> str:
    """Return the smallest detectable distance from the ideal: ``±4.1``, or a dash."""
    return either_way(estimate.mde, metric_of(estimate).unit)


def _fixed(value: float, digits: int, *, signed: bool) -> str:
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return (_MINUS if value < 0 else "+" if signed else "") + text


def _magnitude(value: float) -> str:
    size = abs(value)
    if size >= 1e7:
        return f"{value:.2e}".replace("-", _MINUS)
    text = f"{size:,.0f}" if size >= 1000 else f"{size:.1f}" if size >= 10 else f"{size:.2f}"
    return (_MINUS if value < 0 else "") + text
