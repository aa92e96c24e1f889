"""``fairaudit compare``: candidates beside one baseline, with verdicts."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairaudit.cli.audit import OutputFormat, show_result
from fairaudit.cli.state import Overwrite, shown_progress, split_list

if TYPE_CHECKING:
    from fairaudit.stats.multiplicity import Method


class Correction(StrEnum):
    """Corrections for many tests."""

    holm = "holm"
    bh = "bh"
    by = "by"


def compare_command(
    base: Annotated[Path, typer.Argument(help="Audit folder of the baseline.")],
    candidates: Annotated[list[Path], typer.Argument(help="Audit folders of the candidates.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Comparison folder.")],
    overwrite: Overwrite = False,
    labels: Annotated[
        str | None, typer.Option(help="Names, baseline first, comma-separated.")
    ] = None,
    margin: Annotated[
        float | None, typer.Option(help="Zone of equivalence of rates, as a fraction (0.05).")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Error level of verdicts.")] = 0.05,
    correction: Annotated[
        Correction, typer.Option(help="Correction of the primary comparisons of a candidate.")
    ] = Correction.holm,
    policy: Annotated[
        Path | None, typer.Option(help="Also gate on this policy; sets the exit code.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of bootstrap and permutation.")] = 0,
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
) -> None:
    """Compare audited models with a baseline: more biased, less, equivalent, or undecided."""
    # The matrix products of resampling are many and small: threads would wait for each other.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from fairaudit.cli.gate import apply_policy
    from fairaudit.gating.policy import read_policy

    rules = None if policy is None else read_policy(policy)
    method: Method = correction.value
    with shown_progress() as progress:
        progress("comparing", 0, 0)
        from fairaudit.comparing.compare import compare
        from fairaudit.forks import usable_processes

        result = compare(
            [base, *candidates],
            labels=split_list(labels),
            margin=margin,
            alpha=alpha,
            correction=method,
            seed=seed,
            output=output,
            overwrite=overwrite,
            processes=usable_processes(),
            progress=progress,
        )
    show_result(result, format, output)
    if rules is not None:
        raise typer.Exit(apply_policy(result, rules, output))
