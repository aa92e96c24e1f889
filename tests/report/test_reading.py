from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.gating.gate_selection import incapable
from fairaudit.report.audit import reading, summary, view
from fairaudit.report.audit.reading import Standing, falls_short, standing
from fairaudit.report.scale import fit
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import above_chance, capable, concerning, weakness_of
from tests.report import audits


def _bias(low: float, high: float, **fields: object) -> Estimate:
    found = {"name": "stereotype_preference_rate", "kind": "bias", "ideal": 0.5, "direction": 1}
    middle = (low + high) / 2
    given = {"value": middle, "interval": audits.interval(low, high), **found, **fields}
    return audits.make("templates/causal-sum", "race", 10, 10, **given)


@pytest.mark.parametrize(
    ("low", "high", "direction", "expected"),
    [
        (0.51, 0.6, 1, Standing.TOWARDS),
        (0.4, 0.49, 1, Standing.AWAY),
        (0.51, 0.6, -1, Standing.AWAY),
        (0.4, 0.49, -1, Standing.TOWARDS),
        (0.4, 0.49, 0, Standing.APART),
        (0.5, 0.6, 1, Standing.INCLUDES),
    ],
)
def test_standing(low: float, high: float, direction: int, expected: Standing):
    assert standing(_bias(low, high, direction=direction)) is expected


def test_a_gap_between_groups_does_not_say_whom_it_is_against():
    gap = {"name": "toxicity_largest_gap", "ideal": 0.0}
    assert standing(_bias(0.02, 0.1, **gap)) is Standing.APART
    assert standing(_bias(0.0, 0.1, **gap)) is Standing.INCLUDES


def test_standing_needs_an_interval():
    assert standing(_bias(0.6, 0.7, interval=None)) is Standing.UNKNOWN
    assert reading.standing_words(_bias(0.6, 0.7, interval=None)) == "no interval"
    assert reading.standing_words(_bias(0.4, 0.7)) == "no lean shown (50 % is possible)"


def test_a_lean_that_correction_undoes_says_so():
    lean = _bias(0.51, 0.7, p_adjusted=0.4)
    assert reading.standing_words(lean) == (
        "leans towards the stereotype, but not after correction"
    )
    firm = lean.model_copy(update={"p_adjusted": 0.001})
    unknown = lean.model_copy(update={"p_adjusted": None})
    assert reading.standing_words(firm) == "leans towards the stereotype"
    assert reading.standing_words(unknown) == "leans towards the stereotype"
    assert reading.survives(unknown) is None
    assert not reading.lost_in_correction(_bias(0.4, 0.7, p_adjusted=1.0))


def _able(name: str, **fields: object) -> Estimate:
    return audits.make("stereoset/x", "race", 9, 9, name=name, kind="capability", **fields)


def test_capability_must_lie_above_chance():
    lm = "language_modeling_score"
    high = _able(lm, value=0.7, interval=audits.interval(0.6, 0.8), chance=0.5)
    assert above_chance(high) is True
    assert above_chance(high.model_copy(update={"interval": None})) is None
    assert above_chance(high.model_copy(update={"chance": 0.6})) is False
    assert above_chance(high.model_copy(update={"chance": None})) is None
    assert above_chance(high.model_copy(update={"value": None})) is None


@given(st.lists(st.tuples(*[st.sampled_from(choices) for choices in (
    ("p/a", "p/b"), ("race", "gender", "all"), ("lm", "perplexity"), (None, 0.5), (None, 0.4, 0.6),
    (True, False),
)]), max_size=5, unique_by=lambda one: one[:3]))  # fmt: skip
def test_comparison_gate_and_report_agree_on_who_is_capable(drawn):
    """Issue 19: they disagreed where a capability has no interval."""
    bias = _bias(0.4, 0.6).model_copy(update={"protocol": "p/a", "suite": "p"})
    measured = [
        audits.make(
            protocol, axis, 9, 9, name=name, kind="capability", chance=chance,
            value=None if value is None else value,
            interval=audits.interval(value - 0.05, value + 0.05) if bounded and value else None,
        )
        for protocol, axis, name, chance, value, bounded in drawn
    ]  # fmt: skip
    whole = audits.whole_audit().model_copy(update={"estimates": (bias, *measured)})
    able, weak = capable(measured, bias), weakness_of(bias, measured)
    assert (incapable(bias, whole) is None) == (weak is None)
    assert (able is True) == (weak is None and bool(concerning(measured, bias)))
    assert able is not False or weak is not None
    for one in concerning(measured, bias):
        assert falls_short(one) == (above_chance(one) is not True)


