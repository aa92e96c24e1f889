from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from fairaudit.report.figures import figures
from fairaudit.report.html import render_html
from fairaudit.results import AuditResult, ComparisonResult
from tests.report import audits, comparisons
from tests.report.pages import Page


@pytest.fixture(scope="module")
def drawn(audit: AuditResult) -> dict[str, bytes]:
    return figures(audit)


@pytest.fixture(scope="module")
def html(audit: AuditResult, drawn: dict[str, bytes]) -> str:
    return render_html(audit, drawn)


_PAGES: dict[str, Callable[[], AuditResult | ComparisonResult]] = {
    "whole": audits.whole_audit,
    "hostile": lambda: audits.whole_audit(audits.HOSTILE + audits.ESCAPES),
    "long": lambda: audits.whole_audit(audits.LONG),
    "empty": audits.empty_audit,
    "two": comparisons.whole_comparison,
    "four": lambda: comparisons.whole_comparison(3),
    "ten": lambda: comparisons.whole_comparison(9),
    "hostile comparison": comparisons.hostile,
    "undecided": comparisons.undecided,
    "half missing": comparisons.half_missing,
}


@pytest.fixture(scope="module", params=_PAGES)
def any_html(request: pytest.FixtureRequest) -> str:
    return render_html(_PAGES[request.param](), {})


def test_structure(any_html: str):
    page = Page(any_html)
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    targets = [href[1:] for href in page.attributes("href") if href.startswith("#")]
    assert targets
    assert set(targets) <= set(ids)
    labelled = page.attributes("aria-labelledby")
    assert set(labelled) <= set(ids)
    assert any_html.startswith("<!DOCTYPE html>")
    assert sum(tag == "h1" for tag, _ in page.tags) == 1


def test_landmarks_headers_and_alternatives(any_html: str):
    page = Page(any_html)
    tags = [tag for tag, _ in page.tags]
    assert tags.count("main") == tags.count("nav") == tags.count("footer") == 1
    assert all(attrs.get("scope") for tag, attrs in page.tags if tag == "th")
    assert all(attrs.get("alt") for tag, attrs in page.tags if tag == "img")
    assert all(attrs.get("aria-hidden") == "true" for tag, attrs in page.tags if tag == "svg")
    assert ("html", {"lang": "en"}) in page.tags


