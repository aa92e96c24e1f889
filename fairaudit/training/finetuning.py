"""`finetune`: a base model and text in, the model under audit out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any, Literal

from fairaudit.errors import UsageError
from fairaudit.training.accounting import Accountant
from fairaudit.training.jobs import FineTuning, make_job
from fairaudit.training.loop import StepHook
from fairaudit.training.recipe import Ablation, Objective, Recipe
from fairaudit.training.records import Source
from fairaudit.training.running import FineTuned, run_job


def finetune(
    base: str | os.PathLike[str],
    train: Source,
    *,
    output: str | os.PathLike[str],
    objective: Objective | None = None,
    epsilon: float | None = None,
    row_epsilon: float | None = None,
    noise_multiplier: float | None = None,
    delta: float | None = None,
    max_grad_norm: float | None = None,
    ablation: Ablation | None = None,
    accountant: Accountant = "prv",
    steps: int | None = None,
    epochs: float | None = None,
    batch_size: int | None = None,
    micro_batch_size: int | None = None,
    max_length: int = 256,
    learning_rate: float = 5e-4,
    optimizer: Literal["adamw", "sgd"] = "adamw",
    schedule: Literal["linear", "constant"] = "linear",
    warmup: float = 0.05,
    weight_decay: float = 0.0,
    cda: Sequence[str] = (),
    cda_mode: Literal["averaged", "separate", "substitution"] = "averaged",
    lora: int | None = None,
    lora_alpha: float | None = None,
    lora_targets: Sequence[str] = (),
    train_parameters: Literal["all", "bias"] = "all",
    freeze: Sequence[str] = (),
    save: Literal["merged", "adapter", "both"] = "merged",
    text_column: str | None = None,
    unit_column: str | None = None,
    max_rows_per_unit: int = 16,
    canaries: int | None = None,
    held_out: Source | None = None,
    device: str = "auto",
    seed: int = 0,
    noise_seed: int | None = None,
    resume: bool = False,
    keep_twins: bool = False,
    checkpoint_every: int | None = None,
    on_step: StepHook | None = None,
) -> FineTuned:
    r"""Fine-tune a language model: plain, with CDA, with differential privacy, or with both.

    All arms run the same loop on the same loss, \(\sum_{u \in \text{draw}} \ell_u / B\): the
    token mean of each row, the mean over the rows (and twins) of a record, the sum over the
    records drawn, divided by the expected number B of them. Each record is drawn into each step
    with probability q = B/n (Poisson sampling). A private arm clips the gradient of every record
    to norm C and adds Gaussian noise of standard deviation σC to each coordinate of the sum
    (DP-SGD, Abadi et al. 2016).

    Parameters
    ----------
    base : str or path
        Checkpoint folder, PEFT adapter folder or Hub id; causal or masked.
    train : path, list of str, or datasets.Dataset
        Lines (``.txt``), JSONL, CSV, TSV or Parquet; every non-empty row is a record.
    output : path
        Folder for the model. Beside it stand ``training.json``, ``privacy.json`` for private
        arms, and ``private/`` with all that ε does not cover; adapters are merged.
    objective : {"causal", "masked"} or None
        None: that of the base model; another one is refused.
    epsilon : float or None
        Target ε per record (nats); σ is solved for it. None: no privacy.
    row_epsilon : float or None
        With separate twins: target ε per row, the published practice. The statement carries
        the ε per record that follows, which is larger.
    noise_multiplier : float or None
        σ itself, in place of a target.
    delta : float or None
        δ; default n^−1.1.
    max_grad_norm : float or None
        C; default 1 where it is needed.
    ablation : {"clip_only", "noise_only"} or None
        Half of the mechanism, for experiments; such an arm has no guarantee and no statement.
    accountant : {"prv", "rdp"}
        How ε is bounded; ``rdp`` is looser.
    steps, epochs : int, float or None
        Length of training; default 3 epochs, an epoch being n/B steps.
    batch_size : int or None
        B, expected records in a step; default 256, in small corpora n/4.
    micro_batch_size : int or None
        Most rows in memory at a time; changes nothing but rounding. Default: by length.
    max_length : int
        Longest row in tokens; what is beyond is cut.
    learning_rate : float
        Highest learning rate.
    optimizer : {"adamw", "sgd"}
        The update rule.
    schedule : {"linear", "constant"}
        Course of the learning rate after warm-up.
    warmup : float
        Share of the steps in which the learning rate rises.
    weight_decay : float
        Decay of AdamW or SGD.
    cda : sequence of str
        Axes of counterfactual data augmentation: gender, race, religion.
    cda_mode : {"averaged", "separate", "substitution"}
        *averaged*: a record and its twins are one unit, so ε is that without CDA; *separate*:
        record and twin (at random, where there are several) are drawn and clipped apart, and ε is
        that of the mixture; *substitution*: the record or, with probability ½ at each draw, a twin.
    lora : int or None
        Rank of low-rank adapters; None: all parameters are trained.
    lora_alpha : float or None
        α of the adapters, whose product enters with weight α/rank; default twice the rank.
    lora_targets : sequence of str
        Names of the layers that carry one (``q_proj``, ...); default all linear ones but the head.
    train_parameters : {"all", "bias"}
        *bias*: the biases alone (BiTFiT, Ben Zaken et al. 2022).
    freeze : sequence of str
        Regular expressions; parameters in whose name one is found stay as they are.
    save : {"merged", "adapter", "both"}
        With adapters: the merged model; the adapters alone, as a PEFT folder; or the merged model
        with them in ``adapter/``.
    text_column, unit_column : str or None
        Column of the text; column whose value tells whose a row is, which makes all rows of a
        person one record.
    max_rows_per_unit : int
        Rows that a person may bring; more are left out and counted.
    canaries : int or None
        Records of random tokens to plant, each in the text with probability ½; by them the
        statement also carries a lower bound on ε from this run. 100 find gross faults, 1,000
        lesser ones. They count as records.
    held_out : path, list of str, datasets.Dataset or None
        Text on which perplexity is measured before and after, into ``private/``.
    device : str
        ``auto``, ``cpu``, ``cuda``, ...
    seed : int
        Initialisation of adapters, and data order of arms without privacy.
    noise_seed : int or None
        For tests: draws and noise from a seed, and a statement that claims nothing.
    resume : bool
        Go on with the unfinished run in ``output``.
    keep_twins : bool
        Keep some records with their twins in ``private/``, as text, to look at what was swapped.
    checkpoint_every : int or None
        Steps between saved states; default a tenth of the run.
    on_step : callable or None
        Called after each step with a `StepReport` and the model.

    Returns
    -------
    FineTuned
        The folder, its training record and its privacy statement.

    Raises
    ------
    UsageError
        If a value is out of range, or the batch is larger than the data.
    DataError
        If the training text cannot be read or holds no record.
    ModelError
        If the model cannot be loaded, or has a trainable layer without a gradient rule.
    ResultError
        If the output cannot be written, or holds a model or another run.
    """
    recipe = Recipe(
        objective=objective,
        epsilon=epsilon,
        row_epsilon=row_epsilon,
        noise_multiplier=noise_multiplier,
        delta=delta,
        max_grad_norm=max_grad_norm,
        ablation=ablation,
        accountant=accountant,
        steps=steps,
        epochs=epochs,
        batch_size=batch_size,
        max_length=max_length,
        learning_rate=learning_rate,
        optimizer=optimizer,
        schedule=schedule,
        warmup=warmup,
        weight_decay=weight_decay,
        cda=tuple(cda),
        cda_mode=cda_mode,
        lora=lora,
        lora_alpha=lora_alpha,
        lora_targets=tuple(lora_targets),
        train=train_parameters,
        freeze=tuple(freeze),
        save=save,
        max_rows_per_unit=max_rows_per_unit,
        canaries=canaries,
        seed=seed,
        noise_seed=noise_seed,
    )
    job = plan_finetuning(
        base,
        train,
        output=output,
        recipe=recipe,
        text_column=text_column,
        unit_column=unit_column,
        held_out=held_out,
        device=device,
        resume=resume,
        keep_twins=keep_twins,
    )
    return run_finetuning(
        job, micro_batch_size=micro_batch_size, on_step=on_step, checkpoint_every=checkpoint_every
    )


def plan_finetuning(
    base: str | os.PathLike[str],
    train: Source,
    *,
    output: str | os.PathLike[str],
    recipe: Recipe,
    text_column: str | None = None,
    unit_column: str | None = None,
    held_out: Source | None = None,
    device: str = "auto",
    resume: bool = False,
    keep_twins: bool = False,
) -> FineTuning:
    """Read and check everything and work out the numbers, without a step; see `finetune`."""
    return make_job(
        base,
        train,
        output=output,
        recipe=recipe,
        text_column=text_column,
        unit_column=unit_column,
        held_out=held_out,
        device=device,
        resume=resume,
        keep_twins=keep_twins,
    )


def run_finetuning(
    job: FineTuning,
    *,
    micro_batch_size: int | None = None,
    on_step: StepHook | None = None,
    checkpoint_every: int | None = None,
    on_start: Callable[[Any], None] | None = None,
) -> FineTuned:
    """Train and save what `plan_finetuning` prepared; see `finetune`.

    ``on_start`` is called with the model before the first step, adapters included; not where an
    unfinished run goes on.

    Raises
    ------
    UsageError
        If a size is below 1.
    """
    for name, value in (("micro batch size", micro_batch_size), ("checkpoints", checkpoint_every)):
        if value is not None and value < 1:
            raise UsageError(f"{name} must be at least 1, not {value}")
    return run_job(
        job,
        micro_batch_size=micro_batch_size,
        on_step=on_step,
        checkpoint_every=checkpoint_every,
        on_start=on_start,
    )
