"""Pages in a real browser: they show, ask the network for nothing, and complain of nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from fairaudit.report.figures import figures
from fairaudit.report.html import render_html
from tests.diagnostics import test_report as diagnoses
from tests.report import audits, comparisons, experiments
from tests.report.browser import browse, findings, needs_chromium
from tests.report.plant import TITLE, planted

pytestmark = [needs_chromium, pytest.mark.long]

#: A page, and words that it must show.
_PAGES: dict[str, tuple[Callable[[], str], str]] = {
    "audit": (lambda: _page(audits.whole_audit(audits.HOSTILE + audits.ESCAPES)), "61.9 %"),
    "comparison": (lambda: _page(comparisons.hostile()), "+9.8 points"),
    "comparison of ten": (lambda: _page(comparisons.whole_comparison(9)), "+9.8 points"),
    "experiment": (lambda: _page(experiments.hostile()), "+0.623 nats"),
    "regimes": (lambda: _page(experiments.hostile_regimes()), "+0.623 nats"),
    "diagnosis": (lambda: _page(diagnoses.result(label=diagnoses.HOSTILE)), "0.700"),
}
_POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')


def _page(result) -> str:
    return render_html(result, {})


@pytest.fixture(scope="module", params=_PAGES)
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("browser") / "report.html"
    make, _ = _PAGES[request.param]
    made.write_text(make(), encoding="utf-8")
    return made


def _shows(text: str) -> bool:
    return any(words in text for _, words in _PAGES.values())


def test_it_shows_and_stays_silent(page: Path):
    log = page.parent / "net.json"
    done = browse(page, "--dump-dom", "--enable-logging=stderr", f"--log-net-log={log}")
    assert _shows(done.stdout)
    assert "&lt;script&gt;" in done.stdout
    assert "<script" not in done.stdout
    assert "CONSOLE" not in done.stderr
    assert not [url for url in _asked(log) if "evil" in url or "report" in url]


def test_scripts_are_forbidden_and_not_needed(page: Path):
    plain = page.read_text(encoding="utf-8")
    trap = plain.replace("<main", "<script>document.title = 'ran'</script><main", 1)
    (page.parent / "trap.html").write_text(trap, encoding="utf-8")
    shown = browse(page.parent / "trap.html", "--dump-dom", "--enable-logging=stderr")
    assert "<title>ran" not in shown.stdout
    assert _shows(shown.stdout)
    assert "Content Security Policy" in shown.stderr


def test_a_phone_without_javascript_shows_it_all_and_needs_no_sideways_scroll(page: Path):
    """The frame is sandboxed: no script of the page could run in it, even if it had one."""
    trap = "<script>document.body.textContent = ''</script></main>"
    trapped = page.read_text(encoding="utf-8").replace("</main>", trap)
    quoted = json.dumps(trapped).replace("</", "<\\/")
    frame = (
        "<body><iframe id=f sandbox=allow-same-origin style='width:375px;height:900px;border:0'>"
        "</iframe><pre id=said></pre><script>"
        f"const page = {quoted};"
        "f.onload = () => {const d = f.contentDocument;"
        "d.querySelectorAll('details').forEach(e => e.open = true);"
        "document.title = d.documentElement.scrollWidth;"
        "said.textContent = d.body.innerText};"
        "f.srcdoc = page.replace(/<meta http-equiv[^>]*>/, '');</script>"
    )
    (page.parent / "phone.html").write_text(frame, encoding="utf-8")
    done = browse(page.parent / "phone.html", "--dump-dom", "--virtual-time-budget=4000")
    width = re.search(r"<title>(\d+)</title>", done.stdout)
    assert width is not None
    assert 300 < int(width[1]) <= 375
    assert _shows(done.stdout.partition("<pre")[2].partition("</pre>")[0])


_PLANTED = {
    "audit": audits.whole_audit,
    "comparison": comparisons.whole_comparison,
    "experiment": lambda: experiments.whole_experiment(3, tuple(experiments.ARMS)[:6]),
    "diagnosis": diagnoses.result,
}


@pytest.mark.parametrize("kind", _PLANTED)
def test_planted_scripts_do_not_run_even_where_scripts_are_allowed(kind: str, tmp_path: Path):
    result = planted(_PLANTED[kind]())
    text, n_policies = _POLICY.subn("", _page(result))
    assert n_policies == 1
    assert text.count(TITLE) > 9
    (tmp_path / "report.html").write_text(text, encoding="utf-8")
    log = tmp_path / "net.json"
    flags = ("--dump-dom", "--virtual-time-budget=2000", f"--log-net-log={log}")
    shown = browse(tmp_path / "report.html", *flags).stdout
    assert f"<title>{TITLE}" not in shown
    assert not [url for url in _asked(log) if "evil" in url]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("kind", _PLANTED)
def test_axe_finds_nothing(kind: str, scheme: str, tmp_path: Path):
    result = _PLANTED[kind]()
    page = tmp_path / "report.html"
    page.write_text(render_html(result, figures(result)), encoding="utf-8")
    assert findings(page, scheme) == []


def test_axe_would_find_pale_words_in_one_scheme_only(tmp_path: Path):
    text = _page(audits.empty_audit())
    assert text.count("--muted: #a5adb6") == 1
    page = tmp_path / "report.html"
    page.write_text(text.replace("--muted: #a5adb6", "--muted: #33373b"), encoding="utf-8")
    assert findings(page, "light") == []
    (found,) = findings(page, "dark")
    assert (found["id"], found["impact"]) == ("color-contrast", "serious")


def _asked(log: Path) -> set[str]:
    return {
        event["params"]["url"]
        for event in json.loads(log.read_text())["events"]
        if "url" in event.get("params", {})
    }
