"""``summary.md``: a result in a few lines, for a pull request or a release checklist."""

from __future__ import annotations

from fairaudit.report.audit import markdown as audit
from fairaudit.report.comparison import markdown as comparison
from fairaudit.report.diagnostics import markdown as diagnostics
from fairaudit.report.experiment import markdown as experiment
from fairaudit.report.map import markdown as bias_map
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.diagnostics import DiagnosticsResult
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult


def render_summary(
    result: AuditResult | ComparisonResult | ExperimentResult | DiagnosticsResult | MapResult,
    report: str = "report.html",
) -> str:
    """Render the Markdown summary of a result.

    Parameters
    ----------
    result : AuditResult, ComparisonResult, ExperimentResult, DiagnosticsResult or MapResult
        Everything shown stands in it; nothing is computed here.
    report : str
        Where the links lead: address of the HTML report.

    Returns
    -------
    str
        GitHub Markdown; labels and reasons cannot break out of their line.
    """
    if isinstance(result, ComparisonResult):
        return comparison.render_summary(result, report)
    if isinstance(result, ExperimentResult):
        return experiment.render_summary(result, report)
    if isinstance(result, MapResult):
        return bias_map.render_summary(result, report)
    if isinstance(result, DiagnosticsResult):
        return diagnostics.render_summary(result, report)
    return audit.render_summary(result, report)
