"""DP-SGD inside a `transformers.Trainer`, or TRL's, with this package's gradients and statement."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import torch
from transformers import Trainer
from transformers.trainer_utils import get_last_checkpoint

from fairaudit.errors import FairauditError, ModelError, UsageError
from fairaudit.gradients import GradientEngine, dependence
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.scoring.load import load_model
from fairaudit.scoring.probe_rows import ordinary_ids, probe_rows
from fairaudit.training.clipping import clipping_statement, make_clipping
from fairaudit.training.draws import Example
from fairaudit.training.encoding import Ids
from fairaudit.training.finetuning_plan import Plan, make_plan
from fairaudit.training.memory import room_for
from fairaudit.training.randomness import draw_generator, noise_generator
from fairaudit.training.recipe import ClippingName, Recipe
from fairaudit.training.saving import write_last
from fairaudit.training.statement import make_statement
from fairaudit.training.steps import GradientSum, add_noise

_TRAINER: Final = "transformers.Trainer with the gradients of fairaudit"
_LENGTHS: Final = (3, 12, 70)
_DRAWN: Final = "records"


class PrivateTraining:
    """Makes a Trainer private: put it before the Trainer's class.

    Each step draws every row of the training set with probability q = B/n, where B is
    ``per_device_train_batch_size``; clips the gradient of each row, adds noise to their sum and
    divides by B. Micro-batches are cut by memory. Optimiser, schedule, callbacks and saving are
    the Trainer's; every saved model has a ``privacy.json`` beside it.

    Parameters
    ----------
    *args, **kwargs
        Of the Trainer. Rows are what its collator makes of single examples; packed rows are
        refused, since they mix records.
    epsilon, noise_multiplier : float or None
        Target ε of all steps, or σ; one of them.
    delta : float or None
        δ; default n^−1.1.
    clipping_norm : float
        C. The Trainer's own ``max_grad_norm`` acts on the noisy mean, after it.
    clipping : {"flat", "automatic", "groupwise"}
        How; see `fairaudit.finetune`.
    show_loss : bool
        Log the training loss, which no ε covers. Otherwise the loss in the logs is 0.

    Raises
    ------
    UsageError
        If the Trainer is set up in a way that has no gradient per row.
    ModelError
        If the model is: a row's gradient depends on the rows beside it.

    Examples
    --------
    >>> class PrivateSFT(PrivateTraining, SFTTrainer): ...  # doctest: +SKIP
    >>> trainer = PrivateSFT(model, arguments, train_dataset=data, epsilon=3.0)  # doctest: +SKIP
    >>> trainer.train()  # doctest: +SKIP
    """

    def __init__(
        self,
        *args: Any,
        epsilon: float | None = None,
        noise_multiplier: float | None = None,
        delta: float | None = None,
        clipping_norm: float = 1.0,
        clipping: ClippingName = "flat",
        show_loss: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        if (epsilon is None) == (noise_multiplier is None):
            raise UsageError("give epsilon or the noise multiplier of the private training")
        _refuse_what_cannot_be(self)
        self._show_loss = show_loss
        self._recipe = Recipe(
            epsilon=epsilon,
            noise_multiplier=noise_multiplier,
            delta=delta,
            max_grad_norm=clipping_norm,
            clipping=clipping,
        )
        self._private: _PrivateSteps | None = None
        self._earlier: PrivacyStatement | None = None

    def train(
        self, resume_from_checkpoint: str | bool | None = None, *args: Any, **kwargs: Any
    ) -> Any:
        """Train as the Trainer does; a checkpoint goes on with the noise that it began with.

        Raises
        ------
        UsageError
            If this Trainer has trained already, or the checkpoint's steps were other ones: the
            statement is of one kind of step, and counts them all.
        """
        if self._private is not None:
            raise UsageError(
                "this Trainer has trained already; a second training is a run of its own, with a "
                "Trainer and a statement of its own"
            )
        if resume_from_checkpoint:
            arguments = self.args  # type: ignore[attr-defined]
            self._earlier = _earlier_steps(resume_from_checkpoint, arguments)
            # Each draw is new and owes nothing to those before: there is none to skip.
            arguments.ignore_data_skip = True
        return super().train(resume_from_checkpoint, *args, **kwargs)  # type: ignore[misc]

    def get_train_dataloader(self) -> Any:
        """Return the draws of the training, and make ready what answers them."""
        self._private = _PrivateSteps.of(self, self._recipe)
        if self._earlier is not None:
            _refuse_other_steps(self._earlier, self._private.plan, self._recipe)
        return _Draws(self._private.plan)

    def training_step(self, model: Any, inputs: Any, num_items_in_batch: Any = None) -> Any:
        """Give the parameters the noisy mean of the clipped gradients of a draw."""
        del model, num_items_in_batch
        assert self._private is not None
        loss = self._private.step(inputs[_DRAWN].tolist())
        device = next(iter(self._private.gradient.engine.parameters.values())).device
        return torch.tensor(loss if self._show_loss else 0.0, device=device)

    def floating_point_ops(self, inputs: Any) -> int:
        """Leave the work uncounted: a draw is no batch of tokens."""
        del inputs
        return 0

    def privacy_statement(self, folder: str | Path | None = None) -> PrivacyStatement:
        """State what the steps taken so far cost.

        Parameters
        ----------
        folder : path or None
            Saved model whose weights it is about.

        Raises
        ------
        UsageError
            If no step was taken.
        """
        steps = self.state.global_step  # type: ignore[attr-defined]
        if self._private is None or steps < 1:
            raise UsageError("no step was taken yet: there is nothing to state")
        return self._private.statement(steps, None if folder is None else _fingerprint(folder))

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """Save as the Trainer does, with the privacy statement of the steps taken."""
        super().save_model(output_dir, _internal_call)  # type: ignore[misc]
        if self._private is None or self.state.global_step < 1:  # type: ignore[attr-defined]
            return
        folder = Path(output_dir or self.args.output_dir)  # type: ignore[attr-defined]
        write_last(folder, "privacy.json", self.privacy_statement(folder).to_json())


class PrivateTrainer(PrivateTraining, Trainer):
    """A `transformers.Trainer` whose training is private; see `PrivateTraining`."""


@dataclass(frozen=True, slots=True)
class _Draws:
    """What a Trainer takes for its loader: as many draws as an epoch has steps."""

    plan: Plan

    def __len__(self) -> int:
        return math.ceil(self.plan.n_records / self.plan.batch_size)

    def __iter__(self) -> Iterator[dict[str, torch.Tensor]]:
        rng = draw_generator(None)
        for _ in range(len(self)):
            drawn = np.flatnonzero(rng.random(self.plan.n_records) < self.plan.sample_rate)
            yield {_DRAWN: torch.from_numpy(drawn)}


@dataclass(frozen=True, slots=True)
class _PrivateSteps:
    """The rows of a Trainer, and what is done to their gradients."""

    rows: tuple[tuple[Ids, Ids], ...]
    recipe: Recipe
    plan: Plan
    gradient: GradientSum
    noise: torch.Generator

    @classmethod
    def of(cls, trainer: Any, recipe: Recipe) -> _PrivateSteps:
        arguments, model = trainer.args, trainer.model
        rows = tuple(_row(trainer.data_collator([one])) for one in trainer.train_dataset)
        batch = arguments.per_device_train_batch_size
        steps = arguments.max_steps
        if steps <= 0:
            steps = math.ceil(arguments.num_train_epochs * math.ceil(len(rows) / batch))
        plan = make_plan(replace(recipe, batch_size=batch, steps=steps), len(rows))
        assert plan.clip_norm is not None
        # Without dropout a row's gradient is a function of the row.
        model.eval()
        masked = getattr(trainer.data_collator, "mlm", False)
        objective: Literal["causal", "masked"] = "masked" if masked else "causal"
        engine = GradientEngine(model, objective=objective)
        tokenizer = trainer.processing_class
        _refuse_dependence(engine, tokenizer)
        device = next(iter(engine.parameters.values())).device
        pad = tokenizer.pad_token_id
        gradient = GradientSum(
            engine, plan.clip_norm, None, 0 if pad is None else pad, room_for(engine, device),
            make_clipping(recipe, plan.clip_norm, engine),
        )  # fmt: skip
        return cls(rows, recipe, plan, gradient, noise_generator(device, None))

    def step(self, drawn: list[int]) -> float:
        """Set the gradients of a step; return the mean loss of the draw, which ε does not cover."""
        engine, plan = self.gradient.engine, self.plan
        engine.model.eval()
        assert plan.clip_norm is not None
        examples = [Example(number, (self.rows[number],), (1.0,)) for number in drawn]
        sums, seen = self.gradient.of(examples)
        add_noise(sums, plan.noise_multiplier * plan.clip_norm, self.noise)
        self.gradient.learn(sums, plan.expected_examples)
        for name, parameter in engine.parameters.items():
            parameter.grad = (sums[name] / plan.expected_examples).to(parameter.dtype)
        return seen.loss or 0.0

    def statement(self, steps: int, fingerprint: str | None) -> PrivacyStatement:
        """State what so many steps cost."""
        made = make_statement(
            self.recipe,
            replace(self.plan, steps=steps),
            unit="record",
            most_copies=max(Counter(self.rows).values()),
            clipping=clipping_statement(self.recipe.clipping, self.gradient.clipping),
            canaries=None,
            base_fingerprint=None,
            model_fingerprint=fingerprint,
        )
        return made.model_copy(update={"trainer": _TRAINER}).sealed()


def _row(batch: Any) -> tuple[Ids, Ids]:
    """Return ids and labels of one example as its collator gives them, without padding."""
    if "labels" not in batch:
        raise UsageError("the collator gives no labels; use one for language modelling")
    ids, labels = batch["input_ids"], batch["labels"]
    if len(ids) != 1:
        raise UsageError("the collator makes several rows of one example: no row is a record")
    mask = batch.get("attention_mask")
    keep = torch.ones_like(ids[0]).bool() if mask is None else mask[0].bool()
    return tuple(ids[0][keep].tolist()), tuple(labels[0][keep].tolist())


def _refuse_what_cannot_be(trainer: Any) -> None:
    arguments = trainer.args
    if arguments.world_size > 1 or arguments.n_gpu > 1:
        raise UsageError("private training inside a Trainer runs in one process on one device")
    if arguments.gradient_accumulation_steps != 1:
        raise UsageError(
            "set gradient_accumulation_steps to 1 and per_device_train_batch_size to the expected "
            "records of a step; micro-batches are cut by memory"
        )
    if arguments.fp16 or arguments.bf16:
        raise UsageError("gradients are clipped in float32; leave out fp16 and bf16")
    if getattr(arguments, "packing", False) or getattr(arguments, "padding_free", False):
        raise UsageError("packed rows mix records; leave out packing and padding_free")
    if trainer.train_dataset is None or not hasattr(trainer.train_dataset, "__len__"):
        raise UsageError("private training draws from all rows; give a train_dataset with a length")
    if trainer.processing_class is None:
        raise UsageError("give the tokenizer as processing_class: the model is tried on its tokens")


def _refuse_dependence(engine: GradientEngine, tokenizer: Any) -> None:
    size = engine.model.get_input_embeddings().num_embeddings  # type: ignore[operator]
    limit = getattr(engine.model.config, "max_position_embeddings", None)
    texts = probe_rows(tokenizer, size, limit, lengths=_LENGTHS)
    other = ordinary_ids(tokenizer, size)[-1]
    reason = dependence(engine, [(row, row) for row in texts], (0, other))
    if reason is not None:
        raise ModelError(f"{type(engine.model).__name__}: {reason}, so that no ε would hold")


def _earlier_steps(checkpoint: str | bool, arguments: Any) -> PrivacyStatement:
    """Read the statement of the steps that a checkpoint has taken."""
    folder = get_last_checkpoint(arguments.output_dir) if checkpoint is True else str(checkpoint)
    if folder is None:
        raise UsageError(f"{arguments.output_dir} has no checkpoint to go on from")
    return PrivacyStatement.load(Path(folder))


def _refuse_other_steps(earlier: PrivacyStatement, plan: Plan, recipe: Recipe) -> None:
    before = (
        earlier.records, earlier.sample_rate, earlier.noise_multiplier, earlier.max_grad_norm,
        earlier.clipping.kind, earlier.delta,
    )  # fmt: skip
    now = (
        plan.n_records, plan.sample_rate, plan.noise_multiplier, plan.clip_norm,
        recipe.clipping, plan.delta,
    )  # fmt: skip
    if before != now:
        raise UsageError(
            "the checkpoint was trained with another noise, clipping, delta, batch size or number "
            f"of records (noise {before[2]:.4g}, now {now[2]:.4g}); one statement cannot cover both"
        )


def _fingerprint(folder: str | Path) -> str | None:
    """Fingerprint of saved weights; None where they cannot be read back alone."""
    try:
        return load_model(folder, device="cpu").identity.fingerprint
    except FairauditError:
        return None
