"""Weights that accelerate brings from the disk as they are needed, brought in fp32 for a while."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, nn


def on_disk(tensor: Tensor) -> bool:
    """Whether a weight stands for one that is read from disk when its layer runs."""
    return tensor.device.type == "meta"


@contextlib.contextmanager
def brought_in_fp32(
    model: nn.Module, own: Mapping[str, Tensor], narrow: Collection[torch.dtype]
) -> Iterator[None]:
    """While active, weights of a narrow type come from disk widened.

    A weight takes the type of what stands for it while it is away.

    Parameters
    ----------
    model : module
        As `fairaudit.scoring.checkpoints.spread.spread` made it.
    own : mapping of str to Tensor
        Weights as the checkpoint has them, where loading rounded them; else empty.
    narrow : collection of dtype
        Types that are widened.
    """
    away = [
        (module, name, weight.dtype)
        for module in model.modules()
        for name, weight in module.named_parameters(recurse=False)
        if on_disk(weight) and weight.dtype in narrow
    ]
    with contextlib.ExitStack() as stack:
        for prefix, module in model.named_modules() if own else ():
            for hook in _hooks(module):
                stack.callback(setattr, hook, "weights_map", hook.weights_map)
                hook.weights_map = _Exact(hook.weights_map, own, prefix)
        try:
            for module, name, _ in away:
                _set_type(module, name, torch.float32)
            yield
        finally:
            for module, name, dtype in away:
                _set_type(module, name, dtype)


class _Exact(Mapping[str, Tensor]):
    """Weights of a module by name: the checkpoint's own where there are, else those on disk."""

    def __init__(
        self, stored: Mapping[str, Tensor], own: Mapping[str, Tensor], prefix: str
    ) -> None:
        self._stored, self._own, self._prefix = stored, own, prefix

    def __getitem__(self, name: str) -> Tensor:
        known = self._own.get(f"{self._prefix}.{name}" if self._prefix else name)
        return self._stored[name] if known is None else known

    def __iter__(self) -> Iterator[str]:
        return iter(self._stored)

    def __len__(self) -> int:
        return len(self._stored)


def _hooks(module: Any) -> list[Any]:
    """Hooks of accelerate that bring this module's weights."""
    first = getattr(module, "_hf_hook", None)
    hooks = getattr(first, "hooks", (first,))
    return [hook for hook in hooks if getattr(hook, "weights_map", None) is not None]


def _set_type(module: nn.Module, name: str, dtype: torch.dtype) -> None:
    weight = module._parameters[name]
    if weight is not None and on_disk(weight):
        module._parameters[name] = nn.Parameter(weight.to(dtype), requires_grad=False)
