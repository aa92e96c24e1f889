"""``report.html``: one file that needs nothing else, for people who want to read a result."""

from __future__ import annotations

from collections.abc import Mapping

from fairaudit.report.audit import html as audit
from fairaudit.report.comparison import html as comparison
from fairaudit.report.experiment import html as experiment
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.experiment import ExperimentResult


def render_html(
    result: AuditResult | ComparisonResult | ExperimentResult, figures: Mapping[str, bytes]
) -> str:
    """Render the report of a result.

    Parameters
    ----------
    result : AuditResult, ComparisonResult or ExperimentResult
        Everything shown stands in it; nothing is computed here.
    figures : mapping of str to bytes
        PNG files by stem, embedded as long as the page stays light.

    Returns
    -------
    str
        A whole HTML document, under 2 MB. The same input gives the same text.
    """
    if isinstance(result, ComparisonResult):
        return comparison.render_html(result)
    if isinstance(result, ExperimentResult):
        return experiment.render_html(result)
    return audit.render_html(result, figures)
