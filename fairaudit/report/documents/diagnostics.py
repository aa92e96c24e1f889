"""A diagnosis as a document, for people who want to know what moved the bias."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.diagnostics import summary, view
from fairaudit.report.diagnostics.quantities_in_words import (
    difference_of,
    group_name,
    meaning_of,
    model_name,
    other_name,
    value_of,
)
from fairaudit.report.document import Column, Content, Group, Paragraph, Section, Span, Table, View
from fairaudit.report.documents import parts
from fairaudit.report.documents.prose import keyed, prose
from fairaudit.report.grouping import grouped
from fairaudit.report.marks import Mark
from fairaudit.report.names import axis_name
from fairaudit.report.provenance import Fact, model_rows, nested_rows
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import fit
from fairaudit.results.diagnostics import (
    DiagnosedModel,
    DiagnosticsResult,
    GroupDifference,
    Quantity,
)
from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.units import Unit

#: Quantities of the short views.
_SHORT: Final = ("norm_of_mean", "clip_rate", "misalignment", "signal_to_noise")
#: More models than this are not all shown in a terminal: the first and the last are.
_MOST: Final = 4
_MOST_FOUND: Final = 20
_SETTINGS: Final = {
    "max_grad_norm": "C, clipping norm",
    "noise_multiplier": "σ, noise multiplier",
    "batch_size": "B, batch size",
    "learning_rate": "η, learning rate",
}


def diagnostics_document(result: DiagnosticsResult) -> doc.Document:
    """Build the document of a diagnosis."""
    last = result.models[-1]
    per = ", per unit of learning rate" if last.clipping.learning_rate is None else ""
    said = prose("diagnostics").intro
    closing = ("Figures, all differences, how to read them, provenance: ", parts.REPORT, ".")
    title = "Disparity beside the bias change"
    intro = said("beside", first=model_name(result.models[0]))
    pushed = said("records", last=model_name(last), per=per)
    sections = (
        _differences(result),
        parts.figures("diagnostics"),
        Section("beside", title, tuple(_arms(result)), intro, "Beside the bias"),
        Section("groups", "Groups", tuple(_groups(result)), said("groups")),
        Section("records", "Records that push the bias most", _pushes(result), pushed, "Records"),
        Section("all", "All differences", _exploratory(result), said("all")),
        _not_run(result),
        parts.notes(result.notes),
        parts.reading("diagnostics", _glossary(result)),
        Section("provenance", "Provenance", (parts.ledger(_ledger(result)),)),
        Paragraph(closing, views=View.SUMMARY),
    )
    window = f"Gradient disparity – {shorten(last.label, 60)}"
    return doc.Document(window, tuple(_head(result)), sections, "differences_frame()")


def _head(result: DiagnosticsResult) -> Iterator[doc.Block]:
    first, labels = result.models[0].identity, [model.label for model in result.models]
    what = words.plural(len(labels), "checkpoint" if result.is_series else "model")
    answer, looked = summary.answer(result), summary.looked_at(result)
    size = f"{words.count(first.n_parameters)} parameters" if first.n_parameters else None
    yield Paragraph("Gradient disparity of groups", "kicker")
    yield parts.title(labels[0] if len(labels) == 1 else what)
    yield doc.Heading(("Gradient disparity: ", Span(", ".join(labels), "code")), View.SUMMARY)
    yield doc.Heading(words.listed(labels), View.SCREEN)
    yield parts.facts(first.architecture, size, result.run.started[:10])
    yield Paragraph(answer, "answer", View.SEEN | View.SCREEN)
    yield Paragraph(looked, views=View.TERMINAL)
    yield Paragraph(f"{looked} {summary.LIMITS}", "lead")
    yield Paragraph((Span(answer, "strong"), f" {looked} {summary.LIMITS}"), views=View.SUMMARY)
    warning = summary.not_covered(result)
    if warning:
        kept = Paragraph("Keep this page where the training text is kept.")
        told = Paragraph(Span(warning, "strong"), "caution", View.EVERY)
        yield doc.Notice((told, kept), "Not covered by the privacy guarantee", views=View.EVERY)
    *others, last = result.models
    for model in others if len(others) < _MOST else others[:1]:
        yield _short_table(result, model, View.TERMINAL)
    yield _short_table(result, last, View.SHORT)
    yield from _found(result)
    yield Table(_SCREEN, view.primary(result), views=View.SCREEN)


def _short_table(result: DiagnosticsResult, model: DiagnosedModel, views: View) -> Table:
    lookup = view.Lookup(result)
    columns = [Column("Groups", lambda place: shorten(group_name(place[1]), 26), "wrap")]
    for name in _SHORT:

        def cell(place: tuple[str, str], name: str = name) -> Content:
            found = lookup.get(model.label, place[0], place[1], name)
            return words.MISSING if found is None else value_of(found)

        columns.append(Column(meaning_of(name).label, cell, "num"))
    groups = [
        Group(axis_name(axis), [(axis, group) for group in view.groups(result, axis)])
        for axis in view.axes(result)
    ]
    return Table(columns, groups, shorten(model_name(model), 60), views=views)


def _found(result: DiagnosticsResult) -> Iterator[doc.Block]:
    """Yield what is different after correction, and how much was not looked at."""
    found, several = view.found_different(result.differences), _names(result)
    label = Column("quantity", _label, "wrap")
    where = Column("groups", lambda one: _where(one, several), "wrap")
    shown = Column("difference", difference_of, "num")
    strong = Column("", lambda one: Span(difference_of(one), "strong"))
    first = found[:_MOST_FOUND]
    listed = (Column("", _label), Column("", where.cell), strong, _adjusted("adjusted p "))
    tables = (
        Table(listed, first, listed=True, views=View.SUMMARY),
        Table((label, where, shown, _adjusted("adj. p")), first, views=View.TERMINAL),
    )
    left = len(found) - len(first)
    more = Paragraph(f"and {left} more in differences.csv", "intro", View.SHORT)
    blocks: list[doc.Block] = [*tables, *([more] if left else [])] if found else []
    yield Section("found", "Different after correction", blocks, views=View.SHORT)
    missing = summary.not_run(result)
    if missing:
        yield Paragraph(f"{missing} The report says which, and why.", "intro", View.TERMINAL)


def _names(result: DiagnosticsResult) -> dict[str | None, str]:
    """Return the names of models, if there are several."""
    named: dict[str | None, str] = {model.label: model_name(model) for model in result.models}
    return {None: "all", **named} if len(named) > 1 else {}


def _where(found: GroupDifference, several: dict[str | None, str]) -> str:
    where = f"{axis_name(found.axis)}, {group_name(found.group)} − {group_name(found.other)}"
    known = found.model is not None and several
    return f"{where}, {shorten(several[found.model], 40)}" if known else where


def _label(found: GroupDifference) -> str:
    return meaning_of(found.name).label


def _pair(found: GroupDifference) -> Content:
    versus = Span("against", "versus")
    return group_name(found.group), " ", versus, " ", group_name(found.other)


def _shown(found: GroupDifference) -> Content:
    if found.difference is None:
        return parts.missing(found.reason or parts.UNKNOWN)
    return difference_of(found), (" ", Span(found.reason, "aside")) if found.reason else ""


def _adjusted(head: str = "Adj. p") -> Column:
    return Column(head, lambda one: words.p_of(one.p_adjusted), "num")


_SCREEN: Final = (
    Column("Axis", lambda one: axis_name(one.axis), "name"),
    Column("Groups", lambda one: f"{group_name(one.group)} / {other_name(one.axis, one.other)}",
           "name"),
    Column("What", _label, "name"),
    Column("Difference", difference_of),
    _adjusted("Adjusted p"),
)  # fmt: skip


def mark_of(found: GroupDifference) -> Mark:
    """Say how a difference is drawn: filled where it is found after correction."""
    tone = Tone.OPEN
    if view.found_different([found]) and found.difference is not None:
        tone = Tone.TOWARDS if found.difference > 0 else Tone.AWAY
    return Mark(found.difference, found.interval, Unit.SIGNED_NUMBER, tone, ideal=0.0)


def _differences(result: DiagnosticsResult) -> Section:
    found, several = view.primary(result), _names(result)
    scale = fit(map(mark_of, found))
    columns = (
        Column("Groups of texts", _pair),
        Column("Quantity", _label),
        *_model_column(several if not result.is_series else {}),
        Column(parts.PICTURE, lambda one: parts.picture(mark_of(one), scale), "mini-cell"),
        Column("Log-ratio", _shown, "num"),
        _adjusted(),
    )
    tables = [
        Table(columns, own, axis_name(axis), f"Differences, {axis_name(axis)}")
        for axis, own in grouped(found, lambda one: one.axis).items()
    ]
    looks = words.plural(len(found), "comparison")
    intro = prose("diagnostics").intro("differences", looks=looks)
    key = keyed("larger for the first group, ", "smaller, ", "not told apart.")
    blocks = tables or (Paragraph("Nothing was compared."),)
    title = "Do groups converge differently?"
    return Section("differences", title, blocks, (intro, key), "Differences")


def _model_column(several: dict[str | None, str]) -> list[Column]:
    return [Column("Model", lambda one: several[one.model])] if several else []


def _quantity(found: Quantity | None) -> Content:
    """Return a value with its interval or standard error beneath."""
    if found is None:
        return parts.DASH
    if found.value is None:
        return Span(words.MISSING, "missing", title=found.reason or parts.UNKNOWN)
    unit, below = meaning_of(found.name).unit, ""
    if found.interval is not None:
        below = words.bounds(found.interval, unit)
    elif found.se is not None:
        below = f"± {words.quantity(found.se, unit)}"
    return value_of(found), (" ", Span(below, "aside figure")) if below else ""


def _arms(result: DiagnosticsResult) -> Iterator[Table]:
    first, arms = result.models[0], grouped(view.arms(result), lambda arm: arm.axis)
    columns = (
        Column("Model", lambda arm: shorten(model_name(arm.model), 40)),
        Column("Bias score, nats", lambda arm: _quantity(arm.bias), "num"),
        Column(
            "Change", lambda arm: _change(arm.bias_change if arm.model != first else None), "num"
        ),
        Column("Convergence disparity", lambda arm: disparities(arm.disparities) or words.MISSING),
    )
    groups = [Group(axis_name(axis), own) for axis, own in arms.items()]
    if groups:
        yield Table(columns, groups, label="Disparity beside the bias change", style="dense")


def _change(value: float | None) -> words.Number:
    return words.quantity(value, Unit.SIGNED_SIZE)


def disparities(found: Iterable[GroupDifference]) -> tuple[Span, ...]:
    """Return the disparities of pairs of groups, one below the other."""
    said = []
    for one in found:
        pair = f"{group_name(one.group)} against {group_name(one.other)}: "
        p = "" if one.p_adjusted is None else f", adj. p {words.p_of(one.p_adjusted)}"
        why = f" ({one.reason})" if one.difference is None else ""
        said.append(Span((pair, difference_of(one), p, why), "aside"))
    return tuple(said)


def _groups(result: DiagnosticsResult) -> Iterator[doc.Block]:
    for model in result.models:
        own = tuple(_tables(result, model))
        if len(result.models) > 1:
            yield doc.Folded(model_name(model), own, open=model == result.models[-1])
        else:
            yield from own
    yield from _bias_scores(result)


def _tables(result: DiagnosticsResult, model: DiagnosedModel) -> Iterator[doc.Block]:
    for axis in view.axes(result):
        tables = []
        for table in view.tables(result, model.label, axis):
            columns = [Column("Texts", lambda row: group_name(row[0]))]
            for place, name in enumerate(table.columns):
                cell = lambda row, place=place: _quantity(row[1][place])  # noqa: E731
                columns.append(Column(meaning_of(name).label, cell, "num", meaning_of(name).tells))
            label = f"{table.title}, {axis_name(axis)}"
            tables.append(Table(columns, table.rows, table.title, label, "dense"))
        yield doc.Box(tables, title=axis_name(axis))


def _bias_scores(result: DiagnosticsResult) -> Iterator[Table]:
    lookup = view.Lookup(result)

    def other(found: Quantity, name: str) -> Content:
        return _quantity(lookup.get(found.model, found.axis, None, name))

    columns = (
        Column("Axis", lambda one: axis_name(one.axis)),
        *_model_column(_names(result)),
        Column("Bias score", _quantity, "num"),
        Column("Sensitivity", lambda one: other(one, "bias_gradient_norm"), "num"),
        Column("Moved by noise", lambda one: other(one, "bias_noise"), "num"),
        Column("Pairs", lambda one: words.count(one.n), "num"),
    )
    scores = [one for one in result.quantities if one.name == "bias_score"]
    caption = "Bias scores, and what the noise of one step does to them"
    if scores:
        yield Table(columns, scores, caption, "Bias scores", "dense")


def _pushes(result: DiagnosticsResult) -> list[doc.Block]:
    columns = (
        Column("Text", lambda one: shorten(one.text or one.record, 120)),
        Column("Group", lambda one: group_name(one.group.partition("/")[2])),
        Column("Push", lambda one: _change(one.push), "num"),
        Column("Clipped", lambda one: _change(one.push_clipped), "num"),
    )
    blocks: list[doc.Block] = []
    for axis, own in view.pushes(result).items():
        label = f"Records that push {axis_name(axis)} bias"
        table = Table(columns, own, label=label, style="dense")
        blocks.append(doc.Folded(f"{axis_name(axis)} bias", (table,), open=not blocks))
    return blocks


def _exploratory(result: DiagnosticsResult) -> list[doc.Block]:
    columns = (
        Column("Groups of texts", _pair),
        Column("Quantity", lambda one: _label(one) + " (log-ratio)" * (one.scale == "log_ratio")),
        *_model_column(_names(result)),
        Column("Difference", _shown, "num"),
        Column("p", lambda one: words.p_of(one.p_value), "num"),
        _adjusted(),
    )
    blocks: list[doc.Block] = []
    for axis, own in view.exploratory(result).items():
        n = f"{words.plural(len(own), 'difference')}, {len(view.found_different(own))} of them"
        said = Span(f"{n} found after correction", "aside-inline")
        table = Table(columns, own, label=f"All differences, {axis_name(axis)}", style="dense")
        blocks.append(doc.Folded((axis_name(axis), " ", said), (table,)))
    return blocks


def _not_run(result: DiagnosticsResult) -> Section:
    """Return what was not looked at, and why."""
    entries: list[tuple[Content, Sequence[Content]]] = []
    for reason, quantities in view.not_run(result).items():
        labels = dict.fromkeys(meaning_of(name).label for name in quantities)
        entries.append((", ".join(labels), (reason,)))
    for group in (one for one in result.groups if one.reason):
        name = f"Group {group_name(group.group)} of {axis_name(group.axis)}: left out"
        said = f"{group.reason} ({words.plural(group.n_templates, 'template')})"
        entries.append((name, (said,)))
    head = f"{summary.not_run(result) or 'Groups left out.'} Which, and why"
    folded = doc.Folded(head, (doc.Terms(entries, "not-run", View.READ),), views=View.READ)
    return Section("not-run", "Not run", (folded,) if entries else (), badge=len(entries))


def _glossary(result: DiagnosticsResult) -> list[tuple[str, str]]:
    every: tuple[Any, ...] = (*result.quantities, *result.differences)
    meanings = map(meaning_of, dict.fromkeys(one.name for one in every))
    return [(one.label, one.tells) for one in meanings if one.tells]


def _ledger(result: DiagnosticsResult) -> list[tuple[str, Sequence[Fact]]]:
    provenance, error = result.provenance, result.provenance.sketch_error
    public = "yes" if provenance.texts_public else "not declared"
    texts = [("Texts", provenance.texts), ("SHA-256", provenance.texts_hash), ("Public", public)]
    if error is not None:
        texts.append(("Largest error of sketches", words.quantity(error, Unit.PERCENT)))
    run = [
        ("Started", result.run.started),
        ("Seconds", f"{result.run.seconds:.0f}"),
        ("Device", provenance.device or ""),
        *((f"Version of {name}", text) for name, text in provenance.versions.items()),
    ]
    settings = list(nested_rows(provenance.settings))
    models = [(model_name(model), _model_facts(model)) for model in result.models]
    return [("Texts", texts), ("Settings", settings), ("Run", run), *models]


def _model_facts(model: DiagnosedModel) -> list[Fact]:
    facts = list(model_rows(model.identity))
    for key, label in _SETTINGS.items():
        value, source = getattr(model.clipping, key), model.clipping.sources.get(key, "")
        facts.append((label, "not known" if value is None else f"{value:g} ({source})"))
    return facts
