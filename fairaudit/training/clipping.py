"""How gradients are clipped: three ways, each of which adds at most C for a record.

- *flat*: g · min(1, C/‖g‖), the clipping of DP-SGD (Abadi et al. 2016);
- *automatic*: g · C/(‖g‖ + 0.01). Every gradient gets about the length C, short ones too, so that C
  only sets the step length (Bu et al. 2023, arXiv:2206.07136);
- *groupwise*: the gradient of each block of the model is clipped by itself, to a threshold that
  follows a quantile of the norms seen so far (He et al. 2023, arXiv:2212.01539; Andrew et al. 2021,
  arXiv:1905.03871).

**Groupwise costs no more ε than the others.** A record adds one vector to a step: its clipped
gradient, of length C√(1 − s), and for each of K blocks a coordinate ±w that says whether the block
was clipped, with w = C√(s/K). Their joint length is at most C, and the noise of σC lies on all
coordinates. So a step is one Gaussian mechanism as ever, of which the counts spend the share s.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol

import torch
from torch import Tensor

from fairaudit.gradients import GradientEngine, Query, clip_factors
from fairaudit.results.privacy import ClippingStatement
from fairaudit.training.recipe import ClippingName, Recipe

#: As Bu et al. have it: what keeps a gradient of length 0 at 0.
_STABILITY: Final = 0.01
#: Share of the squared sensitivity that the counts take, and how fast thresholds move (He et al.).
COUNT_SHARE: Final = 0.01
_SPEED: Final = 0.3
#: Share of the records whose block should not be clipped.
_QUANTILE: Final = 0.5
#: Where the counts stand among the sums; no parameter has that name.
_COUNTS: Final = " clipping counts"
_BLOCK: Final = re.compile(r"^(.*?\.\d+)\.")


class Clipped(NamedTuple):
    """Lengths of the gradients [U], and which of them (or what share of their blocks) were cut."""

    norms: Tensor
    cut: Tensor


class Clipping(Protocol):
    """Adds clipped gradients to sums, and may learn from the sums once noise is on them."""

    def prepare(self, sums: dict[str, Tensor]) -> None:
        """Add what else a step sums up, at 0."""

    def add(self, query: Query, sums: dict[str, Tensor]) -> Clipped:
        """Add the clipped gradients of a batch's units."""

    def learn(self, sums: dict[str, Tensor], expected: float) -> None:
        """Take what `prepare` added out of the noisy sums, and learn from it."""

    @property
    def state(self) -> dict[str, Any]:
        """What it has learned."""

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from what was learned."""


@dataclass(frozen=True, slots=True)
class ByNorm:
    """Flat or automatic clipping: one factor for a record's whole gradient.

    Parameters
    ----------
    max_norm : float
        C.
    automatic : bool
        Whether all gradients get about that length.
    """

    max_norm: float
    automatic: bool = False

    def prepare(self, sums: dict[str, Tensor]) -> None:
        """Nothing else is summed up."""

    def add(self, query: Query, sums: dict[str, Tensor]) -> Clipped:
        """Add Σ_u f_u g_u."""
        norms = query.norms()
        query.weighted_sum(self._factors(norms), into=sums)
        return Clipped(norms, (norms > self.max_norm).double())

    def _factors(self, norms: Tensor) -> Tensor:
        if self.automatic:
            return self.max_norm / (norms + _STABILITY)
        return clip_factors(norms, self.max_norm)

    def learn(self, sums: dict[str, Tensor], expected: float) -> None:
        """Nothing is learned."""

    @property
    def state(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Nothing to restore."""


