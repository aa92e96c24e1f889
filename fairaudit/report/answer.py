"""A result in a few lines: its title, its answer, and the rows of numbers that it rests on."""

from __future__ import annotations

from typing import Final

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts, words
from fairaudit.report.audit import summary as audit_summary
from fairaudit.report.audit.reading import standing_words
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.comparison import summary as comparison_summary
from fairaudit.report.comparison.view import primary
from fairaudit.report.diagnostics import summary as diagnostics_summary
from fairaudit.report.diagnostics.quantities_in_words import (
    difference_of,
    group_name,
    meaning_of,
    other_name,
)
from fairaudit.report.experiment import numbers
from fairaudit.report.experiment import regimes as experiment_regimes
from fairaudit.report.experiment import summary as experiment_summary
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.gate import gate_numbers
from fairaudit.report.map import numbers as map_numbers
from fairaudit.report.map import summary as map_summary
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.results import (
    AuditResult,
    Comparison,
    ComparisonResult,
    Estimate,
    GateResult,
    RuleResult,
)
from fairaudit.results.diagnostics import DiagnosticsResult, GroupDifference
from fairaudit.results.experiment import ExperimentResult, Level
from fairaudit.results.map import MapCell, MapResult

ShownRow = tuple[str, ...]
Result = (
    AuditResult | ComparisonResult | ExperimentResult | DiagnosticsResult | GateResult | MapResult
)

#: Heads of columns that hold names, not numbers: where room is short, they are abridged.
NAMES: Final = frozenset(
    {"Candidate", "Suite", "Axis", "Metric", "Arm", "Groups", "What", "Rule", "Number"}
)


def title_of(result: Result) -> tuple[str, str]:
    """Say what was looked at, and the answer in one or two sentences."""
    if isinstance(result, AuditResult):
        return result.label, f"{audit_summary.answer(result)} {audit_summary.found(result)}"
    if isinstance(result, ComparisonResult):
        names = words.listed(result.candidates)
        return f"{names} compared with {result.baseline}", comparison_summary.overall(result)
    if isinstance(result, GateResult):
        return f"Release gate: {result.decision}", f"{gate_numbers.counted(result)}."
    if isinstance(result, ExperimentResult):
        told = experiment_regimes if result.regimes else experiment_summary
        return result.name, " ".join(told.answers(result))
    if isinstance(result, MapResult):
        return result.name, map_summary.headline(result)
    models = words.listed([model.label for model in result.models])
    return models, diagnostics_summary.answer(result)


def whole_of(result: Result) -> str:
    """Return the call that gives all rows."""
    if isinstance(result, GateResult):
        return "explain()"
    return "differences_frame()" if isinstance(result, DiagnosticsResult) else "to_frame()"


def rows_of(result: Result) -> tuple[ShownRow, list[ShownRow]]:
    """Return heads and rows of the numbers that the answer rests on."""
    if isinstance(result, AuditResult):
        heads: ShownRow = ("Suite", "Axis", "Metric", "Value", "Interval", "n", "Reading")
        return heads, [_estimate_row(one) for one in primary_bias(result) or result.estimates]
    if isinstance(result, ComparisonResult):
        heads = ("Candidate", "Suite", "Axis", "Metric", "Difference", "Interval", "n", "Verdict")
        # The title names a single candidate.
        first = 0 if len(result.candidates) > 1 else 1
        return heads[first:], [_comparison_row(one)[first:] for one in primary(result)]
    if isinstance(result, GateResult):
        heads = ("Decision", "Rule", "Number", "Value", "Why")
        return heads, [_check_row(one) for one in _worst_first(result)]
    if isinstance(result, ExperimentResult):
        heads = ("Arm", "Axis", "Metric", "Level", "Interval", "Seeds")
        if result.regimes:
            return ("Regime", *heads), [
                (experiment_regimes.label_of(regime), *_level_row(one))
                for regime in result.regimes
                for one in regime.levels
                if one.group is None
            ]
        return heads, [_level_row(one) for one in result.levels if one.group is None]
    if isinstance(result, MapResult):
        heads = ("Arm", "Base leans more by", "Second group", "Change", "Interval", "Seeds")
        return heads, [_cell_row(one, result) for one in result.cells]
    heads = ("Axis", "Groups", "What", "Difference", "Adjusted p")
    return heads, [_group_row(one) for one in result.differences if one.primary]


def _estimate_row(found: Estimate) -> ShownRow:
    return (
        f"{suite_name(found.suite)}, {variant(found.protocol)}",
        axis_name(found.axis),
        metric_of(found).label,
        words.value_of(found),
        words.interval_of(found),
        words.count(found.n),
        standing_words(found) if found.kind == "bias" else found.kind,
    )


def _comparison_row(found: Comparison) -> ShownRow:
    word = verdicts.word_of(found)
    return (
        found.candidate,
        suite_name(found.suite),
        axis_name(found.axis),
        metric_of(found).label,
        paired.difference(found),
        paired.interval(found),
        words.count(found.n),
        f"{word.mark} {word.label}",
    )


def _level_row(found: Level) -> ShownRow:
    return (
        arm_of(found.arm).name,
        axis_name(found.axis),
        numbers.metric_named(found.name).label,
        numbers.level(found),
        numbers.level_interval(found),
        words.count(found.n_seeds),
    )


def _cell_row(found: MapCell, result: MapResult) -> ShownRow:
    unit = map_numbers.unit_of(result)
    return (
        arm_of(found.arm).name,
        map_numbers.lean(found.lean),
        map_numbers.frequency(found.share),
        map_numbers.change(found.change, unit),
        map_numbers.bounds(found.change, unit),
        words.count(found.change.n_seeds),
    )


def _group_row(found: GroupDifference) -> ShownRow:
    return (
        axis_name(found.axis),
        f"{group_name(found.group)} / {other_name(found.axis, found.other)}",
        meaning_of(found.name).label,
        difference_of(found),
        words.p_of(found.p_adjusted),
    )


def _worst_first(result: GateResult) -> list[RuleResult]:
    return sorted(result.rules, key=lambda one: one.decision.rank)


def _check_row(found: RuleResult) -> ShownRow:
    return (
        found.decision,
        f"{found.rule} {gate_numbers.limit_of(found)}".rstrip(),
        found.selector,
        f"{gate_numbers.value_of(found)} {gate_numbers.bounds_of(found)}".strip(),
        found.reason,
    )
