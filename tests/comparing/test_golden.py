"""The published outputs of three models, compared: published scores, intervals, verdicts."""

from __future__ import annotations

import json

import pytest

from fairaudit.comparing.compare import compare
from fairaudit.recorded.audit_scores import audit_scores
from tests.conftest import shared

FILES = {
    "gpt2": "predictions_gpt2_ModelNSP_GPT2LM.json.gz",
    "gpt2-large": "predictions_gpt2-large_ModelNSP_GPT2LM.json.gz",
    "bert-base-cased": "predictions_bert-base-cased_BertNextSentence_BertLM.json.gz",
}
AXES = ("gender", "profession", "race", "religion")


@pytest.fixture(scope="module")
def published():
    return json.loads(shared("golden", "stereoset", "published_scores.json").read_text())


@pytest.fixture(scope="module")
def result():
    folder, data = shared("golden", "stereoset"), shared("data")
    audits = [
        audit_scores(folder / file, suite="stereoset", data=data, label=label)
        for label, file in FILES.items()
    ]
    return compare(audits)


def score(result, candidate, split, axis):
    return result.comparison(
        "stereotype_score", candidate=candidate, protocol=f"stereoset/{split}-recorded", axis=axis
    )


@pytest.mark.parametrize("candidate", ["gpt2-large", "bert-base-cased"])
@pytest.mark.parametrize("split", ["intrasentence", "intersentence"])
@pytest.mark.parametrize("axis", [*AXES, "all"])
def test_values_are_the_published_scores(result, published, candidate, split, axis):
    found = score(result, candidate, split, axis)
    key = "overall" if axis == "all" else axis
    ours, theirs = (published[name][split][key]["SS Score"] / 100 for name in ("gpt2", candidate))
    assert found.value_baseline == pytest.approx(ours, abs=1e-9)
    assert found.value_candidate == pytest.approx(theirs, abs=1e-9)
    assert found.difference == pytest.approx(theirs - ours, abs=1e-9)


@pytest.mark.parametrize("candidate", ["gpt2-large", "bert-base-cased"])
def test_the_pooled_score_is_the_published_one(result, published, candidate):
    found = score(result, candidate, "overall", "all")
    assert found.value_baseline == pytest.approx(
        published["gpt2"]["overall"]["SS Score"] / 100, abs=1e-9
    )
    assert found.value_candidate == pytest.approx(
        published[candidate]["overall"]["SS Score"] / 100, abs=1e-9
    )


def test_every_axis_has_a_verdict_that_follows_from_its_interval(result):
    for entry in result.comparisons:
        if entry.interval is None:
            assert entry.reason
            assert entry.verdict in {"inconclusive", "not_interpretable"}
            continue
        assert entry.mde > 0
        assert entry.verdict in {"amplified", "reduced", "equivalent", "inconclusive"}
        assert (entry.verdict == "amplified") <= (entry.interval.low > 0)
        assert (entry.verdict == "reduced") <= (entry.interval.high < 0)


def test_three_target_terms_are_too_few_and_say_so(result):
    found = score(result, "gpt2-large", "intrasentence", "religion")
    assert found.interval is None
    assert found.reason == "3 target terms: fewer than the 10 an interval needs"
    assert "few_clusters" in found.cautions
    assert found.verdict == "inconclusive"


def test_a_larger_gpt2_is_more_stereotyped_between_sentences(result):
    """52.3 against 59.5 %: a difference that the 2,123 clusters of 79 terms do show."""
    found = score(result, "gpt2-large", "intersentence", "all")
    assert found.interval.low > 0.03
    assert found.p_adjusted < 0.01
    assert found.verdict == "amplified"
