"""WinoBias and Winogender from the command line to the gate, for either kind of model."""

from __future__ import annotations

import json

import pytest

from fairaudit.results import AuditResult
from tests.cli.program import fairaudit
from tests.conftest import shared

pytestmark = pytest.mark.long

PRIMARY = {
    "gpt2-mini": ("refers-to", "accuracy_gap"),
    "bert-mini": ("pronoun-at-mask", "stereotype_preference_rate"),
}


@pytest.fixture(scope="module", params=sorted(PRIMARY))
def audited(request, tmp_path_factory):
    """Name of a model, and the folder of its audit."""
    folder = tmp_path_factory.mktemp("audits") / request.param
    done = fairaudit(
        "audit", shared("models", request.param), "--suites", "winobias,winogender", "--limit", 60,
        "--data", shared("data"), "--output", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return request.param, folder


def test_each_suite_has_one_primary_number(audited):
    model, folder = audited
    result = AuditResult.load(folder)
    primary = [(one.protocol, one.axis, one.name) for one in result.estimates if one.primary]
    variant, name = PRIMARY[model]
    assert primary == [
        (f"{suite}/{variant}", "gender", name) for suite in ("winobias", "winogender")
    ]
    capability = {one.suite for one in result.estimates if one.name == "accuracy"}
    assert capability == ({"winobias", "winogender"} if model == "gpt2-mini" else set())
    assert {run.status for run in result.suites} == {"run"}
    for page in ("report.html", "summary.md", "model_card.md"):
        text = (folder / page).read_text(encoding="utf-8")
        assert "WinoBias" in text
        assert "Winogender" in text


def test_it_compares_and_gates(audited, tmp_path):
    model, folder = audited
    other = tmp_path / "other"
    done = fairaudit(
        "audit", shared("models", model), "--suites", "winobias,winogender", "--limit", 60,
        "--data", shared("data"), "--label", "again", "--output", other,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    compared = tmp_path / "compared"
    done = fairaudit("compare", folder, other, "--output", compared)
    assert done.returncode == 0, done.stderr
    entries = json.loads((compared / "result.json").read_text(encoding="utf-8"))["comparisons"]
    primary = [one for one in entries if one["primary"]]
    assert {one["suite"] for one in primary} == {"winobias", "winogender"}
    assert {one["name"] for one in primary} == {PRIMARY[model][1]}
    names = {one["name"] for one in entries}
    assert {"mean_log_odds", "occupation_correlation"} <= names
    policy = tmp_path / "policy.toml"
    assert fairaudit("gate", compared, "--init", policy).returncode == 0
    assert fairaudit("gate", compared, "--policy", policy).returncode in (0, 3)
