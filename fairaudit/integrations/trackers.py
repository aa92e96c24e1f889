"""Logging a result to MLflow, Weights & Biases or TensorBoard; each is an optional extra."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Literal, get_args

from fairaudit.errors import ResultError, UsageError
from fairaudit.integrations.numbers import Result, numbers_of, words_of
from fairaudit.report.markdown import render_summary
from fairaudit.results import AuditResult, ComparisonResult, loading

Tracker = Literal["mlflow", "wandb", "tensorboard"]
_PROJECT: Final = "fairaudit"


def track(
    result: Result | str | os.PathLike[str],
    *,
    to: Tracker,
    place: str | os.PathLike[str] | None = None,
    step: int = 0,
) -> None:
    """Log the primary numbers of a result, their bounds, verdicts and cautions to a tracker.

    Parameters
    ----------
    result : AuditResult, ComparisonResult or path
        The result, or its folder.
    to : {"mlflow", "wandb", "tensorboard"}
        Which tracker.
    place : path, optional
        Folder that gets a new run; for MLflow also the address of a server. Default: the run that
        is active, of MLflow and Weights & Biases.
    step : int
        Of the training, ≥ 0.

    Raises
    ------
    UsageError
        If the tracker is unknown or not installed, no place is given and no run is active, or the
        folder holds neither audit nor comparison.
    ResultError
        If the result cannot be read, or MLflow does not take it.

    Notes
    -----
    Weights & Biases runs that are started here are offline: nothing is uploaded.
    """
    if to not in get_args(Tracker):
        raise UsageError(f"'{to}' is no tracker; there are {', '.join(get_args(Tracker))}")
    if step < 0:
        raise UsageError(f"step must be at least 0, not {step}")
    shown = result if isinstance(result, AuditResult | ComparisonResult) else _read(result)
    _LOG[to](shown, None if place is None else os.fspath(place), step)


def _read(folder: str | os.PathLike[str]) -> Result:
    found = loading.load_result(folder)
    if not isinstance(found, AuditResult | ComparisonResult):
        raise UsageError(f"{os.fspath(folder)}: neither an audit nor a comparison")
    return found


def _installed(module: str, extra: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise UsageError(
            f'{extra} is not installed; run: pip install "fairaudit-lm[{extra}]"'
        ) from None


def _needs_place(tracker: str) -> UsageError:
    return UsageError(f"no run of {tracker} is active; name a place for a new one")


def _to_mlflow(result: Result, place: str | None, step: int) -> None:
    mlflow = _installed("mlflow", "mlflow")
    active = mlflow.active_run()
    if place is None and active is None:
        raise _needs_place("mlflow")
    try:
        client = mlflow.MlflowClient(tracking_uri=_uri(place))
        run = active if place is None else client.create_run(_experiment(client, place))
        _log_to(client, run.info.run_id, result, step)
        if place is not None:
            client.set_terminated(run.info.run_id)
    except mlflow.MlflowException as error:
        first = str(error).partition("\n")[0]
        raise ResultError(f"mlflow did not take the result ({first})") from error


def _log_to(client: Any, run_id: str, result: Result, step: int) -> None:
    for name, value in numbers_of(result).items():
        client.log_metric(run_id, name, value, step=step)
    for name, word in words_of(result).items():
        client.set_tag(run_id, name, word)
    client.log_text(run_id, render_summary(result), "fairaudit/summary.md")


def _uri(place: str | None) -> str | None:
    """Address of a server as it is; a folder gets a database, as MLflow no longer writes files."""
    if place is None or "://" in place:
        return place
    Path(place).mkdir(parents=True, exist_ok=True)
    return f"sqlite:///{Path(place).resolve() / 'mlflow.db'}"


def _experiment(client: Any, place: str) -> str:
    known = client.get_experiment_by_name(_PROJECT)
    if known is not None:
        return str(known.experiment_id)
    files = None if "://" in place else (Path(place).resolve() / "artifacts").as_uri()
    return str(client.create_experiment(_PROJECT, artifact_location=files))


def _to_wandb(result: Result, place: str | None, step: int) -> None:
    wandb = _installed("wandb", "wandb")
    if place is None and wandb.run is None:
        raise _needs_place("wandb")
    run = wandb.run
    if place is not None:
        Path(place).mkdir(parents=True, exist_ok=True)
        run = wandb.init(project=_PROJECT, dir=place, mode="offline", reinit="create_new")
    run.log({**numbers_of(result), "fairaudit/step": step})
    for name, word in words_of(result).items():
        run.summary[name] = word
    if place is not None:
        run.finish()


def _to_tensorboard(result: Result, place: str | None, step: int) -> None:
    if place is None:
        raise UsageError("name a place for TensorBoard's files")
    _installed("tensorboard", "tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(place) as writer:
        for name, value in numbers_of(result).items():
            writer.add_scalar(name, value, step)
        text = "".join(f"- {name}: {word}\n" for name, word in words_of(result).items())
        writer.add_text("fairaudit", text, step)


_LOG: Final[Mapping[str, Callable[[Result, str | None, int], None]]] = {
    "mlflow": _to_mlflow,
    "wandb": _to_wandb,
    "tensorboard": _to_tensorboard,
}
