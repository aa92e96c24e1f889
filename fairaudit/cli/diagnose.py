"""``fairaudit diagnose``: checkpoints in, gradient disparity of groups out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fairaudit.cli.audit import OutputFormat, calm_libraries
from fairaudit.cli.state import Overwrite, console, shown_progress, split_list
from fairaudit.errors import UsageError

if TYPE_CHECKING:
    from fairaudit.results import DiagnosticsResult


def diagnose_command(
    models: Annotated[
        list[str],
        typer.Argument(help="Checkpoints of one architecture; checkpoint-N folders are a series."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the diagnosis.")],
    overwrite: Overwrite = False,
    texts: Annotated[
        Path | None, typer.Option(help="Your own texts: .txt, .csv, .tsv, .jsonl or .parquet.")
    ] = None,
    group_column: Annotated[
        str | None, typer.Option(help="Column with the group; default: word list of the axis.")
    ] = None,
    template_column: Annotated[
        str | None, typer.Option(help="Column with what is resampled together; default: the row.")
    ] = None,
    text_column: Annotated[str, typer.Option(help="Column with the text.")] = "text",
    axes: Annotated[
        str | None, typer.Option(help="Axes of the built-in texts, comma-separated.")
    ] = None,
    public_texts: Annotated[
        bool, typer.Option("--public-texts", help="Your texts are public: nobody's privacy.")
    ] = False,
    max_grad_norm: Annotated[
        float | None, typer.Option(help="C; default: privacy.json beside the checkpoint.")
    ] = None,
    noise_multiplier: Annotated[
        float | None, typer.Option(help="σ; default: privacy.json beside the checkpoint.")
    ] = None,
    batch_size: Annotated[
        float | None, typer.Option(help="B of training; default: privacy.json or training.json.")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="η; default: training.json beside the checkpoint.")
    ] = None,
    labels: Annotated[str | None, typer.Option(help="Names of the models.")] = None,
    steps: Annotated[
        str | None, typer.Option(help="Training step of each model, comma-separated.")
    ] = None,
    curvature_probes: Annotated[
        int, typer.Option(min=0, help="Random directions for the curvature; 0: none.")
    ] = 4,
    twins: Annotated[
        bool, typer.Option("--twins/--no-twins", help="Compare with counterfactual twins.")
    ] = True,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:1, ...")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto (float32), bfloat16 or float16.")] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Seed of masks, pairs and resampling.")] = 0,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Run code that comes with the model.")
    ] = False,
    format: Annotated[OutputFormat, typer.Option(help="table or json.")] = OutputFormat.table,
) -> None:
    """Whose gradients are clipped, turned away or drowned in noise, and what moved the bias."""
    calm_libraries()
    from fairaudit.diagnostics.diagnosing import diagnose, folder_of

    with shown_progress() as progress:
        result = diagnose(
            models,
            texts,
            group_column=group_column,
            template_column=template_column,
            text_column=text_column,
            axes=split_list(axes),
            public_texts=public_texts,
            max_grad_norm=max_grad_norm,
            noise_multiplier=noise_multiplier,
            batch_size=batch_size,
            learning_rate=learning_rate,
            labels=split_list(labels),
            steps=_numbers(steps),
            output=output,
            overwrite=overwrite,
            device=device,
            dtype=dtype,
            seed=seed,
            curvature_probes=curvature_probes,
            twins=twins,
            trust_remote_code=trust_remote_code,
            progress=progress,
        )
    _show(result, format, folder_of(result, output))


def _numbers(text: str | None) -> list[int] | None:
    parts = split_list(text)
    if parts is None:
        return None
    try:
        return [int(part) for part in parts]
    except ValueError:
        raise UsageError(f"--steps takes whole numbers, not '{text}'") from None


def _show(result: DiagnosticsResult, format: OutputFormat, folder: Path) -> None:
    from fairaudit.report.terminal import render_terminal

    if format is OutputFormat.json:
        typer.echo(result.to_json(), nl=False)
        return
    console().print(render_terminal(result))
    console().print(f"report: {folder / 'report.html'}", highlight=False, soft_wrap=True)
