"""Micro-batches are bounded by what they take of free memory, not by tokens alone."""

from __future__ import annotations

import pytest
import torch
import transformers as tf
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.gradients import Footprint, GradientEngine, footprint_of, inner_product
from fairaudit.training.batches import Room, micro_batches
from fairaudit.training.draws import Example
from fairaudit.training.memory import GPU_TOKENS, room_of
from fairaudit.training.steps import GradientSum
from tests.gradients.models import OBJECTIVES, build

GIB = 2**30
#: SmolLM2-135M in full: 5 × 49,152 × 4 bytes of logits and 1 MB of activations for each token.
SMOL = Footprint(per_token=5 * 49_152 * 4 + 1e6, per_pair=0.0, fixed=16 * 135_000_000)


def examples(lengths):
    return [Example(n, (((3,) * one, (3,) * one),), (1.0,)) for n, one in enumerate(lengths)]


@pytest.mark.parametrize(("free", "tokens"), [(80 * GIB, GPU_TOKENS), (16 * GIB, 4_000)])
def test_a_large_vocabulary_fills_a_gpu_and_does_not_overflow_it(free, tokens):
    room = room_of(free, SMOL, GPU_TOKENS)
    assert room.holds(tokens // 128, 128)
    rows = next(n for n in range(1, 10_000) if not room.holds(n, 128))
    assert SMOL.fixed + rows * 128 * SMOL.per_token < 0.8 * free


def test_where_nothing_is_free_each_example_is_by_itself():
    room = room_of(SMOL.fixed / 2, SMOL, GPU_TOKENS)
    packed = [*micro_batches(examples([5, 9, 9]), None, 0, torch.device("cpu"), room)]
    assert [len(one.records) for one in packed] == [1, 1, 1]


@given(
    lengths=st.lists(st.integers(2, 300), min_size=1, max_size=30),
    free=st.floats(1e6, 1e11),
    per_token=st.floats(1e3, 1e7),
    per_pair=st.floats(0, 1e4),
)
def test_no_micro_batch_takes_more_than_its_share(lengths, free, per_token, per_pair):
    found = Footprint(per_token, per_pair, 0)
    room = room_of(free, found, GPU_TOKENS)
    seen = []
    for batch in micro_batches(examples(lengths), None, 0, torch.device("cpu"), room):
        rows, width = batch.inputs["input_ids"].shape
        taken = rows * width * (per_token + width * per_pair)
        assert rows == 1 or (taken <= free and rows * width <= GPU_TOKENS)
        seen += batch.records
    assert sorted(seen) == list(range(len(lengths)))


def kept_by(engine, rows, tokens):
    """Bytes that autograd keeps of a real batch, each storage once."""
    saved = {}
    known = {value.untyped_storage().data_ptr() for value in engine.model.parameters()}

    def note(value):
        storage = value.untyped_storage()
        saved[storage.data_ptr()] = storage.nbytes()
        return value

    with torch.autograd.graph.saved_tensors_hooks(note, lambda value: value):
        _, outputs = engine.try_on([[1] * tokens] * rows)
    return sum(size for place, size in saved.items() if place not in known) + outputs


@pytest.mark.parametrize("family", OBJECTIVES)
def test_the_footprint_of_short_rows_tells_that_of_long_ones(family):
    engine = GradientEngine(build(family), objective=OBJECTIVES[family])
    found = footprint_of(engine)
    logits = engine.try_on([[1] * 48] * 3)[0].nbytes
    expected = kept_by(engine, 3, 48) + 5 * logits
    assert 3 * 48 * (found.per_token + 48 * found.per_pair) == pytest.approx(expected, rel=0.15)


def test_eager_attention_grows_with_the_square_of_a_row_and_logits_with_the_vocabulary():
    def footprint(vocabulary, kind):
        config = tf.LlamaConfig(
            vocab_size=vocabulary, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
            intermediate_size=64, attn_implementation=kind,
        )  # fmt: skip
        model = tf.LlamaForCausalLM(config).eval()
        return footprint_of(GradientEngine(model, objective="causal"))

    eager, wide = footprint(100, "eager"), footprint(1100, "eager")
    # Weights over 4 heads in 2 layers, in fp32, at least once.
    assert eager.per_pair >= 4 * 2 * 4
    assert wide.per_token - eager.per_token >= 5 * 1000 * 4
    assert wide.fixed - eager.fixed == 16 * 2 * 1000 * 32


def test_packing_by_memory_changes_nothing_but_rounding():
    engine = GradientEngine(build("gpt2"), objective="causal")
    drawn = examples([4, 7, 30, 30, 41])
    roomy, _ = GradientSum(engine, 0.1, None, 0).of(drawn)
    tight = GradientSum(engine, 0.1, None, 0, Room(2048, 61 * 100.0, 100.0))
    packed = [*tight.shared_out(drawn, 1, torch.device("cpu"))]
    assert [len(one.records) for one in packed] == [2, 2, 1]
    sums, _ = tight.of(drawn)
    apart = {name: sums[name] - roomy[name] for name in sums}
    assert inner_product(apart, apart) ** 0.5 < 1e-6
