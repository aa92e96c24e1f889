"""The tables of an experiment's page: arms beside each other, one section for each question."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.document import Column, Content, Folded, Paragraph, Section, Span, Table
from fairaudit.report.documents import arms, parts
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment import convergence, numbers, regimes, toxicity, twins, view
from fairaudit.report.experiment.arms import in_order
from fairaudit.report.experiment.training import readings
from fairaudit.report.grouping import grouped
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import ArmDifference, ArmRun, ExperimentResult, Level, Push
from fairaudit.vocabulary.arms import PLAIN
from fairaudit.vocabulary.units import Unit

#: Rows of a table of all numbers; those beyond them stand in ``result.json`` only.
_MOST_LEVELS, _MOST_DIFFERENCES = 600, 800
_MOST_FAILED: Final = 3
_PARTS: Final = {
    None: "all terms",
    "covered": "terms in the lexicon",
    "uncovered": "terms not in the lexicon",
}
_PERPLEXITY: Final = "Perplexity on held-out text of the kind that the arm was fine-tuned on"
_DISTANCE: Final = (
    "Mean absolute change of log-probability per token from the base model, on the probe text, in "
    "nats"
)
IMPLIED: Final = Span("Implied by the text", "implied")


def levels(results: Sequence[ExperimentResult], titles: Sequence[Content] = ("",)) -> Table:
    """Return the levels of every arm at the endpoint of each axis, with utility beside them."""
    tables = [regimes.table_of(one) for one in results]
    axes = sorted({axis for one in tables for axis in one.axes}, key=view.axis_rank)
    groups = [
        doc.Group(title, [*_level_rows(one, axes), *_implied_row(one, axes)])
        for title, one in zip(titles, tables, strict=True)
    ]
    utility = ("ε per record", "Held-out perplexity", "Moved")
    heads = ("Arm", *map(arms.named, axes), *utility)
    return parts.grid(heads, groups, label="Levels of every arm", style="dense inline")


def _level_rows(found: regimes.LevelTable, axes: Sequence[str]) -> Iterator[tuple[Content, ...]]:
    for row in found.rows:
        arm = row.arm.id
        yield (
            arms.name(arm),
            *(_level(found, found.levels.get((arm, axis))) for axis in axes),
            numbers.spent(row.done),
            numbers.mean(row.perplexities, Unit.NUMBER),
            numbers.mean(row.distances, Unit.NATS),
        )


def _level(found: regimes.LevelTable, one: Level | None) -> Content:
    """Return a level in the colour of its difference from plain, with what its text implies."""
    if one is None:
        return parts.DASH
    away = view.difference_of(found.regime, one.arm, PLAIN, one.axis)
    own = numbers.implied(one)
    apart = one.implied is not None and own != found.implied.get(one.axis)
    implied = (" ", Span(f"implied {own}", "aside figure")) if apart else ""
    return arms.level(one, numbers.tone(away) if away else None), implied


def _implied_row(found: regimes.LevelTable, axes: Sequence[str]) -> Iterator[tuple[Content, ...]]:
    if found.implied:
        yield (IMPLIED, *(found.implied.get(axis, words.MISSING) for axis in axes), "", "", "")


def under_training(result: ExperimentResult) -> Section:
    """Return whether private arms lean further, or only were trained less."""
    rows = {row.arm.id: row for row in view.arm_rows(result)}

    def perplexity(arm: str) -> str:
        return numbers.mean(rows[arm].perplexities, Unit.NUMBER) if arm in rows else words.MISSING

    columns = (
        Column("Axis", arms.axis),
        Column("Minus plain", lambda one: arms.difference(one.plain), "num"),
        Column("Minus plain, matched", lambda one: arms.difference(one.matched), "num"),
        Column("Reading", lambda one: one.words, "said"),
    )
    groups = []
    for arm, found in grouped(readings(result), lambda one: one.arm).items():
        others = (found[0].plain, found[0].matched)
        beside = [perplexity(one.reference) for one in others if one is not None]
        told = f"perplexity {perplexity(arm.id)} against {words.listed(beside)}"
        named = (f"{arms.name(arm.id)} ", Span(told, "aside-inline"))
        groups.append(doc.Group(named, found))
    label = "Private arms against plain and its matched checkpoint"
    table = Table(columns, groups, label=label, style="dense")
    title, nav = "Amplified, or only trained less?", "Under-training"
    intro = prose("experiment").intro("under_training")
    blocks = (table,) if groups else ()
    return Section("under-training", title, blocks, intro, nav, folded=True)


def twins_section(result: ExperimentResult) -> Section:
    """Return what counterfactual twins give back; the levels stand in the tables of arms."""
    axes, groups = view.axes(result), []
    for arm, pairs in grouped(twins.pairs(result), lambda pair: pair.with_twins).items():
        changes = {(pair.part, pair.axis): pair.change for pair in pairs}
        beside = f"{arms.name(arm.id)} beside {arms.name(pairs[0].without.id)} "
        rows = [
            (_PARTS[part], *(arms.difference(changes.get((part, axis))) for axis in axes))
            for part in dict.fromkeys(pair.part for pair in pairs)
        ]
        groups.append(doc.Group((beside, Span(arm.meaning, "aside-inline")), rows))
    heads, label = ("With minus without", *map(arms.named, axes)), "What twins give back"
    table = parts.grid(heads, groups, label=label, style="dense inline")
    intro = prose("experiment").intro("twins")
    blocks = (table,) if groups else ()
    return Section("twins", "What CDA gives back", blocks, intro, folded=True)


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
        tables.append(parts.grid(heads, rows, caption=caption, label=label, style="dense inline"))
    intro = prose("experiment").intro("toxicity")
    return Section("toxicity", "What they write", tables, intro)


def gradients(result: ExperimentResult) -> Section:
    """Return how the gradients of groups converged, and who pushes the bias."""
    courses = {((row.found.axis, row.pair), row.arm.id): row for row in convergence.rows(result)}
    pushes = {((one.axis, one.group), one.arm): one for one in convergence.pushes(result)}
    scaled = Span("steps scaled to 0–1; the mean log-ratio over the training", "aside-inline")
    areas = _by_arm(
        {place: _area(row) for place, row in courses.items()},
        caption=("Area between curve and 0, mean and each seed ", scaled),
        label="Area between the curve of the log-ratio and 0",
    )
    told = Span(
        "first-order push of a group’s gradients on the bias score of its axis, in nats per step "
        "on all of its probe texts; above 0: towards the stereotype", "aside-inline",
    )  # fmt: skip
    pushed = _by_arm(
        {place: _push(one) for place, one in pushes.items()},
        caption=("Who pushes the bias, before and after clipping ", told),
        label="Push of each group on the bias score",
    )
    blocks: list[doc.Block] = [doc.Figure("convergence", convergence.CAPTION)] if courses else []
    blocks += [areas] if courses else []
    blocks += [pushed] if pushes else []
    intro = prose("experiment").intro("gradients")
    return Section("gradients", "Gradients", blocks, intro, folded=True)


def _by_arm(found: dict[tuple[tuple[str, str], str], Content], **looks: Any) -> Table:
    """Return arms by axis and group or pair of groups."""
    places = dict.fromkeys(place for place, _ in found)
    heads = [(arms.named(axis), " ", Span(shorten(who, 60), "aside")) for axis, who in places]
    rows = [
        (arms.name(arm), *(found.get((place, arm), parts.DASH) for place in places))
        for arm in (one.id for one in in_order(arm for _, arm in found))
    ]
    return parts.grid(("Arm", *heads), rows, style="dense", **looks)


def _area(row: convergence.ArmCourse) -> Content:
    if row.mean is None:
        return parts.missing("norms could not be told from 0")
    each = ", ".join(words.number(area, Unit.SIGNED_NUMBER) for area in row.areas)
    return words.quantity(row.mean, Unit.SIGNED_NUMBER), " ", Span(each, "aside")


def _push(found: Push) -> Content:
    clipped = "" if found.clipped is None else f"clipped {convergence.small(found.clipped)}"
    return convergence.small(found.value), (" ", Span(clipped, "aside figure")) if clipped else ""


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
    title, intro = "How the arms were trained", prose("experiment").intro("arms")
    return Section("arms", title, blocks, intro, "Arms", views=views, folded=True)


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
    axes = [axis for axis in view.axes(result) if view.levels_of(result, axis)]
    groups = []
    for part in view.PARTS:
        found = {
            (level.arm, axis): level
            for axis in axes
            for level in view.levels_of(result, axis, part)
        }
        rows = [
            (arms.name(arm.id), *(arms.level(found.get((arm.id, axis))) for axis in axes))
            for arm in in_order(arm for arm, _ in found)
        ]
        groups += [doc.Group(_PARTS[part], rows)] if rows else []
    table = parts.grid(("Arm", *map(arms.named, axes)), groups, style="dense inline",
                       label="Levels of covered and uncovered terms")  # fmt: skip
    title, nav = "Terms covered by the lexicon, and not", "Terms covered or not"
    blocks, intro = (table,) if groups else (), prose("experiment").intro("terms")
    return Section("parts", title, blocks, intro, nav, folded=True)


def all_numbers(result: ExperimentResult) -> Section:
    """Return the levels that stand in no table above, and the differences of whole axes."""
    whole = [one for one in result.differences if one.group is None][:_MOST_DIFFERENCES]
    left = len(result.differences) - len(whole)
    blocks = [*_levels(result), *([_differences(whole)] if whole else [])]
    if left:
        said = f"{words.plural(left, 'difference')} of parts and further metrics are left out here"
        stored = Span("result.json", "code")
        end = (f"{said} to keep the page light; ", stored, " holds them.")
        blocks.append(Paragraph(end, "detail"))
    intro = prose("experiment").intro("numbers")
    return Section("numbers", "All numbers", blocks, intro, folded=True)


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
    axes = sorted({one.axis for one in found}, key=view.axis_rank)
    groups = []
    for (reference, metric), some in grouped(found, lambda one: (one.reference, one.name)).items():
        known = {(one.arm, one.protocol, one.axis): one for one in some}
        rows = [
            (arms.name(arm), *(arms.difference(known.get((arm, protocol, axis))) for axis in axes))
            for arm, protocol in dict.fromkeys((one.arm, one.protocol) for one in some)
        ]
        label = shorten(numbers.metric_named(metric).label, 60)
        groups.append(doc.Group(f"{label}: minus {arms.name(reference)}", rows))
    counted = Span(f"{words.plural(len(found), 'difference')}, whole axes", "aside-inline")
    head = ("Differences of every arm from base, plain and matched ", counted)
    table = parts.grid(("Arm", *map(arms.named, axes)), groups, label="All differences",
                       style="dense inline")  # fmt: skip
    return Folded(head, (table,))
