"""Micro-batches hold every example once, whole, and within their size."""

from __future__ import annotations

import torch
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.training.batches import TOKEN_BUDGET, micro_batches
from fairaudit.training.draws import Example
from fairaudit.training.encoding import IGNORED

CPU = torch.device("cpu")


@st.composite
def examples(draw):
    shapes = draw(st.lists(st.lists(st.integers(2, 400), min_size=1, max_size=4), max_size=12))
    return [
        Example(
            number,
            tuple(((number + 1,) * length, (number + 1,) * length) for length in lengths),
            tuple((place + 1) / 10 for place in range(len(lengths))),
        )
        for number, lengths in enumerate(shapes)
    ]


@given(examples(), st.one_of(st.none(), st.integers(1, 6)))
def test_every_example_is_packed_once_and_whole(drawn, max_rows):
    found = {}
    for batch in micro_batches(drawn, max_rows, 0, CPU):
        size = batch.rows_per_example
        ids, labels = batch.inputs["input_ids"], batch.inputs["labels"]
        mask = batch.inputs["attention_mask"]
        assert len(ids) == size * len(batch.records)
        if len(batch.records) > 1:
            assert len(ids) <= max_rows if max_rows else ids.numel() <= TOKEN_BUDGET
        assert bool(((labels == IGNORED) == (mask == 0)).all())
        assert bool((ids[mask == 0] == 0).all())
        for place, record in enumerate(batch.records):
            part = slice(place * size, (place + 1) * size)
            assert record not in found
            found[record] = (
                [row[keep == 1].tolist() for row, keep in zip(ids[part], mask[part], strict=True)],
                batch.row_weights[part].tolist(),
            )
    assert found == {
        example.record: ([list(ids) for ids, _ in example.rows], list(example.weights))
        for example in drawn
    }


def test_no_examples_make_no_batch():
    assert list(micro_batches([], None, 0, CPU)) == []
