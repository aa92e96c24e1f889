"""Quantities of a diagnosis in words: label, how the value is written, what it tells."""

from __future__ import annotations

from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import clean
from fairaudit.report.words import Number, quantity
from fairaudit.results.diagnostics import DiagnosedModel, GroupDifference, Quantity
from fairaudit.vocabulary.influences import Influence, influence_of
from fairaudit.vocabulary.quantities import QUANTITIES, Meaning
from fairaudit.vocabulary.units import Unit


def meaning_of(name: str) -> Meaning:
    """Return a quantity in words; an unknown one as it is called."""
    influence = influence_of(name)
    if influence is not None:
        return _influence(influence)
    return QUANTITIES.get(name) or Meaning(clean(name.replace("_", " ")), Unit.SIGNED_SIZE, "")


def _influence(influence: Influence) -> Meaning:
    axis = axis_name(influence.axis).lower()
    tail = ", clipped" if influence.clipped else ""
    return Meaning(
        f"Push on {axis} bias{tail}",
        Unit.SIGNED_SIZE,
        f"What one step on the texts does to the {axis} bias score, to first order, in nats"
        f"{' after clipping' if influence.clipped else ''}. Above 0 is towards the stereotype.",
    )


def value_of(found: Quantity) -> Number:
    """Return the value of a quantity, or a dash."""
    return quantity(found.value, meaning_of(found.name).unit)


def difference_of(found: GroupDifference) -> Number:
    """Return a difference with its interval; that of logarithms as it is."""
    unit = Unit.COSINE if found.scale == "log_ratio" else meaning_of(found.name).unit.difference
    return quantity(found.difference, unit, found.interval)


def group_name(group: str) -> str:
    """Return the name of a group with blanks."""
    known = {"stereotype": "stereotyped", "anti_stereotype": "anti-stereotyped"}
    return clean(known.get(group, group.replace("_", " ")))


def other_name(axis: str, other: str) -> str:
    """Return the name of the second group, with its axis where it has one."""
    head, slash, tail = other.partition("/")
    if slash and head != axis and head in ("gender", "race", "religion"):
        return f"{axis_name(head)}: {group_name(tail)}"
    return group_name(other)


def model_name(model: DiagnosedModel) -> str:
    """Return the label of a model, or its step in a series."""
    return clean(model.label) if model.step is None else f"step {model.step:,}"
