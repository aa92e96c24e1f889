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
from fairaudit.results.gate import GateDecision, GateResult, RuleResult
from fairaudit.results.types import (
    Estimate,
    Frozen,
    Interval,
    ModelIdentity,
    Provenance,
    Run,
    Settings,
    Source,
    SuiteRun,
)

__all__ = [
    "Agreement",
    "AuditResult",
    "Change",
    "Comparison",
    "ComparisonProvenance",
    "ComparisonResult",
    "Estimate",
    "Frozen",
    "GateDecision",
    "GateResult",
    "Interval",
    "ModelIdentity",
    "NotCompared",
    "Provenance",
    "RuleResult",
    "Run",
    "Settings",
    "Source",
    "SuiteRun",
]
