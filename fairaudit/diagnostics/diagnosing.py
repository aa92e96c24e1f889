"""`diagnose`: checkpoints in, gradient disparity out."""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.diagnostics.parameters import Given, parameters_of
from fairaudit.diagnostics.probes import AXES, built_in
from fairaudit.diagnostics.record_independence import check_independence
from fairaudit.diagnostics.records import ProbeTexts
from fairaudit.diagnostics.sources import from_texts
from fairaudit.errors import ModelError, ResultError, UsageError
from fairaudit.progress import Progress, shown
from fairaudit.results.diagnostics import DiagnosedModel, DiagnosticsResult
from fairaudit.results.files import refuse_unwritable
from fairaudit.results.folders import refuse_files_of_others
from fairaudit.results.places import PRIVATE, keep_from_upload

if TYPE_CHECKING:
    from fairaudit.diagnostics.result_from_numbers import Diagnosed
    from fairaudit.scoring.load import LoadedModel

logger = logging.getLogger(__name__)

Model = str | os.PathLike[str] | tuple[Any, Any]

_STEP: Final = re.compile(r"(?:checkpoint|step|global_step)[-_]?(\d+)$")


def diagnose(
    models: Model | Sequence[Model],
    texts: Any = None,
    *,
    group_column: str | None = None,
    template_column: str | None = None,
    text_column: str = "text",
    axes: Sequence[str] | None = None,
    public_texts: bool = False,
    max_grad_norm: float | None = None,
    noise_multiplier: float | None = None,
    batch_size: float | None = None,
    learning_rate: float | None = None,
    labels: Sequence[str] | None = None,
    steps: Sequence[int] | None = None,
    output: str | os.PathLike[str] | None = None,
    device: str = "auto",
    dtype: str = "auto",
    seed: int = 0,
    replicates: int = 1999,
    curvature_probes: int = 4,
    twins: bool = True,
    max_length: int = 256,
    trust_remote_code: bool = False,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
) -> DiagnosticsResult:
    """Find out whose gradient is clipped, turned away or drowned in noise, and what moved the bias.

    Parameters
    ----------
    models : path, Hub id, (model, tokenizer), or a sequence of them
        Checkpoints of one architecture. Folders named ``checkpoint-N`` are a series, ordered by
        N; a first model without a number is its step 0. Other models stand beside each other, and
        the first is the one they are normalised by.
    texts : path, list of str, or pandas.DataFrame, optional
        Texts to look at; by default the built-in probe texts.
    group_column, template_column, text_column : str, optional
        Columns of ``texts``: the group, what is resampled together (default: each text by
        itself), the text. Without a group column the group is the one that the text names by the
        word list of ``axes``.
    axes : sequence of str, optional
        Axes of the built-in texts (default gender, race, religion), or the one of the word list
        (default gender).
    public_texts : bool
        Say that the texts are public. Otherwise the result says that it is not covered by the
        privacy guarantee, and beside models trained with one it is saved in ``private/``.
    max_grad_norm, noise_multiplier, batch_size, learning_rate : float, optional
        C, σ, B and η of the private query; by default those of ``privacy.json`` and
        ``training.json`` beside each checkpoint. What needs an unknown one is not run.
    labels : sequence of str, optional
        Names of the models.
    steps : sequence of int, optional
        Training step of each model, increasing: makes them a series.
    output : path, optional
        Folder for result, tables, figures and report.
    device, dtype : str
        As in `fairaudit.audit`.
    seed : int
        Seed of masks, pairs, probes and resampling.
    replicates : int
        Of bootstrap and permutation, at least 199.
    curvature_probes : int
        Random directions for the trace of the Hessian; 0: no curvature and no decomposition.
    twins : bool
        Compare records with their counterfactual twins.
    max_length : int
        Tokens after which a text is cut.
    trust_remote_code : bool
        As in `transformers`.
    overwrite : bool
        Replace another result in ``output``.
    progress : callable or False, optional
        Called with (stage, models done, models in all); see `fairaudit.audit`.

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
    given = Given(
        max_grad_norm=max_grad_norm,
        noise_multiplier=noise_multiplier,
        batch_size=batch_size,
        learning_rate=learning_rate,
    )
    _check(replicates, curvature_probes, max_length, seed)
    chosen, found_steps, names = _arranged(_as_list(models), steps, labels)
    probes = _texts(texts, axes, group_column, template_column, text_column, public=public_texts)
    from fairaudit.diagnostics.checkpoint import Settings, look
    from fairaudit.diagnostics.result_from_numbers import (
        Clock,
        Diagnosed,
        assemble,
        stored_settings,
    )
    from fairaudit.scoring.borrowed import as_found

    settings = Settings(
        seed=seed,
        replicates=replicates,
        curvature_probes=curvature_probes,
        twins=twins,
        max_length=max_length,
        bias_axes=bias_axes(probes),
    )
    target = None if output is None else Path(output)
    earlier = None
    if target is not None:
        earlier = _earlier(target, names, probes, stored_settings(settings), overwrite=overwrite)
    clock = Clock()
    found: list[Diagnosed] = []
    device_used = "cpu"
    with shown(progress) as tell:
        for place, model in enumerate(chosen):
            tell(f"looking at gradients · {names[place]}", place, len(chosen))
            step = None if found_steps is None else found_steps[place]
            with as_found(model):
                loaded = _load(model, device, dtype, trust_remote_code)
                _check_architecture(found, loaded, names[place])
                if not found:
                    check_independence(loaded, settings.max_length)
                described = _described(loaded, given, names[place], step)
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
    result.save(target, overwrite=overwrite)
    write_report(result, target)
    if target != folder:
        keep_from_upload(folder)
    return target


def _described(loaded: LoadedModel, given: Given, label: str, step: int | None) -> DiagnosedModel:
    clipping, private = parameters_of(loaded.folder, given)
    return DiagnosedModel(
        label=label, step=step, identity=loaded.identity, clipping=clipping, private=private
    )


def _load(model: Model, device: str, dtype: str, trust_remote_code: bool) -> LoadedModel:
    from fairaudit.scoring.checkpoints.weights import check_not_quantised
    from fairaudit.scoring.load import load_model

    loaded = load_model(model, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
    if not isinstance(model, tuple):
        check_not_quantised(loaded.model, loaded.identity.id, "diagnosing its gradients")
    return loaded


def _check(replicates: int, curvature_probes: int, max_length: int, seed: int) -> None:
    bounds = {
        "replicates": (replicates, 199),
        "curvature probes": (curvature_probes, 0),
        "max length": (max_length, 4),
        "seed": (seed, 0),
    }
    for name, (value, least) in bounds.items():
        if value < least:
            raise UsageError(f"{name} must be at least {least}, not {value}")


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


def _texts(
    texts: Any,
    axes: Sequence[str] | None,
    group_column: str | None,
    template_column: str | None,
    text_column: str,
    *,
    public: bool,
) -> ProbeTexts:
    if texts is None:
        if group_column is not None or template_column is not None:
            raise UsageError("a column was named, but no texts: give --texts FILE")
        return built_in(axes)
    named = list(axes or ["gender"])
    if group_column is None and len(named) != 1:
        raise UsageError("texts are grouped by the word list of one axis; name one, or a column")
    if group_column is not None and axes is not None:
        raise UsageError("texts are grouped by a column or by the word list of an axis, not both")
    return from_texts(
        texts,
        group_column=group_column,
        template_column=template_column,
        text_column=text_column,
        axis=named[0],
        public=public,
    )
