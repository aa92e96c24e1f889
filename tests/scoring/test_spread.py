"""A model that fits no single device: spread by accelerate, and scored as before."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from fairaudit.auditing.run_audit import audit
from fairaudit.errors import FairauditError, ModelError, UsageError
from fairaudit.scoring.checkpoints import spread
from fairaudit.scoring.checkpoints.spread import check_room
from fairaudit.scoring.checkpoints.wanted import read_memory
from fairaudit.scoring.load import load_model

SUITE = "axis,stereotype,anti_stereotype\n" + "".join(
    f"gender,The {adjective} nurse said she slept.,The {adjective} nurse said he slept.\n"
    for adjective in ("old", "young", "tired", "rich", "poor", "glad", "loud")
)
PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"The {age} {person},gender,{group},{age}\n"
    for age in ("old", "young", "tired", "rich", "poor")
    for group, person in (("male", "man"), ("female", "woman"))
)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_a_model_larger_than_memory_scores_alike(family, checkpoint, tmp_path):
    suites = [tmp_path / "pairs.csv"]
    suites[0].write_text(SUITE)
    if family != "bert":
        suites.append(tmp_path / "prompts.csv")
        suites[1].write_text(PROMPTS)
    asked = {"suites": [*map(str, suites), "seat"], "limit": 20, "max_new_tokens": 5}
    n = sum(one.numel() for one in load_model(checkpoint(family)).model.parameters())
    whole = audit(checkpoint(family), **asked)
    # Three quarters of what its weights need, in bytes: accelerate keeps room for one layer.
    parts = audit(checkpoint(family), **asked, device_map="auto", max_memory=f"cpu={3 * n}")
    assert whole.provenance.model.fingerprint == parts.provenance.model.fingerprint
    for name in whole.tables:
        ours, theirs = whole.items(name), parts.items(name)
        assert ours["item_id"].equals(theirs["item_id"])
        close = np.isclose(ours["score"], theirs["score"], rtol=0, atol=1e-4, equal_nan=True)
        assert close.all(), name
        # No paragraph of the probe text fits into so short a model.
        assert ours["score"].notna().any() or name == "probe"


@pytest.mark.parametrize("memory", ["cpu=1KiB", "three quarters"])
@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float32], ids=str)
@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_near_ties_of_a_spread_model_are_settled_in_fp32(
    family, stored, memory, checkpoint, tmp_path
):
    """From its file's own weights, whether rounded or not, and wherever they lie."""
    suite = tmp_path / "pairs.csv"
    suite.write_text(SUITE)
    loaded = load_model(checkpoint(family))
    loaded.model.to(stored).save_pretrained(tmp_path / "model")
    loaded.tokenizer.save_pretrained(tmp_path / "model")
    asked = {"suites": [str(suite)], "dtype": "bfloat16"}
    n = sum(one.numel() for one in loaded.model.parameters())
    room = f"cpu={3 * n // 2}" if memory == "three quarters" else memory
    whole = audit(tmp_path / "model", **asked)
    parts = audit(tmp_path / "model", **asked, device_map="auto", max_memory=room)
    assert whole.provenance.model.fingerprint == parts.provenance.model.fingerprint
    ours, theirs = (one.provenance.near_ties for one in (whole, parts))
    assert ours == theirs
    assert all(one.rescored and one.largest_error > 1e-4 for one in ours.values())
    assert np.allclose(whole.items("pairs")["score"], parts.items("pairs")["score"], atol=1e-4)


def test_weights_of_a_spread_model_are_its_own(checkpoint, tmp_path):
    """A file that is overwritten afterwards changes nothing, on disk or in memory."""
    before = load_model(checkpoint("llama")).model
    shutil.copytree(checkpoint("llama"), tmp_path / "model")
    n = sum(one.numel() for one in before.parameters())
    loaded = load_model(tmp_path / "model", device_map="auto", max_memory=f"cpu={3 * n}")
    with (tmp_path / "model" / "model.safetensors").open("r+b") as file:
        file.seek(-4000, 2)
        file.write(bytes(4000))
    ids = torch.arange(9)[None]
    with torch.inference_mode():
        assert torch.allclose(loaded.model(ids).logits, before(ids).logits, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_main_memory_need_not_hold_what_lies_on_the_disk(checkpoint, tmp_path, monkeypatch, dtype):
    """A model of three times what is free: refused whole, and loaded with a device map."""
    loaded = load_model(checkpoint("llama"), dtype=dtype)
    loaded.model.save_pretrained(tmp_path / "model")
    loaded.tokenizer.save_pretrained(tmp_path / "model")
    size = sum(one.nbytes for one in loaded.model.parameters())
    monkeypatch.setattr(spread, "_free", lambda device: size // 3)
    with pytest.raises(ModelError, match="are free in main memory; use --device-map auto"):
        load_model(tmp_path / "model", dtype=dtype)
    parts = load_model(tmp_path / "model", dtype=dtype, device_map="auto", max_memory="cpu=1KiB")
    assert parts.device == "cpu"
    assert all(one.device.type == "meta" for one in parts.model.parameters())


def test_what_fits_nowhere_lies_on_the_disk_until_the_end(checkpoint):
    loaded = load_model(checkpoint("gpt2"), device_map="auto", max_memory="cpu=1KiB")
    assert {one.device.type for one in loaded.model.parameters()} == {"meta"}
    assert loaded.device == "cpu"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("cpu=64GiB", {"cpu": 64 * 2**30}),
        ("0=1.5GB, 1=2MiB,cpu=3", {0: 1_500_000_000, 1: 2 * 2**20, "cpu": 3}),
    ],
)
def test_memory_is_read(text, found):
    assert read_memory(text) == found


@pytest.mark.parametrize("text", ["", "64GiB", "cpu=", "cpu=much", "gpu=1GiB", "cpu=1XB", "cpu=-1"])
def test_memory_that_says_nothing_is_refused(text):
    with pytest.raises(UsageError, match="write 0=20GiB,cpu=64GiB"):
        read_memory(text)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device_map": "anyhow"}, "'anyhow' is no device map"),
        ({"tensor_parallel": True}, "needs several processes"),
        ({"tensor_parallel": True, "device_map": "auto"}, "give one"),
        ({"max_memory": "cpu=1GiB"}, "give device_map too"),
    ],
)
def test_what_does_not_go_together_is_refused(options, message, checkpoint):
    with pytest.raises(FairauditError, match=message):
        audit(checkpoint("gpt2"), suites=["templates"], **options)


def test_a_model_in_memory_is_not_moved(checkpoint):
    loaded = load_model(checkpoint("gpt2"))
    with pytest.raises(UsageError, match="stays where it is"):
        load_model((loaded.model, loaded.tokenizer), device_map="auto")


def test_too_little_memory_is_said_before_any_is_taken(checkpoint, monkeypatch):
    model = load_model(checkpoint("gpt2")).model.bfloat16()
    monkeypatch.setattr(spread, "_free", lambda device: 1000)
    with pytest.raises(ModelError, match=r"weights need .* GiB as float32 .*--device-map auto"):
        check_room(model, torch.device("cpu"), torch.float32)
    check_room(model, torch.device("cpu"), torch.bfloat16)
