"""What one audit lacks: named in the comparison, in its headline, and never passed by a gate."""

from __future__ import annotations

import pandas as pd
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.gating.gate import gate
from fairaudit.report.comparison.summary import next_steps, overall
from fairaudit.results import ComparisonResult, NotCompared
from tests.comparing.audits import PROTOCOL, make_audit, pair_table

ALIKE = [1.0, -1.0] * 1000
BOTH = pair_table({"gender": ALIKE, "race": ALIKE})
GENDER = pair_table({"gender": ALIKE})
RACE_SKIPPED = pair_table({"gender": ALIKE, "race": [float("nan")] * 20})
INCREASE = {"kind": "max_increase_vs_baseline", "margin": 0.2}


def compared(ours: pd.DataFrame, theirs: pd.DataFrame) -> ComparisonResult:
    return compare([make_audit("a", ours), make_audit("b", theirs)])


def named(result: ComparisonResult) -> dict[str, str]:
    """Return what was not compared, but for the probe text."""
    return {one.key: one.reason for one in result.not_compared if one.key != "b: probe"}


def decisions(result: ComparisonResult, **rule) -> list[str]:
    return [one.decision for one in gate(result, {"rules": [INCREASE | rule]}).rules]


@pytest.mark.parametrize(
    ("ours", "theirs", "reason"),
    [
        (BOTH, GENDER, "only the baseline was scored on this axis"),
        (GENDER, BOTH, "only the candidate was scored on this axis"),
        (BOTH, RACE_SKIPPED, "only the baseline was scored on this axis"),
        (RACE_SKIPPED, RACE_SKIPPED, "neither audit has a scored item on this axis"),
        (BOTH, BOTH.assign(item_id=BOTH["item_id"].str.replace("race", "other")),
         "the audits have no scored item in common"),
    ],
)  # fmt: skip
def test_an_axis_that_was_not_compared_is_named_and_does_not_pass(ours, theirs, reason):
    result = compared(ours, theirs)
    assert named(result) == {f"b: {PROTOCOL} | race": reason}
    decided = gate(result, {"rules": [INCREASE]})
    assert (decided.decision, decided.exit_code) == ("NOT_RUN", 3)
    assert [one.decision for one in decided.rules] == ["PASS", "NOT_RUN"]
    assert decided.rules[1].reason == f"{PROTOCOL} | race was not compared: {reason}"
    assert "1 axis was not compared: race." in overall(result)
    assert any("1 part of a protocol" in step for step in next_steps(result))


def test_the_same_axes_on_both_sides_name_nothing():
    result = compared(BOTH, BOTH)
    assert named(result) == {}
    assert decisions(result) == ["PASS", "PASS"]
    assert "not compared" not in overall(result)


def test_only_rules_about_the_axis_are_not_run():
    result = compared(BOTH, GENDER)
    assert decisions(result, axis="gender") == ["PASS"]
    assert decisions(result, axis=["gender", "rac*"]) == ["PASS", "NOT_RUN"]
    assert decisions(result, axis="race") == ["NOT_RUN"]
    (lost,) = gate(result, {"rules": [INCREASE | {"axis": "race"}]}).rules
    assert lost.reason.endswith("was not compared: only the baseline was scored on this axis")
    assert decisions(result, suite="mine") == ["PASS", "NOT_RUN"]
    for kind in (
        {"kind": "min_items", "minimum": 10},
        {"kind": "max_deviation_from_ideal", "limit": 0.2},
        {"kind": "equivalent_to_baseline", "margin": 0.2},
    ):
        found = gate(result, {"rules": [kind]}).rules
        assert [one.decision for one in found] == ["PASS", "NOT_RUN"]


def test_each_candidate_lacks_its_own():
    audits = [make_audit(name, table) for name, table in
              (("a", BOTH), ("b", GENDER), ("b: c", BOTH))]  # fmt: skip
    result = compare(audits)
    assert decisions(result) == ["PASS", "NOT_RUN", "PASS", "PASS"]


def test_an_axis_that_another_protocol_compared_is_said_to_be():
    exploratory = BOTH.assign(protocol="mine/causal-mean")
    result = compared(pd.concat([BOTH, exploratory]), pd.concat([BOTH, exploratory.head(4000)]))
    assert list(named(result)) == ["b: mine/causal-mean | race"]
    assert "1 axis was not compared by every protocol: race." in overall(result)
    assert decisions(result) == ["PASS", "PASS"]


