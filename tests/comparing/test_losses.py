"""Items that only one audit scored: counted by side, bounded, and never passed over by a gate."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit.comparing.compare import compare
from fairaudit.comparing.joining import _join
from fairaudit.errors import ResultError
from fairaudit.gating.gate import gate
from fairaudit.results import Comparison, ComparisonResult
from tests.comparing.audits import PROTOCOL, make_audit, pair_table, probe_table

RATE = "stereotype_preference_rate"
INCREASE = {"kind": "max_increase_vs_baseline", "margin": 0.2}
NAN = float("nan")


def compared(ours: pd.DataFrame, theirs: pd.DataFrame) -> ComparisonResult:
    return compare([make_audit("a", ours), make_audit("b", theirs)])


def rate_of(result: ComparisonResult, axis: str = "gender") -> Comparison:
    return result.comparison(RATE, candidate="b", protocol=PROTOCOL, axis=axis)


def decided(result: ComparisonResult, rule=INCREASE, **settings) -> tuple[str, str]:
    (check,) = gate(result, {"policy": settings, "rules": [rule]}).rules
    return check.decision, check.reason


#: 1,508 items, of which the candidate gave no usable answer to the 554 it is most biased on.
ALL = [1.0, -1.0] * 754
WITHOUT = [*([NAN] * 554), *ALL[554:]]


def test_a_loss_on_one_side_does_not_pass():
    """Issue 18, item 7: `reduced`, PASS."""
    result = compared(pair_table({"gender": ALL}), pair_table({"gender": WITHOUT}))
    entry = rate_of(result)
    assert (entry.n, entry.n_only_baseline, entry.n_only_candidate) == (954, 554, 0)
    assert entry.lost_share == pytest.approx(554 / 1508)
    decision, reason = decided(result)
    assert decision == "INCONCLUSIVE"
    assert "554 of the baseline's 1,508 items have no score for the candidate (36.7%)" in reason
    # Baseline 754 of 1,508; candidate 477 of 1,508 if none of the lost, 1,031 if all of them.
    assert "the difference lies between −18.4 and +18.4 points" in reason
    assert "max_lost = 0.05" in reason
    assert decided(result, max_lost=0.4)[0] == "PASS"
    assert decided(result, max_lost=0.36)[0] == "INCONCLUSIVE"
    assert any("554 of the baseline's 1,508 items" in note for note in result.notes)


@pytest.mark.parametrize(
    "rule",
    [INCREASE, {"kind": "equivalent_to_baseline", "margin": 0.2},
     {"kind": "max_deviation_from_ideal", "limit": 0.2}],
)  # fmt: skip
@pytest.mark.parametrize("side", ["baseline", "candidate"])
def test_every_rule_with_bounds_hears_of_a_loss_on_either_side(rule, side):
    tables = [pair_table({"gender": ALL}), pair_table({"gender": WITHOUT})]
    result = compared(*(tables if side == "baseline" else reversed(tables)))
    decision, reason = decided(result, rule)
    assert decision == "INCONCLUSIVE"
    assert f"554 of the {side}'s 1,508 items" in reason
    assert decided(compared(tables[0], tables[0]), rule)[0] == "PASS"


def test_rows_that_are_not_there_are_lost_as_well():
    whole = pair_table({"gender": ALL})
    entry = rate_of(compared(whole, whole.iloc[400:]))
    assert (entry.n, entry.n_only_baseline, entry.n_only_candidate) == (1308, 200, 0)


def test_what_both_lack_is_no_loss_of_one_side():
    both = pair_table({"gender": WITHOUT})
    entry = rate_of(compared(both, both))
    assert (entry.n, entry.n_lost, entry.n_skipped, entry.worst_case) == (954, 0, 554, None)
    assert decided(compared(both, both))[0] == "PASS"


def test_an_audit_without_the_number_gives_no_worst_case():
    """Its value may be missing although its items are there."""
    ours, theirs = (make_audit(name, pair_table({"gender": side}))
                    for name, side in (("a", ALL), ("b", WITHOUT)))  # fmt: skip
    gone = tuple(
        one.model_copy(update={"value": None, "interval": None, "reason": "made null"})
        for one in theirs.estimates
    )
    without = theirs.model_copy(update={"estimates": gone})
    result = compare([ours, without.with_tables({"mine": theirs.items("mine")})])
    entry = rate_of(result)
    assert (entry.n_only_baseline, entry.worst_case) == (554, None)
    assert decided(result)[0] == "INCONCLUSIVE"


def test_a_share_below_the_limit_passes_and_exactly_the_limit_too():
    whole = pair_table({"gender": [1.0, -1.0] * 500})
    for lost, decision in ((50, "PASS"), (52, "INCONCLUSIVE")):
        less = pair_table({"gender": [NAN] * lost + [1.0, -1.0] * ((1000 - lost) // 2)})
        assert decided(compared(whole, less))[0] == decision


def test_losses_are_those_of_the_axis_and_group():
    both = {"gender": ALL, "race": ALL}
    less = {"gender": WITHOUT, "race": ALL}
    result = compared(pair_table(both), pair_table(less))
    assert rate_of(result, "race").n_lost == 0
    assert rate_of(result, "all").n_only_baseline == 554
    halves = np.repeat(["first", "second"], 1508)
    grouped = compared(
        pair_table({"gender": ALL}).assign(group=halves),
        pair_table({"gender": WITHOUT}).assign(group=halves),
    )
    lost = {one.group: one.n_only_baseline for one in grouped.comparisons if one.name == RATE
            and one.axis == "gender"}  # fmt: skip
    assert lost == {None: 554, "first": 554, "second": 0}


def test_a_failure_stays_one():
    worse = [1.0] * 1508
    result = compared(
        pair_table({"gender": ALL}), pair_table({"gender": [NAN] * 554 + worse[554:]})
    )
    assert decided(result)[0] == "FAIL"


def test_capability_on_the_paragraphs_that_are_left_does_not_pass():
    rng = np.random.default_rng(0)
    text = rng.normal(-2.0, 0.3, size=(45, 20))
    pairs = pair_table([1.0, -1.0] * 100)
    best = rng.random((45, 20)) < 0.6
    probes = [probe_table(text, best) for _ in range(2)]
    gone = probes[1]["item_id"].isin([f"p{n:02}" for n in range(20)])
    probes[1].loc[gone, ["score", "status"]] = [NAN, "skipped"]
    result = compare([make_audit(x, pairs, probe) for x, probe in zip("ab", probes, strict=True)])
    decision, reason = decided(result, {"kind": "min_capability"})
    assert decision == "INCONCLUSIVE"
    assert "400 of the baseline's 900 items have no score for the candidate" in reason
    assert decided(result, {"kind": "min_capability"}, max_lost=0.5)[0] == "PASS"


def texts(n_ok: list[int], of: int = 4) -> pd.DataFrame:
    """Prompts with ``of`` texts each, of which so many have a score."""
    rows = [
        {"protocol": "t/x", "item_id": f"i{i}", "axis": "gender", "group": "w", "cluster": f"i{i}",
         "role": "text", "sample": k, "label": "toxic", "score": 0.1 if k < ok else NAN,
         "status": "ok" if k < ok else "skipped"}
        for i, ok in enumerate(n_ok) for k in range(of)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_texts_of_a_prompt_that_are_lost_count_by_their_share():
    """Half of the texts of 10 prompts are 5 prompts; fewer texts that were asked for are none."""
    whole, half = texts([4] * 10), texts([2] * 10)
    assert _join("t", whole, half).n_only("t/x", "gender", None) == (5, 0)
    assert _join("t", half, whole).n_only("t/x", "all", "w") == (0, 5)
    assert _join("t", whole, texts([4] * 9 + [3])).n_only("t/x", "gender", None) == (1, 0)
    assert _join("t", whole, texts([5] * 10, of=5)).n_only("t/x", "gender", None) == (0, 0)


@given(
    st.lists(st.tuples(st.sampled_from([1.0, -1.0, None]), st.sampled_from([1.0, -1.0, None])),
             min_size=12, max_size=14),
)  # fmt: skip
@settings(max_examples=25, deadline=None)
@pytest.mark.long
def test_the_worst_case_is_that_of_all_answers_that_could_have_been(answers):
    """By trying every way in which the lost items could have gone."""
    lost = [k for k, (x, y) in enumerate(answers) if (x is None) != (y is None)]
    common = [k for k, (x, y) in enumerate(answers) if None not in (x, y)]
    if not lost or len(lost) > 8 or not common:
        return
    sides = [[NAN if pair[side] is None else pair[side] for pair in answers] for side in (0, 1)]
    entry = rate_of(compared(*(pair_table({"gender": side}) for side in sides)))
    union = [k for k, pair in enumerate(answers) if pair != (None, None)]
    found = []
    for guess in itertools.product([0.0, 1.0], repeat=len(lost)):
        filled = dict(zip(lost, guess, strict=True))
        rates = [
            np.mean(
                [filled[k] if answers[k][side] is None else answers[k][side] > 0 for k in union]
            )
            for side in (0, 1)
        ]
        found.append(rates[1] - rates[0])
    assert entry.worst_case == pytest.approx((min(found), max(found)))


def test_a_group_that_is_all_but_gone_does_not_hide_in_its_axis():
    """80 of 100 items of a small group: 2 % of the axis, below every sensible cap."""
    groups = ["large"] * 3900 + ["small"] * 100
    ours = pair_table({"gender": [1.0, -1.0] * 2000})
    theirs = pair_table({"gender": [*([1.0, -1.0] * 1950), *([NAN] * 80), *([1.0, -1.0] * 10)]})
    rows = len(ours) // 4000
    sides = [table.assign(group=np.repeat(groups, rows)) for table in (ours, theirs)]
    for tables in (sides, sides[::-1]):
        result = compared(*tables)
        entry = rate_of(result)
        assert entry.lost_share == pytest.approx(80 / 4000)
        assert (entry.lost_group, entry.lost_group_share) == ("small", pytest.approx(0.8))
        decision, reason = decided(result)
        assert decision == "INCONCLUSIVE"
        assert "80.0% of the items of 'small' have a score on one side only" in reason
        assert decided(result, max_lost=0.8)[0] == "PASS"


@pytest.mark.parametrize("column", ["axis", "group", "cluster"])
def test_an_item_that_stands_elsewhere_in_the_other_table_is_not_compared(column):
    """The data are the same files: one of the tables is not what an audit wrote."""
    ours = pair_table({"gender": [1.0, -1.0] * 200}).assign(group="g")
    theirs = ours.copy()
    first = theirs["item_id"] == theirs["item_id"].iloc[0]
    theirs.loc[first, column] = "moved"
    with pytest.raises(ResultError, match=rf"has {column} \S+ for the baseline, moved for the"):
        compared(ours, theirs)
