"""Rows of ordinary tokens on which a model's own habits are tried before it is trusted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

Ids = tuple[int, ...]

#: Short enough to cost little; far enough apart for what looks at a row's length or at places
#: beyond its end: convolutions, pooling, chunks of tokens.
LENGTHS: Final = (5, 12, 70)
_SEED: Final = 0


def ordinary_ids(tokenizer: Any, n_rows: int) -> list[int]:
    """Ids that stand for text: all but the special ones, within an embedding of ``n_rows``.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        Whose tokens.
    n_rows : int
        Rows of the model's embedding.

    Returns
    -------
    list of int
        Sorted; all ids below ``n_rows`` where a tokenizer knows special tokens alone.
    """
    special = set(tokenizer.all_special_ids)
    ids = sorted({*tokenizer.get_vocab().values()} - special)
    return [token for token in ids if token < n_rows] or list(range(n_rows))


def probe_rows(
    tokenizer: Any,
    n_rows: int,
    limit: int | None,
    *,
    frame: tuple[Ids, Ids] = ((), ()),
    mask_id: int | None = None,
    lengths: Sequence[int] = LENGTHS,
) -> tuple[Ids, ...]:
    """Rows of ordinary tokens in a frame of special ones, always the same, the shortest first.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        Whose tokens.
    n_rows : int
        Rows of the model's embedding.
    limit : int or None
        Longest row that the model takes.
    frame : tuple of two tuples of int
        Special tokens before and after the others.
    mask_id : int or None
        Put in the middle of each row, where a masked model reads.
    lengths : sequence of int
        Lengths of the rows in their frames; what is beyond the limit is cut to it.

    Returns
    -------
    tuple of tuple of int
        Token ids of each row.
    """
    before, after = frame
    ids = np.array(ordinary_ids(tokenizer, n_rows))
    rng = np.random.default_rng(_SEED)
    room = (min(length, limit or length) - len(before) - len(after) for length in lengths)
    rows = []
    for length in sorted({max(1, one) for one in room}):
        text = [int(token) for token in rng.choice(ids, length)]
        if mask_id is not None:
            text[length // 2] = mask_id
        rows.append((*before, *text, *after))
    return tuple(rows)
