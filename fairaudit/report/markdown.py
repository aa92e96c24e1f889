"""``summary.md``: a result in a few lines, for a pull request or a release checklist."""

from __future__ import annotations

from fairaudit.report.documents.of_result import Result, document_of
from fairaudit.report.render.markdown import render_markdown
from fairaudit.results import GateResult


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
    return render_markdown(document_of(result, decided=decided), report)
