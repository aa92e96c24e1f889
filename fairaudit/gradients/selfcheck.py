"""Comparison of the engine with autograd on a real batch, once, before any number is used.

The rules and the capture of layers rest on assumptions about a model: that parameters are used
through their modules only, that rows do not influence each other, that leading dimensions are
rows. A wrong one shows in at least one of three numbers: the sum over all units, the gradient of
a single unit, and that unit's norm.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fairaudit.errors import ModelError
from fairaudit.gradients.losses import differentiable_losses
from fairaudit.gradients.query import Query
from fairaudit.gradients.rows import Gradient
from fairaudit.gradients.sums import inner_product

#: Relative error that rounding explains, by the dtype of the layers' outputs.
TOLERANCE = {torch.float64: 1e-6, torch.float32: 1e-3, torch.float16: 2e-2, torch.bfloat16: 5e-2}
#: Parameters with less than this share of the whole norm hold rounding noise only.
NOISE = 1e-4


def check(query: Query, logits: Tensor, targets: Tensor) -> None:
    """Compare a query with autograd through the same graph.

    Raises
    ------
    ModelError
        If they disagree; the parameter is named.
    """
    tolerance = TOLERANCE[logits.dtype]
    losses = differentiable_losses(logits, targets)
    ones = torch.ones(query.n_units)
    _compare(query, losses, ones, "the sum over all units", tolerance)
    first = torch.zeros(query.n_units)
    first[0] = 1.0
    reference = _compare(query, losses, first, "the gradient of one unit", tolerance)
    expected, norm = inner_product(reference, reference) ** 0.5, float(query.norms()[0])
    if abs(norm - expected) > tolerance * expected:
        raise ModelError(
            f"self-check: the norm of one unit's gradient is {norm:.6g}, autograd finds "
            f"{expected:.6g}; the model mixes rows or uses a parameter in a way no rule covers"
        )


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
