"""Control pairs: how far scores move for no social reason.

A control pair changes a word that names no group. It has no stereotyped side, so it has no
preference rate; what it has is a size. Three numbers per axis:

``control_rms_log_odds``
    R_c = √ mean(c²) over control pairs, in nats: the size of movement for no social reason.
``identity_to_control_ratio``
    d̄ / R_c: mean signed log-odds of identity pairs over the size of control pairs. Ideal 0.
``excess_rms_log_odds``
    R_d − R_c with R_d = √ mean(d²) over identity pairs, in nats. Ideal 0 or below.

Identity and control pairs fill the same templates with the same occupations or attributes. So both
labels are what is resampled, and the two kinds of pairs are resampled together: each number is put
as values whose mean it is (`fairaudit.metrics.influence_values`), and the values of all pairs that
share a label are summed, of whichever kind they are. Sizes get their interval on the log scale,
where they are less skewed. Where few templates or occupations hold most of the movement it still
covers less than it says: 88-90 % with effects of Student's law with 4 degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.metrics.influence_values import Array, joint_values
from fairaudit.metrics.preference import ROLES
from fairaudit.metrics.sample_estimates import LEVEL, Metric, Sample, Slice, from_inference
from fairaudit.metrics.tables import Part
from fairaudit.results import Estimate
from fairaudit.stats.inference import Inference, exponentiated
from fairaudit.stats.one_estimate import infer
from fairaudit.vocabulary.metrics import (
    CONTROL_RMS_LOG_ODDS,
    EXCESS_RMS_LOG_ODDS,
    IDENTITY_TO_CONTROL_RATIO,
)

CONTROL_ROLES: Final = ("control_a", "control_b")


@dataclass(frozen=True, slots=True)
class Pairs:
    """Pairs of one kind, or of both: score differences with their two labels.

    Parameters
    ----------
    moved : array of shape [n]
        Score differences, in nats.
    clusters, templates : array of shape [n]
        Occupation or attribute, and template, of each pair.
    n_skipped : int
        Pairs without a score.
    """

    moved: Array
    clusters: NDArray[Any]
    templates: NDArray[Any]
    n_skipped: int = 0

    @classmethod
    def of(cls, part: Part, roles: tuple[str, str]) -> Pairs:
        """Differences of two roles of the items of a part."""
        items = part.items
        moved = (items[roles[0]] - items[roles[1]]).to_numpy(dtype=float)
        clusters, templates = (items[name].to_numpy(dtype=str) for name in ("cluster", "template"))
        return cls(moved, clusters, templates, part.n_skipped)

    def __add__(self, other: Pairs) -> Pairs:
        """Pairs of both kinds; a label that both have is one label."""
        return Pairs(
            np.concatenate([self.moved, other.moved]),
            np.concatenate([self.clusters, other.clusters]),
            np.concatenate([self.templates, other.templates]),
            self.n_skipped + other.n_skipped,
        )

    @property
    def n(self) -> int:
        """Number of pairs."""
        return len(self.moved)

    @property
    def size(self) -> float:
        """R, the root mean square of the differences; 0 where there are none."""
        return float(np.sqrt(np.mean(self.moved**2))) if self.n else 0.0

    @property
    def size_influence(self) -> Array:
        """(m² − R²)/2R of each pair; 0 where none moved."""
        return np.asarray((self.moved**2 - self.size**2) / (2 * (self.size or 1.0)))

    @property
    def sample(self) -> Sample:
        """The differences as a sample."""
        labels = self.clusters.tolist()
        return Sample(self.moved, labels, crossed=self.templates.tolist(), n_skipped=self.n_skipped)


@dataclass(frozen=True, slots=True)
class _Linear:
    """A number about both kinds of pairs, with the influence of each pair of either kind."""

    value: float
    of_identity: Array
    of_control: Array


def control_estimates(
    identity: Part, control: Part, where: Slice, *, seed: int
) -> Iterator[Estimate]:
    """Compare identity pairs with control pairs.

    Parameters
    ----------
    identity : Part
        Identity pairs with ``cluster``, ``template``, ``stereotype``, ``anti_stereotype``.
    control : Part
        Control pairs with ``cluster``, ``template``, ``control_a``, ``control_b``.
    where : Slice
        Suite, protocol and axis.
    seed : int
        Seed of the bootstrap, for a design with a single label.
    """
    pairs, controls = Pairs.of(identity, ROLES), Pairs.of(control, CONTROL_ROLES)
    for metric, found in control_inferences(pairs, controls, seed=seed).items():
        used = controls if metric is CONTROL_RMS_LOG_ODDS else pairs + controls
        yield from_inference(metric, where, used.sample, found)


def control_inferences(pairs: Pairs, controls: Pairs, *, seed: int = 0) -> dict[Metric, Inference]:
    """Infer the three numbers from identity and control pairs."""
    sizes = {"identity": _size(pairs, seed), "control": _size(controls, seed)}
    both = pairs + controls
    return {
        CONTROL_RMS_LOG_ODDS: sizes["control"],
        IDENTITY_TO_CONTROL_RATIO: _joint(
            _ratio(pairs, controls), both, sizes, IDENTITY_TO_CONTROL_RATIO.ideal, seed
        ),
        EXCESS_RMS_LOG_ODDS: _joint(
            _excess(pairs, controls), both, sizes, EXCESS_RMS_LOG_ODDS.ideal, seed
        ),
    }


def _size(pairs: Pairs, seed: int) -> Inference:
    """Size of one kind of pairs, inferred on its log scale: the mean of log R + (m² − R²)/2R²."""
    if pairs.size == 0:
        value, reason = (0.0, "no pair moved") if pairs.n else (None, "no pair was scored")
        return Inference(value, pairs.n, len(set(pairs.clusters)), reason=reason)
    values = np.log(pairs.size) + pairs.size_influence / pairs.size
    found = infer(values, pairs.clusters, crossed=pairs.templates, level=LEVEL, seed=seed)
    return exponentiated(found)


def _ratio(pairs: Pairs, controls: Pairs) -> _Linear | None:
    """d̄/R_c; None where there is no d̄, or R_c is 0."""
    if not pairs.n or controls.size == 0:
        return None
    mean = float(pairs.moved.mean())
    ratio = mean / controls.size
    return _Linear(
        ratio,
        (pairs.moved - mean) / controls.size,
        -ratio / controls.size * controls.size_influence,
    )


def _excess(pairs: Pairs, controls: Pairs) -> _Linear | None:
    """R_d − R_c; None where one of them does not exist."""
    if not pairs.n or not controls.n:
        return None
    return _Linear(pairs.size - controls.size, pairs.size_influence, -controls.size_influence)


def _joint(
    linear: _Linear | None,
    both: Pairs,
    sizes: Mapping[str, Inference],
    ideal: float | None,
    seed: int,
) -> Inference:
    """Infer what depends on both kinds of pairs: the bare value where one has no interval."""
    for kind, size in sizes.items():
        if size.low is None:
            value, n_clusters = None if linear is None else linear.value, len(set(both.clusters))
            reason = f"{kind} pairs: {size.reason}"
            return Inference(value, both.n, n_clusters, cautions=size.cautions, reason=reason)
    assert linear is not None
    values, weights = joint_values(linear.value, linear.of_identity, linear.of_control)
    return infer(
        values,
        both.clusters,
        weights=weights,
        crossed=both.templates,
        ideal=ideal,
        level=LEVEL,
        seed=seed,
    )
