"""The sources of the site: pages of the repository, each link led to where its target lies there.

On the site ``docs/NAME.md`` is ``NAME.html`` and ``reports/NAME/README.md`` is
``reports/NAME/README.html``; what no page is (a report, a picture, a table) is copied beside them.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Root pages of the repository that are pages of the site too.
_PAGES = {"CHANGELOG.md", "CONTRIBUTING.md", "ARCHITECTURE.md", "SECURITY.md", "CODE_OF_CONDUCT.md"}
#: Folders whose files are copied where a page links them.
_FILES = ("benchmarks/", "docs/architecture.svg", "examples", "integrations", "reports")
_LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)]*)?\))")
_CODE = re.compile(r"^```.*?^```$", re.DOTALL | re.MULTILINE)


class BrokenLinkError(Exception):
    """A page links a file that the repository does not have."""


def pages() -> list[Path]:
    """Every page of the repository that the site has."""
    docs = [path for path in (ROOT / "docs").rglob("*.md") if "site" not in path.parts]
    runs = [*(ROOT / "reports").glob("*/*.md"), ROOT / "benchmarks" / "paper" / "README.md"]
    return sorted([*docs, *runs, *(ROOT / name for name in _PAGES)])


def stage(target: Path) -> None:
    """Write all sources that are files of the repository to a folder, which is made anew."""
    for page in pages():
        place = target / where(page)
        place.parent.mkdir(parents=True, exist_ok=True)
        text = _with_site_links(page, target)
        place.write_text(text, encoding="utf-8")


def where(path: Path) -> Path:
    """Where a file of the repository lies on the site."""
    inside = path.relative_to(ROOT)
    return inside.relative_to("docs") if inside.parts[0] == "docs" else inside


def _with_site_links(page: Path, target: Path) -> str:
    text = page.read_text(encoding="utf-8")
    if text.startswith("## "):
        # A summary is made to be pasted under somebody's own heading.
        text = f"# Summary: {page.parent.name}\n\n{text}"

    def lead(match: re.Match[str]) -> str:
        before, link, after = match.groups()
        if re.match(r"\w+:", link):
            return match[0]
        return before + _led(page, link, target) + after

    parts = []
    last = 0
    for code in _CODE.finditer(text):
        parts += [_LINK.sub(lead, text[last : code.start()]), code[0]]
        last = code.end()
    return "".join([*parts, _LINK.sub(lead, text[last:])])


def _led(page: Path, link: str, target: Path) -> str:
    """Lead one link of a page to its target on the site; a file that is linked is copied."""
    linked = Path(os.path.normpath(page.parent / link))
    inside = linked.relative_to(ROOT).as_posix()
    if inside == "README.md":
        place = Path("index.md")
    elif inside.startswith("docs/reference/") or inside.startswith("docs/evidence/"):
        place = where(linked)  # made by the code; Sphinx checks that it is there
    elif not linked.exists():
        raise BrokenLinkError(f"{page.relative_to(ROOT)}: {link}")
    else:
        place = where(linked)
        if linked not in set(pages()) and linked.is_file():
            _copy(linked, target / place)
    return os.path.relpath(place, where(page).parent)


def _copy(linked: Path, place: Path) -> None:
    if not linked.relative_to(ROOT).as_posix().startswith(_FILES):
        raise BrokenLinkError(f"{linked.relative_to(ROOT)} is linked, and not on the site")
    place.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(linked, place)


def links() -> Iterator[tuple[Path, str]]:
    """Every link of every page that leads to a place on the network."""
    for page in pages():
        for _, link, _ in _LINK.findall(page.read_text(encoding="utf-8")):
            if re.match(r"https?:", link):
                yield page, link
