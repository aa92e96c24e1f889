"""Whether a model that is loaded as causal reads from left to right, and what it is if not.

`transformers` gives encoders a causal class too: ``BertLMHeadModel`` without ``is_decoder``, XLM,
XLNet. They run, but each token sees those after it, and often itself. What they say is no
probability of a next token.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final, Literal

import torch
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

from fairaudit.errors import ModelError
from fairaudit.scoring.batch_independence import agreement
from fairaudit.scoring.checkpoints.limits import check_ids
from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.probe_rows import Ids, ordinary_ids, probe_rows
from fairaudit.scoring.token_rows import Encoder

logger = logging.getLogger(__name__)

_LENGTHS: Final = (3, 10, 24)


def kind_of_causal(
    model: Any, tokenizer: Any, limit: int | None
) -> tuple[Literal["causal", "masked"], tuple[str, ...]]:
    """Find out how a model must be asked that was loaded with a causal class.

    Parameters
    ----------
    model : PreTrainedModel
        In evaluation mode, where it will run.
    tokenizer : PreTrainedTokenizerBase
        Its tokenizer.
    limit : int or None
        Longest row that it takes.

    Returns
    -------
    kind, notes
        ``masked`` with a note where the model is an encoder with a masked-language-model head.

    Raises
    ------
    ModelError
        If it neither reads from left to right nor can be asked as a masked model.
    """
    n_rows = model.get_input_embeddings().num_embeddings
    ids = ordinary_ids(tokenizer, n_rows)
    following = dict(zip(ids, ids[1:] + ids[:1], strict=True))
    frame = (Encoder(tokenizer, limit).prefix, ())
    check_ids(frame[0], n_rows)
    rows = probe_rows(tokenizer, n_rows, limit, frame=frame, lengths=_LENGTHS)
    if all(_ignores_what_follows(model, row, following) for row in rows):
        return "causal", ()
    name = type(model).__name__
    _check_masked(model, tokenizer, name)
    note = (
        f"{name} does not read from left to right: later tokens change the scores of earlier ones; "
        "it is scored as a masked model"
    )
    logger.warning(note)
    return "masked", (note,)


def _check_masked(model: Any, tokenizer: Any, name: str) -> None:
    why = f"{name} does not read from left to right: later tokens change the scores of earlier ones"
    if not _has_masked_head(model):
        raise ModelError(
            f"{why}, and it has no masked-language-model head; audit a causal or a masked model"
        )
    if tokenizer.mask_token_id is None:
        raise ModelError(
            f"{why}; as a masked model it can be scored once its tokenizer names a mask token"
        )


def _has_masked_head(model: Any) -> bool:
    """Whether the model has the weights of its family's masked class, and so computes the same."""
    masked: Any = MODEL_FOR_MASKED_LM_MAPPING.get(type(model.config), None)
    if masked is None:
        return False
    try:
        with torch.device("meta"):
            names = {name for name, _ in masked(model.config).named_parameters()}
    except Exception:  # whatever a class of another package raises on a config it cannot take
        return False
    return names == {name for name, _ in model.named_parameters()}


@torch.inference_mode()
def _ignores_what_follows(model: Any, row: Ids, following: Mapping[int, int]) -> bool:
    """Whether no score moves when the last token, or the second half, changes behind it."""
    starts = (len(row) - 1, (len(row) + 1) // 2)
    changed = [row[:start] + tuple(following.get(t, t) for t in row[start:]) for start in starts]
    device = input_device(model)
    logits = model(input_ids=torch.tensor([row, *changed], device=device), use_cache=False).logits
    scores, *others = torch.log_softmax(logits.float(), dim=-1)
    agree = agreement(model)
    return all(
        agree(scores[:start], other[:start]) for start, other in zip(starts, others, strict=True)
    )
