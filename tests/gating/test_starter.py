"""The starter policy fits the result it was written from."""

from __future__ import annotations

import tomllib

import pytest

import fairaudit
from fairaudit.policy import read_policy
from fairaudit.report.gate.starter import render_starter_policy
from tests.gating import cases
from tests.gating.results import STATEMENT, accuracy, audit, compared, mean, rate, shifted
from tests.report.audits import HOSTILE, whole_audit

RESULTS = {
    "audit": cases.NEUTRAL,
    "private audit": audit(rate(), accuracy(), privacy=STATEMENT),
    "rates and log-odds": audit(rate(), mean(0.1, 0.1), accuracy()),
    "comparison": cases.SAME_RATE,
    "two candidates": cases.TWO,
    "one candidate less": cases.HALF,
    "metrics with and without margin": compared(
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
        assert {rule.reason for rule in decided.rules if rule.decision == "NOT_RUN"} == set()
    kinds = [rule.kind for rule in read_policy(path).rules]
    assert len(kinds) == len(set(kinds)) >= 3


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
