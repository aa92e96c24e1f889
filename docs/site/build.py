"""Build the site into ``build/site``: ``python -m docs.site.build``; any warning is an error."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from docs.site import evidence, files, reference
from docs.site.stage import ROOT, stage

SITE = ROOT / "build" / "site"
SOURCE = ROOT / "build" / "site-source"
#: Options of Sphinx: in one process, all warnings, each of them an error, nothing kept from before.
STRICT = ("--nitpicky", "--fail-on-warning", "--keep-going", "--fresh-env", "--quiet")


def write_sources(target: Path) -> None:
    """Write what Sphinx reads: pages of the repository, and those that the code makes."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    stage(target)
    for name, page in {**reference.PAGES, **files.PAGES, **evidence.PAGES}.items():
        place = target / f"{name}.md"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(page(), encoding="utf-8")
    here = Path(__file__).parent
    shutil.copytree(here / "static", target / "_static")
    shutil.copyfile(here / "conf.py", target / "conf.py")


def build(target: Path = SITE) -> int:
    """Build the site; 0 where Sphinx had nothing to complain about."""
    write_sources(SOURCE)
    shutil.rmtree(target, ignore_errors=True)
    words: Sequence[str | Path] = ("-m", "sphinx", *STRICT, SOURCE, target)
    environment = {**os.environ, "PYTHONPATH": _with_root()}
    return subprocess.run([sys.executable, *map(str, words)], env=environment).returncode


def _with_root() -> str:
    return os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH", ""))))


if __name__ == "__main__":
    code = build()
    print(f"site: {SITE / 'index.html'}" if code == 0 else "the site was not built")
    sys.exit(code)
