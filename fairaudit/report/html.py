"""``report.html``: one file that needs nothing else, for people who want to read a result."""

from __future__ import annotations

from collections.abc import Mapping

from fairaudit.report.audit import html as audit
from fairaudit.report.comparison import html as comparison
from fairaudit.report.diagnostics import html as diagnostics
from fairaudit.report.experiment import html as experiment
from fairaudit.report.map import html as bias_map
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.diagnostics import DiagnosticsResult
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult


def render_html(
    result: AuditResult | ComparisonResult | ExperimentResult | DiagnosticsResult | MapResult,
    figures: Mapping[str, bytes],
    diagnosis: DiagnosticsResult | None = None,
) -> str:
    """Render the report of a result.

    Parameters
    ----------
    result : AuditResult, ComparisonResult, ExperimentResult, DiagnosticsResult or MapResult
        Everything shown stands in it; nothing is computed here.
    figures : mapping of str to bytes
        PNG files by stem, embedded as long as the page stays light.
    diagnosis : DiagnosticsResult or None
        Of the models of a comparison: stands beside its bias differences.

    Returns
    -------
    str
        A whole HTML document, under 2 MB. The same input gives the same text.
    """
    if isinstance(result, ComparisonResult):
        return comparison.render_html(result, diagnosis)
    if isinstance(result, ExperimentResult):
        return experiment.render_html(result, figures)
    if isinstance(result, MapResult):
        return bias_map.render_html(result, figures)
    if isinstance(result, DiagnosticsResult):
        return diagnostics.render_html(result, figures)
    return audit.render_html(result, figures)
