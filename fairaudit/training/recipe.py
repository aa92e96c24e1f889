"""`Recipe`: every choice that makes two fine-tunings the same, checked on its own."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fairaudit.options import Option, Options

Objective = Literal["causal", "masked"]
Ablation = Literal["clip_only", "noise_only"]
Mechanism = Literal["none", "dp", "clip_only", "noise_only"]
Accountant = Literal["prv", "rdp"]
ClippingName = Literal["flat", "automatic", "groupwise"]
CdaMode = Literal["none", "averaged", "separate", "substitution"]

MAX_GRAD_NORM: Final = 1.0
EPOCHS: Final = 3.0
#: Largest δ that is accepted: with more, most of what is claimed is that nothing is claimed.
MAX_DELTA: Final = 0.5


@dataclass(frozen=True, kw_only=True)
class Recipe(Options):
    """The options of `finetune` that say what comes out.

    A δ above `MAX_DELTA` is refused whatever the data; one of 1/records or more is warned about
    once the records are counted, and no gate passes it.

    Raises
    ------
    UsageError
        If a value is out of range, or two of them contradict each other.
    """

    objective: Annotated[
        Objective | None, Option("What is predicted; default: that of the base model.")
    ] = None
    epsilon: Annotated[
        float | None, Option("Target epsilon per record; without it, no privacy.", above=0)
    ] = None
    row_epsilon: Annotated[
        float | None,
        Option(
            "Target epsilon per row, with separate twins only.",
            "It is the published practice. The statement carries the ε per record that follows, "
            "which is larger.",
            above=0,
        ),
    ] = None
    noise_multiplier: Annotated[
        float | None, Option("The noise itself (σ), in place of a target epsilon.", min=0)
    ] = None
    delta: Annotated[
        float | None, Option("Delta of the guarantee; default: records ** -1.1.", above=0, below=1)
    ] = None
    max_grad_norm: Annotated[
        float | None,
        Option(
            "Clipping norm, default 1; without epsilon: clipping alone.",
            doc="C, the clipping norm; default 1.",
            above=0,
        ),
    ] = None
    clipping: Annotated[
        ClippingName,
        Option(
            "flat; automatic: to one length; groupwise: block by block, thresholds learned.",
            doc="*flat*: gradients longer than C are cut to it; *automatic*: all get about that "
            "length (Bu et al. 2023); *groupwise*: each block's gradient is cut by itself, to a "
            "threshold learned from counts that take 1 % of the squared sensitivity, so that ε "
            "is the same (He et al. 2023). No record adds more than C in any of them.",
        ),
    ] = "flat"
    ablation: Annotated[
        Ablation | None,
        Option(
            doc="Half of the mechanism, for experiments; such an arm has no guarantee and no "
            "statement."
        ),
    ] = None
    accountant: Annotated[Accountant, Option(doc="How ε is bounded; ``rdp`` is looser.")] = "prv"
    steps: Annotated[int | None, Option("Steps of training.", min=1)] = None
    epochs: Annotated[
        float | None, Option("Epochs of training; default 3, unless steps are given.", above=0)
    ] = None
    batch_size: Annotated[
        int | None, Option("Expected records per step; default 256, or a quarter of all.", min=1)
    ] = None
    max_length: Annotated[
        int, Option("Longest row in tokens; the rest of a row is cut.", min=2)
    ] = 256
    learning_rate: Annotated[float, Option("Highest learning rate.", above=0)] = 5e-4
    optimizer: Annotated[Literal["adamw", "sgd"], Option(doc="The update rule.")] = "adamw"
    schedule: Annotated[
        Literal["linear", "constant"],
        Option(doc="Course of the learning rate after warm-up."),
    ] = "linear"
    warmup: Annotated[
        float, Option(doc="Share of the steps in which the learning rate rises.", min=0, max=1)
    ] = 0.05
    weight_decay: Annotated[float, Option(doc="Decay of AdamW or SGD.", min=0)] = 0.0
    cda: Annotated[
        Sequence[str], Option("Axes to swap (gender, race, religion).", metavar="AXES")
    ] = ()
    cda_mode: Annotated[
        Literal["averaged", "separate", "substitution"],
        Option(
            "How counterfactuals are used.",
            doc="*averaged*: a record and its twins are one unit, so ε is that without CDA; "
            "*separate*: record and twin (at random, where there are several) are drawn and "
            "clipped apart, and ε is that of the mixture; *substitution*: the record or, with "
            "probability ½ at each draw, a twin.",
        ),
    ] = "averaged"
    lora: Annotated[
        int | None,
        Option(
            "Train low-rank adapters of this rank; default: all parameters.", metavar="RANK", min=1
        ),
    ] = None
    lora_alpha: Annotated[
        float | None,
        Option("Their product enters with alpha / rank; default twice the rank.", above=0),
    ] = None
    lora_targets: Annotated[
        Sequence[str],
        Option("Layers that carry one (q_proj, ...); default: all linear ones but the head."),
    ] = ()
    save: Annotated[
        Literal["merged", "adapter", "both"],
        Option(
            "Merged model, adapters alone, or both.",
            "Adapters alone are a PEFT folder; with the merged model they are in ``adapter/``.",
        ),
    ] = "merged"
    train_parameters: Annotated[
        Literal["all", "bias"], Option("bias: the biases alone (BiTFiT, Ben Zaken et al. 2022).")
    ] = "all"
    freeze: Annotated[
        Sequence[str],
        Option(
            "Regular expression: parameters in whose name it is found stay as they are.",
            cli=list[str],
        ),
    ] = ()
    max_rows_per_unit: Annotated[
        int, Option("Rows that a person may bring; more are left out and counted.", min=1)
    ] = 16
    canaries: Annotated[
        int | None,
        Option(
            "Records of random tokens to plant: a lower bound on epsilon by them.",
            "Each is in the text with probability ½; the statement then carries that bound too. "
            "100 find gross faults, 1,000 lesser ones. They count as records.",
            min=1,
        ),
    ] = None
    seed: Annotated[
        int,
        Option("Initialisation and data order; private arms take theirs from the system.", min=0),
    ] = 0
    noise_seed: Annotated[
        int | None,
        Option(
            doc="For tests: draws and noise from a seed, and a statement that claims nothing.",
            min=0,
        ),
    ] = None

    def complaints(self) -> Iterator[str]:
        """Say which values contradict each other."""
        for check in (_check_choices, _check_privacy):
            yield from check(self)

    @property
    def mechanism(self) -> Mechanism:
        """What happens to gradients: nothing, clipping and noise, or one of them alone."""
        if self.ablation is not None:
            return self.ablation
        return "dp" if self._asks_for_noise else "none"

    @property
    def clip_norm(self) -> float | None:
        """C, or None where nothing is clipped and no noise depends on it."""
        if self.mechanism == "none":
            return None
        return MAX_GRAD_NORM if self.max_grad_norm is None else self.max_grad_norm

    @property
    def twins(self) -> CdaMode:
        """How counterfactuals are used; ``none`` without CDA."""
        return self.cda_mode if self.cda else "none"

    @property
    def arm(self) -> str:
        """Name of the arm: ``plain``, ``cda``, ``dp``, ``dp_cda``, ``clip_only``, ..."""
        if self.mechanism == "none":
            return "cda" if self.cda else "plain"
        return f"{self.mechanism}_cda" if self.cda else self.mechanism

    @property
    def _asks_for_noise(self) -> bool:
        return any(
            value is not None for value in (self.epsilon, self.row_epsilon, self.noise_multiplier)
        )


def _check_choices(recipe: Recipe) -> Iterator[str]:
    if recipe.steps is not None and recipe.epochs is not None:
        yield "give steps or epochs, not both"
    if recipe.delta is not None and recipe.delta > MAX_DELTA:
        yield f"delta {recipe.delta} allows every record to be revealed; choose one below 1/records"
    yield from _check_trained(recipe)
    if recipe.cda_mode != "averaged" and not recipe.cda and recipe.row_epsilon is None:
        yield f"cda mode '{recipe.cda_mode}' has no effect without cda; name the axes to swap"


def _check_trained(recipe: Recipe) -> Iterator[str]:
    if recipe.lora is None:
        asked = {
            "lora alpha": recipe.lora_alpha is not None,
            "lora targets": bool(recipe.lora_targets),
            f"save '{recipe.save}'": recipe.save != "merged",
        }
        for name, given in asked.items():
            if given:
                yield f"{name} has no effect without lora; give the rank of the adapters"
    elif recipe.train_parameters != "all" or recipe.freeze:
        yield "with lora the adapters alone are trained; leave out train and freeze"
    for pattern in recipe.freeze:
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"freeze '{pattern}' is no regular expression ({error})"


def _check_privacy(recipe: Recipe) -> Iterator[str]:
    targets = (recipe.epsilon, recipe.row_epsilon, recipe.noise_multiplier)
    if sum(value is not None for value in targets) > 1:
        yield "give one of epsilon, row epsilon and noise multiplier"
    if recipe.row_epsilon is not None and recipe.twins != "separate":
        yield (
            "row epsilon is for twins that are drawn separately; a record is one unit here: "
            "use epsilon"
        )
    if recipe.ablation == "noise_only" and not recipe._asks_for_noise:
        yield "noise only: give the epsilon or the noise multiplier of the arm it belongs to"
    if recipe.mechanism == "none" and recipe.max_grad_norm is not None:
        yield "max grad norm has no effect without epsilon; for clipping alone ask for 'clip_only'"
    if recipe.clipping != "flat" and recipe.mechanism not in ("dp", "clip_only"):
        yield f"clipping '{recipe.clipping}' has no effect where nothing is clipped; give epsilon"
    if recipe.canaries is not None and recipe.mechanism != "dp":
        yield "canaries bound the epsilon of a private run; give epsilon or leave them out"
    if recipe.noise_seed is not None and recipe.mechanism != "dp":
        yield "a noise seed is for tests of private runs; other arms take their noise from the seed"
