"""What is drawn of one number, whatever result it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from fairaudit.report.names import Unit
from fairaudit.results import Interval
from fairaudit.vocabulary.tones import Tone


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of the axis to compare a point with; a single level if its ends are equal."""

    #: Its style class: ``lower``, ``upper``.
    name: str
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with its interval, and the levels and the band that it is compared with."""

    value: float | None
    interval: Interval | None
    unit: Unit
    tone: Tone = Tone.OPEN
    ideal: float | None = None
    chance: float | None = None
    #: Half-width of a band around ``ideal``.
    margin: float | None = None
    range: tuple[float | None, float | None] = (None, None)
    #: Within ``interval``, the one that decides; and the bounds that gates use, where further out.
    inner: Interval | None = None
    limits: Interval | None = None
    #: Single values whose mean is drawn.
    singles: tuple[float, ...] = ()
    spans: tuple[Span, ...] = ()

    @property
    def band(self) -> tuple[float, float] | None:
        """Ends of the band around the ideal."""
        if self.margin is None or self.ideal is None:
            return None
        return self.ideal - self.margin, self.ideal + self.margin

    @property
    def points(self) -> tuple[float, ...]:
        """Every value that a drawn axis should hold."""
        ends = (self.interval.low, self.interval.high) if self.interval else ()
        # Not the bounds of gates: what few clusters leave possible would flatten everything else.
        every = (self.value, self.ideal, self.chance, *ends, *(self.band or ()), *self.singles)
        return tuple(point for point in every if point is not None)
