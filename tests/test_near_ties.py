"""Preferences in low precision are those of fp32, outside its own tie tolerance (issue 18, 11)."""

from __future__ import annotations

import contextlib
import itertools
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit import auditing
from fairaudit.auditing.audit_near_ties import near_ties_in_fp32
from fairaudit.auditing.run_audit import audit
from fairaudit.items import TIE_TOLERANCE, Answer, LogLikelihood, Skipped

JOBS = ["nurse", "doctor", "farmer", "lawyer", "engineer", "woman", "brother", "man"]
ENDS = ["was tired", "met again", "stood empty", "was poor", "was rich", "said so", "knew why"]
PLACES = ["at work", "at the station", "by the river", "in the town", "for years"]


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    """280 pairs of sentences with words that the small tokenizers know."""
    lines = ["item_id,axis,group,cluster,stereotype,anti_stereotype"]
    for number, (job, end, place) in enumerate(itertools.product(JOBS, ENDS, PLACES)):
        pair = (f"The {job} said that {who} {end} {place}." for who in ("he", "she"))
        lines.append(f"p{number},gender,women,{job},{','.join(pair)}")
    path = tmp_path_factory.mktemp("suite") / "jobs.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def differences(checkpoint, suite, dtype):
    """Score(stereotype) − score(anti-stereotype) by protocol and item; and the audit."""
    result = audit(checkpoint, suites=[str(suite)], dtype=dtype, device="cpu")
    (run,) = result.suites
    table = result.items(run.suite)
    wide = table.pivot(index=["protocol", "item_id"], columns="role", values="score")
    return (wide["stereotype"] - wide["anti_stereotype"]).to_numpy(), result


def preferred(difference):
    return np.where(np.abs(difference) <= TIE_TOLERANCE, 0, np.sign(difference))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_preferences_in_low_precision_are_those_of_fp32(
    checkpoint, suite, family, dtype, monkeypatch
):
    exact, plain = differences(checkpoint(family), suite, "float32")
    found, result = differences(checkpoint(family), suite, dtype)
    apart = np.abs(exact) > TIE_TOLERANCE
    assert len(exact) >= 280
    assert np.array_equal(preferred(found)[apart], preferred(exact)[apart])
    ties = result.provenance.near_ties.values()
    rescored, compared = sum(one.rescored for one in ties), sum(one.compared for one in ties)
    assert 0 < rescored <= compared == len(exact)
    assert rescored < compared or dtype == "bfloat16", "what is far apart is left"
    assert any(f"{rescored} of {compared} comparisons" in note for note in result.notes)
    assert plain.provenance.near_ties == {}
    monkeypatch.setattr(auditing, "near_ties_in_fp32", lambda _plan, answers: (answers, {}))
    coarse, _ = differences(checkpoint(family), suite, dtype)
    if dtype == "bfloat16":
        flips = preferred(coarse)[apart] != preferred(exact)[apart]
        assert flips.any(), "without a second look some preferences are wrong"


def planned(exact, dtype="bfloat16"):
    """A plan of one protocol, whose second scorer answers exactly and notes what it was asked."""
    requests = {
        (str(item), "p", role): LogLikelihood(f"{item} {role}")
        for item in range(len(exact))
        for role in range(len(exact[0]))
    }
    answers = answered(requests, exact)
    asked = []

    def run(wanted):
        asked.extend(wanted)
        return {one: answers[one] for one in wanted}

    scorer = SimpleNamespace(plan=list, run=run)
    suite = SimpleNamespace(
        suite=SimpleNamespace(per_token=False),
        protocols=[SimpleNamespace(id="p", score=lambda answer: answer.total)],
        requests=requests,
    )
    plan = SimpleNamespace(
        loaded=SimpleNamespace(dtype=dtype, identity=SimpleNamespace(quantization=None)),
        suites=[suite],
        scorer=SimpleNamespace(in_fp32=lambda: contextlib.nullcontext(scorer)),
    )
    return plan, asked


def answered(requests, scores):
    """Answers with these scores; NaN: the model could not be asked."""
    return {
        request: Skipped("too long")
        if np.isnan(scores[int(item)][role])
        else Answer((scores[int(item)][role],))
        for (item, _, role), request in requests.items()
    }


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    items=st.integers(1, 400),
    roles=st.integers(2, 4),
    spread=st.floats(0.0, 5.0),
    error=st.floats(0.0, 0.5),
)
def test_no_preference_is_turned_round_and_what_is_far_is_left(seed, items, roles, spread, error):
    rng = np.random.default_rng(seed)
    exact = rng.normal(0.0, spread, (items, roles))
    coarse = exact + rng.uniform(-error, error, exact.shape)
    coarse[rng.random(coarse.shape) < 0.05] = np.nan
    exact = np.where(np.isnan(coarse), np.nan, exact)
    plan, asked = planned(exact)
    found, ties = near_ties_in_fp32(plan, answered(plan.suites[0].requests, coarse))
    scores = np.array([getattr(one, "total", np.nan) for one in found.values()])
    scores = scores.reshape(exact.shape)
    for first, second in itertools.combinations(range(roles), 2):
        gaps = (exact[:, first] - exact[:, second], scores[:, first] - scores[:, second])
        apart = np.abs(gaps[0]) > TIE_TOLERANCE
        assert np.array_equal(np.sign(gaps[0][apart]), np.sign(gaps[1][apart]))
    one = ties["p"]
    assert len(asked) == len(set(asked))
    assert one.rescored <= one.compared <= items
    assert one.largest_error <= 2 * error + 1e-12
    if 6 * error + 0.01 < spread / 100:
        assert one.rescored < max(101, items / 2)


def test_a_model_in_fp32_is_asked_nothing_again():
    plan, asked = planned([[0.0, 0.0]], dtype="float32")
    answers = answered(plan.suites[0].requests, [[0.0, 0.0]])
    assert near_ties_in_fp32(plan, answers) == (answers, {})
    assert asked == []
