"""Claims in sentences: what was found for each, what it means, and what it does not mean.

One place, so that terminal, Markdown and page say the same. A claim that was not decided is never
told as one that does not hold, and none is told as a law about differential privacy.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from fairaudit.report import words
from fairaudit.report.experiment import numbers
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name
from fairaudit.results.experiment import ArmDifference, Claim
from fairaudit.vocabulary.claims import NEGLIGIBLE, OPPOSITE, STATEMENTS, Finding, Statement
from fairaudit.vocabulary.words import Word

#: What every finding is about.
SCOPE: Final = (
    "Claims are about this recipe on this text: seeds were repeated, nothing else. They do not say "
    "what differential privacy does in general, nor how the models behave in use."
)

#: Every finding in words, each with a mark and a colour of its own.
WORDS: Final = (
    Finding.SUPPORTED.word,
    NEGLIGIBLE,
    OPPOSITE,
    Finding.NOT_SUPPORTED.word,
    Finding.UNDECIDED.word,
    Finding.NOT_APPLICABLE.word,
)


def statement_of(claim: str) -> Statement:
    """Return a claim in words; one that we do not know is shown as it is."""
    known = STATEMENTS.get(claim)
    if known is not None:
        return known
    forth, back = "{arm} lies above {reference}", "{arm} lies below {reference}"
    label = numbers.metric_named(claim).label
    return Statement(claim, label, "", "an effect", forth, back)


def word_of(found: Claim) -> Word:
    """Return the finding of a claim in words, opposite and negligible effects told apart."""
    if against(found):
        return OPPOSITE
    return NEGLIGIBLE if negligible(found) else found.finding.word


def against(found: Claim) -> bool:
    """Whether the opposite of the claim was shown: the whole interval lies below 0."""
    below = found.interval is not None and found.interval.high < 0
    return found.finding == Finding.NOT_SUPPORTED and below


def negligible(found: Claim) -> bool:
    """Whether the claimed effect was shown, also after correction, but lies within the margin."""
    whole, margin = found.interval, found.margin
    if whole is None or margin is None or not 0 < whole.low <= whole.high < margin:
        return False
    kept = found.p_adjusted is None or found.p_adjusted < 1 - whole.level
    return kept and found.finding in (Finding.SUPPORTED, Finding.NOT_SUPPORTED)


def mark_of(found: Claim | ArmDifference) -> Mark:
    """Say how a difference of two arms is drawn: against 0, with the margin of its claim."""
    if isinstance(found, Claim):
        tone, margin = word_of(found).tone, found.margin
    else:
        tone, margin = numbers.tone(found), None
    unit = numbers.unit_of(found)
    return Mark(found.value, found.interval, unit, tone, ideal=0.0, margin=margin)


def brief(found: Claim) -> str:
    """Return the meaning in a few words, to stand behind finding and number."""
    statement = statement_of(found.claim)
    if found.finding == Finding.SUPPORTED:
        return f"{_sides(statement.forth, found)}{_if_small(found)}"
    if found.finding == Finding.NOT_APPLICABLE:
        return found.reason or word_of(found).meaning
    if found.finding == Finding.UNDECIDED:
        return _undecided(found)
    if against(found):
        return _sides(statement.back, found)
    if found.interval is not None and found.interval.low > 0:
        return f"{_sides(statement.forth, found)}{_if_small(found)}"
    return f"{statement.effect} of {_margin(found)} or more is excluded"


def measured_of(claims: Sequence[Claim]) -> str:
    """Return what the numbers of a claim are: the metric, and the protocol where it has one."""
    parts = (
        f"{numbers.metric_named(one.metric).label.lower()}"
        + (f" ({one.protocol})" if one.protocol else "")
        for one in claims
    )
    return ", ".join(dict.fromkeys(parts))


def sentences(found: Claim) -> tuple[str, ...]:
    """Return the whole finding in sentences: what was measured, what it means, what it does not."""
    word = word_of(found)
    return (measured(found), *_grounds(found), word.limit)


def measured(found: Claim) -> str:
    """Return the endpoint with its number, interval and seeds."""
    label = numbers.metric_named(found.metric).label.lower()
    protocol = f" ({found.protocol})" if found.protocol else ""
    quantity = _sides(statement_of(found.claim).quantity, found, metric=f"{label}{protocol}")
    what = f"{axis_name(found.axis)}: {quantity}"
    if found.value is None:
        return f"{what}: no value ({found.reason or 'no reason recorded'})."
    shown = f"{what}: {numbers.difference(found)}"
    if found.interval is None:
        why = found.reason or "no reason recorded"
        return f"{shown} over {numbers.seeds(found.n_seeds)}, without an interval ({why})."
    level = words.level_name(found.interval.level)
    bounds = numbers.interval(found)
    return f"{shown}, {level} interval {bounds} over {numbers.seeds(found.n_seeds)}."


def _grounds(found: Claim) -> Iterator[str]:
    said = brief(found)
    yield f"{said[0].upper()}{said[1:]}{_corrected(found)}."
    if found.finding not in (Finding.UNDECIDED, Finding.NOT_APPLICABLE):
        yield word_of(found).meaning


def _corrected(found: Claim) -> str:
    if found.p_adjusted is None or found.finding != Finding.SUPPORTED:
        return ""
    return f" (Holm over axes, adjusted {words.p_said(found.p_adjusted)})"


def _if_small(found: Claim) -> str:
    """Say that an effect which is there is yet too small to matter, where the interval shows it."""
    if found.margin is None or found.interval is None or found.interval.high >= found.margin:
        return ""
    return f", yet by less than the {_margin(found)} that would matter"


def _undecided(found: Claim) -> str:
    if found.interval is None or found.value is None:
        return found.reason or "no reason recorded"
    if found.reason:
        return found.reason
    effect = statement_of(found.claim).effect
    shown = f"compatible with {effect} of up to {numbers.size(found, found.interval.high)}"
    if found.interval.low > 0:
        return f"{shown} (0 is left out by this interval, yet not after correction over axes)"
    return f"{shown}, or with none"


def _margin(found: Claim) -> str:
    return "the margin" if found.margin is None else numbers.size(found, found.margin)


def _sides(text: str, found: Claim, metric: str = "") -> str:
    arm, reference = arm_of(found.arm).name, arm_of(found.reference).name
    return text.format(arm=arm, reference=reference, metric=metric)
