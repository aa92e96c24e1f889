"""What keeps a rule about a comparison from passing, whatever its bounds say.

Bounds speak of the items that both audits scored, in the settings of each. Where many items are
missing on one side, or the settings differ, a difference need not be one of the models: such a rule
can still fail, but a pass would be more than the numbers show. A policy can allow either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from fairaudit.gating.gate_checks import Check
from fairaudit.gating.policy import PolicySettings
from fairaudit.results.comparison import Comparison, ComparisonResult, Paired
from fairaudit.results.relations import is_swapped, loss_in_words, setting_differences
from fairaudit.vocabulary.decisions import INCONCLUSIVE, PASS
from fairaudit.vocabulary.verdicts import Verdict


def held_back(check: Check, reasons: Iterator[str]) -> Check:
    """Return a check that cannot pass, if there is a reason for that."""
    said = "; ".join(reasons)
    passed = check.words.get(PASS)
    if not said:
        return check
    if passed is None:
        return replace(check, refused=True)
    words = {**check.words}
    if check.settled == PASS or check.passes:
        words[INCONCLUSIVE] = f"{passed}; but {said}"
    settled = INCONCLUSIVE if check.settled == PASS else check.settled
    return replace(check, words=words, settled=settled, passes=False, refused=True)


def lost_items(entry: Paired, settings: PolicySettings) -> Iterator[str]:
    """Say so where one audit lacks more of the other's items than the policy allows."""
    if entry.lost_share > settings.max_lost:
        yield f"{loss_in_words(entry)}, more than max_lost = {settings.max_lost:g} allows"
    elif entry.lost_group_share > settings.max_lost:
        yield (
            f"{entry.lost_group_share:.1%} of the items of '{entry.lost_group}' have a score on "
            f"one side only, more than max_lost = {settings.max_lost:g} allows of any group"
        )


def other_settings(
    entry: Comparison, result: ComparisonResult, settings: PolicySettings
) -> Iterator[str]:
    """Say so where a candidate was scored in another way than the baseline."""
    if entry.verdict == Verdict.IDENTICAL:
        # The scores are the same, so the settings changed none.
        return
    theirs = result.provenance.candidates.get(entry.candidate)
    if theirs is None:
        yield "nothing is recorded of how the candidate was scored"
        return
    for one in setting_differences(result.provenance.baseline, theirs):
        if one.name not in settings.allow_differences:
            yield (
                f"the candidate was scored with {one.name} {one.candidate}, the baseline with "
                f"{one.baseline}; if that is what you compare, write "
                f'allow_differences = ["{one.name}"] in [policy]'
            )


def swapped(result: ComparisonResult, candidate: str) -> str | None:
    """Say so where the baseline was made from the candidate; None otherwise."""
    sides = result.provenance
    theirs, statement = sides.candidates.get(candidate), sides.privacy.get(result.baseline)
    if theirs is None or not is_swapped(sides.baseline, theirs, statement):
        return None
    return (
        f"baseline and candidate look swapped: {result.baseline} was made from {candidate}; "
        "compare again with the base model first"
    )
