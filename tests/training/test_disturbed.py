"""State with a flipped bit, two runs in one folder, memory that runs out (issue 24)."""

from __future__ import annotations

import pytest
import torch

from fairaudit.errors import ModelError, ResultError
from fairaudit.results.locks import alone_in
from fairaudit.training.finetuning import finetune
from fairaudit.training.private import PrivateFolder
from fairaudit.training.steps import GradientSum
from tests.conftest import CORPUS

SHORT = {"steps": 2, "batch_size": 3, "max_length": 16, "device": "cpu"}


@pytest.mark.parametrize("place", [0.2, 0.4, 0.6, 0.8])
def test_a_flipped_bit_in_a_state_is_seen(tmp_path, place):
    private = PrivateFolder(tmp_path)
    private.create()
    private.save_state({"weights": torch.arange(5000.0), "step": 3})
    assert private.load_state()["step"] == 3
    path = tmp_path / "private" / "state.pt"
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(ResultError, match="not a readable state"):
        private.load_state()


def test_two_runs_do_not_share_a_folder(checkpoint, tmp_path):
    with (
        alone_in(PrivateFolder(tmp_path / "out").create(), "training into this folder"),
        pytest.raises(ResultError, match="another process is training into this folder"),
    ):
        finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **SHORT)
    finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **SHORT)


def test_memory_that_runs_out_ends_training_in_one_line(checkpoint, tmp_path, monkeypatch):
    def too_large(*_):
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: Error code 12")

    monkeypatch.setattr(GradientSum, "_add", too_large)
    with pytest.raises(ModelError, match=r"--resume and a smaller --micro-batch-size$"):
        finetune(checkpoint("gpt2"), CORPUS, output=tmp_path / "out", **SHORT)
