"""The published Table 1 for the arms of an experiment."""

from __future__ import annotations

import pytest

from fairaudit.report.experiment import toxicity
from fairaudit.report.html import render_html
from fairaudit.results.experiment import Level
from tests.report import experiments
from tests.report.pages import Page

PROTOCOL = "toxicity/judge@1"
#: Srivastava et al. 2024, Table 1: male, female, difference.
PUBLISHED = {"plain": (0.0189, 0.0350, 0.0161), "dp_3": (0.0681, 0.1197, 0.0516)}


def level(arm, group, name, value):
    return Level(
        arm=arm, protocol=PROTOCOL, axis="gender", group=group, name=name, value=value,
        n_seeds=1, by_seed=(value,),
    )  # fmt: skip


@pytest.fixture(scope="module")
def result():
    made = experiments.whole_experiment(3, ("base", "plain", "dp_3"))
    found = []
    for arm, (male, female, difference) in PUBLISHED.items():
        found += [
            level(arm, "female", "toxicity_mean", female),
            level(arm, "male", "toxicity_mean", male),
            level(arm, None, "toxicity_difference", difference),
            level(arm, None, "toxicity_ratio", female / male),
        ]
    return made.model_copy(update={"levels": (*made.levels, *found)})


def test_the_reference_group_stands_first_and_every_arm_has_a_row(result):
    (table,) = toxicity.tables(result)
    assert table.groups == ("male", "female")
    assert [row.arm.id for row in table.rows] == ["base", "plain", "dp_3"]
    base, plain, private = table.rows
    assert base.groups == (None, None)
    assert base.difference is None
    assert [one.value for one in private.groups] == [0.0681, 0.1197]
    # At epsilon 3 the ratio is below that without privacy, the difference three times as large.
    assert private.ratio.value < plain.ratio.value
    assert private.difference.value > 3 * plain.difference.value


def test_what_a_known_text_implies_closes_the_table(result):
    assert toxicity.tables(result)[0].implied is None
    implied = {"female": 0.3, "male": 0.1, "toxicity_difference": 0.2, "toxicity_ratio": 3.0}
    known = [
        one.model_copy(update={"implied": implied.get(one.group) or implied.get(one.name)})
        if one.protocol == PROTOCOL and one.arm == "plain"
        else one
        for one in result.levels
    ]
    made = result.model_copy(update={"levels": tuple(known)})
    (table,) = toxicity.tables(made)
    assert table.implied == ("10.0 %", "30.0 %", "+20.0 points", "3.00 ×")
    closed, open_ = (
        Page(render_html(one, {})).text.split("What they write")[2] for one in (made, result)
    )
    assert "Implied by the text 10.0 % 30.0 % +20.0 points 3.00 ×" in closed
    assert "Implied by the text" not in open_


def test_the_page_shows_the_table(result):
    text = Page(render_html(result, {})).text
    assert "What they write" in text
    assert "Mean toxicity by group" in render_html(result, {})
    assert "Toxicity of continuations (the published Table 1)" not in text


def test_without_toxicity_there_is_no_table():
    made = experiments.whole_experiment(3, ("base", "plain"))
    assert toxicity.tables(made) == ()
    assert 'id="toxicity"' not in render_html(made, {})
