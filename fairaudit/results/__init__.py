"""Frozen result types, their schema version, and JSON in and out."""

from fairaudit.results.audit import AuditResult
from fairaudit.results.comparison import (
    Agreement,
    Change,
    Comparison,
    ComparisonProvenance,
    ComparisonResult,
    NotCompared,
)
from fairaudit.results.diagnostics import (
    ClippingParameters,
    DiagnosedModel,
    DiagnosticsProvenance,
    DiagnosticsResult,
    GroupDifference,
    ProbeGroup,
    Quantity,
    RecordPush,
)
from fairaudit.results.gate import GateDecision, GateResult, RuleResult
from fairaudit.results.types import (
    AdapterOrigin,
    Estimate,
    Frozen,
    Interval,
    ItemExample,
    ModelIdentity,
    Provenance,
    Run,
    Settings,
    Source,
    SuiteRun,
)

__all__ = [
    "AdapterOrigin",
    "Agreement",
    "AuditResult",
    "Change",
    "ClippingParameters",
    "Comparison",
    "ComparisonProvenance",
    "ComparisonResult",
    "DiagnosedModel",
    "DiagnosticsProvenance",
    "DiagnosticsResult",
    "Estimate",
    "Frozen",
    "GateDecision",
    "GateResult",
    "GroupDifference",
    "Interval",
    "ItemExample",
    "ModelIdentity",
    "NotCompared",
    "ProbeGroup",
    "Provenance",
    "Quantity",
    "RecordPush",
    "RuleResult",
    "Run",
    "Settings",
    "Source",
    "SuiteRun",
]
