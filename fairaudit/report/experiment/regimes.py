"""An experiment with regimes: in which of its worlds each claim holds, from one result each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fairaudit.report import words
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, summary, view
from fairaudit.report.experiment.arms import arm_of, arms_of
from fairaudit.report.grouping import grouped
from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import clean, shorten
from fairaudit.report.scale import Scale, fit
from fairaudit.results.experiment import ArmDifference, Claim, ExperimentResult, Level
from fairaudit.vocabulary.arms import BASE, PLAIN, Arm, ArmKind
from fairaudit.vocabulary.claims import DP_AMPLIFIES_BIAS, STATEMENTS


@dataclass(frozen=True, slots=True)
class Way:
    """Where one axis of a regime starts, and where the plain and the private arm take it."""

    axis: str
    base: Level | None
    plain: Level
    private: Level
    change: ArmDifference | None

    @property
    def implied(self) -> float | None:
        """What the fine-tuning text of a known world implies."""
        return self.plain.implied

    @property
    def values(self) -> tuple[float, ...]:
        """Everything that is drawn of it."""
        known = (level for level in (self.base, self.plain, self.private) if level is not None)
        found = [level.value for level in known]
        return (*found, *([] if self.implied is None else [self.implied]))


@dataclass(frozen=True, slots=True)
class Panel:
    """One regime: its ways by axis, all on one metric, and the private arm that is followed."""

    regime: ExperimentResult
    private: Arm
    ways: tuple[Way, ...]

    @property
    def metric(self) -> str:
        """Name of the bias score."""
        return self.ways[0].plain.name


def label_of(regime: ExperimentResult) -> str:
    """Return a regime's name in words: ``cleaner text``."""
    return shorten(clean(regime.name).replace("-", " ").replace("_", " ").strip(), 60)


def heading_of(regime: ExperimentResult) -> str:
    """Return a regime's name as a heading: ``Cleaner text``."""
    label = label_of(regime)
    return label[:1].upper() + label[1:]


def answers(result: ExperimentResult) -> tuple[str, ...]:
    """Say of each claim, in one sentence, in which regimes and on which axes it holds."""
    found = claims_by_name(result)
    if not found:
        return (summary.NOTHING_JUDGED,)
    return tuple(
        f"{findings.statement_of(name).label}: {_where(by_regime)}."
        for name, by_regime in found.items()
    )


def measured(result: ExperimentResult) -> str:
    """Say what was repeated in which regimes."""
    first = result.regimes[0]
    n, arms = len(view.seeds(first)), len(arms_of(first))
    runs = [run for regime in result.regimes for run in regime.runs]
    done = sum(run.status == "done" for run in runs)
    lost = "" if done == len(runs) else f" {done} of {len(runs)} runs finished."
    return (
        f"One training recipe in {words.plural(len(result.regimes), 'regime')}, which differ in "
        f"what the base has read and what the fine-tuning text says: {words.plural(arms, 'arm')}, "
        f"each with {numbers.seeds(n)}.{lost} A claim rests on its declared endpoint only, and is "
        "judged in each regime by itself."
    )


def claims_by_name(
    result: ExperimentResult,
) -> dict[str, list[tuple[ExperimentResult, list[Claim]]]]:
    """Group claims by what they claim, then by regime in the order of the plan."""
    found: dict[str, list[tuple[ExperimentResult, list[Claim]]]] = {}
    for regime in result.regimes:
        for name, claims in view.claims_by_name(regime).items():
            found.setdefault(name, []).append((regime, claims))
    order = [*(name for name in STATEMENTS if name in found), *found]
    return {name: found[name] for name in dict.fromkeys(order)}


def scales(result: ExperimentResult) -> dict[tuple[str, str], Scale | None]:
    """Return a scale by claim and metric, shared by the regimes that measure the same."""
    every = [claim for regime in result.regimes for claim in regime.claims]
    return {
        place: fit(map(findings.mark_of, claims))
        for place, claims in grouped(every, lambda one: (one.claim, one.metric)).items()
    }


def panels(result: ExperimentResult) -> tuple[Panel, ...]:
    """Return what is drawn of every regime in which plain and private arm were measured."""
    found = ((regime, private_of(regime)) for regime in result.regimes)
    made = (
        Panel(regime, private, ways)
        for regime, private in found
        if private is not None and (ways := tuple(_ways(regime, private.id)))
    )
    return tuple(made)


@dataclass(frozen=True, slots=True)
class LevelTable:
    """Levels of every arm of a regime at the endpoint of each axis, and what the text implies."""

    regime: ExperimentResult
    axes: tuple[str, ...]
    rows: tuple[view.ArmRow, ...]
    levels: dict[tuple[str, str], Level]
    implied: dict[str, str]


def table_of(regime: ExperimentResult) -> LevelTable:
    """Return the levels of one regime by arm and axis."""
    axes = view.axes(regime)
    levels = {(one.arm, axis): one for axis in axes for one in view.levels_of(regime, axis)}
    implied = {
        axis: numbers.implied(one)
        for (arm, axis), one in levels.items()
        if arm == PLAIN and one.implied is not None
    }
    return LevelTable(regime, axes, view.arm_rows(regime), levels, implied)


def failures(result: ExperimentResult) -> Iterator[str]:
    """Yield one line per failed run."""
    for regime in result.regimes:
        for line in summary.failures(regime):
            yield f"{heading_of(regime)}: {line}"


def private_of(regime: ExperimentResult) -> Arm | None:
    """Return the private arm that claims are about, or else the strongest one."""
    named = (one.arm for one in regime.claims if one.claim == DP_AMPLIFIES_BIAS.name)
    arm = next(named, None)
    if arm is not None:
        return arm_of(arm)
    private = [one for one in arms_of(regime) if one.kind is ArmKind.DP]
    return min(private, key=lambda one: one.epsilon or 0.0, default=None)


def _ways(regime: ExperimentResult, private: str) -> Iterator[Way]:
    for axis in view.axes(regime):
        levels = {one.arm: one for one in view.levels_of(regime, axis)}
        if PLAIN in levels and private in levels:
            change = view.difference_of(regime, private, PLAIN, axis)
            yield Way(axis, levels.get(BASE), levels[PLAIN], levels[private], change)


def _where(by_regime: Sequence[tuple[ExperimentResult, Sequence[Claim]]]) -> str:
    """Return findings with regimes and axes: ``supported in cleaner text (gender and race)``."""
    places: dict[str, list[str]] = {}
    for regime, claims in by_regime:
        for said, some in grouped(claims, findings.word_of).items():
            axes = [axis_name(one.axis).lower() for one in some]
            every = "all axes" if len(some) == len(claims) > 1 else words.listed(axes)
            places.setdefault(said.label, []).append(f"{label_of(regime)} ({shorten(every, 80)})")
    order = [word.label for word in findings.WORDS if word.label in places]
    return "; ".join(f"{said} in {words.listed(places[said])}" for said in order)
