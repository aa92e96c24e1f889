"""Figures for papers and slides, as PNG: the same numbers as in the page."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.forks import shared_out
from fairaudit.report.audit import figures as audit
from fairaudit.report.comparison import figures as comparison
from fairaudit.report.diagnostics import figures as diagnostics
from fairaudit.report.experiment import figures as experiment
from fairaudit.report.experiment import ways
from fairaudit.report.map import figures as bias_map
from fairaudit.report.raster import png, vectors
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.diagnostics import DiagnosticsResult
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.loading import Result
from fairaudit.results.map import MapResult

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Every figure that a report may have, as patterns of file names.
PATTERNS: Final = (
    *(f"{stem}.png" for stem in audit.STEMS),
    "differences*.png",
    "plane.png",
    "epsilon_*.png",
    "calibration.png",
    f"{ways.STEM}.png",
    *(f"{stem}.png" for stem in diagnostics.STEMS),
    *(f"{stem}.png" for stem in bias_map.STEMS),
)


#: The same without titles, for papers.
PAPER_PATTERNS: Final = tuple(
    f"{pattern.removesuffix('.png')}.{kind}" for pattern in PATTERNS for kind in ("svg", "pdf")
)


def figures(result: Result, processes: int = 1) -> dict[str, bytes]:
    """Draw the figures of a result.

    Parameters
    ----------
    result : AuditResult, ComparisonResult, ExperimentResult, DiagnosticsResult or MapResult
    processes : int
        How many processes share the figures; see `fairaudit.forks.shared_out`.

    Returns
    -------
    dict of str to bytes
        PNG files by stem; a figure without data is left out. The same result gives the same bytes.
    """
    wanted = drawers(result)
    if len(wanted) > 1:
        # Imported once, before the copies.
        import matplotlib.backends.backend_agg  # noqa: F401
    drawn = shared_out([partial(png, make) for make in wanted.values()], processes)
    return dict(zip(wanted, drawn, strict=True))


def for_papers(result: Result, processes: int = 1) -> dict[str, bytes]:
    """Draw the figures of an audit or a comparison without titles, as SVG and PDF.

    Returns
    -------
    dict of str to bytes
        Files by name; of other results none.
    """
    if not isinstance(result, AuditResult | ComparisonResult):
        return {}
    wanted = drawers(result)
    drawn = shared_out([partial(vectors, make) for make in wanted.values()], processes)
    return {
        f"{stem}.{kind}": content
        for stem, kinds in zip(wanted, drawn, strict=True)
        for kind, content in kinds.items()
    }


def drawers(
    result: Result,
) -> dict[str, Callable[[], Figure]]:
    """Return how to draw each figure of a result in Matplotlib, by stem."""
    if isinstance(result, ComparisonResult):
        return comparison.drawers(result)
    if isinstance(result, ExperimentResult):
        return experiment.drawers(result)
    if isinstance(result, MapResult):
        return bias_map.drawers(result)
    if isinstance(result, DiagnosticsResult):
        return diagnostics.drawers(result)
    return audit.drawers(result)
