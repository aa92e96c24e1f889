"""`ExperimentResult`: arms by seeds, what moved between them, and what the claims came to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from fairaudit.results.display import Plotted
from fairaudit.results.stored import Stored
from fairaudit.results.types import Frozen, Interval, Run
from fairaudit.vocabulary.claims import Finding

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT_SCHEMA: Literal["fairaudit/experiment"] = "fairaudit/experiment"
EXPERIMENT_SCHEMA_VERSION = 1


class ArmRun(Frozen):
    """One arm of one seed: trained and audited, or why not.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    seed : int
        Seed of the run.
    status : {"done", "failed"}
        Whether it came to its end.
    reason : str or None
        Why it failed.
    epsilon, row_epsilon : float or None
        ε per record and, for separate twins, per row, as spent; None without a guarantee.
    steps : int or None
        Updates that were made.
    learning_rate : float or None
        Learning rate that was used.
    perplexity : float or None
        Perplexity on held-out text of the fine-tuning's kind: the utility.
    distance : float or None
        Mean |Δ log p| per token from the base model on the probe text, nats.
    match_gap : float or None
        Matched arms: |Δ log perplexity| from the private arm, as a share of what the plain run
        gained on the base; None elsewhere, and where it gained nothing.
    audit : str or None
        Audit folder, relative to the experiment's.
    seconds : float or None
        Time that training took.
    """

    arm: str
    seed: int
    status: Literal["done", "failed"]
    reason: str | None = None
    epsilon: float | None = None
    row_epsilon: float | None = None
    steps: int | None = None
    learning_rate: float | None = None
    perplexity: float | None = None
    distance: float | None = None
    match_gap: float | None = None
    audit: str | None = None
    seconds: float | None = None


class Level(Frozen):
    """A bias score of one arm, over seeds.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    protocol : str
        How it was scored: ``suite/variant``.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str or None
        None: the whole axis; otherwise the part of the items that was scored apart.
    name : str
        The metric.
    value : float
        Mean over seeds.
    interval : Interval or None
        Student's interval over seeds; None with fewer than three.
    n_seeds : int
        Seeds that entered.
    by_seed : tuple of float
        A value for each seed.
    implied : float or None
        What the known world implies for the text of this arm; None for other texts.
    """

    arm: str
    protocol: str
    axis: str
    group: str | None = None
    name: str
    value: float
    interval: Interval | None = None
    n_seeds: int = Field(ge=1)
    by_seed: tuple[float, ...]
    implied: float | None = None


class ArmDifference(Frozen):
    """A bias score of one arm minus that of a reference arm, paired by seed.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    reference : str
        The arm that it is held against.
    protocol : str
        How it was scored: ``suite/variant``.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str or None
        The group that it is about; None: the whole axis.
    name : str
        The metric.
    value : float or None
        Signed towards the stereotype.
    interval : Interval or None
        Student's interval over seeds.
    se : float or None
        Standard error of the value.
    df : float or None
        Its degrees of freedom (None: normal).
    n_seeds : int
        Seeds that entered.
    p_value : float or None
        Student's test of no difference.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    arm: str
    reference: str
    protocol: str
    axis: str
    group: str | None = None
    name: str
    value: float | None
    interval: Interval | None = None
    se: float | None = None
    df: float | None = None
    n_seeds: int = Field(ge=0)
    p_value: float | None = None
    reason: str | None = None


