"""Numbers in words: one way to write a value, so that page, summary and terminal never disagree.

Fractions become percent here and nowhere else. A missing number is a dash; its reason stands with
the estimate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from fairaudit.report.names import Unit, metric_of
from fairaudit.results import Estimate, Interval

MISSING: Final = "–"
_MINUS: Final = "−"
_DIGITS: Final = {Unit.NATS: 3, Unit.SIGNED_NATS: 3, Unit.COSINE: 3}


class Number(str):
    """A number as every view writes it, which still knows what it is.

    Attributes
    ----------
    value : float or None
        None: missing, or only the interval is written.
    unit : Unit or None
        None: a count or a p-value.
    interval : Interval or None
        The one that is written.
    """

    value: float | None
    unit: Unit | None
    interval: Interval | None

    def __new__(
        cls,
        text: str,
        value: float | None,
        unit: Unit | None = None,
        interval: Interval | None = None,
    ) -> Number:
        """Make a number from its text and what it stands for."""
        made = super().__new__(cls, text)
        made.value, made.unit, made.interval = value, unit, interval
        return made


def count(number: int) -> Number:
    """Return a count with thousands separated: ``1,508``."""
    return Number(f"{number:,}", number)


def plural(number: int, one: str, many: str | None = None) -> str:
    """Return ``1 item`` or ``2 items``."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """Return ``a``, ``a and b`` or ``a, b and c``."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def joined(labels: Iterable[str]) -> str:
    """Return each label once, all but the first in small letters: ``Rate, score``."""
    first, *rest = dict.fromkeys(labels)
    return ", ".join((first, *(label.lower() for label in rest)))


def number(value: float, unit: Unit) -> str:
    """Return a value in the digits of its unit, without the unit itself.

    A rate that only rounds to 0 or 100 % is written ``<0.1`` or ``>99.9``.
    """
    if unit is Unit.PERCENT and 0 < value < 0.0005:
        return "<0.1"
    if unit is Unit.PERCENT and 0.9995 <= value < 1:
        return ">99.9"
    if unit.significant:
        return _significant(value, unit)
    if unit is Unit.NUMBER:
        return _magnitude(value)
    if unit is Unit.SIGNED_NUMBER and abs(value) >= 10:
        return ("+" if value > 0 else "") + _magnitude(value)
    digits = _DIGITS.get(unit, 1 if unit.in_hundredths else 2)
    shown = 100 * value if unit.in_hundredths else value
    return _fixed(shown, digits, signed=unit.signed)


def quantity(value: float | None, unit: Unit, interval: Interval | None = None) -> Number:
    """Return a value with its unit and interval: ``47.1 % [44.0, 50.2]``, or a dash."""
    text = MISSING if value is None else number(value, unit) + unit.suffix
    if value is None or interval is None:
        return Number(text, value, unit)
    return Number(f"{text} {bounds(interval, unit)}", value, unit, interval)


def bare_quantity(value: float | None, unit: Unit, interval: Interval | None = None) -> Number:
    """Return a value and its interval without the unit, for a narrow place, or a dash."""
    text = MISSING if value is None else number(value, unit)
    if value is None or interval is None:
        return Number(text, value, unit)
    return Number(f"{text} {bounds(interval, unit)}", value, unit, interval)


def size(value: float, unit: Unit) -> str:
    """Return how large a signed value is, with its unit: ``5.2 points``."""
    return quantity(abs(value), unit).removeprefix("+")


def signed(value: float, unit: Unit) -> Number:
    """Return a difference with its sign and unit: ``+5.2 points``."""
    return quantity(value, unit)


def either_way(value: float | None, unit: Unit) -> Number:
    """Return a distance that counts on both sides: ``±4.1``, or a dash."""
    text = MISSING if value is None else "±" + number(abs(value), unit).removeprefix("+")
    return Number(text, value, unit)


