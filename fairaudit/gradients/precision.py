"""In which precision gradients are multiplied, whatever the caller has allowed for training."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from fairaudit.gradients.factors import Factor


def at_least_fp32(dtype: torch.dtype) -> torch.dtype:
    """Precision in which gradients of this dtype are multiplied and added up."""
    return torch.promote_types(dtype, torch.float32)


def working_dtype(uses: Sequence[Factor], asked: torch.dtype) -> torch.dtype:
    """Precision of products: the asked one, never less than the factors' own or fp32."""
    return torch.promote_types(at_least_fp32(uses[0].source.dtype), asked)


@contextlib.contextmanager
def full_precision() -> Iterator[None]:
    """Multiply fp32 in fp32: TF32 and autocast would make norms wrong in the third digit."""
    devices = ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",)
    with contextlib.ExitStack() as stack:
        stack.enter_context(torch.no_grad())
        stack.enter_context(_exact_kernels())
        for device in devices:
            stack.enter_context(torch.autocast(device, enabled=False))
        yield


def coarse_kernels() -> bool:
    """Whether fp32 matrix products may run in TF32 or bf16."""
    if not _has_switches():
        return torch.get_float32_matmul_precision() != "highest"
    backends: list[Any] = [torch.backends, *_switches()]
    return any(backend.fp32_precision in ("tf32", "bf16") for backend in backends)


@contextlib.contextmanager
def _exact_kernels() -> Iterator[None]:
    if not _has_switches():
        before = torch.get_float32_matmul_precision()
        torch.set_float32_matmul_precision("highest")
        try:
            yield
        finally:
            torch.set_float32_matmul_precision(before)
        return
    values = [switch.fp32_precision for switch in _switches()]
    try:
        for switch in _switches():
            switch.fp32_precision = "ieee"
        yield
    finally:
        for switch, value in zip(_switches(), values, strict=True):
            switch.fp32_precision = value


def _switches() -> list[Any]:
    """Per backend: whether its fp32 matrix products are exact."""
    mkldnn: Any = torch.backends.mkldnn
    return [torch.backends.cuda.matmul, mkldnn.matmul]


def _has_switches() -> bool:
    """PyTorch before 2.9 has one setting for all; later ones refuse it once these are in use."""
    return hasattr(torch.backends, "fp32_precision")
