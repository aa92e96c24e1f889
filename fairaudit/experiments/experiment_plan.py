"""`ExperimentPlan`: what an experiment trains and audits, read from TOML.

Arms are named by what they do, with ε at the end: see `fairaudit.vocabulary.arms`.

The base model is always audited, once per seed, as the arm ``base``.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetPydanticSchema,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from fairaudit.errors import UsageError
from fairaudit.experiments.world import AXES, Mixture
from fairaudit.options import entries
from fairaudit.training.recipe import Recipe
from fairaudit.vocabulary.arms import BASE, PLAIN, Arm, ArmKind, read_arm
from fairaudit.vocabulary.metrics import (
    MEAN_LOG_ODDS,
    STEREOTYPE_PREFERENCE_RATE,
    STEREOTYPE_SCORE,
    TOXICITY_DIFFERENCE,
    TOXICITY_MEAN,
    TOXICITY_RATIO,
)

#: An arm of each kind that can be asked for.
_EXAMPLES: Final = tuple(
    f"{kind}_3" if kind.has_epsilon else kind.value for kind in ArmKind if kind is not BASE
)
BUILT_IN: Final = ("demo", "full")
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


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class WorldText(_Part):
    """Text drawn from the known world; see `fairaudit.experiments.world.Mixture`."""

    sentences: int = Field(ge=100)
    mu: float | dict[str, float] = 0.0
    tau: float = Field(default=1.0, ge=0)
    share: dict[str, float] = Field(default_factory=dict)
    plain: float = Field(default=0.1, ge=0, lt=1)
    #: Sentences about persons, and how often those end harshly.
    people: float = Field(default=0.0, ge=0, lt=1)
    harsh: float = Field(default=0.2, gt=0, lt=1)
    tone: float | dict[str, float] = 0.0

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


class BasePlan(_Part):
    """The base model: a checkpoint, or a small GPT-2 that is pre-trained on the spot."""

    #: Checkpoint folder or Hub id; None: pre-train on ``text``.
    model: str | None = None
    text: WorldText | None = None
    layers: int = Field(default=2, ge=1)
    width: int = Field(default=96, ge=8, multiple_of=4)
    steps: int = Field(default=600, ge=1)
    batch_size: int = Field(default=64, ge=1)
    learning_rate: float = Field(default=2e-3, gt=0)

    @model_validator(mode="after")
    def _one_source(self) -> BasePlan:
        if (self.model is None) == (self.text is None):
            raise ValueError("give either 'model' or 'text'")
        return self


class TextPlan(_Part):
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

    @model_validator(mode="after")
    def _one_source(self) -> TextPlan:
        if (self.file is None) == (self.world is None):
            raise ValueError("give either 'file' or 'world'")
        if self.file is not None and self.held_out_file is None:
            raise ValueError("'file' needs a 'held_out_file' that utility is measured on")
        return self


class ArmSettings(_Part):
    """Options of the training of an arm; what an arm leaves out is taken from ``[train]``."""

    def over(self, default: ArmSettings) -> dict[str, Any]:
        """Return the settings that are set here or, if not, in ``default``."""
        return {**default.model_dump(exclude_none=True), **self.model_dump(exclude_none=True)}


def _with_options(*names: str) -> type[ArmSettings]:
    """Return the settings with options of a `Recipe`: their types and bounds are stated there."""
    known = {one.name: one for one in entries(Recipe)}
    fields: dict[str, Any] = {}
    for name in names:
        option = known[name].option
        bounds = Field(None, ge=option.min, gt=option.above, le=option.max, lt=option.below)
        fields[name] = (known[name].type | None, bounds)
    return create_model("ArmSettings", __base__=ArmSettings, **fields)


_SETTINGS: Final = _with_options(
    *("steps", "batch_size", "learning_rate", "max_grad_norm", "max_length", "lora", "delta")
)
Settings = Annotated[ArmSettings, GetPydanticSchema(lambda _, build: build(_SETTINGS))]


class AuditPlan(_Part):
    """What each model is asked: the known world's own items, or suites by name."""

    #: Suite names or files; empty: the items of the known world.
    suites: tuple[str, ...] = ()
    quick: bool = False
    #: Folder with benchmark files, and a text classifier for what the models write.
    data: str | None = None
    toxicity_classifier: str | None = None
    #: Items per concept of the known world: openings × tails beside every link and term.
    openings: int = Field(default=1, ge=1)
    tails: int = Field(default=1, ge=1)


class ClaimsPlan(_Part):
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


