"""Every code block of every page runs, in the readers' order."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.endpoints import served
from tests.site.blocks import DOCS, NOT_RUN, ROOT, Reader, blocks, commands, offline
from tests.site.reader_files import files_of, own_models

#: Pages that need what another page made.
NEEDS = {
    "start/reading": ("start/first-audit",),
    "how-to/recorded-logs": ("how-to/own-suite",),
    "how-to/trackers": ("how-to/gate-in-ci",),
    "how-to/other-tools": ("how-to/gate-in-ci",),
    "how-to/experiment": ("how-to/gate-in-ci", "start/first-audit"),
    "understand/privacy-statement": ("how-to/private-fine-tuning",),
    "verdicts": ("how-to/gate-in-ci",),
}
#: Packages without which a page cannot be run.
PACKAGES = {
    "how-to/trackers": ("mlflow", "wandb", "tensorboard"),
    "how-to/adapters": ("peft",),
    "how-to/quantised-models": ("gguf",),
    "measured": ("gguf",),
    "processes": ("accelerate",),
}
#: Pages whose files and folders have the names of other pages' ones.
ALONE = ("CONTRIBUTING.md", "README.md", "measured", "processes", "training", "verdicts")
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix()
    for folder in ("start", "how-to", "understand")
    for path in (DOCS / folder).glob("*.md")
)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the models and texts of a reader."""
    folder = tmp_path_factory.mktemp("reader")
    own_models(folder)
    return folder


@pytest.fixture(scope="module")
def reader(home: Path) -> Reader:
    """Somebody who reads *Start*, *How to* and *Understand* one after the other."""
    return Reader(home)


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs(page, reader, monkeypatch):
    _read(page, reader, monkeypatch)


@pytest.mark.long
@pytest.mark.parametrize("page", ALONE)
def test_every_block_of_a_page_runs_in_a_folder_of_its_own(page, home, tmp_path, monkeypatch):
    for name in ("distilgpt2", "checkpoint"):
        shutil.copytree(home / name, tmp_path / name)
    shutil.copy(home / "text.jsonl", tmp_path)
    with served() as server:
        _read(page, Reader(tmp_path, address=server.url), monkeypatch)


def _read(page: str, reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    for package in PACKAGES.get(page, ()):
        pytest.importorskip(package)
    offline(monkeypatch)
    for one in (*NEEDS.get(page, ()), page):
        files_of(one, reader.folder)
        reader.read(one)


def test_every_page_with_code_is_read():
    written = {
        path.relative_to(DOCS).with_suffix("").as_posix()
        for path in DOCS.rglob("*.md")
        if any(block.language != "{toctree}" for block in blocks(path))
    }
    written |= {path.name for path in ROOT.glob("*.md") if blocks(path)}
    assert written <= {*PAGES, *ALONE}


def test_what_is_not_run_is_named_with_a_reason_and_still_there():
    lines = [
        line
        for path in (*DOCS.rglob("*.md"), *ROOT.glob("*.md"))
        for block in blocks(path)
        if block.language == "sh"
        for line in commands(block.text)
    ]
    for start, reason in NOT_RUN.items():
        assert reason
        assert any(line.startswith(start) for line in lines), f"no page has '{start}' any more"


def test_pages_are_all_in_the_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^([\w/-]+)$", index, re.MULTILINE))
    written = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert {one for one in written if not one.startswith("site/")} - {"index"} <= named
