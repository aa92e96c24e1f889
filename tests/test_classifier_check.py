"""A classifier's own bias: planted, found, kept, and put beside the numbers that it gives."""

from __future__ import annotations

import json
import re

import pytest

from fairaudit.auditing.classifier_check import (
    LabelledText,
    check_classifier,
    gap_note,
    kept_check,
    openings,
    templates,
    with_gap_cautions,
)
from fairaudit.errors import DataError
from fairaudit.items import Continuation, Skipped
from fairaudit.metrics.sample_estimates import Sample, Slice, estimate
from fairaudit.recorded.recorded_labels import read_labelled
from fairaudit.results.classifier import ClassifierCheck
from fairaudit.vocabulary.cautions import CLASSIFIER_GAP
from fairaudit.vocabulary.metrics import FLAGGED_SHARE, TOXICITY_DIFFERENCE
from tests.classifiers import save
from tests.cli.program import fairaudit


class Judge:
    """A classifier that calls texts toxic by a rule; what it was asked is counted."""

    id, labels, judging, n_truncated = "judge@1", ("neutral", "toxic"), "toxic", 0

    def __init__(self, rule):
        self.rule, self.asked = rule, 0

    def score(self, texts: list[Continuation]):
        self.asked += len(texts)
        return [self._answer(self.rule(one.text)) for one in texts]

    def _answer(self, probability):
        if probability is None:
            return Skipped("the classifier gave no number for this text")
        return {"neutral": 1 - probability, "toxic": probability}


def wary(text):
    """Give the other words of a sentence a probability, and Muslims 10 to 30 points more."""
    base = 0.1 + 0.5 * (sum(map(ord, text.lower().replace("muslim", "christian"))) % 7) / 7
    return base + (0.1 + 0.05 * (len(text) % 5)) * ("Muslim" in text)


def test_both_sentences_of_a_pair_differ_in_the_group_alone():
    pairs, others = templates(None)
    assert {(first.axis, f"{first.group}/{second.group}") for first, second in pairs} >= {
        ("gender", "female/male"), ("race", "Black/white"), ("age", "elderly/young"),
    }  # fmt: skip
    for first, second in [*pairs, *openings()]:
        assert first.key == second.key
        assert first.group != second.group
        assert first.text != second.text
    assert {one.group for one in others} == {None}
    assert {second.group for _, second in openings()} == {"male", "white", "Christian"}


def test_a_gap_that_is_planted_is_found_and_no_other():
    found = check_classifier(Judge(wary))
    for axis in ("gender", "race", "age", "disability", "sexual_orientation"):
        assert not found.leans(axis), axis
    assert found.leans("religion")
    largest = found.largest("religion")
    assert abs(largest.value) == pytest.approx(0.2, abs=0.03)
    assert "Muslim" in largest.group
    shares = {
        (one.suite, one.group): one.value
        for one in found.estimates
        if one.name == FLAGGED_SHARE.name and one.axis == "religion"
    }
    assert shares["openings", "Muslim"] > shares["openings", "Christian"]
    assert re.search(r"religion [+-]\d\d\.\d points \[.* \(.*Muslim.*, largest of", gap_note(found))


def test_the_caution_stands_beside_numbers_of_that_classifier_on_that_axis():
    check = check_classifier(Judge(wary))

    def number(protocol, axis):
        where = Slice(protocol.partition("/")[0], protocol, axis)
        sample = Sample([0.1, 0.2, 0.3] * 5, [str(i) for i in range(15)])
        return estimate(TOXICITY_DIFFERENCE, where, sample, seed=0)

    asked = [("toxicity/judge@1", "religion"), ("toxicity/judge@1", "gender"),
             ("toxicity/vader-3", "religion")]  # fmt: skip
    found = with_gap_cautions((number(*one) for one in asked), {check.classifier: check})
    assert [CLASSIFIER_GAP.name in one.cautions for one in found] == [True, False, False]


def test_a_check_is_kept_by_the_classifiers_content(tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(tmp_path))
    judge = Judge(wary)
    first = kept_check(judge)
    asked = judge.asked
    assert kept_check(judge) == first
    assert judge.asked == asked
    other = Judge(lambda _: 0.1)
    other.id = "judge@2"
    assert kept_check(other) != first
    (kept, _) = sorted((tmp_path / "classifier-checks").iterdir())
    kept.write_text("{")
    for one in (tmp_path / "classifier-checks").iterdir():
        one.write_text("{")
    assert kept_check(judge) == first
    assert judge.asked == 2 * asked


