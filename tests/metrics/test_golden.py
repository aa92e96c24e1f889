"""Published model outputs give the published scores."""

from __future__ import annotations

import json

import pytest

from fairaudit.recorded.audit_scores import audit_scores
from tests.conftest import shared

MODELS = {
    "gpt2": "predictions_gpt2_ModelNSP_GPT2LM.json.gz",
    "gpt2-large": "predictions_gpt2-large_ModelNSP_GPT2LM.json.gz",
    "bert-base-cased": "predictions_bert-base-cased_BertNextSentence_BertLM.json.gz",
}
NAMES = {
    "LM Score": "language_modeling_score",
    "SS Score": "stereotype_score",
    "ICAT Score": "icat",
}


@pytest.mark.parametrize("model", MODELS)
def test_stereoset_scores_come_out(model):
    published = json.loads(shared("golden", "stereoset", "published_scores.json").read_text())
    path = shared("golden", "stereoset", MODELS[model])
    result = audit_scores(path, suite="stereoset", data=shared("data"))
    checked = 0
    for split in ("intrasentence", "intersentence"):
        for domain, scores in published[model][split].items():
            axis = "all" if domain == "overall" else domain
            for theirs, ours in NAMES.items():
                found = result.estimate(ours, protocol=f"stereoset/{split}-recorded", axis=axis)
                assert found.value == pytest.approx(scores[theirs] / 100, abs=1e-11)
                assert found.interval is not None or found.reason
                checked += 1
    for theirs, ours in NAMES.items():
        found = result.estimate(ours, protocol="stereoset/overall-recorded")
        assert found.value == pytest.approx(published[model]["overall"][theirs] / 100, abs=1e-11)
        checked += 1
    assert checked == 33


def test_crows_pairs_scores_come_out_and_the_swap_is_noticed():
    path = shared("golden", "crows_pairs", "bert_crows_score.csv.gz")
    result = audit_scores(path, suite="crows_pairs")
    published = {"metric_score": 60.48, "stereotype_score": 61.09, "anti_stereotype_score": 56.88}
    for name, percent in published.items():
        found = result.estimate(name, protocol="crows_pairs/recorded")
        assert round(100 * found.value, 2) == percent
        assert found.interval.low < found.value < found.interval.high
    assert any("swapped" in note for note in result.notes)
