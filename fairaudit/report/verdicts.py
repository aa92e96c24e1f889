"""A comparison in sentences: what was found, what it means, and what it does not mean.

One place, so that terminal, Markdown and page say the same. No verdict says that a model is free
of bias, and none takes a difference that was not found for one that is not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairaudit.report import paired_numbers as paired
from fairaudit.report import words
from fairaudit.report.deciding import (
    allows_for_unseen,
    deciding,
    increase_excluded,
    increase_said,
    inner,
)
from fairaudit.report.marks import Mark
from fairaudit.report.names import (
    axis_name,
    caution_of,
    correction_name,
    method_name,
    metric_of,
    suite_name,
    variant,
)
from fairaudit.results import Comparison
from fairaudit.vocabulary.cautions import OVERSHOT, SKIPPED_ITEMS
from fairaudit.vocabulary.verdicts import CHANGED, EXPLORATORY, MISSING, Verdict
from fairaudit.vocabulary.words import Word

#: What every verdict is about.
SCOPE: Final = (
    "Verdicts are about these checkpoints and items of this kind. They do not say what the "
    "training recipe does in general, which takes several seeds, nor how the models behave in use."
)

#: Every verdict in words, in the order in which they are counted.
WORDS: Final = tuple(one.word for one in Verdict)


def word_of(found: Comparison) -> Word:
    """Return the verdict of a comparison in words."""
    if found.verdict is not None:
        return found.verdict.word
    return MISSING if found.difference is None else EXPLORATORY


def mark_of(found: Comparison) -> Mark:
    """Say how a difference is drawn: against 0, with its margin as a band."""
    return Mark(
        found.difference,
        found.interval,
        paired.unit_of(found),
        word_of(found).tone,
        ideal=0.0,
        margin=found.margin,
        inner=inner(found) if found.primary else None,
        limits=deciding(found) if found.primary else None,
    )


def settled(found: Comparison) -> bool:
    """Whether the box of a checklist may be ticked: shown to be no worse, beyond no margin.

    What a verdict leaves open on both sides may still be settled on the side that matters: an
    increase as large as the margin is excluded by the bound that gates use.
    """
    if found.verdict == Verdict.REDUCED:
        return OVERSHOT.name not in found.cautions
    if found.verdict in (Verdict.EQUIVALENT, Verdict.IDENTICAL):
        return True
    undecided = found.verdict == Verdict.INCONCLUSIVE and found.direction != 0
    return undecided and bool(increase_excluded(found))


def is_open(found: Comparison) -> bool:
    """Whether a comparison found nothing either way, so that it has still to be decided."""
    return found.verdict not in CHANGED and not settled(found)


def brief(found: Comparison) -> str:
    """Return the meaning in a few words, to stand behind verdict and number."""
    if found.verdict is None:
        return f"no value: {paired.reason(found)}" if found.difference is None else "exploratory"
    more, less = ("more", "less") if found.direction else ("higher", "lower")
    stereotyped = " stereotyped" if found.direction else ""
    return {
        Verdict.AMPLIFIED: f"{more}{stereotyped} than the baseline",
        Verdict.REDUCED: f"{less}{stereotyped} than the baseline",
        Verdict.EQUIVALENT: f"the same within {_margin(found)}",
        Verdict.INCONCLUSIVE: _undecided(found),
        Verdict.NOT_INTERPRETABLE: "capability not shown to be above chance",
        Verdict.IDENTICAL: "the same model on both sides",
    }[found.verdict]


def sentences(found: Comparison) -> tuple[str, ...]:
    """Return the whole comparison in sentences.

    In order: what was measured, with values, interval and n; what the verdict means, with the
    number that it rests on; what it does not mean; one sentence per caution.
    """
    return (measured(found), *means(found), word_of(found).limit, *cautions(found))


def measured(found: Comparison) -> str:
    """Return what was measured on which side, the difference, its interval and n."""
    what = (
        f"{metric_of(found).label}, {axis_name(found.axis).lower()}{_groups(found)} "
        f"({suite_name(found.suite)}, {variant(found.protocol)})"
    )
    if found.difference is None:
        return f"{what}: no value ({paired.reason(found)})."
    values = f"{paired.baseline_value(found)} → {paired.candidate_value(found)}"
    return f"{what}: {values}, {_change(found)}, on {_sample(found)}."


def means(found: Comparison) -> Iterator[str]:
    """Yield what the verdict means, and the number that it rests on."""
    meaning = word_of(found).meaning
    if not found.direction and found.verdict in CHANGED:
        above = "higher" if found.verdict == Verdict.AMPLIFIED else "lower"
        meaning = f"The candidate's value is {above} than the baseline's."
    yield meaning
    grounds = _grounds(found)
    if grounds:
        yield f"{grounds[0].upper()}{grounds[1:]}."
    yield from _distance(found)


def cautions(found: Comparison) -> tuple[str, ...]:
    """Return one sentence for each caution of a comparison."""
    return tuple(caution_words(name, found.n_skipped) for name in found.cautions)


def caution_words(name: str, n_skipped: int = 0) -> str:
    """Return a caution as a sentence; skipped items are counted."""
    caution = caution_of(name)
    label = caution.label[:1].upper() + caution.label[1:]
    count = ""
    if name == SKIPPED_ITEMS.name and n_skipped:
        count = f" ({words.plural(n_skipped, 'item')})"
    return f"{label}{count}: {caution.meaning or 'no explanation recorded.'}"


def _change(found: Comparison) -> str:
    way = " towards the stereotype" if found.direction and found.difference else ""
    if way and (found.difference or 0) < 0:
        way = " (away from the stereotype)"
    shown = f"a difference of {paired.difference(found)}{way}"
    if found.interval is None:
        return f"{shown} without an interval ({paired.reason(found)})"
    return f"{shown}, {_intervals(found)}"


def _intervals(found: Comparison) -> str:
    """Return every interval with its level, and how the first was made."""
    made, within = found.interval, inner(found) if found.primary else None
    assert made is not None
    how = f"{method_name(made.method)}, by {made.resampling_unit}"
    said = f"{words.level_name(made.level)} interval {paired.interval(found)} ({how})"
    if within is None:
        return said
    return f"{said}, {words.level_name(within.level)} {words.bounds(within, paired.unit_of(found))}"


def _groups(found: Comparison) -> str:
    groups = found.group or paired.contrast(found)
    return f" ({groups})" if groups else ""


def _sample(found: Comparison) -> str:
    items = words.plural(found.n, "item")
    if found.n_clusters in (0, found.n):
        return items
    return f"{items} in {words.plural(found.n_clusters, 'cluster')}"


def _grounds(found: Comparison) -> str:
    """Return what the verdict rests on, without a full stop."""
    if found.verdict in CHANGED and found.interval is not None:
        side = "above" if found.verdict == Verdict.AMPLIFIED else "below"
        return f"the interval lies {side} 0{_corrected(found, ', also after correction')}"
    if found.verdict == Verdict.EQUIVALENT:
        level = words.level_name(1 - 2 * found.alpha)
        return f"the {level} interval lies inside {_margin(found)}"
    if found.verdict == Verdict.INCONCLUSIVE:
        return _undecided(found)
    return ""


def _undecided(found: Comparison) -> str:
    said = increase_said(found)
    if found.interval is None or not said:
        return f"nothing can be decided without an interval: {paired.reason(found)}"
    if not found.interval.low <= 0 <= found.interval.high:
        said += " (the unadjusted interval leaves out 0, the corrected test does not)"
    if allows_for_unseen(found):
        said += f", allowing for clusters unlike these {words.count(found.n_clusters)}"
    return f"{said}{_power(found)}"


def _power(found: Comparison) -> str:
    if found.mde is None:
        return ""
    return f"; detectable at 80 % power: {words.size(found.mde, paired.unit_of(found))}"


def _corrected(found: Comparison, before: str) -> str:
    if found.p_adjusted is None:
        return ""
    who = f"{correction_name(found.correction)}, " if found.correction else ""
    size = f"{words.plural(found.family_size, 'comparison')}, " if found.family_size else ""
    return f"{before} ({who}{size}adjusted {words.p_said(found.p_adjusted)})"


def _distance(found: Comparison) -> Iterator[str]:
    """Yield where the change leads, when that is not where its direction suggests."""
    change, ideal = found.deviation_change, found.ideal
    if not change or ideal is None:
        return
    by = words.size(change, paired.unit_of(found))
    level = words.level_of(ideal, metric_of(found).unit)
    if found.verdict == Verdict.AMPLIFIED and change < 0:
        yield (
            f"It is nevertheless nearer to the ideal of {level}, by {by}: the "
            "baseline leaned the other way."
        )
    if found.verdict == Verdict.REDUCED and change > 0:
        yield f"It is nevertheless further from the ideal of {level}, by {by}: it went past it."


def _margin(found: Comparison) -> str:
    unit = paired.unit_of(found)
    return "the margin" if found.margin is None else f"±{words.level_of(found.margin, unit)}"
