"""Whether what a model says about a row depends on the rows beside it, and what follows.

Most models read a padded row as they read it alone. Some do not: a convolution or pooling sees
what stands beyond the row's end, a Fourier transform runs over the padded width. Their scores would
depend on the company a row happens to have. A row alone, without padding, is what counts; a model
is asked for several rows at once only in ways that are shown to give the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import torch
from torch import Tensor

from fairaudit.errors import ModelError
from fairaudit.lines import first_line
from fairaudit.scoring.batching import Batching
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory
from fairaudit.scoring.probe_rows import Ids

#: Outputs [tokens, d] of each row at its own places, all rows run in one batch.
Read = Callable[[Sequence[Ids]], Sequence[Tensor]]
#: Whether outputs are the same but for rounding.
Agree = Callable[[Tensor, Tensor], bool]

#: Root mean square difference at a place that rounding explains, relative to the spread there.
#: In small random models of 150 architectures it was below 2e-5 (fp32), 4e-3 (fp16) and 2e-2
#: (bf16), and 0.03 and more where padding does change what is read.
TOLERANCE: Final = {
    torch.float64: 1e-6,
    torch.float32: 1e-4,
    torch.float16: 1e-2,
    torch.bfloat16: 5e-2,
}


def rounding(model: Any) -> float:
    """Relative difference that rounding explains, from the coarsest weights of a model."""
    coarsest = max(TOLERANCE.values())
    return max(TOLERANCE.get(weight.dtype, coarsest) for weight in model.parameters())


def agreement(model: Any) -> Agree:
    """Make the test of whether outputs [..., d] of a model are the same but for rounding.

    A place differs by the root mean square over its entries, relative to their standard deviation;
    what rounding explains is that of the model's coarsest weights. Outputs that are not finite
    agree: scoring has its own error for them.
    """
    tolerance = rounding(model)

    def agree(plain: Tensor, other: Tensor) -> bool:
        plain, other = plain.double(), other.double()
        if not plain.numel() or not bool(plain.isfinite().all()):
            return True
        difference = (plain - other).square().mean(dim=-1).sqrt()
        return bool((difference <= tolerance * plain.std(dim=-1, correction=0) + 1e-9).all())

    return agree


def find_batching(read: Read, rows: Sequence[Ids], agree: Agree) -> Batching:
    """Find out how rows may run together without changing what the model says about each.

    Parameters
    ----------
    read : callable
        Runs rows in one batch and returns the outputs of each.
    rows : sequence of tuple of int
        Rows of different lengths, the shortest first.
    agree : callable
        Whether two outputs are the same but for rounding, from `agreement`.

    Raises
    ------
    ModelError
        If the model cannot be run, or answers the same question differently each time.
    """
    try:
        return _find(read, rows, agree)
    except MEMORY_ERRORS as error:
        if out_of_memory(error):
            # Nothing is shown, so nothing is taken for granted.
            return "single"
        line = first_line(error)
        raise ModelError(
            f"the model cannot be run as it is loaded ({line[:200]}); try it in float32"
        ) from error


def _find(read: Read, rows: Sequence[Ids], agree: Agree) -> Batching:
    alone = [read([row])[0] for row in rows]
    if not agree(alone[-1], read(rows[-1:])[0]):
        raise ModelError(
            "the model gives other scores each time it reads the same text; it draws random "
            "numbers that evaluation mode does not switch off"
        )
    if all(map(agree, alone, read(rows))):
        return "padded"
    # A row backwards is another row of the same length.
    beside = [read([row, row[::-1]])[0] for row in rows]
    return "equal_lengths" if all(map(agree, alone, beside)) else "single"