class ExperimentPlan(_Part):
    """Everything that determines an experiment, up to the noise of private arms."""

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]*$")
    seeds: int = Field(default=3, ge=1)
    axes: tuple[str, ...] = AXES
    arms: tuple[str, ...] = Field(min_length=1)
    base: BasePlan
    text: TextPlan
    audit: AuditPlan = AuditPlan()
    claims: ClaimsPlan = ClaimsPlan()
    train: Settings = _SETTINGS()
    #: Settings by arm, over those of ``train``.
    arm: dict[str, Settings] = Field(default_factory=dict)
    #: Diagnostics of gradient disparity in training, besides one before it: so many steps apart, or
    #: so many of each training, which puts arms of different lengths on one scale. None: none.
    diagnose_every: int | None = Field(default=None, ge=1)
    diagnose_times: int | None = Field(default=None, ge=1)

    @field_validator("arms")
    @classmethod
    def _arms_are_known(cls, arms: tuple[str, ...]) -> tuple[str, ...]:
        for name in arms:
            if not is_trainable(name):
                near = difflib.get_close_matches(name, _EXAMPLES, n=1, cutoff=0.3)
                hint = f"; did you mean {near[0]}?" if near else ""
                raise ValueError(f"'{name}' is no arm{hint} (arms: {', '.join(_EXAMPLES)})")
        if len(set(arms)) < len(arms):
            raise ValueError("an arm is named twice")
        return arms

    @model_validator(mode="after")
    def _one_rhythm(self) -> ExperimentPlan:
        if self.diagnose_every is not None and self.diagnose_times is not None:
            raise ValueError("give 'diagnose_every' or 'diagnose_times', not both")
        return self

    @model_validator(mode="after")
    def _arms_fit_together(self) -> ExperimentPlan:
        for name in self.arm:
            if name not in self.arms:
                raise ValueError(f"[arm.{name}] has settings, but is not among the arms")
        for arm in self.read_arms:
            if arm.kind is ArmKind.PLAIN_MATCHED:
                plain, partner = PLAIN, arm.beside(ArmKind.DP)
                for needed in (plain, partner):
                    if needed not in self.arms:
                        raise ValueError(f"'{arm.id}' needs the arm '{needed}'")
                lengths = [self.settings(one).get("max_length") for one in (plain, partner)]
                if lengths[0] != lengths[1]:
                    raise ValueError(
                        f"'{arm.id}' compares perplexities, so '{plain}' and '{partner}' need one "
                        f"max_length, not {lengths[0]} and {lengths[1]}"
                    )
        return self

    @model_validator(mode="after")
    def _claims_fit(self) -> ExperimentPlan:
        wanted = self.claims.epsilon
        private = {arm.epsilon for arm in self.read_arms if arm.kind is ArmKind.DP}
        if wanted is not None and wanted not in private:
            raise ValueError(
                f"claims.epsilon is {wanted:g}, but no arm is '{ArmKind.DP}_{wanted:g}'"
            )
        if not self.audit.suites:
            for axis in self.axes:
                if axis not in AXES:
                    raise ValueError(
                        f"'{axis}' is no axis of the known world ({', '.join(AXES)}); name suites "
                        "in [audit] to ask others"
                    )
        return self

    @property
    def read_arms(self) -> tuple[Arm, ...]:
        """Its arms, each with its kind and ε."""
        return tuple(arm for arm in map(read_arm, self.arms) if arm is not None)

    def diagnose_apart(self, steps: int) -> int | None:
        """Return the steps between two diagnostics of a training; None: no diagnostics."""
        if self.diagnose_times is None:
            return self.diagnose_every
        return max(1, math.ceil(steps / self.diagnose_times))

    def settings(self, arm: str) -> dict[str, Any]:
        """Return the training settings of an arm."""
        return self.arm.get(arm, ArmSettings()).over(self.train)


def is_trainable(name: str) -> bool:
    """Whether a name is that of an arm that is trained: all but the base."""
    found = read_arm(name)
    return found is not None and found.kind is not BASE


def load_plan(source: str | Path) -> ExperimentPlan:
    """Read a plan from a TOML file, or one of the built-in plans by name.

    Raises
    ------
    UsageError
        If there is no such file, it is not TOML, or a key or arm is unknown (with the nearest
        known one).
    """
    try:
        return ExperimentPlan.model_validate(tomllib.loads(_text(source)))
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source}: not TOML ({error})") from error
    except ValidationError as error:
        raise UsageError(f"{source}: {_first_fault(error)}") from error


def starter_plan() -> str:
    """Return the text of a commented plan to start from."""
    return _shipped("starter")


def _shipped(name: str) -> str:
    plans = resources.files("fairaudit.experiments").joinpath("plans")
    return plans.joinpath(f"{name}.toml").read_text("utf-8")


def _text(source: str | Path) -> str:
    if str(source) in BUILT_IN:
        return _shipped(str(source))
    try:
        return Path(source).read_text("utf-8")
    except FileNotFoundError:
        known = ", ".join(BUILT_IN)
        raise UsageError(f"{source}: no such plan file, and no built-in plan ({known})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source}: cannot be read ({error})") from error


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{where + ': ' if where else ''}{fault['msg'].removeprefix('Value error, ')}"
    near = difflib.get_close_matches(str(fault["loc"][-1]), _keys(), n=1)
    return f"unknown key '{where}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _keys() -> list[str]:
    parts = (ExperimentPlan, BasePlan, TextPlan, WorldText, _SETTINGS, AuditPlan, ClaimsPlan)
    return sorted({name for part in parts for name in part.model_fields})
