"""The page of a map, for people who want to know when privacy raises bias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fairaudit.report.experiment.arms import arm_of, in_order
from fairaudit.report.map import numbers, provenance, summary, view
from fairaudit.report.map.figures import CAPTIONS
from fairaudit.report.marks import Mark
from fairaudit.report.page import environment, with_pictures
from fairaudit.results.map import MapResult, OverSeeds
from fairaudit.vocabulary.units import Unit


def render_html(result: MapResult, figures: Mapping[str, bytes]) -> str:
    """Render the report of a map; see `fairaudit.report.html.render_html`."""
    made = environment(_mark_of)
    made.globals.update(arm_of=arm_of, numbers=numbers, summary=summary)
    template, shown = made.get_template("map/report.html.j2"), _content(result)
    embedded = {stem: content for stem, content in figures.items() if stem in CAPTIONS}
    return with_pictures(
        lambda pictures: template.render(**shown, pictures=pictures), embedded, CAPTIONS
    )


def _content(result: MapResult) -> dict[str, Any]:
    order = {arm.id: place for place, arm in enumerate(in_order(result.arms))}

    def place(arm: str | None) -> int:
        return -1 if arm is None else order.get(arm, len(order))

    return {
        "result": result,
        "unit": numbers.unit_of(result),
        "sheets": view.all_sheets(result),
        "moved": sorted(result.moved, key=lambda one: place(one.arm)),
        "fits": {one.arm: one for one in result.held_out},
        "sides": {(one.arm, one.side): one for one in result.sides},
        "frequencies": sorted(result.frequencies, key=lambda one: (place(one.arm), one.frequency)),
        "early": any(one.beyond_early is not None for one in result.frequencies),
        "failures": tuple(summary.failures(result)),
        "tables": provenance.tables(result),
    }


def _mark_of(found: OverSeeds) -> Mark:
    return Mark(found.value, found.interval, Unit.SIGNED_NATS, numbers.tone(found), ideal=0.0)
