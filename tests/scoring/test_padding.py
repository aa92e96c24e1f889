"""Models whose answers depend on padding or other rows: run so that they do not (issue 18, 10)."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.errors import ModelError
from fairaudit.items import Decoding, Generation, LogLikelihood, PseudoLogLikelihood
from fairaudit.scoring.batching import fitting
from fairaudit.scoring.embed import Embedder
from fairaudit.scoring.generate import Generator
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from tests.architectures import PADDING_MATTERS, build
from tests.conftest import CORPUS, build_model
from tests.scoring.test_oracle import causal_loop, masked_loop

TEXTS = [*CORPUS[:3], "He was tired.", "She was tired."]
PROMPTS = ["The nurse", "The doctor", "Most people in the small town knew", "He"]


def mixing(family="gpt2"):
    """Build a causal model in which each row sees the mean over the rows of its batch."""
    model, tokenizer = build_model(family)
    embedding = model.get_input_embeddings()
    embedding.register_forward_hook(lambda _module, _args, out: out + 0.3 * out.mean(0))
    return model, tokenizer


@pytest.mark.parametrize("budget", [1, 40, 4096])
@pytest.mark.parametrize("name", PADDING_MATTERS)
def test_scores_that_depend_on_padding_equal_one_row_at_a_time(name, budget):
    model, tokenizer = build(name)
    scorer = Scorer(load_model((model, tokenizer)), budget)
    requests = [PseudoLogLikelihood(text) for text in TEXTS]
    plan = scorer.plan(requests)
    answers = scorer.run(plan)
    assert scorer.batching(plan) == {"scores": "equal_lengths"}
    for request in requests:
        expected = masked_loop(model, tokenizer, request)
        assert answers[request].log_probs == pytest.approx(expected, abs=1e-4)


def test_scores_in_bfloat16_are_tried_alike():
    model, tokenizer = build("convbert", factor=4.0)
    scorer = Scorer(load_model((model.bfloat16(), tokenizer)))
    plan = scorer.plan([PseudoLogLikelihood(text) for text in TEXTS])
    assert scorer.batching(plan) == {"scores": "equal_lengths"}


def test_rows_that_see_each_other_run_alone():
    model, tokenizer = mixing()
    scorer = Scorer(load_model((model, tokenizer)), 4096)
    requests = [LogLikelihood(text) for text in TEXTS]
    plan = scorer.plan(requests)
    answers = scorer.run(plan)
    assert scorer.batching(plan) == {"scores": "single"}
    for request in requests:
        expected = causal_loop(model, tokenizer, request)
        assert answers[request].log_probs == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen2", "bert", "roberta", "distilbert"])
def test_ordinary_models_stay_padded(family, dtype):
    model, tokenizer = build_model(family)
    loaded = load_model((model.to(dtype), tokenizer))
    kind = LogLikelihood if loaded.kind == "causal" else PseudoLogLikelihood
    scorer = Scorer(loaded)
    assert scorer.batching(scorer.plan([kind(text) for text in TEXTS])) == {}
    assert Embedder(loaded, 64).batching == "padded"
    if loaded.kind == "causal":
        assert Generator(loaded).batching == "padded"


@pytest.mark.parametrize("pooling", ["mean", "first", "last"])
@pytest.mark.parametrize("name", [*PADDING_MATTERS, "mixing"])
def test_embeddings_equal_those_of_one_text_at_a_time(name, pooling):
    model, tokenizer = mixing() if name == "mixing" else build(name)
    loaded = load_model((model, tokenizer))
    together = Embedder(loaded, 4096)
    found = together.directions(TEXTS, pooling)
    assert together.batching == ("single" if name == "mixing" else "equal_lengths")
    for text in TEXTS:
        with torch.inference_mode():
            ids = torch.tensor([tokenizer(text)["input_ids"]])
            hidden = model.base_model(input_ids=ids).last_hidden_state[0].double().numpy()
        vector = {"mean": hidden.mean(axis=0), "first": hidden[0], "last": hidden[-1]}[pooling]
        assert found[text] == pytest.approx(vector / np.linalg.norm(vector), abs=1e-5)


def test_texts_of_prompts_that_see_each_other_are_those_of_each_alone():
    loaded = load_model(mixing())
    requests = [Generation(prompt, Decoding(max_new_tokens=9, seed=3)) for prompt in PROMPTS]
    generator = Generator(loaded)
    together = generator.run(generator.plan(requests))
    assert generator.batching == "single"
    for request in requests:
        alone = Generator(loaded)
        assert alone.run(alone.plan([request]))[request] == together[request]


def test_a_model_that_draws_random_numbers_is_refused():
    model, tokenizer = build_model("bert")
    model.bert.embeddings.register_forward_hook(
        lambda _module, _args, out: out + 0.1 * torch.randn_like(out)
    )
    scorer = Scorer(load_model((model, tokenizer)))
    with pytest.raises(ModelError, match="other scores each time it reads the same text"):
        scorer.run(scorer.plan([PseudoLogLikelihood(TEXTS[0])]))


def test_a_precision_in_which_a_model_cannot_run_is_said_in_one_line():
    model, tokenizer = build("fnet")
    scorer = Scorer(load_model((model.bfloat16(), tokenizer)))
    with pytest.raises(ModelError, match=r"^the model cannot be run .* try it in float32$"):
        scorer.run(scorer.plan([PseudoLogLikelihood(TEXTS[0])]))


@given(st.lists(st.integers(1, 5)).map(sorted))
def test_parts_are_the_batch_and_hold_what_they_may(lengths):
    for batching in ("padded", "equal_lengths", "single"):
        parts = [list(part) for part in fitting(lengths, lambda length: length, batching)]
        assert [length for part in parts for length in part] == lengths
        if batching == "equal_lengths":
            assert len(parts) == len(set(lengths))
        if batching == "single":
            assert all(len(part) == 1 for part in parts)
