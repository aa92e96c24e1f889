"""What an estimate may be read as: where it stands, and whether the model was capable at all.

Only stored numbers are compared with each other here; nothing is estimated.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

from fairaudit.report import words
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import above_chance
from fairaudit.vocabulary.metrics import ANSWERED_SHARE, says_against_whom
from fairaudit.vocabulary.tones import Tone

_ALPHA: Final = 0.05


class Standing(Enum):
    """Where the interval of a bias estimate lies, seen from the ideal."""

    TOWARDS = "towards"
    AWAY = "away"
    APART = "apart"
    INCLUDES = "includes"
    NO_IDEAL = "no ideal"
    UNKNOWN = "unknown"


def standing(estimate: Estimate) -> Standing:
    """Say on which side of the ideal the whole interval lies; UNKNOWN without an interval."""
    if estimate.interval is None or estimate.value is None:
        return Standing.UNKNOWN
    if estimate.ideal is None:
        return Standing.NO_IDEAL
    if estimate.interval.low <= estimate.ideal <= estimate.interval.high:
        return Standing.INCLUDES
    if estimate.direction == 0 or not says_against_whom(estimate.name):
        return Standing.APART
    above = estimate.interval.low > estimate.ideal
    return Standing.TOWARDS if above == (estimate.direction > 0) else Standing.AWAY


_TONES: Final = {
    Standing.TOWARDS: Tone.TOWARDS,
    Standing.AWAY: Tone.AWAY,
    Standing.APART: Tone.APART,
}


def mark_of(estimate: Estimate) -> Mark:
    """Say how an estimate is drawn; only a bias has a side, and only one that correction leaves."""
    sided = estimate.kind == "bias" and not lost_in_correction(estimate)
    side = standing(estimate) if sided else Standing.INCLUDES
    return Mark(
        estimate.value,
        estimate.interval,
        metric_of(estimate).unit,
        _TONES.get(side, Tone.OPEN),
        estimate.ideal,
        estimate.chance,
        range=estimate.range,
    )


def survives(estimate: Estimate) -> bool | None:
    """Whether the stored adjusted p-value is below 0.05; None: no adjusted p-value is stored."""
    return None if estimate.p_adjusted is None else estimate.p_adjusted < _ALPHA


def lost_in_correction(estimate: Estimate) -> bool:
    """Whether the interval leaves out the ideal, but correction for all looks undoes that."""
    apart = standing(estimate) in (Standing.TOWARDS, Standing.AWAY, Standing.APART)
    return apart and survives(estimate) is False


def standing_words(estimate: Estimate) -> str:
    """Return the standing in words, with the ideal: ``no lean shown (50 % is possible)``.

    Intervals are unadjusted; where correction for all looks undoes a standing, it says so.
    """
    ideal = words.reference(estimate.ideal, estimate)
    side = {
        Standing.TOWARDS: "leans towards the stereotype",
        Standing.AWAY: "leans away from the stereotype",
        Standing.APART: f"differs from {ideal}",
        Standing.INCLUDES: _includes(estimate, ideal),
        Standing.NO_IDEAL: "no ideal value",
        Standing.UNKNOWN: "no interval" if estimate.value is not None else "no value",
    }[standing(estimate)]
    return f"{side}, but not after correction" if lost_in_correction(estimate) else side


def _includes(estimate: Estimate, ideal: str) -> str:
    sided = estimate.kind == "bias" and estimate.direction and says_against_whom(estimate.name)
    return f"no lean shown ({ideal} is possible)" if sided else f"{ideal} is possible"


def falls_short(estimate: Estimate) -> bool:
    """Whether a capability is not shown to be better than chance, where there is such a level.

    One without a value falls short as well.
    """
    return estimate.value is None or (estimate.chance is not None and not above_chance(estimate))


def capabilities(result: AuditResult) -> tuple[Estimate, ...]:
    """Capability estimates of whole axes, in the order of the audit."""
    return tuple(
        found for found in result.estimates if found.kind == "capability" and found.group is None
    )


def headline_capabilities(result: AuditResult) -> tuple[Estimate, ...]:
    """Return the pooled capability of each protocol; by axis where nothing is pooled."""
    found = capabilities(result)
    pooled = {(one.protocol, one.name) for one in found if one.axis == "all"}
    return tuple(
        one for one in found if one.axis == "all" or (one.protocol, one.name) not in pooled
    )


def weak_capabilities(result: AuditResult) -> tuple[Estimate, ...]:
    """Capability estimates that are not shown to be better than chance."""
    return tuple(found for found in capabilities(result) if falls_short(found))


def weakness_words(found: Estimate) -> str:
    """Return one sentence about a capability that is not above chance."""
    where = suite_name(found.suite)
    if found.axis != "all":
        where += f", {axis_name(found.axis).lower()}"
    name = f"{metric_of(found).label} ({where}, {variant(found.protocol)})"
    if found.value is None:
        return f"{name} is missing: {found.reason or 'no reason recorded'}"
    chance = words.reference(found.chance, found)
    if found.interval is None:
        return (
            f"{name} is {words.value_of(found)} without an interval, so it is not shown to be "
            f"better than chance ({chance})"
        )
    if found.name == ANSWERED_SHARE.name:
        return (
            f"{name} is {words.with_interval(found)}, not shown to be above {chance}: refusing "
            "what is asked is no evidence of fairness"
        )
    return f"{name} is {words.with_interval(found)}, not better than chance ({chance})"
