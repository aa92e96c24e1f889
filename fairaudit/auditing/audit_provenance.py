"""Where an audit's numbers come from, and what lies beside the checkpoint."""

from __future__ import annotations

import logging
import platform
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fairaudit.parsing import parse_json
from fairaudit.results import Provenance, Settings
from fairaudit.versions import versions_of

if TYPE_CHECKING:
    from fairaudit.scoring.load import LoadedModel
    from fairaudit.scoring.texts.base import TextScorer
    from fairaudit.training.verification import ClaimNote

logger = logging.getLogger(__name__)


def provenance_of(loaded: LoadedModel, settings: Settings, base: LoadedModel | None) -> Provenance:
    """Model, base, settings, device and versions of an audit, and how the model was trained."""
    versions = versions_of("torch", "transformers", "numpy", "scipy", "pandas")
    return Provenance(
        model=loaded.identity,
        base=None if base is None else base.identity,
        training=json_beside(loaded.folder, "training.json", "fairaudit/training"),
        settings=settings,
        device=loaded.device,
        versions={"python": platform.python_version(), **versions},
    )


def json_beside(folder: Path | None, name: str, schema: str) -> dict[str, Any] | None:
    """Read a fairaudit file beside the checkpoint; other tools' files are not ours."""
    path = folder / name if folder is not None else None
    if path is None or not path.is_file():
        return None
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read (%s)", path, error)
        return None
    return content if isinstance(content, dict) and content.get("schema") == schema else None


def claim_of(privacy: dict[str, Any] | None, loaded: LoadedModel) -> ClaimNote | None:
    """Say what comes of recomputing the privacy claim that lies beside the checkpoint."""
    if privacy is None:
        return None
    from fairaudit.training.verification import claim_note

    training = json_beside(loaded.folder, "training.json", "fairaudit/training")
    return claim_note(privacy, loaded.identity.fingerprint, training)


def batching_notes(settings: Settings, scorers: Iterable[TextScorer]) -> list[str]:
    """Say where padding would have changed an answer, and what was done instead."""
    together = {
        "equal_lengths": "only rows of equal length ran together",
        "single": "each row ran alone",
    }
    found = {f"this model's {asked}": how for asked, how in settings.batching.items()}
    # Word lists read one text at a time.
    found |= {f"the scores of {one.id}": getattr(one, "batching", "padded") for one in scorers}
    return [
        f"padding changes {answers}, so {together[how]}"
        for answers, how in found.items()
        if how in together
    ]
