"""Frozen result types, their schema version, and JSON in and out."""

from fairaudit.results.audit import AuditResult
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
    "AuditResult",
    "Estimate",
    "Frozen",
    "Interval",
    "ModelIdentity",
    "Provenance",
    "Run",
    "Settings",
    "Source",
    "SuiteRun",
]
