"""The gradients of a batch's rows, as factors: what every query starts from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Parameter

from fairaudit.gradients.factors import Factor
from fairaudit.gradients.precision import at_least_fp32

Gradient = dict[str, Tensor]


@dataclass(frozen=True, slots=True)
class Rows:
    """Gradients of a batch's rows in the order of the forward pass.

    Attributes
    ----------
    parameters : Mapping
        The engine's parameters.
    uses : Mapping
        Factors of each parameter that the batch used; one per use.
    losses : Tensor
        [R], fp64.
    tokens : Tensor
        [R], label tokens.
    order : Tensor or None
        [R], the caller's row at each place; None where the order is the caller's.
    """

    parameters: Mapping[str, Parameter]
    uses: Mapping[str, Sequence[Factor]]
    losses: Tensor
    tokens: Tensor
    order: Tensor | None

    def in_callers_order(self, values: Tensor) -> Tensor:
        """Values per row in the caller's order."""
        return values if self.order is None else values[self.order.argsort().to(values.device)]


def zeros(parameters: Mapping[str, Parameter]) -> Gradient:
    """Gradient of zeros: fp32, or fp64 where the parameter is."""
    return {
        name: torch.zeros_like(parameter, dtype=at_least_fp32(parameter.dtype))
        for name, parameter in parameters.items()
    }
