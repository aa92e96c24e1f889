"""``fairaudit compare``: candidates beside one baseline, with verdicts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from fairaudit.cli.audit import OutputFormat, show_result
from fairaudit.cli.early import refuse_missing_policy, refuse_missing_results
from fairaudit.cli.options import takes
from fairaudit.cli.state import shown_progress
from fairaudit.comparing.compare_options import CompareOptions


@takes(CompareOptions)
def compare_command(
    base: Annotated[Path, typer.Argument(help="Audit folder of the baseline.")],
    candidates: Annotated[list[Path], typer.Argument(help="Audit folders of the candidates.")],
    chosen: dict[str, Any],
    policy: Annotated[
        Path | None, typer.Option(help="Also gate on this policy; sets the exit code.")
    ] = None,
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
) -> None:
    """Compare audited models with a baseline: more biased, less, equivalent, or undecided."""
    # The matrix products of resampling are many and small: threads would wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    refuse_missing_results(base, *candidates)
    refuse_missing_policy(policy)
    from fairaudit.cli.gate import apply_policy
    from fairaudit.gating.policy import read_policy

    rules = None if policy is None else read_policy(policy)
    with shown_progress() as progress:
        progress("comparing", 0, 0)
        from fairaudit.comparing.compare import compare
        from fairaudit.forks import usable_processes

        folders, shared = [base, *candidates], usable_processes()
        result = compare(folders, **chosen, processes=shared, progress=progress)
    output = Path(chosen["output"])
    show_result(result, format, output)
    if rules is not None:
        raise typer.Exit(apply_policy(result, rules, output))
