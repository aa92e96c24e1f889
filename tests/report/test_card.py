"""The model card: it parses with the Hub's own library, twice is once, and the rest stays."""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

import pytest
import yaml
from huggingface_hub import ModelCard, parse_eval_result_entries
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit.errors import ResultError, UsageError
from fairaudit.report.card.evalresults import FILES, eval_results
from fairaudit.report.card.text import BEGIN, END
from fairaudit.report.card.update import render_card, update_card
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.privacy import CanaryStatement, PrivacyStatement
from tests.report import audits, comparisons

FOREIGN = """---
# who may use it
license: mit
language: no
tags:   [a, 'b']   # two of them
model-index:
- name: my-model
  results:
  - task: {type: text-generation}
    dataset: {type: lambada, name: LAMBADA}
    metrics:
    - {type: accuracy, value: 0.5, verified: true}
- name: its-sister
  results: []

# last remark
thumbnail: x.png
---
# My model

It writes | tables.

## Evaluation

My own words.
"""


def _front(card: str) -> str:
    return card.split("---")[1]


def _metrics(card: ModelCard) -> list[Any]:
    return [found for found in card.data.eval_results if "fairaudit" in (found.metric_args or {})]


@pytest.fixture
def parsed(audit: AuditResult, tmp_path: Path) -> ModelCard:
    return ModelCard.load(update_card(audit, tmp_path / "README.md"))


def test_one_metric_per_suite_and_axis(parsed: ModelCard, audit: AuditResult):
    found = {
        (one.dataset_name, one.dataset_config, one.metric_type): one for one in _metrics(parsed)
    }
    gender = found["Embedded templates", "gender", "stereotype_preference_rate"]
    stored = audit.estimate(
        "stereotype_preference_rate", protocol="templates/causal-conditional", axis="gender"
    )
    assert stored.interval is not None
    assert gender.task_type == "text-generation"
    assert gender.metric_value == pytest.approx(stored.value, abs=1e-6)
    assert gender.metric_args["interval"] == pytest.approx(
        [stored.interval.low, stored.interval.high], abs=1e-6
    )
    assert {name: gender.metric_args[name] for name in ("n", "level", "method", "correction")} == {
        "n": 960,
        "level": 0.95,
        "method": "two-way",
        "correction": "holm",
    }
    assert found["CrowS-Pairs", "race", "stereotype_preference_rate"].dataset_type == (
        "nyu-mll/crows_pairs"
    )
    assert ("StereoSet", "all", "language_modeling_score") in found


def test_what_is_missing_is_left_out(parsed: ModelCard):
    found = {(one.dataset_name, one.dataset_config): one for one in _metrics(parsed)}
    assert ("CrowS-Pairs", "disability") not in found
    assert "interval" not in found["StereoSet", "religion"].metric_args
    content = yaml.safe_load(_front(parsed.content))
    assert "null" not in json.dumps(content)
    assert "verif" not in _front(parsed.content)


def test_the_library_reads_back_what_it_writes(parsed: ModelCard, tmp_path: Path):
    parsed.save(tmp_path / "saved.md")
    again = ModelCard.load(tmp_path / "saved.md")
    assert again.data.to_dict() == parsed.data.to_dict()
    assert again.text == parsed.text


@pytest.mark.parametrize(
    ("architecture", "protocol", "tag", "task"),
    [
        ("GPT2LMHeadModel", "templates/causal-sum", None, "text-generation"),
        ("BertForMaskedLM", "stereoset/intrasentence-recorded", None, "fill-mask"),
        (None, "crows_pairs/pll-nangia", None, "fill-mask"),
        (None, "stereoset/intrasentence-recorded", "fill-mask", "fill-mask"),
        (None, "stereoset/intrasentence-recorded", "text-classification", "text-generation"),
    ],
)
def test_the_task_is_that_of_the_model(architecture, protocol, tag, task):
    found = audits.Builder().rate(protocol, "race", 100, 100, primary=True)
    made = audits.empty_audit().model_copy(update={"estimates": (found,)})
    model = made.provenance.model.model_copy(update={"architecture": architecture})
    known = made.provenance.model_copy(update={"model": model})
    card = f"---\npipeline_tag: {tag}\n---\n" if tag else ""
    (shown,) = _metrics(ModelCard(render_card(made.model_copy(update={"provenance": known}), card)))
    assert shown.task_type == task


