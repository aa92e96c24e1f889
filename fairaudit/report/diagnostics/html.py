"""The page of one diagnosis, for people who want to know what moved the bias."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fairaudit.report import names as common_names
from fairaudit.report.diagnostics import quantities_in_words as names
from fairaudit.report.diagnostics import summary, view
from fairaudit.report.grouping import grouped
from fairaudit.report.marks import Mark
from fairaudit.report.names import Unit
from fairaudit.report.page import environment, with_pictures
from fairaudit.report.provenance import model_rows, nested_rows
from fairaudit.report.scale import fit
from fairaudit.results.diagnostics import DiagnosedModel, DiagnosticsResult, GroupDifference
from fairaudit.vocabulary.tones import Tone

_CAPTIONS: Final = {
    "norms": "Unbiased norm of each group's mean gradient: how far the group is from its optimum.",
    "disparity": "How much further one group was left behind than in the first model.",
    "clip_rate": "Who is clipped: share of records whose gradient is longer than C.",
    "cosines": "Which groups pull the same way, from pairs of records of different templates.",
    "decomposition": "Excess risk of one private step for each group's own loss.",
    "bias": "The bias score beside which the disparity stands.",
}


def render_html(result: DiagnosticsResult, figures: Mapping[str, bytes]) -> str:
    """Render the page of one diagnosis.

    Parameters
    ----------
    result : DiagnosticsResult
        Everything shown stands in it; nothing is computed here.
    figures : mapping of str to bytes
        PNG files by stem, embedded as long as the page stays light.

    Returns
    -------
    str
        A whole HTML document, under 2 MB. The same input gives the same text.
    """
    made = environment(mark_of)
    made.globals.update(diag=names, summary=summary, view=view, axis_name=common_names.axis_name)
    template, shown = made.get_template("diagnostics/report.html.j2"), _content(result)
    return with_pictures(
        lambda pictures: template.render(**shown, pictures=pictures), figures, _CAPTIONS
    )


def mark_of(found: GroupDifference) -> Mark:
    """Say how a difference is drawn: filled where it is found after correction."""
    firm = found.p_adjusted is not None and found.p_adjusted < 0.05
    tone = Tone.OPEN
    if firm and found.difference is not None:
        tone = Tone.TOWARDS if found.difference > 0 else Tone.AWAY
    return Mark(found.difference, found.interval, Unit.SIGNED_NUMBER, tone, ideal=0.0)


def _content(result: DiagnosticsResult) -> dict[str, Any]:
    primary = view.primary(result)
    exploratory = view.exploratory(result)
    return {
        "result": result,
        "labels": {model.label: names.model_name(model) for model in result.models},
        "primary": grouped(primary, lambda entry: entry.axis),
        "primary_scale": fit(map(mark_of, primary)),
        "exploratory": exploratory,
        "tables": {
            model.label: {
                axis: view.tables(result, model.label, axis) for axis in view.axes(result)
            }
            for model in result.models
        },
        "arms": view.arms(result),
        "gaps": view.not_run(result),
        "skipped": [group for group in result.groups if group.reason],
        "bias": [q for q in result.quantities if q.name == "bias_score"],
        "lookup": view.Lookup(result),
        "pushes": view.pushes(result),
        "glossary": _glossary(result),
        "ledger": _ledger(result),
        "warning": summary.not_covered(result),
    }


def _glossary(result: DiagnosticsResult) -> list[names.Meaning]:
    used = dict.fromkeys(
        [*(q.name for q in result.quantities), *(d.name for d in result.differences)]
    )
    return [names.meaning_of(name) for name in used if names.meaning_of(name).tells]


def _ledger(result: DiagnosticsResult) -> list[tuple[str, list[tuple[str, str]]]]:
    provenance = result.provenance
    texts = [
        ("Texts", provenance.texts),
        ("SHA-256", provenance.texts_hash),
        ("Public", "yes" if provenance.texts_public else "not declared"),
    ]
    if provenance.sketch_error is not None:
        texts.append(("Largest error of sketches", f"{100 * provenance.sketch_error:.1f} %"))
    run = [
        ("Started", result.run.started),
        ("Seconds", f"{result.run.seconds:.0f}"),
        ("Device", provenance.device or ""),
        *((f"Version of {name}", text) for name, text in provenance.versions.items()),
    ]
    models = [(names.model_name(model), _model_rows(model)) for model in result.models]
    settings = list(nested_rows(provenance.settings))
    return [("Texts", texts), ("Settings", settings), ("Run", run), *models]


def _model_rows(model: DiagnosedModel) -> list[tuple[str, str]]:
    clipping = model.clipping
    shown = {
        "C, clipping norm": clipping.max_grad_norm,
        "σ, noise multiplier": clipping.noise_multiplier,
        "B, batch size": clipping.batch_size,
        "η, learning rate": clipping.learning_rate,
    }
    keys = ("max_grad_norm", "noise_multiplier", "batch_size", "learning_rate")
    rows = [
        (label, "not known" if value is None else f"{value:g} ({clipping.sources.get(key, '')})")
        for (label, value), key in zip(shown.items(), keys, strict=True)
    ]
    return [*model_rows(model.identity), *rows]
