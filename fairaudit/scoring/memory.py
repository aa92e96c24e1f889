"""Running out of memory, which is no error where a batch can be split."""

from __future__ import annotations

from typing import Final

import torch

from fairaudit.ranks import ranks

#: What to catch where memory may run out.
MEMORY_ERRORS: Final = (RuntimeError, MemoryError)
#: What allocators say that have no class of their own: of the CPU on Windows and elsewhere, of
#: Apple's GPUs, and of cuBLAS and cuDNN.
_SAID: Final = (
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "out of memory",
    "cublas_status_alloc_failed",
    "cudnn_status_alloc_failed",
)


def may_split(error: BaseException) -> bool:
    """Whether memory ran out and this process may split its batch by itself.

    Processes that hold parts of one model run the same batches, or none.
    """
    return out_of_memory(error) and not ranks().one_model


def out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out: CUDA and Python have a class for it, others only a message.

    Parameters
    ----------
    error : BaseException
        What was raised.

    Returns
    -------
    bool
        True where a smaller batch may help.

    Examples
    --------
    >>> out_of_memory(MemoryError()), out_of_memory(ValueError("no such axis"))
    (True, False)
    """
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(error).lower()
    return any(words in said for words in _SAID)