def level_name(level: float) -> str:
    """Return a confidence level: ``95 %``."""
    return f"{100 * level:.6g} %"


def value_of(estimate: Estimate) -> Number:
    """Return the value of an estimate with its unit, or a dash."""
    return quantity(estimate.value, metric_of(estimate).unit)


def bare(estimate: Estimate) -> Number:
    """Return the value of an estimate without its unit, or a dash."""
    return bare_quantity(estimate.value, metric_of(estimate).unit)


def bounds(interval: Interval | None, unit: Unit) -> Number:
    """Return the bounds of an interval: ``[44.0, 50.2]``, or a dash."""
    if interval is None:
        return Number(MISSING, None, unit)
    text = f"[{number(interval.low, unit)}, {number(interval.high, unit)}]"
    return Number(text, None, unit, interval)


def interval_of(estimate: Estimate) -> Number:
    """Return the interval of an estimate, or a dash."""
    return bounds(estimate.interval, metric_of(estimate).unit)


def with_interval(estimate: Estimate) -> Number:
    """Return value and interval: ``47.1 % [44.0, 50.2]``, only the value, or a dash."""
    return quantity(estimate.value, metric_of(estimate).unit, estimate.interval)


def reference(value: float | None, estimate: Estimate) -> Number:
    """Return an ideal or chance level of an estimate: ``50 %``."""
    return level_of(value, metric_of(estimate).unit)


def level_of(value: float | None, unit: Unit) -> Number:
    """Return a level with no digits beyond those it needs: ``50 %``, or a dash."""
    if value is None:
        return Number(MISSING, None, unit)
    shown = 100 * value if unit.in_hundredths else value
    exact = f"{shown:.0f}" if abs(shown - round(shown)) < 1e-9 else number(value, unit)
    return Number(exact.replace("-", _MINUS) + unit.suffix, value, unit)


def correlation(value: float) -> Number:
    """Return a correlation: ``+0.33``."""
    return bare_quantity(value, Unit.SIGNED_NUMBER)


def p_of(value: float | None) -> Number:
    """Return a p-value: ``0.031``, ``<0.001`` or a dash."""
    if value is None:
        return Number(MISSING, None)
    return Number("<0.001" if value < 0.0005 else f"{value:.3f}", value)


def p_said(value: float) -> str:
    """Return a p-value behind its letter: ``p = 0.031`` or ``p <0.001``."""
    shown = p_of(value)
    return f"p {shown}" if value < 0.0005 else f"p = {shown}"


def detectable(estimate: Estimate) -> Number:
    """Return the smallest detectable distance from the ideal: ``±4.1``, or a dash."""
    return either_way(estimate.mde, metric_of(estimate).unit)


def detectable_with_unit(estimate: Estimate) -> Number:
    """Return the smallest detectable distance with its unit: ``±4.1 points``, or a dash."""
    unit = metric_of(estimate).unit.difference
    known = detectable(estimate)
    suffix = unit.suffix if estimate.mde is not None else ""
    return Number(known + suffix, estimate.mde, unit)


def _fixed(value: float, digits: int, *, signed: bool) -> str:
    text = f"{abs(value):.{digits}f}"
    if not float(text):
        return text
    return (_MINUS if value < 0 else "+" if signed else "") + text


def _significant(value: float, unit: Unit) -> str:
    size = abs(value)
    text = f"{size:,.0f}" if size >= 1000 else f"{size:.{unit.significant}g}"
    sign = _MINUS if value < 0 else "+" if unit.signed and value > 0 else ""
    return sign + text.replace("-", _MINUS)


def _magnitude(value: float) -> str:
    size = abs(value)
    if size >= 1e7:
        return f"{value:.2e}".replace("-", _MINUS)
    text = f"{size:,.0f}" if size >= 1000 else f"{size:.1f}" if size >= 10 else f"{size:.2f}"
    return (_MINUS if value < 0 else "") + text
