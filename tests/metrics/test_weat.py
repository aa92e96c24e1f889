"""WEAT and SEAT against brute force, and from texts to the score."""

from __future__ import annotations

import itertools
import json
import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit.auditing.run_audit import audit
from fairaudit.errors import DataError
from fairaudit.items import Association, Item
from fairaudit.metrics import weat
from fairaudit.metrics.registry import measurements
from fairaudit.metrics.weat import effect_size, permutation_p, weat_estimates
from fairaudit.scoring.embed import Embedder
from fairaudit.scoring.load import load_model
from fairaudit.suites import DataFinder, get_suite
from fairaudit.suites.seat import FILES, parse
from tests.conftest import build_model, shared


def cosine(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True)) / math.sqrt(
        sum(x * x for x in a) * sum(y * y for y in b)
    )


def association(w, near, far):
    return sum(cosine(w, a) for a in near) / len(near) - sum(cosine(w, b) for b in far) / len(far)


def by_brute_force(x, y, near, far):
    """Effect size and p-value as Caliskan et al. 2017 define them, one sum at a time."""
    s = [association(w, near, far) for w in (*x, *y)]
    n = len(x)
    mean = sum(s) / len(s)
    spread = math.sqrt(sum((v - mean) ** 2 for v in s) / (len(s) - 1))
    d = (sum(s[:n]) / n - sum(s[n:]) / (len(s) - n)) / spread
    statistic = sum(s[:n]) - sum(s[n:])
    exceeding = total = 0
    for part in itertools.combinations(range(len(s)), n):
        other = sum(s[i] for i in part) - sum(v for i, v in enumerate(s) if i not in part)
        exceeding += other >= statistic - 1e-9
        total += 1
    return d, exceeding / total


def test_small_vectors_give_what_brute_force_gives():
    rng = np.random.default_rng(0)
    for _ in range(5):
        x, y, near, far = (rng.normal(size=(n, 3)) for n in (4, 4, 3, 5))
        wanted_d, wanted_p = by_brute_force(*(part.tolist() for part in (x, y, near, far)))
        s = [np.array([association(w, near, far) for w in part]) for part in (x, y)]
        assert effect_size(*s) == pytest.approx(wanted_d)
        assert permutation_p(*s, seed=0) == pytest.approx(wanted_p)


def test_one_division_of_two_is_the_observed_one():
    # x = {3, 4}, y = {1, 2}: of six divisions only the observed one has the sum 7.
    x, y = np.array([3.0, 4.0]), np.array([1.0, 2.0])
    assert permutation_p(x, y, 0) == pytest.approx(1 / 6)
    assert permutation_p(y, x, 0) == 1
    assert effect_size(x, y) == pytest.approx(2 / np.std([1, 2, 3, 4], ddof=1))


def test_equal_divisions_count_as_exceeding():
    x, y = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    # Sums over the first part: 1, 1, 2, 0, 1, 1 against the observed 1.
    assert permutation_p(x, y, 0) == pytest.approx(5 / 6)
    # Rounding does not part what is equal.
    assert permutation_p(np.array([0.1 + 0.2, 0.3]), np.array([0.3, 0.3]), 0) == 1


def test_drawn_divisions_agree_with_all(monkeypatch):
    rng = np.random.default_rng(1)
    x, y = rng.normal(0.5, 1, 8), rng.normal(0, 1, 8)
    exact = permutation_p(x, y, 0)
    monkeypatch.setattr(weat, "MOST_EXACT", 10)
    drawn = permutation_p(x, y, 0)
    assert drawn == pytest.approx(exact, abs=4 * math.sqrt(exact * (1 - exact) / weat.DRAWN))
    assert permutation_p(x, y, 0) == drawn
    # (k + 1)/(n + 1) is never 0, however extreme the observed division is.
    assert permutation_p(np.full(8, 100.0) + x, y, 0) >= 1 / (weat.DRAWN + 1)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(-9, 9), min_size=2, max_size=5),
    st.lists(st.integers(-9, 9), min_size=2, max_size=5),
)
def test_swapping_the_targets_flips_the_sign(x, y):
    x, y = np.array(x, dtype=float), np.array(y, dtype=float)
    forward, backward = effect_size(x, y), effect_size(y, x)
    if forward is None:
        assert backward is None
        assert len({*x, *y}) == 1
    else:
        assert backward == pytest.approx(-forward)
        assert abs(forward) <= 2
        both = permutation_p(x, y, 0) + permutation_p(y, x, 0)
        assert both >= 1 - 1e-12


