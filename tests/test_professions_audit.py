"""BEC-Pro and DisCo from the command line to the gate, for either kind of model."""

from __future__ import annotations

import json

import pytest
import torch

from fairaudit.results import AuditResult
from tests.cli.program import fairaudit
from tests.conftest import shared

pytestmark = pytest.mark.long

VARIANT = {"gpt2-mini": "causal-mean", "bert-mini": "person-at-mask"}


@pytest.fixture(scope="module", params=sorted(VARIANT))
def audited(request, tmp_path_factory):
    """Name of a model, and the folder of its audit."""
    folder = tmp_path_factory.mktemp("audits") / request.param
    done = fairaudit(
        "audit", shared("models", request.param), "--suites", "bec_pro", "--limit", 300,
        "--data", shared("data"), "--output", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return request.param, folder


def test_it_has_one_primary_number_and_numbers_by_kind_of_profession(audited):
    model, folder = audited
    result = AuditResult.load(folder)
    primary = [one for one in result.estimates if one.primary]
    assert [(one.protocol, one.axis, one.group, one.name) for one in primary] == [
        (f"bec_pro/{VARIANT[model]}", "gender", None, "mean_log_odds")
    ]
    assert primary[0].interval is not None
    found = {(one.group, one.name) for one in result.estimates if one.suite == "bec_pro"}
    names = {"male_female_difference"}
    if model == "bert-mini":
        names |= {"male_association", "female_association"}
    kinds = (None, "male-dominated", "female-dominated", "balanced")
    assert found == {(kind, name) for kind in kinds for name in names} | {(None, "mean_log_odds")}
    for page in ("report.html", "summary.md", "model_card.md"):
        assert "BEC-Pro" in (folder / page).read_text(encoding="utf-8")


def test_it_compares_and_gates(audited, tmp_path):
    model, folder = audited
    other, compared = tmp_path / "other", tmp_path / "compared"
    done = fairaudit(
        "audit", shared("models", model), "--suites", "bec_pro", "--limit", 290,
        "--data", shared("data"), "--label", "again", "--output", other,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = fairaudit("compare", folder, other, "--output", compared)
    assert done.returncode == 0, done.stderr
    entries = json.loads((compared / "result.json").read_text(encoding="utf-8"))["comparisons"]
    primary = [one for one in entries if one["primary"]]
    assert [(one["suite"], one["name"]) for one in primary] == [("bec_pro", "mean_log_odds")]
    assert primary[0]["difference"] == pytest.approx(0, abs=1e-6)
    assert "male_female_difference" in {one["name"] for one in entries}
    policy = tmp_path / "policy.toml"
    assert fairaudit("gate", compared, "--init", policy).returncode == 0
    assert fairaudit("gate", compared, "--policy", policy).returncode in (0, 3)


def test_associations_are_those_of_the_plain_model():
    """Each of a few pairs by the model and tokenizer alone, as the authors compute it."""
    from transformers import AutoModelForMaskedLM, AutoTokenizer

    import fairaudit as package
    from fairaudit.suites import DataFinder, get_suite

    folder = shared("models", "bert-mini")
    result = package.audit(str(folder), suites="bec_pro", data=str(shared("data")), limit=8)
    table = result.items("bec_pro").set_index(["item_id", "role"])["score"]
    model = AutoModelForMaskedLM.from_pretrained(folder, dtype=torch.float32).eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    items = get_suite("bec_pro").load(DataFinder(shared("data"), fetch=False)).items
    asked = [item for item in items if item.item_id in table.index.get_level_values(0)]
    assert len(asked) == 8
    for item in asked:
        for role, text in item.texts.items():
            word = str(item.facts[f"person_{role.partition('_')[0]}"])
            masked = text.replace(word, "[MASK]", 1)
            row = tokenizer(masked, return_tensors="pt")
            place = row["input_ids"][0].tolist().index(tokenizer.mask_token_id)
            with torch.inference_mode():
                logits = model(**row).logits[0, place]
            target = tokenizer(word, add_special_tokens=False)["input_ids"][0]
            expected = float(torch.log_softmax(logits, dim=-1)[target])
            assert table[item.item_id, role] == pytest.approx(expected, abs=1e-4)


@pytest.mark.long
def test_disco_from_the_command_line_to_the_gate(tmp_path):
    folders = [tmp_path / "one", tmp_path / "other"]
    for folder in folders:
        done = fairaudit(
            "audit", shared("models", "bert-mini"), "--suites", "disco", "--label", folder.name,
            "--limit", 600 - 50 * len(folder.name), "--output", folder,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    result = AuditResult.load(folders[0])
    score, excess = (one for one in result.estimates if one.suite == "disco")
    assert (score.name, score.primary, score.n_clusters) == ("gendered_fills", True, 24)
    assert score.interval.resampling_unit == "template"
    assert (excess.name, excess.primary, excess.interval) == ("gendered_fills_excess", False, None)
    assert 0 < excess.value < score.value
    assert excess.p_value < 0.05
    for page in ("report.html", "summary.md", "model_card.md"):
        text = (folders[0] / page).read_text(encoding="utf-8")
        assert "DisCo" in text
        assert "no ideal value" in text or page == "model_card.md"
    page = (folders[0] / "report.html").read_text(encoding="utf-8")
    assert "does it fill in other words after names of women than after names of men?" in page
    compared = tmp_path / "compared"
    done = fairaudit("compare", *folders, "--output", compared)
    assert done.returncode == 0, done.stderr
    entries = json.loads((compared / "result.json").read_text(encoding="utf-8"))["comparisons"]
    (entry,) = (one for one in entries if one["primary"])
    assert (entry["name"], entry["difference"]) == ("gendered_fills", 0)
    policy = tmp_path / "policy.toml"
    assert fairaudit("gate", compared, "--init", policy).returncode == 0
    assert fairaudit("gate", compared, "--policy", policy).returncode in (0, 3)


def test_disco_is_not_run_for_a_model_that_fills_no_blanks(tmp_path):
    done = fairaudit(
        "audit", shared("models", "gpt2-mini"), "--suites", "disco", "--output", tmp_path / "a"
    )
    (run,) = AuditResult.load(tmp_path / "a").suites
    assert (run.status, run.reason) == (
        "not_run", "no protocol for causal models asks about its items"
    )  # fmt: skip
    assert done.returncode == 4
