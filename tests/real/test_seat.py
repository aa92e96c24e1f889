"""SEAT on a real sentence encoder is what plain sums over all divisions give."""

from __future__ import annotations

import pandas as pd
import pytest
import torch
import transformers as tf

from fairaudit.metrics.weat import weat_estimates
from fairaudit.results import ModelIdentity
from fairaudit.scoring.embed import Embedder
from fairaudit.scoring.load import LoadedModel
from fairaudit.suites import get_suite
from fairaudit.suites.seat import FILES, TARGET, parse
from tests.conftest import shared
from tests.metrics.test_weat import by_brute_force
from tests.real.conftest import fetching

pytestmark = pytest.mark.real

#: Tests of words with at most 16 targets, all 12,870 divisions of which are counted.
EXACT = ("weat6", "weat7b", "angry_black_woman_stereotype_b")
PROTOCOL = "seat/mean-masked"


@pytest.fixture(scope="module")
def encoder(real):
    """MiniLM as an audit has a model. It has no vocabulary head, so `load_model` refuses it."""
    folder = real(fetching().MINILM)
    model = tf.AutoModel.from_pretrained(folder).eval()
    tokenizer = tf.AutoTokenizer.from_pretrained(folder)
    identity = ModelIdentity(
        id="minilm", revision=None, fingerprint="", architecture="BertModel", n_parameters=1
    )
    return LoadedModel(model, tokenizer, "masked", identity, "cpu", "float32", 512,
                       model.config.vocab_size, folder, False)  # fmt: skip


def items_of(test):
    axis, pinned = FILES[test]
    path = shared("data") / pinned.local[0]
    return [*parse(path.read_bytes(), test, axis, str(path))]


def measured(encoder, tests):
    """Score the items of tests as an audit does; return the estimates by test."""
    protocol = next(one for one in get_suite("seat").protocols if one.id == PROTOCOL)
    items = [item for test in tests for item in items_of(test)]
    requests = [protocol.request(item, TARGET) for item in items]
    answers = dict(Embedder(encoder, 2048).associations(requests))
    rows = [
        {"protocol": PROTOCOL, "axis": item.axis, "item_id": item.item_id, "status": "ok",
         "score": answers[request].value, **item.facts}
        for item, request in zip(items, requests, strict=True)
    ]  # fmt: skip
    return {one.group: one for one in weat_estimates(pd.DataFrame(rows), 0)}


@torch.no_grad()
def vector(encoder, text):
    """Mean over the tokens of a text that is read alone."""
    ids = encoder.tokenizer(text, return_tensors="pt")
    return encoder.model(**ids).last_hidden_state[0].double().mean(0).tolist()


def sets_of(test):
    items = items_of(test)
    sets = {side: [i.texts[TARGET] for i in items if i.facts["side"] == side] for side in "XY"}
    return sets | {
        name: items[0].texts[part].split("\n") for name, part in (("A", "near"), ("B", "far"))
    }


@pytest.fixture(scope="module")
def vectors(encoder):
    """Vectors of all texts, each read alone."""
    texts = {text for test in EXACT for one in sets_of(test).values() for text in one}
    return {text: vector(encoder, text) for text in sorted(texts)}


@pytest.fixture(scope="module")
def ours(encoder):
    return measured(encoder, EXACT)


@pytest.mark.parametrize("test", EXACT)
def test_seat_is_what_plain_sums_over_all_divisions_give(ours, vectors, test):
    parts = [[vectors[text] for text in sets_of(test)[name]] for name in "XYAB"]
    d, p = by_brute_force(*parts)
    assert ours[test].value == pytest.approx(d, abs=1e-5)
    assert ours[test].p_value == pytest.approx(p, abs=1e-9)
    print(test, d, p)
