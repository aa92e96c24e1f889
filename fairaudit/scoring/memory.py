"""Running out of memory, which is no error where a batch can be split."""

from __future__ import annotations

import torch


def out_of_memory(error: RuntimeError) -> bool:
    """Whether memory ran out: CUDA has a class for it; the CPU allocator only a message."""
    return isinstance(error, torch.OutOfMemoryError) or "not enough memory" in str(error)
