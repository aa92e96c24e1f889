"""The script that makes the toxicity classifier: it is tested on what it did not learn from."""

from __future__ import annotations

import importlib
import sys

import pytest
import torch

from tests.conftest import shared
from tests.real.conftest import SCRIPT


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(SCRIPT.parent))
    try:
        return importlib.import_module("classifier")
    finally:
        sys.path.remove(str(SCRIPT.parent))


def test_no_text_is_both_learned_and_tested(script):
    data = shared("data")
    texts = script.tweets(data)
    assert len({text for text, _ in texts}) == len(texts) == 24_580
    learned = {text for text, _ in texts[script.N_TEST + script.N_CALIBRATION :]}
    learned |= {text for text, _ in script.prose(data, "validation", script.N_PROSE)}
    for name, tested in script.tested(data).items():
        assert not learned & {one.text for one in tested}, name


def test_tests_have_both_kinds_and_name_them(script):
    tweets, prompts, persons = script.tested(shared("data")).values()
    for tested in (tweets, prompts):
        assert sum(one.labelled for one in tested) == len(tested) / 2
    assert {one.group for one in tweets} == {"hate speech", "offensive language", "neither"}
    assert not any(one.labelled for one in persons)
    assert "American_actresses" in {one.group for one in persons}


def test_as_many_toxic_texts_as_others_are_learned(script):
    texts = [(str(number), number % 6 != 0) for number in range(600)]
    chosen = script.balanced(texts)
    assert len(chosen) == 200
    assert sum(toxic for _, toxic in chosen) == 100


def test_every_text_is_in_one_batch(script):
    texts = [("x" * (number % 40), False) for number in range(320)]
    batches = script.shuffled(texts, 1)
    assert sorted(one for batch in batches for one in batch) == sorted(texts)
    # Eight texts of each length: four lengths fill a batch.
    assert all(max(map(len_of, batch)) - min(map(len_of, batch)) == 3 for batch in batches)


def len_of(text):
    return len(text[0])


@pytest.mark.parametrize("scale", [0.5, 1.0, 3.0])
def test_the_temperature_makes_overconfident_logits_calibrated(script, scale):
    torch.manual_seed(0)
    logits = torch.randn(20_000, 2)
    truth = torch.multinomial(torch.softmax(logits, 1), 1)[:, 0]
    assert script.temperature(scale * logits, truth) == pytest.approx(scale, rel=0.06)
