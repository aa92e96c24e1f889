"""Headless Chromium for tests: how it is started, and what it says of a page."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import PATIENCE

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

#: Which Blink setting makes a page see the user's scheme.
SCHEMES = {"light": "preferredColorScheme=1", "dark": "preferredColorScheme=0"}
_AXE = "axe-core@4.10.3"
_BUILD = Path(__file__).resolve().parents[2] / "build" / "npm"
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def browse(page: Path, *flags: str, width: int = 1280) -> subprocess.CompletedProcess[str]:
    """Open a page without a network, and wait until it is done."""
    assert CHROMIUM is not None
    command = [
        CHROMIUM,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-quic",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        f"--user-data-dir={page.parent / 'profile'}",
        f"--window-size={width},1400",
        *flags,
        page.as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)


@cache
def axe_source() -> str:
    """Return axe-core, fetched by npm into the ignored build folder when first asked for.

    Skips the test, with a reason, where it cannot be had.
    """
    script = _BUILD / "node_modules" / "axe-core" / "axe.min.js"
    if not script.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip("needs axe-core, and there is no npm to fetch it")
        _BUILD.mkdir(parents=True, exist_ok=True)
        quiet = ("--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--prefix", _BUILD)
        done = subprocess.run(
            [npm, "install", *quiet, _AXE],
            capture_output=True,
            timeout=PATIENCE,
            env=dict(os.environ),
        )
        if done.returncode or not script.exists():
            pytest.skip(f"needs {_AXE}, which npm could not fetch")
    return script.read_text(encoding="utf-8")


def findings(page: Path, scheme: str, width: int = 1280) -> list[dict[str, Any]]:
    """Return what axe-core finds on a page in one colour scheme, everything unfolded.

    The page forbids scripts, so axe-core runs in a copy without that policy. Of what it checks,
    only contrast depends on the scheme: in the dark one nothing else is looked at.
    """
    only = {"light": "", "dark": "runOnly: ['color-contrast']"}[scheme]
    run = """
    document.querySelectorAll('details').forEach(one => one.open = true);
    axe.run(document, {resultTypes: ['violations'], ONLY}).then(found => {
      const said = document.createElement('pre');
      said.id = 'axe-said';
      said.textContent = JSON.stringify({
        dark: matchMedia('(prefers-color-scheme: dark)').matches,
        passes: found.passes.map(one => one.id),
        violations: found.violations.map(one => ({
          id: one.id, impact: one.impact,
          nodes: one.nodes.slice(0, 8).map(node => node.html.slice(0, 200) + ' | '
            + node.any.concat(node.all, node.none).map(check => check.message).join('; ')),
        })),
      });
      document.body.append(said);
    });
    """
    plain, n_policies = _POLICY.subn("", page.read_text(encoding="utf-8"))
    assert n_policies == 1
    copy = page.parent / f"axe-{scheme}-{width}.html"
    copy.write_text(
        f"{plain}<script>{axe_source()}</script><script>{run.replace('ONLY', only)}</script>",
        "utf-8",
    )
    flags = ("--dump-dom", "--virtual-time-budget=20000", f"--blink-settings={SCHEMES[scheme]}")
    shown = browse(copy, *flags, width=width).stdout
    said = re.search(r'<pre id="axe-said">(.*?)</pre>', shown, re.DOTALL)
    assert said is not None, "axe-core did not finish"
    result = json.loads(html.unescape(said[1]))
    assert result["dark"] is (scheme == "dark")
    assert "color-contrast" in result["passes"]
    assert len(result["passes"]) > 15 or scheme == "dark"
    return list(result["violations"])
