"""``report.html``: one file that needs nothing else, for people who want to read a result."""

from __future__ import annotations

from collections.abc import Mapping

from fairaudit.report.documents.of_result import document_of
from fairaudit.report.render.html import render_document
from fairaudit.results import GateResult
from fairaudit.results.diagnostics import DiagnosticsResult
from fairaudit.results.loading import Result


def render_html(
    result: Result,
    figures: Mapping[str, bytes],
    diagnosis: DiagnosticsResult | None = None,
    decided: GateResult | None = None,
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
    decided : GateResult or None
        What a gate decided about the result: stands at the top.

    Returns
    -------
    str
        A whole HTML document, under 2 MB. The same input gives the same text.
    """
    return render_document(document_of(result, diagnosis, decided), figures)
