"""An experiment as a document, of what a notebook and ``print`` show."""

from __future__ import annotations

from fairaudit.report.document import Column, Document, Heading, Paragraph, Table, View
from fairaudit.report.documents import parts
from fairaudit.report.experiment import numbers, summary
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.words import count
from fairaudit.results.experiment import ExperimentResult


def experiment_document(result: ExperimentResult) -> Document:
    """Build the document of an experiment."""
    columns = (
        Column("Arm", lambda one: arm_of(one.arm).name, "name"),
        Column("Axis", parts.axis, "name"),
        Column("Metric", lambda one: numbers.metric_named(one.name).label, "name"),
        Column("Level", numbers.level),
        Column("Interval", numbers.level_interval),
        Column("Seeds", lambda one: count(one.n_seeds)),
    )
    levels = [one for one in result.levels if one.group is None]
    head = (
        Heading(result.name, View.SCREEN),
        Paragraph(" ".join(summary.answers(result)), views=View.SCREEN),
        Table(columns, levels, views=View.SCREEN),
    )
    return Document(result.name, head)