@dataclass(slots=True)
class Groupwise:
    """Clipping of each block by itself, to thresholds that are learned under the same ε.

    Parameters
    ----------
    max_norm : float
        C, the length that a record's whole contribution cannot exceed, counts included.
    groups : sequence of sequence of str
        Names of the parameters of each block, every trained one in exactly one.
    share : float
        s, what the counts take of C².
    """

    max_norm: float
    groups: Sequence[Sequence[str]]
    share: float = COUNT_SHARE
    _quantiles: list[float] = field(init=False)

    def __post_init__(self) -> None:
        """Start with equal thresholds."""
        self._quantiles = [self.max_norm / math.sqrt(len(self.groups))] * len(self.groups)

    @property
    def thresholds(self) -> list[float]:
        """C_k of each block: in proportion to its quantile, and together C√(1 − s)."""
        length = math.sqrt(sum(value**2 for value in self._quantiles))
        whole = self.max_norm * math.sqrt(1 - self.share)
        return [whole * value / length for value in self._quantiles]

    @property
    def _mark(self) -> float:
        """Entry w of a record in each count, with either sign."""
        return self.max_norm * math.sqrt(self.share / len(self.groups))

    def prepare(self, sums: dict[str, Tensor]) -> None:
        """Add one count for each block."""
        like = next(iter(sums.values()))
        sums[_COUNTS] = torch.zeros(len(self.groups), dtype=like.dtype, device=like.device)

    def add(self, query: Query, sums: dict[str, Tensor]) -> Clipped:
        """Add the blocks' clipped gradients and the counts."""
        squares, cut = torch.zeros_like(query.losses), torch.zeros_like(query.losses)
        for number, (names, limit) in enumerate(zip(self.groups, self.thresholds, strict=True)):
            part = query.of_parameters(names)
            norms = part.norms()
            part.weighted_sum(clip_factors(norms, limit), into=sums)
            within = norms <= self._quantiles[number]
            sums[_COUNTS][number] += self._mark * float((2.0 * within.double() - 1.0).sum())
            squares += norms.square().to(squares)
            cut += (norms > limit).to(cut)
        return Clipped(squares.sqrt(), cut / len(self.groups))

    def learn(self, sums: dict[str, Tensor], expected: float) -> None:
        """Move each quantile by what share of the records lay within it, as far as noise says."""
        counts = sums.pop(_COUNTS).double() / (self._mark * expected)
        within = (0.5 + counts / 2).clamp(0.0, 1.0).tolist()
        self._quantiles = [
            value * math.exp(-_SPEED * (share - _QUANTILE))
            for value, share in zip(self._quantiles, within, strict=True)
        ]

    @property
    def state(self) -> dict[str, Any]:
        """The quantiles: they follow from noisy sums alone."""
        return {"quantiles": list(self._quantiles)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from quantiles."""
        self._quantiles = [float(value) for value in state["quantiles"]]


def blocks_of(names: Iterable[str]) -> list[list[str]]:
    """Parameters by block: all up to the first number of their names; the others are one more.

    Examples
    --------
    >>> blocks_of(["wte.weight", "h.0.mlp.weight", "h.0.mlp.bias", "h.1.mlp.weight", "ln.weight"])
    [['wte.weight', 'ln.weight'], ['h.0.mlp.weight', 'h.0.mlp.bias'], ['h.1.mlp.weight']]
    """
    found: dict[str, list[str]] = {}
    for name in names:
        block = _BLOCK.match(name)
        found.setdefault(block.group(1) if block else "", []).append(name)
    return list(found.values())


def make_clipping(recipe: Recipe, max_norm: float, engine: GradientEngine) -> Clipping:
    """Return the clipping that a recipe asks for.

    Parameters
    ----------
    recipe : Recipe
        Names it.
    max_norm : float
        C.
    engine : GradientEngine
        Its parameters are grouped into blocks.

    Returns
    -------
    Clipping
        At the start of a training.
    """
    if recipe.clipping == "groupwise":
        return Groupwise(max_norm, blocks_of(engine.parameters))
    return ByNorm(max_norm, automatic=recipe.clipping == "automatic")


def clipping_statement(kind: ClippingName, clipping: Clipping | None) -> ClippingStatement:
    """Say how gradients were clipped, as the privacy statement has it.

    Parameters
    ----------
    kind : {"flat", "automatic", "groupwise"}
        What the recipe named.
    clipping : Clipping or None
        What clipped them.

    Returns
    -------
    ClippingStatement
        With the number of groups and the share of their counts.
    """
    if isinstance(clipping, Groupwise):
        return ClippingStatement(kind=kind, groups=len(clipping.groups), count_share=clipping.share)
    return ClippingStatement(kind=kind)
