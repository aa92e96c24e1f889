"""A model that is split over the processes of a run scores, writes and embeds as in one piece."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import torch

from fairaudit.scoring.load import load_model
from tests.conftest import shared
from tests.launching import launch
from tests.test_ranks import PAIRS, PROMPTS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def suites(tmp_path_factory):
    place = tmp_path_factory.mktemp("suites")
    (place / "pairs.csv").write_text(PAIRS)
    (place / "prompts.csv").write_text(PROMPTS)
    return ",".join(map(str, (place / "pairs.csv", place / "prompts.csv", "winobias", "seat")))


def audited(model, suites, folder, size=2, *options):
    """Run one audit, alone or with the model split, and return its folder's content."""
    asked = ["-m", "fairaudit", "audit", model, "--suites", suites, "--data", shared("data")]
    asked += ["--limit", "30", "--max-new-tokens", "6", "--output", folder, *options]
    split = ["--tensor-parallel"] if size > 1 else []
    cache = str(folder.parent / f"cache-{folder.name}")
    ended = launch([*asked, *split], size, FAIRAUDIT_CACHE=cache)
    assert len({one.code for one in ended}) == 1, [one.err for one in ended]
    return ended, json.loads((folder / "result.json").read_text())


def tables_agree(one, two, tolerance):
    for table in one.rglob("*.parquet"):
        ours = pd.read_parquet(table)
        theirs = pd.read_parquet(two / table.relative_to(one))
        assert ours.drop(columns="score").equals(theirs.drop(columns="score")), table.name
        close = np.isclose(ours["score"], theirs["score"], rtol=0, atol=tolerance, equal_nan=True)
        assert close.all(), table.name


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_a_split_model_is_audited_as_in_one_piece(family, suites, checkpoint, tmp_path):
    _, alone = audited(checkpoint(family), suites, tmp_path / "one", 1)
    ended, split = audited(checkpoint(family), suites, tmp_path / "two")
    assert ended[1].out == ""
    assert alone["provenance"]["model"] == split["provenance"]["model"]
    assert any("split over 2 processes" in note for note in split["notes"])
    tables_agree(tmp_path / "one", tmp_path / "two", 1e-4)
    # Stored scores are found again, by all at once.
    shutil.rmtree(tmp_path / "cache-two" / "kept-audits")
    shutil.rmtree(tmp_path / "two")
    _, again = audited(checkpoint(family), suites, tmp_path / "two")
    assert again["estimates"] == split["estimates"]


@pytest.mark.parametrize("stored", [torch.bfloat16, torch.float32], ids=str)
def test_near_ties_of_a_split_model_are_settled_in_fp32(stored, suites, checkpoint, tmp_path):
    loaded = load_model(checkpoint("llama"))
    loaded.model.to(stored).save_pretrained(tmp_path / "model")
    loaded.tokenizer.save_pretrained(tmp_path / "model")
    low = ("--dtype", "bfloat16")
    pairs = suites.split(",")[0]
    _, alone = audited(tmp_path / "model", pairs, tmp_path / "one", 1, *low)
    _, split = audited(tmp_path / "model", pairs, tmp_path / "two", 2, *low)
    assert alone["provenance"]["model"] == split["provenance"]["model"]
    ties = split["provenance"]["near_ties"]["pairs/causal-sum"]
    assert ties["largest_error"] > 1e-4
    assert ties["rescored"] == len(PAIRS.splitlines()[1:][:30])
    tables_agree(tmp_path / "one", tmp_path / "two", 1e-4)


@pytest.mark.parametrize(
    ("family", "line"),
    [
        ("gpt2", "has no tensor-parallel plan for gpt2; use --device-map auto"),
        ("bert", "has no tensor-parallel plan for bert; use --device-map auto"),
    ],
)
def test_what_cannot_be_split_is_one_line(family, line, suites, checkpoint, tmp_path):
    asked = ["-m", "fairaudit", "audit", checkpoint(family), "--suites", suites]
    ended = launch([*asked, "--data", shared("data"), "--tensor-parallel"])
    assert {one.code for one in ended} == {2}
    assert line in " ".join(ended[0].err.split())
    assert ended[1].err == ""


def test_heads_that_cannot_be_dealt_are_one_line(suites, checkpoint):
    asked = ["-m", "fairaudit", "audit", checkpoint("llama"), "--suites", suites]
    ended = launch([*asked, "--data", shared("data"), "--tensor-parallel"], 3)
    assert {one.code for one in ended} == {2}
    assert "4 heads (2 of keys and values) cannot be dealt evenly to 3 processes" in " ".join(
        ended[0].err.split()
    )


@pytest.mark.parametrize(
    ("failing", "code", "line"),
    [
        ("raise NonFiniteError('NaN')", 2, "fairaudit: NaN"),
        ("os.kill(os.getpid(), signal.SIGKILL)", 70, "another process of this run has ended"),
        ("1 / 0", 70, "another process of this run has ended"),
    ],
)
def test_what_befalls_one_part_ends_all(failing, code, line):
    """An error that all meet is told once; of one that the second meets, the first hears."""
    body = f"""
import os, signal
import torch, torch.distributed as dist
from fairaudit.cli import app
from fairaudit.errors import NonFiniteError
from fairaudit.ranks import ranks
here = ranks()
here.one_model = True
def work(one):
    if one == 3 and (here.rank == 1 or {"NonFinite" in failing}):
        {failing}
    dist.all_reduce(torch.ones(5))
    return one
app.app = lambda: list(here.over(range(10), work, float))
app.main()
"""
    first, second = launch(["-c", body])
    assert first.code == code, first.err
    assert line in first.err
    assert second.code == (-9 if "KILL" in failing else code)
