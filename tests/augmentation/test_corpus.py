"""A whole corpus: modes, report, table, fluency, and the map over a dataset."""

from __future__ import annotations

import math
import pickle

import pytest

import fairaudit
from fairaudit.augmentation import Swapper, augment
from fairaudit.errors import DataError, UsageError

TEXTS = ["She is a nurse.", "It rains.", "The king sat by the Black Sea with James Thomas."]


def test_two_sided_keeps_the_order_of_records():
    result = augment(TEXTS)
    assert result.texts == (
        "She is a nurse.",
        "He is a nurse.",
        "It rains.",
        TEXTS[2],
        "The queen sat by the Black Sea with Mary Thomas.",
    )
    assert result.twins[1] == ()
    assert fairaudit.augment is augment


def test_one_sided_and_substitution():
    one = augment(TEXTS, mode="one-sided")
    assert one.texts == ("He is a nurse.", "It rains.", one.twins[2][0])
    drawn = augment(TEXTS, mode="substitution", seed=5)
    assert len(drawn.texts) == 3
    for text, twins, chosen in zip(TEXTS, drawn.twins, drawn.texts, strict=True):
        assert chosen in {text, *twins}


@pytest.mark.parametrize("mode", ["two-sided", "one-sided", "substitution"])
def test_the_table_says_which_text_is_a_twin(mode):
    result = augment(TEXTS, ("gender",), mode=mode)
    frame = result.to_frame()
    assert list(frame.columns) == ["record", "variant", "text"]
    assert tuple(frame["text"]) == result.texts
    for record, variant, text in frame.itertuples(index=False):
        assert text == [TEXTS[record], *result.twins[record]][variant]


def test_the_report_counts_what_was_done_and_what_was_left():
    report = augment(TEXTS).report
    assert (report.records, report.swapped_records, report.twins) == (3, 2, 2)
    assert report.share == pytest.approx(2 / 3)
    assert report.swaps_by_class == {
        "gender/subject_pronouns": 1,
        "gender/noble_ranks": 1,
        "gender/census_names": 1,
    }
    assert report.swaps == 3
    assert report.unswapped == {"thomas": 1}
    assert report.round_trip_failures == report.records_not_restored == 0
    assert report.round_trip_share == 1.0
    assert report.fluency_ratio is None
    assert report.fluency_reason == "no scorer was given"


def test_round_trip_failures_are_counted():
    report = augment(["Ms. Hill sang.", "She sang."]).report
    assert (report.round_trip_failures, report.records_not_restored) == (1, 1)
    assert report.round_trip_share == 0.5


def test_no_records():
    report = augment([]).report
    assert (report.share, report.round_trip_share) == (0.0, 1.0)


def test_fluency_is_the_ratio_of_geometric_means():
    def scorer(texts):
        return [8.0 if text.startswith(("He", "The queen")) else 2.0 for text in texts]

    assert augment(TEXTS, scorer=scorer).report.fluency_ratio == pytest.approx(4.0)


def test_fluency_without_a_number_says_why():
    assert (
        augment(["It rains."], scorer=lambda _: []).report.fluency_reason == "no record has a twin"
    )
    bad = augment(TEXTS, scorer=lambda texts: [math.nan] * len(texts)).report
    assert bad.fluency_ratio is None
    assert bad.fluency_reason == "the scorer returned no finite perplexity"


def test_duplicates_get_the_same_twin():
    twins = augment(["a Muslim voter"] * 5 + ["x"] + ["a Muslim voter"], ("religion",)).twins
    assert len({twins[0], twins[3], twins[6]}) == 1


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: augment(["a", None]), DataError, "record 1 is NoneType, not text"),
        (lambda: augment("one text"), DataError, "pass a list of records"),
        (lambda: augment(["a"], mode="both"), UsageError, "mode 'both' is unknown"),
        (lambda: augment(["a"], ["sex"]), UsageError, "axis 'sex' has no lexicon"),
    ],
)
def test_bad_input(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_map_over_batches_repeats_the_other_columns():
    batch = {"text": TEXTS, "id": [1, 2, 3]}
    augmenter = pickle.loads(pickle.dumps(Swapper().as_map()))
    assert augmenter(batch) == {"text": list(augment(TEXTS).texts), "id": [1, 1, 2, 3, 3]}


def test_a_map_over_a_dataset():
    datasets = pytest.importorskip("datasets")
    data = datasets.Dataset.from_dict({"line": TEXTS, "id": [1, 2, 3]})
    mapped = data.map(Swapper().as_map(column="line"), batched=True, batch_size=2)
    assert tuple(mapped["line"]) == augment(TEXTS).texts
    assert list(mapped["id"]) == [1, 1, 2, 3, 3]


def test_a_map_names_the_columns_there_are():
    with pytest.raises(DataError, match="no column 'body'; there are text, id"):
        Swapper().as_map(column="body")({"text": ["a"], "id": [1]})
    with pytest.raises(DataError, match="column 'id' holds int, not text"):
        Swapper().as_map(column="id")({"text": ["a"], "id": [1]})
