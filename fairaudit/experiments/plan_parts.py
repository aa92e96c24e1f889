"""The tables of an experiment's plan: base, text, settings of arms, audit, claims."""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model, field_validator, model_validator

from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.errors import UsageError
from fairaudit.experiments.world import AXES, Mixture, load_words
from fairaudit.options import entries
from fairaudit.training.recipe import Recipe
from fairaudit.vocabulary.metrics import (
    MEAN_LOG_ODDS,
    STEREOTYPE_PREFERENCE_RATE,
    STEREOTYPE_SCORE,
    TOXICITY_DIFFERENCE,
    TOXICITY_MEAN,
    TOXICITY_RATIO,
)

#: Bias scores that an experiment follows over arms; one of them is the endpoint of its claims.
METRICS: Final = tuple(
    one.name
    for one in (
        STEREOTYPE_PREFERENCE_RATE,
        STEREOTYPE_SCORE,
        MEAN_LOG_ODDS,
        TOXICITY_MEAN,
        TOXICITY_DIFFERENCE,
        TOXICITY_RATIO,
    )
)


#: Names of plans and regimes, which are names of folders too.
NAME: Final = r"^[A-Za-z0-9][\w.-]*$"
#: What a plan without regimes must do.
ONE_BASE: Final = "give either 'model' or 'text'"
ONE_TEXT: Final = "give either 'file' or 'world'"


class Part(BaseModel):
    """A table of a plan: frozen, and without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WorldText(Part):
    """Text drawn from the known world; see `fairaudit.experiments.world.Mixture`."""

    sentences: int = Field(ge=100)
    mu: float | dict[str, float] = 0.0
    tau: float = Field(default=1.0, ge=0)
    #: By axis: the share of its second group, or that of both by name, which add up to 1.
    share: dict[str, float] = Field(default_factory=dict)
    plain: float = Field(default=0.1, ge=0, lt=1)
    #: Sentences about persons, and how often those end harshly.
    people: float = Field(default=0.0, ge=0, lt=1)
    harsh: float = Field(default=0.2, gt=0, lt=1)
    tone: float | dict[str, float] = 0.0

    @field_validator("share", mode="before")
    @classmethod
    def _shares_add_up(cls, share: Any) -> Any:
        if not isinstance(share, dict):
            return share
        return {axis: _of_second(axis, part) for axis, part in share.items()}

    @model_validator(mode="after")
    def _is_a_mixture(self) -> WorldText:
        try:
            self.mixture(0)
        except UsageError as error:
            raise ValueError(str(error)) from error
        return self

    def mixture(self, seed: int) -> Mixture:
        """Return the mixture of one seed of the experiment."""
        return Mixture(**self.model_dump(exclude={"sentences"}), seed=seed)


def _of_second(axis: str, share: Any) -> Any:
    """Return the share of an axis' second group, where the shares of both are given by name."""
    if not isinstance(share, dict) or axis not in AXES:
        return share
    groups = load_words().axes[axis].groups
    if set(share) != set(groups):
        raise ValueError(f"'{axis}' has the groups {' and '.join(groups)}, not {', '.join(share)}")
    if not all(isinstance(part, int | float) for part in share.values()):
        raise ValueError(f"shares of '{axis}' must be numbers")
    total = math.fsum(share.values())
    if not math.isclose(total, 1.0, abs_tol=1e-9):
        raise ValueError(f"shares of '{axis}' must add up to 1, not {total:.6g}")
    return share[groups[1]]


class BasePlan(Part):
    """The base model: a checkpoint, or a small GPT-2 that is pre-trained on the spot."""

    #: Checkpoint folder or Hub id; None: pre-train on ``text``. Regimes may bring their own text.
    model: str | None = None
    text: WorldText | None = None
    layers: int = Field(default=2, ge=1)
    width: int = Field(default=96, ge=8, multiple_of=4)
    steps: int = Field(default=600, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)

    @property
    def is_given(self) -> bool:
        """Whether it names a model, or a text to make one of."""
        return self.model is not None or self.text is not None

    @model_validator(mode="after")
    def _one_source(self) -> BasePlan:
        if self.model is not None and self.text is not None:
            raise ValueError(ONE_BASE)
        return self


class TextPlan(Part):
    """The text of the fine-tuning: a file, or drawn from the known world."""

    file: str | None = None
    held_out_file: str | None = None
    text_column: str | None = None
    #: Of a file: whether anybody may read it. If not, every model of the experiment is trained on
    #: the same private text, and their ε add up.
    public: bool = False
    #: Of a private file: the most ε that all private models together may spend, per record.
    total_epsilon: float | None = Field(default=None, gt=0)
    world: WorldText | None = None
    held_out_sentences: int = Field(default=500, ge=50)

    @property
    def is_uneven(self) -> bool:
        """Whether it is of the known world, and groups of an axis have different shares of it."""
        shares = {} if self.world is None else self.world.share
        return any(share != 0.5 for share in shares.values())

    @property
    def is_given(self) -> bool:
        """Whether it names a file, or a text of the known world."""
        return self.file is not None or self.world is not None

    @model_validator(mode="after")
    def _one_source(self) -> TextPlan:
        if self.file is not None and self.world is not None:
            raise ValueError(ONE_TEXT)
        if self.file is not None and self.held_out_file is None:
            raise ValueError("'file' needs a 'held_out_file' that utility is measured on")
        return self


