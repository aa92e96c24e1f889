"""Disks that fill up, files that are empty or damaged, models that fail: one line, or all is well.

What is killed stands in tests/cli/test_killed.py, two runs at once in tests/test_two_runs.py.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from fairaudit.auditing.audit_plan import plan_audit
from fairaudit.auditing.run_audit import audit, run_audit
from fairaudit.errors import FairauditError, ModelError, ResultError
from fairaudit.results import AuditResult
from fairaudit.scoring.load import load_model
from fairaudit.scoring.segments import Segments
from fairaudit.training.finetuning import finetune
from tests.cli.program import fairaudit
from tests.conftest import CORPUS

SUITE = "stereotype,anti_stereotype,axis\n" + "".join(
    f"The {job} said he was {mood}.,The {job} said she was {mood}.,gender\n"
    for job in ("nurse", "doctor", "engineer")
    for mood in ("tired", "glad")
)


@pytest.fixture(scope="module")
def made(checkpoint, tmp_path_factory):
    """Folders with one of each result: an audit, a comparison, a gate's policy, a training."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "mine.csv").write_text(SUITE)
    for name, family in (("audit", "gpt2"), ("other", "llama")):
        audit(checkpoint(family), suites=[str(folder / "mine.csv")], label=name, device="cpu",
              output=folder / name, progress=False)  # fmt: skip
    done = fairaudit("compare", folder / "audit", folder / "other", "-o", folder / "comparison")
    assert done.returncode == 0, done.stderr
    done = fairaudit("gate", folder / "comparison", "--init", folder / "policy.toml")
    assert done.returncode == 0, done.stderr
    finetune(checkpoint("gpt2"), CORPUS, output=folder / "trained", steps=2, batch_size=3,
             epsilon=8, delta=1e-3, held_out=CORPUS, max_length=16, device="cpu")  # fmt: skip
    return folder


GATE = ["gate", "{}", "--policy", "{}/../policy.toml"]
#: What reads each kind of folder; `{}` is the folder.
READERS = {
    "audit": [["report", "{}"], GATE, ["card", "{}", "--readme", "{}/../card.md"],
              ["compare", "{}", "{}/../other"]],
    "comparison": [["report", "{}"], GATE],
    "trained": [["verify", "{}"],
                ["audit", "{}", "--suites", "{}/../mine.csv", "--device", "cpu"]],
}  # fmt: skip


@pytest.mark.fault(
    "any file of a result or checkpoint is empty after a power loss",
    "one line that names the file, or the file is not needed",
)
@pytest.mark.parametrize("kind", READERS)
@pytest.mark.long
def test_an_empty_file_is_named(made, tmp_path, kind):
    """Issue 24: internal errors, exit 70."""
    shutil.copytree(made, tmp_path / "made")
    folder = tmp_path / "made" / kind
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        if path.suffix in {".png", ".html", ".md"} or path.name == ".gitignore":
            continue
        content = path.read_bytes()
        path.write_bytes(b"")
        for number, reader in enumerate(READERS[kind]):
            out = [] if reader[0] in {"report", "gate", "verify", "card"} else [
                "--output", tmp_path / f"{path.name}-{number}"]  # fmt: skip
            done = fairaudit(*(str(word).format(folder) for word in reader), *out)
            told = f"{path.name}: {' '.join(reader)}: {done.stderr}"
            assert done.returncode in {0, 1, 2, 3}, told
            assert "internal error" not in done.stderr, told
            if done.returncode == 2:
                assert done.stderr.strip().count("\n") == 0, told
        path.write_bytes(content)


@pytest.mark.fault("a flipped bit in a score table or in texts", "one line, the file named")
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(bit=st.integers(0, 1 << 30))
def test_a_flipped_bit_in_a_table_is_seen(made, tmp_path_factory, bit):
    """Issue 24: 922 of 1,500 were read as another table."""
    path = made / "audit" / "items" / "mine.parquet"
    whole = path.read_bytes()
    content = bytearray(whole)
    content[bit // 8 % len(whole)] ^= 1 << bit % 8
    try:
        path.write_bytes(content)
        with pytest.raises(ResultError, match=r"mine\.parquet was changed"):
            AuditResult.load(made / "audit").items("mine")
    finally:
        path.write_bytes(whole)


@pytest.mark.fault("torn, flipped or empty segments of stored scores", "the rest is scored again")
@given(data=st.data())
def test_a_damaged_segment_gives_no_wrong_record(tmp_path_factory, data):
    root = tmp_path_factory.mktemp("store")
    kept = {bytes([n]) * 32: bytes(range(n, n + 20)) for n in range(6)}
    store = Segments(root, {}, "scores")
    for key, payload in kept.items():
        store.put(key, payload)
    (path,) = store.folder.iterdir()
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    else:
        bit = data.draw(st.integers(0, 8 * len(content) - 1))
        content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)
    again = Segments(root, {}, "scores")
    found = {key: again.get(key) for key in kept}
    assert all(one is None or one == kept[key] for key, one in found.items())
    assert None in found.values()


