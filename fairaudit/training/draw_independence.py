"""Before training: whether a record brings the same gradient whatever is drawn with it."""

from __future__ import annotations

import logging
from typing import Final

import numpy as np

from fairaudit.errors import ModelError
from fairaudit.gradients import GradientEngine, dependence
from fairaudit.scoring.probe_rows import ordinary_ids, probe_rows
from fairaudit.training.encoding import Row
from fairaudit.training.jobs import FineTuning

logger = logging.getLogger(__name__)

#: Tokens of text in the rows that are tried, where they fit.
_LENGTHS: Final = (3, 12, 70)
_MASK_SEED: Final = 0


def check_independence(job: FineTuning, engine: GradientEngine) -> None:
    """Refuse private training of a model whose gradients per record do not exist.

    The rows that are tried are made for it, so what is refused tells nothing about the training
    text. Without privacy nothing rests on it, and a warning says so.

    Raises
    ------
    ModelError
        If the run would claim an ε that does not hold.
    """
    frame, tokenizer = job.corpus.frame, job.loaded.tokenizer
    texts = probe_rows(tokenizer, job.loaded.vocabulary_size, frame.room, lengths=_LENGTHS)
    rng = np.random.default_rng(_MASK_SEED)
    rows = [job.label([Row.of((*frame.start, *text, *frame.end))], rng)[0] for text in texts]
    other = ordinary_ids(tokenizer, job.loaded.vocabulary_size)[-1]
    reason = dependence(engine, rows, (job.pad_id, other))
    if reason is None:
        return
    name = job.loaded.identity.architecture
    if job.plan.mechanism == "dp":
        raise ModelError(
            f"{name}: {reason}, so that no ε would hold; train another architecture, or this "
            "one without privacy"
        )
    logger.warning("%s: %s; what it learns depends on how rows are batched", name, reason)
