"""Bad input: one line that says what is wrong and what to do, exit code 2, nothing half-written."""

from __future__ import annotations

import gzip
import json
import re
import shutil

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from fairaudit.results import AuditResult
from tests.cli.program import fairaudit
from tests.conftest import CORPUS, shared

SUITE = "axis,stereotype,anti_stereotype\n" + "".join(
    f"gender,The {name} said she slept.,The {name} said he slept.\n" for name in ("nurse", "cook")
)


def edit_config(folder, **changes):
    path = folder / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def edit_weights(folder, value):
    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["transformer.h.1.attn.c_attn.weight"][0, 0] = value
    save_file(weights, path, metadata={"format": "pt"})


def without_tokenizer(folder):
    for path in folder.glob("tokenizer*"):
        path.unlink()


def pickle_only(folder):
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")


def remote_code(folder):
    edit_config(folder, model_type="strange", auto_map={"AutoConfig": "code.Config"})
    (folder / "code.py").write_text("raise SystemExit('this code must not run')")


def larger_tokenizer(folder):
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens([" she", " he"])
    tokenizer.save_pretrained(folder)


def truncated_weights(folder):
    path = folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:2000])


CHECKPOINTS = {
    "gone": (shutil.rmtree, "no such folder"),
    "empty": (lambda folder: [path.unlink() for path in folder.iterdir()], r"no config\.json"),
    "no tokenizer": (without_tokenizer, "no tokenizer; save it there"),
    "pickle only": (pickle_only, "only pickle weights .* save the model with safe_serialization"),
    "remote code": (remote_code, "read that code, then allow it with --trust-remote-code"),
    "NaN": (lambda folder: edit_weights(folder, float("nan")), r"NaN or infinity .*h\.1\.attn"),
    "Inf": (lambda folder: edit_weights(folder, float("inf")), r"NaN or infinity .*h\.1\.attn"),
    "tokenizer": (larger_tokenizer, "token id 40[01], the model's embedding only 400 rows"),
    "layers": (lambda folder: edit_config(folder, n_layer=1), "in the file but not used"),
    "width": (lambda folder: edit_config(folder, n_inner=64), r"of another shape .*\[32, 64\]"),
    "truncated": (truncated_weights, "the model cannot be loaded"),
    "config": (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
    "headless": (lambda folder: edit_config(folder, architectures=["GPT2Model"]), "with a head"),
}
SUITE_FILES = {
    "empty": ("", "holds no pairs"),
    "header only": (SUITE.splitlines(keepends=True)[0], "holds no pairs"),
    "column": (SUITE.replace("anti_", "anty_"), "row 2: column 'anti_stereotype' missing"),
    "row": (SUITE + "gender,,she\n", "row 4: column 'stereotype'"),
    "cells": (SUITE + "gender,a,b,c,d\n", "row 4: more cells than columns"),
    "no pair": (SUITE + "gender,same,same\n", "row 4: column 'anti_stereotype'"),
}


@pytest.fixture
def copy(checkpoint, tmp_path):
    """A copy of a saved GPT-2 that a test may damage."""
    return shutil.copytree(checkpoint("gpt2"), tmp_path / "place" / "model")


@pytest.fixture
def suite_file(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(SUITE)
    return path


def refused(output, message, *arguments):
    """Check that the program ends with 2 and one line, and that nothing was written."""
    beside = sorted(output.parent.rglob("*"))
    done = fairaudit(*arguments, "--output", output)
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert (done.returncode, len(lines), done.stdout) == (2, 1, ""), done
    assert lines[0].startswith("fairaudit: ")
    assert re.search(message, lines[0]), lines[0]
    assert sorted(output.parent.rglob("*")) == beside


@pytest.mark.parametrize("fault", CHECKPOINTS)
def test_a_checkpoint_that_cannot_be_trusted_is_refused(copy, tmp_path, suite_file, fault):
    damage, message = CHECKPOINTS[fault]
    damage(copy)
    refused(tmp_path / "out", message, "audit", copy, "--suites", suite_file)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        ("./nowhere", "no such folder"),
        ("owner/model", "cannot be asked while offline"),
        ("a/b/c", "no such folder"),
    ],
)
def test_a_model_that_is_not_there_is_refused(tmp_path, model, message):
    refused(tmp_path / "out", message, "audit", model)


