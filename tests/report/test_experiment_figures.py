from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from fairaudit.report.draw import draw
from fairaudit.report.experiment.calibration import calibration, calibration_figure
from fairaudit.report.experiment.charts import charts
from fairaudit.report.experiment.figures import plot_of
from fairaudit.report.figures import figures
from fairaudit.report.files import write_report
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.loading import load_result
from tests.report.experiments import (
    complete,
    hostile,
    many_arms,
    whole_experiment,
    with_failures,
)


@pytest.mark.long
def test_one_figure_per_axis_the_same_every_time():
    made = complete()
    drawn = figures(made)
    assert list(drawn) == [
        "epsilon_gender",
        "epsilon_race",
        "epsilon_religion",
        "convergence",
        "plane",
        "calibration",
    ]
    for content in drawn.values():
        with Image.open(io.BytesIO(content)) as picture:
            assert (picture.format, picture.width) == ("PNG", 1320)
        assert len(content) < 250_000
    assert figures(made) == drawn
    assert figures(made.model_copy(update={"levels": (), "convergence": ()})) == {}


def test_labels_of_twenty_arms_never_overlap():
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    (chart, *_) = charts(many_arms())
    assert len(chart.rows) == 20
    figure = draw([plot_of(chart)], "Title", "subtitle " * 40)
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    renderer = canvas.get_renderer()
    boxes = [
        text.get_window_extent(renderer)
        for axes in figure.axes
        for text in axes.texts
        if text.get_text().strip()
    ]
    assert len(boxes) >= 2 * 20
    width, height = canvas.get_width_height()
    for place, box in enumerate(boxes):
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y0 >= 0
        assert box.y1 <= height
        assert not any(box.overlaps(other) for other in boxes[place + 1 :])


def test_a_folder_of_an_experiment(tmp_path: Path):
    made = whole_experiment(1)
    made.save(tmp_path)
    found = load_result(tmp_path)
    assert isinstance(found, ExperimentResult)
    write_report(found, tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*.*")) == [
        "calibration.png",
        "epsilon_gender.png",
        "epsilon_race.png",
        "epsilon_religion.png",
        "plane.png",
        "report.html",
        "result.json",
        "summary.md",
    ]


def test_figures_of_an_axis_that_is_gone_do_not_stay(tmp_path: Path):
    made = whole_experiment(1)
    write_report(made, tmp_path)
    left = tuple(level for level in made.levels if level.axis == "gender")
    gone = {"levels": left, "claims": (), "differences": ()}
    write_report(made.model_copy(update=gone), tmp_path)
    drawn = {path.stem for path in (tmp_path / "figures").iterdir()}
    assert drawn == {"calibration", "epsilon_gender", "plane"}


def test_calibration_has_a_point_where_the_world_says_what_is_implied():
    made = whole_experiment(3)
    found = calibration(made)
    assert found is not None
    known = [one for one in made.levels if one.implied is not None and one.group is None]
    shown = [one for levels in found.axes.values() for one in levels]
    assert shown == [one for one in known if one.arm != "base"]
    draw = calibration_figure(made)
    assert draw is not None
    (axes,) = draw().axes
    points = {
        (line.get_xdata()[0], line.get_ydata()[0])
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }
    assert points == {(one.implied, one.value) for one in shown}
    assert axes.get_xlim() == axes.get_ylim()
    for one in shown:
        assert axes.get_ylim()[0] <= one.interval.low <= one.interval.high <= axes.get_ylim()[1]


def test_without_a_known_world_there_is_no_calibration():
    made = whole_experiment(1)
    unknown = tuple(one.model_copy(update={"implied": None}) for one in made.levels)
    without = made.model_copy(update={"levels": unknown})
    assert calibration(without) is None
    assert "calibration" not in figures(without)
    assert "calibration-title" not in render_html(without, figures(without))
    page = render_html(made, figures(made))
    assert page.count("data:image/png;base64,") == 2


def test_the_summary_says_every_finding():
    text = render_summary(with_failures())
    assert "- **DP amplifies bias: supported on all 3 axes (gender, race and religion).**" in text
    assert "Explained by under-training, as far as these seeds can tell: DP, ε = 3" in text
    assert text.count("- ✓ **supported** · ") == 6
    assert "· 5 seeds · DP, ε = 20 leans further towards the stereotype than Plain · **not" in text
    assert "| DP, ε = 3 | 4 of 5 | 3.00 | – | 2.71 |" in text
    assert "### Failed\n\n- DP, ε = 3, seed 2: the loss became infinite" in text
    assert "[report.html](report.html)" in text


def test_hostile_names_stay_on_their_line_of_the_summary():
    title, _, rest = render_summary(hostile()).partition("\n")
    assert title.startswith("## Experiment `` <script>")
    assert "<script>" not in rest
    assert "](http" not in rest.replace("\\](http", "")
    assert "\x1b" not in title + rest
    rows = [line for line in rest.splitlines() if line.startswith("| ")]
    assert len(rows) == 2 + 14
    assert {line.count("|") - line.count("\\|") for line in rows} == {7}
