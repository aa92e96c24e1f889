"""The bias score M as a function of the weights, and its gradient.

M is the signed mean log-odds of the embedded templates, as the audit's primary protocols score
them: causal models by log P(words after the group term | the sentence up to it), masked models by
the pseudo-log-likelihood of the tokens that both sentences share, each at a single mask. Above 0
leans towards the stereotype.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import torch

from fairaudit.diagnostics.encoding import IGNORED, LabelledRow, batches
from fairaudit.gradients import Gradient, GradientEngine, inner_product
from fairaudit.items import Item, Skipped
from fairaudit.scoring.token_rows import Encoder, Read, TokenRow
from fairaudit.suites.pair_protocols import (
    ANTI_STEREOTYPE,
    STEREOTYPE,
    after_difference,
    mask_shared,
)
from fairaudit.suites.templates.generator import load_templates

if TYPE_CHECKING:
    from fairaudit.scoring.load import LoadedModel

#: Pairs of an axis; a masked pair costs a row for every token.
CAUSAL_PAIRS: Final = 80
MASKED_PAIRS: Final = 16


@dataclass(frozen=True, slots=True)
class BiasRows:
    """What M is made of: M = Σ_r weight_r · loss_r over rows.

    Parameters
    ----------
    rows : tuple of LabelledRow
        One row per sentence of a causal model, per masked token of a masked one.
    weights : array of shape [rows]
        −sign · label tokens / pairs: a row's loss is the mean of −log P over its label tokens.
    n_pairs : int
        Pairs of sentences.
    """

    rows: tuple[LabelledRow, ...]
    weights: np.ndarray
    n_pairs: int


@dataclass(frozen=True, slots=True)
class BiasScore:
    """M and its gradient.

    Parameters
    ----------
    value : float
        M, in nats.
    gradient : dict of str to Tensor
        ∇M by parameter.
    n_pairs : int
        Pairs behind it.
    """

    value: float
    gradient: Gradient
    n_pairs: int

    @property
    def gradient_norm(self) -> float:
        """‖∇M‖."""
        return float(inner_product(self.gradient, self.gradient) ** 0.5)


def bias_pairs(axis: str, limit: int, seed: int) -> list[Item]:
    """Draw pairs of an axis from the embedded templates, without replacement."""
    items = [item for item in load_templates() if item.axis == axis and STEREOTYPE in item.texts]
    rng = np.random.default_rng(np.random.SeedSequence([seed, len(items)]))
    chosen = rng.permutation(len(items))[:limit]
    return [items[place] for place in sorted(chosen)]


def bias_rows(items: Sequence[Item], loaded: LoadedModel) -> BiasRows:
    """Encode pairs as the audit's primary protocol does; pairs that do not fit are left out."""
    request = after_difference if loaded.kind == "causal" else mask_shared
    encoder = Encoder(loaded.tokenizer, _longest(loaded))
    rows: list[LabelledRow] = []
    weights: list[float] = []
    n_pairs = 0
    for item in items:
        asked = {role: request(item, role) for role in (STEREOTYPE, ANTI_STEREOTYPE)}
        answers = encoder.encode(asked.values())
        sides = [(sign, answers[asked[role]]) for role, sign in _SIGNS.items()]
        if any(isinstance(reads, Skipped) for _, reads in sides):
            continue
        n_pairs += 1
        for sign, reads in sides:
            assert not isinstance(reads, Skipped)
            for row in _labelled(reads, causal=loaded.kind == "causal"):
                rows.append(row)
                weights.append(-sign * sum(label != IGNORED for label in row.labels))
    return BiasRows(tuple(rows), np.array(weights) / max(n_pairs, 1), n_pairs)


def _longest(loaded: LoadedModel) -> int | None:
    """Tokens of a row; a causal row will also hold its last label."""
    if loaded.max_length is None or loaded.kind == "masked":
        return loaded.max_length
    return loaded.max_length - 1


_SIGNS: Final = {STEREOTYPE: 1, ANTI_STEREOTYPE: -1}


def _labelled(reads: Sequence[Read], *, causal: bool) -> list[LabelledRow]:
    by_row: dict[TokenRow, list[Read]] = defaultdict(list)
    for read in reads:
        by_row[read.row].append(read)
    return [_causal(row, found) if causal else _masked(row, found) for row, found in by_row.items()]


def _causal(row: TokenRow, reads: Sequence[Read]) -> LabelledRow:
    """Labels stand at their own token, which is appended where the row ends before it."""
    last = max(read.position for read in reads)
    ids = row.ids if last + 1 < len(row.ids) else (*row.ids, reads[-1].target)
    labels = [IGNORED] * len(ids)
    for read in reads:
        labels[read.position + 1] = read.target
    return LabelledRow(ids, tuple(labels))


def _masked(row: TokenRow, reads: Sequence[Read]) -> LabelledRow:
    labels = [IGNORED] * len(row.ids)
    for read in reads:
        labels[read.position] = read.target
    return LabelledRow(row.ids, tuple(labels))


def bias_score(engine: GradientEngine, rows: BiasRows, *, pad_id: int) -> BiasScore:
    """Evaluate M and ∇M in one pass."""
    gradient, value = engine.zeros(), 0.0
    device = next(iter(engine.parameters.values())).device
    for batch in batches([(row,) for row in rows.rows], pad_id=pad_id, device=device):
        query = engine.query(batch.inputs)
        weights = torch.from_numpy(rows.weights[batch.places]).to(query.losses)
        value += float(weights @ query.losses)
        query.weighted_sum(weights, into=gradient)
    return BiasScore(value, gradient, rows.n_pairs)
