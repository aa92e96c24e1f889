"""Models that lie in the user's memory: used as they are, and given back as they were."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

logger = logging.getLogger(__name__)


@contextlib.contextmanager
def as_found(*sources: object) -> Iterator[None]:
    """Put each model in memory back into the state that it had, also after an error.

    Loading switches every module to evaluation and nothing else that outlives a batch; so the mode
    of each module is what has to be restored. Sources that are no ``(model, tokenizer)`` are
    loaded from disk for one call and need nothing.

    Parameters
    ----------
    *sources : object
        What was asked to be audited: paths, ids or ``(model, tokenizer)``.

    Yields
    ------
    None
        Once; models are put back afterwards.
    """
    modes = [
        (module, module.training)
        for source in sources
        if isinstance(source, tuple) and isinstance(source[0], torch.nn.Module)
        for module in source[0].modules()
    ]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def borrowed_name(model: Any) -> str:
    """Name of a model in memory: that of its folder or on the Hub, else its class.

    Parameters
    ----------
    model : PreTrainedModel
        A model in memory.

    Returns
    -------
    str
        Never empty, and no path of this machine.
    """
    path = Path(str(getattr(model, "name_or_path", "") or ""))
    on_hub = not path.is_absolute() and len(path.parts) <= 2 and not path.exists()
    return (path.as_posix() if on_hub else path.name) or type(model).__name__


def warn_if_slow(model: Any) -> None:
    """Say that half precision is slow on a CPU: a model in memory is never converted."""
    first = next(model.parameters())
    if first.device.type == "cpu" and first.dtype in (torch.float16, torch.bfloat16):
        logger.warning(
            "this model is %s on a CPU, where float32 is many times as fast: pass model.float()",
            str(first.dtype).removeprefix("torch."),
        )
