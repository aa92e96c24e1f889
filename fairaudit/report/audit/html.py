"""The page of one audit, for people who want to read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fairaudit.report import names
from fairaudit.report.audit import reading, summary, view
from fairaudit.report.audit.examples import examples_by_suite
from fairaudit.report.audit.panels import card_scales, panels, table_scales
from fairaudit.report.audit.textgroups import group_tables
from fairaudit.report.frameworks import evidence
from fairaudit.report.page import environment, with_pictures
from fairaudit.results import AuditResult
from fairaudit.results.capability import weakness_of

_CAPTIONS: Final = {
    "preference": "Primary preference rates, with intervals, against the ideal of 50 %.",
    "log_odds": "Mean log-odds of every protocol, with intervals, against the ideal of 0.",
    "texts": "What the model writes, by group, with intervals. The line is the reference group.",
    "capability": "Capability of the model, with intervals, against chance.",
    "groups": "Preference rates of single groups by protocol; exploratory, so no findings.",
}


def render_html(result: AuditResult, figures: Mapping[str, bytes]) -> str:
    """Render the report of one audit; see `fairaudit.report.html.render_html`."""
    made = environment(reading.mark_of)
    made.globals.update(reading=reading, summary=summary)
    made.filters.update(weakness=weakness_of)
    template, shown = made.get_template("audit/report.html.j2"), _content(result)
    return with_pictures(
        lambda pictures: template.render(**shown, pictures=pictures), figures, _CAPTIONS
    )


def _content(result: AuditResult) -> dict[str, Any]:
    return {
        "result": result,
        "cards": view.cards(result),
        "panels": panels(result),
        "card_scale": card_scales(result),
        "table_scale": table_scales(result),
        "sections": view.sections(result),
        "controls": view.controls(result),
        "not_run": view.not_run(result),
        "text_groups": group_tables(result),
        "examples": examples_by_suite(result.suites),
        "evidence": evidence(result.suites),
        "anchors": view.anchors(result),
        "capabilities": reading.headline_capabilities(result),
        "weak": reading.weak_capabilities(result),
        "glossary": names.glossary(result.estimates),
        "cautions": names.cautions_of(result.estimates),
    }
