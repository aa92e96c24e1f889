"""Longest rows, ids beyond the embedding, and what a model cannot be asked (issue 18, item 14)."""

from __future__ import annotations

import copy

import pytest
import transformers as tf

from fairaudit.errors import ModelError
from fairaudit.items import Decoding, Generation, LogLikelihood, Skipped
from fairaudit.items import UnmaskedLogLikelihood as Unmasked
from fairaudit.scoring.attention import NO_ATTENTION, gives_attention
from fairaudit.scoring.checkpoints.limits import longest_row
from fairaudit.scoring.embed import Embedder
from fairaudit.scoring.generate import Generator
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from fairaudit.scoring.texts.classifier import toxicity_classifier
from tests.classifiers import save as save_classifier
from tests.conftest import build_model, byte_level_tokenizer
from tests.odd_models import ODD, build_odd
from tests.scoring.test_classifiers import said

NO_LIMITS = [-1, 0, None, 10**30, float("inf"), float("nan"), "many", True]


@pytest.mark.parametrize("positions", NO_LIMITS)
@pytest.mark.parametrize("tokens", NO_LIMITS)
def test_what_configs_write_for_any_length_is_no_limit(positions, tokens):
    model, tokenizer = build_model("gpt2")
    model.config = tf.PreTrainedConfig()
    model.config.max_position_embeddings = positions
    tokenizer.model_max_length = tokens
    assert longest_row(model, tokenizer) is None
    tokenizer.model_max_length = 77
    assert longest_row(model, tokenizer) == 77
    model.config.max_position_embeddings = 33
    assert longest_row(model, tokenizer) == 33
    tokenizer.model_max_length = tokens
    assert longest_row(model, tokenizer) == 33


def test_xlnet_states_no_limit():
    """XLNet's config says −1 positions; read as a number, it would take no text at all."""
    tokenizer = byte_level_tokenizer(bos="<s>", eos="</s>", pad="<pad>", mask="<mask>")
    config = tf.XLNetConfig(
        vocab_size=len(tokenizer), d_model=32, n_layer=1, n_head=4, d_inner=64,
        pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    model = tf.XLNetLMHeadModel(config)
    assert config.max_position_embeddings == -1
    assert longest_row(model, tokenizer) is None


def with_one_id_too_many(model, tokenizer):
    """A tokenizer with one token that the embedding has no row for, like Gemma 3's image token."""
    tokenizer = copy.deepcopy(tokenizer)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    assert len(tokenizer) == model.get_input_embeddings().num_embeddings + 1
    return tokenizer


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_an_id_that_no_text_uses_changes_nothing(family):
    model, tokenizer = build_model(family)
    request = (LogLikelihood if family == "gpt2" else Unmasked)("The nurse was tired.")
    answers = []
    for tokens in (tokenizer, with_one_id_too_many(model, tokenizer)):
        scorer = Scorer(load_model((model, tokens)))
        answers.append(scorer.run(scorer.plan([request]))[request].log_probs)
    assert answers[0] == answers[1]
    assert answers[0]


def test_an_id_that_a_text_uses_is_refused_before_anything_is_scored():
    model, tokenizer = build_model("gpt2")
    loaded = load_model((model, with_one_id_too_many(model, tokenizer)))
    words = "token id 400, the model's embedding only 400 rows"
    for text in ("one <image> here", "last of all <image>"):
        with pytest.raises(ModelError, match=words):
            Scorer(loaded).plan([LogLikelihood(text)])
    with pytest.raises(ModelError, match=words):
        Generator(loaded).plan([Generation("one <image> here", Decoding(max_new_tokens=2))])
    with pytest.raises(ModelError, match=words):
        Embedder(loaded, 100).directions(["one <image> here"], "mean")


def test_padding_that_has_no_row_is_replaced():
    """Chat models often get a padding token whose embedding nobody added."""
    model, tokenizer = build_model("llama")
    tokenizer.add_special_tokens({"pad_token": "<pad>"})
    loaded = load_model((model, tokenizer))
    assert loaded.pad_id == tokenizer.eos_token_id
    requests = [LogLikelihood("The nurse was tired."), LogLikelihood("He")]
    found = []
    for one in (loaded, load_model(build_model("llama"))):
        scorer = Scorer(one)
        answers = scorer.run(scorer.plan(requests))
        found.append([answers[request].total for request in requests])
    assert found[0] == pytest.approx(found[1], abs=1e-5)


def test_a_classifier_s_ids_are_checked_too(tmp_path):
    folder = save_classifier(tmp_path / "toxic", "gpt2", steps=1)
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    tokenizer.add_tokens(["<image>"], special_tokens=True)
    tokenizer.add_special_tokens({"pad_token": "<another>"})
    tokenizer.save_pretrained(folder)
    scorer = toxicity_classifier(folder)
    texts = ["the man was poor", "he"]
    whole = scorer.score([said(text) for text in texts])
    single = [scorer.score([said(text)])[0] for text in texts]
    for together, alone in zip(whole, single, strict=True):
        assert together == pytest.approx(alone, abs=1e-5)
    with pytest.raises(ModelError, match="token id 4"):
        scorer.score([said("the <image> was poor")])


TEXT = "The nurse said that he was tired after the long night at work."


@pytest.mark.parametrize("family", ODD)
def test_without_attention_a_request_for_it_is_skipped_with_the_reason(family):
    loaded = load_model(build_odd(family))
    assert not gives_attention(loaded.model, loaded.max_length)
    scorer = Scorer(loaded)
    wanted, plain = Unmasked(TEXT, attention=True), Unmasked(TEXT)
    answers = scorer.run(scorer.plan([wanted, plain]))
    assert answers[wanted] == Skipped(NO_ATTENTION)
    assert len(answers[plain].log_probs) > 5


@pytest.mark.parametrize("family", ["bert", "roberta", "distilbert"])
def test_with_attention_it_is_answered(family):
    loaded = load_model(build_model(family))
    assert gives_attention(loaded.model, loaded.max_length)
    scorer = Scorer(loaded)
    wanted = Unmasked(TEXT, attention=True)
    answer = scorer.run(scorer.plan([wanted]))[wanted]
    assert len(answer.weights) == len(answer.log_probs)
