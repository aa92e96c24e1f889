"""Generated texts compared: prompt by prompt, beside what likelihoods say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.metrics.texts import text_estimates
from fairaudit.report.comparison.summary import disagreement_words
from fairaudit.report.markdown import render_summary
from fairaudit.results import AuditResult, Source, SuiteRun
from tests.comparing.audits import make_audit, pair_table
from tests.metrics.text_tables import by_name, table, toxic

PROTOCOL = "toxicity/judge@1"


def prompts(toxicity: dict[str, np.ndarray]):
    """Prompts of groups with these toxicities [prompts, texts]; None is NaN."""
    return [
        toxic(group, *(None if np.isnan(x) else x for x in texts), item_id=f"{group}{i}")
        for group, values in toxicity.items()
        for i, texts in enumerate(values)
    ]


def with_texts(audit: AuditResult, toxicity: dict[str, np.ndarray]) -> AuditResult:
    """Add a suite of prompts to an audit."""
    frame = table(prompts(toxicity))
    run = SuiteRun(
        suite="toxicity", status="run", sources=(Source(path="p.toml", blob_id="b" * 40),),
        protocols=(PROTOCOL,), n_items=frame["item_id"].nunique(),
    )  # fmt: skip
    tables = {"mine": audit.items("mine"), "toxicity": frame}
    made = audit.model_copy(
        update={
            "suites": (*audit.suites, run),
            "estimates": (*audit.estimates, *text_estimates(frame, 0)),
        }
    )
    return made.with_tables(tables)


def audits(log_odds: tuple[float, float], shift: float):
    """Two audits: log-odds of the pairs of each, and how much more toxic women's texts become."""
    rng = np.random.default_rng(0)
    made = []
    start = {group: rng.uniform(0.05, 0.5, (80, 2)) for group in ("male", "female")}
    moved = {
        "male": start["male"] + rng.normal(0, 0.01, (80, 2)),
        "female": start["female"] + shift + rng.normal(0, 0.01, (80, 2)),
    }
    for label, mean, toxicity in zip(("base", "tuned"), log_odds, (start, moved), strict=True):
        pairs = pair_table(list(mean + rng.normal(0, 0.5, 400)))
        made.append(with_texts(make_audit(label, pairs), toxicity))
    return made, start, moved


def test_texts_are_compared_prompt_by_prompt():
    made, start, moved = audits((0.0, 0.0), 0.08)
    found = compare(made).comparison(
        "toxicity_difference", candidate="tuned", protocol=PROTOCOL, axis="gender"
    )
    change = {group: (moved[group] - start[group]).mean(axis=1) for group in start}
    assert found.difference == pytest.approx(change["female"].mean() - change["male"].mean())
    paired = math.sqrt(sum(values.var(ddof=1) / 80 for values in change.values()))
    assert found.se == pytest.approx(paired, rel=0.01)
    apart = by_name(made[0].estimates, "toxicity_difference").se * math.sqrt(2)
    assert found.se < apart / 5
    assert (found.verdict, found.primary, found.margin) == ("amplified", True, 0.02)
    assert (found.n, found.n_clusters) == (160, 160)
    assert found.interval.resampling_unit == "prompt"


def test_the_ratio_and_every_group_stand_beside_the_difference():
    made, start, moved = audits((0.0, 0.0), 0.08)
    result = compare(made)
    ratio = result.comparison("toxicity_ratio", candidate="tuned", protocol=PROTOCOL, axis="gender")
    ratios = [x["female"].mean() / x["male"].mean() for x in (start, moved)]
    assert ratio.value_baseline == pytest.approx(ratios[0])
    assert ratio.difference == pytest.approx(ratios[1] - ratios[0])
    assert (ratio.margin, ratio.primary) == (None, False)
    women = result.comparison(
        "toxicity_mean", candidate="tuned", protocol=PROTOCOL, axis="gender", group="female"
    )
    # A level can move for all groups alike (issue 18, item 15): it judges nothing.
    assert women.verdict is None
    assert women.interval.low > 0


def test_a_prompt_without_a_score_in_one_model_leaves_both():
    made, start, moved = audits((0.0, 0.0), 0.0)
    lost = {group: values.copy() for group, values in moved.items()}
    lost["male"][0, :] = np.nan
    lost["male"][1, 1] = np.nan
    made[1] = with_texts(make_audit("tuned", made[1].items("mine")), lost)
    found = compare(made).comparison(
        "toxicity_difference", candidate="tuned", protocol=PROTOCOL, axis="gender"
    )
    assert found.value_baseline == pytest.approx(start["female"].mean() - start["male"][1:].mean())
    # A prompt with one text left has a mean still.
    left = np.nanmean(lost["male"][1:], axis=1).mean()
    assert found.value_candidate == pytest.approx(moved["female"].mean() - left)
    assert (found.n, found.n_skipped) == (159, 1)
    assert "skipped_items" in found.cautions


def test_generation_stands_beside_likelihood_and_says_where_they_disagree():
    made, _, _ = audits((1.0, -0.5), 0.08)
    result = compare(made)
    (agreement,) = result.agreement
    assert {agreement.family_a, agreement.family_b} == {
        "mine/causal-sum stereotype_preference_rate",
        f"{PROTOCOL} toxicity_difference",
    }
    assert agreement.opposed == ("tuned, gender",)
    assert "Families disagree on tuned, gender." in disagreement_words(result)
    assert "Families disagree" in render_summary(result)


def test_where_both_say_the_same_there_is_no_such_note():
    made, _, _ = audits((-0.5, 1.0), 0.08)
    result = compare(made)
    verdicts = {c.verdict for c in result.comparisons if c.primary}
    assert verdicts == {"amplified"}
    assert result.agreement[0].opposed == ()
    assert disagreement_words(result) == ""


def test_texts_scored_by_different_classifiers_are_not_compared():
    made, start, _ = audits((0.0, 1.0), 0.0)
    other = table(prompts(start), scorer="other@2")
    run = made[1].suites[1].model_copy(update={"protocols": ("toxicity/other@2",)})
    tables = {"mine": made[1].items("mine"), "toxicity": other}
    made[1] = made[1].model_copy(update={"suites": (made[1].suites[0], run)}).with_tables(tables)
    result = compare(made)
    assert {c.suite for c in result.comparisons if c.difference is not None} == {"mine"}
    (lost,) = (c for c in result.comparisons if c.suite == "toxicity")
    assert (lost.primary, lost.verdict) == (True, None)
    assert lost.reason == "only the baseline was scored by this protocol"
    reasons = {entry.key: entry.reason for entry in result.not_compared}
    assert reasons[f"tuned: {PROTOCOL}"] == "only the baseline was scored by this protocol"
