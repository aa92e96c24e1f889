"""One batch through the model: hidden states, the head only where it is read, fp32 log-softmax."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor
from transformers.activations import NewGELUActivation

from fairaudit.errors import ModelError, NonFiniteError
from fairaudit.scoring.batch_independence import agreement, find_batching
from fairaudit.scoring.batch_plan import Batch
from fairaudit.scoring.batching import Batching
from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.memory import MEMORY_ERRORS, may_split, out_of_memory
from fairaudit.scoring.probe_rows import Ids
from fairaudit.scoring.token_rows import TokenRow
from fairaudit.scoring.trees import largest_tree, tree_inputs, tree_of

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scored:
    """What was read from a batch: one entry per read, in the batch's order.

    ``tokens`` are the targets, those that were asked for by rank included; None where none was.
    """

    log_probs: list[float]
    top1: list[bool]
    weights: list[float] | None
    tokens: list[int] | None = None


class Forward:
    """Runs batches on one model.

    Between backbone and vocabulary head only the positions that are read are kept: the head costs
    as much as several layers, and most positions of a masked row are never read. A hook on the
    backbone does that for every architecture alike; a self-check at the start compares it with
    the plain forward pass and, should they differ, the plain one is used. Another one finds out
    whether rows may be padded; see `fairaudit.scoring.batch_independence`. A third one tries rows
    that branch; see `fairaudit.scoring.trees`.

    Parameters
    ----------
    model : PreTrainedModel
        The model.
    causal : bool
        Whether it predicts the next token; otherwise that at the same place.
    pad_id : int
        Token beyond the end of a row.
    probes : sequence of tuple of int
        Rows for the self-checks, from `probe_rows`.
    """

    def __init__(self, model: Any, *, causal: bool, pad_id: int, probes: Sequence[Ids]) -> None:
        self._model = model
        self._causal = causal
        self._pad_id = pad_id
        self._device = input_device(model)
        self._agree = agreement(model)
        self.batching: Batching = find_batching(self._read, probes, self._agree)
        self._narrow = self._narrowing_agrees(probes)
        self._probes = probes

    @cached_property
    def largest_tree(self) -> int:
        """Most tokens of a row that branches; 0 where the model reads none as it should."""
        if not self._causal or self.batching != "padded" or not self._branching_agrees():
            return 0
        return largest_tree(self._model.config, len(self._probes[-1]))

    @torch.inference_mode()
    def __call__(self, batch: Batch) -> Scored:
        """Log-probabilities of a batch's reads; splits the batch where rows may not be padded.

        It is also split when memory runs out.

        Raises
        ------
        NonFiniteError
            If a log-probability is NaN or infinite.
        ModelError
            If not even one row fits into memory.
        """
        return _joined([self._safely(part) for part in batch.parts(self.batching)])

    def _safely(self, batch: Batch) -> Scored:
        try:
            return self._score(batch)
        except MEMORY_ERRORS as error:
            if not may_split(error):
                raise
        if len(batch.rows) == 1:
            raise ModelError(
                f"out of memory on a single row of {batch.n_tokens} tokens; use a smaller device "
                "dtype or another device"
            )
        logger.warning("out of memory with %d rows; the batch is split", len(batch.rows))
        return _joined([self._safely(half) for half in batch.halves()])

    def _score(self, batch: Batch) -> Scored:
        places = {
            place: index
            for index, place in enumerate(
                dict.fromkeys((read.row, read.position) for read in batch.reads)
            )
        }
        row_index = {row: index for index, row in enumerate(batch.rows)}
        rows = self._tensor([row_index[row] for row, _ in places])
        positions = self._tensor([position for _, position in places])
        logits, received = self._logits(batch, rows, positions)
        at = self._tensor([places[read.row, read.position] for read in batch.reads])
        targets = self._tensor([read.target for read in batch.reads])
        return _collect(logits, at, targets, None if received is None else received[at])

    def _logits(
        self, batch: Batch, rows: Tensor, positions: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Logits [places, vocabulary] and, if asked for, attention received [places]."""
        inputs = self._inputs([row.ids for row in batch.rows])
        if batch.rows[0].parents:
            inputs.update(self._branches(batch.rows))
        wants_attention = batch.rows[0].attention
        with contextlib.ExitStack() as stack:
            if wants_attention:
                stack.enter_context(eager_attention(self._model))
                inputs["output_attentions"] = True
            if self._narrow:
                stack.enter_context(_narrowed(self._model, rows, positions))
            output = self._model(**inputs)
        logits = output.logits[0] if self._narrow else output.logits[rows, positions]
        if not wants_attention:
            return logits, None
        return logits, _attention_received(output.attentions, inputs)[rows, positions]

    def _inputs(self, rows: Sequence[Ids]) -> dict[str, Any]:
        width = max(map(len, rows))
        ids = [row + (self._pad_id,) * (width - len(row)) for row in rows]
        inputs: dict[str, Any] = {"input_ids": self._tensor(ids)}
        if self._causal:
            # Padding stands on the right, where causal attention never looks: no mask is needed,
            # and without one the fast causal kernel runs.
            inputs["use_cache"] = False
        elif any(len(row) < width for row in rows):
            lengths = self._tensor([len(row) for row in rows])
            inputs["attention_mask"] = (
                torch.arange(width, device=self._device) < lengths[:, None]
            ).long()
        return inputs

    def _branches(self, rows: Sequence[TokenRow]) -> dict[str, Any]:
        """Where the tokens of rows that branch stand, and what they see."""
        found = tree_inputs(rows, self._model.config, self._model.dtype)
        masks = found["attention_mask"]
        if isinstance(masks, dict):
            masks = {kind: mask.to(self._device) for kind, mask in masks.items()}
            return {**found, "attention_mask": masks}
        return {name: one.to(self._device) for name, one in found.items()}

    def _tensor(self, values: list[Any]) -> Tensor:
        return torch.tensor(values, dtype=torch.long, device=self._device)

    @torch.inference_mode()
    def _read(self, rows: Sequence[Ids]) -> list[Tensor]:
        """Log-probabilities [tokens, vocabulary] of each row, all run in one batch."""
        logits = self._model(**self._inputs(rows)).logits
        return [
            torch.log_softmax(found[: len(row)].float(), dim=-1)
            for row, found in zip(rows, logits, strict=True)
        ]

    @torch.inference_mode()
    def _branching_agrees(self) -> bool:
        """Whether rows of one tree, beside a shorter tree, are read as each of them alone."""
        rows = [branch for probe in self._probes for branch in _branches_of(probe)]
        trees = [tree_of(_branches_of(self._probes[place])) for place in (-1, 0)]
        inputs = self._inputs([tree.ids for tree, _ in trees])
        try:
            inputs.update(self._branches([tree for tree, _ in trees]))
            logits = self._model(**inputs).logits
        # Architectures refuse masks and positions in many ways.
        except Exception as error:
            if isinstance(error, MEMORY_ERRORS) and out_of_memory(error):
                raise
            logger.info("rows do not branch (%s)", error)
            return False
        alone = dict(zip(rows, self._read(rows), strict=True))
        return all(
            self._agree(alone[row], torch.log_softmax(found[path].float(), dim=-1))
            for (_, paths), found in zip(trees, logits, strict=True)
            for row, path in paths.items()
        )

    @torch.inference_mode()
    def _narrowing_agrees(self, probes: Sequence[Ids]) -> bool:
        """Whether head-after-selection equals selection-after-head on a small input."""
        inputs = self._inputs([probes[0], probes[0][::-1]])
        last = len(probes[0]) - 1
        rows, positions = self._tensor([0, 1, 1]), self._tensor([last, 0, last // 2])
        plain = self._model(**inputs).logits[rows, positions].float()
        try:
            with _narrowed(self._model, rows, positions):
                narrow = self._model(**inputs).logits[0].float()
        except (RuntimeError, TypeError, ValueError, AttributeError, IndexError, KeyError) as error:
            logger.info("the head runs at every position (%s)", error)
            return False
        return narrow.shape == plain.shape and self._agree(plain, narrow)


def _branches_of(row: Ids) -> list[Ids]:
    """Rows that share the first half, and the first two thirds, with a row."""
    starts = (len(row) // 2, 2 * len(row) // 3)
    return [row, *(row[:start] + row[start:][::-1] for start in starts)]


@contextlib.contextmanager
def _narrowed(model: Any, rows: Tensor, positions: Tensor) -> Iterator[None]:
    """While active, only hidden states [1, places, d] go on: to the head, or even before it.

    Everything that follows the last attention block works on each position alone, so a model
    of BERT's layout is narrowed there and saves its last feed-forward layer as well.
    """

    def select(_module: Any, _inputs: Any, output: Any) -> Any:
        if isinstance(output, tuple):
            return (output[0][rows, positions].unsqueeze(0), *output[1:])
        output["last_hidden_state"] = output["last_hidden_state"][rows, positions].unsqueeze(0)
        return output

    handle = _last_mixing_block(model.base_model).register_forward_hook(select)
    try:
        yield
    finally:
        handle.remove()


def _last_mixing_block(backbone: Any) -> Any:
    """Last module whose output at a position depends on others: BERT's attention, or all of it."""
    layers = getattr(getattr(backbone, "encoder", None), "layer", None)
    last = layers[-1] if isinstance(layers, torch.nn.ModuleList) and len(layers) else None
    # BERT's attention module holds its own residual connection; DistilBERT's does not.
    return getattr(last, "attention", backbone) if hasattr(last, "intermediate") else backbone


@contextlib.contextmanager
def fused_gelu(model: Any) -> Iterator[None]:
    """Run GPT-2's activation as one kernel instead of eight passes over the widest tensors.

    Both compute the tanh approximation of GELU, equal to a few units in the last place.
    """
    replaced = [
        (parent, name, child)
        for parent in model.modules()
        for name, child in parent.named_children()
        if type(child) is NewGELUActivation
    ]
    for parent, name, _ in replaced:
        setattr(parent, name, torch.nn.GELU(approximate="tanh"))
    try:
        yield
    finally:
        for parent, name, child in replaced:
            setattr(parent, name, child)


@contextlib.contextmanager
def eager_attention(model: Any) -> Iterator[None]:
    """Fast kernels do not return attention weights; the eager one does."""
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _attention_received(attentions: tuple[Tensor, ...], inputs: dict[str, Any]) -> Tensor:
    """Attention that each token receives [rows, T]: mean over layers, heads and real queries."""
    weights: Tensor = torch.stack([layer.float().mean(dim=1) for layer in attentions]).mean(dim=0)
    mask = inputs.get("attention_mask")
    if mask is None:
        return weights.mean(dim=1)
    queries = mask.to(weights.dtype)
    received: Tensor = (weights * queries[:, :, None]).sum(dim=1)
    received /= queries.sum(dim=1, keepdim=True)
    return received


def _collect(logits: Tensor, at: Tensor, targets: Tensor, received: Tensor | None) -> Scored:
    """Log-softmax at the targets in fp32, moved off the device in one piece."""
    logits = logits.float()
    by_rank = bool((targets < 0).any())
    if by_rank:
        targets = _found(logits, at, targets)
    top = logits.amax(dim=-1)
    wanted = logits[at, targets]
    # In place: the logits are the largest tensor of all and are not needed any more.
    log_sum = top + logits.sub_(top[:, None]).exp_().sum(dim=-1).log()
    columns = [wanted - log_sum[at], (wanted >= top[at]).float()]
    if received is not None:
        columns.append(received)
    values = torch.stack(columns).cpu()
    if not bool(torch.isfinite(values).all()):
        raise NonFiniteError("the model gives NaN or infinite log-probabilities")
    log_probs, top1, *rest = values.tolist()
    return Scored(
        log_probs,
        [value > 0 for value in top1],
        rest[0] if rest else None,
        targets.tolist() if by_rank else None,
    )


def _found(logits: Tensor, at: Tensor, targets: Tensor) -> Tensor:
    """Targets, with the tokens that those below 0 stand for."""
    ranks = (-targets).clamp(min=1)
    likeliest = logits.topk(int(ranks.max()), dim=-1).indices
    return torch.where(targets < 0, likeliest[at, ranks - 1], targets)


def _joined(parts: list[Scored]) -> Scored:
    if len(parts) == 1:
        return parts[0]
    weights = [part.weights for part in parts]
    # A part in which no token was asked for by rank has nothing to say of its tokens.
    tokens = [part.tokens or [-1] * len(part.log_probs) for part in parts]
    return Scored(
        [value for part in parts for value in part.log_probs],
        [value for part in parts for value in part.top1],
        None if weights[0] is None else [value for part in weights for value in part or []],
        None if all(part.tokens is None for part in parts) else [n for one in tokens for n in one],
    )
