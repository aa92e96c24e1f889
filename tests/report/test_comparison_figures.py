from __future__ import annotations

import io

import pytest
from matplotlib.text import Annotation
from PIL import Image

from fairaudit.report.comparison.figures import _plots
from fairaudit.report.comparison.panels import scales
from fairaudit.report.comparison.plane import planes
from fairaudit.report.comparison.plane_figure import draw_planes
from fairaudit.report.comparison.view import candidates
from fairaudit.report.draw import PlotRow, draw
from fairaudit.report.figures import figures
from fairaudit.report.verdicts import mark_of
from tests.report import audits
from tests.report.comparisons import comparison, result, whole_comparison


def test_one_figure_per_candidate_and_a_plane():
    made = whole_comparison(2)
    drawn = figures(made)
    assert list(drawn) == ["differences_1", "differences_2", "plane"]
    for content in drawn.values():
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            assert (picture.format, picture.width) == ("PNG", 1320)
        assert len(content) < 250_000
    assert figures(made) == drawn


def test_the_band_and_verdict_colours_are_drawn():
    content = figures(whole_comparison(1))["differences"]
    with Image.open(io.BytesIO(content)) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or []}
    for wanted in ((0xD5, 0x5E, 0x00), (0x00, 0x80, 0x5E)):
        assert any(
            sum(abs(a - b) for a, b in zip(one, wanted, strict=True)) < 24 for one in colours
        )


def test_no_difference_no_figure():
    gone = {"difference": None, "interval": None, "verdict": None}
    assert figures(result([comparison(**gone)])) == {}
    assert list(figures(result([comparison(), comparison(axis="age", **gone)]))) == ["differences"]


def test_candidates_share_an_axis():
    made = whole_comparison(2)
    plots = [_plots(one, scales(made), made) for one in candidates(made)]
    assert plots[0][0].alike == plots[1][0].alike
    assert [plot.title for plot in plots[0]][1] == (
        "CrowS-Pairs: stereotype preference rate, percentage points (causal-sum)"
    )


def test_the_interval_that_decides_is_drawn_thick_within_the_other():
    """A figure drew 95 % where the gate decides at 90 %."""
    made = result([comparison()])
    (plot,) = _plots(candidates(made)[0], scales(made), made)
    mark = plot.rows[0].mark
    figure = draw([plot], "Title", "subtitle")
    widths = {tuple(one.get_xdata()): one.get_linewidth() for one in figure.axes[0].lines}
    assert mark.inner is not None
    assert mark.interval is not None
    inner, outer = ((one.low, one.high) for one in (mark.inner, mark.interval))
    assert outer[0] < inner[0] < inner[1] < outer[1]
    assert widths[inner] > 2 * widths[outer]


def test_no_line_strikes_a_name_through():
    """The lines from other points to their names crossed the names of a plane."""
    shown = planes(whole_comparison(3))
    figure = draw_planes(shown, "Title", "legend")
    assert len(figure.axes) == len(shown)
    for axes, plane in zip(figure.axes, shown, strict=True):
        lines = [one for one in axes.texts if isinstance(one, Annotation)]
        named = [one for one in axes.texts if one.get_bbox_patch() is not None]
        assert len(named) == len(lines) == len(plane.points)
        for one in named:
            assert one.get_bbox_patch().get_facecolor()[3] == 1
            assert one.get_zorder() > max(line.get_zorder() for line in lines)


def test_labels_of_twenty_rows_never_overlap_and_long_names_wrap():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    long = "an axis whose name nobody shortened because it says what it is " * 2
    entries = [comparison(axis=f"{long if i % 5 == 0 else 'axis'} {i}") for i in range(20)]
    made = result(entries)
    (found,) = candidates(made)
    figure = draw(_plots(found, scales(made), made), "Title", "subtitle " * 40)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [
        text.get_window_extent(renderer)
        for axes in figure.axes
        for text in axes.texts
        if text.get_text().strip()
    ] + [text.get_window_extent(renderer) for text in figure.texts]
    width, height = canvas.get_width_height()
    for i, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[:i])
    assert len(PlotRow(long, mark_of(entries[0]), "").lines) == 3


@pytest.mark.parametrize(
    "label", ["$x^{ 模型 🤖 a\x00\x1b[31m", "<script>" + "y" * 10_000, audits.LONG]
)
def test_odd_labels_are_drawn(label: str):
    made = whole_comparison(2, names=(label, "b"), baseline=label + "!")
    few = tuple(one for one in made.comparisons if one.suite == "templates" and one.primary)
    drawn = figures(made.model_copy(update={"comparisons": few}))
    assert set(drawn) == {"differences_1", "differences_2", "plane"}