@pytest.mark.parametrize("fault", SUITE_FILES)
def test_a_malformed_suite_file_is_refused_by_row_and_column(checkpoint, suite_file, fault):
    content, message = SUITE_FILES[fault]
    suite_file.write_text(content)
    output = suite_file.parent / "out"
    refused(output, message, "audit", checkpoint("gpt2"), "--suites", suite_file)
    assert fairaudit("suites", "validate", suite_file).returncode == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--suites", "stereoste"], "did you mean 'stereoset'"),
        (["--suites", "weather"], "no suite is called 'weather'; there are templates, "),
        (["--suites", "nowhere.csv"], "cannot be read"),
        (["--suites", ","], "no suite is named"),
        (["--axes", "weather"], "no chosen suite has the axis 'weather'; there are "),
        (["--data", "nowhere"], "data folder nowhere does not exist"),
        (["--device", "toaster"], "'toaster' is not a device; use auto"),
        (["--dtype", "float7"], "'float7' is not a dtype; use auto"),
        (["--quick", "--full"], "exclude each other"),
    ],
)
def test_options_that_make_no_sense_are_refused(checkpoint, tmp_path, options, message):
    refused(tmp_path / "out", message, "audit", checkpoint("gpt2"), *options)


@pytest.mark.parametrize("content", ["id,x\n", "changed"])
def test_a_benchmark_file_with_other_content_is_refused(checkpoint, tmp_path, content):
    path = tmp_path / "data" / "crows_pairs" / "crows_pairs_anonymized.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    options = ("--data", tmp_path / "data", "--suites", "crows_pairs")
    message = r"content id \w{40}, not 28fa7d90.*replace or remove the file"
    refused(tmp_path / "out", message, "audit", checkpoint("gpt2"), *options)


def test_a_damaged_benchmark_archive_is_refused(checkpoint, tmp_path):
    original = shared("data", "stereoset", "stereoset_dev_reconstructed.json.gz").read_bytes()
    path = tmp_path / "data" / "stereoset" / "stereoset_dev_reconstructed.json.gz"
    path.parent.mkdir(parents=True)
    damaged = bytearray(original)
    damaged[len(damaged) // 2] ^= 0xFF
    path.write_bytes(damaged)
    options = ("--data", tmp_path / "data", "--suites", "stereoset")
    message = "cannot be read|has content id"
    refused(tmp_path / "out", message, "audit", checkpoint("gpt2"), *options)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"schema": "fairaudit/audit", "schema_version": 99}', "newer than this fairaudit reads"),
        ("{", "not readable as JSON"),
        ('{"schema": "another/tool"}', "expected schema"),
    ],
)
def test_a_folder_that_holds_something_else_is_left_alone(
    checkpoint, tmp_path, suite_file, content, message
):
    output = tmp_path / "place" / "out"
    output.mkdir(parents=True)
    (output / "result.json").write_text(content)
    refused(output, message, "audit", checkpoint("gpt2"), "--suites", suite_file)
    assert (output / "result.json").read_text() == content


def test_a_folder_that_holds_another_audit_is_left_alone(checkpoint, tmp_path, suite_file):
    output = tmp_path / "place" / "out"
    options = ("audit", checkpoint("gpt2"), "--suites", suite_file)
    assert fairaudit(*options, "--output", output).returncode == 0
    before = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    refused(output, "holds another result; choose another folder", *options, "--seed", "1")
    other = ("audit", checkpoint("llama"), "--suites", suite_file)
    refused(output, "holds another result; choose another folder", *other)
    after = {path: path.read_bytes() for path in output.rglob("*") if path.is_file()}
    assert after == before


@pytest.mark.parametrize("place", ["file", "file/inside", "file/deep/inside"])
def test_an_output_that_cannot_be_written_is_refused(checkpoint, tmp_path, suite_file, place):
    (tmp_path / "place").mkdir()
    (tmp_path / "place" / "file").write_text("x")
    output = tmp_path / "place" / place
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", suite_file, "--output", output)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch("fairaudit: .* is a file; name a folder for the output\n", done.stderr)
    assert [path.name for path in (tmp_path / "place").rglob("*")] == ["file"]


