"""The gradients of a batch's rows, as factors: what every query starts from."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import Parameter

from fairaudit.gradients.factors import Factor

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


def at_least_fp32(dtype: torch.dtype) -> torch.dtype:
    """Precision in which gradients of this dtype are multiplied and added up."""
    return torch.promote_types(dtype, torch.float32)


def working_dtype(uses: Sequence[Factor], asked: torch.dtype) -> torch.dtype:
    """Precision of products: the asked one, never less than the factors' own or fp32."""
    return torch.promote_types(at_least_fp32(uses[0].source.dtype), asked)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Multiply fp32 in fp32: TF32 and autocast would make norms wrong in the third digit."""
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("highest")
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    try:
        with contextlib.ExitStack() as stack:
            stack.enter_context(torch.no_grad())
            for device in devices:
                stack.enter_context(torch.autocast(device, enabled=False))
            yield
    finally:
        torch.set_float32_matmul_precision(before)
