"""C, σ, B and η of a model: from flags, or from what lies beside its checkpoint."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

from fairaudit.diagnostics.diagnose_options import DiagnoseOptions
from fairaudit.parsing import parse_json
from fairaudit.results.diagnostics import ClippingParameters
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.results.training import TRAINING_SCHEMA, TrainingRecord
from fairaudit.vocabulary.reasons import NotRun

logger = logging.getLogger(__name__)

_NAMES: Final = ("max_grad_norm", "noise_multiplier", "batch_size", "learning_rate")


def parameters_of(folder: Path | None, given: DiagnoseOptions) -> tuple[ClippingParameters, bool]:
    """Gather the parameters of one model, flags first; and whether it has a privacy statement.

    Raises
    ------
    ResultError
        If ``privacy.json`` or ``training.json`` beside the checkpoint cannot be read.
    """
    stored: dict[str, tuple[Any, str]] = {}
    private = folder is not None and (folder / "privacy.json").exists()
    if folder is not None and _is_training_record(folder / "training.json"):
        stored |= _from_training(folder)
    if folder is not None and private:
        stored |= _from_privacy(folder)
    flags = {name: (getattr(given, name), "flag") for name in _NAMES}
    stored |= {name: entry for name, entry in flags.items() if entry[0] is not None}
    values = {name: value for name, (value, _) in stored.items()}
    return ClippingParameters(
        **values, sources={name: source for name, (_, source) in stored.items()}
    ), private


def _is_training_record(path: Path) -> bool:
    """Whether it is one of ours: other programs write files of that name."""
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and content.get("schema") == TRAINING_SCHEMA


def _from_privacy(folder: Path) -> dict[str, tuple[Any, str]]:
    statement = PrivacyStatement.load(folder)
    source = "privacy.json"
    found: dict[str, tuple[Any, str]] = {
        "noise_multiplier": (statement.noise_multiplier, source),
        "batch_size": (statement.expected_examples, source),
    }
    if _is_flat(statement.clipping.kind):
        found["max_grad_norm"] = (statement.max_grad_norm, source)
    return found


def _from_training(folder: Path) -> dict[str, tuple[Any, str]]:
    record = TrainingRecord.load(folder)
    source = "training.json"
    found: dict[str, tuple[Any, str]] = {
        "batch_size": (record.expected_examples, source),
        "learning_rate": (record.learning_rate, source),
    }
    if record.max_grad_norm is not None and _is_flat(record.clipping):
        found["max_grad_norm"] = (record.max_grad_norm, source)
    return found


def _is_flat(clipping: str) -> bool:
    """Whether gradients were clipped to one norm, which is what a diagnosis describes."""
    if clipping != "flat":
        logger.warning(
            "the model was trained with %s clipping; what flat clipping does is described only "
            "where --max-grad-norm names a norm",
            clipping,
        )
    return clipping == "flat"


def missing_reason(parameters: ClippingParameters, *names: str) -> str | None:
    """Say which of the parameters are missing, and how to give them; None if all are known."""
    missing = [name for name in names if getattr(parameters, name) is None]
    if not missing:
        return None
    flags = ", ".join("--" + name.replace("_", "-") for name in missing)
    beside = "training.json" if missing == ["learning_rate"] else "privacy.json"
    return NotRun(f"give {flags}, or a checkpoint with {beside}").reason
