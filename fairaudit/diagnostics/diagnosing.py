"""`diagnose`: checkpoints in, gradient disparity out."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.diagnostics.diagnose_options import DiagnoseOptions, Model
from fairaudit.diagnostics.parameters import parameters_of
from fairaudit.diagnostics.probes import AXES, built_in
from fairaudit.diagnostics.record_independence import check_independence
from fairaudit.diagnostics.records import ProbeTexts
from fairaudit.diagnostics.sources import from_texts
from fairaudit.errors import ModelError, ResultError, UsageError
from fairaudit.options import verb
from fairaudit.progress import shown
from fairaudit.results.diagnostics import DiagnosedModel, DiagnosticsResult
from fairaudit.results.files import refuse_unwritable
from fairaudit.results.folders import refuse_files_of_others
from fairaudit.results.locks import alone_at
from fairaudit.results.places import PRIVATE, keep_from_upload

if TYPE_CHECKING:
    from fairaudit.diagnostics.result_from_numbers import Diagnosed
    from fairaudit.scoring.load import LoadedModel

logger = logging.getLogger(__name__)

_STEP: Final = re.compile(r"(?:checkpoint|step|global_step)[-_]?(\d+)$")


@verb(DiagnoseOptions)
def diagnose(options: DiagnoseOptions) -> DiagnosticsResult:
    """Find out how clipping and noise affect each group's gradients, and what moved the bias.

    Returns
    -------
    DiagnosticsResult
        Quantities by group with intervals, tested differences between groups, values per record.

    Raises
    ------
    FairauditError
        In one line: a group or value that makes no sense, a model of another architecture, a
        record whose gradient is not finite.

    Examples
    --------
    >>> result = fairaudit.diagnose("distilgpt2")  # doctest: +SKIP
    >>> result.differences_frame().query("primary")  # doctest: +SKIP
    """
    if options.output is None:
        return _diagnosis(options)
    with alone_at(Path(options.output), "diagnosing into this folder"):
        return _diagnosis(options)


def _diagnosis(options: DiagnoseOptions) -> DiagnosticsResult:
    models = _as_list(options.models)
    chosen, found_steps, names = _arranged(models, options.steps, options.labels)
    probes = _texts(options)
    from fairaudit.diagnostics.checkpoint import Settings, look
    from fairaudit.diagnostics.result_from_numbers import (
        Clock,
        Diagnosed,
        assemble,
        stored_settings,
    )
    from fairaudit.scoring.borrowed import as_found

    settings = Settings(
        seed=options.seed,
        replicates=options.replicates,
        curvature_probes=options.curvature_probes,
        twins=options.twins,
        max_length=options.max_length,
        bias_axes=bias_axes(probes),
    )
    target, overwrite = None if options.output is None else Path(options.output), options.overwrite
    earlier = None
    if target is not None:
        earlier = _earlier(target, names, probes, stored_settings(settings), overwrite=overwrite)
    clock = Clock()
    found: list[Diagnosed] = []
    device_used = "cpu"
    with shown(options.progress) as tell:
        for place, model in enumerate(chosen):
            tell(f"looking at gradients · {names[place]}", place, len(chosen))
            step = None if found_steps is None else found_steps[place]
            with as_found(model):
                loaded = _load(model, options)
                _check_architecture(found, loaded, names[place])
                if not found:
                    check_independence(loaded, settings.max_length)
                described = _described(loaded, options, names[place], step)
                if earlier is not None:
                    _check_same_model(earlier.models[place], described)
                looked = look(loaded, probes, described.clipping, settings, label=described.label)
            found.append(Diagnosed(described, looked))
            device_used = loaded.device
            del loaded
        tell("comparing groups", 0, 0)
        result = assemble(found, probes, settings, device=device_used, clock=clock)
        if target is not None:
            tell("drawing figures and report", 0, 0)
            save(result, target, overwrite=overwrite)
    return result


def bias_axes(probes: ProbeTexts) -> tuple[str, ...]:
    """Axes of the bias scores: those of the texts, or all where the texts have others."""
    own = tuple(dict.fromkeys(axis for axis, _ in probes.kept if axis in AXES))
    return own or AXES


def folder_of(result: DiagnosticsResult, folder: Path) -> Path:
    """Where a result lies: ``private/`` for private texts beside a model with a guarantee."""
    private = not result.provenance.texts_public and any(m.private for m in result.models)
    return folder / PRIVATE if private else folder


def save(result: DiagnosticsResult, folder: Path, *, overwrite: bool = False) -> Path:
    """Write result, tables, figures and report; into ``private/`` what a privacy guarantee lacks.

    Returns
    -------
    Path
        The folder that holds them.

    Raises
    ------
    ResultError
        If the folder holds another result or cannot be written to.
    """
    from fairaudit.report.files import write_report

    target = folder_of(result, folder)
    with alone_at(folder, "writing into this folder"):
        result.save(target, overwrite=overwrite)
        write_report(result, target)
    if target != folder:
        keep_from_upload(folder)
    return target


def _described(
    loaded: LoadedModel, given: DiagnoseOptions, label: str, step: int | None
) -> DiagnosedModel:
    clipping, private = parameters_of(loaded.folder, given)
    return DiagnosedModel(
        label=label, step=step, identity=loaded.identity, clipping=clipping, private=private
    )


def _load(model: Model, options: DiagnoseOptions) -> LoadedModel:
    from fairaudit.scoring.checkpoints.weights import check_not_quantised
    from fairaudit.scoring.load import load_model

    loaded = load_model(
        model,
        device=options.device,
        dtype=options.dtype,
        trust_remote_code=options.trust_remote_code,
    )
    if not isinstance(model, tuple):
        check_not_quantised(loaded.model, loaded.identity.id, "diagnosing its gradients")
    return loaded


def _earlier(
    folder: Path,
    labels: Sequence[str],
    probes: ProbeTexts,
    settings: dict[str, Any],
    *,
    overwrite: bool,
) -> DiagnosticsResult | None:
    """Return an earlier run of the same diagnosis; another one fails before hours of work."""
    refuse_unwritable(folder)
    if not (folder / "result.json").exists():
        refuse_files_of_others(folder)
    found = None
    for place in (folder, folder / PRIVATE):
        if (place / "result.json").exists() and not overwrite:
            found = DiagnosticsResult.load(place)
            known = ([m.label for m in found.models], found.provenance.texts_hash)
            if known != (list(labels), probes.hash) or found.provenance.settings != settings:
                raise ResultError(
                    f"{place} holds another result; choose another folder, or replace it with "
                    "--overwrite"
                )
    return found


def _check_same_model(earlier: DiagnosedModel, model: DiagnosedModel) -> None:
    """Fail before a look whose result could not be saved: one label may name two models."""
    sides = [(m.identity.fingerprint or m.identity.id, m.clipping) for m in (earlier, model)]
    if sides[0] != sides[1]:
        what = "other weights" if sides[0][0] != sides[1][0] else "another private query"
        raise ResultError(
            f"the output folder holds a diagnosis of '{model.label}' with {what}; choose another "
            "folder or remove it"
        )


def _as_list(models: Model | Sequence[Model]) -> list[Model]:
    if isinstance(models, str | os.PathLike):
        return [models]
    if isinstance(models, tuple) and len(models) == 2 and hasattr(models[1], "get_vocab"):
        return [(models[0], models[1])]
    chosen: list[Model] = list(models)
    if not chosen:
        raise UsageError("name at least one model")
    return chosen


def _arranged(
    models: list[Model], steps: Sequence[int] | None, labels: Sequence[str] | None
) -> tuple[list[Model], list[int] | None, list[str]]:
    """Models in the order of their steps, the steps if they are a series, and unique labels."""
    names = list(labels) if labels is not None else [_name(model) for model in models]
    if len(names) != len(models):
        raise UsageError(f"{len(names)} labels for {len(models)} models")
    if labels is None and len(set(names)) < len(names):
        names = [str(model) if not isinstance(model, tuple) else name
                 for model, name in zip(models, names, strict=True)]  # fmt: skip
    if len(set(names)) < len(names):
        raise UsageError("two models share a label; give --labels")
    if steps is not None:
        if len(steps) != len(models):
            raise UsageError(f"{len(steps)} steps for {len(models)} models")
        if any(later <= earlier for earlier, later in pairwise(steps)):
            raise UsageError("steps must increase from model to model")
        return models, list(steps) if len(models) > 1 else None, names
    found = _steps_of(models)
    if found is None:
        return models, None, names
    order = sorted(range(len(models)), key=found.__getitem__)
    return (
        [models[place] for place in order],
        [found[place] for place in order],
        [names[place] for place in order],
    )


def _name(model: Model) -> str:
    if isinstance(model, tuple):
        from fairaudit.scoring.borrowed import borrowed_name

        return borrowed_name(model[0])
    path = Path(os.fspath(model))
    name = path.resolve().name if path.is_dir() else os.fspath(model)
    return f"{path.resolve().parent.name}/{name}" if _STEP.search(name) and path.is_dir() else name


def _steps_of(models: Sequence[Model]) -> list[int] | None:
    """Training steps in the names of folders; None if the models are no series."""
    if len(models) < 2:
        return None
    matches = [
        None if isinstance(model, tuple) else _STEP.search(os.fspath(model).rstrip("/"))
        for model in models
    ]
    steps = [None if match is None else int(match[1]) for match in matches]
    if steps[0] is None:
        steps[0] = 0
    known = [step for step in steps if step is not None]
    return known if len(known) == len(steps) and len(set(known)) == len(known) else None


def _check_architecture(found: Sequence[Diagnosed], loaded: LoadedModel, label: str) -> None:
    if not found:
        return
    first, new = found[0].model, loaded.identity
    known = first.identity
    if (known.architecture, known.n_parameters) != (new.architecture, new.n_parameters):
        raise ModelError(
            f"{label} ({new.architecture}, {new.n_parameters:,} parameters) is not of the "
            f"architecture of {first.label} ({known.architecture}, {known.n_parameters:,}); "
            "diagnose them one by one"
        )


def _texts(options: DiagnoseOptions) -> ProbeTexts:
    if options.texts is None:
        return built_in(options.axes)
    return from_texts(
        options.texts,
        group_column=options.group_column,
        template_column=options.template_column,
        text_column=options.text_column,
        axis=(options.axes or ("gender",))[0],
        public=options.public_texts,
    )
