"""Curvature along directions: vᵀ H_i v of every record, exactly and without any Hessian.

The loss of record i at θ + εv is a function of one number ε; its second derivative at 0 is vᵀH_i v.
Forward-mode differentiation nested in itself gives it for all records of a batch in one pass, and
nothing is kept for a backward pass.

Averaged over random directions of independent signs it estimates Tr(H_i) (Hutchinson 1990).
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.overrides import TorchFunctionMode

from fairaudit.diagnostics.encoding import IGNORED
from fairaudit.errors import ModelError
from fairaudit.lines import first_line

Direction = Mapping[str, Tensor]


def curvatures(
    model: nn.Module, inputs: Mapping[str, Tensor], direction: Direction, *, causal: bool
) -> Tensor:
    """Second derivative of every row's loss along a direction.

    Parameters
    ----------
    model
        A transformers language model; its mode (train or eval) is the caller's.
    inputs
        ``input_ids``, ``attention_mask`` and ``labels``, [R, T].
    direction
        v by parameter name; a parameter that is left out counts as 0.
    causal
        Whether the logits at a position predict the label of the next one.

    Returns
    -------
    Tensor
        vᵀ H_r v of every row [R], with L_r the mean of −log p over the row's label tokens.

    Raises
    ------
    ModelError
        If an operation of the model has no forward-mode derivative.
    """
    parameters = {name: value.detach() for name, value in model.named_parameters()}
    features = {name: value for name, value in inputs.items() if name != "labels"}
    options: dict[str, Any] = {"use_cache": False} if causal else {}

    def losses(step: Tensor) -> Tensor:
        moved = {
            name: value + (step * direction[name]).to(value.dtype) if name in direction else value
            for name, value in parameters.items()
        }
        logits = functional_call(model, moved, kwargs={**features, **options}).logits
        return _row_losses(logits, inputs["labels"], causal=causal)

    def slope(step: Tensor) -> Tensor:
        found: Tensor = jvp(losses, (step,), (torch.ones_like(step),))[1]
        return found

    start = torch.zeros((), device=inputs["input_ids"].device, dtype=_dtype(parameters))
    try:
        with torch.no_grad(), _differentiable():
            second: Tensor = jvp(slope, (start,), (torch.ones_like(start),))[1]
    except (RuntimeError, NotImplementedError) as error:
        reason = first_line(error)
        raise ModelError(
            f"curvature: {type(model).__name__} uses an operation without a forward-mode "
            f"derivative ({reason[:120]}); leave the curvature out"
        ) from error
    return second.double()


def random_signs(parameters: Mapping[str, Tensor], seed: int, number: int) -> dict[str, Tensor]:
    """Return probe ``number`` of a seed: independent ±1 in every coordinate, made on the CPU."""
    generator = torch.Generator().manual_seed((seed + 1) * 1_000_003 + number)
    return {
        name: torch.randint(0, 2, value.shape, generator=generator, dtype=torch.int8)
        .mul_(2)
        .sub_(1)
        .to(value.device, value.dtype)
        for name, value in parameters.items()
    }


def hutchinson(samples: Sequence[float]) -> tuple[float, float | None]:
    """Mean of vᵀHv over probes, and its standard error (None for a single probe)."""
    values = torch.tensor(samples, dtype=torch.float64)
    if len(values) < 2:
        return float(values.mean()), None
    return float(values.mean()), float(values.std() / len(values) ** 0.5)


def _dtype(parameters: Mapping[str, Tensor]) -> torch.dtype:
    return torch.promote_types(next(iter(parameters.values())).dtype, torch.float32)


def _row_losses(logits: Tensor, labels: Tensor, *, causal: bool) -> Tensor:
    if causal:
        logits, labels = logits[:, :-1], labels[:, 1:]
    read = labels != IGNORED
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    log_probs = torch.log_softmax(wide, dim=-1)
    chosen = log_probs.gather(2, labels.where(read, 0)[:, :, None]).squeeze(2)
    return -(chosen * read).sum(dim=1) / read.sum(dim=1).clamp(min=1)


@contextmanager
def _differentiable() -> Iterator[None]:
    """Attention, layer norm and SiLU by operations whose derivatives are right at second order.

    The fused layer norm has a first forward-mode derivative only: nested in itself it gives wrong
    numbers without an error.
    """
    with sdpa_kernel(SDPBackend.MATH), _Composed(), warnings.catch_warnings():
        # PyTorch's own rules for nested forward mode are loaded by a function that it deprecates.
        warnings.filterwarnings("ignore", message=".*torch.jit.script", category=DeprecationWarning)
        yield


class _Composed(TorchFunctionMode):
    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        del types
        if func is nn.functional.layer_norm:
            return _layer_norm(*args, **(kwargs or {}))
        if func is nn.functional.silu:
            return args[0] * torch.sigmoid(args[0])
        return func(*args, **(kwargs or {}))


def _layer_norm(
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float = 1e-5,
) -> Tensor:
    places = tuple(range(-len(normalized_shape), 0))
    centred = input - input.mean(places, keepdim=True)
    result = centred * torch.rsqrt(centred.square().mean(places, keepdim=True) + eps)
    result = result if weight is None else result * weight
    return result if bias is None else result + bias
