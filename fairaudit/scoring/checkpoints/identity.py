"""What identifies a model: a hash of its weights, buffers, config and tokenizer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any, Final

import torch

from fairaudit.errors import ModelError
from fairaudit.parsing import parse_json
from fairaudit.scoring.checkpoints.parallel import whole

#: Settings that say how a model was stored or loaded, not what it is.
_VOLATILE: Final = {"_name_or_path", "transformers_version", "dtype", "torch_dtype", "use_cache"}


def fingerprint(model: Any, tokenizer: Any) -> str:
    """SHA-256 of weights, stored buffers, config and tokenizer: equal for equal models anywhere.

    Numbers enter by value (as fp32), so storing the same ones in a wider type or in other shards
    changes nothing. Buffers that are not stored follow from the config.
    """
    digest = hashlib.sha256()
    for name, tensor in _stored(model):
        digest.update(f"{name}{tuple(tensor.shape)}".encode())
        digest.update(_content(tensor))
    digest.update(json.dumps(_settled(model.config), sort_keys=True, default=str).encode())
    digest.update(_tokenizer_text(tokenizer).encode())
    return digest.hexdigest()


def check_finite(model: Any) -> None:
    """Refuse weights and stored buffers that hold NaN or infinity.

    Raises
    ------
    ModelError
        Naming the first.
    """
    for name, tensor in _stored(model):
        if not bool(torch.isfinite(whole(tensor)).all()):
            raise ModelError(f"the weights contain NaN or infinity (first in {name})")


def _stored(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    """Weights in the order of their names, then what is stored beside them: buffers, scales."""
    weights = sorted(model.named_parameters())
    yield from weights
    # A tied weight stands under several names.
    known = {id(weight) for _, weight in weights}
    state = model.state_dict(keep_vars=True)
    for name, tensor in sorted(state.items()):
        if isinstance(tensor, torch.Tensor) and id(tensor) not in known:
            yield name, tensor


def _content(tensor: torch.Tensor) -> bytes:
    plain = whole(tensor.detach()).cpu()
    plain = plain.float() if plain.is_floating_point() else plain
    content: bytes = plain.contiguous().view(-1).numpy().tobytes()
    return content


def _settled(config: Any) -> Any:
    """Config of a model and of its parts, without what says how they were stored."""
    return _without_volatile(config.to_dict())


def _without_volatile(settings: Any) -> Any:
    if not isinstance(settings, dict):
        return settings
    return {
        name: _without_volatile(value) for name, value in settings.items() if name not in _VOLATILE
    }


def _tokenizer_text(tokenizer: Any) -> str:
    """Text form of a tokenizer, without the truncation and padding that a user may have set."""
    if not tokenizer.is_fast:
        return json.dumps(tokenizer.get_vocab(), sort_keys=True)
    content = parse_json(tokenizer.backend_tokenizer.to_str())
    return json.dumps({**content, "truncation": None, "padding": None}, sort_keys=True)
