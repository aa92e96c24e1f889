"""Diagnostics of a running training: the same numbers on probe texts, every k steps.

The intermediate models of a private training are covered by its ε, and public probe texts add
nothing of the training text: what is found is post-processing, like the audit of the final model.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.diagnostics.checkpoint import Looked, Settings, look
from fairaudit.diagnostics.diagnosing import bias_axes, save
from fairaudit.diagnostics.kept_looks import forget, keep, kept
from fairaudit.diagnostics.probes import built_in
from fairaudit.diagnostics.records import ProbeTexts
from fairaudit.diagnostics.result_from_numbers import (
    Clock,
    Diagnosed,
    assemble,
    stored_settings,
)
from fairaudit.errors import ResultError, UsageError
from fairaudit.parsing import parse_json
from fairaudit.results.diagnostics import ClippingParameters, DiagnosedModel, DiagnosticsResult
from fairaudit.results.files import refuse_unwritable
from fairaudit.results.places import inside

if TYPE_CHECKING:
    from fairaudit.scoring.load import LoadedModel

logger = logging.getLogger(__name__)

_LOG: Final = "log.jsonl"
#: Where a diagnosis may lie, as `fairaudit.diagnostics.diagnosing.folder_of` says.
_RESULTS: Final = ("result.json", "private/result.json")
#: Inside a training the curvature and the twins, which cost most, are left out.
SETTINGS: Final = Settings(replicates=999, curvature_probes=0, twins=False)


@dataclass(frozen=True, slots=True)
class _Observation:
    diagnosed: Diagnosed
    seconds: float


class Monitor:
    """Looks at a model every k steps of its training, and makes a series of what it saw.

    Parameters
    ----------
    loaded : LoadedModel
        The model that is trained, with its tokenizer.
    every : int
        k.
    clipping : ClippingParameters
        The private query of the training; what is not known is not run.
    texts : ProbeTexts or None
        Default: the built-in probe texts.
    settings : Settings
        Of each observation. What an observation costs is measured and noted in the result.
    folder : path or None
        Where ``log.jsonl`` grows with each observation, and the result goes at the end.

    Raises
    ------
    UsageError
        If ``every`` is below 1.
    """

    def __init__(
        self,
        loaded: LoadedModel,
        *,
        every: int,
        clipping: ClippingParameters | None = None,
        texts: ProbeTexts | None = None,
        settings: Settings = SETTINGS,
        folder: Path | None = None,
    ) -> None:
        if every < 1:
            raise UsageError(f"diagnose every {every} steps: it must be at least 1")
        self._loaded, self._every = loaded, every
        self._texts = built_in() if texts is None else texts
        self._settings = replace(settings, bias_axes=bias_axes(self._texts))
        self._clipping = ClippingParameters() if clipping is None else clipping
        self._folder, self._clock = folder, Clock()
        self._seen: dict[int, _Observation] = {}
        #: What an unfinished run before this one saw.
        self._before = {} if folder is None else kept(folder, self._about)

    @property
    def steps(self) -> tuple[int, ...]:
        """Steps that were looked at, before an interruption too."""
        return tuple(sorted(self._series))

    @property
    def _about(self) -> dict[str, Any]:
        """What all looks of one series have in common, as it is read back from JSON."""
        settings = json.dumps([self._texts.hash, stored_settings(self._settings)], default=repr)
        about = {
            "texts and settings": hashlib.sha256(settings.encode()).hexdigest(),
            "clipping": self._clipping.model_dump(mode="json"),
        }
        return dict(parse_json(json.dumps(about)))

    @property
    def _series(self) -> dict[int, Looked]:
        """Looks by step; from the first of this run on, those of this run."""
        first = min(self._seen, default=math.inf)
        earlier = {step: look for step, look in self._before.items() if step < first}
        return earlier | {step: one.diagnosed.looked for step, one in self._seen.items()}

    def before_training(self, model: Any) -> None:
        """Look at the model as it is before the first step, adapters included."""
        self.observe(0, model)

    def after_step(self, step: int, steps: int, model: Any) -> None:
        """Look at the model if it is time to: every k steps, and after the last one."""
        if step % self._every == 0 or step == steps:
            self.observe(step, model)

    def observe(self, step: int, model: Any) -> None:
        """Look at the model now; it is left as it was, gradients and mode included.

        Raises
        ------
        ModelError, NonFiniteError
            If the engine refuses the model, or a gradient is not finite.
        """
        if step in self._seen:
            return
        start, label = time.perf_counter(), f"step {step}"
        loaded = replace(self._loaded, model=model)
        with evaluating(model):
            looked = look(
                loaded,
                self._texts,
                self._clipping,
                self._settings,
                label=label,
                self_check=not self._seen,
            )
        observation = _Observation(self._diagnosed(step, looked), time.perf_counter() - start)
        self._seen[step] = observation
        self._log(step, observation)

    def _diagnosed(self, step: int, looked: Looked) -> Diagnosed:
        described = DiagnosedModel(
            label=f"step {step}",
            step=step,
            identity=self._loaded.identity.model_copy(update={"fingerprint": None}),
            clipping=self._clipping,
        )
        return Diagnosed(described, looked)

    def _log(self, step: int, seen: _Observation) -> None:
        numbers = seen.diagnosed.looked.numbers
        entry: dict[str, object] = {"step": step, "seconds": round(seen.seconds, 3)}
        for place, (axis, group) in enumerate(numbers.labels.group_names):
            members = numbers.labels.groups == place
            squared = float(numbers.found.moments.unbiased()[place, place])
            entry[f"{axis}/{group}"] = {
                "loss": float(numbers.found.losses[members].mean()),
                "mean_norm": float(numbers.found.norms[members].mean()),
                "norm_of_mean": squared**0.5 if squared > 0 else None,
                "mean_clip_factor": float(numbers.found.factors[members].mean()),
            }
        entry["bias_score"] = {axis: value for axis, (value, _, _) in numbers.bias.items()}
        logger.info("diagnostics at step %d took %.1f s", step, seen.seconds)
        if self._folder is not None:
            self._folder.mkdir(parents=True, exist_ok=True)
            with open(inside(self._folder, _LOG), "a", encoding="utf-8") as stream:
                stream.write(json.dumps(entry, allow_nan=False) + "\n")
            keep(self._folder, step, seen.diagnosed.looked, self._about)

    def result(self) -> DiagnosticsResult:
        """Put the series together, with intervals and tests.

        Raises
        ------
        UsageError
            If nothing was looked at.
        """
        if not self._seen:
            raise UsageError("no step was looked at: train for longer, or look more often")
        series = self._series
        seconds = sum(entry.seconds for entry in self._seen.values())
        notes = [
            f"Taken during training: {len(self._seen)} observations took {seconds:.1f} s together."
        ]
        earlier = len(series) - len(self._seen)
        if earlier:
            notes.append(f"{earlier} of the looks were taken before the run was interrupted.")
        first = min(series)
        if first > 0:
            notes.append(
                f"The first observation is of step {first}: what is said of a course begins there, "
                "not before training."
            )
        return assemble(
            [self._diagnosed(step, series[step]) for step in sorted(series)],
            self._texts,
            self._settings,
            device=self._loaded.device,
            clock=self._clock,
            notes=notes,
        )

    def finish(self) -> DiagnosticsResult:
        """Put the series together, and save it with its report where there is a folder."""
        result = self.result()
        if self._folder is not None:
            save(result, self._folder)
            forget(self._folder)
        return result


def refuse_used(folder: Path, *, resumed: bool) -> None:
    """Raise unless a training may write its diagnosis into a folder.

    Parameters
    ----------
    folder : path
        Need not exist.
    resumed : bool
        Whether the training goes on from a checkpoint: then its log does so, too.

    Raises
    ------
    ResultError
        If it holds a diagnosis, or the log of another training, or cannot be written to.
    """
    refuse_unwritable(folder)
    if any((folder / name).exists() for name in _RESULTS):
        raise ResultError(f"{folder} already holds a diagnosis; choose another folder")
    if not resumed and (folder / _LOG).exists():
        raise ResultError(
            f"{folder} holds the {_LOG} of another training; choose another folder or remove it"
        )


@contextlib.contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Switch dropout and mixed precision off, and back on afterwards, module by module.

    `Trainer` and Accelerate run ``forward`` in half precision by putting another in its place; in
    it the gradients of a record would no longer add up.
    """
    modes = {module: module.training for module in model.modules()}
    mixed, own = vars(model).get("forward"), vars(model).get("_original_forward")
    if own is not None:
        model.forward = own
    model.eval()
    try:
        yield
    finally:
        if own is not None:
            model.forward = mixed
        for module, training in modes.items():
            module.training = training
