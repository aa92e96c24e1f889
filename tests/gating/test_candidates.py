"""What a gate on a comparison can say about a candidate by itself: its ε and its capability."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.gating.gate import gate
from tests.comparing.audits import make_audit, pair_table, probe_table

STATEMENT = {
    "schema": "fairaudit/privacy", "schema_version": 1, "records": 1000, "sample_rate": 0.1,
    "expected_batch_size": 100.0, "steps": 50, "noise_multiplier": 1.0, "max_grad_norm": 1.0,
    "delta": 1e-5, "epsilon": 3.0, "model_fingerprint": "weights of b",
}  # fmt: skip


def compared(privacy=None, top1=0.6):
    rng = np.random.default_rng(0)
    pairs = pair_table([1.0, -1.0] * 100)
    log_probs = rng.normal(-2.0, 0.3, size=(45, 20))
    audits = [
        make_audit("a", pairs, probe_table(log_probs)),
        make_audit("b", pairs, probe_table(log_probs - 0.2, rng.random((45, 20)) < top1)),
    ]
    tables = {"mine": pairs, "probe": audits[1].items("probe")}
    return compare(
        [audits[0], audits[1].model_copy(update={"privacy": privacy}).with_tables(tables)]
    )


@pytest.mark.parametrize(
    ("privacy", "limit", "decision"),
    [
        (STATEMENT, 4.0, "PASS"),
        (STATEMENT, 2.0, "FAIL"),
        ({**STATEMENT, "model_fingerprint": "another"}, 4.0, "FAIL"),
        ({**STATEMENT, "model_fingerprint": None}, 4.0, "INCONCLUSIVE"),
        ({**STATEMENT, "delta": 1e-3}, 4.0, "FAIL"),
        ({**STATEMENT, "epsilon": None, "noise_reproducible": True}, 4.0, "FAIL"),
        (None, 4.0, "NOT_RUN"),
    ],
)
def test_the_candidates_own_epsilon_is_judged(privacy, limit, decision):
    rules = {"rules": [{"kind": "max_epsilon", "limit": limit}]}
    assert gate(compared(privacy), policy=rules).decision == decision


def test_a_claim_that_an_audit_refuted_is_refuted_in_its_comparison():
    audits = [make_audit(name, pair_table([1.0, -1.0] * 100)) for name in "abc"]
    note = "the privacy statement does not follow: epsilon 3 is claimed, the parameters give 9"
    claims = [
        {
            "privacy": {**STATEMENT, "model_fingerprint": f"weights of {name}"},
            "privacy_refuted": said,
        }
        for name, said in (("b", note), ("c", None))
    ]
    told = [
        one.model_copy(update=claim).with_tables({"mine": one.items("mine")})
        for one, claim in zip(audits[1:], claims, strict=True)
    ]
    found = gate(compare([audits[0], *told]), {"rules": [{"kind": "max_epsilon", "limit": 4}]})
    assert [one.decision for one in found.rules] == ["FAIL", "PASS"]
    assert found.rules[0].reason == note


@pytest.mark.parametrize(("top1", "decision"), [(0.6, "PASS"), (0.05, "FAIL")])
def test_the_candidates_own_capability_is_judged(top1, decision):
    rules = {"rules": [{"kind": "min_capability"}]}
    decided = gate(compared(top1=top1), policy=rules)
    assert decided.decision == decision
    assert [rule.rule for rule in decided.rules] == ["min_capability"]
