"""A comparison in a terminal: verdicts and differences, in a table that fits 80 columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts, words
from fairaudit.report.comparison import summary
from fairaudit.report.comparison.view import Candidate, candidates, gaps
from fairaudit.report.names import axis_name, caution_of, measured, metric_of, suite_name
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.terminal_tables import MEASURED, grid, indented
from fairaudit.results import Change, Comparison, ComparisonResult
from fairaudit.vocabulary.verdicts import MISSING, Verdict


def render_terminal(result: ComparisonResult) -> Group:
    """Everything a terminal shows of one comparison; see `fairaudit.report.terminal`."""
    every = candidates(result)
    parts: list[RenderableType] = [
        Text(f"Bias compared with {shorten(result.baseline, 60)}", style="bold"),
        Text(),
    ]
    if len(every) > 1:
        legend = ", ".join(f"{word.mark} {word.label}" for word in verdicts.WORDS)
        parts += [Text(clean(summary.overall(result))), Text(), _overview(every)]
        parts += [Text(f"{legend}.", style="dim"), Text()]
    for found in every:
        said = summary.overall(result) if len(every) == 1 else summary.answer(found)
        parts += _candidate(found, said)
    parts += indented("What now", map(Text, summary.next_steps(result)))
    split = summary.disagreement_words(result)
    if split:
        parts += [Text(clean(split), style="yellow"), Text()]
    parts += indented("Not compared", _gaps(result))
    parts.append(Text(verdicts.SCOPE, style="dim"))
    return Group(*parts)


def _overview(every: tuple[Candidate, ...]) -> Table:
    """Count the verdicts of each candidate."""
    shown = [*verdicts.WORDS, MISSING]
    table = grid("Candidate", *(word.mark for word in shown))
    for found in every:
        counts = Counter(verdicts.word_of(one).label for one in found.primary)
        cells = (Text(str(counts[word.label]), word.tone.style) for word in shown)
        table.add_row(Text(shorten(found.name, 24), style="bold"), *cells)
    return table


def render_table(found: Candidate) -> Table:
    """Verdict, difference and interval of every primary comparison of a candidate."""
    table = grid("Verdict", "difference", "interval", "n", MEASURED)
    for axis in found.axes:
        table.add_row(Text(shorten(axis_name(axis[0].axis), 30), style="bold"))
        for one in axis:
            table.add_row(*_row(one, found.own_cautions(one)))
    if not table.rows:
        table.add_row(Text("no primary comparison", style="dim"))
    return table


def _candidate(found: Candidate, said: str) -> Iterator[RenderableType]:
    yield Text(shorten(found.name, 70), style="bold underline")
    yield Text(clean(said))
    yield render_table(found)
    beside = found.beside
    shared = (caution_of(name) for name in found.cautions)
    lines = [
        *(
            f"{caution.label[:1].upper()}{caution.label[1:]}: {caution.meaning}"
            for caution in shared
        ),
        *(["; ".join(map(_change, beside))] if beside else []),
        *_remarks(found),
    ]
    for line in lines:
        yield Padding(Text(clean(line), style="dim"), (0, 0, 0, 2))
    yield Text()


def _row(found: Comparison, cautions: tuple[str, ...]) -> tuple[Text, ...]:
    word = verdicts.word_of(found)
    style = word.tone.style
    groups = paired.contrast(found)
    remarks = "".join(f"; {caution_of(caution).label}" for caution in cautions)
    return (
        Text(f"  {word.mark} {word.label}", style=style),
        Text(paired.difference(found), style=style),
        Text(paired.interval(found), style=style),
        Text(words.count(found.n)),
        Text.assemble(
            shorten(measured(found), 60), f": {groups}" * bool(groups), (remarks, "yellow")
        ),
    )


def _remarks(found: Candidate) -> Iterator[str]:
    """Yield what the table has no room for: how far an open verdict is open, and why."""
    for one in found.primary:
        if one.verdict in (None, Verdict.INCONCLUSIVE):
            place = f"{paired.place(one)}, {measured(one)}"
            yield f"{verdicts.word_of(one).mark} {place}: {shorten(verdicts.brief(one), 300)}"


def _change(found: Change) -> str:
    name = metric_of(found).label
    if found.kind == "distance":
        return f"{name} {paired.candidate_value(found)}"
    return f"{name} {paired.baseline_value(found)} → {paired.candidate_value(found)}"


def _gaps(result: ComparisonResult) -> Iterator[Text]:
    for gap in gaps(result):
        whom = f" ({', '.join(shorten(name, 30) for name in gap.candidates)})"
        named = whom if gap.candidates else ""
        yield Text.assemble((suite_name(gap.what), "bold"), named, f": {clean(gap.reason)}")
