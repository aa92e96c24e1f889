"""``--config``: options of an audit in a file, under those of the command line."""

from __future__ import annotations

import json

import pytest

from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.cli.config import read_config
from fairaudit.errors import UsageError
from fairaudit.options import entries
from tests.cli.program import fairaudit

FILE = """
model = "model"
suites = ["templates"]
axes = ["gender", "race"]
limit = 20
seed = 4
output = "out"
"""


@pytest.fixture
def place(tmp_path, checkpoint):
    (tmp_path / "model").symlink_to(checkpoint("gpt2"))
    (tmp_path / "audit.toml").write_text(FILE)
    return tmp_path


def settings_of(folder):
    return json.loads((folder / "result.json").read_text())["provenance"]["settings"]


def test_a_file_says_what_the_command_line_would(place, monkeypatch):
    monkeypatch.chdir("/")
    done = fairaudit("audit", "--config", place / "audit.toml")
    assert done.returncode == 0, done.stderr
    typed = fairaudit(
        "audit", place / "model", "--suites", "templates", "--axes", "gender,race", "--limit", "20",
        "--seed", "4", "--output", place / "typed",
    )  # fmt: skip
    assert typed.returncode == 0, typed.stderr
    assert settings_of(place / "out") == settings_of(place / "typed")
    ours, theirs = (
        json.loads((place / name / "result.json").read_text()) for name in ("out", "typed")
    )
    assert ours["estimates"] == theirs["estimates"]


def test_the_command_line_comes_first(place):
    done = fairaudit(
        "audit", "--config", place / "audit.toml", "--axes", "race", "--seed", "5",
        "--output", place / "other",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said = settings_of(place / "other")
    assert (said["axes"], said["seed"], said["item_limit"]) == (["race"], 5, 20)
    assert not (place / "out").exists()


def test_every_option_of_the_command_line_may_stand_in_the_file(tmp_path):
    path = tmp_path / "all.toml"
    for one in entries(AuditOptions):
        if one.option.help is None and not one.positional:
            continue
        value = (
            "true" if one.alternatives == (bool,)
            else "3" if one.alternatives == (int,)
            else "0.5" if one.alternatives == (float,)
            else "[3]" if one.element is int
            else '["x"]' if one.element is str
            else json.dumps(one.choices[-1] if one.choices else "x")
        )  # fmt: skip
        path.write_text(f"{one.name} = {value}\n")
        assert one.name in read_config(AuditOptions, path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('suits = ["a"]', "unknown option 'suits'; did you mean 'suites'?"),
        ("seed = -1", "seed must be at least 0, not -1"),
        ('seed = "a"', "seed must be a whole number, not 'a'"),
        ("seed = true", "seed must be int, at least 0, not True"),
        ("quick = 1", "quick must be true or false, not 1"),
        ("suites = [1]", "suites must be a list of texts"),
        ('suites = ["a,b"]', "no member may have a comma"),
        ("label = 3", "label must be text, not 3"),
        ("label = [", "not a TOML file"),
        ("[label]\nx = 1", "label must be"),
        ("progress = true", "unknown option 'progress'"),
    ],
)
def test_what_is_wrong_is_one_line_with_the_files_name(tmp_path, text, message):
    path = tmp_path / "audit.toml"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        read_config(AuditOptions, path)
    assert message in str(error.value)
    assert str(error.value).startswith(str(path))
    done = fairaudit("audit", "m", "--config", path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"fairaudit: {path}")


def test_a_file_that_is_not_there(tmp_path):
    done = fairaudit("audit", "m", "--config", tmp_path / "none.toml")
    assert (done.returncode, "no such file" in done.stderr) == (2, True)


def test_completion_offers_verbs_and_options(monkeypatch):
    monkeypatch.setenv("_FAIRAUDIT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "fairaudit aud")
    monkeypatch.setenv("COMP_CWORD", "1")
    done = fairaudit()
    assert set(done.stdout.split()) >= {"audit", "audit-scores"}
