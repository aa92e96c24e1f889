"""Groups with different shares of the text: probes by whom they name, and bias by group."""

from __future__ import annotations

import math

import numpy as np
import pytest

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.experiments import disparity
from fairaudit.experiments.experiment_plan import load_plan
from fairaudit.experiments.probes import stereotyped_groups, world_probes
from fairaudit.experiments.world import Mixture, load_words, population
from fairaudit.suites.custom import _pair_protocols
from tests.comparing.audits import make_audit, pair_table
from tests.experiments.ideal_reader import IdealReader


def audit_of(mixture: Mixture):
    """The audit of an ideal reader, with scores of every item about gender."""
    reader, protocol = IdealReader(mixture), _pair_protocols("world")[0]
    rows = [
        row
        for item in population()
        if item.axis == "gender"
        for role in item.texts
        for row in item_rows(item, protocol, role, reader.answer(protocol.request(item, role)))
    ]
    return make_audit("reader", pair_table([0.0] * 6)).with_tables({"world": score_table(rows)})


@pytest.fixture(scope="module")
def audits():
    mixtures = {
        ("base", 0): Mixture(tau=0.0),
        ("plain", 0): Mixture(mu=0.7, tau=0.0, share={"gender": 0.05}),
        ("dp_3", 0): Mixture(mu=0.7, tau=0.4, seed=3, share={"gender": 0.2}),
    }
    return {key: audit_of(mixture) for key, mixture in mixtures.items()}, mixtures


def test_naming_is_how_much_more_often_the_first_group_is_named(audits):
    """A share of 5 % gives log(0.95 / 0.05) whatever the stereotypes: half of them name each."""
    found, mixtures = audits
    assert disparity.naming(found, "base", 0, "gender") == pytest.approx(0.0, abs=1e-9)
    assert disparity.naming(found, "plain", 0, "gender") == pytest.approx(math.log(19))
    signs = [1 - 2 * one.stereotyped for one in load_words().axes["gender"].concepts]
    expected = np.mean(np.array(signs) * mixtures["dp_3", 0].log_odds("gender"))
    assert disparity.naming(found, "dp_3", 0, "gender") == pytest.approx(expected)


def test_who_was_not_asked_has_no_naming(audits):
    found, _ = audits
    assert disparity.naming(found, "cda", 0, "gender") is None
    assert disparity.naming(found, "plain", 0, "religion") is None
    other = {("plain", 0): make_audit("other", pair_table([0.0] * 6))}
    assert disparity.naming(other, "plain", 0, "gender") is None


def test_disparity_that_goes_with_naming_is_found(monkeypatch):
    """Five seeds whose order of disparity is the opposite of that of naming."""
    own = load_plan("regimes").regimes()["rare-group"]
    named = {("dp_3", seed): 1.0 - 0.1 * seed for seed in range(5)}
    monkeypatch.setattr(disparity, "naming", lambda _, arm, seed, axis: named.get((arm, seed), 0.2))
    areas = {"gender": {("dp_3", seed): 0.1 * seed for seed in range(5)}}
    monkeypatch.setattr(disparity, "disparities", lambda _: areas)
    diagnoses = dict.fromkeys(areas["gender"])
    (found,) = disparity.naming_predictions(diagnoses, {}, own)
    assert (found.outcome, found.value, found.n_seeds) == ("naming", -1.0, 5)
    even = load_plan("regimes").regimes()["same-lean"]
    assert not list(disparity.naming_predictions(diagnoses, {}, even))


def test_probes_of_uneven_text_are_grouped_by_whom_they_name():
    assert load_plan("regimes").regimes()["rare-group"].text.is_uneven
    assert not load_plan("regimes").regimes()["same-lean"].text.is_uneven
    by_name = world_probes(("gender", "race"), by_name=True)
    assert {(g.axis, g.group, g.n, g.n_templates) for g in by_name.groups} == {
        ("gender", "male", 60, 60),
        ("gender", "female", 60, 60),
        ("race", "white", 60, 60),
        ("race", "Black", 60, 60),
    }
    with_stereotype = {
        record.text
        for record in world_probes(("gender",)).records
        if record.group == "stereotypical"
    }
    groups = stereotyped_groups("gender")
    for record in by_name.records:
        if record.axis == "gender":
            stereotyped = record.text in with_stereotype
            assert (record.group == "female") == (groups[record.template] == stereotyped)
