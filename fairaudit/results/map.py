"""`MapResult`: bias change of every arm against plain, over lean × ε × share of the group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from fairaudit.results.display import Plotted
from fairaudit.results.stored import Stored
from fairaudit.results.types import Frozen, Interval, Run

if TYPE_CHECKING:
    import pandas as pd

MAP_SCHEMA: Literal["fairaudit/map"] = "fairaudit/map"
MAP_SCHEMA_VERSION = 1

Side = Literal["less", "same", "more"]


class OverSeeds(Frozen):
    """One number over seeds; towards the stereotype is positive.

    Attributes
    ----------
    value : float or None
        Mean over seeds; None with a reason.
    interval : Interval or None
        Student's interval over seeds; None with fewer than three.
    n_seeds : int
        Seeds that entered.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    value: float | None
    interval: Interval | None = None
    n_seeds: int = Field(ge=0)
    reason: str | None = None


class MapWorld(Frozen):
    """One text that every arm is fine-tuned on, with what became of its runs.

    Attributes
    ----------
    name : str
        Name of the world.
    lean : float
        By how much the base's text leans more than the fine-tuning text, in nats, as planted.
    share : float
        Part of the second group of each axis in the fine-tuning text, 0-1.
    folder : str
        Folder of its arms, relative to the map's.
    n_runs : int
        Runs that finished.
    failures : tuple of str
        Runs that failed: arm, seed and reason.
    base, plain : OverSeeds
        Mean log-odds of base and plain arm, as measured, and what the text implies.
    implied : float
        See ``base``.
    """

    name: str
    lean: float
    share: float
    folder: str
    n_runs: int = Field(ge=0)
    failures: tuple[str, ...] = ()
    base: OverSeeds
    plain: OverSeeds
    implied: float


class MapCell(Frozen):
    """Bias of one arm minus that of the plain one in one world, seed by seed.

    ``change`` = ``explained`` + ``unexplained``, the latter two where the law could be fitted on
    the other leans.

    Attributes
    ----------
    world : str
        Name of the world.
    lean : float
        By how much the base's text leans more than the fine-tuning text, in nats.
    share : float
        Part of the second group in the fine-tuning text, 0-1.
    arm : str
        The arm of the recipe.
    change : OverSeeds
        Arm − plain in mean log-odds, over seeds; above 0 is more stereotyped.
    explained : OverSeeds or None
        Its part that going less of the way explains.
    unexplained : OverSeeds or None
        The rest.
    by_axis : dict of str to float
        Change by axis, for who wants to see that the axes agree; not corrected for looks.
    """

    world: str
    lean: float
    share: float
    arm: str
    change: OverSeeds
    explained: OverSeeds | None = None
    unexplained: OverSeeds | None = None
    by_axis: dict[str, float] = Field(default_factory=dict)


class MovedShare(Frozen):
    """Which share of the way from base to plain an arm moved, over all worlds.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    share : OverSeeds
        Share of the way from base to plain, over seeds.
    """

    arm: str
    share: OverSeeds


