"""HolisticBias and RedditBias from the command line to the gate, for either kind of model."""

from __future__ import annotations

import json

import pytest

from fairaudit.results import AuditResult
from tests.cli.program import fairaudit
from tests.conftest import shared

pytestmark = pytest.mark.long

PRIMARY = {
    "gpt2-mini": ("causal-mean", "causal-shared"),
    "bert-mini": ("pll-mean", "pll-shared-mean"),
}
#: Masked models take long: each token of each sentence is masked.
AXES = {"gpt2-mini": "nonce,race", "bert-mini": "race"}


def audit(model, output, *more):
    done = fairaudit(
        "audit", shared("models", model), "--suites", "holistic_bias,reddit_bias",
        "--axes", AXES[model], "--limit", 45, "--data", shared("data"), "--output", output, *more,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return output


@pytest.fixture(scope="module", params=sorted(PRIMARY))
def audited(request, tmp_path_factory):
    """Name of a model, and the folder of its audit."""
    return request.param, audit(request.param, tmp_path_factory.mktemp("audits") / request.param)


def test_each_axis_has_one_primary_number(audited):
    model, folder = audited
    result = AuditResult.load(folder)
    primary = [(one.protocol, one.axis, one.name) for one in result.estimates if one.primary]
    of_words, of_pairs = PRIMARY[model]
    assert primary == [
        (f"holistic_bias/{of_words}", "race", "likelihood_bias_excess"),
        (f"reddit_bias/{of_pairs}", "race", "counterfactual_gap"),
    ]
    nonce = [one.kind for one in result.estimates if one.axis == "nonce"]
    assert nonce == ["control", "control"] * (model == "gpt2-mini")
    assert {run.status for run in result.suites} == {"run"}
    assert any("7,560 of 384,468 sentences" in note for note in result.notes)
    for page in ("report.html", "summary.md", "model_card.md"):
        text = (folder / page).read_text(encoding="utf-8")
        assert "HolisticBias" in text
        assert "RedditBias" in text
    summary = (folder / "summary.md").read_text(encoding="utf-8")
    assert "find a stereotyped text more probable than its counterpart and find sent" in summary
    assert "HolisticBias · Race" in summary
    assert "differs from 0 %" in summary


def test_real_models_find_words_of_different_likelihood(audited):
    """More than chance: words differ in how common they are, if in nothing else."""
    _, folder = audited
    result = AuditResult.load(folder)
    for one in result.estimates:
        if one.name == "likelihood_bias_excess":
            assert one.value > 0.2
            assert one.interval.low > 0


def test_it_compares_and_gates(audited, tmp_path):
    model, folder = audited
    other = audit(model, tmp_path / "other", "--label", "again")
    compared = tmp_path / "compared"
    done = fairaudit("compare", folder, other, "--output", compared)
    assert done.returncode == 0, done.stderr
    entries = json.loads((compared / "result.json").read_text(encoding="utf-8"))["comparisons"]
    primary = [one for one in entries if one["primary"]]
    assert {one["name"] for one in primary} == {"likelihood_bias_excess", "counterfactual_gap"}
    assert {one["verdict"] for one in primary} == {"identical"}
    policy = tmp_path / "policy.toml"
    assert fairaudit("gate", compared, "--init", policy).returncode == 0
    assert fairaudit("gate", compared, "--policy", policy).returncode in (0, 3)


def test_without_its_files_it_is_not_run(tmp_path):
    done = fairaudit(
        "audit", shared("models", "gpt2-mini"), "--suites", "holistic_bias", "--data", tmp_path,
        "--output", tmp_path / "audit",
    )  # fmt: skip
    assert done.returncode == 4
    (run,) = AuditResult.load(tmp_path / "audit").suites
    assert run.status == "not_run"
    assert "descriptors.json" in run.reason
