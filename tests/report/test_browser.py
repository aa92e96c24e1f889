"""Pages in a real browser: they show, ask the network for nothing, and complain of nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from fairaudit.report.html import render_html
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.experiment import ExperimentResult
from tests.report import audits, comparisons, experiments

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")

#: A page, and a number that it must show.
_PAGES: dict[str, tuple[Callable[[], AuditResult | ComparisonResult | ExperimentResult], str]] = {
    "audit": (lambda: audits.whole_audit(audits.HOSTILE + audits.ESCAPES), "61.9 %"),
    "comparison": (comparisons.hostile, "+9.8 points"),
    "comparison of ten": (lambda: comparisons.whole_comparison(9), "+9.8 points"),
    "experiment": (experiments.hostile, "+0.623 nats"),
}


def _browse(page: Path, *flags: str, width: int = 1280) -> subprocess.CompletedProcess[str]:
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
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module", params=_PAGES)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("browser") / "report.html"
    make, _ = _PAGES[request.param]
    made.write_text(render_html(make(), {}), encoding="utf-8")
    return made


def test_it_shows_and_stays_silent(page: Path):
    log = page.parent / "net.json"
    done = _browse(page, "--dump-dom", "--enable-logging=stderr", f"--log-net-log={log}")
    assert any(number in done.stdout for _, number in _PAGES.values())
    assert "&lt;script&gt;" in done.stdout
    assert "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr
    asked = {
        event["params"]["url"]
        for event in json.loads(log.read_text())["events"]
        if "url" in event.get("params", {})
    }
    assert not [url for url in asked if "evil" in url or "report" in url]


def test_scripts_are_forbidden_and_not_needed(page: Path):
    plain = page.read_text(encoding="utf-8")
    trap = plain.replace("<main", "<script>document.title = 'ran'</script><main", 1)
    (page.parent / "trap.html").write_text(trap, encoding="utf-8")
    shown = _browse(page.parent / "trap.html", "--dump-dom", "--enable-logging=stderr")
    assert "<title>ran" not in shown.stdout
    assert any(number in shown.stdout for _, number in _PAGES.values())
    assert "Content Security Policy" in shown.stderr


def test_a_phone_needs_no_sideways_scroll(page: Path):
    quoted = json.dumps(page.read_text(encoding="utf-8")).replace("</", "<\\/")
    frame = (
        "<body><iframe id=f style='width:375px;height:900px;border:0'></iframe><script>"
        f"const page = {quoted};"
        "f.onload = () => {const d = f.contentDocument;"
        "d.querySelectorAll('details').forEach(e => e.open = true);"
        "document.title = d.documentElement.scrollWidth};"
        "f.srcdoc = page.replace(/<meta http-equiv[^>]*>/, '');</script>"
    )
    (page.parent / "phone.html").write_text(frame, encoding="utf-8")
    done = _browse(page.parent / "phone.html", "--dump-dom", "--virtual-time-budget=4000")
    width = re.search(r"<title>(\d+)</title>", done.stdout)
    assert width is not None
    assert 300 < int(width[1]) <= 375
