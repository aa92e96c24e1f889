"""State with a flipped bit, two runs in one folder, memory that runs out (issue 24)."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file

from fairaudit import durable
from fairaudit.durable import put_in_place
from fairaudit.errors import ModelError, ResultError
from fairaudit.results.locks import alone_in
from fairaudit.training.finetuning import finetune
from fairaudit.training.private import PrivateFolder
from fairaudit.training.steps import GradientSum
from tests.conftest import CORPUS

SHORT = {"steps": 2, "batch_size": 3, "max_length": 16, "device": "cpu"}


@pytest.fixture(scope="module")
def state(tmp_path_factory):
    """Folder with a state, and the bytes of its files."""
    folder = tmp_path_factory.mktemp("state")
    private = PrivateFolder(folder)
    private.create()
    private.save_state({"weights": torch.arange(500.0), "step": 3})
    names = ("state.pt", "state.sha256")
    return folder, {name: (folder / "private" / name).read_bytes() for name in names}


@pytest.mark.fault("a flipped bit in a training state or its checksum", "one line, the file named")
@given(data=st.data())
def test_a_flipped_bit_anywhere_in_a_state_is_seen(state, data):
    """Issue 24: 9 of 12 resumes ended in other weights, with exit 0."""
    folder, files = state
    assert PrivateFolder(folder).load_state()["step"] == 3
    bit = data.draw(st.integers(0, 8 * len(files["state.pt"]) - 1))
    content = bytearray(files["state.pt"])
    content[bit // 8] ^= 1 << bit % 8
    path = folder / "private" / "state.pt"
    try:
        path.write_bytes(content)
        with pytest.raises(ResultError, match=r"state\.pt: not a readable state"):
            PrivateFolder(folder).load_state()
    finally:
        path.write_bytes(files["state.pt"])


def test_a_state_of_an_earlier_version_has_no_checksum_and_is_read(state, tmp_path):
    _, files = state
    private = PrivateFolder(tmp_path)
    private.create()
    (tmp_path / "private" / "state.pt").write_bytes(files["state.pt"])
    assert private.load_state()["step"] == 3
    content = bytearray(files["state.pt"])
    content[len(content) // 2] ^= 1
    (tmp_path / "private" / "state.pt").write_bytes(content)
    with pytest.raises(ResultError, match="not a readable state"):
        private.load_state()


@pytest.mark.fault("power lost between a training state and its checksum", "resumes from the last")
def test_the_state_before_is_good_until_it_is_replaced(tmp_path, monkeypatch):
    private = PrivateFolder(tmp_path)
    private.create()
    private.save_state({"step": 1})

    def power_fails(partial, place):
        if place.name == "state.pt":
            raise OSError(5, "Input/output error")
        put_in_place(partial, place)

    monkeypatch.setattr(durable, "put_in_place", power_fails)
    with pytest.raises(ResultError, match="cannot write"):
        private.save_state({"step": 2})
    monkeypatch.undo()
    assert PrivateFolder(tmp_path).load_state() == {"step": 1}


def test_two_runs_do_not_share_a_folder(checkpoint, tmp_path):
    with (
        alone_in(PrivateFolder(tmp_path / "out").create(), "training into this folder"),
        pytest.raises(ResultError, match="another process is training into this folder"),
    ):
        finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **SHORT)
    finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **SHORT)


@pytest.mark.fault("memory runs out on a micro-batch of a training", "smaller ones, equal weights")
@pytest.mark.parametrize("private", [{}, {"epsilon": 8.0, "delta": 1e-3, "noise_seed": 1}])
def test_memory_that_runs_out_makes_micro_batches_smaller(
    checkpoint, tmp_path, monkeypatch, private
):
    """Half-added micro-batches do not count: the sum begins anew."""
    # Adam divides by the size of a gradient, rounding errors of one that is zero included.
    recipe = {**SHORT, "batch_size": 5, "steps": 3, "optimizer": "sgd", **private}
    finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "whole", **recipe)
    add, refused = GradientSum._add, []

    def only_two(self, batch, sums):
        found = add(self, batch, sums)
        if len(batch.records) > 2:
            refused.append(batch)
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: Error code 12")
        return found

    monkeypatch.setattr(GradientSum, "_add", only_two)
    finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **recipe)
    assert refused
    ours, whole = (load_file(tmp_path / name / "model.safetensors") for name in ("out", "whole"))
    for name in whole:
        assert torch.allclose(ours[name], whole[name], atol=1e-5), name


def test_memory_that_runs_out_ends_training_in_one_line(checkpoint, tmp_path, monkeypatch):
    def too_large(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: Error code 12")

    monkeypatch.setattr(GradientSum, "_add", too_large)
    with pytest.raises(ModelError, match=r"--resume and a smaller --micro-batch-size$"):
        finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **SHORT)