def test_sections_of_the_template(audit: AuditResult):
    body = render_card(audit).split(BEGIN)[1]
    for heading in (
        "## Bias, Risks, and Limitations",
        "## Evaluation",
        "#### Testing Data",
        "#### Factors",
        "#### Metrics",
        "### Results",
        "#### Summary",
        "#### What this is evidence for",
    ):
        assert f"\n{heading}\n" in body
    assert "| Embedded templates, causal-conditional | Gender |" in body
    assert "61.9 % | [51.3, 72.6] (95 %, two-way t) | 960" in body
    assert "1 of them differs from the ideal" in body
    assert "2 suites did not run" in body
    assert "compliant" not in body


def test_every_row_of_a_table_has_the_cells_of_its_head(hostile: AuditResult):
    for body in (
        render_card(hostile),
        *(
            render_card(comparisons.hostile(), candidate=name)
            for name in comparisons.hostile().candidates
        ),
    ):
        rows = [line for line in body.splitlines() if line.startswith("|")]
        width = 0
        for previous, row in zip(["", *rows], rows, strict=False):
            cells = row.replace("\\|", "").count("|") - 1
            width = cells if not previous or row.startswith("| ---") else width
            assert row.startswith(("| Suite", "| Framework")) or cells == width


def test_hostile_labels_stay_words(hostile: AuditResult):
    card = render_card(hostile)
    body = card.split(BEGIN, 1)[1]
    assert "<script" not in body
    assert "<b onclick" not in body
    assert "&lt;script&gt;" in body
    assert not set("\x00\x1b\u202e") & set(card)
    assert ModelCard(card).data.model_name.startswith("<script>")
    assert render_card(hostile, card) == card


def test_twice_is_once_and_a_new_result_takes_the_place_of_the_old(audit: AuditResult):
    once = render_card(audit, FOREIGN)
    assert render_card(audit, once) == once
    other = comparisons.whole_comparison()
    assert render_card(audit, render_card(other, once)) == once


def test_everything_else_stays_byte_for_byte(audit: AuditResult):
    card = render_card(audit, FOREIGN)
    before, after = FOREIGN.split("model-index:")[0], "\n# last remark\nthumbnail: x.png\n---\n"
    assert card.startswith(before)
    assert after in card
    assert FOREIGN.split(after)[1] in card
    first, second = yaml.safe_load(_front(card))["model-index"]
    assert second == {"name": "its-sister", "results": []}
    assert first["name"] == "my-model"
    assert first["results"][0] == {
        "task": {"type": "text-generation"},
        "dataset": {"type": "lambada", "name": "LAMBADA"},
        "metrics": [{"type": "accuracy", "value": 0.5, "verified": True}],
    }


def test_an_audit_without_values_takes_its_earlier_ones_away(
    audit: AuditResult, empty: AuditResult
):
    card = render_card(empty, render_card(audit, FOREIGN))
    assert "fairaudit:" not in _front(card)
    assert "LAMBADA" in _front(card)
    assert "model-index" not in _front(render_card(empty, render_card(audit, "---\na: 1\n---\n")))


def test_our_metrics_are_found_where_another_tool_put_them_beside_its_own(audit: AuditResult):
    card = ModelCard(render_card(audit))
    card.data.eval_results[0].metric_args = None
    again = ModelCard(render_card(audit, card.content))
    assert len(again.data.eval_results) == len(card.data.eval_results) + 1
    apart = render_card(audit, again.content)
    assert render_card(audit, apart) == apart


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_marks_stay(audit: AuditResult, tmp_path: Path, end, mark):
    path = tmp_path / "README.md"
    path.write_bytes((mark + FOREIGN.replace("\n", end)).encode())
    card = update_card(audit, path).read_bytes().decode()
    assert card.startswith(mark + "---")
    assert card.replace(end, "").count("\n") == card.replace(end, "").count("\r") == 0
    assert card.removeprefix(mark).replace(end, "\n") == render_card(audit, FOREIGN)
    update_card(audit, path)
    assert path.read_bytes().decode() == card


