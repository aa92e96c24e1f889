"""``summary.md`` of a diagnosis: the answer, groups of the last model, what was not run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairaudit.report.diagnostics import summary, view
from fairaudit.report.diagnostics.quantities_in_words import (
    difference_of,
    group_name,
    meaning_of,
    model_name,
    value_of,
)
from fairaudit.report.escape import code, escape, listed
from fairaudit.report.names import axis_name
from fairaudit.report.words import MISSING, p_of
from fairaudit.results.diagnostics import DiagnosticsResult

_COLUMNS: Final = ("norm_of_mean", "clip_rate", "misalignment", "signal_to_noise")


def render_summary(result: DiagnosticsResult, report: str = "report.html") -> str:
    """Render the Markdown summary of one diagnosis; see `fairaudit.report.markdown`."""
    warning = summary.not_covered(result)
    blocks = [
        f"## Gradient disparity: {code(', '.join(model.label for model in result.models))}",
        f"**{escape(summary.answer(result))}** {escape(summary.looked_at(result))} "
        f"{summary.LIMITS}",
        *([f"> **{escape(warning)}**"] if warning else []),
        _groups(result),
        *listed("Different after correction", _found(result)),
        *_folded(result),
        f"Figures, all differences, how to read them, provenance: [{report}]({report}).",
    ]
    return "\n\n".join(blocks) + "\n"


def _groups(result: DiagnosticsResult) -> str:
    lookup, model = view.Lookup(result), result.models[-1]
    labels = " | ".join(meaning_of(name).label for name in _COLUMNS)
    lines = [f"| {escape(model_name(model))} | {labels} |", "| --- |" + " ---: |" * len(_COLUMNS)]
    for axis in view.axes(result):
        for group in view.groups(result, axis):
            found = [lookup.get(model.label, axis, group, name) for name in _COLUMNS]
            cells = " | ".join(MISSING if cell is None else value_of(cell) for cell in found)
            lines.append(f"| {escape(axis_name(axis))}, {escape(group_name(group))} | {cells} |")
    return "\n".join(lines)


def _found(result: DiagnosticsResult) -> Iterator[str]:
    labels = {model.label: model_name(model) for model in result.models}
    for found in view.found_different(result.differences)[:20]:
        where = f"{axis_name(found.axis)}, {group_name(found.group)} − {group_name(found.other)}"
        if found.model is not None and len(result.models) > 1:
            where += f", {labels[found.model]}"
        yield (
            f"{escape(meaning_of(found.name).label)} · {escape(where)} · "
            f"**{difference_of(found)}** · adjusted p {p_of(found.p_adjusted)}"
        )


def _folded(result: DiagnosticsResult) -> Iterator[str]:
    """Fold what was not run, which Markdown of GitHub and of the Hub does."""
    lines = [f"- {line}" for line in _missing(result)]
    if lines:
        head = f"<summary>{summary.not_run(result)}</summary>"
        yield "\n".join(["<details>", head, "", *lines, "", "</details>"])


def _missing(result: DiagnosticsResult) -> Iterator[str]:
    for reason, quantities in view.not_run(result).items():
        labels = ", ".join(dict.fromkeys(meaning_of(name).label for name in quantities))
        yield f"**{escape(labels)}**: {escape(reason)}"
