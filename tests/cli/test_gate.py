"""``fairaudit gate`` as a release engineer meets it: files, exit codes, one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from junitparser import JUnitXml
from typer.testing import CliRunner

from fairaudit.cli import app as program
from fairaudit.cli.gate import apply_policy
from fairaudit.errors import FairauditError, ResultError
from fairaudit.gating.policy import read_policy
from fairaudit.results import GateResult
from tests.gating.cases import (
    AMPLIFIED,
    DEVIATION,
    EDGE,
    EPSILON,
    INCREASE,
    MISSED,
    NEUTRAL,
    SAME_RATE,
)
from tests.gating.results import audit, policy, rate, toml


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Hold an audit, a comparison and a policy for each."""
    monkeypatch.chdir(tmp_path)
    NEUTRAL.save("audit")
    SAME_RATE.save("comparison")
    (tmp_path / "release.toml").write_text(toml(policy(DEVIATION, MISSED)))
    (tmp_path / "compare.toml").write_text(toml(policy(INCREASE)))
    return tmp_path


def gate(*arguments, **environment):
    """Run the verb in this process."""
    return CliRunner().invoke(program.app, ["gate", *arguments], env=environment)


def test_it_says_rule_selector_decision_value_and_reason(place):
    done = gate("audit", "--policy", "release.toml", COLUMNS="120")
    assert done.exit_code == 3
    for text in (
        "Near the ideal: Gender: stereotype preference rate (Embedded templates, causal-",
        "50.0 % [47.4, 52.6]",
        "StereoSet did not run: no data",
        "NOT_RUN: 3 checks, 1 NOT_RUN, 2 PASS",
    ):
        assert text in done.output


def test_gate_json_has_the_fields_of_the_schema(place):
    gate("audit", "--policy", "release.toml")
    content = json.loads((place / "audit" / "gate.json").read_text())
    assert {"schema", "schema_version", "decision", "exit_code", "policy_hash", "rules"} == set(
        content
    )
    assert content["schema"] == "fairaudit/gate"
    fields = {"rule", "selector", "decision", "value", "bound", "interval", "n", "p_adjusted"}
    assert all(set(rule) == fields | {"reason", "refused"} for rule in content["rules"])
    assert content["policy_hash"] == read_policy("release.toml").hash
    assert sorted(path.name for path in place.iterdir() if "partial" in path.name) == []


def test_a_later_gate_replaces_an_earlier_one_and_leaves_the_result(place):
    before = (place / "comparison" / "result.json").read_bytes()
    (place / "strict.toml").write_text(toml(policy({**INCREASE, "margin": 0.001})))
    assert gate("comparison", "--policy", "strict.toml").exit_code == 3
    assert gate("comparison", "--policy", "compare.toml").exit_code == 0
    assert GateResult.load(place / "comparison").decision == "PASS"
    assert (place / "comparison" / "result.json").read_bytes() == before


def test_the_result_file_itself_may_be_named(place):
    assert gate("comparison/result.json", "--policy", "compare.toml").exit_code == 0
    assert (place / "comparison" / "gate.json").exists()


def test_junit_and_step_summary(place):
    options = ("--junit", "out/junit.xml")
    done = gate("audit", "--policy", "release.toml", *options, GITHUB_STEP_SUMMARY="step.md")
    assert done.exit_code == 3
    assert JUnitXml.fromfile("out/junit.xml").skipped == 1
    summary = (place / "step.md").read_text()
    assert "## Release gate: NOT_RUN" in summary
    assert summary.count("- [x] **PASS**") == 2
    assert summary.count("- [ ] **NOT_RUN**") == 1


def test_allow_inconclusive(place):
    EDGE.save(place / "edge")
    (place / "one.toml").write_text(toml(policy(DEVIATION)))
    assert gate("edge", "--policy", "one.toml").exit_code == 3
    allowed = gate("edge", "--policy", "one.toml", "--allow-inconclusive")
    assert allowed.exit_code == 0
    assert "Exit code 0: --allow-inconclusive" in allowed.output
    assert GateResult.load(place / "edge").decision == "INCONCLUSIVE"
    (place / "none.toml").write_text(toml(policy(MISSED, EPSILON)))
    assert gate("edge", "--policy", "none.toml", "--allow-inconclusive").exit_code == 3


def test_init_writes_a_policy_that_gates(place):
    for folder in ("audit", "comparison"):
        done = gate(folder, "--init", f"{folder}-starter.toml")
        assert (done.exit_code, f"policy: {folder}-starter.toml" in done.output) == (0, True)
        assert gate(folder, "--policy", f"{folder}-starter.toml").exit_code == 0
    assert not (place / "audit" / "starter.toml").exists()


def test_quiet_leaves_the_exit_code(place):
    arguments = ["--quiet", "gate", "comparison", "--policy", "compare.toml"]
    done = CliRunner().invoke(program.app, arguments)
    assert (done.exit_code, done.output) == (0, "")


def test_hostile_text_neither_colours_nor_hides(place):
    label = "[bold]x[/bold] \x1b[31m"
    entry = AMPLIFIED.comparisons[0].model_copy(update={"candidate": label})
    (source,) = AMPLIFIED.provenance.candidates.values()
    made = AMPLIFIED.provenance.model_copy(update={"candidates": {label: source}})
    hostile = AMPLIFIED.model_copy(
        update={"candidates": (label,), "comparisons": (entry,), "provenance": made,
                "changes": (), "not_compared": ()}
    )  # fmt: skip
    hostile.save(place / "hostile")
    done = gate("hostile", "--policy", "compare.toml", COLUMNS="200")
    assert done.exit_code == 1
    assert "[bold]x[/bold]" in done.output
    assert "\x1b" not in done.output


