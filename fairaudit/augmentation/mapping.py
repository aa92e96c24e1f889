"""Augmentation as a map over batches of a ``datasets`` dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairaudit.augmentation.swapper import Mode, Swapper
from fairaudit.errors import DataError


@dataclass(frozen=True)
class BatchAugmenter:
    """Replaces every row by its variants; the other columns are repeated.

    Parameters
    ----------
    swapper : Swapper
        What makes the twins.
    column : str
        The column with the text.
    mode : str
        One of ``MODES``.
    """

    swapper: Swapper
    column: str
    mode: Mode

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Augment one batch, given as columns.

        Raises
        ------
        DataError
            If the column is missing or holds something that is not text.
        """
        if self.column not in batch:
            raise DataError(f"no column '{self.column}'; there are {', '.join(batch)}")
        variants = [self._variants(text) for text in batch[self.column]]
        repeated = {
            name: [cell for cell, texts in zip(cells, variants, strict=True) for _ in texts]
            for name, cells in batch.items()
        }
        return repeated | {self.column: [text for texts in variants for text in texts]}

    def _variants(self, text: Any) -> list[str]:
        if not isinstance(text, str):
            raise DataError(f"column '{self.column}' holds {type(text).__name__}, not text")
        return self.swapper.variants(text, self.mode)
