"""The tables of an experiment's page: arms beside each other, one section for each question."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Final

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.document import Column, Content, Folded, Paragraph, Section, Span, Table
from fairaudit.report.documents import arms, parts
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment import convergence, numbers, toxicity, twins, view
from fairaudit.report.experiment.training import Reading, readings
from fairaudit.report.grouping import grouped
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import ArmDifference, ArmRun, ExperimentResult, Level
from fairaudit.vocabulary.metrics import Metric
from fairaudit.vocabulary.units import Unit

#: Rows of a table of all numbers; those beyond them stand in ``result.json`` only.
_MOST_LEVELS, _MOST_DIFFERENCES = 600, 800
_MOST_FAILED: Final = 3
_PARTS: Final = {"covered": "terms in the lexicon", "uncovered": "terms not in the lexicon"}
_PERPLEXITY: Final = "Perplexity on held-out text of the kind that the arm was fine-tuned on"
_DISTANCE: Final = (
    "Mean absolute change of log-probability per token from the base model, on the probe text, in "
    "nats"
)
IMPLIED: Final = Span("Implied by the text", "implied")


def under_training(result: ExperimentResult) -> Section:
    """Return whether private arms lean further, or only were trained less."""
    rows = {row.arm.id: row for row in view.arm_rows(result)}

    def against(one: Reading, found: ArmDifference | None) -> Content:
        both = (one.arm.id, found.reference if found else "")
        own, other = (numbers.mean(rows[arm].perplexities, Unit.NUMBER) if arm in rows else ""
                      for arm in both)  # fmt: skip
        beside = f"perplexity {own} against {other}" if other else ""
        return arms.difference(found), " ", Span(beside, "aside figure")

    columns = (
        Column("Arm and axis", lambda one: (arms.name(one.arm.id), " ",
                                            Span(arms.axis(one), "aside"))),
        Column("Minus plain", lambda one: against(one, one.plain), "num"),
        Column("Minus plain, matched", lambda one: against(one, one.matched), "num"),
        Column("Reading", lambda one: one.words, "said"),
    )  # fmt: skip
    found = readings(result)
    table = Table(columns, found, label="Private arms against plain and its matched checkpoint")
    title, nav = "Amplified, or only trained less?", "Under-training"
    intro = prose("experiment").intro("under_training")
    return Section("under-training", title, (table,) if found else (), intro, nav)


def twins_section(result: ExperimentResult) -> Section:
    """Return what counterfactual twins give back."""
    columns = (
        Column("Axis and terms", _terms_of),
        Column("Without twins", lambda pair: arms.level(pair.level_without), "num"),
        Column("With twins", lambda pair: arms.level(pair.level_with), "num"),
        Column("With minus without", lambda pair: arms.difference(pair.change), "num"),
    )
    tables = []
    for arm, pairs in grouped(twins.pairs(result), lambda pair: pair.with_twins).items():
        name = arms.name(arm.id)
        beside = f"{name} beside {arms.name(pairs[0].without.id)} "
        caption = (beside, Span(arm.meaning, "aside-inline"))
        tables.append(Table(columns, pairs, caption, f"What twins give back: {name}"))
    intro = prose("experiment").intro("twins")
    return Section("twins", "What CDA gives back", tables, intro)


def _terms_of(pair: twins.Pair) -> Content:
    if pair.part is None:
        return arms.axis(pair)
    return Span((_PARTS[pair.part], Span(f", {arms.axis(pair)}", "quiet")), "part")


def toxicity_section(result: ExperimentResult) -> Section:
    """Return what the arms write, after prompts about each group."""
    tables = []
    for found in toxicity.tables(result):
        heads = ("Arm", *(shorten(group, 40) for group in found.groups), "Difference", "Ratio")
        rows: list[tuple[Content, ...]] = [
            (arms.name(row.arm.id), *map(arms.level, (*row.groups, row.difference, row.ratio)))
            for row in found.rows
        ]
        if found.implied:
            rows.append((IMPLIED, *found.implied))
        protocol = Span(shorten(found.protocol, 100), "aside-inline")
        caption = (f"{arms.axis(found)} ", protocol)
        label = f"Mean toxicity by group: {arms.axis(found)}"
        tables.append(parts.grid(heads, rows, caption=caption, label=label))
    intro = prose("experiment").intro("toxicity")
    return Section("toxicity", "What they write", tables, intro)


def gradients(result: ExperimentResult) -> Section:
    """Return how the gradients of groups converged, and who pushes the bias."""
    courses, pushes = convergence.rows(result), convergence.pushes(result)
    picture = doc.Figure("convergence", convergence.CAPTION)
    scaled = Span("steps scaled to 0–1; the mean log-ratio over the training", "aside-inline")
    areas = Table(
        (
            Column("Arm", lambda row: arms.name(row.arm.id)),
            Column("Axis and groups", lambda row: (arms.axis(row.found), " ",
                                                   Span(shorten(row.pair, 80), "aside"))),
            Column("Mean", _mean_area, "num"),
            Column("Each seed", lambda row: ", ".join(map(_signed, row.areas))),
        ),
        courses, ("Area between curve and 0 ", scaled),
        "Area between the curve of the log-ratio and 0",
    )  # fmt: skip
    told = Span(
        "first-order push of a group’s gradients on the bias score of its axis, in nats per step "
        "on all of its probe texts; above 0: towards the stereotype", "aside-inline",
    )  # fmt: skip
    pushed = Table(
        (
            Column("Arm", lambda one: arms.name(one.arm)),
            Column("Axis", arms.axis),
            Column("Group", lambda one: shorten(one.group, 60)),
            Column("Push", lambda one: convergence.small(one.value), "num"),
            Column("After clipping", lambda one: convergence.small(one.clipped), "num"),
        ),
        pushes,
        ("Who pushes the bias ", told),
        "Push of each group on the bias score",
    )
    blocks: list[doc.Block] = [picture, areas] if courses else []
    if pushes:
        blocks.append(pushed)
    return Section("gradients", "Gradients", blocks, prose("experiment").intro("gradients"))


def _mean_area(row: convergence.ArmCourse) -> Content:
    if row.mean is None:
        return parts.missing("norms could not be told from 0")
    return words.quantity(row.mean, Unit.SIGNED_NUMBER)


def _signed(value: float) -> str:
    return words.number(value, Unit.SIGNED_NUMBER)


def runs(result: ExperimentResult) -> Section:
    """Return every arm with its runs: what was spent, and how far it went."""
    spread = arms.spread
    columns = (
        Column("Arm", lambda row: (shorten(row.arm.name, 60), " ", Span(row.arm.meaning, "aside"))),
        Column("Seeds finished", _finished),
        Column("Steps", lambda row: numbers.distinct(run.steps for run in row.done), "num"),
        Column("Learning rate", lambda row: numbers.distinct(run.learning_rate for run in row.done),
               "num"),
        Column("ε per record", lambda row: numbers.spent(row.done), "num"),
        Column("ε per row", lambda row: numbers.spent(row.done, "row_epsilon"), "num"),
        Column("Held-out perplexity", lambda row: spread(row.perplexities, Unit.NUMBER), "num",
               _PERPLEXITY),
        Column("Distance moved", lambda row: spread(row.distances, Unit.NATS), "num", _DISTANCE),
    )  # fmt: skip
    table = Table(columns, view.arm_rows(result), label="All arms", style="arm-table")
    blocks = (table, *arms.short_runs(result))
    views = doc.View.SUMMARY
    return Section("arms", "Arms", blocks, prose("experiment").intro("arms"), views=views)


def _finished(row: view.ArmRow) -> Content:
    if not row.failed:
        return Span(arms.finished(row), "figure")
    left = len(row.failed) - _MOST_FAILED
    more = [(" ", Span(f"and {left} more", "aside"))] if left > 0 else []
    return Span(arms.finished(row), "chip strong"), *map(_failed, row.failed[:_MOST_FAILED]), *more


def _failed(run: ArmRun) -> Content:
    said = f"seed {run.seed} failed: {shorten(run.reason or parts.UNKNOWN, 160)}"
    return " ", Span(said, "aside")


def terms(result: ExperimentResult) -> Section:
    """Return levels of the terms that the lexicon of the twins holds, and of those it does not."""
    places = tuple(product(view.axes(result), view.PARTS))
    found = {
        (level.arm, axis, part): level
        for axis, part in places
        for level in view.levels_of(result, axis, part)
    }
    said = {"covered": "covered", "uncovered": "not covered"}
    shown = [(axis, part) for axis, part in places if view.levels_of(result, axis)]
    heads = ("Arm", *(f"{arms.named(axis)}, {said[part]}" for axis, part in shown))
    rows = [
        (arms.name(row.arm.id), *(arms.level(found.get((row.arm.id, *place))) for place in shown))
        for row in view.arm_rows(result)
        if any(arm == row.arm.id for arm, *_ in found)
    ]
    table = parts.grid(heads, rows, label="Levels of covered and uncovered terms", style="dense")
    title, nav = "Terms covered by the lexicon, and not", "Terms covered or not"
    return Section(
        "parts", title, (table,) if rows else (), prose("experiment").intro("terms"), nav
    )


def all_numbers(result: ExperimentResult) -> Section:
    """Return every level, and the differences of whole axes."""
    whole = [one for one in result.differences if one.group is None][:_MOST_DIFFERENCES]
    left = len(result.differences) - len(whole)
    blocks = [*_levels(result), *([_differences(whole)] if whole else [])]
    if left:
        said = f"{words.plural(left, 'difference')} of parts and further metrics are left out here"
        stored = Span("result.json", "code")
        end = (f"{said} to keep the page light; ", stored, " holds them.")
        blocks.append(Paragraph(end, "detail"))
    return Section("numbers", "All numbers", blocks, prose("experiment").intro("numbers"))


def _levels(result: ExperimentResult) -> Iterator[doc.Block]:
    columns = (
        Column("Axis", arms.axis),
        Column("Terms", lambda one: Span("all", "faint") if one.group is None
               else shorten(one.group, 40)),
        Column("Arm", lambda one: arms.name(one.arm)),
        Column("Mean over seeds", numbers.level, "num"),
        Column("Interval", numbers.level_interval),
        Column("Implied", numbers.implied, "num"),
        Column("Seeds", lambda one: words.count(one.n_seeds), "num"),
    )  # fmt: skip
    for (protocol, metric), some in grouped(result.levels, _endpoint).items():
        label = shorten(numbers.metric_named(metric).label, 60)
        counted = Span(words.plural(len(some), "level"), "aside-inline")
        head = (f"Levels: {label}, ", Span(shorten(protocol, 60), "code"), " ", counted)
        table = Table(columns, some[:_MOST_LEVELS], label=f"Levels of {label}", style="dense")
        yield Folded(head, (table,))


def _endpoint(level: Level) -> tuple[str, str]:
    return level.protocol, level.name


def _differences(found: list[ArmDifference]) -> Folded:
    columns = (
        Column("Arm", lambda one: arms.name(one.arm)),
        Column("Minus", lambda one: arms.name(one.reference)),
        Column("Axis", arms.axis),
        Column("Metric", lambda one: shorten(_metric(one).label, 60)),
        Column("Difference", arms.difference, "num"),
        Column("Seeds", lambda one: words.count(one.n_seeds), "num"),
    )
    counted = Span(f"{words.plural(len(found), 'difference')}, whole axes", "aside-inline")
    head = ("Differences of every arm from base, plain and matched ", counted)
    return Folded(head, (Table(columns, found, label="All differences", style="dense"),))


def _metric(found: ArmDifference) -> Metric:
    return numbers.metric_named(found.name)
