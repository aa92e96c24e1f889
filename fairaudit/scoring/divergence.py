"""How far two models' predictions lie apart, token by token: KL(P_model ‖ P_base) in nats."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from fairaudit.errors import UsageError
from fairaudit.items import Association, Request, Skipped
from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.token_rows import Encoder, Read


def check_same_tokens(model: LoadedModel, base: LoadedModel) -> None:
    """Raise unless both models predict the same tokens.

    Parameters
    ----------
    model, base : LoadedModel
        The model and the one that it was fine-tuned from.

    Raises
    ------
    UsageError
        If they differ in kind or vocabulary.
    """
    if model.kind != base.kind:
        raise UsageError(
            f"the base {base.identity.id} is a {base.kind} model, {model.identity.id} a "
            f"{model.kind} one; name the model it was fine-tuned from"
        )
    if model.tokenizer.get_vocab() != base.tokenizer.get_vocab():
        raise UsageError(
            f"the base {base.identity.id} has another vocabulary than {model.identity.id}; name "
            "the model it was fine-tuned from"
        )


def token_divergence(
    model: LoadedModel, base: LoadedModel, requests: Sequence[Request]
) -> Mapping[Request, list[float]]:
    """KL divergence of the model from its base wherever a request reads a token.

    Σ_v P_model(v) (log P_model(v) − log P_base(v)) over the whole vocabulary, in fp32.

    Parameters
    ----------
    model, base : LoadedModel
        With one vocabulary; see `check_same_tokens`.
    requests : sequence of Request
        Requests of the probe text; those that cannot be asked are left out.

    Returns
    -------
    mapping of Request to list of float
        Nats, at least 0 up to rounding; 0 where the predictions are the same.
    """
    of_tokens = [request for request in requests if not isinstance(request, Association)]
    encoded = Encoder(model.tokenizer, model.max_length).encode(of_tokens)
    return {
        request: _at(reads, model, base)
        for request, reads in encoded.items()
        if not isinstance(reads, Skipped)
    }


def _at(reads: Sequence[Read], model: LoadedModel, base: LoadedModel) -> list[float]:
    by_row: dict[tuple[int, ...], list[int]] = {}
    for read in reads:
        by_row.setdefault(read.row.ids, []).append(read.position)
    found: list[float] = []
    for ids, positions in by_row.items():
        log_p, log_q = (_log_probabilities(one, ids, positions) for one in (model, base))
        found += (log_p.exp() * (log_p - log_q)).sum(dim=-1).tolist()
    return found


@torch.inference_mode()
def _log_probabilities(loaded: LoadedModel, ids: Sequence[int], positions: Sequence[int]) -> Any:
    device = input_device(loaded.model)
    logits = loaded.model(input_ids=torch.tensor([ids], device=device)).logits[0, list(positions)]
    return torch.log_softmax(logits.float(), dim=-1).cpu()
