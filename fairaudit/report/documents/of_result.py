"""The document of any result."""

from __future__ import annotations

from fairaudit.report.document import Document
from fairaudit.report.documents.audit import audit_document
from fairaudit.report.documents.comparison import comparison_document
from fairaudit.report.documents.diagnostics import diagnostics_document
from fairaudit.report.documents.experiment import experiment_document
from fairaudit.report.documents.gate import gate_document
from fairaudit.report.documents.map import map_document
from fairaudit.report.documents.regimes import regimes_document
from fairaudit.results import ComparisonResult, DiagnosticsResult, GateResult, loading
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult

Result = loading.Result | GateResult


def document_of(
    result: Result, diagnosis: DiagnosticsResult | None = None, decided: GateResult | None = None
) -> Document:
    """Build the document of a result, with a diagnosis and the decision of a gate beside it."""
    if isinstance(result, ComparisonResult):
        return comparison_document(result, diagnosis, decided)
    if isinstance(result, ExperimentResult):
        return regimes_document(result) if result.regimes else experiment_document(result)
    if isinstance(result, MapResult):
        return map_document(result)
    if isinstance(result, DiagnosticsResult):
        return diagnostics_document(result)
    if isinstance(result, GateResult):
        return gate_document(result)
    return audit_document(result, decided)
