"""Recorded scores: pairs are known by their sentences, and what a file lacks is missed."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from itertools import count

import pytest

from fairaudit.errors import DataError
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.report.card.evalresults import eval_results
from fairaudit.suites import DataFinder, crows_pairs, stereoset
from tests.conftest import shared

PROTOCOL = "crows_pairs/recorded"


@pytest.fixture(scope="module")
def published():
    """Rows of the scores that BERT was published with."""
    path = shared("golden", "crows_pairs", "bert_crows_score.csv.gz")
    text = gzip.decompress(path.read_bytes()).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


@pytest.fixture(scope="module")
def clusters():
    """Items of StereoSet by split."""
    items = stereoset.SUITE.load(DataFinder(shared("data"))).items
    return {s: [i for i in items if i.facts["split"] == s] for s in stereoset.SPLITS}


@pytest.fixture
def audited(tmp_path):
    """Audit rows of CrowS-Pairs or entries of StereoSet, with the benchmark at hand or without."""
    numbers = count()

    def audit(content, *, checked=True):
        path = tmp_path / f"scores{next(numbers)}"
        data = shared("data") if checked else None
        if isinstance(content, dict):
            path.write_text(json.dumps(content))
            return audit_scores(path, suite="stereoset", data=data)
        with path.open("w", encoding="utf-8", newline="") as stream:
            writer = csv.DictWriter(stream, list(content[0]))
            writer.writeheader()
            writer.writerows(content)
        return audit_scores(path, suite="crows_pairs", data=data)

    return audit


def predictions(clusters, **sizes):
    """Score the first clusters of each split; one in seven prefers what is unrelated."""
    return {
        split: [
            {"id": item.facts[f"{role}_id"], "score": score}
            for number, item in enumerate(clusters[split][: sizes.get(split, 0)])
            for role, score in zip(
                item.texts, (0.5, 0.3, 0.1 + 0.8 * (number % 7 == 0)), strict=True
            )
        ]
        for split in clusters
    }


def changed(rows, place, **cells):
    return [*rows[:place], rows[place] | cells, *rows[place + 1 :]]


@pytest.mark.parametrize("checked", [True, False])
def test_shuffled_rows_are_the_same_pairs(audited, published, checked):
    straight = audited(published, checked=checked)
    renumbered = [row | {"": number} for number, row in enumerate(reversed(published))]
    turned = audited(renumbered, checked=checked)
    by_id = [
        one.items("crows_pairs").set_index(["item_id", "role"])["score"].sort_index()
        for one in (straight, turned)
    ]
    assert by_id[0].equals(by_id[1])
    assert len(by_id[0]) == 2 * 1508
    assert {e.key: e.value for e in straight.estimates} == pytest.approx(
        {e.key: e.value for e in turned.estimates}
    )


@pytest.mark.parametrize("checked", [True, False])
def test_ids_do_not_depend_on_the_benchmark(audited, published, checked):
    ids = set(audited(published[:3], checked=checked).items("crows_pairs")["item_id"])
    named = crows_pairs.by_text(crows_pairs.SUITE.load(DataFinder(shared("data"))).items, "x")
    assert {item.item_id for item in named[:3]} <= ids


@pytest.mark.parametrize("checked", [True, False])
def test_a_pair_that_stands_twice_is_refused_by_both_rows(audited, published, checked):
    rows = [row | {"": ""} for row in published]
    with pytest.raises(DataError, match="row 1510: the pair of sentences of row 2 again"):
        audited(rows * 10, checked=checked)
    thrice = [row for row in rows if "those people are Muslims" in row["sent_more"]]
    assert len(thrice) == 2
    with pytest.raises(DataError, match="row 4: the pair of sentences of row 2 again"):
        audited([*thrice, thrice[0]], checked=checked)


def test_strangers_are_refused_where_the_benchmark_is_at_hand(audited, published):
    with pytest.raises(DataError, match=r"1 pairs are not in CrowS-Pairs \(first: row 5\)"):
        audited(changed(published, 3, sent_more="x"))
    with pytest.raises(DataError, match="row 5: column 'stereo_antistereo' or 'bias_type' is not"):
        audited(changed(published, 3, bias_type="age", stereo_antistereo="stereo"))
    odd = changed(published, 3, sent_more=f" {published[3]['sent_more']}\r\n")
    assert audited(odd).suites[0].n_skipped == 0


def test_without_the_benchmark_a_note_says_so_and_nothing_is_published(audited, published):
    result = audited(changed(published, 3, sent_more="x"), checked=False)
    assert any("could not be checked against CrowS-Pairs" in note for note in result.notes)
    assert eval_results(result) == {}
    strangers = [row | {"sent_more": f"x{n}"} for n, row in enumerate([*published, published[0]])]
    with pytest.raises(DataError, match="holds 1,509 pairs; CrowS-Pairs has 1,508"):
        audited([row | {"": ""} for row in strangers], checked=False)


@pytest.mark.parametrize("checked", [True, False])
def test_pairs_that_a_file_lacks_are_skipped(audited, published, checked):
    result = audited(published[:700], checked=checked)
    (run,) = result.suites
    assert (run.n_items, run.n_skipped) == (1508, 808)
    pooled = result.estimate("metric_score", protocol=PROTOCOL)
    assert (pooled.n, pooled.n_skipped) == (700, 808)
    assert "skipped_items" in pooled.cautions
    age = result.estimate("stereotype_preference_rate", protocol=PROTOCOL, axis="age")
    assert age.n + age.n_skipped == 87
    assert any("808 of 1,508 pairs lack a score" in note for note in result.notes)
    assert eval_results(result) == {}


def test_whole_and_checked_scores_are_published(audited, published):
    assert set(eval_results(audited(published))) == {"crows_pairs.yaml"}


def test_a_truncated_split_is_skipped_in_part_and_not_pooled(audited, clusters):
    result = audited(predictions(clusters, intrasentence=1000, intersentence=2123))
    (run,) = result.suites
    assert (run.n_items, run.n_skipped) == (4229, 1106)
    part = result.estimate("stereotype_score", protocol="stereoset/intrasentence-recorded")
    assert (part.n, part.n_skipped) == (1000, 1106)
    assert "skipped_items" in part.cautions
    assert not any("overall" in found.protocol for found in result.estimates)
    assert any("1,106 of 2,106 intrasentence clusters lack" in note for note in result.notes)
    assert eval_results(result) == {}


def test_a_split_that_is_wholly_absent_is_not_there(audited, clusters):
    result = audited(predictions(clusters, intrasentence=2106))
    (run,) = result.suites
    assert (run.n_items, run.n_skipped) == (2106, 0)
    assert run.protocols == ("stereoset/intrasentence-recorded",)
    assert not any("lack a score" in note for note in result.notes)
    assert set(eval_results(result)) == {"stereoset_intrasentence.yaml"}


def test_scores_of_a_model_that_guesses_are_not_published(audited, clusters):
    content = predictions(clusters, intrasentence=2106)
    for entry in content["intrasentence"]:
        entry["score"] = 0.5
    assert eval_results(audited(content)) == {}


@pytest.mark.parametrize(
    ("score", "message"),
    [("true", "the score is True, no number"), ("1" + "0" * 400, "entry 1: OverflowError")],
)
def test_scores_that_are_no_numbers_are_refused(tmp_path, score, message):
    path = tmp_path / "x.json"
    path.write_text(f'{{"intrasentence": [{{"id": "a", "score": {score}}}]}}')
    with pytest.raises(DataError, match=message):
        audit_scores(path, suite="stereoset", data=shared("data"))


SCORES = ("sent_more_score", "sent_less_score")


@pytest.mark.parametrize("place", [0, 700, 1507])
@pytest.mark.parametrize("column", SCORES)
def test_one_loss_in_any_row_of_a_score_table_is_refused(audited, published, place, column):
    """Issue 18, item 13: a log-likelihood is 0 or below, in every row."""
    loss = changed(published, place, **{column: str(-float(published[place][column]))})
    message = rf"row {place + 2}: the score is .* \(1 of 1,508 rows .*opposite sign"
    with pytest.raises(DataError, match=message):
        audited(loss, checked=False)


def turned(row):
    return row | {name: f"{-float(row[name]):g}" for name in SCORES}


@pytest.mark.parametrize("marked", [True, False])
def test_losses_in_place_of_log_likelihoods_are_refused(audited, published, marked):
    """They would say 41.5 % of a model with 60.5 %: the rest of 100 %, but for mended rows."""
    rows = [turned(row) | ({} if marked else {"score": ""}) for row in published]
    with pytest.raises(DataError, match=r"row 2: .*1,508 of 1,508 rows"):
        audited(rows, checked=False)


def test_scores_that_contradict_their_own_mark_are_refused(audited, published):
    """Whatever the sign: 200 less a loss is negative, and the lower is still the likelier."""
    shifted = [row | {n: f"{-200 - float(row[n]):g}" for n in SCORES} for row in published]
    with pytest.raises(DataError, match=r"'score' prefers the other sentence .*1,290 of 1,290"):
        audited(shifted, checked=False)
    stereo = next(n for n, row in enumerate(published) if row["stereo_antistereo"] == "stereo")
    mark = {"0": "1", "1": "0"}[published[stereo]["score"]]
    with pytest.raises(DataError, match=rf"row {stereo + 2}: .*\(1 of 1,290 stereo rows"):
        audited(changed(published, stereo, score=mark), checked=False)


def test_a_table_of_losses_is_told_how_to_become_one_of_scores(audited, published):
    rows = [{key.replace("_score", "_nll"): cell for key, cell in row.items()} for row in published]
    with pytest.raises(DataError, match=r"'sent_more_score' is missing; .* opposite sign"):
        audited(rows, checked=False)


@pytest.mark.parametrize("split", stereoset.SPLITS)
@pytest.mark.parametrize("place", [0, 300, -1])
@pytest.mark.parametrize(
    ("sound", "odd", "why"),
    [
        (0.5, 1.5, "a probability at most 1"),
        (-3.0, 3.0, "others of the split are below 0"),
        (-3.0, 0.5, "others of the split are below 0"),
    ],
)
def test_one_odd_prediction_is_refused(audited, clusters, split, place, sound, odd, why):
    content = predictions(clusters, intrasentence=200, intersentence=200)
    for entries in content.values():
        for entry in entries:
            entry["score"] *= sound
    content[split][place]["score"] = odd
    number = range(1, 601)[place]
    with pytest.raises(DataError, match=rf"{split} entry {number}: the score is .*{why}"):
        audited(content)


def test_probabilities_of_one_split_stand_beside_log_likelihoods_of_the_other(audited, clusters):
    """The authors' own scripts score each split in another way."""
    content = predictions(clusters, intrasentence=2106, intersentence=2123)
    before = audited(content)
    for entry in content["intrasentence"]:
        entry["score"] = math.log(entry["score"])
    protocol = "stereoset/intrasentence-recorded"
    assert audited(content).estimate("stereotype_score", protocol=protocol).value == (
        before.estimate("stereotype_score", protocol=protocol).value
    )


def test_deeply_nested_predictions_are_refused(tmp_path):
    path = tmp_path / "x.json"
    path.write_text("[" * 100_000)
    with pytest.raises(DataError, match="not a StereoSet prediction file"):
        audit_scores(path, suite="stereoset", data=shared("data"))
