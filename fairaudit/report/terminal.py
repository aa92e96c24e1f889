"""A result in a terminal: the numbers that matter, in a table that fits 80 columns."""

from __future__ import annotations

from rich.console import Group

from fairaudit.report.audit import terminal as audit
from fairaudit.report.comparison import terminal as comparison
from fairaudit.report.diagnostics import terminal as diagnostics
from fairaudit.report.experiment import terminal as experiment
from fairaudit.report.map import terminal as bias_map
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.diagnostics import DiagnosticsResult
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult


def render_terminal(
    result: AuditResult | ComparisonResult | ExperimentResult | DiagnosticsResult | MapResult,
) -> Group:
    """Everything a terminal shows of a result.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    if isinstance(result, ComparisonResult):
        return comparison.render_terminal(result)
    if isinstance(result, ExperimentResult):
        return experiment.render_experiment(result)
    if isinstance(result, MapResult):
        return bias_map.render_map(result)
    if isinstance(result, DiagnosticsResult):
        return diagnostics.render_terminal(result)
    return audit.render_terminal(result)
