"""How values are written."""

from __future__ import annotations

from enum import Enum


class Unit(Enum):
    """How a value is written: its sign, its digits, and what follows it."""

    PERCENT = "percent"
    SIGNED_PERCENT = "signed percent"
    NATS = "nats"
    SIGNED_NATS = "signed nats"
    NUMBER = "number"
    SIGNED_NUMBER = "signed number"
    RATIO = "ratio"
    #: Percentage points: what two rates differ by.
    POINTS = "points"
