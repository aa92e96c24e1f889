"""One checkpoint from loading to numbers: what `diagnose` and training do for every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from fairaudit.augmentation import AXES, Swapper
from fairaudit.diagnostics.bias import (
    CAUSAL_PAIRS,
    MASKED_PAIRS,
    BiasScore,
    bias_pairs,
    bias_rows,
    bias_score,
)
from fairaudit.diagnostics.encoding import RowEncoder
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.measure import Pairs, Work, measure, padding
from fairaudit.diagnostics.per_record import per_record
from fairaudit.diagnostics.quantities import ModelNumbers, bias_summary
from fairaudit.diagnostics.records import ProbeRecord, ProbeTexts
from fairaudit.diagnostics.swap import swap_parts
from fairaudit.gradients import GradientEngine
from fairaudit.items import Item
from fairaudit.results.diagnostics import ClippingParameters

if TYPE_CHECKING:
    from fairaudit.scoring.load import LoadedModel

#: Records up to which all inner products are computed exactly.
MAX_EXACT: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What changes the numbers of a checkpoint.

    Parameters
    ----------
    seed : int
        Of masks, pairs, probes and resampling.
    replicates : int
        Of bootstrap and permutation.
    curvature_probes : int
        Random directions for Tr(H); 0: no curvature and no decomposition.
    twins : bool
        Whether records are compared with their counterfactual twins.
    max_length : int
        Tokens after which a text is cut.
    bias_axes : tuple of str
        Axes of bias scores.
    bias_items : mapping of str to sequence of Item
        Pairs of the bias score by axis; an axis that is not there has those of the embedded
        templates.
    pairs : {"exact", "sketch", "sums"} or None
        How inner products of pairs of records are had; None: exact up to 500 records.
    """

    seed: int = 0
    replicates: int = 1999
    curvature_probes: int = 4
    twins: bool = True
    max_length: int = 256
    bias_axes: tuple[str, ...] = field(default=AXES)
    bias_items: Mapping[str, Sequence[Item]] = field(default_factory=dict)
    pairs: Pairs | None = None


@dataclass(frozen=True, slots=True)
class Looked:
    """A model's numbers, and what notes must say about its texts and about how it was loaded."""

    numbers: ModelNumbers
    sketch_error: float | None
    n_truncated: int
    notes: tuple[str, ...] = ()


def look(
    loaded: LoadedModel,
    texts: ProbeTexts,
    parameters: ClippingParameters,
    settings: Settings,
    *,
    label: str,
    self_check: bool = True,
) -> Looked:
    """Measure one model on the probe texts.

    Raises
    ------
    ModelError, NonFiniteError, DataError
        If the engine refuses the model, a gradient is not finite, or a text cannot be encoded.
    """
    engine = GradientEngine(loaded.model, objective=loaded.kind, self_check=self_check)
    records, labels = texts.records, Labels.of(texts.records, texts.kept)
    encoder = RowEncoder(loaded, max_length=settings.max_length, seed=settings.seed)
    units = [
        encoder.rows(_variants(record, settings), record=record.id, template=record.template)
        for record in records
    ]
    bias = _bias_scores(engine, loaded, settings)
    names = [record.id for record in records]
    clip_norm, pad_id = parameters.max_grad_norm, padding(loaded)
    exact = settings.pairs or ("exact" if len(records) <= MAX_EXACT else "sketch")
    work = Work(
        rows=[unit[:1] for unit in units],
        labels=labels,
        record_ids=names,
        clip_norm=clip_norm,
        bias=bias,
        pairs=exact,
        curvature_probes=settings.curvature_probes,
        seed=settings.seed,
    )
    found = measure(loaded, engine, work)
    swap = (
        swap_parts(engine, units, clip_norm=clip_norm, pad_id=pad_id, names=names)
        if settings.twins
        else None
    )
    numbers = ModelNumbers(
        label=label,
        found=found,
        records=per_record(found, parameters, swap),
        labels=labels,
        parameters=parameters,
        bias={axis: bias_summary(score) for axis, score in bias.items()},
    )
    return Looked(numbers, found.sketch_error, encoder.n_truncated, loaded.notes)


def _variants(record: ProbeRecord, settings: Settings) -> Sequence[str]:
    """Return a record's text and its twins on its own axis; gender where that has no word list."""
    if not settings.twins:
        return (record.text,)
    return (record.text, *_swapper(record.axis, settings.seed).twins(record.text))


@lru_cache(maxsize=16)
def _swapper(axis: str, seed: int) -> Swapper:
    return Swapper(axes=(axis if axis in AXES else AXES[0],), seed=seed)


def _bias_scores(
    engine: GradientEngine, loaded: LoadedModel, settings: Settings
) -> dict[str, BiasScore]:
    limit = CAUSAL_PAIRS if loaded.kind == "causal" else MASKED_PAIRS
    scores = {}
    for axis in settings.bias_axes:
        items = settings.bias_items.get(axis) or bias_pairs(axis, limit, settings.seed)
        rows = bias_rows(items, loaded)
        if rows.n_pairs:
            scores[axis] = bias_score(engine, rows, pad_id=padding(loaded))
    return scores
