"""Answers that share a context, in one row that branches, against one sequence for each."""

from __future__ import annotations

import pytest
import torch
import transformers as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit.items import LogLikelihood, Skipped
from fairaudit.scoring.batch_plan import plan_batches
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer, forward_of
from fairaudit.scoring.token_rows import Encoder, Read, TokenRow
from fairaudit.scoring.trees import LARGEST, grow, largest_tree
from tests.conftest import CORPUS, build_model, byte_level_tokenizer
from tests.scoring.test_oracle import NATS, causal_loop

FAMILIES = ["gpt2", "gpt2-pad", "gpt2-no-bos", "llama", "qwen2"]
ANSWERS = (" The nurse", " The engineer and her brother", " Nobody", " T", " The nurse said that")


def questions(*, branches=True):
    """Answers to questions that share a text, and to one that shares nothing."""
    text = CORPUS[0]
    contexts = (
        f"{text} Who?", f"{text} He was late. Who?", f"{text} He was late. Who not?", CORPUS[1]
    )  # fmt: skip
    return [
        LogLikelihood(answer, context, branches=branches)
        for context in contexts
        for answer in ANSWERS
    ]


def windowed(kind, window):
    """Build a small model that looks back through a window."""
    torch.manual_seed(0)
    tokenizer = byte_level_tokenizer(bos="<s>", eos="</s>", pad=None, mask=None)
    shape = {
        "vocab_size": len(tokenizer), "hidden_size": 32, "num_attention_heads": 4,
        "num_key_value_heads": 2, "intermediate_size": 64, "max_position_embeddings": 256,
    }  # fmt: skip
    if kind == "mistral":
        config = tf.MistralConfig(num_hidden_layers=3, sliding_window=window, **shape)
        return named(tf.MistralForCausalLM(config)), tokenizer
    config = tf.Qwen2Config(
        num_hidden_layers=3, use_sliding_window=True, sliding_window=window, max_window_layers=1,
        **shape,
    )  # fmt: skip
    return named(tf.Qwen2ForCausalLM(config)), tokenizer


def named(model):
    """Give a model that was never saved the name of its architecture."""
    model.config.architectures = [type(model).__name__]
    return model.eval()


def check_equal(loaded, requests):
    scorer = Scorer(load_model(loaded), token_budget=300)
    plan = scorer.plan(requests)
    answers = scorer.run(plan)
    for request in requests:
        expected = causal_loop(*loaded, request)
        assert answers[request].log_probs == pytest.approx(expected, abs=NATS)
    return plan


def is_tree(plan):
    return {bool(row.parents) for batch in plan.batches for row in batch.rows}


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize("family", FAMILIES)
def test_a_shared_context_gives_what_separate_sequences_give(family, attention):
    model, tokenizer = build_model(family)
    model.set_attn_implementation(attention)
    plan = check_equal((model, tokenizer), questions())
    assert True in is_tree(plan)
    apart = Scorer(load_model((model, tokenizer))).plan(questions(branches=False))
    assert is_tree(apart) == {False}
    n_rows = sum(len(batch.rows) for batch in plan.batches)
    n_tokens = sum(len(row.ids) for batch in plan.batches for row in batch.rows)
    assert n_rows <= 3
    assert n_tokens < 0.4 * sum(len(row.ids) for batch in apart.batches for row in batch.rows)


@pytest.mark.parametrize("kind", ["mistral", "qwen2"])
@pytest.mark.parametrize("window", [4, 16, 40, 64, 200])
def test_a_window_is_counted_along_the_branch(kind, window):
    """With 4 and 16 the answers see but the end of the question; with 200 all of it."""
    model, tokenizer = windowed(kind, window)
    assert forward_of(load_model((model, tokenizer))).largest_tree == min(
        LARGEST, window if window >= 70 else LARGEST
    )
    assert True in is_tree(check_equal((model, tokenizer), questions()))


def test_trees_stay_within_a_window_that_was_not_tried():
    class Config:
        window_size = 100
        sliding_window = None

    assert largest_tree(Config, 70) == 100
    assert largest_tree(Config, 101) == LARGEST


def test_a_model_that_cannot_read_branches_is_asked_row_by_row():
    """ALiBi gives each token its distance in the row, whatever its position is said to be."""
    torch.manual_seed(0)
    tokenizer = byte_level_tokenizer(bos="<s>", eos="</s>", pad=None, mask=None)
    config = tf.BloomConfig(vocab_size=len(tokenizer), hidden_size=32, n_layer=2, n_head=4)
    loaded = named(tf.BloomForCausalLM(config)), tokenizer
    assert is_tree(check_equal(loaded, questions())) == {False}


def test_a_row_that_is_too_long_is_skipped_and_its_siblings_are_not():
    model, tokenizer = build_model("gpt2")
    scorer = Scorer(load_model((model, tokenizer)))
    long = LogLikelihood(" word" * 80, CORPUS[0], branches=True)
    answers = scorer.run(scorer.plan([long, *questions()]))
    assert isinstance(answers.pop(long), Skipped)
    assert not any(isinstance(answer, Skipped) for answer in answers.values())


def test_memory_that_runs_out_halves_a_batch_of_trees(monkeypatch):
    model, tokenizer = build_model("gpt2")
    loaded = load_model((model, tokenizer))
    forward = forward_of(loaded)
    scorer = Scorer(loaded)
    requests = [
        LogLikelihood(answer, f"{text} Who was it?", branches=True)
        for text in CORPUS
        for answer in ANSWERS
    ]
    plan = scorer.plan(requests)
    whole = [forward(batch).log_probs for batch in plan.batches]
    score = forward._score

    def small(batch):
        if len(batch.rows) > 1:
            raise MemoryError
        return score(batch)

    monkeypatch.setattr(forward, "_score", small)
    for batch, expected in zip(plan.batches, whole, strict=True):
        assert forward(batch).log_probs == pytest.approx(expected, abs=NATS)


IDS = st.lists(st.integers(0, 2), min_size=1, max_size=40).map(tuple)


@settings(max_examples=200)
@given(st.lists(IDS, min_size=1, max_size=12), st.integers(1, 60))
def test_every_way_through_a_tree_is_the_row_that_it_stands_for(rows, largest):
    """By brute force: each read finds its row by following the parents back."""
    reads = {
        LogLikelihood(str(number), branches=True): (Read(TokenRow(ids), len(ids) - 1, number),)
        for number, ids in enumerate(rows)
    }
    for number, (request, (read,)) in enumerate(grow(reads, largest).items()):
        place, found = read.position, []
        parents = read.row.parents or tuple(range(-1, len(read.row.ids) - 1))
        while place >= 0:
            found.append(read.row.ids[place])
            place = parents[place]
        assert tuple(found[::-1]) == rows[number]
        assert read.target == number
        assert len(read.row.ids) <= max(largest, len(rows[number]))
        assert request.text == str(number)


def test_trees_and_rows_do_not_share_a_batch():
    rows = [TokenRow((1, 2, 3)), TokenRow((1, 2, 3), parents=(-1, 0, 0)), TokenRow((4, 5))]
    batches = plan_batches([Read(row, 0, 0) for row in rows], 100)
    assert [len(batch.rows) for batch in batches] == [2, 1]


def test_requests_that_do_not_ask_for_it_stay_as_they_are():
    _, tokenizer = build_model("gpt2")
    reads = Encoder(tokenizer, 64).encode(questions(branches=False))
    assert grow(reads) == reads
