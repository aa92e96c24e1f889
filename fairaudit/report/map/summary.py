"""The plain words at the top of a map: what was found, in a sentence, and what explains it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fairaudit.report import words
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.map import numbers
from fairaudit.report.names import axis_name
from fairaudit.results.map import FrequencyPart, HeldOut, MapResult, MapSide, OverSeeds
from fairaudit.vocabulary.arms import ArmKind
from fairaudit.vocabulary.tones import Tone

SCOPE: Final = (
    "This holds for small models on text of a known world, with one training recipe. It shows a "
    "dependence, not a law of differential privacy, and says nothing about text that people wrote."
)
_PLACES: Final = {
    "more": "where the base leans more than the text",
    "less": "where it leans less",
    "same": "where both lean alike",
}
_DIRECTIONS: Final[Mapping[Tone, str]] = {
    Tone.TOWARDS: "higher",
    Tone.AWAY: "lower",
    Tone.OPEN: "not shown to differ",
}


def headline(result: MapResult) -> str:
    """Say in one sentence where bias is higher under DP, where lower, and what explains it."""
    unit = numbers.unit_of(result)
    known = (one for one in result.sides if one.change.value is not None)
    sides = {one.side: one for one in known if one.arm is None}
    said = [
        f"{_direction(sides[side])} {_PLACES[side]} ({numbers.whole(sides[side].change, unit)})"
        for side in ("more", "less")
        if side in sides
    ]
    if not said:
        return "DP against plain: not known, for no private arm finished beside a plain one."
    found, law = f"DP against plain: bias {', '.join(said)}", together(result)
    return f"{found}; {_explained(law)}." if law is not None else f"{found}."


def together(result: MapResult) -> HeldOut | None:
    """Return the fit of all private arms without twins on held-out cells."""
    return next((one for one in result.held_out if one.arm is None), None)


def same(result: MapResult) -> str:
    """Say what happens where base and text lean alike, or nothing."""
    one = next((one for one in result.sides if one.arm is None and one.side == "same"), None)
    if one is None:
        return ""
    shown = numbers.whole(one.change, numbers.unit_of(result))
    return f"Where both lean alike, the difference of DP from plain is {shown}."


def way(result: MapResult) -> str:
    """Say which share of the way from base to plain private models moved, by ε."""
    found = [one for one in result.moved if arm_of(one.arm).kind is ArmKind.DP]
    parts = [
        f"{numbers.share_whole(one.share)} at ε = {arm_of(one.arm).epsilon:g}" for one in found
    ]
    if not parts:
        return ""
    return f"Private models moved part of the way from base to plain: {words.listed(parts)}."


def unexplained(result: MapResult) -> str:
    """Say what is left over by how frequent a group is, at the middle ε.

    Beyond a plain model that was stopped as far along, where plain runs were looked at on their
    way; otherwise beyond one share of the way for all.
    """
    rows = [one for one in result.frequencies if one.arm == middle_arm(result)]
    if not rows:
        return ""
    unit, early = numbers.unit_of(result), rows[0].beyond_early is not None
    parts = [
        f"{numbers.whole(left_over(one), unit)} for groups with "
        f"{numbers.frequency(one.frequency)} of the sentences"
        for one in rows
    ]
    name = arm_of(rows[0].arm).name
    beyond = "a plain model stopped as far along" if early else "one share of the way for all"
    return (
        f"Beyond {beyond} ({name}, mean over leans): {words.listed(parts)}. "
        f"{_reading(result, rows)}"
    )


def left_over(found: FrequencyPart) -> OverSeeds:
    """Return what less training does not explain, as well as that is known."""
    return found.unexplained if found.beyond_early is None else found.beyond_early


def middle_arm(result: MapResult) -> str | None:
    """Return the private arm of the middle ε, beside which the other arms were trained."""
    private = sorted(
        (arm for arm in result.arms if arm_of(arm).kind is ArmKind.DP),
        key=lambda arm: arm_of(arm).epsilon or 0.0,
    )
    return private[len(private) // 2] if private else None


def measured(result: MapResult) -> str:
    """Say what was trained and repeated."""
    n_runs = sum(world.n_runs for world in result.worlds)
    n_failed = sum(len(world.failures) for world in result.worlds)
    lost = f" {n_failed} runs failed." if n_failed else ""
    axes = words.listed([axis_name(axis).lower() for axis in result.axes])
    leans, shares = len(result.leans), len(result.shares)
    grid = f"{words.plural(leans, 'lean')} × {words.plural(shares, 'share')}"
    arms = words.plural(len(result.arms) + 1, "arm")
    return (
        f"One base model, {words.plural(len(result.worlds), 'text')} ({grid}), {arms}, "
        f"{words.plural(result.n_seeds, 'seed')}: {words.count(n_runs)} models audited. Bias is "
        f"the mean log-odds over {axes}; a change is a difference seed by seed.{lost}"
    )


def failures(result: MapResult) -> Iterator[str]:
    """Yield one line per failed run."""
    for world in result.worlds:
        for line in world.failures:
            yield f"{world.name}: {line}"


def _direction(found: MapSide) -> str:
    return _DIRECTIONS[numbers.tone(found.change)]


def _explained(law: HeldOut) -> str:
    if law.r_squared is None:
        return f"how much moving less explains is not known ({law.reason})"
    bounds = ""
    if law.interval is not None:
        low, high = (numbers.share(max(end, 0.0)) for end in (law.interval.low, law.interval.high))
        bounds = f" [{low.removesuffix(' %')}, {high.removesuffix(' %')}]"
    if law.r_squared <= 0:
        return "moving less explains none of the variance over held-out cells"
    return (
        f"{numbers.share(law.r_squared)}{bounds} of the variance over held-out cells is explained "
        "by moving less"
    )


def _reading(result: MapResult, rows: list[FrequencyPart]) -> str:
    """Say where bias lies beyond what less training explains, and which arms show the same."""
    parts = []
    for tone, word in ((Tone.TOWARDS, "more"), (Tone.AWAY, "less")):
        some = [one for one in rows if numbers.tone(left_over(one)) is tone]
        if some:
            names = words.listed([numbers.frequency(one.frequency) for one in some])
            parts.append(f"{word} bias for groups with {names}")
    if not parts:
        return "These seeds show nothing beyond it."
    alike = [arm_of(arm).name for arm in result.arms if _shows_the_same(result, arm, rows)]
    others = (
        f"{words.listed(alike)} show{'s' if len(alike) == 1 else ''} the same, so it is not owned "
        "by privacy alone"
        if alike
        else "no arm without a guarantee shows the same"
    )
    text = " and ".join(parts)
    return f"That is {text} than less training explains; {others}."


def _shows_the_same(result: MapResult, arm: str, rows: list[FrequencyPart]) -> bool:
    """Whether an arm without a guarantee leaves the same directions over as the private one."""
    if arm_of(arm).private:
        return False
    found = {one.frequency: left_over(one) for one in result.frequencies if one.arm == arm}
    wanted = [one for one in rows if numbers.tone(left_over(one)) is not Tone.OPEN]
    return all(
        numbers.tone(found.get(one.frequency)) is numbers.tone(left_over(one)) for one in wanted
    )