@pytest.mark.fault("NaN from one layer of a model", "one line, nothing is written or stored")
def test_nan_from_one_layer(checkpoint, tmp_path, monkeypatch):
    """The weights are finite; what the layer makes of them is not."""
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(tmp_path / "cache"))
    (tmp_path / "mine.csv").write_text(SUITE)
    shutil.copytree(checkpoint("gpt2"), tmp_path / "model")
    path = tmp_path / "model" / "model.safetensors"
    weights = load_file(path)
    name = next(name for name in weights if "h.1.mlp.c_fc.weight" in name)
    weights[name] = torch.full_like(weights[name], 3e38)
    save_file(weights, path, {"format": "pt"})
    done = fairaudit("audit", tmp_path / "model", "--suites", tmp_path / "mine.csv",
                     "--device", "cpu", "--output", tmp_path / "out")  # fmt: skip
    assert done.returncode == 2
    assert "NaN" in done.stderr
    assert not (tmp_path / "out").exists()
    assert not list((tmp_path / "cache").rglob("*.scores"))


@pytest.mark.fault(
    "a checkpoint overwritten during a run",
    "a right result from the weights that were read, or one line where it has to be read again",
)
def test_a_checkpoint_overwritten_before_it_is_read_again(checkpoint, tmp_path):
    shutil.copytree(checkpoint("gpt2"), tmp_path / "model")
    loaded = load_model(tmp_path / "model", device="cpu", dtype="bfloat16")
    assert loaded.unrounded is not None
    loaded.unrounded()
    path = tmp_path / "model" / "model.safetensors"
    weights = load_file(path)
    save_file({name: one + 1e-3 for name, one in weights.items()}, path, {"format": "pt"})
    with pytest.raises(ModelError, match="was changed while it was in use"):
        loaded.unrounded()


def test_a_base_overwritten_during_a_training(checkpoint, tmp_path):
    shutil.copytree(checkpoint("gpt2"), tmp_path / "model")

    def overwrite(*_):
        path = tmp_path / "model" / "model.safetensors"
        weights = load_file(path)
        save_file({name: one + 1e-3 for name, one in weights.items()}, path, {"format": "pt"})

    with pytest.raises(ModelError, match="was changed while it was in use"):
        finetune(tmp_path / "model", CORPUS, output=tmp_path / "out", steps=1, batch_size=3,
                 max_length=16, device="cpu", on_step=overwrite)  # fmt: skip
    assert not (tmp_path / "out" / "training.json").exists()


@pytest.mark.fault(
    "a suite's file or a training text overwritten during a run",
    "a right result of what was read at its start",
)
def test_texts_overwritten_during_a_run(checkpoint, tmp_path):
    suite = tmp_path / "mine.csv"
    suite.write_text(SUITE)
    asked = {"suites": [str(suite)], "device": "cpu"}
    before = audit(checkpoint("gpt2"), **asked)
    plan = plan_audit(checkpoint("gpt2"), **asked)
    suite.write_text(SUITE.replace("nurse", "clerk"))
    after = run_audit(plan)
    assert (after.estimates, after.suites) == (before.estimates, before.suites)
    text = tmp_path / "text.txt"
    trained = {}
    for name in ("left alone", "overwritten"):
        text.write_text("\n".join(CORPUS))

        def overwrite(*_, changes=name == "overwritten"):
            if changes:
                text.write_text("Something else.\n")

        finetune(checkpoint("gpt2"), text, output=tmp_path / name, steps=2, batch_size=3, seed=1,
                 max_length=16, device="cpu", on_step=overwrite)  # fmt: skip
        trained[name] = load_file(tmp_path / name / "model.safetensors")
    assert all(
        torch.equal(weight, trained["overwritten"][name])
        for name, weight in trained["left alone"].items()
    )


