"""An experiment in a terminal: findings and arms, in tables that fit 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, regimes, summary, view
from fairaudit.report.names import Unit, axis_name
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.terminal_tables import grid, indented
from fairaudit.results.experiment import Claim, ExperimentResult


def render_experiment(result: ExperimentResult) -> Group:
    """Everything a terminal shows of an experiment.

    Text from outside is never read as markup, nor are its control characters passed on.
    """
    if result.regimes:
        return Group(*_of_regimes(result))
    parts: list[RenderableType] = [
        Text(f"Experiment {shorten(result.name, 60)}", style="bold"),
        *(Text(clean(line)) for line in summary.answers(result)),
        Text(),
    ]
    for name, claims in view.claims_by_name(result).items():
        parts += _claims(name, claims, result)
    said = summary.explained(result)
    if said:
        parts += [Text(clean(said)), Text()]
    parts += [_arms(result), Text()]
    parts += indented("Failed", (Text(clean(line)) for line in summary.failures(result)))
    missing = (Text(clean(f"{gap.what}: {gap.reason}")) for gap in summary.gaps(result))
    parts += indented("Not looked at", missing)
    parts.append(Text(findings.SCOPE, style="dim"))
    return Group(*parts)


def _of_regimes(result: ExperimentResult) -> Iterator[RenderableType]:
    yield Text(f"Experiment {shorten(result.name, 60)}", style="bold")
    for line in regimes.answers(result):
        yield Text(clean(line))
    for regime in result.regimes:
        yield Text()
        yield Text.assemble((regimes.heading_of(regime), "bold underline"))
        yield Text(clean(shorten(regime.meaning, 300)), style="dim")
        for name, claims in view.claims_by_name(regime).items():
            yield Text(clean(findings.statement_of(name).label), style="bold")
            yield claims_table(claims)
    yield Text()
    yield from indented("Failed", (Text(clean(line)) for line in regimes.failures(result)))
    yield Text(findings.SCOPE, style="dim")


def _claims(name: str, claims: Sequence[Claim], result: ExperimentResult) -> list[RenderableType]:
    return [
        Text.assemble(
            (clean(findings.statement_of(name).label), "bold underline"),
            f"  {clean(findings.measured_of(claims))}",
        ),
        claims_table(claims),
        *(Padding(Text(line, style="dim"), (0, 0, 0, 2)) for line in _remarks(claims, result)),
        Text(),
    ]


def claims_table(claims: Sequence[Claim]) -> Table:
    """Return finding, difference, interval and seeds of one claim on every axis."""
    table = grid("Finding", "axis", "difference", "interval", "seeds")
    for found in claims:
        word, style = findings.word_of(found), findings.tone_of(found).style
        table.add_row(
            Text(f"  {word.mark} {word.label}", style=style),
            Text(shorten(axis_name(found.axis), 20)),
            Text(numbers.difference(found), style=style),
            Text(numbers.interval(found), style=style),
            Text(str(found.n_seeds)),
        )
    return table


def _remarks(claims: Sequence[Claim], result: ExperimentResult) -> Iterator[str]:
    """Yield what the table has no room for; axes of which the same is said share a line."""
    by_words: dict[str, list[str]] = {}
    for found in claims:
        remark = summary.remark(result, found)
        said = f"{findings.brief(found)}{'; ' + remark if remark else ''}"
        mark = findings.word_of(found).mark
        by_words.setdefault(f"{mark} {{}}: {shorten(said, 300)}", []).append(axis_name(found.axis))
    for said, axes in by_words.items():
        yield said.replace("{}", shorten(", ".join(axes), 60), 1)


def _arms(result: ExperimentResult) -> Table:
    """Every arm: how many seeds finished, ε spent, utility and distance moved."""
    table = grid("Arm", "seeds", "ε", "perplexity", "moved")
    for row in view.arm_rows(result):
        done = f"{len(row.done)} of {len(row.runs)}"
        table.add_row(
            Text(shorten(row.arm.name, 34)),
            Text(done, style="" if not row.failed else "yellow"),
            Text(numbers.spent(row.done)),
            Text(numbers.mean((run.perplexity for run in row.done), Unit.NUMBER)),
            Text(numbers.mean((run.distance for run in row.done), Unit.NATS)),
        )
    return table
