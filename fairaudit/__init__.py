"""fairaudit: did fine-tuning make a language model more biased, and how sure are we.

Public functions are imported when first used: ``import fairaudit`` stays fast and pulls in neither
torch nor transformers.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from fairaudit._version import __version__
from fairaudit.namesake import warn_of_namesake

if TYPE_CHECKING:
    from fairaudit.auditing.run_audit import audit
    from fairaudit.augmentation import augment
    from fairaudit.comparing.compare import compare
    from fairaudit.diagnostics.diagnosing import diagnose
    from fairaudit.errors import FairauditError
    from fairaudit.experiments.experimenting import experiment
    from fairaudit.experiments.mapping import experiment_map
    from fairaudit.gating.gate import gate
    from fairaudit.integrations.hub import push_to_hub
    from fairaudit.integrations.item_scores import item_scores
    from fairaudit.integrations.numbers import numbers_of
    from fairaudit.integrations.private_trainer import PrivateTrainer, PrivateTraining
    from fairaudit.integrations.trackers import track
    from fairaudit.integrations.trainer import AuditCallback
    from fairaudit.recorded.audit_scores import audit_scores
    from fairaudit.report.card.update import update_card
    from fairaudit.results import (
        AuditResult,
        Comparison,
        ComparisonResult,
        DiagnosticsResult,
        Estimate,
        GateResult,
        Interval,
    )
    from fairaudit.results.experiment import ExperimentResult
    from fairaudit.results.map import MapResult
    from fairaudit.training.finetuning import finetune
    from fairaudit.training.verification import verify

_PUBLIC = {
    "AuditCallback": "fairaudit.integrations.trainer",
    "AuditResult": "fairaudit.results",
    "Comparison": "fairaudit.results",
    "ComparisonResult": "fairaudit.results",
    "DiagnosticsResult": "fairaudit.results",
    "Estimate": "fairaudit.results",
    "ExperimentResult": "fairaudit.results.experiment",
    "FairauditError": "fairaudit.errors",
    "GateResult": "fairaudit.results",
    "Interval": "fairaudit.results",
    "MapResult": "fairaudit.results.map",
    "PrivateTrainer": "fairaudit.integrations.private_trainer",
    "PrivateTraining": "fairaudit.integrations.private_trainer",
    "audit": "fairaudit.auditing.run_audit",
    "audit_scores": "fairaudit.recorded.audit_scores",
    "augment": "fairaudit.augmentation",
    "compare": "fairaudit.comparing.compare",
    "diagnose": "fairaudit.diagnostics.diagnosing",
    "experiment": "fairaudit.experiments.experimenting",
    "experiment_map": "fairaudit.experiments.mapping",
    "finetune": "fairaudit.training.finetuning",
    "gate": "fairaudit.gating.gate",
    "item_scores": "fairaudit.integrations.item_scores",
    "numbers_of": "fairaudit.integrations.numbers",
    "push_to_hub": "fairaudit.integrations.hub",
    "track": "fairaudit.integrations.trackers",
    "update_card": "fairaudit.report.card.update",
    "verify": "fairaudit.training.verification",
}

__all__ = [
    "AuditCallback",
    "AuditResult",
    "Comparison",
    "ComparisonResult",
    "DiagnosticsResult",
    "Estimate",
    "ExperimentResult",
    "FairauditError",
    "GateResult",
    "Interval",
    "MapResult",
    "PrivateTrainer",
    "PrivateTraining",
    "__version__",
    "audit",
    "audit_scores",
    "augment",
    "compare",
    "diagnose",
    "experiment",
    "experiment_map",
    "finetune",
    "gate",
    "item_scores",
    "numbers_of",
    "push_to_hub",
    "track",
    "update_card",
    "verify",
]

warn_of_namesake()


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module 'fairaudit' has no attribute '{name}'")
    return getattr(import_module(_PUBLIC[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
