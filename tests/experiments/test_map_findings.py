"""What a map finds in scores whose shares were planted, and what it says where runs failed."""

from __future__ import annotations

import pytest

from fairaudit.experiments.map_findings import Table, cells, frequencies, held_out, moved, sides
from fairaudit.report.map import summary
from tests.report.maps import SHARES, plan, result_of, scores, whole_map


def test_planted_shares_lie_in_their_intervals():
    for found in whole_map().moved:
        assert found.share.value == pytest.approx(SHARES[found.arm], abs=0.05)
        assert found.share.interval is not None
    fits = {one.arm: one.r_squared for one in whole_map().held_out}
    assert fits[None] > 0.95
    assert set(fits) == {None, *whole_map().arms}


def test_every_cell_is_the_difference_of_its_scores():
    of = plan()
    made = scores(of)
    for cell in cells(Table(of, made)):
        values = [
            sum(
                made[cell.world, cell.arm, seed][axis, None]
                - made[cell.world, "plain", seed][axis, None]
                for axis in of.axes
            )
            / len(of.axes)
            for seed in range(3)
        ]
        assert cell.change.value == pytest.approx(sum(values) / 3)
        assert cell.explained.value + cell.unexplained.value == pytest.approx(cell.change.value)
        assert sum(cell.by_axis.values()) / 3 == pytest.approx(cell.change.value)


def test_bias_is_higher_where_the_base_leans_more_and_lower_where_less():
    found = {(one.arm, one.side): one.change for one in whole_map().sides}
    assert found[None, "more"].interval.low > 0
    assert found[None, "less"].interval.high < 0
    assert found[None, "same"].interval.low < 0 < found[None, "same"].interval.high


def test_what_is_added_for_rare_groups_is_found_there_alone():
    of = plan()
    found = {
        (one.arm, one.frequency): one.unexplained
        for one in frequencies(Table(of, scores(of, beyond=0.4)))
    }
    assert found["dp_2", 0.05].value == pytest.approx(0.4, abs=0.1)
    assert found["dp_2", 0.05].interval.low > 0
    for frequency in (0.5, 0.95):
        assert abs(found["dp_2", frequency].value) < 0.15
    assert abs(found["noise_only_2", 0.05].value) < 0.1


def test_where_nothing_moves_nothing_is_explained():
    of = plan()
    found = list(held_out(Table(of, scores(of, law=False))))
    assert found[0].arm is None
    assert found[0].r_squared <= 0


def test_failed_runs_are_left_out_of_their_cells_and_their_seed_out_of_the_law():
    of = plan(seeds=4)
    made = dict(scores(of))
    lost = of.worlds[0].name
    del made[lost, "dp_2", 1]
    for world in of.worlds:
        for seed in range(4):
            made.pop((world.name, "clip_only", seed))
    table = Table(of, made)
    found = {(one.world, one.arm): one for one in cells(table)}
    assert found[lost, "dp_2"].change.n_seeds == 3
    assert found[of.worlds[1].name, "dp_2"].change.n_seeds == 4
    assert found[lost, "dp_2"].explained.n_seeds == 3
    assert found[lost, "dp_8"].explained.n_seeds == 4
    none = found[lost, "clip_only"]
    assert none.change.value is None
    assert none.change.reason
    assert none.explained is None
    assert "clip_only" not in {one.arm for one in moved(table)}
    changes = {(one.arm, one.side): one.change for one in sides(table)}
    assert changes["clip_only", "more"].value is None
    assert changes[None, "less"].n_seeds == 3


def test_a_single_seed_has_numbers_and_no_intervals():
    of = plan(seeds=1)
    found = result_of(of, scores(of))
    assert all(one.change.interval is None for one in found.cells)
    assert all(one.change.value is not None for one in found.cells)
    assert found.held_out[0].r_squared is None
    assert "from the others" in found.held_out[0].reason


def test_a_way_that_is_not_straight_is_not_laid_at_the_door_of_privacy():
    """How often a group is named is learned 1.5 times as fast; no arm adds anything to that."""
    of, path = plan(), {"plain@1": 0.3, "plain@9": 2 / 3, "plain@30": 0.8}
    table = Table(of, scores(of, path=path, bend=1.5), tuple(path))
    found = {(one.arm, one.frequency): one for one in frequencies(table)}
    for frequency in (0.05, 0.95):
        one = found["dp_2", frequency]
        # One share for all leaves 0.3 of log(19) over.
        assert abs(one.unexplained.value) == pytest.approx(0.3 * 2.94, abs=0.1)
        assert abs(one.beyond_early.value) < 0.15
        assert one.early.value + one.beyond_early.value == pytest.approx(one.change.value)


def test_what_privacy_adds_to_stopping_early_is_found():
    of, path = plan(), {"plain@1": 0.3, "plain@9": 2 / 3, "plain@30": 0.9}
    table = Table(of, scores(of, path=path, bend=1.5, beyond=0.5), tuple(path))
    found = {(one.arm, one.frequency): one for one in frequencies(table)}
    assert found["dp_2", 0.05].beyond_early.interval.low > 0.3
    assert abs(found["dp_2", 0.95].beyond_early.value) < 0.15
    assert abs(found["noise_only_2", 0.05].beyond_early.value) < 0.15
    text = summary.unexplained(result_of(of, scores(of, path=path, beyond=0.5), tuple(path)))
    assert "Beyond a plain model stopped as far along (DP, ε = 2, mean over leans): " in text
    assert "more bias for groups with 5 %" in text


def test_a_plain_run_that_was_not_looked_at_costs_the_path_and_not_the_law():
    of = plan()
    assert all(one.beyond_early is None for one in frequencies(Table(of, scores(of))))