def test_a_folder_nobody_can_write_to_is_refused(checkpoint, suite_file):
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", suite_file, "--output", "/proc/x/y")
    assert done.returncode == 2
    assert re.fullmatch("fairaudit: /proc/x/y: cannot write there .*\n", done.stderr)


def test_items_longer_than_the_context_are_counted_and_shown(checkpoint, tmp_path):
    long = " ".join(CORPUS)
    rows = [f'gender,"{text} {long}","{text}"\n' for text in CORPUS[:2]]
    path = tmp_path / "mine.csv"
    path.write_text(SUITE + "".join(rows))
    output = tmp_path / "out"
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", path, "--output", output)
    assert done.returncode == 0, done.stderr
    result = AuditResult.load(output)
    (suite,) = result.suites
    assert (suite.n_items, suite.n_skipped) == (4, 2)
    skipped = result.items("mine").query("status == 'skipped'")
    assert skipped["score"].isna().all()
    assert skipped["reason"].str.contains(r"\d+ tokens, the model takes 64").all()
    rate = result.estimate("stereotype_preference_rate", protocol="mine/causal-sum", axis="gender")
    assert (rate.n, rate.n_skipped) == (2, 2)
    for text in (done.stdout, *((output / n).read_text() for n in ("summary.md", "report.html"))):
        assert re.search(r"skipped", text)


RECORDED = {
    "no scores": ("stereoset", "{}", "holds no scores"),
    "not JSON": ("stereoset", "x", "not a StereoSet prediction file"),
    "a list": ("stereoset", "[1]", "not a StereoSet prediction file"),
    "a number": ("stereoset", '{"intrasentence": 3}', "not a StereoSet prediction file"),
    "no id": ("stereoset", '{"intrasentence": [{"score": 1}]}', "intrasentence entry 1: .*'id'"),
    "NaN": ("stereoset", '{"intrasentence": [{"id": "a", "score": NaN}]}', "the score is nan"),
    "stranger": ("stereoset", '{"intrasentence": [{"id": "a", "score": 1}]}', "not in StereoSet's"),
    "no columns": ("crows_pairs", "a,b\n1,2\n", "column 'sent_more' is missing"),
    "empty": ("crows_pairs", "", "column 'sent_more' is missing"),
    "other suite": ("templates", "", "no recording of suite 'templates' that can be read"),
    "no such suite": ("stereo_set", "", "no suite is called 'stereo_set'; did you mean"),
}


@pytest.mark.parametrize("fault", RECORDED)
@pytest.mark.parametrize("compressed", [False, True])
def test_recorded_scores_that_do_not_fit_are_refused(tmp_path, fault, compressed):
    suite, content, message = RECORDED[fault]
    path = tmp_path / ("scores.gz" if compressed else "scores")
    path.write_bytes(gzip.compress(content.encode()) if compressed else content.encode())
    options = ("--suite", suite) + (("--data", shared("data")) if fault == "stranger" else ())
    if suite == "stereoset":
        options = ("--suite", suite, "--data", shared("data"))
    refused(tmp_path / "out", message, "audit-scores", path, *options)


@pytest.mark.parametrize("wanted", ["stereoset", "weather"])
def test_a_format_that_does_not_fit_the_suite_is_refused(tmp_path, wanted):
    options = ("--suite", "crows_pairs", "--input-format", wanted)
    refused(tmp_path / "out", f"'{wanted}'", "audit-scores", tmp_path / "x", *options)


def test_a_damaged_score_archive_is_refused(tmp_path):
    path = tmp_path / "scores.json.gz"
    whole = gzip.compress(b"[1, 2, 3]" * 50)
    path.write_bytes(whole[:12] + b"\xff" * 9 + whole[21:])
    refused(tmp_path / "out", "cannot be read", "audit-scores", path, "--suite", "stereoset")


def test_the_result_of_a_good_run_reads_back(checkpoint, tmp_path, suite_file):
    output = tmp_path / "out"
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", suite_file, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert len(pd.read_parquet(output / "items" / "mine.parquet")) == 4