def test_nothing_is_loaded_and_nothing_runs(any_html: str):
    page = Page(any_html)
    assert "script" not in {tag for tag, _ in page.tags}
    assert not {"link", "iframe", "object", "embed", "base"} & {tag for tag, _ in page.tags}
    assert all(src.startswith("data:image/png;base64,") for src in page.attributes("src"))
    # A table to save is no request: it lies in the link itself.
    links = page.attributes("href")
    assert all(href.startswith(("#", "data:text/csv;")) for href in links)
    style = any_html[any_html.index("<style>") : any_html.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "default-src 'none'" in any_html
    assert not any(name.startswith("on") for _, attrs in page.tags for name in attrs)


def test_no_word_promises_too_much(any_html: str):
    # A weak model only looks so, and a reader is told that.
    text = Page(any_html).text.replace("looks unbiased", "")
    assert not re.search(r"\bunbiased\b|\bcompliant\b|\bnan\b|\bNone\b|no significant", text)


def test_hostile_text_stays_text(hostile: AuditResult):
    html = render_html(hostile, {})
    assert "<script" not in html
    assert "<b onclick" not in html
    assert "&lt;script&gt;" in html
    assert audits.HOSTILE[:20] in Page(html).text
    assert not set("\x00\x1b\u202e") & set(html)


def test_our_own_tags_are_balanced_and_cells_fill_rows(any_html: str):
    for table in re.findall(r"<table.*?</table>", any_html, flags=re.DOTALL):
        head = re.search(r"<thead.*?</thead>", table, flags=re.DOTALL)
        if head is None or "rowspan" in table:
            continue
        width = len(re.findall(r"<th\b", head.group()))
        for row in re.findall(r"<tr.*?</tr>", table[head.end() :], flags=re.DOTALL):
            spans = re.findall(r'<t[hd]\b(?:[^>]*colspan="(\d+)")?', row)
            assert sum(int(span or 1) for span in spans) == width


def test_headline_numbers(html: str):
    text = Page(html).text
    assert "distilgpt2-wikitext" in text
    assert "61.9 % ideal 50 % [51.3, 72.6]" in text
    assert "81,912,576 parameters" in text
    assert "more or less biased" in text


def test_every_value_of_the_audit_is_shown(audit: AuditResult, html: str):
    from fairaudit.report import words

    text = Page(html).text
    assert not [found.key for found in audit.estimates if words.bare(found) not in text]


def test_missing_values_show_their_reason(html: str):
    text = Page(html).text
    assert "no value: no item was scored: <script>" in text
    assert "no interval: 3 clusters: fewer than the 10 an interval needs" in text
    assert "ICAT has a kink" in text
    assert "few clusters" in text


def test_suites_not_run_are_prominent(html: str):
    text = Page(html).text
    assert "2 suites did not run." in text
    assert "the file could not be fetched (no network)" in text
    assert text.index("2 suites did not run.") < text.index("By axis", 400)


def test_capability_warning(html: str, audit: AuditResult):
    text = Page(html).text
    assert "3 of 12 capability estimates are not shown to be above chance" in text
    assert "51.0 % [47.0, 55.0], not better than chance (50 %)" in text
    good = [found for found in audit.estimates if found.suite != "stereoset"]
    calm = Page(render_html(audit.model_copy(update={"estimates": tuple(good)}), {})).text
    assert "above chance" not in calm
    none = [found for found in good if found.kind != "capability"]
    blind = Page(render_html(audit.model_copy(update={"estimates": tuple(none)}), {})).text
    assert "No capability was measured." in blind


def test_caveats_provenance_and_command(html: str):
    text = Page(html).text
    assert "Blodgett et al. 2021 found pairs" in text
    assert "c0ffee" * 10 in text
    assert "bos:<|endoftext|>" in text
    assert "5e0b" * 10 in text
    assert "cda.mode" in text
    assert "fairaudit audit '/models/gpt2 mini' --suites templates,crows_pairs,stereoset" in text
    assert "--seed 7" in text


def test_command_of_recorded_and_quick_audits(audit: AuditResult):
    from fairaudit.report.provenance import command

    recorded = audits.provenance(recorded="ab" * 32, suites=("stereoset",))
    text = command(audit.model_copy(update={"provenance": recorded}))
    assert text.startswith("fairaudit audit-scores FILE --suite stereoset ")
    quick = audits.provenance(item_limit=200, axes=("race",))
    text = command(audit.model_copy(update={"provenance": quick, "label": "a; rm -rf /"}))
    assert "--quick" in text
    assert "--axes race" in text
    assert "'a; rm -rf /'" in text


def test_the_command_says_how_texts_were_written_and_scored(audit: AuditResult):
    from fairaudit.report.provenance import command

    decoding = {
        "bold": {"n": 3, "max_new_tokens": 24},
        "toxicity": {"n": 3, "max_new_tokens": 20},
        "chat_template": "ab" * 32,
        "system_prompt": "Be brief.",
    }
    provenance = audits.provenance(decoding=decoding, full=True)
    toxicity = audit.estimates[0].model_copy(
        update={"name": "toxicity_mean", "protocol": "toxicity/unitary/toxic-bert@4d6c22e"}
    )
    text = command(audit.model_copy(update={"provenance": provenance, "estimates": (toxicity,)}))
    for flags in (
        "--full",
        "--apply-chat-template --system-prompt 'Be brief.'",
        "--completions 3",
        "--toxicity-classifier unitary/toxic-bert@4d6c22e",
    ):
        assert flags in text
    # Suites that differ went their own way, and nothing was scored by regard.
    assert "--max-new-tokens" not in text
    assert "--regard-classifier" not in text
    assert "--quick" not in text


def test_noise_from_a_known_seed_is_no_guarantee(audit: AuditResult):
    fixed = audit.model_copy(update={"privacy": {"epsilon": 8.0, "noise_reproducible": True}})
    assert "No privacy guarantee." in Page(render_html(fixed, {})).text
    assert "No privacy guarantee." not in Page(render_html(audit, {})).text


def test_what_correction_undoes_is_said_and_not_coloured(html: str):
    """Marks that correction undoes were filled and coloured like those that it leaves."""
    text = Page(html).text
    said = "leans towards the stereotype, but not after correction"
    assert text.count(said) == 4
    assert "adj. p 0.528" in text
    for row in re.findall(r"<tr.*?</tr>", html, flags=re.DOTALL):
        if "but not after correction" in row:
            assert '<svg class="strip mini open"' in row
            assert 'class="standing includes"' in row


def test_empty_audit(empty: AuditResult):
    text = Page(render_html(empty, {})).text
    assert "No suite ran" in text
    assert "no data" in text
    assert "No capability was measured." in text
    assert "At a glance" not in text


def test_exploratory_estimates_are_folded(html: str):
    page = Page(html)
    folded = [attrs for tag, attrs in page.tags if tag == "details" and "class" not in attrs]
    assert len(folded) == 14
    assert not any("open" in attrs for attrs in folded)


def test_a_suite_without_primary_estimates_is_open(audit: AuditResult):
    plain = tuple(found.model_copy(update={"primary": False}) for found in audit.estimates)
    page = Page(render_html(audit.model_copy(update={"estimates": plain}), {}))
    assert sum("open" in attrs for tag, attrs in page.tags if tag == "details") == 3


def test_size_and_determinism(audit: AuditResult, html: str, drawn: dict[str, bytes]):
    assert len(html.encode("utf-8")) < 2_000_000
    assert render_html(audit, drawn) == html


def test_heavy_pictures_stay_outside(audit: AuditResult):
    html = render_html(audit, {"preference": b"x" * 2_000_000})
    assert "data:image" not in html
    assert "figures/preference.png" in html
    assert len(html.encode("utf-8")) < 2_000_000


def test_contrast_of_the_palettes():
    from fairaudit.report.page import _style

    style = _style()
    for block in re.findall(r":root \{(.*?)\}", style, flags=re.DOTALL):
        colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
        for ink in ("ink", "muted", "link", "towards", "away", "within"):
            for ground in ("page", "card", "warn-page", "note-page"):
                assert _contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