def test_groups_and_numbers_of_one_side_are_named():
    """One of two groups is skipped by the candidate: no rule on its axis is kept."""
    halves = ["first", "first", "second", "second"] * 1000
    grouped = GENDER.assign(group=halves)
    table = grouped.copy()
    lost = table["group"] == "second"
    table.loc[lost, "score"] = float("nan")
    table.loc[lost, "status"] = "skipped"
    result = compared(grouped, table)
    found = named(result)
    assert all(key.startswith(f"b: {PROTOCOL} | gender | second") for key in found)
    assert set(found.values()) == {"only the baseline was scored on this group"}
    assert decisions(result) == ["INCONCLUSIVE"]
    assert decisions(result, group="*", metric="stereotype_preference_rate")[-1] == "NOT_RUN"
    assert decisions(result, group="first", metric="stereotype_preference_rate") == ["PASS"]


def test_a_number_of_one_side_is_named_as_far_as_it_reaches():
    ours, theirs = make_audit("a", GENDER), make_audit("b", GENDER)
    whole = [one for one in ours.estimates if one.axis == "gender" and one.group is None]
    extra = [whole[0].model_copy(update={"name": name, "primary": primary})
             for name, primary in (("extra", False), ("other", True))]  # fmt: skip
    more = ours.model_copy(update={"estimates": (*ours.estimates, *extra)})
    result = compare([more.with_tables({"mine": GENDER}), theirs])
    assert named(result) == {
        f"b: {PROTOCOL} | gender | - | other": "only the baseline has this number",
        f"b: {PROTOCOL} | gender | - | extra": "only the baseline has this number",
    }
    assert decisions(result) == ["PASS", "NOT_RUN"]
    assert "NOT_RUN" in decisions(result, metric="ext*")


def test_suites_and_protocols_are_still_asked_for_by_requires():
    """A whole suite that only one side has is named; only a rule about it misses it."""
    result = compared(BOTH, BOTH)
    less = result.model_copy(update={"not_compared": (NotCompared.of("b", "bold", "not run"),)})
    assert decisions(less) == ["PASS", "PASS"]
    assert decisions(less, suite="bold") == ["NOT_RUN"]


def test_a_name_that_looks_like_a_path_of_names_is_one_name():
    """Issue 18, item 6: an axis `race | ethnicity` that only the baseline has passed the gate."""
    odd = GENDER.assign(axis="race | ethnicity", item_id="r" + GENDER["item_id"])
    result = compared(pd.concat([GENDER, odd]), GENDER)
    (gap,) = (one for one in result.not_compared if one.suite == "mine")
    assert (gap.protocol, gap.axis, gap.group, gap.metric) == (
        PROTOCOL, "race | ethnicity", None, None,
    )  # fmt: skip
    assert decisions(result) == ["PASS", "NOT_RUN"]
    assert decisions(result, axis="race*") == ["NOT_RUN"]


@pytest.mark.parametrize(
    ("key", "fields"),
    [
        ("b: bold", ("b", "bold", None, None, None, None)),
        ("b: mine/x", ("b", "mine", "mine/x", None, None, None)),
        ("b: mine/x | race", ("b", "mine", "mine/x", "race", None, None)),
        ("b: mine/x | race | ethnicity", ("b", "mine", "mine/x", "race | ethnicity", None, None)),
        (f"b: {PROTOCOL} | gender | women", ("b", "mine", PROTOCOL, "gender", "women", None)),
        (f"b: {PROTOCOL} | gender | - | rate", ("b", "mine", PROTOCOL, "gender", None, "rate")),
        ("b: c: mine/x | race", ("b: c", "mine", "mine/x", "race", None, None)),
    ],
)
def test_gaps_of_files_without_fields_are_read_from_their_key(key, fields):
    audits = [make_audit(name, GENDER) for name in ("a", "b", "b: c")]
    content = compare(audits).model_dump(mode="json", by_alias=True)
    content["not_compared"] = [{"key": key, "reason": "because"}]
    (gap,) = ComparisonResult.model_validate(content).not_compared
    found = (gap.candidate, gap.suite, gap.protocol, gap.axis, gap.group, gap.metric)
    assert found == fields
    assert gap.key == key
