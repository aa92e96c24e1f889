"""``fairaudit cda``: counterfactual twins for the records of a text file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from fairaudit.cli.state import console, split_list

if TYPE_CHECKING:
    from rich.table import Table
    from rich.text import Text

    from fairaudit.augmentation import CoverageReport

#: Classes and words shown; the rest is summed up.
_SHOWN = 8


def cda_command(
    file: Annotated[Path, typer.Argument(help="Text: .txt, .jsonl or .csv, plain or .gz.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write, same type.")],
    axes: Annotated[str, typer.Option(help="gender, race, religion.")] = "gender",
    mode: Annotated[str, typer.Option(help="two-sided, one-sided or substitution.")] = "two-sided",
    shifts: Annotated[
        str, typer.Option(help="Axes of many groups: choice (one other) or all.")
    ] = "choice",
    column: Annotated[str, typer.Option(help="Column with the text (.jsonl, .csv).")] = "text",
    seed: Annotated[int, typer.Option(min=0, help="Seed of choice and substitution.")] = 0,
) -> None:
    """Add counterfactual twins to a text: words for one group in place of another's."""
    from fairaudit.augmentation import Swapper
    from fairaudit.augmentation.files import augment_file

    swapper = Swapper(tuple(split_list(axes) or ()), cast("Any", shifts), seed)
    done = augment_file(file, output, swapper, mode=cast("Any", mode), column=column)
    report = done.report
    screen = console()
    screen.print(_coverage_table(report))
    for text, twin in done.samples:
        screen.print(_pair(text, twin, width=max(screen.width - 4, 20)))
    screen.print(f"{done.rows:,} records written to {output}", highlight=False, markup=False)
    if not report.twins:
        screen.print("note: no record has a word to swap; the output is the input")


def _coverage_table(report: CoverageReport) -> Table:
    from rich.table import Table

    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column()
    share = f"{report.share:.1%}"
    table.add_row(
        "records", f"{report.records:,}, {report.swapped_records:,} with a twin ({share})"
    )
    if report.foreign_records:
        table.add_row("not English", f"{report.foreign_records:,}, left as they are")
    table.add_row("words swapped", _most(report.swaps_by_class))
    table.add_row("left as they are", _most(report.unswapped))
    table.add_row("swapped back", _round_trip(report))
    return table


def _round_trip(report: CoverageReport) -> str:
    lost = f"{report.round_trip_failures:,} of {report.twins:,} twins do not"
    return f"{report.round_trip_share:.2%} of the records come back as they were; {lost}"


def _most(counts: Any) -> str:
    """Name the most frequent entries and how much the rest adds."""
    if not counts:
        return "none"
    entries = list(counts.items())
    shown = ", ".join(f"{name.replace('_', ' ')} {n:,}" for name, n in entries[:_SHOWN])
    rest = sum(n for _, n in entries[_SHOWN:])
    return f"{sum(counts.values()):,}: {shown}" + (f", others {rest:,}" if rest else "")


def _pair(text: str, twin: str, width: int) -> Text:
    """Show a record and its twin around their first difference, one line each."""
    from rich.text import Text

    first = next((i for i, (a, b) in enumerate(zip(text, twin, strict=False)) if a != b), len(text))
    start = max(0, first - width // 3)
    lines = [f"{mark} {_excerpt(line, start, width)}" for mark, line in (("-", text), ("+", twin))]
    return Text("\n".join(["", *lines]), no_wrap=True, overflow="ellipsis")


def _excerpt(line: str, start: int, width: int) -> str:
    """Part of a line without control characters, cut at words."""
    shown = "".join(letter if letter.isprintable() else " " for letter in line[start:])
    if start:
        shown = "… " + shown.partition(" ")[2]
    return shown if len(shown) <= width else shown[: width - 2].rpartition(" ")[0] + " …"
