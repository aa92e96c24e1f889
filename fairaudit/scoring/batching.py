"""How rows may run together where padding changes what a model reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Literal, TypeVar

#: Padded to one width; only rows of one length; one by one.
Batching = Literal["padded", "equal_lengths", "single"]

OneT = TypeVar("OneT")


def fitting(
    items: Sequence[OneT], length: Callable[[OneT], float], batching: Batching
) -> Iterator[Sequence[OneT]]:
    """Cut a batch, sorted by length, into parts that may run together."""
    if batching == "padded":
        yield items
    elif batching == "equal_lengths":
        for _, part in groupby(items, key=length):
            yield tuple(part)
    else:
        for item in items:
            yield (item,)
