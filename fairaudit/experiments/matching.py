"""The plain checkpoint that is as far along as a private arm, by held-out perplexity.

What is left of a difference from it is not explained by less training, if the match is close.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from fairaudit.parsing import parse_json


@dataclass(frozen=True, slots=True)
class Candidate:
    """A checkpoint on the way of the plain run."""

    checkpoint: str
    step: int
    perplexity: float


def snapshots(folder: Path) -> Iterator[Candidate]:
    """Candidates that were saved during the run."""
    for path in sorted(folder.glob("step-*/held_out.json")):
        perplexity = float(parse_json(path.read_text("utf-8"))["perplexity"])
        yield Candidate(str(path.parent), int(path.parent.name.removeprefix("step-")), perplexity)


def nearest(candidates: Sequence[Candidate], perplexity: float) -> tuple[Candidate, float | None]:
    """Candidate of the nearest perplexity, and how near that is.

    Parameters
    ----------
    candidates : sequence of Candidate
        The base model first, the finished plain run last.
    perplexity : float
        That of the private arm.

    Returns
    -------
    Candidate
        With the smallest |log(perplexity / that of the private arm)|.
    float or None
        That distance as a share of what the plain run gained on the base, log(base / plain); None
        where it gained nothing, so that perplexity does not tell how far a model is along.
    """
    base, plain = candidates[0], candidates[-1]

    def gap(one: Candidate) -> float:
        return abs(math.log(one.perplexity / perplexity))

    found = min(candidates, key=gap)
    gained = math.log(base.perplexity / plain.perplexity)
    return found, gap(found) / gained if gained > 0 else None
