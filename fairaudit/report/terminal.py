"""A result in a terminal: the numbers that matter, in tables that fit 80 columns."""

from __future__ import annotations

from rich.console import Group

from fairaudit.report.documents.of_result import Result, document_of
from fairaudit.report.experiment import terminal as experiment
from fairaudit.report.map import terminal as bias_map
from fairaudit.report.render import terminal
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult


def render_terminal(result: Result) -> Group:
    """Everything a terminal shows of a result.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    if isinstance(result, ExperimentResult):
        return experiment.render_experiment(result)
    if isinstance(result, MapResult):
        return bias_map.render_map(result)
    return terminal.render_terminal(document_of(result))
