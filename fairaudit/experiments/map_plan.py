"""`MapPlan`: one base model, and a grid of texts that it is fine-tuned on.

A plan of an experiment with a table ``[map]``, whose ``leans`` say by how much the base's text
leans more than the fine-tuning text, in nats. Its arms are named by their kind, and ε is put in:
every one of ``epsilons`` for ``dp``, the middle one for the others.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from pydantic import Field, ValidationError, field_validator, model_validator

from fairaudit.errors import UsageError
from fairaudit.experiments.experiment_plan import ExperimentPlan, first_fault, shipped_plan
from fairaudit.experiments.plan_parts import (
    NAME,
    ArmSettings,
    AuditPlan,
    BasePlan,
    Part,
    TextPlan,
)
from fairaudit.experiments.world import AXES
from fairaudit.parsing import parse_toml
from fairaudit.vocabulary.arms import BASE, PLAIN, ArmKind

BUILT_IN_MAP: Final = "map"
#: Arms of a map that names none.
_ARMS: Final = (
    ArmKind.PLAIN,
    ArmKind.DP,
    ArmKind.DP_CDA,
    ArmKind.CLIP_ONLY,
    ArmKind.NOISE_ONLY,
    ArmKind.PLAIN_MATCHED,
)


class MapGrid(Part):
    """The grid: every lean with every share, and every ε in each."""

    #: By how much the base's text leans more than the fine-tuning text, in nats; below 0: less.
    leans: tuple[float, ...]
    epsilons: tuple[float, ...] = Field(min_length=1)
    #: Part of the second group (``female``, ``Muslim``, ``Black``) in the fine-tuning text.
    shares: tuple[float, ...] = (0.5,)

    @model_validator(mode="after")
    def _is_a_grid(self) -> MapGrid:
        for name, values in (
            ("leans", self.leans),
            ("epsilons", self.epsilons),
            ("shares", self.shares),
        ):
            if len(set(values)) < len(values):
                raise ValueError(f"map.{name} names a value twice")
        if len(self.leans) < 2:
            raise ValueError(
                "map.leans needs two differences or more: with one there is no dependence to map, "
                "and no cell to hold out"
            )
        if not all(0 < share < 1 for share in self.shares) or not self.shares:
            raise ValueError("map.shares must lie between 0 and 1, and there must be one")
        if min(self.epsilons) <= 0:
            raise ValueError("map.epsilons must be above 0")
        return self


@dataclass(frozen=True, slots=True)
class MapWorldPlan:
    """One text of the grid, and the experiment on it."""

    name: str
    lean: float
    share: float
    plan: ExperimentPlan

    def frequency(self, named: int) -> float:
        """Part of the sentences that name the first (0) or the second group (1) of an axis."""
        return round(self.share if named else 1 - self.share, 9)


class MapPlan(Part):
    """Everything that determines a map, up to the noise of private arms."""

    name: str = Field(pattern=NAME)
    seeds: int = Field(default=3, ge=1)
    axes: tuple[str, ...] = AXES
    #: Kinds of arms; ``plain`` is always among them, for all others are compared with it.
    arms: tuple[ArmKind, ...] = _ARMS
    map: MapGrid
    base: BasePlan
    text: TextPlan
    audit: AuditPlan = AuditPlan()
    train: ArmSettings = ArmSettings()
    #: Settings by kind of arm, over those of ``train``.
    arm: dict[ArmKind, ArmSettings] = Field(default_factory=dict)

    @field_validator("arms")
    @classmethod
    def _arms_are_compared(cls, arms: tuple[ArmKind, ...]) -> tuple[ArmKind, ...]:
        if PLAIN not in arms or BASE in arms or ArmKind.DP not in arms:
            raise ValueError(
                "a map compares with 'plain' and needs 'dp'; the base is always audited"
            )
        if len(set(arms)) < len(arms):
            raise ValueError("an arm is named twice")
        return arms

    @model_validator(mode="after")
    def _texts_are_drawn(self) -> MapPlan:
        if self.base.text is None or not isinstance(self.base.text.mu, float):
            raise ValueError(
                "a map needs [base] with a text of one mu for all axes: how far the base leans is "
                "then known"
            )
        if self.text.world is None or {"mu", "share"} & self.text.world.model_fields_set:
            raise ValueError(
                "a map needs [text] with 'world', without mu and share: [map] sets both"
            )
        if self.audit.suites:
            raise ValueError("a map asks the known world's own pairs; leave 'suites' out")
        for kind in self.arm:
            if kind not in self.arms:
                raise ValueError(f"[arm.{kind}] has settings, but is not among the arms")
        return self

    @property
    def middle_epsilon(self) -> float:
        """ε of the arms that have one ε only."""
        ordered = sorted(self.map.epsilons)
        return ordered[len(ordered) // 2]

    @property
    def named_arms(self) -> dict[str, ArmKind]:
        """Names of all arms with ε put in, and their kinds."""
        found = {}
        for kind in self.arms:
            several = sorted(self.map.epsilons) if kind is ArmKind.DP else [self.middle_epsilon]
            for epsilon in several if kind.has_epsilon else [None]:
                found[kind.value if epsilon is None else f"{kind}_{epsilon:g}"] = kind
        return found

    @property
    def compared(self) -> tuple[str, ...]:
        """Arms that are compared with the plain one."""
        return tuple(name for name in self.named_arms if name != PLAIN)

    @cached_property
    def worlds(self) -> tuple[MapWorldPlan, ...]:
        """One experiment for every lean and share; all share base, seeds and arms."""
        return tuple(
            self._world(lean, share)
            for share in sorted(self.map.shares, reverse=True)
            for lean in sorted(self.map.leans)
        )

    def _world(self, lean: float, share: float) -> MapWorldPlan:
        assert self.base.text is not None
        assert self.text.world is not None
        assert isinstance(self.base.text.mu, float)
        mixture: dict[str, Any] = {
            "mu": round(self.base.text.mu - lean, 9),
            "share": dict.fromkeys(self.axes, share),
        }
        world = self.text.world.model_copy(update=mixture)
        name = f"lean_{lean:g}_share_{share:g}"
        plan = ExperimentPlan(
            name=name,
            seeds=self.seeds,
            axes=self.axes,
            arms=tuple(self.named_arms),
            base=self.base,
            text=self.text.model_copy(update={"world": world}),
            audit=self.audit,
            train=self.train,
            arm={
                name: self.arm[kind] for name, kind in self.named_arms.items() if kind in self.arm
            },
        )
        return MapWorldPlan(name, lean, share, plan)


def load_map_plan(source: str | Path) -> MapPlan:
    """Read the plan of a map from a TOML file, or the built-in one (``map``).

    Raises
    ------
    UsageError
        If there is no such file, it is not TOML, or a key is unknown or does not fit.
    """
    try:
        content = parse_toml(_text(source))
        if "map" not in content:
            raise UsageError(
                f"{source}: no table [map] with leans, epsilons and shares; run a plan without one "
                "with 'fairaudit experiment'"
            )
        return MapPlan.model_validate(content)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{source}: not TOML ({error})") from error
    except ValidationError as error:
        raise UsageError(f"{source}: {first_fault(error)}") from error


def _text(source: str | Path) -> str:
    if str(source) == BUILT_IN_MAP:
        return shipped_plan(BUILT_IN_MAP)
    try:
        return Path(source).read_text("utf-8")
    except FileNotFoundError:
        raise UsageError(
            f"{source}: no such plan file, and no built-in map ({BUILT_IN_MAP})"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{source}: cannot be read ({error})") from error
