"""Everything that is rendered from a result, as files of its folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from fairaudit.errors import ResultError
from fairaudit.report.card.evalresults import FILES, eval_results
from fairaudit.report.card.update import render_card
from fairaudit.report.diagnostics.disparity_beside_bias import load_beside
from fairaudit.report.figures import PAPER_PATTERNS, PATTERNS, figures, for_papers
from fairaudit.report.gate_words import is_about
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.report.papertables import paper_tables
from fairaudit.report.raster import MARK, VECTOR_MARK
from fairaudit.results import AuditResult, ComparisonResult, GateResult
from fairaudit.results.files import staged_folder, write_text
from fairaudit.results.loading import Result, load_result
from fairaudit.results.places import remove_file

#: Stands in the notes of every score that we wrote.
_SIGNATURE: Final = b"fairaudit"


def write_report(result: Result, folder: Path, processes: int = 1) -> None:
    """Write ``report.html``, ``summary.md`` and ``figures/*.png`` into the folder of a result.

    Of audits and comparisons also the kit for papers: the figures as SVG and PDF without titles,
    and the primary numbers in ``tables/`` as CSV and LaTeX.

    An audit also gets ``model_card.md`` and, for suites that exist as Hub datasets,
    ``.eval_results/*.yaml``.

    Parameters
    ----------
    result : AuditResult, ComparisonResult, ExperimentResult, DiagnosticsResult or MapResult
        The result; its ``result.json`` is not touched. A diagnosis that lies in ``diagnostics/``
        of a comparison's folder is shown beside it.
    folder : path
        Created if needed. Each file is replaced as a whole, and only when all are complete.
        A figure or score of an earlier report that this one lacks is removed.
    processes : int
        How many processes share the figures; the files do not depend on it.

    Raises
    ------
    ResultError
        If the folder cannot be written to.
    """
    drawn, papers = figures(result, processes), for_papers(result, processes)
    tables = paper_tables(result) if isinstance(result, AuditResult | ComparisonResult) else {}
    diagnosis = load_beside(folder) if isinstance(result, ComparisonResult) else None
    scores = eval_results(result) if isinstance(result, AuditResult) else {}
    decided = load_decision(folder, result)
    with staged_folder(folder) as stage:
        if isinstance(result, AuditResult):
            write_text(stage / "model_card.md", render_card(result))
        for name, text in scores.items():
            write_text(stage / ".eval_results" / name, text)
        write_text(stage / "report.html", render_html(result, drawn, diagnosis, decided))
        write_text(stage / "summary.md", render_summary(result, decided=decided))
        for stem, content in drawn.items():
            path = stage / "figures" / f"{stem}.png"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(content)
        for name, content in papers.items():
            (stage / "figures" / name).write_bytes(content)
        for name, text in tables.items():
            write_text(stage / "tables" / name, text)
    _remove_others(folder, "figures", PAPER_PATTERNS, set(papers), VECTOR_MARK)
    _remove_others(folder, "figures", PATTERNS, {f"{stem}.png" for stem in drawn}, MARK)
    _remove_others(folder, ".eval_results", FILES, set(scores), _SIGNATURE)


def load_decision(folder: Path, result: Result) -> GateResult | None:
    """Read what a gate decided about a result, if that lies beside it."""
    if (
        not isinstance(result, AuditResult | ComparisonResult)
        or not (folder / "gate.json").is_file()
    ):
        return None
    try:
        decided = GateResult.load(folder)
    except ResultError:
        return None
    assert isinstance(result, AuditResult | ComparisonResult)
    return decided if is_about(decided, result) else None


def show_decision(result: AuditResult | ComparisonResult, folder: Path) -> None:
    """Write page and summary again with the decision of a gate; the figures stay as they are.

    Does nothing where no report of this result lies in the folder.
    """
    decided = load_decision(folder, result)
    if decided is None or not (folder / "report.html").is_file() or not _holds(folder, result):
        return
    with staged_folder(folder) as stage:
        write_text(stage / "report.html", page_of(result, folder, decided))
        write_text(stage / "summary.md", render_summary(result, decided=decided))


def page_of(
    result: AuditResult | ComparisonResult, folder: Path, decided: GateResult | None
) -> str:
    """Return the page of a result with the figures that lie in its folder.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
        What is shown.
    folder : path
        Where its figures lie, and the diagnosis of a comparison.
    decided : GateResult or None
        What a gate decided about it.

    Returns
    -------
    str
        The text of ``report.html``.
    """
    drawn = {
        path.stem: path.read_bytes()
        for pattern in PATTERNS
        for path in sorted((folder / "figures").glob(pattern))
        if MARK in path.read_bytes()
    }
    diagnosis = load_beside(folder) if isinstance(result, ComparisonResult) else None
    return render_html(result, drawn, diagnosis, decided)


def _holds(folder: Path, result: Result) -> bool:
    """Whether a folder holds this result and no other."""
    try:
        return load_result(folder) == result
    except ResultError:
        return False


def _remove_others(
    folder: Path, room: str, patterns: Iterable[str], names: set[str], mark: bytes
) -> None:
    """Remove files of an earlier report; those without our mark are somebody else's."""
    for pattern in patterns:
        for path in (folder / room).glob(pattern):
            if path.name not in names and mark in path.read_bytes():
                remove_file(folder, f"{room}/{path.name}")
