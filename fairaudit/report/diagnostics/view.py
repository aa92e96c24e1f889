"""What a report of a diagnosis shows, in order, cut from the result."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.report.grouping import grouped
from fairaudit.results.diagnostics import (
    DiagnosedModel,
    DiagnosticsResult,
    GroupDifference,
    Quantity,
    RecordPush,
)
from fairaudit.vocabulary.influences import influence_of
from fairaudit.vocabulary.reasons import not_run_of

#: Columns of the tables of groups: what is read first, then clipping, noise and risk.
TABLES: Final = (
    ("Convergence", ("loss", "mean_norm", "norm_of_mean", "record_share", "curvature_trace")),
    (
        "Clipping",
        (
            "clip_rate",
            "mean_clip_factor",
            "attenuation",
            "clipping_bias_relative",
            "clipping_cosine",
            "effective_weight",
        ),
    ),
    (
        "Direction and noise",
        ("batch_cosine", "clipped_batch_cosine", "misalignment", "turned_away", "signal_to_noise"),
    ),
    (
        "Excess risk of one step",
        ("risk_clipping", "risk_direction", "risk_magnitude", "risk_noise"),
    ),
    ("Counterfactual twins", ("swap_odd_share", "clip_factor_gap")),
)

GroupRow = tuple[str, tuple[Quantity | None, ...]]


@dataclass(frozen=True, slots=True)
class Table:
    """Quantities of the groups of one axis in one model: a row per group."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[GroupRow, ...]
    #: Reasons for missing columns, each once.
    reasons: tuple[str, ...]


class Lookup:
    """Quantities of a result by key."""

    def __init__(self, result: DiagnosticsResult) -> None:
        self._found = {entry.key: entry for entry in result.quantities}

    def get(
        self, model: str, axis: str, group: str | None, name: str, other: str | None = None
    ) -> Quantity | None:
        """Return a quantity, or None."""
        return self._found.get((model, axis, group, other, name))


def axes(result: DiagnosticsResult) -> tuple[str, ...]:
    """Axes with groups that were looked at, in order."""
    return tuple(dict.fromkeys(g.axis for g in result.groups if g.reason is None))


def groups(result: DiagnosticsResult, axis: str) -> tuple[str, ...]:
    """Return the groups of an axis that were looked at, in order."""
    return tuple(g.group for g in result.groups if g.axis == axis and g.reason is None)


def tables(result: DiagnosticsResult, model: str, axis: str) -> tuple[Table, ...]:
    """Tables of one axis in one model; without those that were not run at all."""
    lookup = Lookup(result)
    bias = tuple(
        dict.fromkeys(
            entry.name for entry in result.quantities
            if entry.axis == axis and entry.model == model
            and influence_of(entry.name) is not None
        )
    )  # fmt: skip
    wanted = (*TABLES, ("Push on the bias score", bias))
    found = [_table(lookup, result, model, axis, title, columns) for title, columns in wanted]
    return tuple(table for table in found if table.columns)


def _table(
    lookup: Lookup,
    result: DiagnosticsResult,
    model: str,
    axis: str,
    title: str,
    columns: Sequence[str],
) -> Table:
    own = groups(result, axis)
    entries = {name: [lookup.get(model, axis, group, name) for group in own] for name in columns}
    kept = tuple(
        name
        for name, found in entries.items()
        if any(entry is not None and entry.value is not None for entry in found)
    )
    rows = tuple(
        (group, tuple(entries[name][place] for name in kept)) for place, group in enumerate(own)
    )
    missing = [e for found in entries.values() for e in found if e is not None and e.value is None]
    reasons = dict.fromkeys(entry.reason for entry in missing if entry.reason)
    return Table(title, kept, rows, tuple(reasons))


def not_run(result: DiagnosticsResult) -> dict[str, tuple[str, ...]]:
    """Return reasons why quantities were not run, each with the names of the quantities."""
    found: dict[str, dict[str, None]] = {}
    for entry in result.quantities:
        missing = not_run_of(entry.reason)
        if entry.value is None and missing is not None:
            found.setdefault(missing.why, {})[entry.name] = None
    return {why: tuple(names) for why, names in found.items()}


def primary(result: DiagnosticsResult) -> tuple[GroupDifference, ...]:
    """Differences that were named before the data were seen."""
    return tuple(found for found in result.differences if found.primary)


def exploratory(result: DiagnosticsResult) -> dict[str, list[GroupDifference]]:
    """All other differences by axis; those without a value are left out."""
    shown = [e for e in result.differences if not e.primary and e.difference is not None]
    return grouped(shown, lambda entry: entry.axis)


def found_different(entries: Sequence[GroupDifference]) -> tuple[GroupDifference, ...]:
    """Differences whose adjusted p-value is below 0.05."""
    return tuple(e for e in entries if e.p_adjusted is not None and e.p_adjusted < 0.05)


@dataclass(frozen=True, slots=True)
class Arm:
    """One model beside the first: its bias change and the disparity of two groups."""

    model: DiagnosedModel
    axis: str
    bias: Quantity | None
    bias_change: float | None
    disparities: tuple[GroupDifference, ...]


def arms(result: DiagnosticsResult) -> tuple[Arm, ...]:
    """For each model and axis the bias score, its change from the first model, and disparities."""
    return tuple(_arms(result)) if len(result.models) > 1 else ()


def _arms(result: DiagnosticsResult) -> Iterator[Arm]:
    lookup, first = Lookup(result), result.models[0].label
    for axis in axes(result):
        start = lookup.get(first, axis, None, "bias_score")
        for model in result.models:
            bias = lookup.get(model.label, axis, None, "bias_score")
            change = None
            if bias and start and bias.value is not None and start.value is not None:
                change = bias.value - start.value
            found = tuple(
                entry
                for entry in result.differences
                if (entry.model, entry.axis) == (model.label, axis)
                and entry.name == "convergence_disparity"
            )
            yield Arm(model, axis, bias, change, found)


def pushes(result: DiagnosticsResult) -> dict[str, list[RecordPush]]:
    """Return the records that push the bias of the last model most, by axis of the bias."""
    label = result.models[-1].label
    return grouped((push for push in result.pushes if push.model == label), lambda one: one.axis)
