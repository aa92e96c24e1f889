"""The loop that trains every arm, and the state from which it goes on exactly."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Protocol

import torch

from fairaudit.errors import NonFiniteError, ResultError
from fairaudit.ranks import ranks
from fairaudit.training.draws import Sampler
from fairaudit.training.finetuning_plan import Plan
from fairaudit.training.optimizers import learning_rate, set_learning_rate
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import DrawStatistics, GradientSum, add_noise, apply_update

#: How often ε so far is worked out in a run; between two of these it is not yet spent.
_EPSILON_MARKS: Final = 20


@dataclass(frozen=True, slots=True)
class StepReport:
    """One step, as progress shows it.

    Parameters
    ----------
    step, steps : int
        Steps done and in all.
    seen : DrawStatistics
        What was in the draw; not covered by ε.
    spent : callable
        Works out `epsilon` when it is asked for: that can take as long as a step.
    """

    step: int
    steps: int
    seen: DrawStatistics
    spent: Callable[[int], float | None] = field(repr=False)

    @property
    def epsilon(self) -> float | None:
        """Upper bound on ε spent so far; None in arms without a guarantee."""
        return self.spent(self.step)


class StepHook(Protocol):
    """Called after every step with the model as it is then; it must leave the model alone.

    Parameters
    ----------
    report : StepReport
        What the step did.
    model : PreTrainedModel
        As it is after the step.
    """

    def __call__(self, report: StepReport, model: Any) -> None:
        """Look at a step."""


@dataclass(slots=True)
class Loop:
    """Trains a model step by step.

    Parameters
    ----------
    recipe, plan : Recipe, Plan
        What to do, and how often.
    gradient : GradientSum
        Sums gradients over a draw.
    sampler : Sampler
        Draws.
    optimizer : torch.optim.Optimizer
        Updates the trainable parameters.
    noise : torch.Generator
        Source of noise.
    model : module
        Passed on to hooks.
    step : int
        Steps done.
    log : list of dict
        One entry per step done.
    """

    recipe: Recipe
    plan: Plan
    gradient: GradientSum
    sampler: Sampler
    optimizer: Any
    noise: torch.Generator
    model: Any
    step: int = 0
    log: list[dict[str, Any]] = field(default_factory=list)

    def run(self, hook: StepHook | None, save: Callable[[], None], every: int) -> None:
        """Take all steps that are left; ``save`` is called at the start and every so many."""
        save()
        for report in self._steps():
            if hook is not None:
                hook(report, self.model)
            if self.step % every == 0 and self.step < self.plan.steps:
                save()

    def _steps(self) -> Iterator[StepReport]:
        meter = _EpsilonMeter(self.plan)
        while self.step < self.plan.steps:
            seen = self._one_step()
            self.step += 1
            self.log.append({"step": self.step, **asdict(seen)})
            yield StepReport(self.step, self.plan.steps, seen, meter.spent)

    def _one_step(self) -> DrawStatistics:
        set_learning_rate(self.optimizer, learning_rate(self.recipe, self.step, self.plan.steps))
        sums, seen = self.gradient.of(self.sampler.draw())
        here = ranks()
        # One of several processes adds the noise, once, before their sums are added up.
        if self.plan.clip_norm is not None and here.is_first:
            add_noise(sums, self.plan.noise_multiplier * self.plan.clip_norm, self.noise)
        here.add_up(sums.values())
        parameters = self.gradient.engine.parameters
        apply_update(parameters, sums, self.plan.expected_examples, self.optimizer)
        self._check_finite(parameters)
        return seen

    def _check_finite(self, parameters: dict[str, torch.nn.Parameter]) -> None:
        total = sum(float(parameter.detach().sum()) for parameter in parameters.values())
        if not math.isfinite(total):
            raise NonFiniteError(
                f"step {self.step + 1}: the parameters became NaN or infinite; lower the learning "
                "rate"
            )

    def state(self) -> dict[str, Any]:
        """Everything that the steps to come depend on.

        After the last step no generator is in it: from its state all noise could be had again.
        """
        return {
            "step": self.step,
            "log": self.log,
            "parameters": {
                name: parameter.detach()
                for name, parameter in self.gradient.engine.parameters.items()
            },
            "optimizer": self.optimizer.state_dict(),
            "generators": None if self.step == self.plan.steps else self._generators(),
        }

    def _generators(self) -> dict[str, Any]:
        return {
            "draws": self.sampler.rng.bit_generator.state,
            "noise": self.noise.get_state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state.

        Raises
        ------
        ResultError
            If it does not fit this model.
        """
        parameters = self.gradient.engine.parameters
        if state["parameters"].keys() != parameters.keys():
            raise ResultError("the state of the unfinished run belongs to another model")
        with torch.no_grad():
            for name, value in state["parameters"].items():
                parameters[name].copy_(value)
        self.optimizer.load_state_dict(state["optimizer"])
        generators = state["generators"]
        if generators is not None:
            self.sampler.rng.bit_generator.state = generators["draws"]
            self.noise.set_state(generators["noise"])
        self.step, self.log = int(state["step"]), list(state["log"])


class _EpsilonMeter:
    """ε after the steps done, rounded up to the next of some marks, where it is worked out."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stride = math.ceil(plan.steps / _EPSILON_MARKS)
        self._known: tuple[int, float] = (0, 0.0)

    def spent(self, step: int) -> float | None:
        if self._plan.mechanism != "dp":
            return None
        mark = min(self._plan.steps, math.ceil(step / self._stride) * self._stride)
        if mark != self._known[0]:
            self._known = (mark, self._plan.epsilon(mark))
        return self._known[1]
