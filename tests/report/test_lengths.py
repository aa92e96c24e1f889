"""How long pages are in Chromium, and what only a browser tells: nothing grew back.

Before, at 1280 pixels: an audit of six suites 30,400, a comparison of one candidate 6,600, of nine
6,200, an experiment 25,400. The bars below are closer than half of that, and above what was
measured by a tenth or less.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fairaudit.report.figures import figures
from fairaudit.report.html import render_html
from fairaudit.results import AuditResult
from tests.report import audits, comparisons, experiments, test_changed_pairs
from tests.report.browser import needs_chromium
from tests.report.devtools import Tab, tab

pytestmark = [needs_chromium, pytest.mark.long]


def six_suites() -> AuditResult:
    """Three suites, and each again under another name: so many rows, sections and protocols."""
    made = audits.whole_audit()
    again = {"templates": "seat", "crows_pairs": "crows_pairs_neveol", "stereoset": "winobias"}

    def renamed(found: Any) -> Any:
        suite = again[found.suite]
        changes: dict[str, Any] = {"suite": suite}
        if hasattr(found, "protocol"):
            changes["protocol"] = f"{suite}/{found.protocol.partition('/')[2]}"
        return found.model_copy(update=changes)

    twice = [one for one in made.estimates if one.suite in again]
    ran = [run for run in made.suites if run.suite in again]
    return made.model_copy(
        update={
            "estimates": (*made.estimates, *map(renamed, twice)),
            "suites": (*ran, *map(renamed, ran)),
        }
    )


_BARS: dict[str, tuple[Callable[[], Any], int]] = {
    "audit of six suites": (six_suites, 7300),
    "comparison of one": (comparisons.whole_comparison, 3300),
    "comparison of nine": (lambda: comparisons.whole_comparison(9), 3100),
    "experiment": (experiments.complete, 3800),
    "experiment in regimes": (experiments.in_regimes, 4700),
}
_HEIGHT = "document.documentElement.scrollHeight"
_OPEN = "document.querySelectorAll('details').forEach(one => one.open = true)"
#: Of each row that matches, its height.
_HEIGHTS = "[...document.querySelectorAll('{}')].map(one => one.getBoundingClientRect().height)"
_FIRST = "document.querySelector('table tbody tr').getBoundingClientRect().bottom"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("chromium")) as found:
        yield found


def _written(result: Any, folder: Path) -> Path:
    page = folder / "report.html"
    page.write_text(render_html(result, figures(result)), encoding="utf-8")
    return page


@pytest.mark.parametrize("kind", _BARS)
def test_a_page_is_not_longer_than_its_bar(kind: str, chromium: Tab, tmp_path: Path):
    make, bar = _BARS[kind]
    chromium.open(_written(make(), tmp_path))
    assert 0.5 * bar < chromium.value(_HEIGHT) <= bar


def test_the_first_numbers_of_a_comparison_stand_on_the_first_screen(chromium: Tab, tmp_path: Path):
    chromium.open(_written(comparisons.whole_comparison(), tmp_path))
    assert chromium.value(_FIRST) < 900


@pytest.mark.parametrize(
    ("make", "most"),
    [(audits.whole_audit, "audit"), (comparisons.whole_comparison, "comparison")],
)
def test_rows_of_sources_are_low_on_a_phone(make, most: str, chromium: Tab, tmp_path: Path):
    """A file and its blob id took 334 pixels each, in columns of a few characters."""
    chromium.open(_written(make(), tmp_path), width=375)
    chromium.value(_OPEN)
    rows = chromium.value(_HEIGHTS.format(".sources tbody tr"))
    assert len(rows) == 3, most
    assert 0 < max(rows) < 130


@pytest.mark.parametrize("link", ["pairs.csv", "table-"])
def test_a_table_is_saved_under_the_pages_own_policy(link: str, tmp_path: Path):
    """Nothing is asked of a network: the file lies in the link."""
    result = test_changed_pairs._with_pairs()
    with tab(tmp_path) as chromium:
        chromium.open(_written(result, tmp_path))
        chromium.value(_OPEN)
        chromium.value(f"document.querySelector('a[download^=\"{link}\"]').click()")
        chromium.wait_for("Browser.downloadProgress", state="completed")
    (saved,) = (tmp_path / "downloads").iterdir()
    assert saved.name.startswith(link)
    rows = list(csv.reader(io.StringIO(saved.read_text(encoding="utf-8"))))
    assert len(rows) > 2
    assert {len(row) for row in rows} == {len(rows[0])}
