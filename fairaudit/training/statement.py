"""What a private fine-tuning claims, and what it says it does not cover."""

from __future__ import annotations

import math
from typing import Final, Literal

from fairaudit.results.privacy import (
    CanaryStatement,
    CdaStatement,
    ClippingStatement,
    PrivacyStatement,
)
from fairaudit.training.finetuning_plan import Plan
from fairaudit.training.recipe import Recipe
from fairaudit.versions import versions_of

NOT_COVERED: Final = (
    "training loss, clip rate, held-out perplexity, augmentation coverage and samples in private/",
    "the choice of hyper-parameters, if it was made by looking at the private text",
    "the number of records, which is taken as public",
    "how often the most frequent record stands in the text, which is stated as it is",
    "attacks on noise that comes from a generator that is not cryptographic, or on floating-point "
    "rounding",
    "what the base model already knew",
)
_FIXED_NOISE: Final = "everything: the noise came from a fixed seed, so there is no guarantee"


def make_statement(
    recipe: Recipe,
    plan: Plan,
    *,
    unit: Literal["record", "user"],
    most_copies: int,
    clipping: ClippingStatement,
    canaries: CanaryStatement | None,
    base_fingerprint: str | None,
    model_fingerprint: str | None,
) -> PrivacyStatement:
    """State ε as it follows from what was done; never the target.

    Parameters
    ----------
    recipe, plan : Recipe, Plan
        What was asked for, and what was done.
    unit : {"record", "user"}
        What is protected.
    most_copies : int
        How often the most frequent record stands in the text.
    clipping : ClippingStatement
        How a record's contribution was held to C.
    canaries : CanaryStatement or None
        What canaries told; None: none were planted.
    base_fingerprint, model_fingerprint : str or None
        Of the weights before and after; None: not known.

    Returns
    -------
    PrivacyStatement
        Not sealed yet.
    """
    reproducible = recipe.noise_seed is not None
    spent, accountant = plan.bound()
    row = plan.row_epsilon()
    claimed = not reproducible and math.isfinite(spent)
    copies = plan.bound(copies=most_copies).epsilon if most_copies > 1 else math.inf
    assert plan.clip_norm is not None
    return PrivacyStatement(
        unit=unit,
        records=plan.n_records,
        sample_rate=plan.sample_rate,
        expected_batch_size=plan.batch_size,
        steps=plan.steps,
        noise_multiplier=plan.noise_multiplier,
        max_grad_norm=plan.clip_norm,
        clipping=clipping,
        delta=plan.delta,
        epsilon=spent if claimed else None,
        target_epsilon=recipe.epsilon,
        row_epsilon=row if claimed else None,
        most_copies=most_copies,
        copies_epsilon=copies if claimed and math.isfinite(copies) else None,
        accountant=accountant,
        cda=CdaStatement(
            mode=plan.twins,
            axes=recipe.cda,
            epsilon_method="mixture" if plan.separate else "record",
        ),
        noise_reproducible=reproducible,
        canaries=canaries,
        base_fingerprint=base_fingerprint,
        model_fingerprint=model_fingerprint,
        versions=versions_of("torch", "transformers", "opacus"),
        not_covered=(_FIXED_NOISE, *NOT_COVERED) if reproducible else NOT_COVERED,
    )
