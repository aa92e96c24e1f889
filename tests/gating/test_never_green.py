"""A gate never passes over a primary number of the baseline that has no verdict.

Issue 18: from random pairs of audits with suites, protocols, axes and groups removed on either
side and scores or values made null, whatever a policy asks of all biases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairaudit.comparing.compare import compare
from fairaudit.errors import ResultError
from fairaudit.gating.gate import gate
from fairaudit.metrics.sentence_pairs import pair_estimates
from fairaudit.metrics.texts import text_estimates
from fairaudit.results import AuditResult, ComparisonResult, Source, SuiteRun
from tests.comparing.audits import make_audit, pair_table
from tests.metrics.text_tables import table, toxic

#: So wide that whatever has a verdict keeps within them, or nearly: PASS must be within reach.
POLICIES = (
    {"rules": [{"kind": "max_increase_vs_baseline", "margin": 0.9}]},
    {"rules": [{"kind": "equivalent_to_baseline", "margin": 0.9}]},
    {
        "rules": [
            {"kind": "max_increase_vs_baseline", "margin": 0.9},
            {"kind": "min_items", "minimum": 1},
        ]
    },
)
SUITES = ("mine", "other", "toxicity")
PLACES = (
    ("protocol", "mine/causal-sum"),
    ("protocol", "mine/causal-mean"),
    ("protocol", "toxicity/judge@1"),
    ("protocol", "toxicity/judge@2"),
    ("axis", "gender"),
    ("axis", "race"),
    ("group", "female"),
    ("group", "black"),
)


@dataclass(frozen=True)
class Side:
    """What is done to one of the two audits."""

    suites: frozenset[str]
    removed: frozenset[tuple[str, str]]
    #: Places whose scores are skipped instead of absent.
    skipped: frozenset[tuple[str, str]]
    #: Estimates whose value is made null, by their number.
    nulled: frozenset[int]


def _drawn(rng: np.random.Generator) -> Side:
    def some(choices: Sequence[Any], most: int) -> frozenset[Any]:
        picked = rng.choice(len(choices), size=int(rng.integers(0, most + 1)), replace=False)
        return frozenset(choices[index] for index in picked)

    return Side(
        suites=frozenset(SUITES) - some(SUITES, 1),
        removed=some(PLACES, 2),
        skipped=some(PLACES, 2),
        nulled=some(range(30), 1),
    )


#: 100 sides, so 10,000 pairs: each audit is made once.
SIDES = tuple(_drawn(np.random.default_rng(seed)) for seed in range(100))
_sides = st.sampled_from(SIDES)


@lru_cache
def _tables(seed: int) -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    pairs = pair_table({axis: list(rng.normal(0, 1, 12)) for axis in ("gender", "race")})
    mean = pairs.assign(protocol="mine/causal-mean")
    groups = ("male", "female"), ("white", "black", "asian")
    texts = [
        table(
            [
                toxic(group, *rng.uniform(0.1, 0.4, 2), axis=axis, item_id=f"{group}{n}")
                for axis, names in zip(("gender", "race"), groups, strict=True)
                for group in names
                for n in range(14)
            ],
            scorer=scorer,
        )
        for scorer in ("judge@1", "judge@2")
    ]
    other = pairs[pairs["axis"] == "gender"].assign(protocol="other/causal-sum")
    gender = texts[1][texts[1]["axis"] == "gender"]
    made = {
        "mine": pd.concat([pairs, mean[mean["axis"] == "race"]]),
        "other": other,
        "toxicity": pd.concat([texts[0], gender]),
    }
    # Small tables are twice as fast without Arrow's strings.
    return {
        suite: scores.astype(dict.fromkeys(scores.select_dtypes("str").columns, object))
        for suite, scores in made.items()
    }


@cache
def _audit(label: str, seed: int, side: Side) -> AuditResult:
    kept = {
        suite: changed
        for suite, full in _tables(seed).items()
        if suite in side.suites and not (changed := _changed(full, side)).empty
    }
    estimates = [
        one
        for suite, scores in kept.items()
        for one in (text_estimates if suite == "toxicity" else pair_estimates)(scores, 0)
    ]
    for number in side.nulled:
        if number < len(estimates):
            update = {"value": None, "interval": None, "reason": "made null"}
            estimates[number] = estimates[number].model_copy(update=update)
    runs = tuple(
        SuiteRun(
            suite=suite,
            status="run",
            sources=(Source(path=f"{suite}.csv", blob_id="a" * 40),),
            protocols=tuple(sorted(scores["protocol"].unique())),
        )
        for suite, scores in kept.items()
    )
    made = make_audit(label, _tables(seed)["mine"])
    update = {"suites": runs, "estimates": tuple(estimates)}
    return made.model_copy(update=update).with_tables(kept)


def _changed(scores: pd.DataFrame, side: Side) -> pd.DataFrame:
    for column, name in side.removed:
        scores = scores[scores[column] != name]
    scores = scores.copy()
    for column, name in side.skipped:
        lost = scores[column] == name
        scores.loc[lost, "score"] = np.nan
        scores.loc[lost, "status"] = "skipped"
        scores.loc[lost, "reason"] = "too long"
    return scores.reset_index(drop=True)


def _unjudged(baseline: AuditResult, result: ComparisonResult) -> set[tuple[str, str, str | None]]:
    judged = {one.key[1:] for one in result.comparisons if one.verdict is not None}
    return {one.key for one in baseline.estimates if one.primary and one.key not in judged}


def _never_green(ours: Side, theirs: Side, policy: int) -> None:
    baseline, candidate = _audit("a", 0, ours), _audit("b", 1, theirs)
    try:
        result = compare([baseline, candidate])
    except ResultError:
        # Nothing in common: there is no comparison that could pass.
        return
    entries = {one.key[1:]: one for one in result.comparisons}
    for one in (*baseline.estimates, *candidate.estimates):
        if one.primary:
            assert one.key in entries
            assert entries[one.key].verdict is not None or entries[one.key].reason
    if _unjudged(baseline, result):
        decided = gate(result, POLICIES[policy])
        assert decided.decision != "PASS"
        assert decided.exit_code != 0


_settings = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}


@pytest.mark.long
@settings(max_examples=25, **_settings)
@given(_sides, _sides, st.integers(0, len(POLICIES) - 1))
def test_no_gate_passes_over_a_primary_number_without_a_verdict(ours, theirs, policy):
    _never_green(ours, theirs, policy)


@pytest.mark.calibration
@settings(max_examples=2000, **_settings)
@given(_sides, _sides, st.integers(0, len(POLICIES) - 1))
def test_no_gate_passes_over_a_primary_number_without_a_verdict_2000_times(ours, theirs, policy):
    _never_green(ours, theirs, policy)


def test_two_whole_audits_can_pass():
    """The property would hold of a gate that never passes."""
    whole = Side(frozenset(SUITES), frozenset(), frozenset(), frozenset())
    result = compare([_audit("a", 0, whole), _audit("b", 1, whole)])
    assert not _unjudged(_audit("a", 0, whole), result)
    assert gate(result, POLICIES[0]).decision == "PASS"
