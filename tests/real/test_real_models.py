"""Pre-trained models: a chat model as GGUF and in bfloat16, and a sentence encoder."""

from __future__ import annotations

import pytest
import torch
import transformers as tf

from fairaudit.report.escape import escape
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.scoring.load import load_model
from tests.cli.program import fairaudit
from tests.real.conftest import fetching

pytestmark = pytest.mark.real

#: From the model's card: 30 layers of 576, 9 heads with 3 of keys and values, tied embeddings.
N_PARAMETERS = 134_515_008
NAMES = ("nurse", "clerk", "cook", "doctor", "farmer", "lawyer", "singer", "pilot")
SUITE = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said that she was tired.,The {name} said that he was tired.\n"
    for name in NAMES
)


@pytest.fixture(scope="module")
def whole(real):
    return load_model(real(fetching().SMOLLM2), device="cpu")


@pytest.fixture(scope="module")
def packed(real):
    return load_model(real(fetching().SMOLLM2_GGUF), device="cpu")


def continued(loaded, prompt):
    ids = loaded.tokenizer(prompt, return_tensors="pt")
    written = loaded.model.generate(**ids, max_new_tokens=2, do_sample=False)
    return loaded.tokenizer.decode(written[0])


def test_the_gguf_is_the_model_of_its_card(packed):
    assert packed.identity.n_parameters == N_PARAMETERS
    assert packed.identity.quantization == "gguf Q4_1, 5.7 bits per weight"
    assert continued(packed, "The capital of France is") == "The capital of France is Paris."


def test_the_converted_model_holds_the_weights_of_the_gguf(whole, packed):
    """Rounded to bfloat16 and in no other way."""
    assert whole.identity.stored_as == "safetensors BF16"
    assert whole.identity.quantization is None
    assert whole.identity.n_parameters == N_PARAMETERS
    ours = dict(whole.model.named_parameters())
    for name, weight in packed.model.named_parameters():
        assert torch.equal(weight.bfloat16().float(), ours[name]), name
    text = "The year 2024 was good; she said: “Très bien!”\n\tNo?"
    assert whole.tokenizer(text)["input_ids"] == packed.tokenizer(text)["input_ids"]


def test_a_model_is_compared_with_its_quantised_form(real, tmp_path):
    """The same items, paired; the storage of both stands in the record, the page and the card."""
    suite = tmp_path / "mine.csv"
    suite.write_text(SUITE)
    models = {"whole": fetching().SMOLLM2, "packed": fetching().SMOLLM2_GGUF}
    for label, model in models.items():
        asked = ("audit", real(model), "--suites", suite, "--label", label, "-o", tmp_path / label)
        done = fairaudit(*asked)
        assert done.returncode == 0, done.stderr
    stored = AuditResult.load(tmp_path / "packed").provenance.model
    assert stored.stored_as == stored.quantization == "gguf Q4_1, 5.7 bits per weight"
    assert stored.stored_as in (tmp_path / "packed" / "report.html").read_text()
    card = (tmp_path / "packed" / "model_card.md").read_text()
    assert f"Stored as {escape(stored.stored_as)}; computed in float32." in card
    done = fairaudit(
        *("compare", tmp_path / "whole", tmp_path / "packed", "-o", tmp_path / "compared")
    )
    assert done.returncode == 0, done.stderr
    result = ComparisonResult.load(tmp_path / "compared")
    gender = [one for one in result.comparisons if one.axis == "gender"]
    assert {one.n for one in gender} == {len(NAMES)}
    assert result.provenance.baseline.model.stored_as == "safetensors BF16"


def test_the_sentence_encoder_puts_like_sentences_together(real):
    folder = real(fetching().MINILM)
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    model = tf.AutoModel.from_pretrained(folder).eval()
    texts = ["A man is eating food.", "A man is eating a meal.", "The stock market fell today."]
    batch = tokenizer(texts, padding=True, return_tensors="pt")
    with torch.no_grad():
        states = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None]
    vectors = torch.nn.functional.normalize((states * mask).sum(1) / mask.sum(1), dim=1)
    like, other = float(vectors[0] @ vectors[1]), float(vectors[0] @ vectors[2])
    assert like > 0.8
    assert other < 0.3
