"""``fairaudit suites``: what can be asked, and whether a file of one's own is well formed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairaudit.cli.state import console, split_list, write_new
from fairaudit.cli.streams import one_line
from fairaudit.errors import SuiteFileError, UsageError

if TYPE_CHECKING:
    from fairaudit.items import Decoding
    from fairaudit.suites import Suite

#: More faults than these have one cause.
_MOST_FAULTS = 100

suites_app = typer.Typer(
    help="List, show and validate suites.", no_args_is_help=True, add_completion=False
)


@suites_app.command("list")
def list_command(
    data: Annotated[
        Path | None,
        typer.Option(
            help="Folder with benchmark files: also say which suites have their items at hand.",
            envvar="FAIRAUDIT_DATA",
        ),
    ] = None,
) -> None:
    """List all suites."""
    from rich.table import Table

    from fairaudit.suites import SUITES

    heads = ["suite", "default", "axes", "licence", *([] if data is None else ["at hand"])]
    table = Table(*heads, box=None, header_style="bold")
    for suite in SUITES:
        default = "yes" if suite.default else "--full"
        cells = [suite.name, default, ", ".join(suite.card.axes), suite.card.license]
        table.add_row(*cells, *([] if data is None else [_at_hand(suite, data)]))
    console().print(table)


def _at_hand(suite: Suite, data: Path) -> str:
    from fairaudit.suites import DataFinder, DataUnavailableError

    try:
        return f"{len(suite.load(DataFinder(data, fetch=False)).items):,} items"
    except DataUnavailableError:
        return "no"


@suites_app.command("init")
def init_command(
    file: Annotated[Path, typer.Argument(help="File to write: .csv, .tsv, .jsonl or .toml.")],
    prompts: Annotated[
        bool, typer.Option("--prompts", help="Prompts to be continued, not sentence pairs.")
    ] = False,
) -> None:
    """Write an example suite of your own: rows to replace, in the form that is read.

    Example row of sentence pairs in a .csv file:

        axis,group,stereotype,anti_stereotype
        gender,female,The nurse said she was tired.,The nurse said he was tired.
    """
    from fairaudit.suites.starter import starter_suite

    text = starter_suite(file, prompts=prompts)
    write_new(file, text)
    console().print(
        f"suite: {file}; replace its rows, then run: fairaudit suites validate {file}",
        highlight=False,
        markup=False,
        soft_wrap=True,
    )


@suites_app.command("show")
def show_command(name: Annotated[str, typer.Argument(help="Suite name or file.")]) -> None:
    """Show what a suite asks, how it is scored, and what speaks against it."""
    from fairaudit.suites import get_suite

    suite = get_suite(name)
    card = suite.card
    lines = [f"{card.title} ({card.name})", card.asks, ""]
    lines += [f"cite: {card.citation}", f"licence: {card.license}"]
    lines += [f"axes: {', '.join(card.axes)}", "", *_protocols(suite)]
    lines += ["", "caveats:", *(f"  - {caveat}" for caveat in card.caveats or ("none stated",))]
    lines += ["", "evidence for:", *(f"  - {tag}" for tag in card.evidence or ("none stated",))]
    console().print("\n".join(lines), highlight=False, markup=False)


def _protocols(suite: Suite) -> list[str]:
    """Say how a suite is scored, or how its prompts are continued and by what texts are scored."""
    if suite.generation is None:
        return [
            "protocols (* primary):",
            *(
                f"  {'*' if protocol.primary else ' '} {protocol.id}: {protocol.description}"
                for protocol in suite.protocols
            ),
        ]
    design, decoding = suite.generation, suite.generation.decoding
    asked = "all" if design.per_axis is None else f"{design.per_axis} of each axis"
    return [
        f"prompts: {asked}; {design.quick_per_axis} of each axis with --quick, all with --full",
        f"completions: {decoding.n} of up to {decoding.max_new_tokens} tokens, {_drawn(decoding)}",
        f"text scorers, as far as at hand: {', '.join(design.scorers)}",
    ]


def _drawn(decoding: Decoding) -> str:
    """Say how the tokens of a completion are chosen."""
    if not decoding.do_sample:
        return "the likeliest token at each place"
    return f"sampled at temperature {decoding.temperature:g}"


@suites_app.command("prompts")
def prompts_command(
    name: Annotated[str, typer.Argument(help="Suite of prompts, or file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="JSONL file to write.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder with benchmark files.", envvar="FAIRAUDIT_DATA")
    ] = None,
    full: Annotated[bool, typer.Option("--full", help="All prompts, not a sample.")] = False,
) -> None:
    """Write the prompts that an audit would ask, for a model that is run elsewhere.

    Add "completions" to each line; `fairaudit audit-scores` reads the file back.
    """
    import json

    from fairaudit.auditing.suite_plan import Size
    from fairaudit.suites import PROMPT, DataFinder, get_suite

    suite = get_suite(name)
    if suite.generation is None:
        raise UsageError(f"'{suite.name}' is not a suite of prompts")
    items = Size(None, full).reduced(suite, suite.load(DataFinder(data)).items)
    rows = ({"item_id": item.item_id, "prompt": item.texts[PROMPT]} for item in items)
    try:
        output.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output}: cannot be written ({error.strerror})") from error
    console().print(f"{output}: {len(items):,} prompts", highlight=False, markup=False)


@suites_app.command("export-lm-eval")
def export_command(
    folder: Annotated[Path, typer.Argument(help="Folder for the task files.")],
    axes: Annotated[
        str | None, typer.Option(help="Axes to write, comma-separated; default: all.")
    ] = None,
) -> None:
    """Write the embedded templates as tasks of lm-evaluation-harness."""
    from fairaudit.integrations.lm_eval_tasks import export_tasks

    written = export_tasks(folder, axes=split_list(axes))
    names = ",".join(path.stem for path in written)
    console().print(
        f"tasks: lm_eval --include_path {folder} --log_samples --tasks {names}",
        highlight=False, markup=False, soft_wrap=True,
    )  # fmt: skip


@suites_app.command("validate")
def validate_command(
    file: Annotated[Path, typer.Argument(help="Suite file: .toml, .jsonl, .csv or .tsv.")],
    language: Annotated[
        str | None, typer.Option(help="What it is written in, such as fr or pt-BR.")
    ] = None,
) -> None:
    """Check a suite file of one's own; names row and column of every fault."""
    from collections import Counter

    from fairaudit.report.words import plural
    from fairaudit.suites import DataFinder, own_suite
    from fairaudit.suites.custom import check_suite

    _, faults = check_suite(file, language)
    if len(faults) == 1:
        raise SuiteFileError(f"{file}: {faults[0]}")
    if faults:
        for fault in faults[:_MOST_FAULTS]:
            typer.echo(one_line(f"{file}: {fault}"), err=True)
        others = len(faults) - _MOST_FAULTS
        more = f", {others:,} of them not shown" if others > 0 else ""
        raise SuiteFileError(f"{file}: {len(faults):,} faults{more}")
    suite = own_suite(file, language)
    items = suite.load(DataFinder()).items
    counts = Counter(item.axis for item in items)
    by_axis = ", ".join(f"{axis} {count}" for axis, count in sorted(counts.items()))
    clusters = len({item.cluster for item in items})
    kind = "prompts" if suite.generation is not None else "items"
    kind = "pairs" if "stereotype" in items[0].texts else kind
    kind = "questions" if "unknown" in items[0].texts else kind
    console().print(
        f"{file}: {len(items)} {kind} ({by_axis}) in {plural(clusters, 'cluster')}, "
        f"language {suite.language}",
        highlight=False,
        markup=False,
    )
