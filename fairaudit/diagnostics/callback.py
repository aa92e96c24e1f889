"""The same diagnostics inside anybody's `transformers.Trainer`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from transformers import TrainerCallback

from fairaudit.diagnostics.checkpoint import Settings
from fairaudit.diagnostics.during_training import SETTINGS, Monitor, evaluating, refuse_used
from fairaudit.diagnostics.records import ProbeTexts
from fairaudit.errors import UsageError
from fairaudit.results.diagnostics import ClippingParameters, DiagnosticsResult
from fairaudit.scoring.load import load_model


class DiagnosticsCallback(TrainerCallback):
    """Looks at the model on probe texts before training, every k steps, and at the end.

    Parameters
    ----------
    every : int
        k.
    output : path or None
        Folder for ``log.jsonl``, result, figures and report; an unused one.
    clipping : ClippingParameters or None
        C, σ, B and η of a private training.
    texts : ProbeTexts or None
        Default: the built-in probe texts.
    settings : Settings
        Of each observation.
    tokenizer : tokenizer or None
        Default: the Trainer's ``processing_class``.

    Examples
    --------
    >>> callback = DiagnosticsCallback(every=100, output="diagnosis")  # doctest: +SKIP
    >>> Trainer(model, args, callbacks=[callback]).train()  # doctest: +SKIP
    >>> callback.result.to_frame()  # doctest: +SKIP
    """

    def __init__(
        self,
        every: int,
        *,
        output: str | os.PathLike[str] | None = None,
        clipping: ClippingParameters | None = None,
        texts: ProbeTexts | None = None,
        settings: Settings = SETTINGS,
        tokenizer: Any = None,
    ) -> None:
        if every < 1:
            raise UsageError(f"diagnose every {every} steps: it must be at least 1")
        self._every, self._tokenizer = every, tokenizer
        self._folder = None if output is None else Path(output)
        self._options: dict[str, Any] = {"clipping": clipping, "texts": texts, "settings": settings}
        self._monitor: Monitor | None = None
        #: The series, once training has ended.
        self.result: DiagnosticsResult | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the model before its first step.

        Raises
        ------
        ResultError
            If the output folder is used, so that a training is not lost to it.
        UsageError
            If there is no tokenizer.
        """
        del args, control
        if self._folder is not None:
            refuse_used(self._folder, resumed=state.global_step > 0)
        tokenizer = self._tokenizer or kwargs.get("processing_class")
        if tokenizer is None:
            raise UsageError("diagnostics need a tokenizer: give DiagnosticsCallback(tokenizer=…)")
        model = kwargs["model"]
        with evaluating(model):
            loaded = load_model((model, tokenizer))
        self._monitor = Monitor(loaded, every=self._every, folder=self._folder, **self._options)
        self._monitor.observe(state.global_step, model)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Look at the model every k steps."""
        del args, control
        if self._monitor is not None:
            self._monitor.after_step(state.global_step, state.max_steps, kwargs["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Put the series together."""
        del args, control
        if self._monitor is not None:
            self._monitor.observe(state.global_step, kwargs["model"])
            self.result = self._monitor.finish()