class HeldOut(Frozen):
    """How well the law predicts the changes of worlds with a lean that it was not fitted on.

    Attributes
    ----------
    arm : str or None
        None: all private arms without twins together.
    r_squared : float or None
        R², at most 1; below 0 the mean change of the other leans predicts better.
    interval : Interval or None
        Percentile interval over cells.
    n_cells : int
        Cells of the map that entered.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    arm: str | None
    r_squared: float | None
    interval: Interval | None = None
    n_cells: int = Field(ge=0)
    reason: str | None = None


class FrequencyPart(Frozen):
    """Stereotypes about groups of one frequency: what of the change moving less explains.

    Means over leans. k is that of whole worlds with other leans, so that ``unexplained`` is what
    befalls a group beyond what befalls everybody: by clipping and noise, or because the way from
    base to plain is not straight. Arms without a guarantee tell the two apart.

    Attributes
    ----------
    arm : str
        The arm of the recipe.
    frequency : float
        Part of the text's sentences on the axis that name the stereotype's group, 0-1.
    change : OverSeeds
        Arm − plain in mean log-odds on these stereotypes, over seeds.
    explained : OverSeeds
        Its part that going less of the way explains.
    unexplained : OverSeeds
        The rest.
    share : OverSeeds
        Share of the way moved on these stereotypes alone.
    early, beyond_early : OverSeeds or None
        The change that a plain model shows which was stopped where plain runs had gone the
        arm's share, and what is left beyond it: what clipping and noise add to less training.
        None where no plain run was looked at on its way.
    """

    arm: str
    frequency: float
    change: OverSeeds
    explained: OverSeeds
    unexplained: OverSeeds
    share: OverSeeds
    early: OverSeeds | None = None
    beyond_early: OverSeeds | None = None


class MapSide(Frozen):
    """Mean change of the private arms against plain where the base leans more, alike or less.

    Attributes
    ----------
    arm : str or None
        None: all private arms without twins together.
    side : Side
        Whether the base leans more than the text, less, or alike.
    change : OverSeeds
        Arm − plain in mean log-odds on that side, over seeds.
    n_cells : int
        Cells of the map that entered.
    """

    arm: str | None
    side: Side
    change: OverSeeds
    n_cells: int = Field(ge=1)


class MapResult(Plotted, Stored):
    """Everything a map found; seeds are resampled, and cells where the law is tested.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    name : str
        Name of the plan.
    plan : dict
        The plan, key by key, with all defaults.
    metric : str
        The declared metric.
    axes : tuple of str
        Axes that means are taken over.
    leans : tuple of float
        Leans of the grid, in nats.
    epsilons : tuple of float
        ε of the grid.
    shares : tuple of float
        Group sizes of the grid, 0-1.
    arms : tuple of str
        Arms that every world has.
    n_seeds : int
        Seeds of each arm.
    worlds : tuple of MapWorld
        Every text of the grid.
    cells : tuple of MapCell
        Every arm in every world.
    moved : tuple of MovedShare
        Share of the way by arm.
    held_out : tuple of HeldOut
        How well the law predicts texts that it was not fitted on.
    frequencies : tuple of FrequencyPart
        What the law leaves over, by frequency of the group.
    sides : tuple of MapSide
        Mean change where the base leans more, and where it leans less.
    notes : tuple of str
        What a reader must know, in sentences.
    versions : dict of str to str
        Versions of the libraries that decide numbers, by name.
    run : Run
        When, where and with which command it was made.
    """

    schema_: Literal["fairaudit/map"] = Field(default=MAP_SCHEMA, alias="schema")
    schema_version: int = MAP_SCHEMA_VERSION
    name: str
    plan: dict[str, Any]
    metric: str
    axes: tuple[str, ...]
    leans: tuple[float, ...]
    epsilons: tuple[float, ...]
    shares: tuple[float, ...]
    arms: tuple[str, ...]
    n_seeds: int = Field(ge=1)
    worlds: tuple[MapWorld, ...]
    cells: tuple[MapCell, ...] = ()
    moved: tuple[MovedShare, ...] = ()
    held_out: tuple[HeldOut, ...] = ()
    frequencies: tuple[FrequencyPart, ...] = ()
    sides: tuple[MapSide, ...] = ()
    notes: tuple[str, ...] = ()
    versions: dict[str, str] = Field(default_factory=dict)
    run: Run

    @property
    def complete(self) -> bool:
        """Whether every arm of every world and seed finished."""
        return not any(world.failures for world in self.worlds)

    def to_frame(self) -> pd.DataFrame:
        """One row per cell: the change with its interval, and its two parts."""
        import pandas as pd

        rows = []
        for cell in self.cells:
            row: dict[str, Any] = cell.model_dump(include={"world", "lean", "share", "arm"})
            for name in ("change", "explained", "unexplained"):
                found: OverSeeds | None = getattr(cell, name)
                bounds = found.interval if found else None
                row[name] = found.value if found else None
                row[f"{name}_low"] = bounds.low if bounds else None
                row[f"{name}_high"] = bounds.high if bounds else None
            rows.append({**row, "n_seeds": cell.change.n_seeds})
        return pd.DataFrame(rows)
