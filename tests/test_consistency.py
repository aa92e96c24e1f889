"""Numbers that contradict each other are refused, in files and in memory (issue 18, item 7)."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fairaudit
from fairaudit.comparing.compare import compare
from fairaudit.errors import ResultError
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.digest import sealed
from fairaudit.results.stored_evidence import contradicts_counts
from tests.comparing.audits import make_audit, pair_table, probe_table
from tests.gating.cases import CASES, INCREASE
from tests.gating.results import policy

RECORDED = Path(__file__).parent / "recorded"
KINDS = {"audit": AuditResult, "comparison": ComparisonResult}
NO_ITEMS = policy({"kind": "min_items", "minimum": 1})


def recorded(kind):
    return json.loads((RECORDED / f"{kind}-version-1.json").read_text(encoding="utf-8"))


def one(content, axis, name):
    """Return the primary or only entry of an axis and a metric."""
    entries = content.get("comparisons") or content["estimates"]
    return next(x for x in entries if (x["axis"], x["name"]) == (axis, name))


RATE, NATS = "stereotype_preference_rate", "mean_log_odds"
#: What is edited in a comparison: axis, metric, and the change of the entry.
EDITED = {
    "identical, although the values differ": ("gender", RATE, {"verdict": "identical"}),
    "identical, although the difference is small": ("race", RATE, {"verdict": "identical"}),
    "a difference of 0": ("gender", RATE, {"difference": 0.0}),
    "a difference of the other sign": ("gender", RATE, {"difference": -0.22}),
    "a value of the baseline": ("gender", RATE, {"value_baseline": 0.6}),
    "a value of the candidate": ("gender", RATE, {"value_candidate": 0.55}),
    "no value of the baseline": ("gender", RATE, {"value_baseline": None}),
    "a difference and its values": ("gender", RATE,
        {"difference": 0.0, "value_baseline": 0.7, "value_candidate": 0.7}),
    "a smaller standard error": ("race", NATS, {"se": 1e-9}),
    "a larger standard error": ("race", NATS, {"se": 10.0}),
    "amplified into equivalent": ("gender", RATE, {"verdict": "equivalent"}),
    "amplified into reduced": ("gender", RATE, {"verdict": "reduced"}),
    "amplified into undecided": ("gender", RATE, {"verdict": "inconclusive"}),
    "equivalent into amplified": ("race", RATE, {"verdict": "amplified"}),
    "undecided into amplified": ("age", RATE, {"verdict": "amplified"}),
    "undecided into reduced": ("age", RATE, {"verdict": "reduced"}),
    "equivalent without a margin": ("gender", NATS, {"verdict": "equivalent"}),
    "a verdict without a difference": ("gender", RATE, {"difference": None, "interval": None}),
    "an interval without a difference": ("gender", RATE, {"difference": None, "verdict": None}),
    "an adjusted p-value": ("race", RATE, {"p_value": 0.4, "p_adjusted": 0.01}),
    "a ratio": ("gender", RATE, {"ratio": 1.0}),
    "the change of the deviation": ("gender", RATE, {"deviation_change": 0.0}),
    "another level": ("gender", RATE, {"alpha": 0.2}),
}  # fmt: skip


@pytest.mark.parametrize("sealed_again", [False, True], ids=["version 1", "version 2"])
@pytest.mark.parametrize(("axis", "name", "change"), EDITED.values(), ids=EDITED)
def test_an_edited_comparison_is_refused(axis, name, change, sealed_again, tmp_path):
    """Without a digest, and with one that the forger made to fit."""
    content = recorded("comparison")
    one(content, axis, name).update(change)
    if sealed_again:
        content = sealed(content | {"schema_version": 2})
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ResultError, match="contradicts itself: after ") as caught:
        ComparisonResult.load(path)
    assert f"| {axis} | - | {name}: " in str(caught.value)
    assert "\n" not in str(caught.value)


INTERVAL = {"method": "cr2", "level": 0.95, "resampling_unit": "cluster"}
ESTIMATES = {
    "a value outside its interval": ({"value": 0.99}, "does not hold 0.99"),
    "a value outside its range": ({"value": 1.2}, "outside its range"),
    "no value": ({"value": None}, "an interval without a value"),
    "an interval that leaves the range": (
        {"interval": {**INTERVAL, "low": 0.3, "high": 1.4}}, "leaves the range"),
    "bounds that are swapped": (
        {"interval": {**INTERVAL, "low": 0.9, "high": 0.1}}, "are swapped"),
    "an interval of another width": (
        {"se": 0.3, "df": 20.0, "interval": {**INTERVAL, "low": 0.50, "high": 0.58},
         "value": 0.54}, "does not belong to the standard error 0.3"),
    "a smaller standard error": ({"se": 1e-5}, "does not belong to the standard error 1e-05"),
}  # fmt: skip


@pytest.mark.parametrize(("change", "message"), ESTIMATES.values(), ids=ESTIMATES)
def test_an_edited_audit_is_refused(change, message, tmp_path):
    content = recorded("audit")
    one(content, "gender", RATE).update(change)
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content))
    with pytest.raises(ResultError, match=message):
        AuditResult.load(path)


@pytest.mark.parametrize("kind", KINDS)
def test_an_axis_that_was_cut_out_is_missed(kind, tmp_path):
    """The undecided axis goes, so that a rule about all axes passes (issue 18, item 7)."""
    content = recorded(kind)
    key = "comparisons" if kind == "comparison" else "estimates"
    kept = [x for x in content[key] if x["axis"] != "age"]
    assert len(kept) < len(content[key])
    path = tmp_path / "result.json"
    path.write_text(json.dumps(content | {key: kept}))
    with pytest.raises(ResultError, match=r"the family '\w+(, after)?' has \d+ members, \d+ are"):
        KINDS[kind].load(path)


def edited(result, axis, name, **change):
    """Return a comparison in memory with one entry changed."""
    entries = [
        entry.model_copy(update=change) if (entry.axis, entry.name) == (axis, name) else entry
        for entry in result.comparisons
    ]
    return result.model_copy(update={"comparisons": tuple(entries)})


@pytest.mark.parametrize(
    "change",
    [
        {"verdict": "identical"},
        {"difference": 0.0},
        {"mean_square": 0.9},
        {"n": 10_000_000, "n_clusters": 10_000_000},
        {"df": 3.0},
    ],
)
def test_the_gate_refuses_what_was_edited_in_memory(change):
    result = ComparisonResult.load(RECORDED / "comparison-version-1.json")
    rules = policy({"kind": "max_increase_vs_baseline", "margin": 0.9})
    assert fairaudit.gate(result, rules).decision != "FAIL"
    with pytest.raises(ResultError, match="the comparison with 'before' contradicts itself"):
        fairaudit.gate(edited(result, "gender", RATE, **change), rules)


def test_the_gate_refuses_counts_that_an_interval_does_not_have():
    """Wilson's bounds at another level come from n: a larger one would promise too much."""
    result = AuditResult.load(RECORDED / "audit-version-1.json")
    assert fairaudit.gate(result, NO_ITEMS).decision == "PASS"
    first = next(x for x in result.estimates if x.interval.method == "wilson")
    more = first.model_copy(update={"n": 100 * first.n})
    others = tuple(more if x is first else x for x in result.estimates)
    with pytest.raises(ResultError, match="does not follow from its counts"):
        fairaudit.gate(result.model_copy(update={"estimates": others}), NO_ITEMS)