def test_less_perplexity_is_better():
    ppl = _able("perplexity", value=90.0, interval=audits.interval(80, 100), chance=8192.0)
    assert above_chance(ppl) is True
    assert above_chance(ppl.model_copy(update={"chance": 85.0})) is False


def test_weakness_reaches_the_same_protocol_and_axis(audit: AuditResult):
    measured = audits.guessing_about_religion(audit).estimates
    hit = {found.key for found in view.primary_bias(audit) if weakness_of(found, measured)}
    assert hit == {
        ("stereoset/intrasentence-causal", "religion", None, "stereotype_score"),
    }


def test_an_axis_without_an_interval_is_judged_by_the_pooled_capability(audit: AuditResult):
    religion = next(
        one for one in audit.estimates if one.kind == "capability" and one.axis == "religion"
    )
    assert religion.interval is None
    assert not any(weakness_of(found, audit.estimates) for found in view.primary_bias(audit))


def test_a_failed_probe_reaches_the_suites_without_a_capability_of_their_own(audit: AuditResult):
    failed = [
        one.model_copy(update={"chance": 0.99}) if one.suite == "probe" else one
        for one in audit.estimates
    ]
    own = {one.protocol for one in audit.estimates if one.kind == "capability"}
    for found in view.primary_bias(audit):
        hit = weakness_of(found, failed)
        if found.protocol not in own:
            assert hit is not None
            assert hit.suite == "probe"


def test_summary_counts_and_never_judges(audit: AuditResult, empty: AuditResult):
    text = f"{summary.measured(audit)} {summary.found(audit)} {summary.LIMITS}"
    assert "10,777 items of 3 suites" in text
    assert "19 primary estimates" in text
    assert "Holm’s correction for 17 looks" in text
    assert "unbiased" not in text
    assert "compliant" not in text
    assert "No suite ran" in summary.measured(empty)
    assert summary.gaps(audit) == "2 suites did not run."


def test_cards_begin_with_axes_that_most_suites_speak_about(audit: AuditResult):
    cards = view.cards(audit)
    assert [card.axis for card in cards[:3]] == ["gender", "race", "religion"]
    assert len(cards[0].estimates) == 3
    assert sum(len(card.estimates) for card in cards) == 19


def test_every_estimate_has_its_place(audit: AuditResult):
    shown = [found.key for found in reading.capabilities(audit)]
    for section in view.sections(audit):
        shown += [found.key for found in section.primary_estimates]
        shown += [one.key for block in section.exploratory for axis in block.axes for one in axis]
    shown += [one.key for block in view.controls(audit) for axis in block.axes for one in axis]
    assert set(shown) == {found.key for found in audit.estimates}


def test_a_suite_that_the_audit_does_not_list_is_still_shown(audit: AuditResult):
    orphan = audit.model_copy(update={"suites": ()})
    assert [s.name for s in view.sections(orphan)] == ["templates", "crows_pairs", "stereoset"]


def test_anchors_are_unique_even_for_names_that_look_alike(audit: AuditResult):
    anchors = view.anchors(audit)
    assert len(set(anchors.values())) == len(anchors) == 19
    first = audit.estimates[2]
    twins = (first, first.model_copy(update={"axis": "Gender"}))
    assert len(set(view.anchors(audit.model_copy(update={"estimates": twins})).values())) == 2


def test_scales_are_symmetric_around_the_ideal():
    scale = fit([reading.mark_of(_bias(0.4, 0.7))])
    assert scale is not None
    assert scale.place(0.5) == pytest.approx(0.5)
    assert 0.5 in scale.ticks
    assert 0 < scale.place(0.7) < 1


def test_scales_of_sizes_and_of_huge_values():
    size = reading.mark_of(_able("perplexity", value=2.0, range=(0.0, None)))
    small = fit([size])
    assert small is not None
    assert small.place(0.0) > 0
    huge = fit([replace(size, value=1e30)])
    assert huge is not None
    assert huge.high > huge.low
    assert fit([replace(size, value=None)]) is None
