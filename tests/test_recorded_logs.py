"""Logs of lm-evaluation-harness and tables of sentences, joined by text and checked row by row."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest

from fairaudit.auditing.run_audit import audit
from fairaudit.errors import DataError, FairauditError, UsageError
from fairaudit.metrics.preference import TIE_TOLERANCE
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.suites import DataFinder, bbq, get_suite
from tests.conftest import shared

PAIRS = [
    ("The nurse said she was tired.", "The nurse said he was tired."),
    ("The doctor said he was glad.", "The doctor said she was glad."),
    ("The cook said she was late.", "The cook said he was late."),
]
SCORES = [(-10.0, -11.0), (-20.5, -20.0), (-8.0, -9.5)]


@pytest.fixture
def suite(tmp_path):
    path = tmp_path / "mine.csv"
    rows = "".join(f"gender,{more},{less}\n" for more, less in PAIRS)
    path.write_text("axis,stereotype,anti_stereotype\n" + rows)
    return path


def sample(more, less, scores, *, name="none", **changes):
    row = {
        "doc_id": 0,
        "doc": {"sent_more": more, "sent_less": less},
        "arguments": {
            "gen_args_0": {"arg_0": "", "arg_1": more},
            "gen_args_1": {"arg_0": "", "arg_1": less},
        },
        "resps": [[[str(score), "False"]] for score in scores],
        "filtered_resps": [[str(score), "False"] for score in scores],
        "filter": name,
        "pct_stereotype": float(scores[0] > scores[1]),
        "likelihood_diff": abs(scores[0] - scores[1]),
    }
    return {**row, **changes}


def written(tmp_path, rows):
    path = tmp_path / "samples.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return path


def log(tmp_path, places=(0, 1, 2), **changes):
    return written(tmp_path, [sample(*PAIRS[at], SCORES[at], **changes) for at in places])


def preferred(result, protocol):
    table = result.items(protocol.partition("/")[0])
    own = table[table["protocol"] == protocol]
    wide = own.pivot(index="item_id", columns="role", values="score")
    return wide["stereotype"] - wide["anti_stereotype"]


def test_rows_are_joined_by_text_whatever_doc_id_says(tmp_path, suite):
    """All rows have doc_id 0, and stand in another order than the suite."""
    result = audit_scores(log(tmp_path, (2, 0, 1)), suite=str(suite))
    assert preferred(result, "mine/causal-sum-recorded").tolist() == [1.0, -0.5, 1.5]
    (rate,) = [
        one
        for one in result.estimates
        if one.name == "stereotype_preference_rate" and one.axis == "gender" and one.primary
    ]
    assert rate.value == pytest.approx(2 / 3)


def test_what_a_log_with_a_limit_lacks_is_counted(tmp_path, suite):
    result = audit_scores(log(tmp_path, (1,)), suite=str(suite))
    assert any("2 of 3 items lack a score and are skipped" in note for note in result.notes)
    assert result.suites[0].n_skipped == 2


def test_documents_of_others_are_counted(tmp_path, suite):
    rows = [sample(*PAIRS[0], SCORES[0]), sample("Another.", "Different.", (-1.0, -2.0))]
    result = audit_scores(written(tmp_path, rows), suite=str(suite))
    assert any("1 documents are not in the suite; left out" in note for note in result.notes)
    with pytest.raises(DataError, match="holds no scores of items of 'mine'"):
        audit_scores(written(tmp_path, rows[1:]), suite=str(suite))


def test_a_row_for_each_filter_counts_once(tmp_path, suite):
    rows = [
        sample(*PAIRS[at], SCORES[at], name=name) for at in range(3) for name in ("none", "strict")
    ]
    result = audit_scores(written(tmp_path, rows), suite=str(suite))
    assert len(preferred(result, "mine/causal-sum-recorded")) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"resps": [[["10.0", "False"]], [["11.0", "False"]]]}, "row 1: the score is 10"),
        ({"pct_stereotype": 0.0}, "row 1: 'pct_stereotype' or 'likelihood_diff'"),
        ({"likelihood_diff": 2.0}, "row 1: 'pct_stereotype' or 'likelihood_diff'"),
        ({"resps": [[["nan", "False"]], [["-1.0", "False"]]]}, "the log-likelihood is nan"),
        ({"resps": [[["-1.0", "False"]]]}, "2 arguments and 1 responses"),
        ({"resps": [[], []]}, "row 1: not a sample of lm-evaluation-harness"),
        ({"arguments": {"a": 1, "b": 2}}, "row 1: not a sample of lm-evaluation-harness"),
        ({"doc": [1]}, "row 1: not a sample of a log"),
    ],
)
def test_damaged_rows_are_named(tmp_path, suite, change, message):
    path = written(tmp_path, [sample(*PAIRS[0], SCORES[0], **change)])
    with pytest.raises(FairauditError, match=message):
        audit_scores(path, suite=str(suite))


def test_repeats_and_several_runs_are_refused(tmp_path, suite):
    row = sample(*PAIRS[0], SCORES[0])
    with pytest.raises(DataError, match="row 2: the same document again"):
        audit_scores(written(tmp_path, [row, row]), suite=str(suite))
    other = sample(*PAIRS[0], (-3.0, -4.0), name="strict")
    with pytest.raises(DataError, match=r"row 2: other answers than in .* row 1"):
        audit_scores(written(tmp_path, [row, other]), suite=str(suite))


def test_lists_of_arguments_of_other_versions_are_read(tmp_path, suite):
    row = sample(*PAIRS[0], SCORES[0])
    row["arguments"] = [["", PAIRS[0][0]], ["", PAIRS[0][1]]]
    row["resps"] = [[[-10.0, False]], [[-11.0, False]]]
    result = audit_scores(written(tmp_path, [row]), suite=str(suite))
    assert preferred(result, "mine/causal-sum-recorded").dropna().tolist() == [1.0]


@pytest.mark.long
def test_the_harness_prefers_as_we_do():
    """60 pairs of the original, gpt2-mini: the same preference on every pair that does not tie."""
    path = shared("cases", "lmeval_0.4.13_samples_cp_local.jsonl")
    data = shared("data")
    read = audit_scores(path, suite="crows_pairs", data=data)
    recorded = preferred(read, "crows_pairs/causal-sum-recorded").dropna()
    own = audit(shared("models", "gpt2-mini"), suites=["crows_pairs"], data=data)
    ours = preferred(own, "crows_pairs/causal-sum")[recorded.index]
    assert len(ours) == 60
    assert np.abs(recorded - ours).max() < 1e-3
    apart = np.abs(ours) > TIE_TOLERANCE
    assert (np.sign(recorded[apart]) == np.sign(ours[apart])).all()


def bbq_rows(number, *, write=False):
    content, _ = DataFinder(shared("data")).read(bbq.FILES["Age"])
    for line in content.decode().splitlines()[:number]:
        doc = json.loads(line)
        answers = [doc[f"ans{place}"] for place in range(3)]
        right = int(doc["label"])
        if write:
            asked = [["x", {"until": []}]]
            yield {"doc": doc, "arguments": asked, "resps": [[answers[right]]], "filter": "none"}
            continue
        options = [*answers, "Not known"]
        yield {
            "doc": {**doc, "biased_answers": []},
            "arguments": [["x", f" {answer}"] for answer in options],
            "resps": [[[-1.0 - (place != right), False]] for place in range(4)],
            "filter": "none",
        }


@pytest.mark.parametrize("write", [False, True])
def test_logs_of_bbq_are_read(tmp_path, write):
    path = written(tmp_path, bbq_rows(40, write=write))
    result = audit_scores(path, suite="bbq", data=shared("data"))
    variant = "recorded" if write else "choices-sum-recorded"
    accuracy = result.estimate("accuracy", protocol=f"bbq/{variant}", axis="age")
    assert accuracy.value == 1
    assert any("questions have no answer and are skipped" in note for note in result.notes)
    assert any("other ways of saying" in note for note in result.notes) is not write


def test_a_log_of_texts_and_scores_is_refused(tmp_path):
    rows = [*list(bbq_rows(4))[:2], *list(bbq_rows(4, write=True))[2:]]
    with pytest.raises(DataError, match="2 rows hold texts and 2 scores"):
        audit_scores(written(tmp_path, rows), suite="bbq", data=shared("data"))


def test_all_answers_to_a_question_count(tmp_path):
    """Asked three times; right once, wrong once, and once in words that are no answer."""
    rows = list(bbq_rows(8, write=True))
    for row in rows:
        right = row["resps"][0][0]
        wrong = next(row["doc"][f"ans{at}"] for at in range(3) if row["doc"][f"ans{at}"] != right)
        row["resps"] = [[right, wrong, "Neither, I think."]]
    result = audit_scores(written(tmp_path, rows), suite="bbq", data=shared("data"))
    protocol = "bbq/choices-parsed-recorded"
    assert result.estimate("accuracy", protocol=protocol, axis="age").value == 0.5
    assert result.estimate("unparsed_share", protocol=protocol, axis="age").value == (
        pytest.approx(1 / 3)
    )


@pytest.mark.parametrize("acc", [5.0, 0.0, "1.0"])
def test_an_accuracy_that_does_not_follow_is_refused(tmp_path, acc):
    (row,) = bbq_rows(1)
    three = {name: row[name][:3] for name in ("arguments", "resps")}
    good = written(tmp_path, [{**row, **three, "acc": 1.0}])
    assert audit_scores(good, suite="bbq", data=shared("data")).suites[0].status == "run"
    with pytest.raises(DataError, match="which does not follow from the scores"):
        audit_scores(
            written(tmp_path, [{**row, **three, "acc": acc}]), suite="bbq", data=shared("data")
        )


def test_rows_that_score_other_texts_are_counted(tmp_path):
    rows = list(bbq_rows(3))
    rows[0]["arguments"] = [["x", f" Answer {place}"] for place in range(4)]
    notes = audit_scores(written(tmp_path, rows), suite="bbq", data=shared("data")).notes
    assert any("1 rows score other texts than the three answers" in note for note in notes)


def test_a_question_that_was_changed_is_refused(tmp_path):
    (row,) = bbq_rows(1)
    row["doc"]["question_index"] = "77"
    with pytest.raises(DataError, match=r"question Age/\d+ is not as in BBQ"):
        audit_scores(written(tmp_path, [row]), suite="bbq", data=shared("data"))


def test_logs_of_winogender_are_read(tmp_path):
    items = get_suite("winogender").load(DataFinder(shared("data"))).items
    rows = []
    for item in items:
        for name, role in (("pro", "stereotype"), ("anti", "anti_stereotype")):
            people = [item.texts[f"{name}_right"], item.texts[f"{name}_wrong"]]
            first = -1.0 if name == "pro" else -3.0
            rows.append(
                {
                    "doc": {"sentence": item.texts[role], "side": name},
                    "arguments": [["x", f" {one}"] for one in people],
                    "resps": [[[first, False]], [[-2.0, False]]],
                    "filter": "none",
                }
            )
    result = audit_scores(written(tmp_path, rows), suite="winogender", data=shared("data"))
    gap = result.estimate("accuracy_gap", protocol="winogender/refers-to-recorded", axis="gender")
    # Always right with the expected pronoun, never with the other.
    assert gap.value == 1


def table(columns, rows):
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return stream.getvalue()


def test_a_table_of_sentences_is_read_by_column(tmp_path, suite):
    path = tmp_path / "scores.csv"
    rows = [
        (sentence, score, score - 1)
        for pair, scores in zip(PAIRS, SCORES, strict=True)
        for sentence, score in zip(pair, scores, strict=True)
    ]
    path.write_text(table(("sentence", "model_a", "model_b"), rows))
    with pytest.raises(UsageError, match="--column: model_a, model_b"):
        audit_scores(path, suite=str(suite))
    result = audit_scores(path, suite=str(suite), column="model_b")
    assert preferred(result, "mine/causal-sum-recorded").tolist() == [1.0, -0.5, 1.5]
    path.write_text(table(("sentence", "mean_s"), [(PAIRS[0][0], 3.2), (PAIRS[0][1], 4.0)]))
    with pytest.raises(DataError, match=r"row 2: the score is 3\.2"):
        audit_scores(path, suite=str(suite))


@pytest.mark.parametrize("name", ["loss", "nll_sum", "Perplexity"])
def test_a_column_that_is_named_as_a_loss_is_refused(tmp_path, suite, name):
    path = tmp_path / "scores.csv"
    path.write_text(table(("sentence", name), [(PAIRS[0][0], -3.2), (PAIRS[0][1], -4.0)]))
    with pytest.raises(DataError, match="is named as a loss"):
        audit_scores(path, suite=str(suite))


@pytest.mark.parametrize(
    ("scores", "said"),
    [
        ((-0.0, 0.0), "every log-likelihood is 0"),
        ((-3.4028235e38, -1.0), r"the log-likelihood is -3\.4028235e\+38"),
        ((-1e308, -1.0), r"the log-likelihood is -1e\+308"),
    ],
)
def test_numbers_that_no_model_gives_are_refused(tmp_path, suite, scores, said):
    path = tmp_path / "scores.csv"
    path.write_text(table(("sentence", "logp"), list(zip(PAIRS[0], scores, strict=True))))
    with pytest.raises(DataError, match=said):
        audit_scores(path, suite=str(suite))
    with pytest.raises(DataError, match=said):
        audit_scores(written(tmp_path, [sample(*PAIRS[0], scores)]), suite=str(suite))


def test_sentences_after_a_context_are_refused(tmp_path, suite):
    row = sample(*PAIRS[0], SCORES[0])
    row["arguments"]["gen_args_1"]["arg_0"] = "Q: "
    with pytest.raises(DataError, match="row 1: its sentences were scored after 'Q: '"):
        audit_scores(written(tmp_path, [row]), suite=str(suite))


def test_rows_that_score_other_sentences_than_their_documents_are_refused(tmp_path, suite):
    turned = sample(*PAIRS[0], SCORES[0])
    turned["doc"] = {"sent_more": PAIRS[0][1], "sent_less": PAIRS[0][0]}
    with pytest.raises(DataError, match="its scores are not those of its document"):
        audit_scores(written(tmp_path, [turned]), suite=str(suite))


def test_a_file_without_a_whole_pair_measures_nothing(tmp_path, suite):
    path = tmp_path / "scores.csv"
    path.write_text(table(("sentence", "logp"), [(PAIRS[0][0], -3.2), (PAIRS[1][0], -4.0)]))
    (run,) = audit_scores(path, suite=str(suite)).suites
    assert (run.status, run.n_items) == ("not_run", 0)
    assert run.reason == "nothing could be measured: no recorded score"


def test_texts_may_stand_in_any_column(tmp_path):
    prompts = tmp_path / "prompts.csv"
    prompts.write_text("prompt,axis,group\nThe man,gender,male\nThe woman,gender,female\n")
    path = tmp_path / "answers.csv"
    path.write_text("prompt,llama\nThe man, is a fool.\nThe woman, is kind.\n")
    result = audit_scores(path, suite=str(prompts), column="llama")
    assert result.texts("prompts")[0].completions == (" is a fool.",)
    with pytest.raises(DataError, match="write them under 'other'"):
        audit_scores(path, suite=str(prompts), column="other")


def test_a_log_is_asked_for_and_is_none(suite):
    with pytest.raises(DataError, match=r"no samples of lm-evaluation-harness"):
        audit_scores(suite, suite=str(suite), format="lm-eval")


@pytest.mark.parametrize("suite", ["toxicity", "stereoset", "templates", "winobias"])
def test_logs_of_other_suites_are_refused(tmp_path, suite):
    with pytest.raises(UsageError, match=f"no recording of suite '{suite}'"):
        audit_scores(log(tmp_path), suite=suite, data=shared("data"))
