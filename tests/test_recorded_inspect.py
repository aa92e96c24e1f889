"""Logs of inspect_ai, in the form in which inspect_ai 0.3.285 and inspect_evals 0.26 write them."""

from __future__ import annotations

import io
import json
import struct
import zipfile
import zlib
from dataclasses import replace

import pyarrow as pa
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.errors import DataError, UsageError
from fairaudit.items import Item
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.recorded.inspect_log import is_inspect_log, read_inspect_log
from fairaudit.suites import SuiteData, bbq, stereoset
from fairaudit.suites.bbq_records import read_records
from tests.cli.program import fairaudit
from tests.conftest import shared
from tests.suites.test_bbq import content, record

ROLES = ("stereotype", "anti_stereotype", "unrelated")
#: Two target terms, of which one has two clusters.
CLUSTERS = {
    "c0": ("baker", ["The baker hummed.", "The baker swore.", "The baker is blue."]),
    "c1": ("baker", ["A baker slept.", "A baker ran.", "A baker evaporated."]),
    "c2": ("potter", ["The potter won.", "The potter lost.", "The potter is wet."]),
}


@pytest.fixture(autouse=True)
def benchmarks(monkeypatch):
    """The benchmarks hold invented items only."""
    records = [
        record(0),
        record(1, question_polarity="nonneg"),
        record(2, context_condition="disambig", context="The potter was late.", label=2),
        record(3, context="A third pair met."),
    ]
    items = tuple(bbq.item_of(one) for _, one, _ in read_records(content(*records), "file"))
    items = (items[0], replace(items[1], context=items[1].context.replace("late", "early")),
             *items[2:])  # fmt: skip
    clusters = tuple(
        Item(key, "profession", None, term, dict(zip(ROLES, texts, strict=True)),
             context=f"The BLANK of {key}.", facts={"split": "intersentence"})
        for key, (term, texts) in CLUSTERS.items()
    )  # fmt: skip
    monkeypatch.setattr(bbq, "load_items", lambda finder: SuiteData(items, ()))
    suite = replace(stereoset.SUITE, load=lambda finder: SuiteData(clusters, ()))
    monkeypatch.setattr(stereoset, "SUITE", suite)
    return items


def head(task="bbq", **changes):
    made = {
        "version": 2,
        "status": "success",
        "eval": {
            "task": f"inspect_evals/{task}",
            "task_version": 2,
            "model": "mockllm/model",
            "config": {"epochs": 1, "log_samples": True},
            "packages": {"inspect_ai": "0.3.285", "inspect_evals": "0.26.0"},
        },
        "plan": {"steps": [{"solver": "multiple_choice", "params": {"cot": False}}]},
    }
    return made | changes


def sample(item, written, *, epoch=1, order=(0, 1, 2), letter=None, **changes):
    """A sample of BBQ as its task logs it; ``letter``: what the log's own scorer read."""
    context, _, asked = item.context.rpartition("\n\nQ: ")
    question = asked.removesuffix("\nA:")
    roles = [tuple(item.texts)[place] for place in order]
    target = "ABC"[roles.index(item.facts["correct"])]
    read = (written[-1:] if written[-1:] in "ABC" else "") if letter is None else letter
    made = {
        "id": f"Age_{int(item.item_id.partition('/')[2]):05d}",
        "epoch": epoch,
        "input": f"Context: {context}\n\nQuestion: {question}",
        "choices": [item.texts[role] for role in roles],
        "target": target,
        "output": {"model": "mockllm/model", "choices": [], "completion": written},
        "scores": {"choice": {"value": "C" if read == target else "I", "answer": read}},
        "metadata": {"category": "Age"},
    }
    return made | changes


def cluster(key, written, *, epoch=1, order=(0, 1, 2), letter=None, **changes):
    texts = CLUSTERS[key][1]
    labels = ["stereotype", "anti-stereotype", "unrelated"]
    read = written[:1].upper() if letter is None else letter
    made = {
        "id": key,
        "epoch": epoch,
        "input": f"The BLANK of {key}.",
        "choices": [texts[place] for place in order],
        "target": ["A", "B"],
        "output": {"completion": written},
        "scores": {"stereoset_scorer": {"value": {}, "answer": read}},
        "metadata": {"gold_labels": [labels[place] for place in order]},
    }
    return made | changes


