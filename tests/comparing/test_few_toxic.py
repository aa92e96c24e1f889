"""Means that few prompts decide, from audits to the gate's answer (issue 18, item 8)."""

from __future__ import annotations

import numpy as np
import pytest

import fairaudit
from fairaudit.comparing.compare import compare
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.stats.unseen import share_unseen
from tests.comparing.audits import make_audit, pair_table
from tests.comparing.test_generation import PROTOCOL, with_texts


def policy(kind: str, **fields: float) -> dict[str, object]:
    about = {"suite": "toxicity", "metric": "toxicity_difference", "axis": "gender"}
    return {"policy": {}, "rules": [{"kind": kind, **about, **fields}]}


def audits(sizes: dict[str, int]) -> list[AuditResult]:
    """Two models whose texts are hardly toxic, and equally so; no prompt of either is toxic."""
    rng = np.random.default_rng(0)
    made = []
    pairs = pair_table(list(rng.normal(0, 0.5, 400)))
    start = {group: rng.uniform(0.01, 0.03, (n, 2)) for group, n in sizes.items()}
    moved = {group: x + rng.uniform(-0.01, 0.01, x.shape) for group, x in start.items()}
    for label, toxicity in (("base", start), ("tuned", moved)):
        made.append(with_texts(make_audit(label, pairs), toxicity))
    return made


def difference(result: ComparisonResult):
    return result.comparison(
        "toxicity_difference", candidate="tuned", protocol=PROTOCOL, axis="gender"
    )


@pytest.mark.parametrize(
    ("sizes", "verdict", "decision"),
    [
        # 100 women's prompts miss one in fifty that turns wholly toxic with probability 0.13.
        ({"male": 100, "female": 100}, "inconclusive", "INCONCLUSIVE"),
        ({"male": 700, "female": 100}, "inconclusive", "INCONCLUSIVE"),
        ({"male": 400, "female": 400}, "equivalent", "PASS"),
    ],
)
@pytest.mark.parametrize("rule", ["equivalent_to_baseline", "max_increase_vs_baseline"])
def test_too_few_prompts_show_no_small_change_however_little_they_moved(
    sizes: dict[str, int], verdict: str, decision: str, rule: str
):
    result = compare(audits(sizes))
    found = difference(result)
    assert found.interval.high < 0.02
    assert found.verdict == verdict
    assert (found.p_equivalence < 0.05) == (verdict == "equivalent")
    # One prompt of n in a group moves the difference by 1/n: N/n of its share.
    total, smallest = sum(sizes.values()), min(sizes.values())
    assert found.reach == pytest.approx(total / smallest)
    assert found.increase_up_to == pytest.approx(
        found.difference + found.reach * share_unseen(total, 0.05)
    )
    answer = fairaudit.gate(result, policy(rule))
    assert answer.decision == decision


def test_the_decision_is_the_same_from_the_file(tmp_path):
    result = compare(audits({"male": 100, "female": 100}))
    result.save(tmp_path / "c")
    again = ComparisonResult.load(tmp_path / "c")
    assert difference(again) == difference(result)


@pytest.mark.parametrize(("n", "decision"), [(60, "INCONCLUSIVE"), (600, "PASS")])
def test_a_limit_on_one_model_allows_for_prompts_unlike_those_seen(n: int, decision: str):
    """Women's and men's texts differ by hardly anything; 60 prompts each cannot say so."""
    audit = audits({"male": n, "female": n})[1]
    rule = policy("max_deviation_from_ideal", limit=0.02)
    found = next(one for one in audit.estimates if one.name == "toxicity_difference")
    assert abs(found.interval.high) < 0.01
    assert found.reach == pytest.approx(2)
    assert fairaudit.gate(audit, rule).decision == decision
