"""The report of a map: every cell is drawn, the finding stands first, names do no harm."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image
from rich.console import Console

from fairaudit.report import words
from fairaudit.report.escape import escape
from fairaudit.report.figures import drawers, figures
from fairaudit.report.files import write_report
from fairaudit.report.html import render_html
from fairaudit.report.map import numbers, summary, view
from fairaudit.report.markdown import render_summary
from fairaudit.report.terminal import render_terminal
from fairaudit.results import Interval
from fairaudit.results.loading import load_result
from fairaudit.results.map import MapResult
from fairaudit.vocabulary.arms import ArmKind, read_arm
from tests.report.maps import hostile_map, plan, result_of, scores, whole_map
from tests.report.pages import Page


def _shown(result: MapResult) -> str:
    console = Console(file=io.StringIO(), width=80, legacy_windows=False)
    console.print(render_terminal(result))
    return console.file.getvalue()


def test_the_figures_show_every_cell():
    made = whole_map()
    unit = numbers.unit_of(made)
    drawn = {stem: make() for stem, make in drawers(made).items()}
    assert list(drawn) == ["map", "map_arms", "map_law"]
    for stem, private in (("map", True), ("map_arms", False)):
        texts = [text.get_text() for axes in drawn[stem].axes for text in axes.texts]
        wanted = [
            words.number(cell.change.value, unit)
            for cell in made.cells
            if (read_arm(cell.arm).kind is ArmKind.DP) is private
        ]
        assert len(wanted) in (30, 40)
        for number in wanted:
            assert number in texts
            texts.remove(number)
    points = [line for line in drawn["map_law"].axes[0].lines if len(line.get_xdata()) == 1]
    assert len(points) == len(made.cells)


def test_the_contour_lies_where_the_sign_changes():
    figure = drawers(whole_map())["map"]()
    for axes in figure.axes[::2]:
        (contour,) = axes.collections
        (path,) = contour.get_paths()
        # Five leans, the middle one at 2.5 where the base leans as the text does.
        assert path.vertices[:, 0].min() > 1.9
        assert path.vertices[:, 0].max() < 3.1


def test_slices_hold_every_interval():
    figure = drawers(whole_map())["map"]()
    for axes, sheet in zip(figure.axes[1::2], view.private_sheets(whole_map()), strict=True):
        low, high = axes.get_ylim()
        for cell in sheet.cells.values():
            if read_arm(cell.arm).kind is ArmKind.DP:
                assert low < cell.change.interval.low < cell.change.interval.high < high


def test_pictures_are_small_and_the_same_every_time():
    made = whole_map()
    drawn = figures(made)
    for content in drawn.values():
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, picture.width) == ("PNG", 1320)
        assert len(content) < 250_000
    assert figures(made) == drawn
    assert figures(made.model_copy(update={"cells": ()})) == {}


@pytest.mark.parametrize("shares", [[0.5], [0.5, 0.2, 0.05]])
@pytest.mark.parametrize("epsilons", [[3.0], [1.0, 3.0]])
def test_any_number_of_shares_and_epsilons_is_drawn(shares, epsilons):
    of = plan(map={"leans": [-1.0, 1.0], "epsilons": epsilons, "shares": shares}, seeds=2)
    drawn = figures(result_of(of, scores(of)))
    assert list(drawn) == ["map", "map_arms", "map_law"]


def test_the_headline_says_what_was_found():
    assert summary.headline(whole_map()).startswith(
        "DP against plain: bias higher where the base leans more than the text (+0."
    )
    assert "lower where it leans less (−0." in summary.headline(whole_map())
    assert "of the variance over held-out cells is explained by moving less." in summary.headline(
        whole_map()
    )
    of = plan()
    nothing = summary.headline(result_of(of, scores(of, law=False)))
    assert "higher" not in nothing
    assert "explains none of the variance" in nothing
    beyond = summary.unexplained(result_of(of, scores(of, beyond=0.4)))
    assert "That is more bias for groups with 5 %" in beyond
    assert "no arm without a guarantee shows the same" in beyond


def test_the_page_says_everything():
    made = whole_map()
    page = Page(render_html(made, figures(made)))
    assert page.text.index(summary.headline(made)) < page.text.index("The map Each cell")
    assert sum(src.startswith("data:image/png") for src in page.attributes("src")) == 3
    unit = numbers.unit_of(made)
    for cell in made.cells:
        value, bounds = words.quantity(cell.change.value, unit), cell.change.interval
        assert f"{value} {words.bounds(bounds, unit)}" in page.text
        assert words.bounds(cell.unexplained.interval, unit) in page.text
    for one in made.moved:
        assert numbers.share_whole(one.share) in page.text
    for one in made.frequencies:
        assert words.bounds(one.unexplained.interval, unit) in page.text


def test_the_summary_and_the_terminal_say_the_finding():
    made = whole_map()
    assert escape(summary.headline(made)) in render_summary(made)
    text = _shown(made)
    assert "DP against plain: bias higher" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "MapResult: planted" in repr(made)
    assert made.plot().name == "map"


def test_hostile_names_stay_where_they_are():
    made = hostile_map()
    page = render_html(made, figures(made))
    Page(page)
    assert "<script>" not in page
    text = render_summary(made)
    assert "<script>" not in text.partition("\n")[2]
    assert "\x1b" not in text + _shown(made)


def test_a_folder_of_a_map(tmp_path: Path):
    made = whole_map()
    made.save(tmp_path)
    assert load_result(tmp_path) == made
    write_report(made, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == [
        "map.png", "map_arms.png", "map_law.png", "report.html", "result.json", "summary.md",
    ]  # fmt: skip
    of = plan(arms=["plain", "dp"])
    write_report(result_of(of, scores(of)), tmp_path)
    assert not (tmp_path / "figures" / "map_arms.png").exists()


def test_the_frame_has_a_row_for_every_cell():
    frame = whole_map().to_frame()
    assert len(frame) == len(whole_map().cells) == 70
    assert (frame["change_low"] < frame["change_high"]).all()


def test_what_arms_without_privacy_show_too_is_not_owned_by_privacy():
    made = whole_map()
    sure = made.frequencies[0].unexplained.model_copy(
        update={"value": 0.3, "interval": Interval(low=0.2, high=0.4, level=0.95, method="t",
                                                   resampling_unit="seed")}
    )  # fmt: skip
    shown = {"dp_2", "noise_only_2", "plain_matched_2"}
    parts = tuple(
        one.model_copy(update={"unexplained": sure})
        if one.arm in shown and one.frequency == 0.05
        else one
        for one in made.frequencies
    )
    text = summary.unexplained(made.model_copy(update={"frequencies": parts}))
    assert "more bias for groups with 5 %" in text
    assert "Noise only, ε = 2 and Plain, matched, ε = 2 show the same" in text
