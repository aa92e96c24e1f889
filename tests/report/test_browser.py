"""The page in a real browser: it shows, asks the network for nothing, and complains of nothing."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from fairaudit.report.files import write_report
from fairaudit.results import AuditResult

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("chrome")

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")


def _browse(folder: Path, *flags: str, width: int = 1280) -> subprocess.CompletedProcess[str]:
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
        f"--user-data-dir={folder / 'profile'}",
        f"--window-size={width},1400",
        *flags,
        (folder / "audit" / "report.html").as_uri(),
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@pytest.fixture(scope="module")
def folder(hostile: AuditResult, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("browser")
    write_report(hostile, made / "audit")
    return made


def test_it_shows_and_stays_silent(folder: Path):
    log = folder / "net.json"
    done = _browse(folder, "--dump-dom", "--enable-logging=stderr", f"--log-net-log={log}")
    assert "61.9 %" in done.stdout
    assert "&lt;script&gt;alert" in done.stdout
    assert "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr
    asked = {
        event["params"]["url"]
        for event in json.loads(log.read_text())["events"]
        if "url" in event.get("params", {})
    }
    assert not [url for url in asked if "evil" in url or "report" in url]


def test_a_phone_needs_no_sideways_scroll(folder: Path):
    page = (folder / "audit" / "report.html").read_text(encoding="utf-8")
    probe = folder / "phone" / "audit"
    probe.mkdir(parents=True)
    quoted = json.dumps(page).replace("</", "<\\/")
    frame = (
        "<body><iframe id=f style='width:390px;height:900px;border:0'></iframe><script>"
        f"const page = {quoted};"
        "f.onload = () => {document.title = f.contentDocument.documentElement.scrollWidth};"
        "f.srcdoc = page.replace(/<meta http-equiv[^>]*>/, '');</script>"
    )
    (probe / "report.html").write_text(frame, encoding="utf-8")
    done = _browse(probe.parent, "--dump-dom", "--virtual-time-budget=4000")
    width = re.search(r"<title>(\d+)</title>", done.stdout)
    assert width is not None
    assert 300 < int(width[1]) <= 390
