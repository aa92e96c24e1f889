"""Models loaded as causal that are not: asked as masked models, or refused (issue 18, 10)."""

from __future__ import annotations

import pytest
import torch
from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING

from fairaudit.errors import ModelError
from fairaudit.items import PseudoLogLikelihood
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from tests.architectures import ENCODERS, build
from tests.conftest import CORPUS, build_model
from tests.scoring.test_oracle import masked_loop


@pytest.mark.parametrize("name", ENCODERS)
def test_encoders_with_a_causal_class_are_scored_as_masked_models(name):
    model, tokenizer = build(name)
    loaded = load_model((model, tokenizer))
    assert loaded.kind == "masked"
    assert "does not read from left to right" in loaded.notes[0]
    requests = [PseudoLogLikelihood(text) for text in CORPUS]
    scorer = Scorer(loaded)
    answers = scorer.run(scorer.plan(requests))
    masked = MODEL_FOR_MASKED_LM_MAPPING[type(model.config)](model.config).eval()
    masked.load_state_dict(model.state_dict())
    for request in requests:
        expected = masked_loop(masked, tokenizer, request)
        assert answers[request].log_probs == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
def test_a_saved_encoder_is_found_out_in_every_precision(tmp_path, dtype):
    model, tokenizer = build("bert")
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    loaded = load_model(tmp_path, dtype=dtype)
    assert (loaded.identity.architecture, loaded.kind) == ("BertLMHeadModel", "masked")


def test_without_a_masked_head_it_is_refused():
    with pytest.raises(ModelError, match=r"^XLNetLMHeadModel does not read .*; audit a causal or"):
        load_model(build("xlnet"))


def test_without_a_mask_token_it_is_refused():
    model, tokenizer = build("roberta")
    tokenizer.mask_token = None
    with pytest.raises(ModelError, match=r"^RobertaForCausalLM .* names a mask token$"):
        load_model((model, tokenizer))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("family", ["gpt2", "llama", "qwen2", "gpt2-no-bos", "decoder"])
def test_causal_models_stay_causal(family, dtype):
    model, tokenizer = (
        build("bert", is_decoder=True) if family == "decoder" else build_model(family)
    )
    loaded = load_model((model.to(dtype), tokenizer))
    assert (loaded.kind, loaded.notes) == ("causal", ())


@pytest.mark.parametrize("longest", [1, 2, 3, 11])
def test_short_rows_are_tried_too(longest):
    model, tokenizer = build_model("gpt2")
    tokenizer.model_max_length = longest
    assert load_model((model, tokenizer)).kind == "causal"


class LooksAhead(torch.nn.Module):
    """Adds a share of the next place to each."""

    def forward(self, hidden):
        ahead = hidden.roll(-1, dims=1)
        ahead[:, -1] = 0
        return hidden + 0.05 * ahead


def test_a_look_at_the_next_token_alone_is_found():
    model, tokenizer = build_model("gpt2")
    model.transformer.ln_f = torch.nn.Sequential(model.transformer.ln_f, LooksAhead())
    with pytest.raises(ModelError, match="later tokens change the scores of earlier ones"):
        load_model((model, tokenizer))
