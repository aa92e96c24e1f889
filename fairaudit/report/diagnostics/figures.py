"""Figures of a diagnosis: the same numbers as in its page."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from fairaudit.report.diagnostics import plots, view
from fairaudit.report.diagnostics.quantities_in_words import group_name, model_name
from fairaudit.report.names import axis_name
from fairaudit.report.raster import png
from fairaudit.report.safe_text import shorten
from fairaudit.results.diagnostics import DiagnosedModel, DiagnosticsResult, Quantity

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Every figure that a diagnosis may have.
STEMS: Final = ("norms", "disparity", "clip_rate", "cosines", "decomposition", "bias")
#: More models than this are not drawn as stacked bars: the first and the last ones are.
_MOST_BARS: Final = 4
_PARTS: Final = {
    "risk_direction": "clipping: direction",
    "risk_magnitude": "clipping: magnitude",
    "risk_noise": "noise",
}


def figures(result: DiagnosticsResult) -> dict[str, bytes]:
    """Draw the figures of a diagnosis.

    Returns
    -------
    dict of str to bytes
        PNG files by stem; each only if there is something to draw.
    """
    return {stem: png(make) for stem, make in drawers(result).items()}


def drawers(result: DiagnosticsResult) -> dict[str, Callable[[], Figure]]:
    """Return how to draw each figure of a diagnosis, by stem."""
    makers: dict[str, Callable[[DiagnosticsResult], Figure] | None] = {
        "norms": partial(_over_models, name="norm_of_mean", title="Norm of the mean gradient"),
        "disparity": _disparity if len(result.models) > 1 else None,
        "clip_rate": partial(
            _over_models, name="clip_rate", title="Share of records that are clipped", percent=True
        ),
        "cosines": _cosines,
        "decomposition": _decomposition,
        "bias": _bias if len(result.models) > 1 else None,
    }
    return {
        stem: partial(make, result)
        for stem, make in makers.items()
        if make is not None and _has(result, stem)
    }


def _has(result: DiagnosticsResult, stem: str) -> bool:
    """Whether there is a value to draw."""
    names = {
        "norms": {"norm_of_mean"},
        "clip_rate": {"clip_rate"},
        "cosines": {"conflict"},
        "decomposition": {"risk_direction"},
        "bias": {"bias_score"},
    }
    if stem == "disparity":
        return any(
            entry.name == "convergence_disparity" and entry.difference is not None
            for entry in result.differences
        )
    return any(q.name in names[stem] and q.value is not None for q in result.quantities)


def _places(result: DiagnosticsResult) -> list[str | int]:
    if result.is_series:
        return [model.step or 0 for model in result.models]
    return [model.label for model in result.models]


def _subtitle(result: DiagnosticsResult) -> str:
    models = result.models
    what = models[0].label if len(models) == 1 else f"{len(models)} models"
    if result.is_series:
        what = f"{len(models)} checkpoints of one training"
    intervals = "95 % intervals by resampling templates"
    return f"{shorten(what, 50)} · {intervals}"


def _over_models(
    result: DiagnosticsResult, *, name: str, title: str, percent: bool = False
) -> Figure:
    lookup = view.Lookup(result)
    panels = []
    for axis in view.axes(result):
        curves = []
        for group in view.groups(result, axis):
            found = [lookup.get(model.label, axis, group, name) for model in result.models]
            curves.append(_curve(group_name(group), found))
        panels.append(plots.Panel(axis_name(axis), tuple(curves)))
    return plots.over_models(
        panels, _places(result), title=title, subtitle=_subtitle(result), percent=percent
    )


def _curve(label: str, found: Sequence[Quantity | None]) -> plots.Curve:
    return plots.Curve(
        label,
        tuple(None if entry is None else entry.value for entry in found),
        tuple(
            None if entry is None or entry.interval is None
            else (entry.interval.low, entry.interval.high)
            for entry in found
        ),
    )  # fmt: skip


def _disparity(result: DiagnosticsResult) -> Figure:
    panels = []
    for axis in view.axes(result):
        entries = [
            entry
            for entry in result.differences
            if entry.axis == axis and entry.name == "convergence_disparity"
        ]
        curves = []
        for pair in dict.fromkeys((entry.group, entry.other) for entry in entries):
            own = {entry.model: entry for entry in entries if (entry.group, entry.other) == pair}
            found = [own.get(model.label) for model in result.models]
            values = [0.0 if place == 0 else None for place in range(len(found))]
            bands: list[tuple[float, float] | None] = [(0.0, 0.0), *[None] * (len(found) - 1)]
            for place, entry in enumerate(found):
                if entry is not None and entry.difference is not None:
                    values[place] = entry.difference
                    ends = entry.interval
                    bands[place] = None if ends is None else (ends.low, ends.high)
            label = f"{group_name(pair[0])} / {group_name(pair[1])}"
            curves.append(plots.Curve(label, tuple(values), tuple(bands)))
        panels.append(plots.Panel(axis_name(axis), tuple(curves)))
    return plots.over_models(
        panels,
        _places(result),
        title="Convergence disparity: log-ratio of norms, minus that of the first model",
        subtitle=f"above 0 the first-named group was left behind · {_subtitle(result)}",
        zero_line=True,
    )


def _bias(result: DiagnosticsResult) -> Figure:
    lookup = view.Lookup(result)
    curves = []
    bias_axes = dict.fromkeys(q.axis for q in result.quantities if q.name == "bias_score")
    for axis in bias_axes:
        found = [lookup.get(model.label, axis, None, "bias_score") for model in result.models]
        curves.append(_curve(axis_name(axis), found))
    return plots.over_models(
        [plots.Panel("Signed mean log-odds, nats", tuple(curves))],
        _places(result),
        title="Bias score on the embedded templates",
        subtitle="above 0 leans towards the stereotype",
        zero_line=True,
    )


def _cosines(result: DiagnosticsResult) -> Figure:
    model, names = result.models[-1], _all_groups(result)
    clipped = _pairs(result, model, "conflict_clipped")
    has_clipped = any(value is not None for value in clipped.values())
    several = len(view.axes(result)) > 1
    labels = [
        f"{axis_name(axis)}: {group_name(group)}" if several else group_name(group)
        for axis, group in names
    ]
    where = "plain below the diagonal, clipped above it" if has_clipped else "1: the same way"
    return plots.heat_map(
        [shorten(label, 26) for label in labels],
        _pairs(result, model, "conflict"),
        clipped if has_clipped else None,
        title="Do groups pull the same way: cosines of mean gradients",
        subtitle=f"{shorten(model_name(model), 40)} · {where}",
    )


def _all_groups(result: DiagnosticsResult) -> list[tuple[str, str]]:
    return [(g.axis, g.group) for g in result.groups if g.reason is None]


def _pairs(
    result: DiagnosticsResult, model: DiagnosedModel, name: str
) -> dict[tuple[int, int], float | None]:
    names = _all_groups(result)
    place = {key: number for number, key in enumerate(names)}
    found: dict[tuple[int, int], float | None] = {}
    for entry in result.quantities:
        if (entry.model, entry.name) != (model.label, name) or entry.group is None:
            continue
        other = entry.other or ""
        second = (entry.axis, other)
        if second not in place:
            axis, _, group = other.partition("/")
            second = (axis, group)
        found[place[entry.axis, entry.group], place[second]] = entry.value
    return found


def _decomposition(result: DiagnosticsResult) -> Figure:
    models = [m for m in result.models if _has_risk(result, m.label)]
    if len(models) > _MOST_BARS:
        models = [models[0], *models[-(_MOST_BARS - 1) :]]
    groups = tuple(
        (axis_name(axis), tuple(map(group_name, view.groups(result, axis))))
        for axis in view.axes(result)
    )
    columns = tuple(
        plots.Bars(shorten(model_name(model), 24), _risks(result, model)) for model in models
    )
    return plots.stacked(
        groups,
        columns,
        title="What one private step costs a group beside a plain one",
        subtitle="clipping turns the update (direction) and shortens it (magnitude); noise adds",
    )


def _risks(result: DiagnosticsResult, model: DiagnosedModel) -> dict[str, tuple[float, ...]]:
    """Return each part of the risk for all groups in order; parts without any value left out."""
    lookup, parts = view.Lookup(result), {}
    for name, label in _PARTS.items():
        found = [lookup.get(model.label, axis, group, name) for axis, group in _all_groups(result)]
        values = [None if entry is None else entry.value for entry in found]
        if any(value is not None for value in values):
            parts[label] = tuple(value or 0.0 for value in values)
    return parts


def _has_risk(result: DiagnosticsResult, label: str) -> bool:
    return any(
        q.model == label and q.name == "risk_direction" and q.value is not None
        for q in result.quantities
    )
