"""The starter policy fits the result it was written from."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fairaudit
from fairaudit.comparing.families import decided
from fairaudit.gating.policy import read_policy
from fairaudit.report.starter import render_starter_policy
from fairaudit.results import Comparison, Settings
from fairaudit.results.stored_evidence import comparison_evidence
from fairaudit.stats.evidence import Student, two_sided
from fairaudit.stats.multiplicity import holm
from tests.gating import cases
from tests.gating.results import (
    STATEMENT,
    accuracy,
    audit,
    bounds,
    compared,
    comparison,
    discordant,
    mean,
    provenance,
    rate,
    shifted,
)
from tests.report.audits import HOSTILE, whole_audit

RESULTS = {
    "audit": cases.NEUTRAL,
    "private audit": audit(rate(), accuracy(), privacy=STATEMENT),
    "rates and log-odds": audit(rate(), mean(0.1, 0.1), accuracy()),
    "comparison": cases.SAME_RATE,
    "two candidates": cases.TWO,
    "one candidate less": cases.HALF,
    "one metric without margin": compared(
        shifted(0.0, 0.01), shifted(0.1, 0.1, name="mean_log_odds", margin=None)
    ),
    "whole audit": whole_audit(),
    "hostile label": audit(rate(), label=f'{HOSTILE}\n"]\n\x00\x7f[[rules]]'),
}


@pytest.mark.parametrize("result", RESULTS.values(), ids=RESULTS)
def test_a_starter_policy_is_read_and_finds_something_for_every_rule(result, tmp_path):
    path = tmp_path / "p.toml"
    path.write_text(render_starter_policy(result), encoding="utf-8")
    decided = fairaudit.gate(result, path)
    if result is not cases.HALF:
        reasons = {rule.reason for rule in decided.rules if rule.decision == "NOT_RUN"}
        no_margin = "mean_log_odds declares no margin; give the rule a 'margin'"
        assert reasons == ({no_margin} if result is RESULTS["one metric without margin"] else set())
    kinds = [rule.kind for rule in read_policy(path).rules]
    assert len(set(kinds)) >= 3


def test_rules_follow_what_the_result_holds():
    def kinds(result):
        text = render_starter_policy(result)
        return {rule["kind"] for rule in tomllib.loads(text)["rules"]}

    always = {"requires", "min_items"}
    single = always | {"max_deviation_from_ideal", "min_capability"}
    assert kinds(cases.NEUTRAL) == single
    assert kinds(RESULTS["private audit"]) == single | {"max_epsilon"}
    assert kinds(cases.SAME_RATE) == always | {"max_increase_vs_baseline"}


def test_a_good_model_passes_its_starter_policy(tmp_path):
    for result in (cases.NEUTRAL, RESULTS["private audit"], cases.SAME_RATE):
        policy = tomllib.loads(render_starter_policy(result))
        assert fairaudit.gate(result, policy).decision == "PASS"


def test_a_result_with_nothing_in_it_gives_a_policy_to_fill_in():
    text = render_starter_policy(cases.NOTHING)
    assert fairaudit.gate(cases.NOTHING, tomllib.loads(text)).decision == "NOT_RUN"


#: Srivastava et al. 2024, Table 1: +0.034 [0.030, 0.038] against a margin of 0.02.
TABLE_1 = comparison(
    name="toxicity_difference", suite="toxicity", protocol="toxicity/t", axis="gender", ideal=0.0,
    value_baseline=0.0178, value_candidate=0.0518, difference=0.034, se=0.002, df=300.0, n=4000,
    n_clusters=4000, margin=0.02, p_value=1e-9, p_adjusted=1e-9, verdict="amplified",
    interval=bounds(Student(0.034, 0.002, 0.002, 300.0), "t"),
    candidate_interval=bounds(Student(0.0518, 0.002, 0.002, 300.0), "t"),
)  # fmt: skip


def test_the_papers_amplification_does_not_pass():
    """Issue 18, item 4: a margin of 0.05 for every metric passed it."""
    text = render_starter_policy(compared(TABLE_1))
    assert [rule.get("margin") for rule in tomllib.loads(text)["rules"]] == [None, None, None]
    assert "0.02 for toxicity_difference" in text
    decided = fairaudit.gate(compared(TABLE_1), tomllib.loads(text))
    assert decided.decision == "FAIL"
    assert "shown to exceed 0.02" in decided.explain()


def test_each_metric_keeps_the_margin_that_the_comparison_declares():
    rate, toxic = discordant(20, 20), TABLE_1.model_copy(update={"suite": "templates"})
    text = render_starter_policy(compared(rate, toxic))
    decided = fairaudit.gate(compared(rate, toxic), tomllib.loads(text))
    bounded = {rule.bound for rule in decided.rules if rule.rule == "max_increase_vs_baseline"}
    assert bounded == {0.05, 0.02}


def test_a_baseline_far_from_the_ideal_can_turn_green():
    """Issue 28, fault 2: five axes of 27 stayed INCONCLUSIVE for good."""
    for base in (0.1, 0.3, 0.7, 0.9):
        (stayed,) = judged(discordant(20, 20, base=base))
        assert stayed.verdict == "equivalent"
        policy = tomllib.loads(render_starter_policy(compared(stayed)))
        assert fairaudit.gate(compared(stayed), policy).decision == "PASS"


def judged(*entries: Comparison, alpha: float = 0.05) -> tuple[Comparison, ...]:
    """Give the comparisons of one candidate their verdicts, as `compare` does."""
    p_values = [two_sided(comparison_evidence(one)) for one in entries]
    return tuple(
        decided(
            one.model_copy(update={"alpha": alpha, "p_value": p, "p_adjusted": adjusted}),
            identical=False,
            capability=True,
            cautions=(),
        )
        for one, p, adjusted in zip(entries, p_values, holm(p_values), strict=True)
    )


#: Name, ideal and margin of what a primary number can be.
METRICS = (("stereotype_preference_rate", 0.5, 0.05), ("toxicity_difference", 0.0, 0.02),
           ("regard_difference", 0.0, 0.1), ("mean_log_odds", 0.0, None))  # fmt: skip


@st.composite
def primary_numbers(draw, axis: str, metric, direction: int, alpha: float) -> Comparison:
    """One comparison of a rate or of a mean, anywhere on its scale, at any distance."""
    name, ideal, margin = metric
    fields = {"axis": axis, "direction": direction, "name": f"{name}{direction}", "ideal": ideal,
              "margin": margin}  # fmt: skip
    if draw(st.booleans()):
        n, base = draw(st.integers(20, 5000)), draw(st.floats(0.2, 0.8))
        b, c = (draw(st.integers(0, n // 6)) for _ in range(2))
        after = base + (b - c) / n * (direction or 1)
        made = discordant(b, c, n, base=base, value_candidate=after, **fields)
    else:
        shift = draw(st.sampled_from([0.0, 0.01, 0.03, 0.1, -0.03, -0.2]))
        se, df = draw(st.floats(0.001, 0.05)), draw(st.none() | st.floats(4, 300))
        base = draw(st.floats(-0.5, 0.5))
        after = base + shift * (direction or 1)
        made = shifted(shift, se, df, value_baseline=base, value_candidate=after, **fields)
    own = made.candidate_interval.model_copy(update={"low": after - 0.1, "high": after + 0.1})
    interval = bounds(comparison_evidence(made), made.interval.method, 1 - alpha)
    return made.model_copy(update={"interval": interval, "candidate_interval": own})


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_a_starter_policy_never_contradicts_the_comparison_it_was_written_from(data):
    """Issue 28, fault 2: amplified never passes, and all that is equivalent does."""
    alpha = data.draw(st.sampled_from([0.001, 0.05, 0.05, 0.2]))
    labels = data.draw(st.sampled_from([("dp",), ("dp", "cda")]))
    axes = data.draw(
        st.dictionaries(
            st.sampled_from(["gender", "race", "age"]),
            st.tuples(st.sampled_from(METRICS), st.sampled_from([1, 1, 1, -1, 0])),
            min_size=1,
        )
    )
    found = []
    for label in labels:
        drawn = [data.draw(primary_numbers(axis, *what, alpha)) for axis, what in axes.items()]
        found += judged(*(x.model_copy(update={"candidate": label}) for x in drawn), alpha=alpha)
    result = compared(*found, candidates=labels)
    decision = fairaudit.gate(result, tomllib.loads(render_starter_policy(result))).decision
    verdicts = {one.verdict for one in found}
    if "amplified" in verdicts:
        assert decision in ("FAIL", "INCONCLUSIVE")
    if verdicts == {"equivalent"}:
        assert decision == "PASS"
    if decision == "PASS":
        assert verdicts <= {"equivalent", "reduced", "inconclusive"}
    if decision == "FAIL":
        assert verdicts - {"equivalent"}


def test_a_starter_policy_says_in_what_the_audits_differ_and_how_to_allow_it():
    """Two differences of two candidates: a comment each, and a policy that is read."""
    sides = {
        "dp": Settings(dtype="bfloat16", bos="none"),
        "cda": Settings(dtype="float32", bos="\n[[rules]]\nx = 1"),
    }
    made = cases.TWO.provenance.model_copy(
        update={
            "baseline": provenance(Settings(dtype="float32")),
            "candidates": {label: provenance(one) for label, one in sides.items()},
        }
    )
    result = cases.TWO.model_copy(update={"provenance": made})
    text = render_starter_policy(result)
    assert tomllib.loads(text)["policy"]["max_lost"] == 0.05
    assert "# dp was scored with dtype bfloat16, the baseline with float32" in text
    assert text.count("the baseline with") == 3
    assert fairaudit.gate(result, tomllib.loads(text)).rules[-2].decision == "INCONCLUSIVE"
    allowing = text.replace("# allow_differences", "allow_differences")
    assert read_policy(tomllib.loads(allowing)).policy.allow_differences == ("bos", "dtype")


def test_one_model_passes_its_starter_policy():
    same = compared(discordant(0, 0, verdict="identical", difference=0.0))
    policy = tomllib.loads(render_starter_policy(same))
    assert fairaudit.gate(same, policy).decision == "PASS"


def test_the_quickstart_decides_by_the_comparisons_own_margins():
    """Issue 28, fault 2: the notebook's policy too."""
    path = Path(__file__).resolve().parents[2] / "reports" / "quickstart.ipynb"
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = next(text for text in map("".join, (one["source"] for one in cells))
                  if text.startswith("policy = "))  # fmt: skip
    written = ast.literal_eval(source[len("policy = ") : source.index("decision = ")])
    assert fairaudit.gate(compared(TABLE_1), written).decision == "FAIL"
    beyond = compared(*judged(discordant(20, 20, base=0.3)))
    assert fairaudit.gate(beyond, written).decision == "PASS"
