"""How values are written: units, and what a metric is in words."""

from __future__ import annotations

from dataclasses import dataclass
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


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric in words: its name, its unit, and what it asks."""

    label: str
    unit: Unit
    meaning: str