@pytest.mark.fault("a cache that cannot be written or is a file", "a right result")
@pytest.mark.parametrize("cache", ["file", "/proc/nowhere", "of root"])
def test_a_cache_that_cannot_be_used_is_never_fatal(checkpoint, tmp_path, monkeypatch, cache):
    place = tmp_path / "cache"
    if cache == "file":
        place.write_text("")
    monkeypatch.setenv("FAIRAUDIT_CACHE", cache if cache.startswith("/") else str(place))
    (tmp_path / "mine.csv").write_text(SUITE)
    arguments = ["audit", checkpoint("gpt2"), "--suites", tmp_path / "mine.csv", "--device", "cpu",
                 "--output", tmp_path / "out"]  # fmt: skip
    if cache == "of root":
        _not_even_read(place)
    done = fairaudit(*arguments)
    assert done.returncode == 0, done.stderr
    assert AuditResult.load(tmp_path / "out").label


def _not_even_read(place: Path) -> None:
    """Folders where files belong and the other way round: nobody may write there, root included."""
    for name in ("scores", "kept-audits", "texts", "classifier-checks", "data"):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("")


def full(folder: Path, arguments: list, limit: int) -> subprocess.CompletedProcess[str]:
    """Run the program where no file may become larger than so many bytes."""

    def no_larger() -> None:
        import signal

        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return subprocess.run(
        [sys.executable, "-m", "fairaudit", *map(str, arguments)], capture_output=True, text=True,
        preexec_fn=no_larger, env=os.environ | {"FAIRAUDIT_CACHE": str(folder / "cache")},
    )  # fmt: skip


@pytest.mark.long
@pytest.mark.fault("the disk is full on an audit's output", "one line, nothing half-written")
@pytest.mark.fault("the disk is full on the cache", "a right result")
def test_a_full_disk_for_an_audit(checkpoint, tmp_path):
    (tmp_path / "mine.csv").write_text(SUITE)
    arguments = ["audit", checkpoint("gpt2"), "--suites", tmp_path / "mine.csv", "--device", "cpu",
                 "--output", tmp_path / "out"]  # fmt: skip
    # Enough for no table of scores.
    done = full(tmp_path, arguments, 1000)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines()[-1].startswith(f"fairaudit: {tmp_path / 'out'}: ")
    assert not (tmp_path / "out" / "result.json").exists()
    assert not list(tmp_path.glob(".*partial*"))
    # What was half-stored does no harm.
    again = fairaudit(*arguments)
    assert again.returncode == 0, again.stderr


@pytest.mark.long
@pytest.mark.fault("the disk is full on a checkpoint", "one line; `--resume` ends in equal weights")
def test_a_full_disk_for_a_training(checkpoint, tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("\n".join(CORPUS))
    arguments = ["finetune", checkpoint("gpt2"), "--train", text, "--steps", 2, "--batch-size", 3,
                 "--max-length", 16, "--device", "cpu"]  # fmt: skip
    done = full(tmp_path, [*arguments, "--output", tmp_path / "out"], 20_000)
    assert done.returncode == 2, done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"fairaudit: {tmp_path / 'out'}")
    assert not list(tmp_path.rglob("*partial*"))
    assert not (tmp_path / "out" / "model.safetensors").exists()
    has_state = (tmp_path / "out" / "private" / "state.pt").exists()
    again = [*arguments, "--output", tmp_path / "out", *(["--resume"] if has_state else [])]
    done = fairaudit(*again)
    assert done.returncode == 0, done.stderr
    assert fairaudit(*arguments, "--output", tmp_path / "whole").returncode == 0
    ours, whole = (load_file(tmp_path / name / "model.safetensors") for name in ("out", "whole"))
    assert all(torch.equal(ours[name], whole[name]) for name in whole)


@pytest.mark.fault("a read-only folder that is to be gated", "decided; `gate.json` in `--output`")
def test_a_folder_that_cannot_be_written_is_gated(made, tmp_path):
    done = fairaudit("gate", made / "comparison", "--policy", made / "policy.toml",
                     "--output", tmp_path / "decision")  # fmt: skip
    assert done.returncode in {0, 1, 3}, done.stderr
    assert json.loads((tmp_path / "decision" / "gate.json").read_text())
    assert not (made / "comparison" / "gate.json").exists()


def test_errors_are_of_the_library(made):
    """One base class for all that callers have to catch."""
    with pytest.raises(FairauditError):
        AuditResult.load(made / "nothing")
