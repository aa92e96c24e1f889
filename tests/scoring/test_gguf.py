"""GGUF files give the scores of their weights, or one line."""

from __future__ import annotations

import shutil
import sys

import numpy as np
import pytest
import torch

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.gguf import read_content
from fairaudit.scoring.checkpoints.hub_id import split_gguf
from fairaudit.scoring.checkpoints.place import Place, locate
from fairaudit.scoring.load import load_model
from tests.gguf_files import interleaved, tensors_of, write_gguf

gguf = pytest.importorskip("gguf")

TEXT = "The nurse said that he was tired after the long night."


def logits(loaded):
    ids = torch.tensor([loaded.tokenizer(TEXT)["input_ids"]])
    with torch.no_grad():
        return loaded.model(input_ids=ids).logits


def refused(source, words, **options):
    with pytest.raises(ModelError, match=words) as raised:
        load_model(source, **options)
    assert "\n" not in str(raised.value)


def test_plain_weights_score_as_the_model_that_they_were_written_from(checkpoint, tmp_path):
    """Oracle: the same model as safetensors, whose queries and keys lie in another order."""
    whole = load_model(checkpoint("llama"))
    found = load_model(write_gguf(tmp_path / "small.gguf"))
    assert found.tokenizer(TEXT)["input_ids"] == whole.tokenizer(TEXT)["input_ids"]
    assert torch.allclose(logits(found), logits(whole), atol=1e-6)
    assert found.identity.n_parameters == whole.identity.n_parameters
    assert found.identity.stored_as == "gguf F32, 32.0 bits per weight"
    assert found.identity.quantization is None
    assert whole.identity.stored_as == "safetensors F32"
    assert found.notes == ()


def test_the_order_of_rows_by_hand():
    """One head of four rows: halves (0, 1) and (2, 3) are taken in turn."""
    rows = np.arange(4.0)[:, None]
    assert interleaved(rows, 1)[:, 0].tolist() == [0.0, 2.0, 1.0, 3.0]


def test_blocks_are_unpacked_to_the_numbers_that_they_stand_for(tmp_path):
    """Q8_0: 32 weights share a scale of 16 bits, so a weight takes 8.5 bits."""
    found = load_model(write_gguf(tmp_path / "small.gguf", quantised="Q8_0"))
    embedding = found.model.get_input_embeddings().weight.detach().numpy()
    kind = gguf.GGMLQuantizationType.Q8_0
    source = tensors_of(load_model(write_gguf(tmp_path / "plain.gguf")).model)["token_embd.weight"]
    expected = gguf.dequantize(gguf.quantize(source, kind), kind)
    assert np.array_equal(embedding, expected)
    assert not np.array_equal(embedding, source)
    content = read_content(locate(tmp_path / "small.gguf"))
    matrices = content.stored["Q8_0"]
    plain = content.stored["F32"]
    assert content.bits == pytest.approx((8.5 * matrices + 32 * plain) / (matrices + plain))
    assert found.identity.quantization == found.identity.stored_as
    assert found.identity.quantization.startswith("gguf Q8_0, 8.")
    assert "no weight was rounded" in found.notes[0]


def test_unpacked_weights_are_a_model_like_any_other(tmp_path):
    """It can be rounded, saved and read again."""
    path = write_gguf(tmp_path / "small.gguf", quantised="Q8_0")
    half = load_model(path, dtype="bfloat16")
    assert half.dtype == "bfloat16"
    assert {one.dtype for one in half.model.parameters()} == {torch.bfloat16}
    whole = load_model(path)
    whole.model.save_pretrained(tmp_path / "saved")
    whole.tokenizer.save_pretrained(tmp_path / "saved")
    again = load_model(tmp_path / "saved")
    assert torch.equal(logits(again), logits(whole))
    assert again.identity.quantization is None


def test_a_folder_with_one_gguf_file_is_a_checkpoint(tmp_path):
    write_gguf(tmp_path / "small.gguf")
    found = load_model(tmp_path)
    assert found.identity.id == "small.gguf"
    # What lies beside the file need not be about it.
    assert found.folder is None


