"""The page of one comparison, for people who want to know whether it became worse."""

from __future__ import annotations

from typing import Any

from fairaudit.report import names, verdicts
from fairaudit.report import paired_numbers as paired
from fairaudit.report.comparison import summary, view
from fairaudit.report.comparison.panels import panels, scales
from fairaudit.report.comparison.plane import planes
from fairaudit.report.comparison.planesvg import plane_svg
from fairaudit.report.diagnostics import quantities_in_words
from fairaudit.report.diagnostics.disparity_beside_bias import beside
from fairaudit.report.frameworks import evidence
from fairaudit.report.page import environment
from fairaudit.results import ComparisonResult, DiagnosticsResult

#: With more candidates than this, each is folded, and the overview comes first.
FEW = 3


def render_html(result: ComparisonResult, diagnosis: DiagnosticsResult | None = None) -> str:
    """Render the report of one comparison; see `fairaudit.report.html.render_html`.

    Its figures are drawn into the page; the files in ``figures/`` hold the same.
    """
    made = environment(verdicts.mark_of)
    made.globals.update(paired=paired, summary=summary, verdicts=verdicts, diag=quantities_in_words)
    made.filters.update(plane=plane_svg)
    return made.get_template("comparison/report.html.j2").render(
        **_content(result), beside=beside(result, diagnosis)
    )


def _content(result: ComparisonResult) -> dict[str, Any]:
    scale, every = scales(result), view.candidates(result)
    return {
        "result": result,
        "candidates": every,
        "matrix": view.matrix(result) if len(every) > 1 else (),
        "folded": len(every) > FEW,
        "anchors": view.anchors(result),
        "table_scale": scale,
        "panels_of": lambda found: panels(found, scale),
        "planes": planes(result),
        "protocols": view.protocols(result),
        "gaps": view.gaps(result),
        "evidence": evidence(result.suites),
        "steps": tuple(summary.next_steps(result)),
        "glossary": names.glossary((*result.comparisons, *result.changes)),
        "cautions": names.cautions_of(result.comparisons),
    }
