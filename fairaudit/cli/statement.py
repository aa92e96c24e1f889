"""``fairaudit statement``: privacy statements of other trainers, and what statements add up to."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fairaudit.cli.early import refuse_missing_statement
from fairaudit.cli.state import console, split_list
from fairaudit.errors import UsageError

statement_app = typer.Typer(
    help="State, show and add up what private training claims.",
    no_args_is_help=True,
    add_completion=False,
)


class SamplerChoice(StrEnum):
    """How batches were drawn."""

    poisson = "poisson"
    shuffled = "shuffled"


class UnitChoice(StrEnum):
    """What was clipped as a whole."""

    record = "record"
    user = "user"


@statement_app.command("new")
def new_command(
    folder: Annotated[Path, typer.Argument(help="Checkpoint folder that gets privacy.json.")],
    trainer: Annotated[str, typer.Option(help="opacus, dp-transformers, ...")],
    records: Annotated[int, typer.Option(min=1, help="Records in the training text.")],
    batch_size: Annotated[float, typer.Option(help="Expected records in a noisy update.")],
    steps: Annotated[int, typer.Option(min=1, help="Noisy updates in all.")],
    noise_multiplier: Annotated[float, typer.Option(help="In units of the clipping norm.")],
    max_grad_norm: Annotated[float, typer.Option(help="Clipping norm of a record's gradient.")],
    delta: Annotated[float | None, typer.Option(help="Default: records ** -1.1.")] = None,
    epsilon: Annotated[
        float | None, typer.Option(help="What was claimed; refused if it does not follow.")
    ] = None,
    sampler: Annotated[
        SamplerChoice,
        typer.Option(help="poisson: by coins; shuffled: each record once an epoch."),
    ] = SamplerChoice.poisson,
    unit: Annotated[UnitChoice, typer.Option(help="Whose guarantee it is.")] = UnitChoice.record,
    secure_noise: Annotated[
        bool, typer.Option("--secure-noise", help="The noise generator was cryptographic.")
    ] = False,
) -> None:
    """Write privacy.json for a model that another trainer made, from the parameters of its run.

    Example: fairaudit statement new models/mine --trainer opacus --records 50000 --batch-size 256
    --steps 600 --noise-multiplier 0.8 --max-grad-norm 1
    """
    from fairaudit.scoring.load import load_model
    from fairaudit.training.foreign_statement import make_foreign_statement, write_statement

    statement = make_foreign_statement(
        trainer=trainer,
        records=records,
        batch_size=batch_size,
        steps=steps,
        noise_multiplier=noise_multiplier,
        max_grad_norm=max_grad_norm,
        delta=delta,
        epsilon=epsilon,
        sampler=sampler.value,
        unit=unit.value,
        secure_noise=secure_noise,
        model_fingerprint=load_model(folder, device="cpu").identity.fingerprint,
    )
    path = write_statement(folder, statement)
    _say(f"{path}: {statement.sentence}")
    if sampler is SamplerChoice.shuffled:
        _say("note: with shuffled batches nothing is gained by sampling")


@statement_app.command("show")
def show_command(
    folder: Annotated[Path, typer.Argument(help="Checkpoint folder with privacy.json.")],
    delta: Annotated[str | None, typer.Option(help="More deltas, comma-separated.")] = None,
    copies: Annotated[
        str, typer.Option(help="Sizes of groups of equal records, comma-separated.")
    ] = "1,2,5",
) -> None:
    """Show epsilon at several deltas, for one record and for groups of equal ones."""
    refuse_missing_statement(folder)
    from rich.table import Table

    from fairaudit.results.privacy import PrivacyStatement
    from fairaudit.training.verification import bound_of

    statement = PrivacyStatement.load(folder)
    deltas = [statement.delta, *_numbers(delta or "", "delta")]
    sizes = [int(one) for one in _numbers(copies, "copies")]
    if any(not 0 < one < 1 for one in deltas) or any(one < 1 for one in sizes):
        raise UsageError("deltas lie between 0 and 1, and groups have 1 record or more")
    whose = "person" if statement.unit == "user" else "record"
    heads = [f"1 {whose}" if one == 1 else f"{one} equal {whose}s" for one in sizes]
    table = Table("delta", *heads, box=None, header_style="bold")
    for one in deltas:
        bounds = (bound_of(statement, size, one).epsilon for size in sizes)
        table.add_row(f"{one:.3g}", *(f"{bound:.4g}" for bound in bounds))
    _say(statement.sentence)
    console().print(table)


@statement_app.command("compose")
def compose_command(
    folders: Annotated[list[Path], typer.Argument(help="Models trained on the same text.")],
    delta: Annotated[
        float | None, typer.Option(help="Of all together; default the largest of theirs.")
    ] = None,
) -> None:
    """Add up several runs on the same text: the epsilon of all their models together."""
    for folder in folders:
        refuse_missing_statement(folder)
    from fairaudit.results.privacy import PrivacyStatement
    from fairaudit.training.foreign_statement import joint_epsilon

    statements = [PrivacyStatement.load(folder) for folder in folders]
    bound = joint_epsilon(statements, delta)
    at = max(one.delta for one in statements) if delta is None else delta
    whose = "person" if statements[0].unit == "user" else "record"
    single = ", ".join(f"{one.epsilon:.4g}" for one in statements)
    _say(
        f"{len(statements)} runs on the same text: epsilon {bound.epsilon:.4g} at delta {at:.3g} "
        f"per {whose} together (each by itself: {single})"
    )


def _numbers(text: str, name: str) -> list[float]:
    try:
        return [float(one) for one in split_list(text) or ()]
    except ValueError:
        raise UsageError(f"{name} are numbers, comma-separated, not '{text}'") from None


def _say(text: str) -> None:
    console().print(text, highlight=False, markup=False, soft_wrap=True)
