"""Revised CrowS-Pairs beside the original on the same pairs, worked by hand."""

from __future__ import annotations

import pytest

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.items import Answer, Item, Skipped
from fairaudit.metrics.revisions import revision_estimates, revision_notes
from fairaudit.results import AuditResult
from fairaudit.stats.tango import tango_bound
from fairaudit.suites import get_suite
from tests.cli.program import fairaudit
from tests.conftest import shared

Z = 1.959963984540054


def table(suite, odds, variant="causal-sum", axis="race", direction="stereo", **axes):
    """Score table of pairs by row number: score of the stereotyped sentence minus the other."""
    (protocol,) = (one for one in get_suite(suite).protocols if one.id == f"{suite}/{variant}")
    rows = []
    for number, value in odds.items():
        item = Item(
            str(number), axes.get(f"_{number}", axis), None, str(number), {},
            facts={"direction": direction},
        )  # fmt: skip
        scores = {"stereotype": value, "anti_stereotype": 0.0}
        for role, score in scores.items():
            answer = Skipped("none") if score is None else Answer((score,))
            rows += item_rows(item, protocol, role, answer)
    return score_table(rows)


def estimates(original, revised, suite="crows_pairs_neveol"):
    found = revision_estimates({"crows_pairs": original, suite: revised}, 0)
    return {(one.protocol, one.axis): one for one in found}


def test_the_difference_worked_by_hand():
    """Of 40 pairs one turns towards the stereotype, three turn away, the others stay."""
    before = {n: 1.0 if n < 20 else -1.0 for n in range(40)}
    after = before | {30: 1.0, 0: -1.0, 1: -1.0, 2: -1.0}
    found = estimates(table("crows_pairs", before), table("crows_pairs_neveol", after))
    assert set(found) == {("crows_pairs_neveol/causal-sum", axis) for axis in ("all", "race")}
    one = found["crows_pairs_neveol/causal-sum", "race"]
    assert one.value == pytest.approx(-2 / 40)
    assert (one.n, one.n_skipped, one.kind, one.ideal) == (40, 0, "control", 0.0)
    assert not one.primary
    assert one.interval.method == "tango"
    assert one.interval.high == pytest.approx(tango_bound(1, 3, 40, Z), abs=1e-6)
    assert one.interval.low == pytest.approx(-tango_bound(3, 1, 40, Z), abs=1e-6)
    # Mid-p of 1 among 4: 2 · (½⁴ + 4 · ½⁴/2).
    assert one.p_value == pytest.approx(2 * (1 + 2) / 16)


def test_only_pairs_of_both_files_count():
    """The original alone has 40-49, the revision 50-59: neither moves the number."""
    before = dict.fromkeys(range(50), 1.0)
    after = {n: 1.0 if n < 40 else -1.0 for n in [*range(40), *range(50, 60)]}
    tables = {
        "crows_pairs": table("crows_pairs", before),
        "crows_pairs_kinit": table("crows_pairs_kinit", after),
    }
    (one, _) = revision_estimates(tables, 0)
    assert (one.value, one.n) == (0.0, 40)
    # No pair changed: the interval still has a width, z²/(n + z²).
    assert one.interval.high == pytest.approx(Z**2 / (40 + Z**2), abs=1e-6)
    (note,) = revision_notes(tables)
    assert note == (
        "CrowS-Pairs, Kinit revision: compared with CrowS-Pairs on 40 pairs of the same row "
        "number and direction, of 50 pairs of the revision and 50 of the original"
    )


def test_a_pair_is_on_the_axis_of_the_original():
    before = table("crows_pairs", dict.fromkeys(range(20), 1.0))
    labels = {f"_{n}": "other" for n in range(10)}
    after = table("crows_pairs_kinit", dict.fromkeys(range(20), 1.0), **labels)
    found = estimates(before, after, "crows_pairs_kinit")
    assert {axis for _, axis in found} == {"all", "race"}
    assert found["crows_pairs_kinit/causal-sum", "race"].n == 20


