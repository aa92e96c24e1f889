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
    """One arm of one seed: trained and audited, or why not."""

    arm: str
    seed: int
    status: Literal["done", "failed"]
    reason: str | None = None
    #: ε per record and, for separate twins, per row, as spent; None without a guarantee.
    epsilon: float | None = None
    row_epsilon: float | None = None
    steps: int | None = None
    learning_rate: float | None = None
    #: Perplexity on held-out text of the fine-tuning's kind: the utility.
    perplexity: float | None = None
    #: Mean |Δ log p| per token from the base model on the probe text, nats.
    distance: float | None = None
    #: Matched arms: |Δ log perplexity| from the private arm, as a share of what the plain run
    #: gained on the base; None elsewhere, and where it gained nothing.
    match_gap: float | None = None
    #: Audit folder, relative to the experiment's.
    audit: str | None = None
    seconds: float | None = None


class Level(Frozen):
    """A bias score of one arm, over seeds."""

    arm: str
    protocol: str
    axis: str
    #: None: the whole axis; otherwise the part of the items that was scored apart.
    group: str | None = None
    name: str
    value: float
    #: Student's interval over seeds; None with fewer than three.
    interval: Interval | None = None
    n_seeds: int = Field(ge=1)
    by_seed: tuple[float, ...]
    #: What the known world implies for the text of this arm; None for other texts.
    implied: float | None = None


class ArmDifference(Frozen):
    """A bias score of one arm minus that of a reference arm, paired by seed."""

    arm: str
    reference: str
    protocol: str
    axis: str
    group: str | None = None
    name: str
    #: Signed towards the stereotype.
    value: float | None
    interval: Interval | None = None
    se: float | None = None
    df: float | None = None
    n_seeds: int = Field(ge=0)
    p_value: float | None = None
    reason: str | None = None


class Claim(Frozen):
    """One claim about the recipe on its declared endpoint."""

    #: A name of `fairaudit.vocabulary.claims.STATEMENTS`.
    claim: str
    #: The endpoint in words: metric, arms and axis.
    endpoint: str
    axis: str
    arm: str
    reference: str
    epsilon: float | None = None
    metric: str
    #: Protocol of a bias score; None for what is no score of an audit.
    protocol: str | None = None
    #: Mean over seeds, signed so that above 0 supports the claim.
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
    """

    arm: str
    axis: str
    group: str
    other: str
    steps: tuple[int, ...]
    #: By seed, a value for each step; None where a norm was below resolution.
    by_seed: tuple[tuple[float | None, ...], ...]
    #: By seed: area between the curve and 0 over the training, steps scaled to 0-1.
    areas: tuple[float | None, ...]


class Push(Frozen):
    """First-order push of a group's gradients on the bias score, in nats per step; over seeds.

    −η/B · ⟨∇M, g⟩ summed over the group's probe texts, mean over the looks during training.
    """

    arm: str
    axis: str
    group: str
    #: Without and with clipping; the latter None where nothing is clipped.
    value: float
    clipped: float | None = None
    interval: Interval | None = None
    n_seeds: int = Field(ge=0)


class Prediction(Frozen):
    """Rank correlation of gradient disparity in training with bias change after, over seeds."""

    arm: str
    axis: str
    #: What changed from the base: the bias score, or by how much more the first group is named than
    #: the second.
    outcome: Literal["bias", "naming"] = "bias"
    #: Kendall's tau-b, −1 to 1.
    value: float | None
    interval: Interval | None = None
    n_seeds: int = Field(ge=0)
    reason: str | None = None


class ExperimentResult(Plotted, Stored):
    """Everything an experiment found; claims are about the recipe, so seeds are resampled."""

    schema_: Literal["fairaudit/experiment"] = Field(default=EXPERIMENT_SCHEMA, alias="schema")
    schema_version: int = EXPERIMENT_SCHEMA_VERSION
    name: str
    #: Of a regime: what it stands for, in one sentence.
    meaning: str = ""
    plan: dict[str, Any]
    #: Runs and what was found in them; of an experiment with regimes, all of it stands in those.
    runs: tuple[ArmRun, ...]
    levels: tuple[Level, ...] = ()
    differences: tuple[ArmDifference, ...] = ()
    claims: tuple[Claim, ...] = ()
    #: Protocol of the declared metric, by axis: what claims and charts rest on.
    endpoints: dict[str, str] = Field(default_factory=dict)
    convergence: tuple[Convergence, ...] = ()
    pushes: tuple[Push, ...] = ()
    predictions: tuple[Prediction, ...] = ()
    #: The worlds of a plan with regimes, each a whole result without regimes.
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
