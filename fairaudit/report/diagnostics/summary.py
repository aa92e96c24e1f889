"""The plain words at the top: what was looked at, what was found, and what it cannot tell."""

from __future__ import annotations

from typing import Final

from fairaudit.report import words
from fairaudit.report.diagnostics import view
from fairaudit.report.diagnostics.quantities_in_words import group_name, meaning_of
from fairaudit.report.names import axis_name
from fairaudit.results.diagnostics import NOT_COVERED, DiagnosticsResult, GroupDifference

LIMITS: Final = (
    "A group whose gradient differs is not thereby treated worse: the bias itself is what an audit "
    "measures. Finding no difference does not mean that there is none: these texts do not decide "
    "it."
)


def looked_at(result: DiagnosticsResult) -> str:
    """Say how many texts of which groups, in how many models."""
    kept = [group for group in result.groups if group.reason is None]
    n = sum(group.n for group in kept)
    models = words.plural(len(result.models), "model")
    if result.is_series:
        models = f"a series of {len(result.models)} checkpoints"
    axes = words.listed([axis_name(axis).lower() for axis in view.axes(result)])
    return (
        f"The gradients of {words.plural(n, 'text')} in {words.plural(len(kept), 'group')} "
        f"({axes}) were looked at in {models}."
    )


def answer(result: DiagnosticsResult) -> str:
    """Say whether groups converge differently, after correction for all looks."""
    tested = [entry for entry in view.primary(result) if entry.p_adjusted is not None]
    if not tested:
        return "Nothing could be tested: see the reasons below."
    found = view.found_different(tested)
    looks = words.plural(len(tested), "comparison")
    if not found:
        return f"No difference in convergence between groups was found in {looks}."
    strongest = min(found, key=lambda entry: (entry.p_adjusted or 0.0, entry.p_value or 0.0))
    return (
        f"{len(found)} of {looks} show{'s' if len(found) == 1 else ''} a difference between "
        f"groups; the clearest: {sentence(strongest)}"
    )


def sentence(found: GroupDifference) -> str:
    """Return one difference in words."""
    where = axis_name(found.axis).lower()
    pair = f"{group_name(found.group)} against {group_name(found.other)} texts ({where})"
    label = meaning_of(found.name).label.lower()
    if found.difference is None:
        return f"{label}, {pair}: {found.reason or 'no value'}."
    side = "larger" if found.difference > 0 else "smaller"
    return f"{label}, {pair}, is {side} (adjusted p {words.p_of(found.p_adjusted)})."


def not_run(result: DiagnosticsResult) -> str:
    """Count the quantities that were not looked at; an empty text where there are none."""
    missing = {name for names in view.not_run(result).values() for name in names}
    return f"{words.plural(len(missing), 'quantity', 'quantities')} not run." if missing else ""


def not_covered(result: DiagnosticsResult) -> str:
    """Warn of private texts; an empty text where they are public."""
    if result.provenance.texts_public:
        return ""
    return f"These numbers are {NOT_COVERED}: nobody declared the texts public."