def test_a_classifier_without_numbers_is_no_check():
    with pytest.raises(DataError, match=r"judge@1: the classifier gave no number"):
        check_classifier(Judge(lambda _: None))


def test_labelled_texts_add_ranking_and_calibration():
    texts = [LabelledText(f"{'bad' if i % 2 else 'good'} {i}", i % 2 == 1) for i in range(40)]
    found = check_classifier(Judge(lambda text: 0.9 if "bad" in text else 0.1), texts)
    values = {one.name: one.value for one in found.estimates if one.suite == "labelled"}
    assert values == {
        "area_under_curve": 1, "false_positive_rate": 0, "false_negative_rate": 0,
        "calibration_error": pytest.approx(0.1),
    }  # fmt: skip
    assert ClassifierCheck.model_validate_json(found.to_json()) == found


BAD = {
    "no column": ("x,y\n1,2\n", "neither JSON nor a header of CSV with the column 'text'"),
    "no label": ('{"text": "a"}\n', "row 1: 'label' is missing; write 1 for 'toxic'"),
    "null label": ('{"text": "a", "label": null}\n', "row 1: 'label' is missing"),
    "a number": ("text,label\na,3\nb,0\n", "label 3 is neither 0 nor 1"),
    "empty text": ('{"text": " ", "label": 1}\n', "row 1: the text is empty"),
    "no text": ('{"text": 5, "label": 1}\n', "row 1: 'text' must be a text"),
    "one kind": ("text,label\na,1\nb,1\n", "all 2 texts have the same label"),
}


@pytest.mark.parametrize("fault", BAD)
def test_labels_that_cannot_be_read_are_refused(tmp_path, fault):
    content, message = BAD[fault]
    path = tmp_path / "labels.txt"
    path.write_text(content)
    with pytest.raises(DataError, match=message):
        read_labelled(path, "toxic")


def test_labels_are_numbers_or_names(tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("text,label,group\na,1,x\nb,0,\nc,Toxic,y\nd,neutral,\ne,true,\nf,no,\n")
    found = read_labelled(path, "toxic")
    assert [one.labelled for one in found] == [True, False, True, False, True, False]
    assert [one.group for one in found] == ["x", None, "y", None, None, None]


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return save(tmp_path_factory.mktemp("judge") / "judge")


def test_the_verb_prints_gaps_and_what_labels_add(classifier, tmp_path):
    labels = tmp_path / "labels.jsonl"
    rows = [{"text": "the man was poor", "label": 1}, {"text": "the man was glad", "label": 0}]
    labels.write_text("".join(json.dumps(row) + "\n" for row in rows * 12))
    done = fairaudit("classifier-check", classifier, "--labels", labels)
    assert (done.returncode, done.stderr) == (0, "")
    for words in ("Race: Black − white", "Flagged, openings", "Area under the ROC curve",
                  "Calibration", "classifier's own"):  # fmt: skip
        assert words in done.stdout
    done = fairaudit("classifier-check", classifier, "--format", "json")
    found = ClassifierCheck.model_validate_json(done.stdout)
    assert found.label == "toxic"
    assert found.calibration == ()


def test_the_verb_says_in_a_line_what_is_no_classifier(checkpoint, tmp_path):
    done = fairaudit("classifier-check", checkpoint("gpt2"))
    assert done.returncode == 2
    assert "is no text classifier" in done.stderr
    assert done.stderr.count("\n") == 1
    done = fairaudit("classifier-check", tmp_path / "nothing")
    assert done.returncode == 2


def test_an_audit_says_the_own_gap_of_its_classifier(classifier, tmp_path):
    prompts = tmp_path / "mine.csv"
    names = ("nurse", "clerk", "baker", "cook", "tailor")
    prompts.write_text(
        "axis,group,mention,prompt\n"
        + "".join(
            f"gender,{group},the {word},The {name} and the {word}\n"
            for name in names
            for group, word in (("female", "woman"), ("male", "man"))
        )
    )
    texts = tmp_path / "texts.jsonl"
    rows = (line.rpartition(",")[2] for line in prompts.read_text().splitlines()[1:])
    texts.write_text(
        "".join(json.dumps({"prompt": row, "completions": ["was poor", "was glad"]}) + "\n"
                for row in rows)
    )  # fmt: skip
    done = fairaudit(
        *("audit-scores", texts, "--suite", prompts, "--toxicity-classifier", classifier),
        *("--output", tmp_path / "out"),
    )
    assert done.returncode == 0, done.stderr
    notes = json.loads((tmp_path / "out" / "result.json").read_text())["notes"]
    assert [note for note in notes if "its own gap, where only the group" in note]
