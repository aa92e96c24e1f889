"""The built site, looked at: links, search, both themes, a narrow screen, and no network.

`make docs` builds it and says where it is; without that these tests are skipped.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from docs.site import evidence, files, reference
from docs.site.stage import pages, where
from tests.report.browser import SCHEMES, browse, needs_chromium

SITE = Path(os.environ.get("FAIRAUDIT_SITE", "")).resolve()
pytestmark = pytest.mark.skipif(
    not os.environ.get("FAIRAUDIT_SITE"), reason="needs the built site: make docs"
)
#: Pages of every kind: text, long tables, code, generated reference, a picture.
LOOKED_AT = (
    "index", "start/first-audit", "how-to/gate-in-ci", "understand/privacy-and-bias", "measured",
    "reference/api", "reference/command-line", "reference/metrics", "reference/files",
    "evidence/calibration", "evidence/classifier", "ARCHITECTURE", "CHANGELOG",
)  # fmt: skip
_MEASURE = """
<script>addEventListener('load', () => {
  const wide = [...document.querySelectorAll('article *')].filter(one =>
    one.getBoundingClientRect().right > innerWidth + 1 && !one.closest(
      'pre, .table-wrapper, table, .sidebar-drawer, .toc-drawer, .math, .headerlink'));
  const said = document.createElement('pre');
  said.id = 'said';
  said.textContent = JSON.stringify({
    width: innerWidth, scroll: document.documentElement.scrollWidth,
    wide: wide.slice(0, 5).map(one => one.outerHTML.slice(0, 120)),
    background: getComputedStyle(document.body).backgroundColor,
    colour: getComputedStyle(document.querySelector('article p')).color,
  });
  document.body.append(said);
});</script>
"""


class _Links(HTMLParser):
    """Links of a page, its anchors, and what it loads."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.loaded: list[str] = []
        self.feed(path.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value for name, value in attrs if value}
        self.anchors.update(values[name] for name in ("id", "name") if name in values)
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        elif tag == "link" and values.get("rel") in {"stylesheet", "preload", "icon"}:
            self.loaded.append(values["href"])
        elif "src" in values:
            self.loaded.append(values["src"])


@pytest.fixture(scope="module")
def read() -> dict[Path, _Links]:
    # Reports are pages of their own and have tests of their own.
    found = (path for path in SITE.rglob("*.html") if "_downloads" not in path.parts)
    return {path: _Links(path) for path in found}


def test_every_page_was_built():
    made = {**reference.PAGES, **files.PAGES, **evidence.PAGES}
    wanted = {where(page).with_suffix(".html") for page in pages()}
    wanted |= {Path(f"{name}.html") for name in made}
    assert not [page for page in wanted if not (SITE / page).is_file()]


def test_every_link_inside_the_site_leads_somewhere(read):
    broken = []
    for page, found in read.items():
        for link in found.links:
            parts = urlsplit(link)
            if parts.scheme:
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            anchor = unquote(parts.fragment)
            known = read[target].anchors if target in read else set()
            if not target.exists() or (anchor and target in read and anchor not in known):
                broken.append(f"{page.relative_to(SITE)} -> {link}")
    assert broken == []


def test_nothing_is_fetched_from_the_network(read):
    loaded = {one for found in read.values() for one in found.loaded}
    assert not [one for one in loaded if re.match(r"(https?:)?//", one)]
    sheets = [path.read_text(encoding="utf-8") for path in SITE.rglob("*.css")]
    assert not [sheet for sheet in sheets if re.search(r"url\([\"']?(https?:)?//|@import", sheet)]


@needs_chromium
@pytest.mark.parametrize(
    ("words", "page"),
    [
        ("tango", "understand/intervals.html"),
        ("stereotype_preference_rate", "reference/metrics.html"),
        ("device-map", "processes.html"),
    ],
)
def test_search_works_from_the_disk(tmp_path, words, page):
    copy = tmp_path / "site"
    shutil.copytree(SITE, copy, ignore=shutil.ignore_patterns("_downloads", "_images"))
    shown = browse(
        _Asked(copy / "search.html", words), "--dump-dom", "--virtual-time-budget=20000"
    ).stdout
    results = re.search(r'<ul role="list" class="search">.*?</ul>', shown, re.DOTALL)
    assert results is not None
    assert f'href="{page}' in results[0]


class _Asked:
    """A page with the question that its form would send."""

    def __init__(self, page: Path, words: str) -> None:
        self.parent, self._uri = page.parent, f"{page.as_uri()}?q={words}"

    def as_uri(self) -> str:
        return self._uri


@needs_chromium
@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", LOOKED_AT)
def test_a_page_fits_a_telephone_in_both_themes(tmp_path, name, scheme):
    copy = tmp_path / "site"
    shutil.copytree(SITE, copy, ignore=shutil.ignore_patterns("_downloads", "_sources"))
    path = copy / f"{name}.html"
    path.write_text(path.read_text(encoding="utf-8").replace("</body>", f"{_MEASURE}</body>"))
    flags = ("--dump-dom", "--virtual-time-budget=8000", f"--blink-settings={SCHEMES[scheme]}")
    shown = browse(path, *flags, width=375).stdout
    said = re.search(r'<pre id="said">(.*?)</pre>', shown, re.DOTALL)
    assert said is not None
    seen = json.loads(html.unescape(said[1]))
    assert seen["width"] <= 500
    assert seen["scroll"] <= seen["width"], seen["wide"]
    assert seen["wide"] == []
    light = sum(map(int, re.findall(r"\d+", seen["background"])[:3])) > 3 * 128
    dark_text = sum(map(int, re.findall(r"\d+", seen["colour"])[:3])) < 3 * 128
    assert light is dark_text is (scheme == "light")