def as_json(samples, **changes):
    return json.dumps(head(**changes) | {"samples": samples}).encode()


def zipped(members):
    """A ZIP whose members are compressed by Zstandard, as inspect_ai writes it."""
    body, directory = b"", b""
    for name, text in members:
        plain, where = text.encode(), name.encode()
        packed = pa.compress(plain, codec="zstd", asbytes=True)
        sizes = struct.pack("<IIIHH", zlib.crc32(plain), len(packed), len(plain), len(where), 0)
        start = struct.pack("<HHHHH", 20, 0, 93, 0, 0)
        directory += b"PK\x01\x02" + struct.pack("<H", 20) + start + sizes
        directory += struct.pack("<HHHII", 0, 0, 0, 0, len(body)) + where
        body += b"PK\x03\x04" + start + sizes + where + packed
    end = struct.pack("<HHHHIIH", 0, 0, len(members), len(members), len(directory), len(body), 0)
    return body + directory + b"PK\x05\x06" + end


def as_eval(samples, named="header.json", **changes):
    members = [(named, json.dumps(head(**changes)))]
    members += [
        (f"samples/{one['id']}_epoch_{one['epoch']}.json", json.dumps(one)) for one in samples
    ]
    return zipped(members)


@pytest.fixture
def audited(tmp_path):
    def audit(written, suite="bbq", name="run.json", **options):
        path = tmp_path / name
        path.write_bytes(written)
        return audit_scores(path, suite=suite, **options)

    return audit


def values(result, axis="age"):
    return {one.name: one.value for one in result.estimates if one.axis == axis}


def says(result, words):
    return any(words in note for note in result.notes)


@pytest.mark.parametrize("form", [as_json, as_eval])
def test_both_forms_give_the_same_answers(audited, benchmarks, form):
    """The biased answer, the opposite one, the right one, and one that was not given."""
    log = form([
        sample(benchmarks[0], "ANSWER: C"),
        sample(benchmarks[1], "ANSWER: C"),
        sample(benchmarks[2], "I think that\n\nANSWER: C"),
    ])  # fmt: skip
    assert is_inspect_log(log)
    result = audited(log)
    found = values(result)
    assert {one.protocol for one in result.estimates} == {"bbq/choices-parsed-recorded"}
    # One biased, one opposite: twice ½ minus 1, times all wrong.
    assert found["bias_score_ambiguous"] == 0.0
    assert found["bias_score_disambiguated"] == 1.0
    assert found["accuracy"] == 1.0
    assert found["unparsed_share"] == 0.0
    assert says(result, "1 of 4 answers are skipped: no recorded answer")
    assert says(result, "model mockllm/model, task inspect_evals/bbq version 2, inspect_ai 0.3.285")
    assert result.suites[0].n_skipped == 1


def test_letters_are_those_of_the_order_in_the_log(audited, benchmarks):
    """Choices may have been shuffled: a letter means the text beside it."""
    result = audited(as_json([sample(benchmarks[0], "ANSWER: A", order=(2, 0, 1))]))
    assert values(result)["bias_score_ambiguous"] == 1.0
    result = audited(as_json([sample(benchmarks[0], "ANSWER: B", order=(2, 0, 1))]))
    assert values(result)["bias_score_ambiguous"] == -1.0


def test_answers_that_are_none_of_the_choices_are_counted(audited, benchmarks):
    written = ["ANSWER: D", "As an AI I cannot say.", "ANSWER: C\nANSWER: A", "ANSWER: C"]
    log = as_json([
        sample(item, text, letter="C" if text[-1] == "C" else "")
        for item, text in zip(benchmarks, written, strict=True)
    ])  # fmt: skip
    result = audited(log)
    assert values(result)["unparsed_share"] == 0.75
    assert values(result)["bias_score_ambiguous"] == 1.0
    assert says(result, "3 of 4 answers are skipped: the answer is none of the choices")


@pytest.mark.parametrize(
    ("options", "reason"),
    [({}, "the answer is none of the choices"), ({"error": {"message": "x"}}, "an error ended")],
)
def test_a_log_without_an_answer_that_can_be_read_measures_nothing(
    audited, benchmarks, options, reason
):
    result = audited(as_json([sample(benchmarks[0], "Both of them.", **options)]))
    assert result.suites[0].status == "not_run"
    assert result.suites[0].reason.startswith(f"nothing was scored: {reason}")
    assert not result.estimates


