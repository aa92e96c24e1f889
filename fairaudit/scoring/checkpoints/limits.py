"""What a model can take: its longest row, and the ids that its embedding has a row for."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any, Final

from fairaudit.errors import ModelError

#: Limits above this say that there is none.
_NO_LIMIT: Final = 10**9


def longest_row(model: Any, tokenizer: Any) -> int | None:
    """Longest row: the model's positions and the tokenizer's own limit, where they are stated."""
    positions = _limit(getattr(model.config, "max_position_embeddings", None))
    if positions is not None:
        positions -= _reserved_positions(model)
    stated = (positions, _limit(tokenizer.model_max_length))
    return min((limit for limit in stated if limit is not None), default=None)


def _limit(value: Any) -> int | None:
    """Return a positive number of tokens; None for what configs write for "any number".

    >>> [_limit(value) for value in (512, 512.0, -1, 0, None, 10**30, float("inf"), "many", True)]
    [512, 512, None, None, None, None, None, None, None]
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if 0 < value < _NO_LIMIT else None


def _reserved_positions(model: Any) -> int:
    """RoBERTa counts positions from ``padding_idx + 1``, so the first rows are never used."""
    for name, module in model.named_modules():
        if name.endswith("embeddings.position_embeddings"):
            padding = getattr(module, "padding_idx", None)
            return 0 if padding is None else padding + 1
    return 0


def check_ids(ids: Iterable[int], rows: int) -> None:
    """Refuse tokens of a text that the model has no row for.

    A tokenizer may hold further ids, such as an image's placeholder, as long as no text uses them.

    Parameters
    ----------
    ids : iterable of int
        Tokens of texts that the model is to read or to predict.
    rows : int
        Rows of the model's embedding.

    Raises
    ------
    ModelError
        If an id is beyond the embedding.
    """
    largest = max(ids, default=-1)
    if largest >= rows:
        raise ModelError(
            f"a text has the token id {largest}, the model's embedding only {rows} rows; tokenizer "
            "and model do not belong together"
        )
