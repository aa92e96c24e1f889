"""How values are written."""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """How a value is written: what follows it, and whether its sign is always shown."""

    suffix: str
    signed: bool

    def __new__(cls, name: str, suffix: str = "", signed: bool = False) -> Unit:
        """Make a unit with its looks."""
        made = object.__new__(cls)
        made._value_, made.suffix, made.signed = name, suffix, signed
        return made

    PERCENT = "percent", " %"
    SIGNED_PERCENT = "signed percent", " %", True
    NATS = "nats", " nats"
    SIGNED_NATS = "signed nats", " nats", True
    NUMBER = "number"
    SIGNED_NUMBER = "signed number", "", True
    RATIO = "ratio", " ×"
    #: Percentage points: what two rates differ by.
    POINTS = "points", " points", True

    @property
    def in_hundredths(self) -> bool:
        """Whether fractions are written times 100."""
        return self in (Unit.PERCENT, Unit.SIGNED_PERCENT, Unit.POINTS)

    @property
    def difference(self) -> Unit:
        """Unit of what two values differ by: percentage points for rates."""
        if self.in_hundredths:
            return Unit.POINTS
        return Unit.SIGNED_NATS if self.suffix == Unit.NATS.suffix else Unit.SIGNED_NUMBER
