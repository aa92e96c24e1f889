"""``fairaudit compare`` as a stranger would use it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from fairaudit.cli.app import app
from fairaudit.errors import FairauditError
from tests.comparing.audits import make_audit, pair_table

POLICY = """
[policy]
name = "release"
[[rules]]
kind = "max_increase_vs_baseline"
margin = 0.05
"""


@pytest.fixture
def folders(tmp_path):
    """Audit folders of a baseline, a worse model and one that did not change."""
    wins = {"base": 200, "worse": 300, "same": 200}
    for name, n in wins.items():
        make_audit(name, pair_table([1.0] * n + [-1.0] * (400 - n))).save(tmp_path / name)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def test_two_candidates_are_compared_and_written(folders):
    done = run(folders / "base", folders / "worse", folders / "same", "-o", folders / "out")
    assert done.exit_code == 0, done.output
    result = json.loads((folders / "out" / "result.json").read_text())
    assert result["schema"] == "fairaudit/comparison"
    assert result["candidates"] == ["worse", "same"]
    verdicts = {e["candidate"]: e["verdict"] for e in result["comparisons"] if e["primary"]}
    assert verdicts == {"worse": "amplified", "same": "equivalent"}
    assert (folders / "out" / "report.html").exists()
    assert (folders / "out" / "summary.md").exists()
    assert "worse" in done.output


def test_labels_margin_and_json(folders):
    done = run(
        folders / "base", folders / "same", "-o", folders / "out", "--labels", "old,new",
        "--margin", "0.01", "--format", "json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["baseline"], result["candidates"]) == ("old", ["new"])
    assert {e["margin"] for e in result["comparisons"] if e["primary"]} == {0.01}


@pytest.mark.parametrize(("candidate", "code"), [("worse", 1), ("same", 0)])
def test_a_policy_sets_the_exit_code(folders, candidate, code):
    (folders / "release.toml").write_text(POLICY)
    done = run(
        folders / "base", folders / candidate, "-o", folders / "out",
        "--policy", folders / "release.toml",
    )  # fmt: skip
    assert done.exit_code == code, done.output
    decided = json.loads((folders / "out" / "gate.json").read_text())
    assert decided["exit_code"] == code


def test_a_policy_with_a_typing_error_costs_no_comparison(folders):
    (folders / "release.toml").write_text(POLICY.replace("margin", "marign"))
    done = run(
        folders / "base", folders / "same", "-o", folders / "out",
        "--policy", folders / "release.toml",
    )  # fmt: skip
    assert isinstance(done.exception, FairauditError)
    assert not (folders / "out").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nowhere", "same"], "no such file"),
        (["base", "same", "--alpha", "1.5"], "alpha must lie between"),
        (["base", "same", "--labels", "one"], "1 labels for 2 audits"),
    ],
)
def test_what_is_wrong_is_one_line_and_writes_nothing(folders, arguments, message):
    paths = [folders / a if not a.startswith("-") and "." not in a and a != "one" else a
             for a in arguments]  # fmt: skip
    done = run(*paths, "-o", folders / "out")
    assert isinstance(done.exception, FairauditError)
    assert message in str(done.exception)
    assert done.exception.exit_code == 2
    assert not (folders / "out").exists()