class _Settings(Part):
    """Options of the training of an arm; what an arm leaves out is taken from ``[train]``."""

    def over(self, default: _Settings) -> dict[str, Any]:
        """Return the settings that are set here or, if not, in ``default``."""
        return {**default.model_dump(exclude_none=True), **self.model_dump(exclude_none=True)}


def _of_a_recipe(*names: str) -> type[_Settings]:
    """Return the settings with options of a `Recipe`, which states their types and bounds."""
    known = {one.name: one for one in entries(Recipe)}
    fields: dict[str, Any] = {}
    for name in names:
        option = known[name].option
        bounds = Field(None, ge=option.min, gt=option.above, le=option.max, lt=option.below)
        fields[name] = (known[name].type | None, bounds)
    return create_model("ArmSettings", __base__=_Settings, **fields)


if TYPE_CHECKING:
    ArmSettings = _Settings
else:
    ArmSettings = _of_a_recipe(
        *("steps", "batch_size", "learning_rate", "max_grad_norm", "max_length", "lora", "delta")
    )


class _Asked(Part):
    """What each model is asked: the known world's own items, or suites by name.

    Without suites it is the items of the known world; all other options are those of an audit.
    """

    #: Items per concept of the known world: openings × tails beside every link and term.
    openings: int = Field(default=1, ge=1)
    tails: int = Field(default=1, ge=1)
    if TYPE_CHECKING:
        suites: tuple[str, ...] = ()
        quick: bool = False
        data: str | None = None
        toxicity_classifier: str | None = None


def _of_an_audit(*names: str) -> type[_Asked]:
    """Return a table with options of an audit, as a file has them: paths and names are text."""
    known = {one.name: one for one in entries(AuditOptions)}
    fields: dict[str, Any] = {}
    for name in names:
        several = known[name].element is not None
        text = tuple[str, ...] if several else str | None
        own = known[name].type if known[name].alternatives == (bool,) else text
        fields[name] = (own, () if several else known[name].default)
    return create_model("AuditPlan", __base__=_Asked, __doc__=_Asked.__doc__, **fields)


if TYPE_CHECKING:
    AuditPlan = _Asked
else:
    AuditPlan = _of_an_audit("suites", "quick", "data", "toxicity_classifier")


class ClaimsPlan(Part):
    """The declared endpoint of the claims, fixed before anything is trained."""

    metric: str = MEAN_LOG_ODDS.name
    #: Protocol of the metric, where several suites have it; None: the first suite's primary one.
    protocol: str | None = None
    #: Smallest change of the metric that would matter, in its unit.
    margin: float = Field(default=0.2, gt=0)
    alpha: float = Field(default=0.05, gt=0, lt=0.5)
    #: Smallest difference of the area between convergence curves that would matter (a log-ratio).
    disparity_margin: float = Field(default=0.1, gt=0)
    #: ε of the private arms that the claims are about; None: the smallest one.
    epsilon: float | None = Field(default=None, gt=0)

    @field_validator("metric")
    @classmethod
    def _metric_is_known(cls, metric: str) -> str:
        if metric not in METRICS:
            near = difflib.get_close_matches(metric, METRICS, n=1, cutoff=0.3)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ValueError(f"'{metric}' is no metric of claims{hint} ({', '.join(METRICS)})")
        return metric


class RegimeClaims(Part):
    """What a regime declares otherwise than ``[claims]``; see `ClaimsPlan`."""

    metric: str | None = None
    protocol: str | None = None
    margin: float | None = None
    alpha: float | None = None
    disparity_margin: float | None = None
    epsilon: float | None = None

    def over(self, default: ClaimsPlan) -> ClaimsPlan:
        """Return the terms that are declared here or, if not, in ``default``."""
        own = self.model_dump(exclude_none=True)
        return ClaimsPlan.model_validate({**default.model_dump(), **own})


class Regime(Part):
    """A world of an experiment with several: what its base read, and what its text says.

    What it leaves out is taken from ``[base]`` and ``[text]`` of the plan. The share of each group
    is part of the text.
    """

    name: str = Field(pattern=NAME)
    #: What it stands for, in one sentence.
    meaning: str = Field(min_length=1, max_length=300)
    base: WorldText | None = None
    text: WorldText | None = None
    claims: RegimeClaims = RegimeClaims()

    def base_over(self, default: BasePlan) -> BasePlan:
        """Return the base of this regime, in the size of the plan's."""
        if self.base is None:
            return default
        return default.model_copy(update={"model": None, "text": self.base})

    def text_over(self, default: TextPlan) -> TextPlan:
        """Return the text of this regime, with as many held-out sentences as the plan's."""
        if self.text is None:
            return default
        return TextPlan(world=self.text, held_out_sentences=default.held_out_sentences)