def test_of_several_gguf_files_one_is_chosen(tmp_path):
    write_gguf(tmp_path / "a.gguf")
    write_gguf(tmp_path / "b.gguf", quantised="Q8_0")
    refused(tmp_path, r"2 GGUF files; choose one with --gguf-file: a\.gguf, b\.gguf")
    assert load_model(tmp_path, gguf_file="b.gguf").identity.id == "b.gguf"
    refused(tmp_path, r"no file c\.gguf", gguf_file="c.gguf")
    refused(tmp_path / "a.gguf", "two GGUF files are named", gguf_file="b.gguf")
    refused(tmp_path / "a.gguf", "has no revision", revision="v2")


def test_a_gguf_file_outside_the_folder_is_not_one_of_its_files(tmp_path):
    write_gguf(tmp_path / "a.gguf")
    (tmp_path / "inner").mkdir()
    refused(tmp_path / "inner", r"no file \.\./a\.gguf", gguf_file="../a.gguf")


def test_a_checkpoint_with_a_gguf_file_beside_it_stays_one(checkpoint, tmp_path):
    folder = shutil.copytree(checkpoint("llama"), tmp_path / "model")
    write_gguf(folder / "small.gguf", quantised="Q8_0")
    assert load_model(folder).identity.stored_as == "safetensors F32"
    assert load_model(folder, gguf_file="small.gguf").identity.quantization is not None


@pytest.mark.parametrize("kept", [0, 3, 100, 0.5, 0.99])
def test_a_file_that_was_cut_is_one_line(tmp_path, kept):
    path = write_gguf(tmp_path / "small.gguf")
    content = path.read_bytes()
    path.write_bytes(content[: kept if isinstance(kept, int) else int(kept * len(content))])
    refused(path, "damaged, cut short, or no GGUF file")


def test_an_unknown_architecture_is_one_line(tmp_path):
    refused(write_gguf(tmp_path / "x.gguf", architecture="odd"), "architecture odd")


@pytest.mark.parametrize("more", [-5, 7])
def test_anothers_tokenizer_is_one_line(tmp_path, more):
    rows = len(tensors_of(load_model(write_gguf(tmp_path / "a.gguf")).model)["token_embd.weight"])
    path = write_gguf(tmp_path / "x.gguf", tokens=rows + more)
    refused(path, rf"its tokenizer has {rows + more} tokens, its embedding {rows} rows")


def test_a_weight_that_the_file_lacks_is_one_line(tmp_path):
    path = write_gguf(tmp_path / "x.gguf", without="blk.1.ffn_up.weight")
    refused(path, "1 weight is missing")


def test_a_weight_that_nothing_reads_is_one_line(tmp_path):
    path = write_gguf(tmp_path / "x.gguf", extra={"odd.weight": np.ones((2, 3), np.float32)})
    refused(path, "is not read in full")


def test_angles_of_positions_are_not_counted_as_weights(tmp_path):
    path = write_gguf(tmp_path / "x.gguf", extra={"rope_freqs.weight": np.ones(4, np.float32)})
    assert load_model(path).notes == ("x.gguf: rope_freqs.weight is not read",)


def test_weights_that_are_not_finite_are_one_line(tmp_path):
    bad = {"output_norm.weight": np.full(32, np.nan, np.float32)}
    refused(write_gguf(tmp_path / "x.gguf", extra=bad), "NaN or infinity")


def test_without_the_package_it_is_one_line(tmp_path, monkeypatch):
    path = write_gguf(tmp_path / "small.gguf")
    monkeypatch.setitem(sys.modules, "gguf", None)
    refused(path, "pip install gguf")


def test_a_gguf_file_on_the_hub_is_named_with_its_model(monkeypatch):
    assert split_gguf("owner/name/a.Q4_1.gguf") == ("owner/name", "a.Q4_1.gguf")
    assert split_gguf("owner/name") == ("owner/name", None)
    assert split_gguf("a/b/c/d.gguf") == ("a/b/c/d.gguf", None)
    monkeypatch.delenv("HF_HUB_OFFLINE")
    place = locate("owner/name/a.gguf", revision="v1")
    assert place == Place("owner/name/a.gguf", None, "v1", gguf="a.gguf")
    assert (place.repository, place.id) == ("owner/name", "owner/name/a.gguf")
    assert locate("owner/name", gguf_file="b.gguf").id == "owner/name/b.gguf"


def test_a_gguf_file_that_is_not_there_is_one_line(tmp_path):
    refused(tmp_path / "none.gguf", "no such file")
    refused("none.gguf", "no such file")
    refused("owner/name/a.gguf", "cannot be asked while offline")
