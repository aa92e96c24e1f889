"""``fairaudit suites``: what can be asked, and whether a file of one's own is well formed."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console

suites_app = typer.Typer(help="List, show and validate suites.", no_args_is_help=True)


@suites_app.command("list")
def list_command() -> None:
    """List all suites."""
    from rich.table import Table

    from fairaudit.suites import SUITES

    table = Table("suite", "default", "axes", "licence", box=None, header_style="bold")
    for suite in SUITES:
        default = "yes" if suite.default else "--full"
        table.add_row(suite.name, default, ", ".join(suite.axes), suite.license)
    console().print(table)


@suites_app.command("show")
def show_command(name: Annotated[str, typer.Argument(help="Suite name or file.")]) -> None:
    """Show what a suite asks, how it is scored, and what speaks against it."""
    from fairaudit.suites import get_suite

    suite = get_suite(name)
    lines = [f"{suite.title} ({suite.name})", suite.description, ""]
    lines += [f"cite: {suite.citation}", f"licence: {suite.license}"]
    lines += [f"axes: {', '.join(suite.axes)}", "", "protocols (* primary):"]
    lines += [
        f"  {'*' if protocol.primary else ' '} {protocol.id}: {protocol.description}"
        for protocol in suite.protocols
    ]
    lines += ["", "caveats:", *(f"  - {caveat}" for caveat in suite.caveats or ("none stated",))]
    lines += ["", "evidence towards:", *(f"  - {tag}" for tag in suite.evidence)]
    console().print("\n".join(lines), highlight=False, markup=False)


@suites_app.command("validate")
def validate_command(
    file: Annotated[Path, typer.Argument(help="Suite file: .toml, .jsonl or .csv.")],
) -> None:
    """Check a suite file of one's own; names row and column of the first fault."""
    from collections import Counter

    from fairaudit.suites import DataFinder, own_suite

    suite = own_suite(file)
    items = suite.load(DataFinder()).items
    counts = Counter(item.axis for item in items)
    by_axis = ", ".join(f"{axis} {count}" for axis, count in sorted(counts.items()))
    clusters = len({item.cluster for item in items})
    console().print(
        f"{file}: {len(items)} pairs ({by_axis}) in {clusters} clusters",
        highlight=False,
        markup=False,
    )
