"""Audits inside a `transformers.Trainer`, every so many steps, and an end by a policy."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from fairaudit.auditing.run_audit import audit
from fairaudit.comparing.compare import compare
from fairaudit.diagnostics.during_training import evaluating
from fairaudit.errors import UsageError
from fairaudit.gating.gate import gate
from fairaudit.gating.policy import Policy, read_policy
from fairaudit.results import AuditResult, GateResult
from fairaudit.vocabulary.decisions import FAIL

logger = logging.getLogger(__name__)


class AuditCallback(TrainerCallback):
    """Audits the model before training, every k steps and at the end; may stop the training.

    The first audit is the baseline of the policy's rules that compare. Audits run without dropout
    and leave the random numbers of the training as they were. A training of several processes is
    refused: audit its checkpoints instead.

    Parameters
    ----------
    every : int
        k ≥ 1.
    policy : path, mapping or Policy, optional
        Rules of a gate, judged after each audit but the first. Training stops where the gate says
        FAIL, never where it is undecided.
    output : path, optional
        Folder that gets an audit folder per look: ``step-0``, ``step-100``, ...
    tokenizer : tokenizer, optional
        Default: the Trainer's ``processing_class``.
    **options
        Of `fairaudit.audit`: ``suites``, ``axes``, ``limit``, ``seed``, ...

    Attributes
    ----------
    audits : list of AuditResult
        One per look, in order.
    gates : list of GateResult
        Decisions of the policy, from the second look on.
    stopped : int or None
        The step at which the policy stopped the training.

    Raises
    ------
    UsageError
        If ``every`` is below 1, or the policy cannot be read.

    Examples
    --------
    >>> watch = AuditCallback(every=500, suites=["templates"], policy="watch.toml")
    ... # doctest: +SKIP
    >>> Trainer(model, args, callbacks=[watch]).train()  # doctest: +SKIP
    """

    def __init__(
        self,
        every: int,
        *,
        policy: Policy | Mapping[str, Any] | str | os.PathLike[str] | None = None,
        output: str | os.PathLike[str] | None = None,
        tokenizer: Any = None,
        **options: Any,
    ) -> None:
        if every < 1:
            raise UsageError(f"audit every {every} steps: it must be at least 1")
        self._every, self._tokenizer, self._options = every, tokenizer, options
        # Read before training: a typing error should not show after an hour.
        self._policy = None if policy is None else read_policy(_as_read(policy))
        self._folder = None if output is None else Path(output)
        self._last: int | None = None
        self.audits: list[AuditResult] = []
        self.gates: list[GateResult] = []
        self.stopped: int | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Audit the model before its first step.

        Raises
        ------
        UsageError
            If there is no tokenizer, or several processes train.
        """
        if args.world_size > 1:
            raise UsageError("AuditCallback audits a training of one process; audit checkpoints")
        if self._tokenizer is None:
            self._tokenizer = kwargs.get("processing_class")
        if self._tokenizer is None:
            raise UsageError("audits need a tokenizer: give AuditCallback(tokenizer=...)")
        self._look(state, control, kwargs["model"])

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Audit the model every k steps, and stop the training where the policy fails."""
        del args
        if state.global_step % self._every == 0:
            self._look(state, control, kwargs["model"])

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Audit the final model, unless that was just done."""
        del args
        if self._last != state.global_step:
            self._look(state, control, kwargs["model"])

    def _look(self, state: Any, control: Any, model: Any) -> None:
        self._last = int(state.global_step)
        label = f"step-{self._last}"
        folder = None if self._folder is None else self._folder / label
        with evaluating(model), _same_random_numbers():
            found = audit(
                (model, self._tokenizer), label=label, output=folder,
                **{"progress": False, **self._options},
            )  # fmt: skip
        self.audits.append(found)
        if self._policy is not None and len(self.audits) > 1:
            self._judge(self._policy, control)

    def _judge(self, policy: Policy, control: Any) -> None:
        compared = compare([self.audits[0], self.audits[-1]], progress=False)
        decided = gate(compared, policy)
        self.gates.append(decided)
        if decided.decision == FAIL and self.stopped is None:
            self.stopped = self._last
            control.should_training_stop = True
            logger.warning("training stops at step %s: %s", self._last, decided.explain())


def _as_read(policy: Any) -> Any:
    return os.fspath(policy) if isinstance(policy, os.PathLike) else policy


@contextlib.contextmanager
def _same_random_numbers() -> Iterator[None]:
    """Give the training its own random numbers back, on every device."""
    devices: Sequence[int] = range(torch.cuda.device_count()) if torch.cuda.is_available() else ()
    with torch.random.fork_rng(devices=list(devices)):
        yield
