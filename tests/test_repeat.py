"""The command that a result stores runs again, from another folder, and gives the same result."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.run_audit import audit
from fairaudit.comparing.compare import compare
from fairaudit.options import command_of, entries
from fairaudit.report.provenance import command, stored_command
from fairaudit.results import AuditResult
from tests.classifiers import save
from tests.comparing.audits import make_audit, pair_table
from tests.comparing.test_compare import wins
from tests.conftest import build_model

SUITE = "axis,stereotype,anti_stereotype\n" + "".join(
    f"{axis},The {adjective} nurse said she slept.,The {adjective} nurse said he slept.\n"
    for axis in ("gender", "race")
    for adjective in ("old", "young", "tired", "rich", "poor", "glad", "loud")
)
PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"The {age} {person},gender,{group},{age}\n"
    for age in ("old", "young", "tired", "rich", "poor")
    for group, person in (("male", "man"), ("female", "woman"))
)


def without_run(folder: Path) -> dict:
    content = json.loads((folder / "result.json").read_text())
    content.pop("run")
    return content


@pytest.mark.long
def test_the_stored_command_gives_the_same_result(checkpoint, tmp_path, monkeypatch):
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (here / "my pairs.csv").write_text(SUITE)
    (here / "prompts.csv").write_text(PROMPTS)
    (here / "model").symlink_to(checkpoint("gpt2"))
    save(here / "judge")
    monkeypatch.chdir(here)
    made = audit(
        "model", suites=["my pairs.csv", "prompts.csv"], axes=["gender"], limit=4, seed=3,
        toxicity_classifier="judge", completions=2, max_new_tokens=4, output="out",
        base=str(checkpoint("gpt2")), label="$(touch x); it's", token_budget=64,
    )  # fmt: skip
    told = command(made)
    assert told.endswith(" --output DIR")
    # Read back from the file, as the page of anybody who has the folder.
    assert command(AuditResult.load(here / "out")) == told
    words = shlex.split(told)
    assert words[0] == "fairaudit"
    ended = subprocess.run(
        [sys.executable, "-m", *words], cwd=there, capture_output=True, text=True,
        env=os.environ | {"FAIRAUDIT_CACHE": str(tmp_path / "cache")},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert without_run(there / "DIR") == without_run(here / "out")
    assert sorted(one.name for one in there.iterdir()) == ["DIR"]


def test_the_stored_command_of_a_comparison(tmp_path, monkeypatch):
    there = tmp_path / "there"
    there.mkdir()
    monkeypatch.chdir(tmp_path)
    for name, k in (("a", 20), ("b", 40)):
        make_audit(name, pair_table(wins(60, k))).save(tmp_path / name)
    made = compare(["a", "b"], labels=["base", "it's new"], margin=0.07, alpha=0.1, output="out")
    told = stored_command(made.run)
    assert told is not None
    words = shlex.split(told)
    ended = subprocess.run([sys.executable, "-m", *words], cwd=there, capture_output=True)
    assert ended.returncode == 0, ended.stderr
    assert without_run(there / "DIR") == without_run(tmp_path / "out")
    page = (there / "DIR" / "report.html").read_text("utf-8")
    assert "Repeat it" in page
    audits = [AuditResult.load(tmp_path / name) for name in "ab"]
    assert stored_command(compare(audits).run) is None


def test_data_of_the_environment_are_named(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRAUDIT_DATA", str(tmp_path))
    made = audit(str(checkpoint("gpt2")), suites=["templates"], limit=2)
    assert f"--data {tmp_path}" in command(made)
    assert "--limit 2" in command(made)


def test_a_model_in_memory_has_no_command():
    made = audit(build_model("gpt2"), suites=["templates"], limit=2)
    assert made.run.command is None
    assert "--limit 2" in command(made)


@pytest.mark.parametrize("entry", entries(AuditOptions), ids=lambda one: one.name)
def test_every_option_of_the_command_line_is_named(entry):
    """Whatever option is added, the command says it."""
    if entry.option.help is None or entry.name in {"output", "overwrite"}:
        return
    value = {bool: True, int: 7, float: 0.5}.get(entry.alternatives[0], "value")
    if entry.element is not None:
        value = ("one", "two")
    elif entry.choices:
        value = entry.choices[-1]
    made = AuditOptions("model")
    object.__setattr__(made, entry.name, value)
    words = command_of("audit", made, "model")
    assert words is not None
    flags = entry.option.flags or (f"--{entry.name.replace('_', '-')}",)
    assert flags[0] in words
