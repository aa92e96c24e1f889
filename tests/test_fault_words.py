"""What pydantic says of a fault reaches users in our words, without the class of an exception."""

from __future__ import annotations

import re
from pathlib import Path

import fairaudit
from tests.cli.program import fairaudit as run

PACKAGE = Path(fairaudit.__file__).parent


def test_one_function_reads_the_message_of_a_fault():
    reads = re.compile(r"""\[["']msg["']\]""")
    found = {path.name for path in PACKAGE.rglob("*.py") if reads.search(path.read_text("utf-8"))}
    assert found == {"errors.py"}


def test_a_fault_of_a_row_is_told_without_the_class_of_the_error(tmp_path):
    path = tmp_path / "same.csv"
    path.write_text("axis,stereotype,anti_stereotype\ngender,a b,a b\n")
    done = run("suites", "validate", path)
    assert done.returncode == 2
    assert "the same sentence as 'stereotype'" in done.stderr
    assert "Value error" not in done.stderr


def test_one_cluster_is_no_clusters(tmp_path):
    path = tmp_path / "prompts.toml"
    assert run("suites", "init", path, "--prompts").returncode == 0
    assert "in 1 cluster, language en" in run("suites", "validate", path).stdout


def test_a_suite_that_states_no_evidence_says_so(tmp_path):
    path = tmp_path / "mine.csv"
    assert run("suites", "init", path).returncode == 0
    shown = run("suites", "show", path).stdout
    assert shown.rstrip().endswith("evidence for:\n  - none stated")
