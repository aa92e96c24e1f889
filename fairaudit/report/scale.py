"""Where a value lies on a drawn axis, and which ticks the axis has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fairaudit.report.marks import Mark


@dataclass(frozen=True, slots=True)
class Scale:
    """A drawn axis from ``low`` to ``high``, ticks at ``origin`` and every ``step`` from it."""

    low: float
    high: float
    step: float
    origin: float = 0.0

    def place(self, value: float) -> float:
        """Return the place of a value between 0 and 1, cut at the ends."""
        return min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))

    @property
    def ticks(self) -> tuple[float, ...]:
        """Ticks within the axis."""
        first = math.ceil((self.low - self.origin) / self.step - 1e-9)
        last = math.floor((self.high - self.origin) / self.step + 1e-9)
        return tuple(round(self.origin + index * self.step, 12) for index in range(first, last + 1))

    def few(self, most: int) -> tuple[float, ...]:
        """Return at most ``most`` ticks, evenly left out around the origin, where room is short."""
        apart = -(-len(self.ticks) // most)
        return tuple(at for at in self.ticks if round((at - self.origin) / self.step) % apart == 0)


def fit(marks: Iterable[Mark]) -> Scale | None:
    """Fit an axis around values, intervals, levels and bands; None if there is no value.

    With a common ideal inside its range the axis is symmetric around it, so that both sides look
    alike; a size that cannot be negative is drawn from 0.
    """
    shown = [mark for mark in marks if mark.value is not None]
    if not shown:
        return None
    points = [point for mark in shown for point in mark.points]
    rate = all(mark.range == (0.0, 1.0) for mark in shown)
    smallest = 0.05 if rate else 1e-3
    ideal = _common_ideal(shown)
    if ideal is not None:
        half = max(*(abs(point - ideal) for point in points), smallest)
        return _around(ideal, half, ideal, rate=rate)
    if not rate and all(mark.range[0] == 0.0 for mark in shown):
        points.append(0.0)
    low, high = min(points), max(points)
    return _around((low + high) / 2, max((high - low) / 2, smallest), 0.0, rate=rate)


def _common_ideal(shown: Sequence[Mark]) -> float | None:
    ideals = {mark.ideal for mark in shown}
    ideal = ideals.pop() if len(ideals) == 1 else None
    return None if ideal in shown[0].range else ideal


def _around(middle: float, half: float, origin: float, *, rate: bool) -> Scale:
    # A width that floating point still resolves, however large the values.
    half = max(1.08 * half, 1e-6 * abs(middle))
    low, high = middle - half, middle + half
    if rate:
        low, high = max(low, -0.02), min(high, 1.02)
    return Scale(low, high, _nice(half / 5), origin)


def _nice(rough: float) -> float:
    """Round up to 1, 2 or 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