@pytest.mark.parametrize(
    "card",
    [
        "",
        "# Words",
        "Words\n\n",
        "---\n---\nWords\n",
        "---\n---",
        "---\nlicense: mit\n---",
        "---\n# only a remark\n---\n",
        "---\nmodel-index: []   # none yet\nlicense: mit\n---\n\n\nWords",
        "---\nmodel-index:\n---\nWords\n",
        "---\ndate: 2024-01-01\nx: .nan\nmodel-index: null\n---\n",
        "---\nlanguage: no\nx: [1, 2]\n---\n",
        f"Quoted `{BEGIN}` and `{END}` are no markers.\n",
    ],
)
def test_any_card_takes_a_result(audit: AuditResult, card: str):
    made = render_card(audit, card)
    assert len(_metrics(ModelCard(made))) > 20
    assert render_card(audit, made) == made
    body = card.rsplit("---", 1)[-1].strip()
    assert body in made
    before = yaml.safe_load(_front(card)) or {} if "license" in card else {}
    after = yaml.safe_load(_front(made))
    assert {**before, "model-index": 0} == {**after, "model-index": 0} or "license" not in card


@given(st.text(st.characters(codec="utf-8"), max_size=60))
@settings(max_examples=60, deadline=None)
def test_bodies_are_kept_whatever_they_hold(body: str):
    small = audits.empty_audit()
    card = f"---\nlicense: mit\n---\n{body}"
    made = render_card(small, card)
    assert made.startswith(card)
    assert render_card(small, made) == made


@pytest.mark.parametrize(
    ("card", "words"),
    [
        (f"{BEGIN}\n", "1 lines"),
        (f"{END}\n{BEGIN}\n", "in this order"),
        (f"{BEGIN}\n{END}\n{BEGIN}\n{END}\n", "2 lines"),
        ("---\n{license: mit}\n---\n", "block of 'key: value' lines"),
        ("---\n- a\n---\n", "block of 'key: value' lines"),
        ("---\na: [\n---\n", "not valid YAML (line"),
        ("---\nmodel-index: mine\n---\n", "model-index is not a list"),
        ("---\nmodel-index:\n- name: x\n---\n", "model-index is not a list"),
        ("---\nmodel-index: []\nmodel-index: []\n---\n", "twice"),
        ("---\nmodel-index: &m []\nmine: *m\n---\n", "valid YAML"),
    ],
)
def test_a_card_that_cannot_be_patched_is_left_alone(audit, tmp_path: Path, card, words):
    path = tmp_path / "README.md"
    path.write_text(card)
    with pytest.raises(ResultError, match=r"README\.md") as caught:
        update_card(audit, path)
    assert words in str(caught.value)
    assert path.read_text() == card


