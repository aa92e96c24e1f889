"""How large a micro-batch may be: as memory allows, and no larger than makes it faster.

A vocabulary of 49,152 tokens takes 1 MB of logits and their copies for each token, that of a small
model a tenth of it; so what is bounded is bytes, and tokens only beside them.
"""

from __future__ import annotations

from typing import Final

import torch

from fairaudit.gradients import Footprint, GradientEngine, footprint_of
from fairaudit.training.batches import TOKEN_BUDGET, Room

#: Padded tokens that keep a GPU busy.
GPU_TOKENS: Final = 16_384
#: Share of a GPU's free memory that is planned with: allocators leave gaps, and kernels need room
#: of their own. Where it is too much, micro-batches are halved.
_GPU_SHARE: Final = 0.6
#: What is taken for free on a CPU, whatever is: packing, and so the rounding of sums, is then the
#: same on every day.
CPU_FREE: Final = 2 * 2**30


def room_for(engine: GradientEngine, device: torch.device) -> Room:
    """Return what a micro-batch of an engine's model may be on its device.

    Parameters
    ----------
    engine : GradientEngine
        Its model is tried on short rows.
    device : torch.device
        Where it lies; of a GPU the free memory counts.

    Returns
    -------
    Room
        Most tokens and bytes of a micro-batch.
    """
    if device.type == "cuda":
        return room_of(_free(device), footprint_of(engine), GPU_TOKENS)
    return room_of(CPU_FREE, footprint_of(engine), TOKEN_BUDGET, share=1.0, fixed=False)


def room_of(
    free: float,
    footprint: Footprint,
    most_tokens: int,
    *,
    share: float = _GPU_SHARE,
    fixed: bool = True,
) -> Room:
    """Return the room that some free memory gives.

    Parameters
    ----------
    free : float
        Bytes.
    footprint : Footprint
        What a query takes of them.
    most_tokens : int
        Padded tokens beyond which nothing is gained.
    share : float
        What of the free memory may be used.
    fixed : bool
        Whether what is held whatever the batch has to find room in it too.
    """
    left = max(0.0, free - (footprint.fixed if fixed else 0)) * share
    return Room(most_tokens, left, footprint.per_token, footprint.per_pair)


def _free(device: torch.device) -> int:
    """Free bytes of a GPU, with those that PyTorch holds and does not use."""
    free, _ = torch.cuda.mem_get_info(device)
    return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