def test_apply_policy_serves_other_verbs(place):
    assert apply_policy(AMPLIFIED, place / "compare.toml", None) == 1
    assert apply_policy(SAME_RATE, read_policy("compare.toml"), place / "comparison") == 0
    assert GateResult.load("comparison").decision == "PASS"


def one_line(code, stderr, message):
    """Check that an error is one line without a traceback, and the exit code 2."""
    lines = [line for line in stderr.splitlines() if line.strip()]
    assert (code, len(lines)) == (2, 1), stderr
    assert message in lines[0], stderr


def write(place, text):
    (place / "bad.toml").write_text(text)
    return ["audit", "--policy", "bad.toml"]


def damage(place, change):
    path = place / "audit" / "result.json"
    path.write_text(change(path.read_text()))
    return ["audit", "--policy", "release.toml"]


def other_schema(place):
    return damage(place, lambda text: text.replace('"fairaudit/audit"', '"fairaudit/gate"'))


def newer(place):
    return damage(place, lambda text: text.replace('"schema_version": 2', '"schema_version": 3'))


def edited(place):
    return damage(place, lambda text: text.replace('"value": 0.5', '"value": 0.45'))


def unknown_field(place):
    return damage(place, lambda text: text.replace('"label"', '"lable"'))


def existing(place):
    return ["audit", "--init", "release.toml"]


def blocked_junit(place):
    return ["audit", "--policy", "release.toml", "--junit", "release.toml/junit.xml"]


def stale_percent(place):
    return write(place, toml(policy({**DEVIATION, "limit": 10})))


def unknown_key(place):
    return write(place, RULE + "limt = 2")


RULE = '[[rules]]\nkind = "max_deviation_from_ideal"\nlimit = 0.1\n'
BAD = {
    "corrupted result": (lambda place: damage(place, lambda text: text[:100]), "not readable"),
    "empty result": (lambda place: damage(place, lambda text: ""), "not readable as JSON"),
    "newer result": (newer, "newer than this fairaudit reads"),
    "another file": (other_schema, "found 'fairaudit/gate'"),
    "edited result": (edited, "result.json was changed after it was written"),
    "unknown field": (unknown_field, "result.json was changed after it was written"),
    "no result": (lambda place: [str(place), "--policy", "release.toml"], "no such file"),
    "no folder": (lambda place: ["nowhere", "--policy", "release.toml"], "no such file"),
    "no policy": (lambda place: ["audit", "--policy", "no.toml"], "no.toml: no such policy file"),
    "not TOML": (lambda place: write(place, "alpha: 0.1"), "bad.toml: not a TOML file"),
    "unknown key": (unknown_key, "did you mean 'limit'?"),
    "alpha": (lambda place: write(place, "[policy]\nalpha = 1.5\n" + RULE), "alpha = 1.5"),
    "alpha beyond bounds": (
        lambda place: write(place, "[policy]\nalpha = 1e-300\n" + RULE),
        "alpha = 1e-300: input should be greater than or equal to",
    ),
    "unknown suite": (lambda place: write(place, RULE + "suite = 'sterioset'"), "'stereoset'?"),
    "percent": (stale_percent, "limits are fractions, so write 0.1 for 10 points"),
    "no rules": (lambda place: write(place, "rules = []"), "decides nothing"),
    "neither": (lambda place: ["audit"], "give either --policy FILE"),
    "both": (lambda place: ["audit", "--policy", "a", "--init", "b"], "give either --policy"),
    "overwriting": (existing, "release.toml exists; a policy is not overwritten"),
    "blocked junit": (blocked_junit, "junit.xml: cannot be written"),
}


@pytest.mark.parametrize(("make", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_one_line_and_exit_code_2(place, make, message, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["fairaudit", "gate", *make(place)])
    with pytest.raises(SystemExit) as ended:
        program.main()
    one_line(ended.value.code, capsys.readouterr().err, message)


@pytest.mark.parametrize("make", [newer, unknown_key, stale_percent, blocked_junit])
def test_a_gate_that_fails_leaves_no_earlier_decision(place, make):
    (place / "passes.toml").write_text(toml(policy(DEVIATION)))
    assert gate("audit", "--policy", "passes.toml").exit_code == 0
    failed = gate(*make(place))
    assert isinstance(failed.exception, FairauditError)
    path = place / "audit" / "gate.json"
    assert not path.exists() or GateResult.load(path).decision != "PASS"


def test_a_file_of_others_is_left_alone(place):
    (place / "gate.json").write_text("{}")
    gate(str(place), "--policy", "release.toml")
    assert (place / "gate.json").read_text() == "{}"


def test_bad_input_to_the_program_itself(place):
    command = [sys.executable, "-m", "fairaudit", "gate", *unknown_key(place)]
    done = subprocess.run(command, capture_output=True, text=True)
    one_line(done.returncode, done.stderr, "did you mean 'limit'?")


def test_a_policy_is_read_before_anything_is_written(place):
    gate("audit", "--policy", "no.toml", "--junit", "junit.xml")
    assert not (place / "junit.xml").exists()
    assert not (place / "audit" / "gate.json").exists()


def test_a_folder_that_cannot_be_written_is_an_error(place, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("tempfile.mkdtemp", refuse)
    with pytest.raises(ResultError, match="cannot write there"):
        apply_policy(audit(rate()), place / "release.toml", place / "audit")
