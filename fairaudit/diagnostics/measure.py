"""One checkpoint's numbers: everything about its gradients that the formulas need.

Records are streamed in batches: norms and clip factors, sums over the batch and its clipped sum,
products with the gradients of the bias scores. What pairs of records have in common comes from
their Gram matrix, from a sketch of it, or from the sums of groups alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import torch

from fairaudit.diagnostics.bias import BiasScore
from fairaudit.diagnostics.curvature import curvatures, random_signs
from fairaudit.diagnostics.encoding import Batch, LabelledRow, batches
from fairaudit.diagnostics.grams import exact_gram, moments_of_gram, sketched_gram
from fairaudit.diagnostics.group_sums import GroupSums
from fairaudit.diagnostics.moments import Array, Moments
from fairaudit.errors import ModelError
from fairaudit.gradients import Gradient, GradientEngine, Query, clip_factors
from fairaudit.vocabulary.reasons import NotRun

if TYPE_CHECKING:
    from fairaudit.diagnostics.labels import Labels
    from fairaudit.scoring.load import LoadedModel

Pairs = Literal["exact", "sketch", "sums"]
NO_CURVATURE: Final = NotRun("no curvature probes were asked for").reason


@dataclass(frozen=True, slots=True)
class Work:
    """What is asked of a checkpoint.

    Parameters
    ----------
    rows : sequence of sequence of LabelledRow
        Rows of each record.
    labels : Labels
        Group and template of each record.
    record_ids : sequence of str
        Names for errors.
    clip_norm : float or None
        C; None: nothing is clipped, and the clipped gradients are the plain ones.
    bias : mapping of str to BiasScore
        Bias scores by axis.
    pairs : {"exact", "sketch", "sums"}
        How inner products of pairs of records are had: all of them, n² of them through a sketch,
        or only those of the groups' sums, which allows no resampling of the norm of the mean.
    curvature_probes : int
        Random directions for Tr(H); 0: no curvature at all.
    seed : int
        Seed of sketch and probes.
    """

    rows: Sequence[Sequence[LabelledRow]]
    labels: Labels
    record_ids: Sequence[str]
    clip_norm: float | None
    bias: Mapping[str, BiasScore] = field(default_factory=dict)
    pairs: Pairs = "exact"
    curvature_probes: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Curvature:
    """vᵀH_i v of each record along both updates [n] and along random directions [n, P]."""

    batch: Array
    clipped: Array
    probes: Array


@dataclass(frozen=True, slots=True)
class Measured:
    """A checkpoint's numbers, without any tensor.

    Parameters
    ----------
    losses, norms, factors : array of shape [n]
        Loss, ‖g_i‖ and s_i of each record.
    moments : Moments
        Inner products of the groups' sums.
    gram : array of shape [n, n] or None
        ⟨g_i, g_j⟩.
    sketch_error : float or None
        Largest relative error of a record's squared norm by the sketch; None: no sketch.
    along_batch, along_clipped : array of shape [n]
        ⟨g_i, g_B⟩ and ⟨g_i, ḡ_B⟩.
    bias_products : mapping of str to array of shape [n]
        ⟨∇M, g_i⟩ by axis.
    curvature : Curvature or str
        Or why there is none.
    """

    losses: Array
    norms: Array
    factors: Array
    moments: Moments
    gram: Array | None
    sketch_error: float | None
    along_batch: Array
    along_clipped: Array
    bias_products: Mapping[str, Array]
    curvature: Curvature | str


def measure(loaded: LoadedModel, engine: GradientEngine, work: Work) -> Measured:
    """Run all passes over the records of one checkpoint.

    Raises
    ------
    NonFiniteError
        If a record's gradient is NaN or infinite; it is named.
    """
    stream = _Stream(loaded, engine, work)
    first = stream.first_pass()
    norms = first.norms
    factors = (
        clip_factors(torch.from_numpy(norms), work.clip_norm).numpy()
        if work.clip_norm
        else (np.ones_like(norms))
    )
    gram, sketch_error = first.gram, None
    if work.pairs == "sketch":
        gram, sketch_error = sketched_gram(engine, stream.queries(), norms, seed=work.seed)
    if gram is not None and work.pairs == "exact":
        moments = moments_of_gram(gram, factors, work.labels)
        along_batch = gram.mean(axis=1)
        along_clipped = (gram * factors).mean(axis=1)
    else:
        assert first.sums is not None
        moments = first.sums.moments()
        along_batch, along_clipped = stream.products([first.batch, first.clipped_batch])
    return Measured(
        losses=first.losses,
        norms=norms,
        factors=factors,
        moments=moments,
        gram=gram,
        sketch_error=sketch_error,
        along_batch=along_batch,
        along_clipped=along_clipped,
        bias_products=dict(zip(work.bias, first.bias_products, strict=True)),
        curvature=stream.curvature(first),
    )


@dataclass(slots=True)
class _FirstPass:
    losses: Array
    norms: Array
    bias_products: list[Array]
    #: Means over all records, g_B and ḡ_B.
    batch: Gradient
    clipped_batch: Gradient
    sums: GroupSums | None
    gram: Array | None


class _Stream:
    """The records of one diagnosis in batches, run as often as a pass needs them."""

    def __init__(self, loaded: LoadedModel, engine: GradientEngine, work: Work) -> None:
        self._engine, self._work, self._causal = engine, work, loaded.kind == "causal"
        device = next(iter(engine.parameters.values())).device
        together = None if work.pairs == "exact" else work.labels.template_names
        pad_id = padding(loaded)
        self._batches = list(batches(work.rows, pad_id=pad_id, device=device, together=together))

    def queries(self) -> Iterator[tuple[Batch, Query]]:
        """Run the engine on one batch after another."""
        for batch in self._batches:
            yield batch, self._query(batch)

    def _query(self, batch: Batch) -> Query:
        names = [self._work.record_ids[place] for place in batch.places]
        return self._engine.query(batch.inputs, units=batch.units, record_ids=names)

    def first_pass(self) -> _FirstPass:
        work, n = self._work, len(self._work.rows)
        directions = [score.gradient for score in work.bias.values()]
        found = _FirstPass(
            losses=np.zeros(n),
            norms=np.zeros(n),
            bias_products=[np.zeros(n) for _ in directions],
            batch=self._engine.zeros(),
            clipped_batch=self._engine.zeros(),
            sums=None if work.pairs == "exact" else GroupSums(self._engine, work.labels),
            gram=np.zeros((n, n)) if work.pairs == "exact" else None,
        )
        for number, (batch, query) in enumerate(self.queries()):
            self._look(batch, query, directions, found)
            if found.gram is not None:
                exact_gram(found.gram, batch, query, self._later(number))
        if found.sums is not None:
            found.batch, found.clipped_batch = found.sums.batch_means()
        return found

    def _later(self, number: int) -> Iterator[tuple[Batch, Query]]:
        for batch in self._batches[number + 1 :]:
            yield batch, self._query(batch)

    def _look(
        self, batch: Batch, query: Query, directions: Sequence[Gradient], found: _FirstPass
    ) -> None:
        norms, places, n = query.norms(), batch.places, len(found.norms)
        clip = self._work.clip_norm
        factors = torch.ones_like(norms) if clip is None else clip_factors(norms, clip)
        found.losses[places], found.norms[places] = _numpy(query.losses), _numpy(norms)
        for products, direction in zip(found.bias_products, directions, strict=True):
            products[places] = _numpy(query.dot(direction))
        if found.sums is not None:
            found.sums.add(places, query, factors)
        else:
            query.weighted_sum(torch.ones_like(norms) / n, into=found.batch)
            query.weighted_sum(factors / n, into=found.clipped_batch)

    def products(self, directions: Sequence[Gradient]) -> list[Array]:
        """⟨g_i, direction⟩ of every record, by direction."""
        found = [np.zeros(len(self._work.rows)) for _ in directions]
        for batch, query in self.queries():
            for products, direction in zip(found, directions, strict=True):
                products[batch.places] = _numpy(query.dot(direction))
        return found

    def curvature(self, first: _FirstPass) -> Curvature | str:
        """Curvature along both updates and along the random probes; or why there is none."""
        if not self._work.curvature_probes:
            return NO_CURVATURE
        try:
            return self._curvature(first)
        except ModelError as error:
            return NotRun(str(error)).reason

    def _curvature(self, first: _FirstPass) -> Curvature:
        parameters, seed = self._engine.parameters, self._work.seed
        probes = [
            self._along(random_signs(parameters, seed, number))
            for number in range(self._work.curvature_probes)
        ]
        return Curvature(
            batch=self._along(first.batch),
            clipped=self._along(first.clipped_batch),
            probes=np.stack(probes, axis=1),
        )

    def _along(self, direction: Gradient) -> Array:
        found = np.zeros(len(self._work.rows))
        for batch in self._batches:
            rows = curvatures(self._engine.model, batch.inputs, direction, causal=self._causal)
            sizes = batch.units.bincount()
            total = torch.zeros(len(sizes), dtype=torch.float64)
            total.index_add_(0, batch.units, rows.cpu())
            found[batch.places] = (total / sizes).numpy()
        return found


def padding(loaded: LoadedModel) -> int:
    """Token on places that are masked out: the tokenizer's, or any."""
    return loaded.pad_id


def _numpy(values: torch.Tensor) -> Array:
    return np.asarray(values.detach().cpu().double().numpy())
