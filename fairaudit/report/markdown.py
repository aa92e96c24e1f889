"""``summary.md``: a result in a few lines, for a pull request or a release checklist."""

from __future__ import annotations

from fairaudit.report.documents.of_result import Result, document_of
from fairaudit.report.experiment import markdown as experiment
from fairaudit.report.map import markdown as bias_map
from fairaudit.report.render.markdown import render_markdown
from fairaudit.results import GateResult
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult


def render_summary(
    result: Result, report: str = "report.html", decided: GateResult | None = None
) -> str:
    """Render the Markdown summary of a result.

    Parameters
    ----------
    result : any result
        Everything shown stands in it; nothing is computed here.
    report : str
        Where the links lead: address of the HTML report.
    decided : GateResult or None
        What a gate decided about the result: stands at the top.

    Returns
    -------
    str
        GitHub Markdown; labels and reasons cannot break out of their line.
    """
    if isinstance(result, ExperimentResult):
        return experiment.render_summary(result, report)
    if isinstance(result, MapResult):
        return bias_map.render_summary(result, report)
    return render_markdown(document_of(result, decided=decided), report)
