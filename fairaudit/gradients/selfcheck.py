"""Comparison of the engine with autograd on a real batch, once, before any number is used.

The rules and the capture of layers rest on assumptions about a model: that parameters are used
through their modules only, that rows do not influence each other, that leading dimensions are
rows. A wrong one shows in at least one of three numbers: the sum over all units, the gradient of
a single unit, and that unit's norm.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from fairaudit.errors import ModelError
from fairaudit.gradients.losses import differentiable_losses
from fairaudit.gradients.precision import coarse_kernels
from fairaudit.gradients.query import Query
from fairaudit.gradients.rows import Gradient
from fairaudit.gradients.sums import inner_product

#: Relative error of one parameter's gradient that rounding explains, by the dtype of the logits.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 5e-2}
#: The same for fp32 products by TF32 or bf16 kernels, where these are allowed.
COARSE = 1e-2
#: Rounding errors of single entries average out in a norm over all parameters; what is left of them
#: on improbable records is 2e-5, while a missing cross term or a wrong scale shows at a percent.
NORM_SHARE = 0.5
#: The tolerance refers to a parameter's own norm plus this share of the whole norm: a gradient that
#: cancels over tokens is rounding noise of its terms, not of itself.
NOISE = 1e-2


def check(query: Query, logits: Tensor, targets: Tensor) -> None:
    """Compare a query with autograd through the same graph.

    Raises
    ------
    ModelError
        If they disagree; the parameter is named.
    """
    tolerance = tolerance_of([logits.dtype])
    losses = differentiable_losses(logits, targets)
    ones = torch.ones(query.n_units)
    _compare(query, losses, ones, "the sum over all units", tolerance)
    norm, unit = query.norms().max(dim=0)
    single = torch.zeros(query.n_units)
    single[unit] = 1.0
    reference = _compare(query, losses, single, "the gradient of one unit", tolerance)
    expected = inner_product(reference, reference) ** 0.5
    if abs(float(norm) - expected) > NORM_SHARE * tolerance * expected:
        raise ModelError(
            f"self-check: the norm of one unit's gradient is {float(norm):.6g}, autograd finds "
            f"{expected:.6g}; the model mixes rows or uses a parameter in a way no rule covers"
        )


def tolerance_of(dtypes: Iterable[torch.dtype]) -> float:
    """Relative error that rounding explains where numbers of these types are multiplied."""
    coarsest = max(TOLERANCE.values())
    found = [TOLERANCE.get(dtype, coarsest) for dtype in dtypes]
    return max(*found, COARSE if coarse_kernels() else 0.0)


def _compare(
    query: Query, losses: Tensor, weights: Tensor, what: str, tolerance: float
) -> Gradient:
    loss = (losses * query.grouping.row_weights(weights).to(losses)).sum()
    reference = _autograd(query, loss)
    ours = query.weighted_sum(weights.to(losses.device))
    floor = NOISE * inner_product(reference, reference) ** 0.5
    for name, expected in reference.items():
        error = float(torch.linalg.vector_norm(ours[name] - expected))
        if error > tolerance * (float(torch.linalg.vector_norm(expected)) + floor):
            raise ModelError(
                f"self-check: {what} differs from autograd at '{name}' by {error:.2g}; the model "
                "uses it in a way that no rule covers: freeze it"
            )
    return reference


def _autograd(query: Query, loss: Tensor) -> Gradient:
    parameters: Mapping[str, Tensor] = query.rows.parameters
    found = torch.autograd.grad(
        loss, list(parameters.values()), retain_graph=True, allow_unused=True
    )
    return {
        name: torch.zeros_like(parameter) if grad is None else grad
        for (name, parameter), grad in zip(parameters.items(), found, strict=True)
    }