def scores(x, y, skipped=()):
    rows = [
        {
            "item_id": f"t/{side}/{n}", "protocol": "seat/mean-causal", "axis": "gender",
            "group": "g", "cluster": "t", "role": "target", "score": value, "n_tokens": 0,
            "status": "skipped" if (side, n) in skipped else "ok", "reason": None, "test": "t",
            "side": side,
        }
        for side, values in (("X", x), ("Y", y))
        for n, value in enumerate(values)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_a_skipped_target_is_left_out_and_counted():
    (found,) = weat_estimates(scores([3, 4, 99], [1, 2, 3], skipped={("X", 2)}), 0)
    x, y = np.array([3.0, 4.0]), np.array([1.0, 2.0, 3.0])
    assert found.value == pytest.approx(effect_size(x, y))
    assert found.p_value == pytest.approx(permutation_p(x, y, 0))
    assert (found.n, found.n_skipped, found.group, found.primary) == (5, 1, "t", False)
    assert "one-sided" in found.reason


@pytest.mark.parametrize(("x", "y"), [([1], [2, 3]), ([1, 1], [1, 1]), ([], [])])
def test_what_has_no_effect_size_says_so(x, y):
    if x or y:
        (found,) = weat_estimates(scores(x, y), 0)
        assert found.value is None
        assert found.reason
    else:
        assert weat_estimates(scores([1], [2]).iloc[:0], 0) == []


def test_models_are_not_compared_by_it():
    assert measurements("seat", scores([1, 2], [3, 4])) == ()


@pytest.mark.parametrize(
    ("family", "pooling"), [("gpt2", "last"), ("bert", "first"), ("gpt2", "mean"), ("bert", "mean")]
)
def test_embeddings_are_pooled_as_stated(family, pooling):
    import torch

    model, tokenizer = build_model(family)
    loaded = load_model((model, tokenizer))
    texts = ["the nurse", "the old doctor said", "a man from the north"]
    found = Embedder(loaded, 8).directions(texts, pooling)
    together = Embedder(loaded, 1000).directions(texts, pooling)
    for text in texts:
        with torch.no_grad():
            hidden = model.base_model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0]
        row = {"mean": hidden.mean(dim=0), "first": hidden[0], "last": hidden[-1]}[pooling]
        wanted = (row / row.norm()).numpy()
        assert found[text] == pytest.approx(wanted, abs=1e-5)
        assert together[text] == pytest.approx(wanted, abs=1e-5)


def test_a_text_that_does_not_fit_is_skipped():
    loaded = load_model(build_model("gpt2"))
    long = "the nurse " * 80
    requests = [
        Association("the nurse", ("a man",), ("a woman",)),
        Association(long, ("a man",), ("a woman",)),
        Association("the nurse", ("a man", long), ("a woman",)),
    ]
    answers = dict(Embedder(loaded, 64).associations(requests))
    assert -2 <= answers[requests[0]].value <= 2
    assert "the model takes 64" in answers[requests[1]].reason
    assert "an attribute" in answers[requests[2]].reason


def test_a_test_file_becomes_one_item_for_each_target():
    sets = {
        name: {"category": name.upper(), "examples": [f"{name} one", f"{name} two"]}
        for name in ("targ1", "targ2", "attr1", "attr2")
    }
    items = list(parse(json.dumps(sets).encode(), "weat6", "gender", "here"))
    assert [item.item_id for item in items] == ["weat6/X/1", "weat6/X/2", "weat6/Y/1", "weat6/Y/2"]
    assert items[2] == Item(
        "weat6/Y/1", "gender", "TARG2", "weat6",
        {"target": "targ2 one", "near": "attr1 one\nattr1 two", "far": "attr2 one\nattr2 two"},
        facts={"test": "weat6", "side": "Y"},
    )  # fmt: skip
    for content in (
        b"{}",
        b"[]",
        b"no",
        json.dumps({**sets, "targ1": {"category": "x", "examples": []}}).encode(),
    ):
        with pytest.raises(DataError, match="here"):
            list(parse(content, "weat6", "gender", "here"))


def test_all_published_tests_are_read():
    suite = get_suite("seat")
    data = suite.load(DataFinder(shared("data")))
    assert not suite.default
    assert len(data.sources) == len(FILES) == 38
    targets = [item for item in data.items if item.facts["test"] == "sent-weat6"]
    assert len(targets) == 128
    assert targets[0].texts["target"] == "This is John."


def test_an_audit_runs_it_by_name(tmp_path):
    folder = shared("data")
    result = audit(
        build_model("gpt2"),
        suites=["seat"],
        axes=["disability"],
        data=folder,
        output=tmp_path / "a",
    )
    found = {(e.protocol, e.group): e for e in result.estimates if e.suite == "seat"}
    assert set(found) == {
        (f"seat/{pooling}-causal", test)
        for pooling in ("mean", "last")
        for test in ("weat9", "sent-weat9")
    }
    one = found["seat/mean-causal", "weat9"]
    assert one.interval is None
    assert 0 < one.p_value <= 1
    assert "all divisions" in one.reason
