"""An experiment and a map as documents, of what a notebook and ``print`` show of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fairaudit.report.document import Column, Document, Heading, Paragraph, Table, View
from fairaudit.report.documents import parts
from fairaudit.report.experiment import numbers, regimes, summary
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.map import numbers as map_numbers
from fairaudit.report.map import summary as map_summary
from fairaudit.report.words import count
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult


def experiment_document(result: ExperimentResult) -> Document:
    """Build the document of an experiment; of several worlds each level names its regime."""
    columns = [
        Column("Arm", lambda row: arm_of(row[1].arm).name, "name"),
        Column("Axis", lambda row: parts.axis(row[1]), "name"),
        Column("Metric", lambda row: numbers.metric_named(row[1].name).label, "name"),
        Column("Level", lambda row: numbers.level(row[1])),
        Column("Interval", lambda row: numbers.level_interval(row[1])),
        Column("Seeds", lambda row: count(row[1].n_seeds)),
    ]
    worlds = result.regimes or (result,)
    levels = [(world, one) for world in worlds for one in world.levels if one.group is None]
    answers = regimes.answers(result) if result.regimes else summary.answers(result)
    if result.regimes:
        columns.insert(0, Column("Regime", lambda row: regimes.label_of(row[0]), "name"))
    return _screen(result.name, " ".join(answers), columns, levels)


def map_document(result: MapResult) -> Document:
    """Build the document of a map."""
    unit = map_numbers.unit_of(result)
    columns = (
        Column("Arm", lambda one: arm_of(one.arm).name, "name"),
        Column("Base leans more by", lambda one: map_numbers.lean(one.lean)),
        Column("Second group", lambda one: map_numbers.frequency(one.share)),
        Column("Change", lambda one: map_numbers.change(one.change, unit)),
        Column("Interval", lambda one: map_numbers.bounds(one.change, unit)),
        Column("Seeds", lambda one: count(one.change.n_seeds)),
    )
    return _screen(result.name, map_summary.headline(result), columns, result.cells)


def _screen(name: str, answer: str, columns: Sequence[Column], entries: Sequence[Any]) -> Document:
    table = Table(columns, entries, views=View.SCREEN)
    told = Paragraph(answer, views=View.SCREEN)
    return Document(name, (Heading(name, View.SCREEN), told, table))
