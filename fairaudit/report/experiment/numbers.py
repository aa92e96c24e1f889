"""Numbers of an experiment in words: levels, differences of arms, means of runs."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from fairaudit.report import words
from fairaudit.report.names import metric_named as metric_named
from fairaudit.report.paired_numbers import difference as difference
from fairaudit.report.paired_numbers import interval as interval
from fairaudit.report.paired_numbers import unit_of as unit_of
from fairaudit.report.paired_numbers import with_interval as with_interval
from fairaudit.results.experiment import ArmDifference, ArmRun, Claim, Level, Prediction
from fairaudit.results.map import OverSeeds
from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.units import Unit


def size(found: Claim | ArmDifference, value: float) -> str:
    """Return how large a difference is, without its sign: ``0.200 nats``."""
    return words.size(value, unit_of(found))


def tone(found: ArmDifference | OverSeeds | None) -> Tone:
    """Return the colour of a change: that of its direction where its interval leaves out 0."""
    if found is None or found.interval is None or found.interval.low <= 0 <= found.interval.high:
        return Tone.OPEN
    return Tone.TOWARDS if found.interval.low > 0 else Tone.AWAY


def seeds(n: int) -> str:
    """Return ``5 seeds``."""
    return words.plural(n, "seed")


def level(found: Level) -> str:
    """Return the mean level over seeds with its unit."""
    return words.quantity(found.value, metric_named(found.name).unit)


def implied(found: Level) -> str:
    """Return what a known world's text implies, with its unit, or a dash."""
    return words.quantity(found.implied, metric_named(found.name).unit)


def level_interval(found: Level) -> str:
    """Return the interval of a level, or a dash."""
    return words.bounds(found.interval, metric_named(found.name).unit)


def bare_level(found: Level) -> str:
    """Return level and interval without the unit, for a narrow place."""
    return words.bare_quantity(found.value, metric_named(found.name).unit, found.interval)


def mean(values: Iterable[float | None], unit: Unit) -> str:
    """Return the mean of what was measured, with its unit, or a dash."""
    known = [value for value in values if value is not None]
    return words.quantity(fmean(known) if known else None, unit)


def spread(values: Iterable[float | None], unit: Unit) -> str:
    """Return smallest and largest of several values, ``2.29 to 2.31``, or nothing if they agree."""
    known = [value for value in values if value is not None]
    ends = [words.number(end(known), unit) for end in (min, max)] if known else ["", ""]
    return f"{ends[0]} to {ends[1]}" if ends[0] != ends[1] else ""


def spent(runs: Iterable[ArmRun], field: str = "epsilon") -> str:
    """Return the largest ε that any seed spent, or a dash."""
    known = [value for run in runs if (value := getattr(run, field)) is not None]
    return words.quantity(max(known, default=None), Unit.NUMBER)


def distinct(values: Iterable[float | None]) -> str:
    """Return the values of a setting, each once: one where all seeds agree, or a dash."""
    known = dict.fromkeys(value for value in values if value is not None)
    text = ", ".join(dict.fromkeys(f"{value:g}" for value in known)) or words.MISSING
    return words.Number(text, next(iter(known), None) if len(known) == 1 else None)


def outcome(found: Prediction) -> str:
    """Return what is correlated with disparity in training."""
    return "naming the first group" if found.outcome == "naming" else "bias"
