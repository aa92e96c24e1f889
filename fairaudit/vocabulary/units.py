"""How values are written."""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """How a value is written: what follows it, whether its sign is always shown, its digits."""

    suffix: str
    signed: bool
    #: Significant digits; 0: as many decimals as `fairaudit.report.words` gives the unit.
    significant: int

    def __new__(
        cls, name: str, suffix: str = "", signed: bool = False, significant: int = 0
    ) -> Unit:
        """Make a unit with its looks."""
        made = object.__new__(cls)
        made._value_, made.suffix, made.signed = name, suffix, signed
        made.significant = significant
        return made

    PERCENT = "percent", " %"
    NATS = "nats", " nats"
    SIGNED_NATS = "signed nats", " nats", True
    NUMBER = "number"
    SIGNED_NUMBER = "signed number", "", True
    RATIO = "ratio", " ×"
    #: Percentage points: what two rates differ by.
    POINTS = "points", " points", True
    #: How far apart rates lie, without a side: largest gaps, distances. Never below 0.
    APART = "points apart", " points"
    #: What a policy limits, as it writes it.
    FRACTION = "fraction", "", False, 4
    #: Lengths of gradients and what follows from them: of any order of magnitude.
    SIZE = "size", "", False, 3
    SIGNED_SIZE = "signed size", "", True, 3
    #: Directions and log-ratios.
    COSINE = "cosine"

    @property
    def in_hundredths(self) -> bool:
        """Whether fractions are written times 100."""
        return self in (Unit.PERCENT, Unit.POINTS, Unit.APART)

    @property
    def difference(self) -> Unit:
        """Unit of what two values differ by: percentage points for rates."""
        if self.in_hundredths:
            return Unit.POINTS
        if self in (Unit.SIZE, Unit.SIGNED_SIZE, Unit.COSINE):
            return Unit.SIGNED_SIZE
        return Unit.SIGNED_NATS if self.suffix == Unit.NATS.suffix else Unit.SIGNED_NUMBER
