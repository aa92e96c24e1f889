"""``report.html``: one file that needs nothing else, for people who want to read an audit.

No network, no script: a content security policy in the page itself forbids both.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final

import jinja2
from markupsafe import Markup

from fairaudit._version import __version__
from fairaudit.report import names, provenance, reading, strip, summary, view, words
from fairaudit.report.clean import clean, shorten
from fairaudit.report.panels import card_scales, panels, table_scales
from fairaudit.results import AuditResult

#: Pictures beyond this many characters stay in ``figures/`` so that the page remains light.
_MAX_PICTURES: Final = 1_200_000

_FIGURES: Final = {
    "preference": "Primary preference rates, with intervals, against the ideal of 50 %.",
    "log_odds": "Mean log-odds of every protocol, with intervals, against the ideal of 0.",
    "capability": "Capability of the model, with intervals, against chance.",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A figure as a data URI, with its words; None: too large to be embedded."""

    name: str
    uri: str | None
    caption: str


def render_html(result: AuditResult, figures: Mapping[str, bytes]) -> str:
    """Render the report of one audit.

    Parameters
    ----------
    result : AuditResult
        Everything shown stands in it; nothing is computed here.
    figures : mapping of str to bytes
        PNG files by stem, embedded as long as the page stays light.

    Returns
    -------
    str
        A whole HTML document, under 2 MB. The same input gives the same text.
    """
    template = _environment().get_template("report.html.j2")
    weak = reading.weak_capabilities(result)
    return template.render(
        result=result,
        version=__version__,
        style=Markup(_style()),
        cards=view.cards(result),
        panels=panels(result),
        card_scale=card_scales(result),
        table_scale=table_scales(result),
        sections=view.sections(result),
        controls=view.controls(result),
        not_run=view.not_run(result),
        anchors=view.anchors(result),
        capabilities=reading.headline_capabilities(result),
        weak=weak,
        pictures=_pictures(figures),
        glossary=_glossary(result),
        cautions=_cautions(result),
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fairaudit.report"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_finalize,
    )
    environment.globals.update(
        names=names, prov=provenance, reading=reading, summary=summary, words=words
    )
    environment.filters.update(
        strip=strip.strip, ticks=strip.axis, shorten=shorten, weakness=reading.weakness_of
    )
    return environment


def _finalize(value: Any) -> Any:
    """Clean every text that is printed, unless it is our own markup."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _style() -> str:
    folder = resources.files("fairaudit.report") / "templates"
    return (folder / "style.css").read_text(encoding="utf-8")


def _pictures(figures: Mapping[str, bytes]) -> tuple[Picture, ...]:
    """Embed figures as long as there is room; the others are only named."""
    pictures, room = [], _MAX_PICTURES
    for name, content in figures.items():
        uri = "data:image/png;base64," + base64.b64encode(content).decode("ascii")
        room -= len(uri)
        pictures.append(Picture(name, uri if room > 0 else None, _FIGURES.get(name, name)))
    return tuple(pictures)


def _glossary(result: AuditResult) -> tuple[names.Metric, ...]:
    metrics = {found.name: names.metric_of(found) for found in result.estimates}
    return tuple(metric for metric in metrics.values() if metric.meaning)


def _cautions(result: AuditResult) -> tuple[names.Caution, ...]:
    used = sorted({caution for found in result.estimates for caution in found.cautions})
    return tuple(names.caution_of(caution) for caution in used)
