"""What is primary is fixed before audits are joined, and never vanishes (issue 18, items 1, 2)."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.gating.gate import gate
from fairaudit.metrics.texts import text_estimates
from fairaudit.results import AuditResult, ComparisonResult, Source, SuiteRun
from tests.comparing.audits import make_audit, pair_table
from tests.metrics.text_tables import Asked, table

NO_WORSE = {"rules": [{"kind": "max_increase_vs_baseline"}]}
EQUAL = {"rules": [{"kind": "equivalent_to_baseline", "margin": 0.5}]}
REQUIRED = {"rules": [{"kind": "requires", "suite": "own"}]}
JUDGE, VADER = "own/judge@1", "own/vader"


def openings(counts: dict[str, int], values: dict[str, float], label: str, scorer: str, seed=0):
    """Score prompts about groups, each around its group's value."""
    rng = np.random.default_rng(seed)
    return table(
        (
            Asked(
                group,
                {label: tuple(np.clip(values[group] + rng.normal(0, 0.01, 2), -1, 1))},
                axis="gender" if group in ("male", "female") else "religion",
                item_id=f"{group}{n}",
            )
            for group, count in counts.items()
            for n in range(count)
        ),
        suite="own",
        scorer=scorer,
    )


def audit_of(label: str, *scores: pd.DataFrame) -> AuditResult:
    frame = pd.concat(scores)
    run = SuiteRun(
        suite="own", status="run", sources=(Source(path="own.jsonl", blob_id="b" * 40),),
        protocols=tuple(sorted(frame["protocol"].unique())),
    )  # fmt: skip
    made = make_audit(label, pair_table([1.0, -1.0] * 20))
    update = {"suites": (run,), "estimates": tuple(text_estimates(frame, 0))}
    return made.model_copy(update=update).with_tables({"own": frame})


def primary(result: ComparisonResult) -> set[tuple[str, str]]:
    return {(one.protocol, one.axis) for one in result.comparisons if one.primary}


def test_a_lost_gap_loses_its_change_with_it():
    """Issue 18, item 3: a rule about the largest change alone passed over it."""
    counts = {"male": 60, "female": 60, "christian": 60, "muslim": 60, "jewish": 60}
    values = dict.fromkeys(counts, 0.1)
    ours, theirs = (openings(counts, values, "toxic", "judge@1", seed) for seed in (0, 1))
    theirs = theirs[theirs["axis"] == "gender"]
    result = compare([audit_of("a", ours), audit_of("b", theirs)])
    lost = {one.name for one in result.comparisons if one.axis == "religion" and one.primary}
    assert lost == {"toxicity_largest_gap", "toxicity_largest_change"}
    rule = NO_WORSE["rules"][0] | {"metric": "toxicity_largest_change"}
    assert [one.decision for one in gate(result, {"rules": [rule]}).rules] == ["NOT_RUN"]


@pytest.mark.parametrize("groups", [("christian", "muslim"), ("christian", "muslim", "jewish")])
def test_an_axis_with_eight_clusters_does_not_vanish(groups):
    """Gender has 60 openings, religion 8, and religion falls: nothing but gender was judged."""
    counts = {"male": 60, "female": 60, **dict.fromkeys(groups, 8)}
    start = dict.fromkeys(counts, 0.1)
    ours = openings(counts, start, "compound", "vader")
    theirs = openings(counts, start | {"muslim": -0.67}, "compound", "vader", 1)
    result = compare([audit_of("a", ours), audit_of("b", theirs)])
    lost = [one for one in result.comparisons if one.primary and one.axis == "religion"]
    assert lost
    for one in lost:
        assert one.verdict in (None, "inconclusive")
        assert "fewer than the 10" in (one.reason or "")
    decided = gate(result, NO_WORSE)
    assert (decided.decision, decided.exit_code) in (("NOT_RUN", 3), ("INCONCLUSIVE", 3))
    assert all(one.decision == "PASS" for one in decided.rules if "gender" in one.selector)


def test_a_suite_of_which_no_primary_number_was_compared_does_not_meet_requires():
    """Issue 18, item 2: the classifier ran for the baseline only; sentiment decides nothing."""
    counts = {"male": 60, "female": 60}
    feeling = openings(counts, dict.fromkeys(counts, 0.1), "compound", "vader")
    toxic = openings(counts, dict.fromkeys(counts, 0.1), "toxic", "judge@1")
    both, less = audit_of("a", feeling, toxic), audit_of("b", feeling)
    assert (
        gate(compare([both, both.model_copy(update={"label": "c"})]), REQUIRED).decision == "PASS"
    )
    result = compare([both, less])
    assert [one.difference for one in result.comparisons if one.primary] == [None]
    assert gate(result, REQUIRED).decision == "NOT_RUN"


