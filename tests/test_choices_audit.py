"""Questions with three answers from the command line to the report, and as prompts."""

from __future__ import annotations

import gzip
import json

import pytest

from fairaudit.auditing.score_tables import score_table, text_rows
from fairaudit.items import Completions, Continuation
from fairaudit.metrics.choices import choice_estimates
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.results import AuditResult
from fairaudit.scoring.texts.answers import LetteredAnswers
from fairaudit.suites import PROMPT, bbq, bbq_prompted
from fairaudit.suites.bbq_records import read_records
from tests.cli.program import fairaudit
from tests.conftest import shared
from tests.suites.test_bbq import content, record

pytestmark = pytest.mark.long

COLUMN = "unifiedqa-t5-11b_pred_arc"


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """Audit folder of a small part of BBQ."""
    folder = tmp_path_factory.mktemp("audits") / "mini"
    done = fairaudit(
        "audit", shared("models", "gpt2-mini"), "--suites", "bbq", "--axes", "age,religion",
        "--limit", 80, "--data", shared("data"), "--output", folder,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def test_an_audit_asks_every_answer_and_reports_both_scores(audited):
    result = AuditResult.load(audited)
    table = result.items("bbq")
    assert table["item_id"].nunique() == 160
    assert (table.groupby(["item_id", "protocol"]).size() == 3).all()
    found = {
        (one.axis, one.name): one for one in result.estimates if one.protocol == "bbq/choices-sum"
    }
    for axis in ("age", "religion"):
        for name in ("bias_score_ambiguous", "bias_score_disambiguated"):
            assert found[axis, name].primary
            assert found[axis, name].interval.resampling_unit == "template"
        assert found[axis, "accuracy"].chance == pytest.approx(1 / 3)
        assert not found[axis, "accuracy_ambiguous"].primary
    report = (audited / "report.html").read_text(encoding="utf-8")
    assert "Bias score, ambiguous" in report
    assert "BBQ" in (audited / "model_card.md").read_text(encoding="utf-8")
    (note,) = [note for note in result.notes if note.startswith("bbq: not at hand")]
    assert "Race_x_SES" in note


def test_the_report_shows_questions_from_both_ends(audited):
    """Of a question whose text does not say: the stereotyped answer, and its opposite."""
    result = AuditResult.load(audited)
    examples = result.suites[0].examples
    assert {one.axis for one in examples} == {"age", "religion"}
    table = result.items("bbq").set_index(["protocol", "item_id", "role"]).sort_index()
    for one in examples:
        assert one.protocol == "bbq/choices-sum"
        rows = table.loc[one.protocol, one.item_id]
        assert set(rows["condition"]) == {"ambig"}
        negative = rows["polarity"].iloc[0] == "neg"
        biased = rows.loc["target" if negative else "other", "score"]
        assert one.scores["stereotype"] == pytest.approx(biased, abs=1e-4)
        assert (one.value > 0) == (one.extreme == "towards")
        assert one.texts["context"].endswith("A:")


def test_a_limit_takes_as_many_items_whatever_the_order_of_their_answers(audited):
    axes = AuditResult.load(audited).items("bbq").drop_duplicates("item_id")["axis"]
    assert dict(axes.value_counts()) == {"age": 80, "religion": 80}


def test_two_audits_compare_and_gate(audited, tmp_path):
    compared = tmp_path / "compared"
    other = tmp_path / "again"
    done = fairaudit(
        "audit", shared("models", "gpt2-mini"), "--suites", "bbq", "--axes", "age,religion",
        "--limit", 80, "--data", shared("data"), "--label", "again", "--output", other,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    done = fairaudit("compare", audited, other, "--output", compared)
    assert done.returncode == 0, done.stderr
    entries = json.loads((compared / "result.json").read_text())["comparisons"]
    scores = [one for one in entries if one["name"] == "bias_score_ambiguous" and one["primary"]]
    assert {one["axis"] for one in scores} == {"age", "religion"}
    assert {one["verdict"] for one in scores} == {"identical"}
    assert {one["margin"] for one in scores} == {0.1}
    policy = tmp_path / "policy.toml"
    assert fairaudit("gate", audited, "--init", policy).returncode == 0
    # The model is no better than chance: its bias cannot be read.
    assert fairaudit("gate", audited, "--policy", policy).returncode == 3


def test_a_masked_model_is_not_asked(tmp_path):
    done = fairaudit(
        "audit", shared("models", "bert-mini"), "--suites", "bbq", "--data", shared("data"),
        "--output", tmp_path / "audit",
    )  # fmt: skip
    assert done.returncode == 4
    assert "no protocol for masked models" in done.stdout


def test_a_prompt_names_its_answers_by_letters_in_the_records_order():
    ((_, one, _),) = read_records(content(record()), "file")
    item = bbq_prompted.item_of(one)
    assert "A. The baker\nB. Unknown\nC. The potter\n" in item.texts[PROMPT]
    assert [item.facts[f"role_{letter}"] for letter in "abc"] == ["other", "unknown", "target"]
    assert bbq.is_placed(item)
    texts = ["C", "the baker", "He"]
    found = LetteredAnswers().score([Continuation(item, "", text) for text in texts])
    assert found[0] == {"a": 0.0, "b": 0.0, "c": 1.0}
    assert found[1] == {"a": 1.0, "b": 0.0, "c": 0.0}
    assert found[2].reason == "the answer is none of the choices"


def test_several_completions_of_a_question_are_averaged():
    """Of ten questions with an answer of either kind and one that is none, half are biased."""
    rows = []
    for number in range(10):
        ((_, one, _),) = read_records(content(record(number, question_index=str(number))), "file")
        item = bbq_prompted.item_of(one)
        written = Completions(("C", "A", "none of it"), (1, 1, 1), (True,) * 3)
        scores = LetteredAnswers().score([Continuation(item, "", text) for text in written.texts])
        rows += text_rows(item, "bbq_prompted/choices-parsed", ("a", "b", "c"), written, scores)
    found = {e.name: e for e in choice_estimates(score_table(rows), 0) if e.axis == "age"}
    assert found["bias_score_ambiguous"].value == 0.0
    assert found["accuracy_ambiguous"].value == 0.0
    assert found["unparsed_share"].value == pytest.approx(1 / 3)
    assert found["unparsed_share"].n_skipped == 0


def test_recorded_answers_give_the_same_numbers_as_recorded_completions(tmp_path):
    path = shared("golden", "bbq", "preds_Religion.jsonl.gz")
    rows = []
    for _, one, row in read_records(gzip.decompress(path.read_bytes()), "golden"):
        item = bbq_prompted.item_of(one)
        said = row[COLUMN] if one.example_id % 3 else f"Answer: {row[COLUMN]}."
        rows.append({"prompt": item.texts[PROMPT], "completions": [said]})
    written = tmp_path / "completions.jsonl"
    written.write_text("".join(json.dumps(row) + "\n" for row in rows))
    prompted = audit_scores(written, suite="bbq_prompted", data=shared("data"))
    recorded = audit_scores(path, suite="bbq", column=COLUMN, data=shared("data"))
    ours, theirs = (
        {e.name: e.value for e in result.estimates if e.axis == "religion" and e.group is None}
        for result in (prompted, recorded)
    )
    assert ours == pytest.approx(theirs)
    assert ours["bias_score_ambiguous"] == pytest.approx(0.245, abs=5e-4)
    assert prompted.suites[0].protocols == ("bbq_prompted/choices-parsed",)
    assert not any("none of the choices" in note for note in prompted.notes)
    rows[0]["completions"] = rows[1]["completions"] = ["I cannot say which"]
    written.write_text("".join(json.dumps(row) + "\n" for row in rows))
    again = audit_scores(written, suite="bbq_prompted", data=shared("data"))
    assert any("0.2% of 1,200 written answers are none of the choices" in n for n in again.notes)
