"""Gradients on public probe texts, looked at while a model is fine-tuned."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fairaudit.diagnostics.checkpoint import Settings
    from fairaudit.diagnostics.during_training import Monitor
    from fairaudit.diagnostics.records import ProbeTexts
    from fairaudit.training.jobs import FineTuning
    from fairaudit.training.loop import StepHook, StepReport


def training_monitor(
    job: FineTuning, every: int, texts: ProbeTexts | None = None, settings: Settings | None = None
) -> Monitor:
    """Return the observer of a fine-tuning; ``texts`` and ``settings`` are those of `Monitor`.

    Parameters
    ----------
    job : FineTuning
        The fine-tuning that is observed.
    every : int
        Steps between two looks, at least 1.
    texts : ProbeTexts, optional
        Public texts by group; default those that are shipped.
    settings : Settings, optional
        How precisely to look; default those of `Monitor`.

    Returns
    -------
    Monitor
        Its ``after_step`` looks.
    """
    from fairaudit.diagnostics.during_training import SETTINGS, Monitor, refuse_used
    from fairaudit.results import ClippingParameters

    plan = job.plan
    # A diagnosis describes what flat clipping does.
    flat = job.options.clipping == "flat"
    values = {
        "max_grad_norm": plan.clip_norm if flat else None,
        "noise_multiplier": plan.noise_multiplier if plan.clip_norm else None,
        "batch_size": float(plan.expected_examples),
        "learning_rate": job.options.learning_rate,
    }
    known = {name: value for name, value in values.items() if value is not None}
    clipping = ClippingParameters(**known, sources=dict.fromkeys(known, "training"))
    folder = job.output / "diagnostics"
    refuse_used(folder, resumed=job.options.resume)
    return Monitor(
        job.loaded,
        every=every,
        clipping=clipping,
        texts=texts,
        settings=settings or SETTINGS,
        folder=folder,
    )


def with_monitor(hook: StepHook | None, monitor: Monitor | None) -> StepHook | None:
    """Join the hook that shows progress with an observer.

    Parameters
    ----------
    hook : StepHook or None
        Shows progress.
    monitor : Monitor or None
        Observes.

    Returns
    -------
    StepHook or None
        Calls both, in this order.
    """
    if monitor is None:
        return hook

    def both(report: StepReport, model: Any) -> None:
        if hook is not None:
            hook(report, model)
        monitor.after_step(report.step, report.steps, model)

    return both