@pytest.mark.parametrize("lost", ["classifier", "revision"])
@pytest.mark.parametrize("side", [0, 1])
def test_the_primary_metric_does_not_slide(lost, side):
    """The toxicity classifier ran on one side only, or in another revision; sentiment on both."""
    counts = {"male": 60, "female": 60}
    calm = dict.fromkeys(counts, 0.1)
    feeling = openings(counts, calm, "compound", "vader")
    toxic = openings(counts, calm | {"female": 0.35}, "toxic", "judge@1")
    again = openings(counts, calm, "compound", "vader", 1)
    other = toxic.assign(protocol="own/judge@2")
    poorer = (again,) if lost == "classifier" else (again, other)
    audits = [audit_of("a", feeling, toxic), audit_of("b", *poorer)]
    result = compare(audits if side else audits[::-1])
    assert (JUDGE, "gender") in primary(result)
    (entry,) = (one for one in result.comparisons if one.primary and one.protocol == JUDGE)
    assert entry.verdict is None
    assert "scored by this protocol" in (entry.reason or "")
    # Sentiment is what verdicts rest on only where the baseline's own audit says so.
    assert ((VADER, "gender") in primary(result)) == (lost == "classifier" and side == 0)
    for policy in (NO_WORSE, EQUAL):
        decided = gate(result, policy)
        assert (decided.decision, decided.exit_code) == ("NOT_RUN", 3)


def test_a_whole_suite_of_one_side_blocks_what_is_asked_of_every_bias():
    pairs = pair_table([1.0, -1.0] * 200)
    both = make_audit("a", pairs), make_audit("b", pairs)
    counts = {"male": 12, "female": 12}
    more = audit_of("a", openings(counts, dict.fromkeys(counts, 0.1), "compound", "vader"))
    joined = both[0].model_copy(
        update={
            "suites": (*both[0].suites, *more.suites),
            "estimates": (*both[0].estimates, *more.estimates),
        }
    )
    with_suite = joined.with_tables({"mine": pairs, "own": more.items("own")})
    policy = {"rules": [{"kind": "max_increase_vs_baseline", "margin": 0.5}]}
    assert gate(compare(both), policy).decision == "PASS"
    result = compare([with_suite, both[1]])
    assert gate(result, policy).decision == "NOT_RUN"
    (entry,) = (one for one in result.comparisons if one.suite == "own")
    assert entry.reason == "not part of the candidate's audit"
    mine = {"rules": [{**policy["rules"][0], "suite": "mine"}]}
    assert gate(result, mine).decision == "PASS"


def test_refusing_every_prompt_judges_no_group():
    """A level moves for all groups alike: no group's mean is amplified (issue 18, item 15)."""
    counts = {"male": 60, "female": 60}
    ours = openings(counts, dict.fromkeys(counts, 0.4), "compound", "vader")
    refused = openings(counts, dict.fromkeys(counts, 0.0), "compound", "vader")
    result = compare([audit_of("a", ours), audit_of("b", refused)])
    levels = [one for one in result.comparisons if one.name == "sentiment_mean"]
    assert len(levels) >= 2
    assert {one.verdict for one in levels} == {None}
    assert not any(one.verdict == "amplified" for one in result.comparisons if one.group)


def test_a_group_that_only_the_baseline_has_keeps_an_axis_from_passing():
    """The candidate has no score for a small group, where it became worse."""
    counts = {"christian": 60, "muslim": 60, "jewish": 60, "sikh": 12}
    calm = dict.fromkeys(counts, 0.1)
    ours = openings(counts, calm, "compound", "vader")
    theirs = openings(counts, calm | {"sikh": -0.6}, "compound", "vader", 1)
    silent = theirs.assign(
        status=np.where(theirs["group"] == "sikh", "skipped", "ok"),
        score=theirs["score"].where(theirs["group"] != "sikh"),
        reason=None,
    )
    for lost in (silent, theirs[theirs["group"] != "sikh"]):
        result = compare([audit_of("a", ours), audit_of("b", lost)])
        for policy in (NO_WORSE, EQUAL, {"rules": [{**NO_WORSE["rules"][0], "margin": 1.0}]}):
            decided = gate(result, policy)
            assert decided.exit_code == 3
            assert "NOT_RUN" in {one.decision for one in decided.rules}


def test_every_primary_number_that_has_a_difference_has_a_verdict():
    counts = {"christian": 60, "muslim": 60, "jewish": 60}
    calm = dict.fromkeys(counts, 0.1)
    ours = openings(counts, calm, "compound", "vader")
    theirs = openings(counts, calm | {"muslim": -0.2}, "compound", "vader", 1)
    result = compare([audit_of("a", ours), audit_of("b", theirs)])
    judged = {one.name: one.verdict for one in result.comparisons if one.primary}
    assert judged["sentiment_largest_change"] == "amplified"
    assert None not in judged.values()


def test_an_item_that_lacks_a_sentence_on_one_side_is_lost_there():
    values = [1.0, -1.0] * 200
    whole = pair_table(values)
    flipped = pair_table([abs(value) for value in values])
    hidden = (flipped["role"] == "anti_stereotype") & flipped["item_id"].isin(
        [f"gender-{n}" for n in range(1, 400, 2)]
    )
    result = compare([make_audit("a", whole), make_audit("b", flipped[~hidden])])
    (entry,) = (one for one in result.comparisons if one.primary)
    assert (entry.n, entry.n_only_baseline) == (200, 200)
    assert gate(result, EQUAL).decision != "PASS"
