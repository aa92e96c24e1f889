"""Rows that begin alike, joined into one that branches: what they share is encoded once.

The answers to a question share the question, the questions about a text share the text. A *tree* is
a row of tokens each of which has a parent: it sees its ancestors and itself, and its position is
its depth. So each way from the root to a leaf is read as if it stood alone, in one forward pass.

Rows are joined in lexicographic order, where a row shares most with its neighbour. A tree stays
small, since attention is computed between all its tokens; and rows that share little stay apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor

from fairaudit.items import LogLikelihood, Skipped, TokenRequest
from fairaudit.scoring.token_rows import Read, TokenRow

Ids = tuple[int, ...]
Reads = Mapping[TokenRequest, tuple[Read, ...] | Skipped]

#: Most tokens of a tree.
LARGEST: Final = 256
#: Shared tokens from which on it is cheaper to join two rows than to encode these twice.
_WORTH_SHARING: Final = 16
#: Entries of a model's config that bound how far back a token sees.
_WINDOWS: Final = ("sliding_window", "attention_window_size", "window_size", "attention_chunk_size")


@dataclass(slots=True)
class _Growing:
    """A tree while rows are added to it, and where the tokens of each row lie in it."""

    ids: list[int] = field(default_factory=list)
    parents: list[int] = field(default_factory=list)
    paths: dict[Ids, list[int]] = field(default_factory=dict)

    def add(self, ids: Ids, before: Ids, shared: int) -> None:
        """Add a row that shares its first tokens with the row ``before`` it."""
        path = self.paths[before][:shared] if shared else []
        for token in ids[shared:]:
            self.ids.append(token)
            self.parents.append(path[-1] if path else -1)
            path.append(len(self.ids) - 1)
        self.paths[ids] = path

    def moved(self) -> Iterator[tuple[TokenRow, tuple[TokenRow, list[int]]]]:
        """Yield each row with the row that takes its place, and where its tokens lie there."""
        if len(self.paths) == 1:
            for ids, path in self.paths.items():
                yield TokenRow(ids), (TokenRow(ids), path)
            return
        tree = TokenRow(tuple(self.ids), parents=tuple(self.parents))
        for ids, path in self.paths.items():
            yield TokenRow(ids), (tree, path)


def grow(reads: Reads, largest: int = LARGEST) -> dict[TokenRequest, tuple[Read, ...] | Skipped]:
    """Join the rows of requests that share their beginning; what is read stays the same.

    Parameters
    ----------
    reads : mapping
        Reads of every request, each in a row of its own.
    largest : int
        Most tokens of a tree; a longer row stays alone.
    """
    joined = {
        request: found
        for request, found in reads.items()
        if isinstance(request, LogLikelihood) and request.branches and isinstance(found, tuple)
    }
    rows = {read.row.ids for found in joined.values() for read in found}
    moved = dict(pair for tree in _trees(sorted(rows), largest) for pair in tree.moved())
    return {
        **reads,
        **{
            request: tuple(_moved(read, *moved[read.row]) for read in found)
            for request, found in joined.items()
        },
    }


def _moved(read: Read, row: TokenRow, path: Sequence[int]) -> Read:
    return Read(row, path[read.position], read.target)


def _trees(rows: Iterable[Ids], largest: int) -> Iterator[_Growing]:
    """Join rows, in lexicographic order, to the tree of the row before where that is worth it."""
    tree = _Growing()
    before: Ids = ()
    for ids in rows:
        shared = n_shared(before, ids)
        fits = len(tree.ids) + len(ids) - shared <= largest
        if tree.paths and (shared < min(_WORTH_SHARING, len(ids)) or not fits):
            yield tree
            tree, shared = _Growing(), 0
        tree.add(ids, before, shared)
        before = ids
    if tree.paths:
        yield tree


def n_shared(first: Ids, second: Ids) -> int:
    """Count the tokens with which both rows begin."""
    pairs = zip(first, second, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def tree_of(rows: Sequence[Ids]) -> tuple[TokenRow, dict[Ids, list[int]]]:
    """Join all rows into one tree, whatever they share, and say where their tokens lie."""
    tree = _Growing()
    before: Ids = ()
    for ids in sorted(set(rows)):
        tree.add(ids, before, n_shared(before, ids))
        before = ids
    return TokenRow(tuple(tree.ids), parents=tuple(tree.parents)), tree.paths


def largest_tree(config: Any, n_tried: int) -> int:
    """Most tokens of a tree whose every token a model sees that it should see.

    A window that is longer than any row on which trees were tried may count places in the row, and
    not along the branch: trees stay within it.
    """
    windows = [getattr(config, name, None) for name in _WINDOWS]
    longer = [one for one in windows if isinstance(one, int) and one >= n_tried]
    return min([LARGEST, *longer])


def tree_inputs(rows: Sequence[TokenRow], config: Any, dtype: torch.dtype) -> dict[str, Any]:
    """Position of each token, and which others it sees, of rows padded to one width.

    Parameters
    ----------
    rows : sequence of TokenRow
        At least one of them branches.
    config : PretrainedConfig
        Of the model; says through which window its layers look back.
    dtype : torch.dtype
        Of the mask, which is added to attention scores.

    Returns
    -------
    dict
        ``position_ids`` of shape [rows, T], and ``attention_mask`` of shape [rows, 1, T, T]; one
        mask for each kind of layer where the model has several.
    """
    width = max(len(row.ids) for row in rows)
    seen = np.zeros((len(rows), width, width), dtype=bool)
    depth = np.zeros((len(rows), width), dtype=np.int64)
    for number, row in enumerate(rows):
        _fill(seen[number], depth[number], row)
    positions = torch.from_numpy(depth)
    whole = torch.from_numpy(seen)[:, None]
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ())
    if window is None or (kinds and "sliding_attention" not in kinds):
        return {"position_ids": positions, "attention_mask": _added(whole, dtype)}
    back = positions[:, None, :, None] - positions[:, None, None, :]
    near = _added(whole & (back < window), dtype)
    if not kinds:
        return {"position_ids": positions, "attention_mask": near}
    by_kind = {
        kind: near if kind == "sliding_attention" else _added(whole, dtype) for kind in kinds
    }
    return {"position_ids": positions, "attention_mask": by_kind}


def _fill(seen: Any, depth: Any, row: TokenRow) -> None:
    """Write which tokens each one sees, and its depth; padding sees itself alone."""
    for place in range(len(seen)):
        parent = -1
        if place < len(row.ids):
            parent = row.parents[place] if row.parents else place - 1
        if parent >= 0:
            seen[place] = seen[parent]
            depth[place] = depth[parent] + 1
        seen[place, place] = True


def _added(seen: Tensor, dtype: torch.dtype) -> Tensor:
    """Mask as it is added to attention scores: 0 where a token is seen."""
    hidden = torch.finfo(dtype).min
    return torch.zeros(seen.shape, dtype=dtype).masked_fill_(~seen, hidden)
