"""Answers to BBQ that others recorded give the numbers that were published for them."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from fairaudit.errors import DataError, UsageError
from fairaudit.recorded.audit_scores import audit_scores
from tests.cli.program import fairaudit
from tests.conftest import shared
from tests.suites.test_bbq import content, record

MODEL = "unifiedqa-t5-11b_pred"
SCORES = {"ambig": "bias_score_ambiguous", "disambig": "bias_score_disambiguated"}


def published():
    path = shared("golden", "bbq", "published_bias_scores.csv")
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.mark.parametrize("form", ["arc", "race"])
@pytest.mark.parametrize("category", ["Age", "Religion"])
@pytest.mark.parametrize("checked", [True, False])
def test_published_scores_come_out(category, form, checked):
    path = shared("golden", "bbq", f"preds_{category}.jsonl.gz")
    data = shared("data") if checked else None
    result = audit_scores(path, suite="bbq", column=f"{MODEL}_{form}", data=data)
    found = {(one.axis, one.name): one.value for one in result.estimates}
    expected = [row for row in published() if row["category"] == category]
    assert len(expected) == 2
    for row in expected:
        value = 100 * found[category.lower(), SCORES[row["context_condition"]]]
        assert value == pytest.approx(float(row[f"unifiedqa_{form}"]), abs=0.05)


def test_the_program_reads_them(tmp_path):
    path = shared("golden", "bbq", "preds_Religion.jsonl.gz")
    done = fairaudit(
        "audit-scores", path, "--suite", "bbq", "--input-format", "bbq", "--column",
        f"{MODEL}_arc", "--output", tmp_path / "audit",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "+24.5 points" in done.stdout


@pytest.fixture
def audited(tmp_path):
    def audit(written, suffix="jsonl", **options):
        path = tmp_path / f"answers.{suffix}"
        path.write_bytes(written if isinstance(written, bytes) else written.encode())
        return audit_scores(path, suite="bbq", **options)

    return audit


def rows_of(result):
    table = result.items("bbq")
    return {
        name: rows.set_index("role")["score"].to_dict() for name, rows in table.groupby("item_id")
    }


def test_an_answer_is_one_of_the_three_or_counted(audited):
    answers = ["the potter", "Baker", "He", "", None]
    written = content(*(record(n, answer=one) for n, one in enumerate(answers)))
    result = audited(written)
    table = result.items("bbq")
    reasons = table.drop_duplicates("item_id").set_index("item_id")["reason"]
    assert rows_of(result)["Age/0"] == {"other": 0.0, "unknown": 0.0, "target": 1.0}
    assert rows_of(result)["Age/1"]["other"] == 1.0
    assert reasons["Age/2"] == "the answer is none of the choices"
    assert reasons["Age/3"] == reasons["Age/4"] == "no recorded answer"
    assert any("1 of 3,680 questions have an answer that is none" in n for n in result.notes)
    # The category has 3,680 records; those that the file lacks are missed.
    assert any("3,677 of 3,680 questions have no answer" in note for note in result.notes)


def test_columns_of_one_file_are_answers_of_different_models(audited):
    written = content(record(0, first="the potter", second="the baker"))
    with pytest.raises(UsageError, match="--column: first, second"):
        audited(written)
    one, other = (audited(written, column=name) for name in ("first", "second"))
    assert one.provenance.settings.recorded != other.provenance.settings.recorded
    assert one.label != other.label


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (b"", "holds no answers"),
        (content(record(0)), "no column holds answers"),
        (content(record(0, answer=1)), "column 'answer' holds 1, not the text"),
        (content(record(0, answer="a"), record(1)), "row 2: column 'answer' is missing"),
        (content(record(0, answer="a"))[:-9], "row 1: not JSON"),
        ("category,example_id,answer\nAge,0,the potter\n", "name the folder of BBQ"),
        ("example,answer\n1,a\n", "no columns 'category' and 'example_id'"),
        ("category,example_id,answer\nAge,x,a\n", "must name a question of BBQ"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(audited, written, message):
    with pytest.raises(DataError, match=message):
        audited(written)


def test_a_column_is_for_answers_only(tmp_path):
    (tmp_path / "scores").write_text("{}")
    with pytest.raises(UsageError, match="no columns to choose from"):
        audit_scores(tmp_path / "scores", suite="stereoset", column="score")


def test_records_that_are_not_the_benchmarks_are_refused(audited):
    with pytest.raises(DataError, match=r"1 records are not as in BBQ \(first: Age/0\)"):
        audited(content(record(0, answer="a")), data=shared("data"))


def test_a_table_of_answers_is_joined_to_the_benchmark(audited):
    """The same answers, without the texts around them."""
    path = shared("golden", "bbq", "preds_Religion.jsonl.gz")
    records = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    whole = audit_scores(path, suite="bbq", column=f"{MODEL}_arc", data=shared("data"))
    keys = ("category", "example_id", f"{MODEL}_arc")
    lines = [",".join(keys)] + [",".join(str(one[key]) for key in keys) for one in records[::-1]]
    table = audited("\n".join(lines), "csv", data=shared("data"))
    assert [one.value for one in table.estimates] == [one.value for one in whole.estimates]
    short = audited("\n".join(lines[:-100]), "csv", data=shared("data"))
    assert sum(one.n_skipped for one in short.estimates if one.axis == "religion") > 0
