"""SEAT on a real sentence encoder: our number, plain sums over all divisions, and wefe's."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import numpy as np
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

#: Tests of words with at most 16 targets, all 12,870 divisions of which are counted; and sentences.
EXACT = ("weat6", "weat7b", "angry_black_woman_stereotype_b")
SAMPLED = ("sent-weat6", "sent-religion2")
PROTOCOL = "seat/mean-masked"
#: wefe divides by the standard deviation with ddof = 0, we (and Caliskan et al.) by that with 1.
WEFE = """
import json, sys
import numpy as np
from gensim.models import KeyedVectors
from wefe.metrics import WEAT
from wefe.query import Query
from wefe.word_embedding_model import WordEmbeddingModel
asked = json.load(sys.stdin)
found = {}
for name, (sets, vectors) in asked.items():
    keyed = KeyedVectors(vector_size=len(next(iter(vectors.values()))))
    keyed.add_vectors(list(vectors), np.array(list(vectors.values())))
    query = Query([sets["X"], sets["Y"]], [sets["A"], sets["B"]])
    found[name] = WEAT().run_query(query, WordEmbeddingModel(keyed, name), return_effect_size=True,
                                   calculate_p_value=False)["effect_size"]
json.dump({name: float(value) for name, value in found.items()}, sys.stdout)
"""


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
    texts = {text for test in (*EXACT, *SAMPLED) for one in sets_of(test).values() for text in one}
    return {text: vector(encoder, text) for text in sorted(texts)}


@pytest.fixture(scope="module")
def ours(encoder):
    return measured(encoder, (*EXACT, *SAMPLED))


@pytest.mark.parametrize("test", EXACT)
def test_seat_is_what_plain_sums_over_all_divisions_give(ours, vectors, test):
    parts = [[vectors[text] for text in sets_of(test)[name]] for name in "XYAB"]
    d, p = by_brute_force(*parts)
    assert ours[test].value == pytest.approx(d, abs=1e-5)
    assert ours[test].p_value == pytest.approx(p, abs=1e-9)
    print(test, d, p)


def test_seat_is_what_wefe_gives_on_the_same_vectors(ours, vectors):
    if importlib.util.find_spec("wefe") is None:
        pytest.skip("needs the package wefe")
    asked = {}
    for test in (*EXACT, *SAMPLED):
        sets = sets_of(test)
        used = {text for one in sets.values() for text in one}
        asked[test] = (sets, {text: vectors[text] for text in sorted(used)})
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", WEFE],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    for test, theirs in json.loads(done.stdout).items():
        n = len(sets_of(test)["X"]) + len(sets_of(test)["Y"])
        assert ours[test].value == pytest.approx(theirs * np.sqrt((n - 1) / n), abs=1e-5), test
        print(test, theirs)