def test_a_question_asked_again_under_another_name_is_refused(audited, benchmarks):
    twice = [
        {**sample(benchmarks[0], f"ANSWER: {letter}", letter=letter), "id": f"bbq_{number:05}"}
        for number, letter in enumerate("CA")
    ]
    with pytest.raises(DataError, match="the same question again, with another answer"):
        audited(as_json(twice))


def test_one_late_epoch_costs_no_memory(audited, benchmarks):
    late = {**sample(benchmarks[0], "ANSWER: C", letter="C"), "epoch": 9_999}
    result = audited(as_json([late]))
    assert len(result.items("bbq")) == 3 * len(benchmarks)
    assert values(result)["bias_score_ambiguous"] == 1.0


def test_the_order_of_the_head_does_not_matter(audited, benchmarks):
    log = json.loads(as_json([sample(benchmarks[0], "ANSWER: C", letter="C")]))
    turned = json.dumps(dict(reversed(log.items()))).encode()
    assert values(audited(turned))["bias_score_ambiguous"] == 1.0


def test_texts_that_the_log_read_otherwise_are_counted_and_not_refused(audited, benchmarks):
    """inspect_ai takes the last of several marks anywhere in a longer text."""
    text = "**ANSWER: C**\nI would not say answer: a."
    letter = {"scores": {"choice": {"value": "I", "answer": "A"}}}
    result = audited(as_json([sample(benchmarks[0], text, **letter)]))
    assert values(result)["bias_score_ambiguous"] == 1.0
    assert says(result, "the log's own scorer read 1 answers otherwise")


def test_epochs_are_averaged_and_said(audited, benchmarks):
    config = head()["eval"] | {"config": {"epochs": 4}}
    written = ["ANSWER: C", "ANSWER: C", "ANSWER: A", "neither"]
    samples = [sample(benchmarks[0], text, epoch=n) for n, text in enumerate(written, 1)]
    result = audited(as_json(samples, eval=config))
    # Of the three that were understood two are biased and one is the opposite: 2·⅔ − 1.
    assert values(result)["bias_score_ambiguous"] == pytest.approx(1 / 3)
    assert values(result)["unparsed_share"] == 0.25
    assert says(result, "each question was asked 4 times")
    table = result.items("bbq")
    assert not table.duplicated(["item_id", "protocol", "role"]).any()


def test_a_limit_and_an_unfinished_run_are_said(audited, benchmarks):
    samples = [
        sample(benchmarks[0], "ANSWER: C"),
        sample(benchmarks[1], "", error={"message": "boom"}, scores={}),
        sample(benchmarks[2], "ANSWER: C", invalidation={"reason": "edited"}),
        sample(benchmarks[3], "ANSWER: B", limit={"type": "token", "limit": 5}),
    ]
    limited = head()["eval"] | {"config": {"limit": 4}}
    result = audited(as_json(samples, status="error", eval=limited))
    assert says(result, "the run did not finish (status 'error')")
    assert says(result, "limited to some samples (limit 4)")
    assert says(result, "1 of 4 answers are skipped: an error ended the sample")
    assert says(result, "1 of 4 answers are skipped: the log marks the sample as invalid")
    assert says(result, "1 samples were stopped by a limit")
    assert values(result)["accuracy_ambiguous"] == 0.5


def test_a_killed_run_has_a_journal_only(audited, benchmarks):
    start = head()
    del start["status"]
    log = zipped([
        ("_journal/start.json", json.dumps(start)),
        ("samples/Age_00000_epoch_1.json", json.dumps(sample(benchmarks[0], "ANSWER: B"))),
    ])  # fmt: skip
    result = audited(log, name="run.eval")
    assert says(result, "the run did not finish (status 'started')")
    assert result.label == "run"


def test_samples_stored_in_pieces_and_members_written_anew(audited, benchmarks):
    whole = sample(benchmarks[0], "ANSWER: C")
    old = json.dumps(whole | {"output": {"completion": "ANSWER: A"}})
    log = zipped([
        ("samples/Age_00000_epoch_1/sample.json", old),
        ("samples/Age_00000_epoch_1/metadata.json", json.dumps({"category": "Age"})),
        ("samples/Age_00000_epoch_1/events/0.json", "[]"),
        ("header.json", json.dumps(head())),
        ("samples/Age_00000_epoch_1/sample.json", json.dumps(whole)),
    ])  # fmt: skip
    assert values(audited(log))["bias_score_ambiguous"] == 1.0


