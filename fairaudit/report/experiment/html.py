"""The page of one experiment, for people who want to know what the recipe does to bias."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources
from typing import Any, Final

from markupsafe import Markup

from fairaudit.report import names
from fairaudit.report.comparison.planesvg import plane_svg
from fairaudit.report.experiment import (
    charts,
    convergence,
    numbers,
    provenance,
    regimes,
    summary,
    toxicity,
    training,
    twins,
    view,
    ways,
)
from fairaudit.report.experiment import (
    claims_in_words as findings,
)
from fairaudit.report.experiment.arms import arm_of, arms_of
from fairaudit.report.experiment.calibration import CAPTION
from fairaudit.report.grouping import grouped
from fairaudit.report.marks import Mark
from fairaudit.report.page import environment, with_pictures
from fairaudit.report.scale import Scale, fit
from fairaudit.results.experiment import ArmDifference, Claim, ExperimentResult

#: Rows of the table of all differences; beyond them they stand in ``result.json`` only.
_MOST_ROWS: Final = 800
#: Figures that are pictures in the page too.
_CAPTIONS: Final = {
    "calibration": CAPTION,
    "convergence": convergence.CAPTION,
    ways.STEM: ways.CAPTION,
}


def render_html(result: ExperimentResult, figures: Mapping[str, bytes]) -> str:
    """Render the report of one experiment; see `fairaudit.report.html.render_html`.

    Bias against ε is drawn into the page; the files in ``figures/`` hold the same. Calibration, the
    convergence of gradients, and regimes are pictures.
    """
    made = environment(_mark_of)
    made.globals.update(
        arm_of=arm_of,
        convergence=convergence,
        findings=findings,
        numbers=numbers,
        regimes=regimes,
        summary=summary,
        training=training,
    )
    made.globals["style"] = Markup("{}{}").format(made.globals["style"], _style())
    made.filters.update(plane=plane_svg)
    name, content = ("regimes", _of_regimes) if result.regimes else ("report", _content)
    template, shown = made.get_template(f"experiment/{name}.html.j2"), content(result)
    embedded = {stem: content for stem, content in figures.items() if stem in _CAPTIONS}
    return with_pictures(
        lambda pictures: template.render(**shown, pictures=pictures), embedded, _CAPTIONS
    )


def _content(result: ExperimentResult) -> dict[str, Any]:
    differences = [one for one in result.differences if one.group is None]
    return {
        "result": result,
        "claims": view.claims_by_name(result),
        "scale_of": _scales(result),
        "remark_of": lambda found: summary.remark(result, found),
        "charts": charts.charts(result),
        "planes": charts.planes(result),
        "readings": training.readings(result),
        "utility": {
            row.arm.id: numbers.mean((run.perplexity for run in row.done), names.Unit.NUMBER)
            for row in view.arm_rows(result)
        },
        "pairs": _by_twins(result),
        "toxic": toxicity.tables(result),
        "courses": convergence.rows(result),
        "pushes": convergence.pushes(result),
        "rows": view.arm_rows(result),
        "seeds": view.seeds(result),
        "parts": _parts(result),
        "gaps": summary.gaps(result),
        "failures": tuple(summary.failures(result)),
        "levels": grouped(result.levels, lambda one: (one.protocol, one.name)),
        "differences": differences[:_MOST_ROWS],
        "n_left_out": len(result.differences) - len(differences[:_MOST_ROWS]),
        "tables": provenance.tables(result),
        "glossary": _glossary(result),
    }


def _of_regimes(result: ExperimentResult) -> dict[str, Any]:
    some = result.regimes
    return {
        "result": result,
        "arms": dict.fromkeys(arm.id for regime in some for arm in arms_of(regime)),
        "n_seeds": max(len(view.seeds(regime)) for regime in some),
        "claims": regimes.claims_by_name(result),
        "scale_of": regimes.scales(result),
        "tables_of_levels": [regimes.table_of(regime) for regime in some],
        "failures": tuple(regimes.failures(result)),
        "predictions": [(regime, one) for regime in some for one in regime.predictions],
        "tables": provenance.tables(result),
        "glossary": _glossary(*some),
    }


def _mark_of(found: Claim | ArmDifference | charts.ArmLevel) -> Mark:
    return found.mark if isinstance(found, charts.ArmLevel) else findings.mark_of(found)


def _scales(result: ExperimentResult) -> dict[str, Scale | None]:
    """Return the scale of each claim: shared by its axes, so that they compare by eye."""
    found = grouped(result.claims, lambda one: one.claim)
    return {name: fit(map(findings.mark_of, claims)) for name, claims in found.items()}


def _by_twins(result: ExperimentResult) -> list[list[twins.Pair]]:
    """Group pairs by the arm with twins."""
    return list(grouped(twins.pairs(result), lambda pair: pair.with_twins.id).values())


def _parts(result: ExperimentResult) -> dict[str, dict[tuple[str, str], Any]]:
    """Return levels of the parts that are scored apart, by arm, then by axis and part."""
    found: dict[str, dict[tuple[str, str], Any]] = {}
    for axis in view.axes(result):
        for part in view.PARTS:
            for level in view.levels_of(result, axis, part):
                found.setdefault(level.arm, {})[axis, part] = level
    return found


def _glossary(*results: ExperimentResult) -> tuple[names.Metric, ...]:
    levels = {level.name for one in results for level in one.levels}
    used = levels | {claim.metric for one in results for claim in one.claims}
    return tuple(
        metric for name, metric in names.METRICS.items() if name in used and metric.meaning
    )


def _style() -> Markup:
    folder = resources.files("fairaudit.report") / "templates" / "experiment"
    return Markup((folder / "style.css").read_text(encoding="utf-8"))
