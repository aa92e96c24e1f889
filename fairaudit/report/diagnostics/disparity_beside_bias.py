"""In a comparison: for each candidate the disparity of gradients beside the change of bias.

The diagnosis lies in ``diagnostics/`` of the comparison's folder; models are matched by
fingerprint, never by name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairaudit.results.comparison import Comparison, ComparisonResult
from fairaudit.results.diagnostics import DiagnosticsResult, GroupDifference, Quantity

FOLDER: Final = "diagnostics"


@dataclass(frozen=True, slots=True)
class Beside:
    """One candidate and axis: primary bias differences, disparities, clip rates of its groups."""

    candidate: str
    axis: str
    biases: tuple[Comparison, ...]
    disparities: tuple[GroupDifference, ...]
    clip_rates: tuple[Quantity, ...]


def load_beside(folder: Path) -> DiagnosticsResult | None:
    """Read the diagnosis that lies beside a comparison, if there is one.

    Raises
    ------
    ResultError
        If there is one and it is damaged.
    """
    path = folder / FOLDER
    return DiagnosticsResult.load(path) if (path / "result.json").exists() else None


def beside(comparison: ComparisonResult, diagnosis: DiagnosticsResult | None) -> tuple[Beside, ...]:
    """Return the rows for all candidates that were diagnosed together with the baseline."""
    return () if diagnosis is None else tuple(_rows(comparison, diagnosis))


def _rows(comparison: ComparisonResult, diagnosis: DiagnosticsResult) -> Iterator[Beside]:
    labels = {model.identity.fingerprint: model.label for model in diagnosis.models}
    first = diagnosis.models[0].identity.fingerprint
    if first is None or comparison.provenance.baseline.model.fingerprint != first:
        return
    for candidate in comparison.candidates:
        label = labels.get(comparison.provenance.candidates[candidate].model.fingerprint)
        if label is None:
            continue
        for axis in dict.fromkeys(group.axis for group in diagnosis.groups):
            found = Beside(
                candidate,
                axis,
                tuple(
                    entry
                    for entry in comparison.comparisons
                    if (entry.candidate, entry.axis, entry.group) == (candidate, axis, None)
                    and entry.primary
                ),
                tuple(
                    entry
                    for entry in diagnosis.differences
                    if (entry.model, entry.axis) == (label, axis)
                    and entry.name == "convergence_disparity"
                ),
                tuple(
                    entry
                    for entry in diagnosis.quantities
                    if (entry.model, entry.axis, entry.name) == (label, axis, "clip_rate")
                    and entry.value is not None
                ),
            )
            if found.biases and found.disparities:
                yield found
