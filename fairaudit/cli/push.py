"""``fairaudit push``: card and result to the Hub, when asked to."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.state import console


def push_command(
    folder: Annotated[Path, typer.Argument(help="Folder of an audit or a comparison.")],
    repo: Annotated[str, typer.Argument(help="The model on the Hub: owner/name.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be pushed; send nothing.")
    ] = False,
    pr: Annotated[bool, typer.Option("--pr", help="Open a pull request, not a commit.")] = False,
    candidate: Annotated[
        str | None, typer.Option(help="Whose card it is, where a comparison has several.")
    ] = None,
    readme: Annotated[
        Path | None, typer.Option(help="Card to patch; default: the repository's own.")
    ] = None,
) -> None:
    """Patch the model's card on the Hub and put the result beside it, in one commit."""
    from fairaudit.errors import UsageError
    from fairaudit.integrations.hub import push_to_hub

    try:
        card = None if readme is None else readme.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{readme}: cannot be read ({error})") from error
    done = push_to_hub(folder, repo, dry_run=dry_run, create_pr=pr, candidate=candidate, card=card)
    out = console()
    for name in done.files:
        out.print(name, highlight=False, markup=False, soft_wrap=True)
    for name in done.left_out:
        out.print(f"left out, it holds the texts of a benchmark: {name}", markup=False)
    said = f"dry run: nothing was sent to {repo}" if done.url is None else f"pushed: {done.url}"
    out.print(said, highlight=False, markup=False, soft_wrap=True)
