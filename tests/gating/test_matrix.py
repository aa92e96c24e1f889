"""One decision: from Python, from the command line and from pytest."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

import fairaudit
from fairaudit.cli.app import app
from fairaudit.results import GateResult
from tests.gating.cases import CASES, Case
from tests.gating.results import toml

pytest_plugins = ["pytester"]

EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3, "NOT_RUN": 3}
TESTS = """
import pytest

@pytest.mark.parametrize(("folder", "allow"), {arguments})
def test_release(folder, allow, fairaudit_gate):
    fairaudit_gate(folder, policy=folder + "/policy.toml", allow_inconclusive=allow)
"""


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Folder of each case, with its result and its policy."""
    found = {}
    for place, case in enumerate(CASES):
        folder = tmp_path_factory.mktemp("cases") / str(place)
        case.result.save(folder)
        (folder / "policy.toml").write_text(toml(case.policy), encoding="utf-8")
        found[case.name] = folder
    return found


@pytest.fixture(scope="module")
def by_pytest(places, tmp_path_factory):
    """Decision of each case in one run of pytest, and whether its test passed."""
    folder = tmp_path_factory.mktemp("pytest")
    arguments = [(str(places[case.name]), case.allow) for case in CASES]
    (folder / "test_it.py").write_text(TESTS.format(arguments=repr(arguments)), encoding="utf-8")
    reports = Reports()
    pytest.main(["-q", "-p", "no:cacheprovider", "-p", "no:xdist", "--rootdir", str(folder),
                 "-c", os.devnull, str(folder)], plugins=[reports])  # fmt: skip
    return dict(zip((case.name for case in CASES), reports.found, strict=True))


class Reports:
    """A pytest plugin that collects the decision and outcome of each test, in order."""

    def __init__(self) -> None:
        self.found: list[tuple[str, bool]] = []

    def pytest_runtest_logreport(self, report):
        if report.when == "call":
            self.found.append((dict(report.user_properties)["fairaudit_gate"], report.passed))


def by_command_line(case: Case, folder) -> tuple[str, int]:
    """Return the decision in ``gate.json``, and the exit code."""
    options = ["--allow-inconclusive"] if case.allow else []
    policy = str(folder / "policy.toml")
    done = CliRunner().invoke(app, ["gate", str(folder), "--policy", policy, *options])
    return GateResult.load(folder).decision, done.exit_code


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_python_command_line_and_pytest_decide_alike(case, places, by_pytest):
    folder = places[case.name]
    expected = EXIT_CODES[case.decision] if case.exit_code is None else case.exit_code
    allow = case.allow
    in_memory = fairaudit.gate(case.result, case.policy, allow_inconclusive=allow)
    assert (in_memory.decision, in_memory.exit_code) == (case.decision, expected)
    from_files = fairaudit.gate(folder, folder / "policy.toml", allow_inconclusive=allow)
    assert from_files == in_memory
    assert by_command_line(case, folder) == (case.decision, expected)
    assert GateResult.load(folder) == in_memory
    assert by_pytest[case.name] == (case.decision, expected == 0)


def test_the_matrix_is_large_and_holds_every_decision():
    assert len(CASES) >= 40
    assert len({case.name for case in CASES}) == len(CASES)
    assert {case.decision for case in CASES} == set(EXIT_CODES)


@pytest.mark.parametrize("name", ["no increase", "an increase", "too few pairs", "did not run"])
def test_the_program_in_a_process_of_its_own(name, places):
    folder = places[name]
    decision = next(case.decision for case in CASES if case.name == name)
    (folder / "gate.json").unlink(missing_ok=True)
    arguments = ["gate", str(folder), "--policy", str(folder / "policy.toml")]
    command = [sys.executable, "-m", "fairaudit", *arguments]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == EXIT_CODES[decision], done.stderr
    assert GateResult.load(folder).decision == decision
    assert f"\n{decision}: " in done.stdout


def test_pytest_in_a_process_of_its_own(places, pytester):
    chosen = ("no increase", "an increase", "too few pairs", "did not run")
    arguments = [(str(places[name]), False) for name in chosen]
    pytester.makepyfile(TESTS.format(arguments=repr(arguments)))
    run = pytester.runpytest_subprocess("-q", "-p", "no:xdist")
    run.assert_outcomes(passed=1, failed=3)
    run.stdout.fnmatch_lines(
        ["*release gate: FAIL (1 FAIL)", "FAIL max_increase_vs_baseline templates/*| dp: *"]
    )
    run.stdout.fnmatch_lines(["*release gate: INCONCLUSIVE*", "*release gate: NOT_RUN*"])
    assert "pytest_plugin.py" not in run.stdout.str()
