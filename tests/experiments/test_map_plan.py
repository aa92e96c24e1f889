"""The plan of a map: one base, a grid of texts, and what is refused before anything is trained."""

from __future__ import annotations

import tomllib

import pytest
from pydantic import ValidationError

from fairaudit.errors import UsageError
from fairaudit.experiments.experiment_plan import shipped_plan
from fairaudit.experiments.map_cost import Cost, Pace, cost_of, refuse_beyond, time_in_words
from fairaudit.experiments.map_plan import MapPlan, load_map_plan
from fairaudit.experiments.world import implied
from tests.report.maps import plan

PACE = Pace(trained=0.001, read=0.0003)


def test_the_built_in_map_is_as_large_as_it_says():
    found = load_map_plan("map")
    assert len(found.map.leans) >= 5
    assert len(found.map.epsilons) == 3
    assert len(found.map.shares) == 2
    assert found.seeds >= 3
    assert list(found.named_arms) == ["plain", "dp_0.5", "dp_2", "dp_8", "dp_cda_2", "clip_only",
                                      "noise_only_2", "plain_matched_2"]  # fmt: skip


def test_every_text_leans_as_far_from_the_base_as_its_place_says():
    for world in plan().worlds:
        text, base = world.plan.text.world, world.plan.base.text
        for axis in world.plan.axes:
            # Groups of any share: stereotypes about the rare one and the other cancel.
            of_text, of_base = (implied(one.mixture(0), axis) for one in (text, base))
            apart = of_base.mean_log_odds - of_text.mean_log_odds
            assert apart == pytest.approx(world.lean)
            assert text.mixture(0).share[axis] == world.share


def test_worlds_share_their_base_and_have_names_of_their_own():
    worlds = plan().worlds
    assert len(worlds) == 10
    assert len({world.name for world in worlds}) == 10
    assert all(world.plan.base == worlds[0].plan.base for world in worlds)
    assert all(world.plan.arms == tuple(plan().named_arms) for world in worlds)


def test_settings_by_kind_reach_every_epsilon():
    made = plan(arm={"dp": {"steps": 7}})
    assert {made.worlds[0].plan.settings(f"dp_{e}")["steps"] for e in ("0.5", "2", "8")} == {7}
    assert made.worlds[0].plan.settings("clip_only")["steps"] == 3


def test_frequency_of_a_group():
    rare = plan().worlds[-1]
    assert rare.share == 0.05
    assert (rare.frequency(1), rare.frequency(0)) == (0.05, 0.95)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"map": {"leans": [1.0], "epsilons": [3.0]}}, "two differences or more"),
        ({"map": {"leans": [1.0, 1.0], "epsilons": [3.0]}}, "map.leans names a value twice"),
        ({"map": {"leans": [1, 2], "epsilons": [3], "shares": [1.0]}}, "between 0 and 1"),
        ({"map": {"leans": [1, 2], "epsilons": [3], "shares": []}}, "between 0 and 1"),
        ({"map": {"leans": [1, 2], "epsilons": [0]}}, "above 0"),
        ({"arms": ["dp"]}, "compares with 'plain'"),
        ({"arms": ["plain", "dp", "base"]}, "base is always audited"),
        ({"base": {"model": "gpt2"}}, "one mu for all axes"),
        ({"text": {"world": {"sentences": 200, "mu": 1.0}}}, r"\[map\] sets both"),
        ({"text": {"file": "a.txt", "held_out_file": "b.txt"}}, r"\[map\] sets both"),
        ({"audit": {"suites": ["templates"]}}, "leave 'suites' out"),
        ({"arm": {"cda": {"steps": 3}}}, "not among the arms"),
    ],
)
def test_what_is_no_map_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        plan(**changes)


def test_files_that_are_no_map_are_refused_in_one_line(tmp_path):
    path = tmp_path / "plan.toml"
    for text, message in (
        (shipped_plan("demo"), "no table"),
        ("x = [", "not TOML"),
        (shipped_plan("map").replace("[map]", "[map]\nlean = 1"), "unknown key 'map.lean'"),
        (shipped_plan("map").replace("[-1.0, -0.5, 0.0, 0.5, 1.0]", "[1.0]"), "two differences"),
    ):
        path.write_text(text)
        with pytest.raises(UsageError, match=message) as caught:
            load_map_plan(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(UsageError, match="no built-in map"):
        load_map_plan(tmp_path / "nothing.toml")


def test_the_built_in_plan_is_read_as_any_other(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(shipped_plan("map"))
    assert load_map_plan(path) == load_map_plan("map")
    assert MapPlan.model_validate(tomllib.loads(path.read_text())) == load_map_plan("map")


def test_a_cost_grows_with_what_is_asked():
    small = cost_of(plan(), 1, PACE)
    assert small.cells == 10 * 3 * 9
    assert cost_of(plan(seeds=6), 1, PACE).arms == pytest.approx(2 * small.arms)
    longer = cost_of(plan(train={"steps": 300, "batch_size": 40}), 1, PACE)
    assert longer.arms > small.arms
    assert cost_of(plan(), 3, PACE).hours < small.hours
    assert Cost(9, 3600.0, 7200.0, 2).hours == pytest.approx(2.0)
    assert (time_in_words(0.1), time_in_words(2.5)) == ("6 minutes", "2.5 hours")


def test_what_takes_too_long_is_refused_with_what_to_cut():
    made = plan()
    cost = cost_of(made, 2, PACE)
    refuse_beyond(made, cost.hours * 1.01, 2, cost)
    for part, cut in (
        (0.6, "leave one of map.shares out"),
        (0.42, "keep 2 of the 5 map.leans"),
        (0.1, "cut leans, shares, arms, seeds or steps to"),
    ):
        with pytest.raises(UsageError, match=cut) as caught:
            refuse_beyond(made, cost.hours * part, 2, cost)
        assert "270 trainings and audits, about" in str(caught.value)
        assert "--processes" in str(caught.value)
    with pytest.raises(UsageError, match="it alone takes longer"):
        refuse_beyond(made, 0.1, 2, Cost(270, 3600.0, 1.0, 2))
