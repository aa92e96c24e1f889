"""What `peers` finds out from its runs: equal answers, ratios of times, and which goals hold."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from peer_sides import HARNESS, OURS, Answers, Contest

#: Items whose two best answers are nearer than this, in nats, have no choice to agree on.
TIED: Final = 1e-3
#: The same in bfloat16, which keeps 8 bits: what it leaves of a sentence's log-probability.
TIED_BF16: Final = 2.0
BF16: Final = f"{OURS} bf16"
SCRIPT: Final = "one variant per forward"

Run = Mapping[str, Any]


@dataclass(frozen=True)
class Goal:
    """How much less of something one side must take than another, or at most of all.

    Parameters
    ----------
    measure : str
        A number of every run; also given in processor time where there is such a one.
    bar : float
        The least ratio, slow to fast; without a slow side, the most that the fast one may take.
    """

    contest: str
    words: str
    fast: str
    slow: str | None
    measure: str
    bar: float


GOALS: Final = (
    Goal("pairs", "pairs, end to end", OURS, HARNESS, "wall_seconds", 2.5),
    Goal("pairs", "pairs, scoring phase", OURS, HARNESS, "scoring_wall", 1.0),
    Goal("choices", "multiple choice, end to end", OURS, HARNESS, "wall_seconds", 4.0),
    Goal("masked", "masked pairs, end to end", OURS, SCRIPT, "wall_seconds", 7.0),
    Goal("masked", "masked pairs, seconds of one core", OURS, None, "cpu_seconds", 125.0),
    Goal("statistics", "100 intervals", OURS, "loop over scipy.stats.bootstrap", "step_wall", 1.0),
    Goal("dp", "private step, tied weights", "ours", "opacus_hooks", "step_wall", 1.5),
    Goal("dp_untied", "private step, ghost", "ours_untied", "opacus_ghost", "step_wall", 1.0),
    Goal("chat", "chat model, scoring phase", OURS, HARNESS, "scoring_wall", 1.2),
    Goal("chat", "chat model, bf16 beside fp32", BF16, OURS, "scoring_wall", 1.0),
)


def judged(runs: Sequence[Run]) -> list[dict[str, Any]]:
    """Judge every goal whose contest was run: the figure, its spread over rounds, met or not."""
    return [row for goal in GOALS if (row := _judged(goal, runs)) is not None]


def _judged(goal: Goal, runs: Sequence[Run]) -> dict[str, Any] | None:
    found = _ratios(goal, runs, goal.measure)
    if not found:
        return None
    middle = statistics.median(found)
    met = middle >= goal.bar if goal.slow else middle <= goal.bar
    cpu = _ratios(goal, runs, goal.measure.replace("wall", "cpu")) if goal.slow else []
    short = goal.bar / middle if goal.slow else middle / goal.bar
    return {
        "contest": goal.contest,
        "goal": goal.words,
        "beside": goal.slow or "a limit in seconds",
        "bar": goal.bar,
        "found": round(middle, 2),
        "lowest": round(min(found), 2),
        "highest": round(max(found), 2),
        "rounds": len(found),
        "in_processor_time": round(statistics.median(cpu), 2) if cpu else None,
        "met": met,
        "short_by_factor": None if met else round(short, 2),
    }


def _ratios(goal: Goal, runs: Sequence[Run], measure: str) -> list[float]:
    """One figure a round: sides of a round ran next to each other, whatever the machine's phase."""
    sides = {
        name: {run["round"]: run[measure] for run in runs if _of(run, goal.contest, name)}
        for name in (goal.fast, goal.slow)
        if name is not None
    }
    fast = sides[goal.fast]
    if goal.slow is None:
        return list(fast.values())
    slow = sides[goal.slow]
    return [slow[number] / fast[number] for number in sorted(fast.keys() & slow.keys())]


def _of(run: Run, contest: str, side: str) -> bool:
    return bool(run["contest"] == contest and run["side"] == side)


def agreement(contest: Contest, answers: Mapping[str, Answers]) -> list[dict[str, Any]]:
    """Compare what every other side found with what ours did."""
    reference = answers[contest.sides[0].name]
    same = _same_preferences if contest.same == "preference" else _same_numbers
    return [
        {
            "contest": contest.name,
            "side": side.name,
            **same(reference, answers[side.name], side.name),
        }
        for side in contest.sides[1:]
        if side.name in answers
    ]


def _same_preferences(ours: Answers, theirs: Answers, side: str) -> dict[str, Any]:
    """Count the items on which both prefer the same, of those that are no tie in either."""
    tied = TIED_BF16 if "bf16" in side else TIED
    clear = [item for item in theirs if all(_gap(scores[item]) > tied for scores in (ours, theirs))]
    same = sum(_best(ours[item]) == _best(theirs[item]) for item in clear)
    largest = max(
        abs(a - b) for item in theirs for a, b in zip(ours[item], theirs[item], strict=True)
    )
    return {
        "items": len(theirs),
        "not_tied": len(clear),
        "same_preference": same,
        "largest_difference": float(f"{largest:.1e}"),
        "equal": bool(ours.keys() == theirs.keys() and same == len(clear)),
    }


def _gap(scores: Sequence[float]) -> float:
    best, second = sorted(scores, reverse=True)[:2]
    return best - second


def _best(scores: Sequence[float]) -> int:
    return max(range(len(scores)), key=scores.__getitem__)


#: Largest difference of numbers that are computed in another order, by their name.
_ROUNDING: Final = {"after_first_step": 1e-4, "value": 1e-9}


def _same_numbers(ours: Answers, theirs: Answers, side: str) -> dict[str, Any]:
    """Compare numbers of the same protocol, and say how far those of another one lie."""
    del side
    far = {
        name: max(abs(a - b) for a, b in zip(ours[name], theirs[name], strict=True))
        for name, numbers in theirs.items()
        if isinstance(numbers, list)
    }
    checked = {name: value for name, value in far.items() if name in _ROUNDING}
    return {
        "items": len(next(value for value in theirs.values() if isinstance(value, list))),
        "largest_difference": float(f"{max(checked.values()):.1e}"),
        "largest_difference_of_interval_ends": (
            round(max(far["low"], far["high"]), 4) if "low" in far else None
        ),
        "equal": all(value <= _ROUNDING[name] for name, value in checked.items()),
    }
