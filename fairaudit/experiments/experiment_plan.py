"""`ExperimentPlan`: what an experiment trains and audits, read from TOML.

Arms are named by what they do, with ε at the end: see `fairaudit.vocabulary.arms`.

The base model is always audited, once per seed, as the arm ``base``. A plan with regimes runs every
arm in each of several worlds, which differ in what the base has read and in what the text says.
"""

from __future__ import annotations

import difflib
import math
import tomllib
from importlib import resources
from pathlib import Path
from typing import Any, Final

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from fairaudit.errors import UsageError, fault_words
from fairaudit.experiments.plan_parts import (
    NAME,
    ONE_BASE,
    ONE_TEXT,
    ArmSettings,
    AuditPlan,
    BasePlan,
    ClaimsPlan,
    Part,
    Regime,
    RegimeClaims,
    TextPlan,
    WorldText,
)
from fairaudit.experiments.world import AXES
from fairaudit.parsing import parse_toml
from fairaudit.vocabulary.arms import BASE, PLAIN, Arm, ArmKind, read_arm

#: An arm of each kind that can be asked for.
_EXAMPLES: Final = tuple(
    f"{kind}_3" if kind.has_epsilon else kind.value for kind in ArmKind if kind is not BASE
)
BUILT_IN: Final = ("demo", "full", "regimes")


class ExperimentPlan(Part):
    """Everything that determines an experiment, up to the noise of private arms."""

    name: str = Field(pattern=NAME)
    seeds: int = Field(default=3, ge=1)
    axes: tuple[str, ...] = AXES
    arms: tuple[str, ...] = Field(min_length=1)
    base: BasePlan = BasePlan()
    text: TextPlan = TextPlan()
    audit: AuditPlan = AuditPlan()
    claims: ClaimsPlan = ClaimsPlan()
    train: ArmSettings = ArmSettings()
    #: Settings by arm, over those of ``train``.
    arm: dict[str, ArmSettings] = Field(default_factory=dict)
    #: Diagnostics of gradient disparity in training, besides one before it: so many steps apart, or
    #: so many of each training, which puts arms of different lengths on one scale. None: none.
    diagnose_every: int | None = Field(default=None, ge=1)
    diagnose_times: int | None = Field(default=None, ge=1)
    #: Worlds in each of which every arm runs; none: the one of ``base`` and ``text``.
    regime: tuple[Regime, ...] = ()

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

    @model_validator(mode="after")
    def _has_a_world(self) -> ExperimentPlan:
        if self.regime:
            return self
        if not self.base.is_given:
            raise ValueError(f"base: {ONE_BASE}")
        if not self.text.is_given:
            raise ValueError(f"text: {ONE_TEXT}")
        return self

    @model_validator(mode="after")
    def _regimes_fit(self) -> ExperimentPlan:
        names = [one.name.casefold() for one in self.regime]
        for place, one in enumerate(self.regime):
            if names[place] in names[:place]:
                raise ValueError(f"two regimes are named '{one.name}'")
            if not one.base_over(self.base).is_given:
                raise ValueError(f"regime '{one.name}' has no base: neither its own nor [base]'s")
            if not one.text_over(self.text).is_given:
                raise ValueError(f"regime '{one.name}' has no text: neither its own nor [text]'s")
            try:
                self._in(one)
            except ValidationError as error:
                raise ValueError(f"regime '{one.name}': {first_fault(error)}") from error
        return self

    @model_serializer(mode="wrap")
    def _as_before_regimes(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave regimes out where there are none: such a plan reads as one that knows of none."""
        content: dict[str, Any] = handler(self)
        if not self.regime:
            content.pop("regime", None)
        return content

    def regimes(self) -> dict[str, ExperimentPlan]:
        """Return the plan of each regime by name: a plan without regimes, named after it."""
        return {one.name: self._in(one) for one in self.regime}

    def _in(self, regime: Regime) -> ExperimentPlan:
        own = {
            "name": regime.name,
            "base": regime.base_over(self.base),
            "text": regime.text_over(self.text),
            "claims": regime.claims.over(self.claims),
            "regime": (),
        }
        kept = {name: getattr(self, name) for name in type(self).model_fields}
        return ExperimentPlan.model_validate({**kept, **own})

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
        content = parse_toml(_text(source))
        if "map" in content:
            raise UsageError(
                f"{source}: a plan with [map] is run by 'fairaudit experiment map {source}'"
            )
        return ExperimentPlan.model_validate(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source}: not TOML ({error})") from error
    except ValidationError as error:
        raise UsageError(f"{source}: {first_fault(error)}") from error


def starter_plan() -> str:
    """Return the text of a commented plan to start from."""
    return shipped_plan("starter")


def shipped_plan(name: str) -> str:
    """Return the text of a plan that comes with the package."""
    plans = resources.files("fairaudit.experiments").joinpath("plans")
    return plans.joinpath(f"{name}.toml").read_text("utf-8")


def _text(source: str | Path) -> str:
    if str(source) in BUILT_IN:
        return shipped_plan(str(source))
    try:
        return Path(source).read_text("utf-8")
    except FileNotFoundError:
        known = ", ".join(BUILT_IN)
        raise UsageError(f"{source}: no such plan file, and no built-in plan ({known})") from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source}: cannot be read ({error})") from error


def first_fault(error: ValidationError) -> str:
    """Say in one line what is wrong first, with the nearest known key for an unknown one."""
    fault = error.errors()[0]
    where = ".".join(str(part) for part in fault["loc"])
    if fault["type"] != "extra_forbidden":
        return f"{where + ': ' if where else ''}{fault_words(fault)}"
    near = difflib.get_close_matches(str(fault["loc"][-1]), _keys(), n=1)
    return f"unknown key '{where}'" + (f"; did you mean '{near[0]}'?" if near else "")


def _keys() -> list[str]:
    parts = (
        ExperimentPlan,
        BasePlan,
        TextPlan,
        WorldText,
        ArmSettings,
        AuditPlan,
        ClaimsPlan,
        Regime,
        RegimeClaims,
    )
    return sorted({name for part in parts for name in part.model_fields})
