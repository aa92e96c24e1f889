"""What documents of experiments and maps say of arms: levels, changes, findings, and their runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from fairaudit.report import document as doc
from fairaudit.report import words
from fairaudit.report.document import (
    Column,
    Content,
    Folded,
    Paragraph,
    Section,
    Span,
    Table,
    View,
    plain,
)
from fairaudit.report.documents import parts
from fairaudit.report.documents.prose import prose
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, summary, view
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.names import METRICS, axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.report.scale import fit
from fairaudit.results.experiment import ArmDifference, Claim, ExperimentResult, Level, Prediction
from fairaudit.results.map import OverSeeds
from fairaudit.vocabulary.tones import Tone
from fairaudit.vocabulary.units import Unit
from fairaudit.vocabulary.words import Word

_FAILED: Final = "differences are over the seeds that both arms finished."


def name(arm: str, width: int = 60) -> str:
    """Return the name of an arm."""
    return shorten(arm_of(arm).name, width)


def axis(found: Any) -> str:
    """Return the name of the axis, as long as there is room for it."""
    return named(found.axis)


def named(axis: str) -> str:
    """Return an axis by name."""
    return shorten(axis_name(axis), 40)


def level(found: Level | None, tone: Tone | None = None) -> Content:
    """Return a level with its interval beneath, in the colour of a change if there is one."""
    if found is None:
        return parts.DASH
    below = numbers.level_interval(found) if found.interval else ""
    shown = (
        numbers.level(found) if tone is None else Span(numbers.level(found), "verdict", tone=tone)
    )
    return shown, (" ", Span(below, "aside figure")) if below else ""


def change(found: ArmDifference | OverSeeds | None, unit: Unit, absent: str = "") -> Content:
    """Return a change in the colour of its direction, with its interval beneath."""
    if found is None:
        return parts.missing(absent) if absent else parts.DASH
    reason = shorten(found.reason or parts.UNKNOWN, 200)
    if found.value is None:
        return parts.missing(reason)
    shown = Span(words.quantity(found.value, unit), "verdict", tone=numbers.tone(found))
    none = f"no interval: {reason}"
    return shown, " ", Span(words.bounds(found.interval, unit) if found.interval else none, "aside")


def difference(found: ArmDifference | None) -> Content:
    """Return the difference of two arms with its interval beneath."""
    return change(found, numbers.unit_of(found) if found else Unit.NUMBER, "not compared")


def word(shown: Word) -> Span:
    """Return a finding with its mark, in its colour."""
    return Span((Span(shown.mark, "mark"), f" {shown.label}"), "verdict", tone=shown.tone)


def finding(found: Claim) -> Span:
    """Return the finding of a claim."""
    return word(findings.word_of(found))


def legend() -> doc.Items:
    """Return every finding that there is."""
    return doc.Items([word(one) for one in findings.WORDS], "legend")


def claims(result: ExperimentResult) -> Table:
    """Return every claim of a result on every axis: finding, picture, number and meaning."""
    by_name = view.claims_by_name(result)
    # One scale for all axes of a claim, so that they compare by eye.
    scales = {name: fit(map(findings.mark_of, some)) for name, some in by_name.items()}

    def drawn(found: Claim) -> Content:
        return parts.picture(findings.mark_of(found), scales[found.claim])

    columns = (
        Column("Axis", lambda one: Span(axis(one), "axis")),
        Column("Finding", finding),
        Column(parts.PICTURE, drawn, "mini-cell"),
        Column("Value, interval and seeds", _number),
        Column("In plain words", lambda one: _meaning(result, one), "plain"),
    )
    groups = [doc.Group(claim_title(some), some) for some in by_name.values()]
    return Table(columns, groups, Span("Findings by claim and axis", "quiet"), style="lines",
                 frame="")  # fmt: skip


def claim_title(some: Sequence[Claim]) -> Content:
    """Return a claim with what it says, and what its numbers are."""
    statement = findings.statement_of(some[0].claim)
    says = f"{statement.says}: " if statement.says else ""
    sides = dict.fromkeys(f"{name(one.arm)} minus {name(one.reference)}" for one in some)
    of = f"{shorten(findings.measured_of(some), 120)}, {'; '.join(sides)}"
    label = Span(shorten(statement.label, 120), "strong")
    return label, " ", Span(f"{says}{of}", "aside-inline")


def in_sentences(results: Iterable[ExperimentResult]) -> Folded:
    """Return every finding in sentences: what it means, and what it does not."""
    told: list[tuple[Content, tuple[Content]]] = []
    for result in results:
        where = f", {shorten(result.name, 60)}" if result.meaning else ""
        for one in (one for some in view.claims_by_name(result).values() for one in some):
            label = shorten(findings.statement_of(one.claim).label, 80)
            said = shorten(" ".join(findings.sentences(one)), 2000)
            told.append(((finding(one), f" {label}, {axis(one)}{where}"), (said,)))
    head = "The same in sentences: what each finding means, and what it does not"
    return Folded(head, (doc.Terms(told, "sentences"),))


def number(found: Claim) -> Content:
    """Return the number of a claim with its interval."""
    bounds = (" ", Span(numbers.interval(found), "bounds")) if found.interval else ""
    return Span(numbers.difference(found), "strong"), bounds


def _number(found: Claim) -> Content:
    return number(found), " ", Span(numbers.seeds(found.n_seeds), "aside-inline")


def _meaning(result: ExperimentResult, found: Claim) -> Content:
    remark = summary.remark(result, found)
    said = shorten(findings.brief(found), 300)
    return (said, "; ", Span(remark, "explained")) if remark else said


def short_claims(result: ExperimentResult, found: Sequence[Claim]) -> Iterator[Table]:
    """Yield one claim of a result on every axis, in a terminal and in a summary."""

    def coloured(text: Content, one: Claim) -> Span:
        return Span(text, tone=findings.word_of(one).tone)

    columns = (
        Column("Finding", lambda one: coloured(("  ", plain(finding(one))), one)),
        Column("axis", lambda one: shorten(axis(one), 20)),
        Column("difference", lambda one: coloured(numbers.difference(one), one), "num"),
        Column("interval", lambda one: coloured(numbers.interval(one), one)),
        Column("seeds", lambda one: words.count(one.n_seeds)),
    )
    yield Table(columns, found, views=View.TERMINAL)
    listed = (
        Column("", lambda one: (findings.word_of(one).mark, " ",
                                Span(findings.word_of(one).label, "strong"))),
        Column("", axis),
        Column("", number),
        Column("", lambda one: numbers.seeds(one.n_seeds)),
        Column("", findings.brief),
        Column("", lambda one: Span(summary.remark(result, one), "strong")),
    )  # fmt: skip
    yield Table(listed, found, listed=True, views=View.SUMMARY)


def short_runs(result: ExperimentResult) -> Iterator[Table]:
    """Yield every arm in few columns: seeds that finished, ε spent, utility and distance moved."""
    per_row = Column("ε per row", lambda row: numbers.spent(row.done, "row_epsilon"), "num")
    kinds = (
        (View.SUMMARY, "ε per record", "Held-out perplexity", (per_row,)),
        (View.TERMINAL, "ε", "Perplexity", ()),
    )
    for views, epsilon, perplexity, more in kinds:
        columns = (
            Column("Arm", lambda row: name(row.arm.id, 34)),
            Column("Seeds", lambda row: Span(finished(row), "caution" if row.failed else "")),
            Column(epsilon, lambda row: numbers.spent(row.done), "num"),
            *more,
            Column(perplexity, lambda row: numbers.mean(row.perplexities, Unit.NUMBER), "num"),
            Column("Moved", lambda row: numbers.mean(row.distances, Unit.NATS), "num"),
        )
        yield Table(columns, view.arm_rows(result), views=views)


def finished(row: view.ArmRow) -> str:
    """Return how many runs of an arm finished."""
    return f"{len(row.done)} of {len(row.runs)}"


def spread(values: Sequence[float | None], unit: Unit) -> Content:
    """Return a mean with smallest and largest beneath."""
    ends = numbers.spread(values, unit)
    return numbers.mean(values, unit), " ", Span(ends, "aside figure")


def predictions(results: Sequence[ExperimentResult], within: str = "") -> Section:
    """Return whether gradient disparity and change of bias go together, over seeds."""
    found: dict[tuple[str, str, str], dict[str, Prediction]] = {}
    for result in results:
        for one in result.predictions:
            place = (result.name, one.arm, numbers.outcome(one))
            found.setdefault(place, {})[one.axis] = one
    own = list(dict.fromkeys(axis for some in found.values() for axis in some))
    several = len(results) > 1
    heads = ("Arm, change of", *map(named, sorted(own, key=view.axis_rank)))
    rows = [
        (
            (name(arm), Span(f", {outcome}", "aside-inline"),
             Span(shorten(where, 60), "aside") if several else ""),
            *(_correlation(some.get(axis)) for axis in sorted(own, key=view.axis_rank)),
        )
        for (where, arm, outcome), some in found.items()
    ]  # fmt: skip
    label = "Gradient disparity and change of bias"
    table = parts.grid(heads, rows, label=label, style="dense inline")
    intro = prose("experiment").intro("predictions", within=within)
    title = "Does disparity predict?"
    return Section("predictions", title, (table,) if rows else (), intro, folded=True)


def _correlation(found: Prediction | None) -> Content:
    if found is None:
        return parts.DASH
    if found.value is None:
        return parts.missing(shorten(found.reason or parts.UNKNOWN, 200))
    bounds = words.bounds(found.interval, Unit.SIGNED_NUMBER) if found.interval else ""
    seeds = f"{bounds} {numbers.seeds(found.n_seeds)}"
    return words.correlation(found.value), " ", Span(seeds, "aside figure")


def reading(*results: ExperimentResult, regimes: bool = False) -> Section:
    """Return how to read the page: findings, terms, and the metrics that appear."""
    said = prose("experiment")
    used = {one.name for result in results for one in result.levels}
    used |= {one.metric for result in results for one in result.claims}
    own = [metric for metric in METRICS.values() if metric.name in used and metric.meaning]
    terms = said.of("glossary_of_regimes") if regimes else ()
    first = [(word(one), f"{one.meaning} {one.limit}") for one in findings.WORDS]
    glossary = [(metric.label, metric.meaning) for metric in own]
    return parts.reading("experiment", glossary, first=(*first, *terms))


def answers(said: Sequence[str]) -> Iterator[doc.Block]:
    """Yield the answers of a result, one for each claim."""
    yield doc.Items([Span(one, "strong") for one in said], "answers", View.READ)
    yield from (Paragraph(one, views=View.TERMINAL) for one in said)
    yield Paragraph(" ".join(said), views=View.SCREEN)


def titles(result: ExperimentResult, kicker: str) -> Iterator[doc.Block]:
    """Yield the titles of every view."""
    yield Paragraph(kicker, "kicker")
    yield parts.title(shorten(result.name, 200))
    yield doc.Heading(("Experiment ", Span(shorten(result.name, 120), "code")), View.SUMMARY)
    yield doc.Heading(f"Experiment {shorten(result.name, 60)}", View.TERMINAL)
    yield doc.Heading(result.name, View.SCREEN)


def failed(lines: Sequence[str]) -> Iterator[doc.Block]:
    """Yield the notice of runs that failed."""
    return parts.failed(lines, _FAILED)


def closing() -> tuple[doc.Block, ...]:
    """Return what all claims are about, at the end of the short views."""
    where = (f"{findings.SCOPE} Figures, all numbers and provenance: ", parts.REPORT, ".")
    terminal = Paragraph(findings.SCOPE, "intro", View.TERMINAL)
    return terminal, Paragraph(where, views=View.SUMMARY)
