"""Gradients in the report of an experiment: table of areas, pushes, and the figure of curves."""

from __future__ import annotations

import io
from statistics import fmean

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from fairaudit.report.draw import line_style
from fairaudit.report.experiment import convergence
from fairaudit.report.figures import figures
from fairaudit.report.html import render_html
from tests.report import experiments


@pytest.fixture(scope="module")
def result():
    return experiments.complete()


def test_rows_stand_in_order_of_reading_with_the_mean_of_known_areas(result):
    found = convergence.rows(result)
    assert len(found) == len(result.convergence)
    assert [row.found.axis for row in found] == sorted(
        (row.found.axis for row in found), key=["gender", "race", "religion"].index
    )
    for row in found:
        known = [area for area in row.found.areas if area is not None]
        assert row.mean == pytest.approx(fmean(known))
        assert len(row.areas) == (4 if row.found.axis == "race" else 5)


def test_the_page_shows_curves_areas_and_pushes(result):
    page = render_html(result, figures(result))
    assert 'id="gradients"' in page
    assert page.count("data:image/png;base64,") == 6
    assert "Who pushes the bias" in page
    assert "+2.5e−06" in page
    assert "+1.25e−06" in page


def test_an_experiment_that_looked_at_no_gradient_has_no_such_section():
    page = render_html(experiments.whole_experiment(3, ("base", "plain")), {})
    assert 'id="gradients"' not in page
    assert "convergence" not in figures(experiments.whole_experiment(3, ("base", "plain")))


def test_curves_below_resolution_are_gaps(result):
    made = [one for one in result.convergence if one.axis == "race"][:1]
    broken = made[0].model_copy(update={"by_seed": ((0.0, None, None),) * 5, "areas": (None,) * 5})
    alone = result.model_copy(update={"convergence": (broken,), "pushes": ()})
    (row,) = convergence.rows(alone)
    assert row.mean is None
    assert "norms could not be told from 0" in render_html(alone, {})
    picture = Image.open(io.BytesIO(figures(alone)["convergence"]))
    assert picture.width > 1000


def test_hostile_names_stay_text():
    page = render_html(experiments.hostile(), {})
    assert "<script>alert" not in page
    assert figures(experiments.hostile())["convergence"].startswith(b"\x89PNG")


@pytest.mark.parametrize("make", [experiments.complete, experiments.hostile])
def test_every_arm_has_a_line_of_its_own_and_a_whole_name_in_the_legend(make):
    """The legend was cut at the right, and four pairs of arms shared a colour."""
    figure = convergence.draw(make())
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    for axes in figure.axes:
        styles = [(line.get_color(), line.get_linestyle()) for line in axes.lines[1:]]
        assert len({colour for colour, _ in styles}) == len(styles) > 0
    (legend,) = figure.legends
    arms = {row.arm.name for row in convergence.rows(make())}
    assert len(legend.get_texts()) == len(arms)
    edges = legend.get_window_extent(canvas.get_renderer())
    width, _ = canvas.get_width_height()
    assert edges.x0 >= 0
    assert edges.x1 <= width
    assert edges.y0 >= 0
    below = min(axes.get_tightbbox(canvas.get_renderer()).y0 for axes in figure.axes)
    assert edges.y1 <= below


def test_lines_beyond_the_colours_differ_by_dash():
    styles = [line_style(place) for place in range(40)]
    assert len(set(styles)) == 40