def test_one_model_that_gave_other_numbers_is_judged_by_its_bounds():
    """Rounding on another machine can flip an item at a tie: small, but not exactly 0."""
    pairs = pair_table([1.0, -1.0] * 100 + [2e-4])
    flipped = pair_table([1.0, -1.0] * 100 + [-2e-4])
    flipped["score"] = flipped["score"] - 1e-4
    pair = [make_audit(name, table, fingerprint="one") for name, table in
            (("a", pairs), ("b", flipped))]  # fmt: skip
    result = compare(pair)
    rate = next(x for x in result.comparisons if x.name == RATE)
    assert rate.verdict == "identical"
    assert rate.difference != 0
    (check,) = fairaudit.gate(result, policy(INCREASE)).rules
    assert (check.decision, check.value) == ("PASS", rate.difference)
    assert "exactly 0" not in check.reason
    wide = {**INCREASE, "margin": abs(rate.difference) / 2}
    assert fairaudit.gate(result, policy(wide)).decision == "INCONCLUSIVE"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_no_case_of_the_matrix_contradicts_itself(case):
    assert list(case.result.contradictions()) == []


@st.composite
def pairs_of_audits(draw):
    """Two audits of clustered pairs and the probe text; any of it may be odd."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    axes = draw(st.lists(st.sampled_from(["gender", "race", "age"]), min_size=1, unique=True))
    sizes = {axis: draw(st.integers(1, 120)) for axis in axes}
    spread = draw(st.sampled_from([0.0, 0.01, 1.0, 30.0]))
    level = draw(st.sampled_from([0.0, 0.1, 3.0]))
    first = pair_table({axis: rng.normal(level, 1.0, n).tolist() for axis, n in sizes.items()})
    if draw(st.booleans()):
        first["cluster"] = [str(int(x)) for x in rng.integers(0, 25, len(first) // 2).repeat(2)]
    moved = rng.normal(draw(st.sampled_from([0.0, 1.0])), 1.0, len(first)) * spread
    second = first.assign(score=first["score"] + moved * (first["role"] == "stereotype"))
    text = rng.normal(-2.0, 0.3, size=(draw(st.sampled_from([2, 15, 45])), 20))
    probes = [probe_table(text), probe_table(text - draw(st.sampled_from([0.0, 0.3])))]
    return [make_audit(name, table, probe) for name, table, probe in
            zip("ab", (first, second), probes, strict=True)]  # fmt: skip


@pytest.mark.long
@given(pairs_of_audits(), st.sampled_from([0.001, 0.05, 0.3, 0.49]))
@settings(max_examples=60, deadline=None)
def test_nothing_that_was_computed_contradicts_itself(pair, alpha):
    result = compare(pair, alpha=alpha)
    found = [*result.contradictions(), *(x for audit in pair for x in audit.contradictions())]
    assert found == []
    entries = (*result.comparisons, *pair[0].estimates, *pair[1].estimates)
    assert not [entry.key for entry in entries if contradicts_counts(entry)]