def test_files_that_are_no_cards(audit: AuditResult, tmp_path: Path):
    with pytest.raises(ResultError, match="is a folder"):
        update_card(audit, tmp_path)
    with pytest.raises(ResultError, match="cannot be written"):
        update_card(audit, tmp_path / "missing" / "README.md")
    (tmp_path / "README.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ResultError, match="UTF-8"):
        update_card(audit, tmp_path / "README.md")
    assert [path.name for path in tmp_path.iterdir()] == ["README.md"]


def test_permissions_and_links_stay(audit: AuditResult, tmp_path: Path):
    (tmp_path / "real.md").write_text("Words\n")
    (tmp_path / "real.md").chmod(0o640)
    (tmp_path / "README.md").symlink_to("real.md")
    update_card(audit, tmp_path / "README.md")
    assert (tmp_path / "README.md").is_symlink()
    assert (tmp_path / "real.md").stat().st_mode & 0o777 == 0o640
    assert BEGIN in (tmp_path / "real.md").read_text()


def test_a_comparison_gives_the_candidate_and_its_difference(tmp_path: Path):
    made = comparisons.whole_comparison(3)
    with pytest.raises(UsageError, match="3 candidates; --candidate names one of 'plain'"):
        update_card(made, tmp_path / "README.md")
    with pytest.raises(UsageError, match="no candidate is called 'x'"):
        update_card(made, tmp_path / "README.md", candidate="x")
    card = ModelCard.load(update_card(made, tmp_path / "README.md", candidate="dp-eps8"))
    found = made.comparison(
        "stereotype_preference_rate",
        candidate="dp-eps8",
        protocol="templates/causal-conditional",
        axis="gender",
    )
    shown = next(one for one in _metrics(card) if one.dataset_config == "gender")
    assert shown.metric_value == pytest.approx(found.value_candidate, abs=1e-6)
    assert shown.metric_args["difference"] == pytest.approx(found.difference, abs=1e-6)
    assert shown.metric_args["verdict"] == found.verdict
    assert "Not moved: " in card.text
    assert "the difference from the base model is the evidence" in card.text


def test_a_comparison_in_which_nothing_has_a_value():
    empty = comparisons.result([], ("dp",))
    card = render_card(empty)
    assert "Nothing was compared on which a verdict could rest" in card
    assert "model-index" not in card


def test_other_results_have_no_card(tmp_path: Path):
    from tests.report import experiments

    experiments.hostile().save(tmp_path)
    with pytest.raises(UsageError, match="an audit or a comparison"):
        update_card(tmp_path, tmp_path / "README.md")


def test_scores_for_leaderboards_parse_with_the_hubs_reader(audit: AuditResult, caplog):
    caplog.set_level(logging.WARNING)
    files = eval_results(audit)
    assert set(files) == {"crows_pairs.yaml", "stereoset_intrasentence.yaml"} <= FILES
    for text in files.values():
        (entry,) = parse_eval_result_entries(yaml.safe_load(text))
        pooled = [
            found.value
            for found in audit.estimates
            if found.axis == "all" and found.value is not None and found.kind == "bias"
        ]
        assert any(entry.value == pytest.approx(value, abs=1e-6) for value in pooled)
        assert entry.date == audit.run.started
        assert "interval [" in entry.notes
        assert entry.verify_token is None
    assert not caplog.records
    assert eval_results(audits.empty_audit()) == {}


def test_only_whole_and_checked_values_are_scores_for_leaderboards(audit: AuditResult):
    def changed(found: Estimate) -> Estimate:
        part = found.suite == "crows_pairs" and found.axis == "all"
        return found.model_copy(update={"n": 1507}) if part else found

    partial = audit.model_copy(update={"estimates": tuple(map(changed, audit.estimates))})
    assert set(eval_results(partial)) == {"stereoset_intrasentence.yaml"}
    runs = tuple(run.model_copy(update={"sources": ()}) for run in audit.suites)
    assert eval_results(audit.model_copy(update={"suites": runs})) == {}


def test_a_model_that_guesses_is_not_ranked(audit: AuditResult):
    def guessing(found: Estimate) -> Estimate:
        if found.kind != "capability" or found.suite != "stereoset" or found.interval is None:
            return found
        wide = found.interval.model_copy(update={"low": 0.4, "high": 0.6})
        return found.model_copy(update={"value": 0.5, "interval": wide})

    dull = audit.model_copy(update={"estimates": tuple(map(guessing, audit.estimates))})
    assert "stereoset_intrasentence.yaml" not in eval_results(dull)


def test_the_card_says_what_is_claimed_of_privacy_and_what_canaries_tell(audit):
    claim = PrivacyStatement(
        records=1000, sample_rate=0.05, expected_batch_size=50.0, steps=100, noise_multiplier=1.0,
        max_grad_norm=1.0, delta=1e-5, epsilon=2.5,
        canaries=CanaryStatement(
            planted=200, guesses=100, right=70, epsilon_lower_bound=0.4, level=0.95
        ),
    )  # fmt: skip
    private = audit.model_copy(update={"privacy": json.loads(claim.to_json())})
    card = render_card(private)
    assert "Epsilon 2.5 at delta 1e-05 per record of the training text is declared." in card
    assert "70 of 100 guesses about 200 canaries are right: epsilon is at least 0.4" in card
    refuted = private.model_copy(update={"privacy_refuted": "the statement does not follow"})
    assert "Privacy: not to be relied on." in render_card(refuted)
    assert "is declared" not in render_card(refuted)
    assert "Privacy" not in render_card(audit.model_copy(update={"privacy": None}))


@pytest.mark.parametrize(("limit", "told"), [(60, True), (None, False)])
def test_the_card_says_where_a_sample_was_asked(audit, limit, told):
    settings = audit.provenance.settings.model_copy(update={"item_limit": limit})
    provenance = audit.provenance.model_copy(update={"settings": settings})
    card = render_card(audit.model_copy(update={"provenance": provenance}))
    words = f"A sample: at most {limit} items of each suite and axis were asked."
    assert (words in card) is told
