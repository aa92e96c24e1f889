from __future__ import annotations

import io
import sys

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from PIL import Image

from fairaudit.report import words
from fairaudit.report.audit.figures import _preference
from fairaudit.report.audit.groupmap import group_map
from fairaudit.report.figures import figures
from fairaudit.results import AuditResult
from tests.report import audits


@pytest.fixture(scope="module")
def drawn(audit: AuditResult) -> dict[str, bytes]:
    return figures(audit)


def test_valid_pictures(drawn: dict[str, bytes]):
    assert list(drawn) == ["preference", "log_odds", "capability", "groups"]
    for content in drawn.values():
        with Image.open(io.BytesIO(content)) as picture:
            picture.load()
            assert picture.format == "PNG"
            assert picture.width == 1320
            assert round(picture.info["dpi"][0]) == 150
            assert picture.info["Software"] == "fairaudit"
        assert len(content) < 250_000


def test_same_bytes(audit: AuditResult, drawn: dict[str, bytes]):
    assert figures(audit) == drawn


def test_colours_that_mean_something_survive(drawn: dict[str, bytes]):
    with Image.open(io.BytesIO(drawn["log_odds"])) as picture:
        colours = {colour for _, colour in picture.convert("RGB").getcolors(1 << 20) or []}
    assert any(abs(r - 0xD5) + abs(g - 0x5E) + abs(b) < 24 for r, g, b in colours)
    assert any(abs(r) + abs(g - 0x72) + abs(b - 0xB2) < 24 for r, g, b in colours)


def test_no_data_no_figure(audit: AuditResult, empty: AuditResult):
    assert figures(empty) == {}
    gone = tuple(audits.missing(found, "gone") for found in audit.estimates)
    assert figures(audit.model_copy(update={"estimates": gone})) == {}
    only = tuple(found for found in audit.estimates if found.suite == "probe")
    assert list(figures(audit.model_copy(update={"estimates": only}))) == ["capability"]


def test_preference_shows_primary_estimates_only(audit: AuditResult):
    titles = [plot.title for plot in _preference(audit)]
    assert titles == [
        "Embedded templates, causal-conditional",
        "CrowS-Pairs, causal-sum",
        "StereoSet, intrasentence-causal",
    ]
    plain = tuple(found.model_copy(update={"primary": False}) for found in audit.estimates)
    assert "preference" not in figures(audit.model_copy(update={"estimates": plain}))


def test_figures_grow_with_their_rows(audit: AuditResult, drawn: dict[str, bytes]):
    few = tuple(found for found in audit.estimates if found.suite == "templates")
    small = figures(audit.model_copy(update={"estimates": few}))["preference"]
    heights = [Image.open(io.BytesIO(png)).height for png in (small, drawn["preference"])]
    assert heights[0] < heights[1]


def _groups(n: int) -> AuditResult:
    """Return an audit of which ``n`` groups were asked about by three protocols."""
    maker = audits.Builder()
    estimates = [
        maker.rate(f"templates/{variant}", axis, 400 - place, 40, group=f"{axis} {place}")
        for variant in ("causal-sum", "causal-conditional", "causal-mean")
        for axis in ("race", "religion")
        for place in range(n // 2)
    ]
    return audits.empty_audit().model_copy(update={"estimates": tuple(estimates)})


def test_the_map_of_groups_shows_every_value_and_no_words_overlap():
    drawing = group_map(_groups(40))
    assert drawing is not None
    figure = drawing()
    FigureCanvasAgg(figure).draw()
    texts = [*figure.texts, *figure.axes[0].texts]
    # A value, then its number of items.
    shown = {text.get_text().partition(" (n")[0].strip() for text in texts}
    assert {words.bare(one) for one in _groups(40).estimates} <= shown
    boxes = [text.get_window_extent() for text in texts]
    page = figure.bbox
    assert all(page.contains(*box.min) and page.contains(*box.max) for box in boxes)
    apart = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.shrunk(0.98, 0.8)
             .overlaps(b.shrunk(0.98, 0.8))]  # fmt: skip
    assert not apart


def test_more_groups_than_find_room_are_counted():
    drawing = group_map(_groups(60))
    assert drawing is not None
    assert "Left out: 20 groups with fewer items." in drawing().texts[1].get_text().replace(
        "\n", " "
    )


def test_cells_beyond_full_strength_are_still_told_apart():
    """Whatever lay further than 25 points from one half had the same, saturated shade."""
    made = _groups(2)
    far = [
        one.model_copy(update={"group": str(place), "value": place})
        for place, one in zip((0.76, 0.86, 0.96), made.estimates, strict=False)
    ]
    drawing = group_map(made.model_copy(update={"estimates": tuple(far)}))
    assert drawing is not None
    axes = drawing().axes[0]
    assert len({cell.get_facecolor() for cell in axes.patches}) == len(axes.patches) == 3
    assert all(" (n " in one.get_text() for one in axes.texts if one.get_zorder() == 4)


def test_a_cell_is_bold_where_the_interval_leaves_out_one_half():
    made = _groups(2)
    first, *rest = made.estimates
    apart = first.model_copy(update={"value": 0.7, "interval": audits.interval(0.6, 0.8)})
    drawing = group_map(made.model_copy(update={"estimates": (apart, *rest[:1])}))
    assert drawing is not None
    cells = [(text.get_text(), text.get_weight()) for text in drawing().axes[0].texts]
    weights = {said.partition(" (n")[0].strip(): weight for said, weight in cells}
    assert weights["70.0"] == "bold"
    assert weights[words.bare(rest[0])] == "normal"


@pytest.mark.parametrize("label", ["$x^{", "模型 🤖", "a\x00\x1b[31m", audits.LONG])
def test_odd_labels_are_drawn(audit: AuditResult, label: str):
    few = audit.estimates[:4]
    odd = (*few, few[2].model_copy(update={"axis": label, "protocol": f"templates/{label}"}))
    assert figures(audit.model_copy(update={"label": label, "estimates": odd}))


def test_pyplot_is_left_alone(audit: AuditResult):
    import subprocess

    code = (
        "import sys; from tests.report.audits import whole_audit;"
        "from fairaudit.report.figures import figures; figures(whole_audit());"
        "bad = {'matplotlib.pyplot', 'torch', 'scipy.stats'} & set(sys.modules); sys.exit(str(bad)"
        " if bad else 0)"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
