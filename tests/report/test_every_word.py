"""No verdict, caution, decision or rule is ever shown without words of its own."""

from __future__ import annotations

import ast
import io
import re
from pathlib import Path

import pytest
from rich.console import Console

import fairaudit
from fairaudit.gating.policy import _RULES
from fairaudit.report.audit.reading import Standing, standing_words
from fairaudit.report.documents.gate import LEGEND, counts
from fairaudit.report.gate_words import NAMES, limit_of
from fairaudit.report.markdown import render_summary
from fairaudit.report.names import CAUTIONS
from fairaudit.report.terminal import render_terminal
from fairaudit.results.gate import GateDecision, GateResult, RuleResult
from tests.report import audits

PACKAGE = Path(fairaudit.__file__).parent
#: Every caution that a file may name.
_OF_THE_SCHEMA = {
    "not_moved",
    "distance_unknown",
    "capability_unknown",
    "overshot",
    "nonzero",
    "few_clusters",
    "single_seed",
    "high_tie_share",
    "skipped_items",
    "contaminated",
}


def _cautions_in(path: Path) -> set[str]:
    """Return the names that a module gives as ``cautions``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    given = [
        node.value for node in ast.walk(tree)
        if isinstance(node, ast.keyword) and node.arg == "cautions"
    ]  # fmt: skip
    given += [
        node for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_").endswith("cautions")
    ]  # fmt: skip
    return {
        inner.value
        for node in given
        for inner in ast.walk(node)
        if isinstance(inner, ast.Constant)
        and isinstance(inner.value, str)
        and re.fullmatch(r"[a-z]+(_[a-z]+)+|nonzero|overshot|contaminated", inner.value)
    }


def test_every_caution_of_schema_and_code_has_words():
    """Cautions are given by their records, never by a name that may have none."""
    rooms = ("metrics", "comparing", "stats", "suites")
    assert not {name for room in rooms for path in (PACKAGE / room).rglob("*.py")
                for name in _cautions_in(path)}  # fmt: skip
    assert set(CAUTIONS) >= _OF_THE_SCHEMA
    for caution in CAUTIONS.values():
        assert caution.label == caution.label.lower()
        assert caution.meaning.endswith(".")


def test_every_standing_of_an_estimate_has_words():
    base = audits.Builder().rate("templates/causal-sum", "race", 100, 100)
    cases = {
        Standing.TOWARDS: {"interval": audits.interval(0.6, 0.7)},
        Standing.AWAY: {"interval": audits.interval(0.3, 0.4)},
        Standing.APART: {"interval": audits.interval(0.6, 0.7), "direction": 0},
        Standing.INCLUDES: {"interval": audits.interval(0.4, 0.6)},
        Standing.NO_IDEAL: {"interval": audits.interval(0.4, 0.6), "ideal": None},
        Standing.UNKNOWN: {"interval": None},
    }
    assert set(cases) == set(Standing)
    said = {standing_words(base.model_copy(update=change)) for change in cases.values()}
    assert said == {
        "leans towards the stereotype",
        "leans away from the stereotype",
        "differs from 50 %",
        "no lean shown (50 % is possible)",
        "no ideal value",
        "no interval",
    }


def _gate(*rules: RuleResult) -> GateResult:
    return GateResult(decision="FAIL", exit_code=1, policy_hash="ab", rules=rules)


def _rule(**fields) -> RuleResult:
    base = {"rule": "min_items", "selector": "s", "decision": "PASS", "bound": 0.05, "reason": "r"}
    return RuleResult(**{**base, **fields})


@pytest.mark.parametrize("kind", _RULES)
def test_every_kind_of_rule_says_its_limit(kind: str):
    if kind == "requires":
        assert limit_of(_rule(rule=kind, bound=None)) == ""
        return
    assert kind in NAMES
    assert re.search(r"[a-z±<>].*0\.05", limit_of(_rule(rule=kind)))


@pytest.mark.parametrize("decision", GateDecision)
def test_every_decision_is_said_in_summary_and_terminal(decision: GateDecision):
    made = _gate(_rule(decision=decision, reason=f"why {audits.HOSTILE}"))
    summary = render_summary(made)
    assert f"- [{'x' if decision == 'PASS' else ' '}] **{decision}** Enough items" in summary
    assert "<script" not in summary
    assert counts(made) == f"1 check, 1 {decision}"
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(render_terminal(made))
    assert decision in console.export_text()


def test_a_gate_promises_nothing():
    text = f"{LEGEND} {render_summary(_gate(_rule()))}"
    assert not re.search(r"unbiased|compliant|no bias|significant", text)
