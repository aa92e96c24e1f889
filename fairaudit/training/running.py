"""Running a fine-tuning: train, save, state what may be claimed, and forget the noise."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from fairaudit.gradients import GradientEngine
from fairaudit.ranks import ranks
from fairaudit.results.locks import alone_at, alone_in
from fairaudit.results.privacy import ClippingStatement, PrivacyStatement
from fairaudit.results.training import (
    CdaRecord,
    LoraRecord,
    OptimizerRecord,
    TrainingRecord,
)
from fairaudit.scoring.load import LoadedModel, check_unchanged, load_model
from fairaudit.training.adapters import add_adapters, choose_trained
from fairaudit.training.batches import Room
from fairaudit.training.canaries import FILE as CANARIES
from fairaudit.training.canaries import canary_bound
from fairaudit.training.checkpointing import recompute_activations
from fairaudit.training.clipping import clipping_statement, make_clipping
from fairaudit.training.draw_independence import check_independence
from fairaudit.training.draws import Sampler
from fairaudit.training.evaluation import parameter_distance, perplexity
from fairaudit.training.jobs import FineTuning
from fairaudit.training.loop import Loop, StepHook
from fairaudit.training.memory import room_for
from fairaudit.training.optimizers import make_optimizer
from fairaudit.training.private import PrivateFolder
from fairaudit.training.randomness import draw_generator, noise_generator
from fairaudit.training.saving import Form, check_output, staged_model, write_last
from fairaudit.training.statement import make_statement
from fairaudit.training.steps import GradientSum

#: States saved in a run where the caller does not say how often.
_STATES: Final = 10


@dataclass(frozen=True, slots=True)
class FineTuned:
    """What came of a fine-tuning.

    Parameters
    ----------
    folder : path
        The checkpoint, an ordinary Hugging Face folder.
    training : TrainingRecord
        How it was made (``training.json``).
    privacy : PrivacyStatement or None
        What may be claimed (``privacy.json``); None for arms without noise and clipping.
    """

    folder: Path
    training: TrainingRecord
    privacy: PrivacyStatement | None


def run_job(
    job: FineTuning,
    *,
    on_step: StepHook | None = None,
    on_start: Callable[[Any], None] | None = None,
) -> FineTuned:
    """Train a job to its end and save what comes out; see `finetune`.

    ``on_start`` is called with the model before the first step, adapters included; not where an
    unfinished run goes on.

    Parameters
    ----------
    job : FineTuning
        As `make_job` made it.
    on_step : StepHook, optional
        Called after every step.
    on_start : callable, optional
        Called with the model before the first step.

    Returns
    -------
    FineTuned
        The folder, its training record and its privacy statement.
    """
    here = ranks()
    loop, lora = here.together(lambda: _make_loop(job))
    here.together(lambda: check_independence(job, loop.gradient.engine))
    private = PrivateFolder(job.output)
    with contextlib.ExitStack() as stack:

        def ours_alone() -> None:
            work = "training into this folder"
            stack.enter_context(alone_at(job.output, work))
            stack.enter_context(alone_in(private.create(), work))
            # Another process may have trained here since the job was made.
            check_output(job.output, resume=job.options.resume)

        here.from_first(ours_alone)
        return _run(job, loop, lora, private, on_step, on_start)


def _run(
    job: FineTuning,
    loop: Loop,
    lora: LoraRecord | None,
    private: PrivateFolder,
    on_step: StepHook | None,
    on_start: Callable[[Any], None] | None,
) -> FineTuned:
    here = ranks()
    before = here.from_first(lambda: _held_out_perplexity(job, job.loaded))
    if job.options.resume:
        state = here.from_first(private.load_state)
        here.together(lambda: job.check_same(state["identity"]))
        loop.restore(state)
        _restore_gradient(loop.gradient, state)
    elif on_start is not None and here.is_first:
        on_start(loop.model)
    here.from_first(lambda: _write_about_data(job, private))

    def save() -> None:
        # All ranks are in one state, so that of the first one is everybody's.
        if here.is_first:
            state = {**loop.state(), **_gradient_state(loop.gradient), "identity": job.identity}
            private.save_state(state)
            private.write_lines("log.jsonl", loop.log)

    apart = job.options.checkpoint_every or math.ceil(job.plan.steps / _STATES)
    loop.run(on_step if here.is_first else None, save, apart)

    def finished() -> FineTuned:
        save()
        clipping = clipping_statement(job.options.clipping, loop.gradient.clipping)
        done = _save_result(job, loop.model, lora, before, private, clipping)
        private.drop_state()
        return done

    return here.from_first(finished)


def _make_loop(job: FineTuning) -> tuple[Loop, LoraRecord | None]:
    recipe, plan, model = job.options, job.plan, job.loaded.model
    here, lora = ranks(), None
    if recipe.lora is not None:
        model, lora = add_adapters(model, recipe)
    else:
        choose_trained(model, recipe)
    # Dropout stays off in every arm: a record's gradient is then a function of the record.
    model.eval()
    if recipe.gradient_checkpointing:
        recompute_activations(model)
    engine = GradientEngine(model, objective=job.loaded.kind)
    device = next(iter(engine.parameters.values())).device
    clip = None if plan.mechanism == "noise_only" else plan.clip_norm
    # Only a run that claims nothing may be repeated; fixed noise is for tests.
    seed = recipe.noise_seed if plan.mechanism == "dp" else recipe.seed
    loop = Loop(
        recipe=recipe,
        plan=plan,
        gradient=GradientSum(
            engine,
            clip,
            recipe.micro_batch_size,
            job.pad_id,
            here.from_first(lambda: room_for(engine, device)),
            None if clip is None else make_clipping(recipe, clip, engine),
        ),
        sampler=Sampler(
            job.corpus.records, plan.sample_rate, plan.twins, job.label, draw_generator(seed)
        ),
        optimizer=make_optimizer(engine.parameters.values(), recipe),
        noise=noise_generator(device, seed),
        model=model,
    )
    return loop, lora


def _gradient_state(gradient: GradientSum) -> dict[str, Any]:
    """Return what later steps depend on beside the loop: thresholds, and the packing."""
    learned = {} if gradient.clipping is None else gradient.clipping.state
    return {"clipping": learned, "room": asdict(gradient.room), "max_rows": gradient.max_rows}


def _restore_gradient(gradient: GradientSum, state: dict[str, Any]) -> None:
    # Packing sets the rounding of sums. States of earlier versions leave it as it is now.
    if "room" in state:
        gradient.room = Room(**state["room"])
        # Another size may be asked for, as where memory ran out.
        if gradient.max_rows is None:
            gradient.max_rows = state["max_rows"]
        if gradient.clipping is not None:
            gradient.clipping.restore(state["clipping"])


def _write_about_data(job: FineTuning, private: PrivateFolder) -> None:
    private.write_json("data.json", job.data)
    if job.canaries is not None:
        private.write_json(CANARIES, job.canaries.content)
    if job.counterfactuals is not None:
        private.write_json("coverage.json", job.counterfactuals.coverage)
        if job.options.keep_twins:
            private.write_lines("twins.jsonl", job.counterfactuals.sample())


def _save_result(
    job: FineTuning,
    model: Any,
    lora: LoraRecord | None,
    perplexity_before: float | None,
    private: PrivateFolder,
    clipping: ClippingStatement,
) -> FineTuned:
    base = load_model(job.options.base, device="cpu", dtype="float32")
    known = job.loaded.identity
    check_unchanged(known.id, known.fingerprint, base.identity.fingerprint)
    with staged_model(model, job.loaded.tokenizer, job.output, _forms(job)) as stage:
        # What others will load, not what is in memory, is fingerprinted and measured.
        saved = load_model(stage, device="cpu", dtype="float32")
        statement = _statement(job, saved, clipping)
        if statement is not None:
            statement = statement.sealed()
            (stage / "privacy.json").write_text(statement.to_json(), encoding="utf-8")
    if perplexity_before is not None:
        after = _held_out_perplexity(job, saved)
        private.write_json("held_out.json", {"base": perplexity_before, "fine_tuned": after})
    distance = parameter_distance(saved.model, base.model)
    record = _training_record(job, lora, statement, distance)
    write_last(job.output, "training.json", record.to_json())
    return FineTuned(job.output, record, statement)


def _forms(job: FineTuning) -> tuple[Form, ...]:
    """Return how the model is saved."""
    if job.options.lora is None:
        return ("whole",)
    forms: dict[str, tuple[Form, ...]] = {
        "merged": ("merged",), "adapter": ("adapter",), "both": ("merged", "adapter beside")
    }  # fmt: skip
    return forms[job.options.save]


def _held_out_perplexity(job: FineTuning, loaded: LoadedModel) -> float | None:
    if job.held_out is None:
        return None
    return perplexity(loaded, job.held_out.records, job.label, pad_id=job.pad_id)


def _statement(
    job: FineTuning, saved: LoadedModel, clipping: ClippingStatement
) -> PrivacyStatement | None:
    if job.plan.mechanism != "dp":
        return None
    canaries = job.canaries
    return make_statement(
        job.options,
        job.plan,
        unit=job.records.unit,
        most_copies=job.records.most_copies,
        clipping=clipping,
        canaries=None if canaries is None else canary_bound(canaries, saved, job.plan.delta),
        base_fingerprint=job.loaded.identity.fingerprint,
        model_fingerprint=saved.identity.fingerprint,
    )


def _training_record(
    job: FineTuning,
    lora: LoraRecord | None,
    statement: PrivacyStatement | None,
    distance: float,
) -> TrainingRecord:
    recipe, plan = job.options, job.plan
    private = statement is not None
    return TrainingRecord(
        arm=recipe.arm,
        base_fingerprint=job.loaded.identity.fingerprint,
        base_adapter=job.loaded.identity.adapter,
        data_hash=None if private else job.records.data_hash,
        objective=job.loaded.kind,
        steps=plan.steps,
        batch_size=plan.batch_size,
        learning_rate=recipe.learning_rate,
        optimizer=OptimizerRecord(
            name=recipe.optimizer,
            schedule=recipe.schedule,
            warmup=recipe.warmup,
            weight_decay=recipe.weight_decay,
        ),
        max_length=job.corpus.frame.max_length,
        max_grad_norm=plan.clip_norm,
        clipping=recipe.clipping,
        lora=lora,
        trained=recipe.train_parameters,
        frozen=tuple(recipe.freeze),
        cda=CdaRecord(mode=recipe.cda_mode, axes=tuple(recipe.cda)) if recipe.cda else None,
        target_epsilon=recipe.epsilon,
        unit=None if statement is None else statement.unit,
        privacy_digest=None if statement is None else statement.digest,
        seed=None if private else recipe.seed,
        parameter_distance=distance,
    )
