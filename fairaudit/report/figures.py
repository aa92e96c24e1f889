"""Figures for papers and slides, as PNG: the same numbers as in the page."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fairaudit.report.audit import figures as audit
from fairaudit.report.comparison import figures as comparison
from fairaudit.report.diagnostics import figures as diagnostics
from fairaudit.report.experiment import figures as experiment
from fairaudit.report.experiment import ways
from fairaudit.report.map import figures as bias_map
from fairaudit.report.raster import png
from fairaudit.results import ComparisonResult
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


def figures(
    result: Result,
) -> dict[str, bytes]:
    """Draw the figures of a result.

    Returns
    -------
    dict of str to bytes
        PNG files by stem; a figure without data is left out. The same result gives the same bytes.
    """
    return {stem: png(make) for stem, make in drawers(result).items()}


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