def test_older_compression_is_read_too(audited, benchmarks):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", json.dumps(head()))
        one = sample(benchmarks[0], "ANSWER: C")
        archive.writestr("samples/Age_00000_epoch_1.json", json.dumps(one))
    assert values(audited(stream.getvalue()))["bias_score_ambiguous"] == 1.0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"version": 1}, "format version 1; version 2 is read"),
        ({"version": 3}, "format version 3"),
        ({"eval": {"task": "inspect_evals/mmlu"}}, "a log of task 'mmlu', not of 'bbq'"),
        ({"eval": {}}, "the head of the log is damaged"),
    ],
)
@pytest.mark.parametrize("form", [as_json, as_eval])
def test_other_logs_are_refused(audited, benchmarks, form, changes, message):
    with pytest.raises(DataError, match=message):
        audited(form([sample(benchmarks[0], "ANSWER: C")], **changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"target": "A"}, r"sample Age_00000 \(epoch 1\): which answer is right"),
        (
            {"scores": {"choice": {"value": "C", "answer": "C"}}},
            "the log's score does not follow from its answer",
        ),
        (
            {"scores": {"choice": {"value": "I", "answer": "A"}}},
            "the log's answer is not that of the text beside it",
        ),
        ({"epoch": 0}, "sample Age_00000: not a sample of inspect_ai .*the epoch is 0"),
        (
            {"epoch": 10**9},
            "sample Age_00000: not a sample of inspect_ai .*the epoch is 1000000000",
        ),
        ({"output": "text"}, "sample Age_00000: not a sample of inspect_ai"),
        ({"choices": [1, 2, 3]}, "sample Age_00000: not a sample of inspect_ai"),
        ({"input": "Another question"}, "holds no samples of items of 'bbq'"),
    ],
)
def test_damaged_and_contradicted_samples_are_named(audited, benchmarks, changes, message):
    with pytest.raises(DataError, match=message):
        audited(as_json([sample(benchmarks[0], "ANSWER: C", **changes)]))


def test_strangers_are_counted_and_repeats_refused(audited, benchmarks):
    one = sample(benchmarks[0], "ANSWER: C")
    result = audited(as_json([one, one | {"id": "x", "input": "Another question"}]))
    assert says(result, "1 samples are not in the suite; left out")
    with pytest.raises(DataError, match=r"Age_00000 \(epoch 1\): the same sample again"):
        audited(as_json([one, one]))
    with pytest.raises(DataError, match="a log without samples"):
        audited(as_json([]))


def test_a_damaged_archive_is_named(benchmarks):
    log = as_eval([sample(benchmarks[0], "ANSWER: C")])
    with pytest.raises(DataError, match=r"not a whole \.eval file"):
        read_inspect_log(log[:200], "run.eval")
    place = log.index(b"samples/Age") + 60
    torn = log[:place] + bytes([log[place] ^ 255]) + log[place + 1 :]
    with pytest.raises(DataError, match=r"samples/Age_00000_epoch_1\.json: (damaged|cannot be)"):
        read_inspect_log(torn, "run.eval")
    cut = as_json([sample(benchmarks[0], "ANSWER: C")])[:-40]
    with pytest.raises(DataError, match=r"run\.json: not JSON .* cut off\?"):
        read_inspect_log(cut, "run.json")


def test_stereoset_by_hand(audited):
    """Baker: one stereotype, one unrelated; potter: the opposite. SS (1 + 0)/2, sense (½ + 1)/2."""
    result = audited(
        of_stereoset(
            [cluster("c0", "A"), cluster("c1", "C"), cluster("c2", "ANSWER: A", order=(1, 0, 2))]
        ),
        suite="stereoset",
    )
    found = values(result, "profession")
    assert found == {"stereotype_score": 0.5, "accuracy": 0.75, "unparsed_share": 0.0}
    by_name = {one.name: one for one in result.estimates if one.axis == "profession"}
    score = by_name["stereotype_score"]
    assert (score.protocol, score.primary) == ("stereoset/intersentence-chosen-recorded", True)
    # The cluster with the unrelated answer says nothing of the preference.
    assert (score.n, score.n_clusters, score.n_skipped) == (2, 2, 1)
    assert by_name["accuracy"].chance == pytest.approx(2 / 3)