class Claim(Frozen):
    """One claim about the recipe on its declared endpoint.

    Attributes
    ----------
    claim : str
        A name of `fairaudit.vocabulary.claims.STATEMENTS`.
    endpoint : str
        The endpoint in words: metric, arms and axis.
    axis : str
        Axis of the claim.
    arm : str
        The arm of the recipe.
    reference : str
        The arm that it is held against.
    epsilon : float or None
        ε of the private arm; None: the claim is about no one ε.
    metric : str
        The declared metric.
    protocol : str or None
        Protocol of a bias score; None for what is no score of an audit.
    value : float or None
        Mean over seeds, signed so that above 0 supports the claim.
    interval : Interval or None
        Student's interval over seeds.
    n_seeds : int
        Seeds that entered.
    p_value : float or None
        Test of no effect.
    p_adjusted : float or None
        The same, corrected by Holm over the axes of the claim.
    margin : float or None
        Smallest effect that would matter, in the unit of the value; None: none is declared.
    finding : Finding
        Supported, not supported, undecided or not applicable.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    claim: str
    endpoint: str
    axis: str
    arm: str
    reference: str
    epsilon: float | None = None
    metric: str
    protocol: str | None = None
    value: float | None
    interval: Interval | None = None
    n_seeds: int = Field(ge=0)
    p_value: float | None = None
    p_adjusted: float | None = None
    margin: float | None = None
    finding: Finding
    reason: str | None = None


class Convergence(Frozen):
    """How differently the gradients of two groups shrank while an arm was trained.

    log(‖g_group‖ / ‖g_other‖) at a step minus its value before the first one, with the unbiased
    norm of the mean gradient; above 0: the group's gradient stays larger for longer.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str
        The group.
    other : str
        The group that it is held against.
    steps : tuple of int
        Steps at which gradients were looked at.
    by_seed : tuple of tuple of float or None
        By seed, a value for each step; None where a norm was below resolution.
    areas : tuple of float or None
        By seed: area between the curve and 0 over the training, steps scaled to 0-1.
    """

    arm: str
    axis: str
    group: str
    other: str
    steps: tuple[int, ...]
    by_seed: tuple[tuple[float | None, ...], ...]
    areas: tuple[float | None, ...]


class Push(Frozen):
    """First-order push of a group's gradients on the bias score, in nats per step; over seeds.

    −η/B · ⟨∇M, g⟩ summed over the group's probe texts, mean over the looks during training.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    axis : str
        Axis of the bias score.
    group : str
        The group whose records push.
    value : float
        Without and with clipping; the latter None where nothing is clipped.
    clipped : float or None
        See ``value``.
    interval : Interval or None
        Student's interval over seeds.
    n_seeds : int
        Seeds that entered.
    """

    arm: str
    axis: str
    group: str
    value: float
    clipped: float | None = None
    interval: Interval | None = None
    n_seeds: int = Field(ge=0)


class Prediction(Frozen):
    """Rank correlation of gradient disparity in training with bias change after, over seeds.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    axis : str
        Axis of the items; ``all``: pooled.
    outcome : {"bias", "naming"}
        What changed from the base: the bias score, or by how much more the first group is named
        than the second.
    value : float or None
        Kendall's tau-b, −1 to 1.
    interval : Interval or None
        Student's interval over seeds.
    n_seeds : int
        Seeds that entered.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    arm: str
    axis: str
    outcome: Literal["bias", "naming"] = "bias"
    value: float | None
    interval: Interval | None = None
    n_seeds: int = Field(ge=0)
    reason: str | None = None


class ExperimentResult(Plotted, Stored):
    """Everything an experiment found; claims are about the recipe, so seeds are resampled.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    name : str
        Name of the plan.
    meaning : str
        Of a regime: what it stands for, in one sentence.
    plan : dict
        The plan, key by key, with all defaults.
    runs : tuple of ArmRun
        Runs and what was found in them; of an experiment with regimes, all of it stands in
        those.
    levels : tuple of Level
        Mean of each metric by arm.
    differences : tuple of ArmDifference
        Arms beside their references, seed by seed.
    claims : tuple of Claim
        What was declared, and what was found of it.
    endpoints : dict of str to str
        Protocol of the declared metric, by axis: what claims and charts rest on.
    convergence : tuple of Convergence
        How groups' gradients converge, by arm.
    pushes : tuple of Push
        Which groups' texts push the bias.
    predictions : tuple of Prediction
        How well pushes predict what changed.
    regimes : tuple of ExperimentResult
        The worlds of a plan with regimes, each a whole result without regimes.
    notes : tuple of str
        What a reader must know, in sentences.
    versions : dict of str to str
        Versions of the libraries that decide numbers, by name.
    run : Run
        When, where and with which command it was made.
    """

    schema_: Literal["fairaudit/experiment"] = Field(default=EXPERIMENT_SCHEMA, alias="schema")
    schema_version: int = EXPERIMENT_SCHEMA_VERSION
    name: str
    meaning: str = ""
    plan: dict[str, Any]
    runs: tuple[ArmRun, ...]
    levels: tuple[Level, ...] = ()
    differences: tuple[ArmDifference, ...] = ()
    claims: tuple[Claim, ...] = ()
    endpoints: dict[str, str] = Field(default_factory=dict)
    convergence: tuple[Convergence, ...] = ()
    pushes: tuple[Push, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    regimes: tuple[ExperimentResult, ...] = ()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    run: Run

    @property
    def complete(self) -> bool:
        """Whether every arm of every seed finished, in every regime."""
        done = all(run.status == "done" for run in self.runs)
        return done and all(regime.complete for regime in self.regimes)

    def to_frame(self) -> pd.DataFrame:
        """One row per arm, axis and metric: the level over seeds with its interval.

        Where there are regimes, the first column names the one of a row.
        """
        import pandas as pd

        if self.regimes:
            frames = {regime.name: regime.to_frame() for regime in self.regimes}
            return pd.concat(frames, names=["regime"]).reset_index(0).reset_index(drop=True)
        rows = []
        for level in self.levels:
            row = level.model_dump(exclude={"interval", "by_seed"})
            row["low"] = level.interval.low if level.interval else None
            row["high"] = level.interval.high if level.interval else None
            rows.append(row)
        return pd.DataFrame(rows)
