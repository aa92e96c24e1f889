"""Everything that is rendered from a result, as files of its audit folder."""

from __future__ import annotations

from pathlib import Path

from fairaudit.report.audit.figures import STEMS
from fairaudit.report.figures import figures
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.results import AuditResult
from fairaudit.results.files import staged_folder, write_text


def write_report(result: AuditResult, folder: Path) -> None:
    """Write ``report.html``, ``summary.md`` and ``figures/*.png`` into an audit folder.

    Parameters
    ----------
    result : AuditResult
        The audit; its ``result.json`` is not touched.
    folder : path
        Created if needed. Each file is replaced as a whole, and only when all are complete.
        A figure of an earlier report that this one lacks is removed.

    Raises
    ------
    ResultError
        If the folder cannot be written to.
    """
    drawn = figures(result)
    with staged_folder(folder) as stage:
        write_text(stage / "report.html", render_html(result, drawn))
        write_text(stage / "summary.md", render_summary(result))
        for stem, content in drawn.items():
            path = stage / "figures" / f"{stem}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    for stem in STEMS:
        if stem not in drawn:
            (folder / "figures" / f"{stem}.png").unlink(missing_ok=True)
