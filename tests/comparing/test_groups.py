"""Axes with more than two groups: verdicts rest on the largest change and on the largest gap."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.gating.gate import gate
from fairaudit.metrics.texts import text_estimates
from fairaudit.report.card.index import candidate_results
from fairaudit.report.comparison.view import candidates
from fairaudit.report.markdown import render_summary
from fairaudit.results import AuditResult, Comparison, ComparisonResult
from fairaudit.results.consistency import comparison_contradictions
from fairaudit.results.stored_evidence import comparison_evidence, equivalence_evidence
from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import two_sided
from tests.comparing.audits import make_audit, pair_table
from tests.metrics.text_tables import Asked, table

RACE = {"white": 0.1, "Black": 0.1, "Asian": 0.1, "Hispanic": 0.1, "Arab": 0.1}
#: The mean of the others stands still: (0.25 + 3 · 0.05)/4 = 0.10.
OPPOSITE = RACE | {"Black": 0.25, "Asian": 0.05, "Hispanic": 0.05, "Arab": 0.05}


def scored(
    means: Mapping[str, float],
    n: int | Mapping[str, int] = 100,
    *,
    axis: str = "race",
    noise: float = 0.0,
    seed: int = 0,
    label: str = "toxic",
    templates: bool = False,
) -> list[Asked]:
    """Prompts whose values have exactly these means: the same spread in all groups, and noise."""
    asked = []
    for number, (group, mean) in enumerate(means.items()):
        size = n if isinstance(n, int) else n[group]
        rng = np.random.default_rng([seed, number])
        own = np.random.default_rng(number).uniform(-0.01, 0.01, size)
        values = own - own.mean()
        moved = rng.normal(0, 1, size) * noise
        values = mean + values + moved - moved.mean()
        asked += [
            Asked(
                group,
                {label: [value]},
                axis=axis,
                item_id=f"{axis}/{group}/{place}",
                cluster=f"{axis}/{place}" if templates else None,
            )
            for place, value in enumerate(values)
        ]
    return asked  # fmt: skip


def audit_of(label: str, asked: list[Asked], scorer: str = "judge@1") -> AuditResult:
    """Build an audit of one suite of prompts."""
    frame = table(asked, scorer=scorer)
    made = make_audit(label, pair_table([0.1] * 12))
    run = made.suites[0].model_copy(update={"suite": "toxicity", "protocols": ()})
    changed = made.model_copy(
        update={"suites": (run,), "estimates": tuple(text_estimates(frame, 0))}
    )
    return changed.with_tables({"toxicity": frame})


def two(
    before: Mapping[str, float],
    after: Mapping[str, float],
    n: int | Mapping[str, int] = 100,
    *,
    scorer: str = "judge@1",
    **more,
) -> list[AuditResult]:
    """Two audits of the same prompts, whose groups have exactly these means."""
    return [
        audit_of(label, scored(means, n, noise=0.005, seed=seed, **more), scorer)
        for seed, (label, means) in enumerate((("base", before), ("tuned", after)), start=1)
    ]


def primary(result: ComparisonResult) -> dict[str, Comparison]:
    return {one.name: one for one in result.comparisons if one.primary}


def decision(result: ComparisonResult, kind: str = "max_increase_vs_baseline", **rule) -> str:
    rules = {"policy": {}, "rules": [{"kind": kind, **rule}]}
    return gate(result, rules).decision


def test_opposite_moves_do_not_cancel():
    """Issue 18, item 3: the mean of the others stands still, one group is hurt."""
    result = compare(two(RACE, OPPOSITE))
    old = result.comparison(
        "toxicity_difference", candidate="tuned", protocol="toxicity/judge@1", axis="race"
    )
    assert old.difference == pytest.approx(0.0, abs=1e-9)
    assert (old.verdict, old.primary) == ("inconclusive", False)
    found = primary(result)
    assert set(found) == {"toxicity_largest_change", "toxicity_largest_gap"}
    change, gap = found["toxicity_largest_change"], found["toxicity_largest_gap"]
    assert (change.verdict, change.worst_group, change.against_group) == (
        "amplified",
        "Black",
        "white",
    )
    assert change.difference == pytest.approx(0.15)
    assert change.interval.low < 0.15 < change.interval.high
    assert (gap.verdict, gap.worst_group) == ("amplified", "Black")
    assert (gap.value_baseline, gap.value_candidate) == pytest.approx((0.0, 0.2))
    assert decision(result) == "FAIL"
    assert decision(result, "equivalent_to_baseline") == "FAIL"
    assert decision(result, margin=0.15, metric="toxicity_largest_change") == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("label", "scorer", "metric", "harm"),
    [
        ("toxic", "judge@1", "toxicity", 1),
        ("compound", "vader-3.3.2", "sentiment", -1),
        ("hurtful", "hurtlex-en", "honest", 1),
    ],
)
def test_the_largest_change_is_that_towards_harm(label: str, scorer: str, metric: str, harm: int):
    after = RACE | {"Black": 0.1 + 0.3 * harm, "Asian": 0.1 - 0.1 * harm}
    if harm > 0:
        after = RACE | {"Black": 0.4, "Asian": 0.05}
    result = compare(two(RACE, after, label=label, scorer=scorer))
    found = primary(result)
    assert set(found) == {f"{metric}_largest_change", f"{metric}_largest_gap"}
    for one in found.values():
        assert (one.worst_group, one.verdict) == ("Black", "amplified")
        moved = one.value_candidate - one.value_baseline
        assert one.difference == pytest.approx(moved * (one.direction or 1))
    assert found[f"{metric}_largest_change"].direction == harm
    turned = primary(compare(two(after, RACE, label=label, scorer=scorer)))
    assert turned[f"{metric}_largest_change"].worst_group == "Asian"
    assert turned[f"{metric}_largest_gap"].verdict == "reduced"


def test_regard_has_its_largest_change_too():
    def asked(means):
        regards = scored(means, noise=0.005)
        return [
            Asked(
                one.group,
                {"positive": [0.5], "negative": [0.5 - one.scores["toxic"][0]]},
                axis=one.axis,
                item_id=one.item_id,
            )
            for one in regards
        ]

    result = compare(
        [audit_of("base", asked(RACE)), audit_of("tuned", asked(RACE | {"Black": -0.2}))]
    )
    found = primary(result)
    assert set(found) == {"regard_largest_change", "regard_largest_gap"}
    assert {one.worst_group for one in found.values()} == {"Black"}
    assert {one.verdict for one in found.values()} == {"amplified"}


def test_what_stays_the_same_is_equivalent_and_passes():
    result = compare(two(RACE, RACE, 400))
    assert {one.verdict for one in primary(result).values()} == {"equivalent"}
    assert decision(result) == "PASS"
    assert decision(result, "equivalent_to_baseline") == "PASS"


def test_a_group_that_gains_much_is_not_equivalent_but_no_increase():
    """Every change must lie inside the margin; one that falls far harms nobody."""
    before, after = (
        {"white": 0.1, "Black": 0.4, "Asian": 0.4},
        {"white": 0.1, "Black": 0.1, "Asian": 0.4},
    )
    result = compare(two(before, after, 400))
    change = primary(result)["toxicity_largest_change"]
    assert change.difference == pytest.approx(0.0, abs=1e-9)
    assert (change.verdict, change.p_equivalence) == ("inconclusive", pytest.approx(1.0))
    assert decision(result, metric="toxicity_largest_change") == "PASS"
    assert decision(result, "equivalent_to_baseline", metric="toxicity_largest_change") != "PASS"


def test_all_groups_nearer_to_the_reference_are_reduced():
    before = {"white": 0.1, "Black": 0.4, "Asian": 0.5}
    result = compare(two(before, {"white": 0.1, "Black": 0.15, "Asian": 0.15}, 200))
    assert {one.verdict for one in primary(result).values()} == {"reduced"}
    assert decision(result) == "PASS"


def test_past_the_reference_the_largest_gap_speaks():
    """Every group falls far below the reference: no change towards harm, and a new gap."""
    before = {"white": 0.5, "Black": 0.52, "Asian": 0.52}
    found = primary(compare(two(before, {"white": 0.5, "Black": 0.1, "Asian": 0.1}, 200)))
    assert found["toxicity_largest_change"].verdict == "reduced"
    gap = found["toxicity_largest_gap"]
    assert (gap.verdict, gap.worst_group) == ("amplified", "white")


JOBS = {"nurses": 0.2, "drivers": 0.2, "clerks": 0.2}


def test_without_a_reference_each_group_is_held_against_the_others():
    audits = two(JOBS, JOBS | {"drivers": 0.4}, axis="profession")
    (own,) = [one for one in audits[0].estimates if one.primary]
    assert own.name == "toxicity_largest_gap"
    change = primary(compare(audits))["toxicity_largest_change"]
    assert (change.worst_group, change.against_group) == ("drivers", None)
    assert change.difference == pytest.approx(0.2)
    assert len(change.group_changes) == 3
    assert change.verdict == "amplified"


def test_two_groups_without_a_reference_have_both_numbers():
    before = {"nurses": 0.2, "drivers": 0.2}
    result = compare(two(before, before | {"nurses": 0.05}, axis="profession"))
    found = primary(result)
    assert set(found) == {"toxicity_largest_change", "toxicity_largest_gap"}
    assert found["toxicity_largest_change"].worst_group == "drivers"
    assert {one.verdict for one in found.values()} == {"amplified"}


def test_two_groups_with_a_reference_keep_their_plain_difference():
    before = {"male": 0.1, "female": 0.1}
    audits = two(before, before | {"female": 0.3}, axis="gender")
    assert [one.name for one in audits[0].estimates if one.primary] == ["toxicity_difference"]
    assert set(primary(compare(audits))) == {"toxicity_difference"}


def test_openings_asked_of_every_group_are_drawn_together():
    audits = two(RACE, OPPOSITE, 60, templates=True)
    change = primary(compare(audits))["toxicity_largest_change"]
    assert (change.n, change.n_clusters) == (300, 60)
    assert change.verdict == "amplified"


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        ({"white": 60, "Black": 60, "Asian": 8}, "8 prompts of group 'Asian': fewer than the 10"),
        ({"white": 12, "Black": 12, "Asian": 12}, "36 prompts: fewer than the 40"),
    ],
)
def test_an_axis_with_few_clusters_never_disappears(sizes: dict[str, int], reason: str):
    before = {"white": 0.1, "Black": 0.1, "Asian": 0.1}
    result = compare(two(before, before | {"Asian": 0.6}, sizes))
    found = primary(result)
    assert set(found) == {"toxicity_largest_change", "toxicity_largest_gap"}
    for one in found.values():
        assert one.difference == pytest.approx(0.5)
        assert (one.interval, one.verdict) == (None, "inconclusive")
        assert "few_clusters" in one.cautions
        assert one.reason.startswith(reason)
    assert found["toxicity_largest_change"].worst_group == "Asian"
    assert decision(result) == "INCONCLUSIVE"
    assert decision(result, "equivalent_to_baseline") == "INCONCLUSIVE"
    audit = two(before, before, sizes)[0]
    (own,) = [one for one in audit.estimates if one.primary]
    assert (own.name, own.interval) == ("toxicity_largest_gap", None)
    assert "few_clusters" in own.cautions


def test_a_plain_difference_with_few_clusters_keeps_its_values():
    before = {"Christian": 0.1, "Muslim": 0.1}
    sizes = {"Christian": 60, "Muslim": 8}
    result = compare(two(before, before | {"Muslim": 0.8}, sizes, axis="religion"))
    (found,) = primary(result).values()
    assert (found.name, found.verdict) == ("toxicity_difference", "inconclusive")
    assert (found.value_baseline, found.value_candidate) == pytest.approx((0.0, 0.7))
    assert "few_clusters" in found.cautions
    assert decision(result) == "INCONCLUSIVE"


def test_a_group_that_only_one_model_answered_is_no_silent_loss():
    """The prompts of one group have no score in the candidate: two groups are left to compare."""
    audits = two({"white": 0.1, "Black": 0.1, "Asian": 0.1}, {"white": 0.1, "Black": 0.1})
    assert decision(compare(audits)) != "PASS"


def test_equal_values_throughout_still_have_an_interval():
    """Nothing moved but one group, by the same step in every prompt: no spread to go by."""

    def flat(means):
        return [
            Asked(group, {"toxic": [mean]}, axis="race", item_id=f"{group}{index}")
            for group, mean in means.items()
            for index in range(100)
        ]

    result = compare([audit_of("base", flat(RACE)), audit_of("tuned", flat(OPPOSITE))])
    found = primary(result)
    assert {one.verdict for one in found.values()} == {"amplified"}
    assert found["toxicity_largest_change"].interval.low > 0.08
    same = [audit_of("base", flat(RACE)), audit_of("tuned", flat(RACE))]
    for one in primary(compare(same)).values():
        # 100 prompts without a jump do not exclude 2 in 100.
        assert one.interval.low < 0 < 0.02 < one.interval.high


def test_a_file_gives_back_every_verdict_at_any_level(tmp_path):
    audits = two(RACE, RACE | {"Black": 0.14}, 150)
    for alpha in (0.05, 0.013):
        result = compare(audits, alpha=alpha, output=tmp_path / str(alpha))
        loaded = ComparisonResult.load(tmp_path / str(alpha))
        for one in primary(loaded).values():
            evidence = comparison_evidence(one)
            bounds = evidence.lower(alpha / 2), evidence.upper(alpha / 2)
            assert bounds == pytest.approx((one.interval.low, one.interval.high), abs=1e-12)
            assert one.p_value == pytest.approx(two_sided(evidence), rel=1e-9)
            assert evidence.lower(1e-5) < one.interval.low
            made = decide(
                one.difference,
                one.se,
                one.df,
                one.margin,
                alpha,
                evidence=evidence,
                within=equivalence_evidence(one),
                p_adjusted=one.p_adjusted,
            )
            assert made.verdict == one.verdict == primary(result)[one.name].verdict


def test_the_margin_asked_for_replaces_the_declared_one():
    audits = two(RACE, RACE | {"Black": 0.13}, 400)
    margins = {one.margin for one in primary(compare(audits, margin=0.08)).values()}
    assert margins == {0.08}
    assert {one.margin for one in primary(compare(audits)).values()} == {0.02}


def test_one_model_is_identical_to_itself():
    audits = two(RACE, RACE)
    again = audits[0].model_copy(update={"label": "again"})
    again = again.with_tables({"toxicity": audits[0].items("toxicity")})
    found = primary(compare([audits[0], again]))
    assert {(one.verdict, one.difference) for one in found.values()} == {("identical", 0.0)}


def test_the_summary_names_the_worst_group():
    text = render_summary(compare(two(RACE, OPPOSITE)))
    assert "Race: largest change, Black against white · largest toxicity change" in text
    assert "Race: largest gap, Black against" in text


EDITS = {
    "a group's change": (
        "toxicity_largest_change",
        lambda one: one["group_changes"][0].update(difference=-0.4),
    ),
    "the largest left out": (
        "toxicity_largest_change",
        lambda one: one.update(
            group_changes=[c for c in one["group_changes"] if c["group"] != "Black"]
        ),
    ),
    "a narrower error": (
        "toxicity_largest_change",
        lambda one: one["group_changes"][2].update(se_above=1e-6),
    ),
    "another bound": ("toxicity_largest_gap", lambda one: one["bounds"][4].update(high=0.01)),
}


@pytest.mark.parametrize(("name", "edit"), EDITS.values(), ids=EDITS)
def test_numbers_of_groups_that_contradict_each_other_are_refused(name, edit):
    content = compare(two(RACE, OPPOSITE)).model_dump(mode="json", by_alias=True)
    assert not list(comparison_contradictions(ComparisonResult.model_validate(content)))
    (entry,) = [one for one in content["comparisons"] if one["name"] == name]
    edit(entry)
    assert list(comparison_contradictions(ComparisonResult.model_validate(content)))


def test_a_prompt_without_a_score_leaves_both_models():
    before, after = scored(RACE, seed=1), scored(OPPOSITE, seed=2)
    after[0].scores["toxic"][0] = None
    change = primary(compare([audit_of("base", before), audit_of("tuned", after)]))[
        "toxicity_largest_change"
    ]
    assert (change.n, change.n_skipped) == (499, 1)
    assert "skipped_items" in change.cautions


def test_a_card_holds_the_largest_gap_but_no_value_of_a_worst_group():
    result = compare(two(RACE, OPPOSITE))
    published = candidate_results(result, candidates(result)[0])
    assert [one.metric_type for one in published] == ["toxicity_largest_gap"]
    assert published[0].metric_value == pytest.approx(0.2)
