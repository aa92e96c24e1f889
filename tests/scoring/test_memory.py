"""Memory that runs out, and a file that changes under the model (issue 24)."""

from __future__ import annotations

import pytest
import torch

from fairaudit.scoring.load import load_model
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory

ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    MemoryError(),
    RuntimeError("[enforce fail at alloc_cpu.cpp:121] data. DefaultCPUAllocator: can't allocate "
                 "memory: you tried to allocate 400 bytes. Error code 12 (Cannot allocate memory)"),
    RuntimeError("MPS backend out of memory (MPS allocated: 1 GB)"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 1 bytes."),
]  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: str(error)[:20])
def test_every_allocator_is_understood(error):
    assert isinstance(error, MEMORY_ERRORS)
    assert out_of_memory(error)


def test_a_real_allocation_that_fails():
    with pytest.raises(MEMORY_ERRORS) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert out_of_memory(caught.value)


def test_another_error_is_none():
    assert not out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_a_checkpoint_overwritten_in_place_does_not_change_the_model(checkpoint, tmp_path, family):
    """The file stays mapped into memory; all numbers changed under the old fingerprint."""
    place = tmp_path / "model"
    place.mkdir()
    for path in checkpoint(family).iterdir():
        (place / path.name).write_bytes(path.read_bytes())
    loaded = load_model(place, device="cpu")
    before = {name: weight.clone() for name, weight in loaded.model.named_parameters()}
    weights = place / "model.safetensors"
    size = weights.stat().st_size
    with weights.open("r+b") as stream:
        stream.seek(size // 4)
        stream.write(b"\x3f" * (size - size // 4))
    for name, weight in loaded.model.named_parameters():
        assert torch.equal(weight, before[name]), name
