"""Rows of token ids: what stands around a text, what is cut, what is left out; masks."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fairaudit.errors import DataError
from fairaudit.training.encoding import IGNORED, Row, RowFrame, encode_records, row_frame
from fairaudit.training.masking import Masker, aligned
from fairaudit.training.records import Records
from tests.conftest import build_model, byte_level_tokenizer, word_piece_tokenizer

SHE, HE = "The doctor said that she was glad.", "The doctor said that he was glad."


def corpus(texts, tokenizer, kind="causal", length=64, twins=None):
    records = Records(tuple((text,) for text in texts))
    return encode_records(records, tokenizer, row_frame(tokenizer, kind, length), twins)


def test_a_causal_row_starts_as_the_audit_s_rows_do():
    plain = byte_level_tokenizer(bos=None, eos=None, pad=None, mask=None)
    ids = tuple(plain(SHE)["input_ids"])
    assert corpus([SHE], plain).records == (((Row.of(ids),),),)
    for options in ({"bos": "<s>", "eos": "</s>"}, {"bos": None, "eos": "</s>"}):
        tokenizer = byte_level_tokenizer(**options, pad=None, mask=None)
        row = corpus([SHE], tokenizer).records[0][0][0].ids
        assert tokenizer.decode(row) == (options["bos"] or options["eos"]) + SHE


def test_a_masked_row_has_the_template_of_its_tokenizer():
    tokenizer = word_piece_tokenizer()
    ids = tuple(tokenizer(SHE)["input_ids"])
    assert corpus([SHE], tokenizer, "masked").records[0][0] == (Row.of(ids),)


@pytest.mark.parametrize("kind", ["causal", "masked"])
def test_what_does_not_fit_is_cut_and_counted(kind):
    tokenizer = build_model("gpt2" if kind == "causal" else "bert")[1]
    whole, cut = corpus([SHE], tokenizer, kind), corpus([SHE, "He was."], tokenizer, kind, 6)
    assert (whole.n_truncated, cut.n_truncated) == (0, 1)
    row, full = cut.records[0][0][0].ids, whole.records[0][0][0].ids
    assert len(row) == 6
    assert row[:5] == full[:5]
    assert row[-1] == (full[5] if kind == "causal" else full[-1])


def test_short_texts_are_left_out_each_by_itself():
    tokenizer = build_model("gpt2")[1]
    records = Records((("a",), ("a", SHE), (SHE,)))
    found = encode_records(records, tokenizer, row_frame(tokenizer, "causal", 64))
    assert [len(record) for record in found.records] == [1, 1]
    assert found.n_short == 2
    with pytest.raises(DataError, match="at least two tokens"):
        corpus(["a", "b"], tokenizer)
    with pytest.raises(DataError, match="no room"):
        row_frame(tokenizer, "causal", 2)


def test_twins_follow_their_text_and_equal_rows_are_one():
    tokenizer = build_model("gpt2")[1]
    twins = {SHE: [HE], HE: []}
    found = corpus([SHE, HE], tokenizer, twins=twins.get)
    assert [len(record[0]) for record in found.records] == [2, 1]
    assert found.n_swapped == 1
    assert found.records[0][0][1] == found.records[1][0][0]
    # Cut before the pronoun, nothing is left of the difference.
    assert corpus([SHE], tokenizer, length=4, twins=twins.get).n_swapped == 0


FRAME = RowFrame((1,), (2,), 10**6)


def masker(vocabulary=1000):
    return Masker(3, np.arange(4, vocabulary, dtype=np.int64), FRAME)


def test_masks_are_15_percent_in_80_10_10():
    text = tuple(np.random.default_rng(0).integers(4, 1000, 40_000).tolist())
    row = (1, *text, 2)
    ((seen, labels),) = masker().mask([row], np.random.default_rng(1))
    assert (seen[0], seen[-1], labels[0], labels[-1]) == (1, 2, IGNORED, IGNORED)
    chosen = [place for place, label in enumerate(labels) if label != IGNORED]
    assert stats.binomtest(len(chosen), len(text), 0.15).pvalue > 1e-3
    as_mask = sum(seen[place] == 3 for place in chosen)
    as_is = sum(seen[place] == labels[place] for place in chosen)
    counts = [as_mask, as_is, len(chosen) - as_mask - as_is]
    assert stats.chisquare(counts, np.array([0.8, 0.1, 0.1]) * len(chosen)).pvalue > 1e-3
    untouched = set(range(len(labels))) - set(chosen)
    assert all(seen[place] == row[place] for place in untouched)


@given(st.integers(0, 1000), st.integers(2, 8))
def test_every_row_has_something_to_predict(seed, length):
    row = (1, *range(4, 4 + length), 2)
    ((seen, labels),) = masker().mask([row], np.random.default_rng(seed))
    assert sum(label != IGNORED for label in labels) >= 1
    assert all(label in (IGNORED, token) for label, token in zip(labels, row, strict=True))
    assert 2 not in seen[1:-1]


@given(st.integers(0, 500))
def test_a_twin_is_masked_where_its_text_is(seed):
    first, longer = (1, 10, 11, 12, 13, 14, 2), (1, 10, 11, 20, 21, 13, 14, 2)
    (seen, labels), (twin_seen, twin_labels) = masker().mask(
        [first, longer], np.random.default_rng(seed)
    )
    places = [0, 1, 2, 3, 3, 4, 5, 6]
    for place, origin in enumerate(places):
        assert (twin_labels[place] == IGNORED) == (labels[origin] == IGNORED)
        if labels[origin] != IGNORED:
            assert twin_labels[place] == longer[place]
            kept = seen[origin] == first[origin]
            assert twin_seen[place] in ((longer[place],) if kept else (seen[origin],)) or kept


@pytest.mark.parametrize(
    ("first", "other", "places"),
    [
        ((5, 6, 7), (5, 6, 7), [0, 1, 2]),
        ((5, 6, 7), (5, 9, 7), [0, 1, 2]),
        ((5, 6, 7), (5, 8, 9, 7), [0, 1, 1, 2]),
        ((5, 6, 7, 8), (5, 9, 8), [0, 1, 3]),
        ((5, 6), (4, 5, 6), [0, 0, 1]),
        ((5, 6), (5, 6, 7), [0, 1, 1]),
        ((5, 6, 7, 8, 9), (6, 7, 8, 9, 1), [1, 2, 3, 4, 4]),
    ],
)
def test_places_of_a_twin(first, other, places):
    assert aligned(first, other) == places


@given(st.lists(st.integers(0, 4), min_size=1), st.lists(st.integers(0, 4), min_size=1))
def test_every_place_of_a_twin_has_one_in_the_text(first, other):
    places = aligned(tuple(first), tuple(other))
    assert len(places) == len(other)
    assert all(0 <= place < len(first) for place in places)
    assert places == sorted(places)