def test_a_row_of_another_direction_is_another_pair():
    odds = dict.fromkeys(range(20), 1.0)
    turned = table("crows_pairs_neveol", odds, direction="antistereo")
    found = estimates(table("crows_pairs", odds), turned)
    assert found["crows_pairs_neveol/causal-sum", "all"].value is None
    assert found["crows_pairs_neveol/causal-sum", "all"].reason


def test_what_was_not_scored_is_counted_and_no_zero():
    before = dict.fromkeys(range(20), 1.0)
    after = dict.fromkeys(range(20), 1.0) | {0: None, 1: None}
    found = estimates(table("crows_pairs", before), table("crows_pairs_neveol", after))
    one = found["crows_pairs_neveol/causal-sum", "all"]
    assert (one.value, one.n, one.n_skipped) == (0.0, 18, 2)
    assert "skipped_items" in one.cautions
    nothing = estimates(
        table("crows_pairs", before), table("crows_pairs_neveol", dict.fromkeys(range(20)))
    )["crows_pairs_neveol/causal-sum", "all"]
    assert (nothing.value, nothing.n_skipped) == (None, 20)


def test_ties_count_one_half_by_the_rule_of_the_protocol():
    before, after = dict.fromkeys(range(20), 1.0), dict.fromkeys(range(20), 4e-4)
    for variant, value in (("causal-sum", 0.0), ("pll-nangia", -0.5)):
        found = estimates(
            table("crows_pairs", before, variant), table("crows_pairs_neveol", after, variant)
        )
        one = found[f"crows_pairs_neveol/{variant}", "all"]
        assert one.value == value
        assert one.n_tied == (20 if value else 0)


def test_exchanging_the_files_turns_the_sign():
    before = {n: 1.0 if n % 3 else -1.0 for n in range(60)}
    after = {n: 1.0 if n % 4 else -1.0 for n in range(60)}
    one = estimates(table("crows_pairs", before), table("crows_pairs_neveol", after))
    other = estimates(table("crows_pairs", after), table("crows_pairs_neveol", before))
    key = ("crows_pairs_neveol/causal-sum", "all")
    assert one[key].value == pytest.approx(-other[key].value)
    assert one[key].interval.low == pytest.approx(-other[key].interval.high)


def test_without_the_original_or_a_common_protocol_there_is_nothing():
    odds = dict.fromkeys(range(20), 1.0)
    revised = table("crows_pairs_neveol", odds)
    assert not list(revision_estimates({"crows_pairs_neveol": revised}, 0))
    assert not list(revision_notes({"crows_pairs_neveol": revised}))
    original = table("crows_pairs", odds, "causal-mean")
    assert not estimates(original, revised)


@pytest.mark.long
@pytest.mark.parametrize("model", ["gpt2-mini", "bert-mini"])
def test_an_audit_of_both_shows_the_difference(tmp_path, model):
    done = fairaudit(
        "audit", shared("models", model), "--suites", "crows_pairs,crows_pairs_neveol", "--axes",
        "disability,religion", "--limit", 40, "--data", shared("data"),
        "--output", tmp_path / "audit",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = AuditResult.load(tmp_path / "audit")
    found = [one for one in result.estimates if one.name == "revision_difference"]
    variants = {one.protocol.partition("/")[2] for one in result.estimates
                if one.suite == "crows_pairs"}  # fmt: skip
    assert {one.protocol for one in found} == {f"crows_pairs_neveol/{one}" for one in variants}
    assert {one.axis for one in found} == {"all", "disability", "religion"}
    assert all(one.interval is not None for one in found)
    # A part of both files is drawn by row number: nearly the same pairs.
    assert all(one.n >= 35 for one in found)
    assert any("compared with CrowS-Pairs on" in note for note in result.notes)
    page = (tmp_path / "audit" / "report.html").read_text(encoding="utf-8")
    assert "Revision minus original" in page
