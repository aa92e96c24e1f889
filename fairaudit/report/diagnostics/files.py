"""Page and figures of a diagnosis, as files of its folder."""

from __future__ import annotations

from pathlib import Path

from fairaudit.report.diagnostics.figures import STEMS, figures
from fairaudit.report.diagnostics.html import render_html
from fairaudit.results.diagnostics import DiagnosticsResult
from fairaudit.results.files import staged_folder, write_text


def write_report(result: DiagnosticsResult, folder: Path) -> None:
    """Write ``report.html`` and ``figures/*.png``.

    Parameters
    ----------
    result : DiagnosticsResult
        The result; its ``result.json`` is not touched.
    folder : path
        Created if needed. Files are replaced as a whole, when all are complete; a figure of an
        earlier report that this one lacks is removed.

    Raises
    ------
    ResultError
        If the folder cannot be written to.
    """
    drawn = figures(result)
    with staged_folder(folder) as stage:
        write_text(stage / "report.html", render_html(result, drawn))
        for stem, content in drawn.items():
            path = stage / "figures" / f"{stem}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
    for stem in STEMS:
        if stem not in drawn:
            (folder / "figures" / f"{stem}.png").unlink(missing_ok=True)