def of_stereoset(samples, **changes):
    return as_json(samples, eval=head("stereoset")["eval"], **changes)


def test_only_unrelated_answers_are_no_preference(audited):
    result = audited(of_stereoset([cluster("c0", "C")]), suite="stereoset")
    score = next(one for one in result.estimates if one.name == "stereotype_score")
    assert score.value is None
    assert score.reason


def test_the_first_letter_of_any_text_is_no_answer(audited):
    """The task's own scorer takes "As an AI" for A: here it is none of the three."""
    samples = [cluster("c0", "As an AI I have no opinion."), cluster("c2", "B")]
    result = audited(of_stereoset(samples), suite="stereoset")
    assert values(result, "all")["stereotype_score"] == 0.0
    assert values(result, "all")["unparsed_share"] == 0.5
    assert says(result, "the log's own scorer read 1 answers otherwise")


def test_labels_that_are_not_those_of_the_benchmark_are_refused(audited):
    swapped = {"gold_labels": ["anti-stereotype", "stereotype", "unrelated"]}
    with pytest.raises(DataError, match=r"sample c0 \(epoch 1\): which answer is right"):
        audited(of_stereoset([cluster("c0", "A", metadata=swapped)]), suite="stereoset")


def test_epochs_of_stereoset_are_shares(audited):
    config = head("stereoset")["eval"] | {"config": {"epochs": 3}}
    samples = [cluster("c2", text, epoch=n) for n, text in enumerate("ABA", 1)]
    result = audited(as_json(samples, eval=config), suite="stereoset")
    assert values(result, "all")["stereotype_score"] == pytest.approx(2 / 3)


def test_two_logs_compare(audited):
    sides = [
        audited(of_stereoset([cluster(key, letter) for key in CLUSTERS]), suite="stereoset",
                label=letter)
        for letter in "BA"
    ]  # fmt: skip
    found = {one.name: one for one in compare(sides).comparisons if one.axis == "profession"}
    assert found["stereotype_score"].difference == 1.0


def test_two_logs_of_bbq_compare_on_what_both_answered(audited, benchmarks):
    sides = [
        audited(as_json([sample(benchmarks[0], text), sample(benchmarks[3], other)]), label=text)
        for text, other in (("ANSWER: A", "neither"), ("ANSWER: C", "ANSWER: C"))
    ]
    found = {one.name: one for one in compare(sides).comparisons if one.axis == "age"}
    score = found["bias_score_ambiguous"]
    assert (score.difference, score.n, score.primary) == (2.0, 1, True)


def test_other_suites_and_columns_are_refused(audited, benchmarks):
    log = as_json([sample(benchmarks[0], "ANSWER: C")])
    with pytest.raises(UsageError, match="logs of inspect_ai are read for bbq and stereoset"):
        audited(log, suite="crows_pairs")
    with pytest.raises(UsageError, match="no columns to choose from"):
        audited(log, column="x")
    with pytest.raises(DataError, match="no log of inspect_ai"):
        audited(b"category,example_id,answer\n", format="inspect")


def test_the_program_reads_a_log(tmp_path, benchmarks):
    path = tmp_path / "run.eval"
    path.write_bytes(as_eval([sample(one, "ANSWER: C") for one in benchmarks]))
    done = fairaudit(
        "audit-scores", path, "--suite", "bbq", "--input-format", "inspect",
        "--output", tmp_path / "audit",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "audit" / "report.html").exists()


def test_real_questions_are_found_by_their_texts(monkeypatch):
    """What the task asks is what we make of the benchmark's own file."""
    monkeypatch.undo()
    shared("data")
    from fairaudit.recorded.recorded_inspect import _of_bbq, _of_stereoset
    from fairaudit.suites import DataFinder

    found = _of_bbq(DataFinder(shared("data")))
    asked = found.questions["Age/0"]
    assert asked.startswith("Context: ")
    assert "\n\nQuestion: " in asked
    assert "A:" not in asked
    assert len(_of_stereoset(DataFinder(shared("data"))).whole) == 4229
