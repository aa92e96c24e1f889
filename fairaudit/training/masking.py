"""The masked-language-model objective (Devlin et al. 2019).

Each token of the text is chosen with probability 15 %; a row in which none was chosen gets one at
random. A chosen token is predicted; in its place the model sees the mask token (80 %), a random
token (10 %) or the token itself (10 %).

A record and its twins are masked at the same places, so that their gradients differ by the swapped
words alone. Places are matched by the longest common runs of tokens; between two runs they are
matched one by one from the left, and what is left over follows the last one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.training.encoding import IGNORED, Ids, RowFrame

_CHOSEN: Final = 0.15
_SHOWN_AS_MASK: Final = 0.8
_SHOWN_AS_OTHER: Final = 0.9


@dataclass(frozen=True, slots=True)
class Masker:
    """Masks rows of one tokenizer.

    Parameters
    ----------
    mask_id : int
        The mask token.
    ordinary : array of int
        Ids that may stand in for a token: all but the special ones.
    frame : RowFrame
        Special tokens around each text, which are never chosen.
    """

    mask_id: int
    ordinary: NDArray[np.int64]
    frame: RowFrame

    @classmethod
    def of(cls, tokenizer: Any, frame: RowFrame) -> Masker:
        """Return the masker of a tokenizer."""
        ordinary = sorted(set(tokenizer.get_vocab().values()) - set(tokenizer.all_special_ids))
        return cls(int(tokenizer.mask_token_id), np.array(ordinary, dtype=np.int64), frame)

    def mask(self, variants: Sequence[Ids], rng: np.random.Generator) -> list[tuple[Ids, Ids]]:
        """Return (what the model sees, labels) of a row and each of its twins.

        Labels are `IGNORED` where nothing is predicted.
        """
        first = self._text(variants[0])
        decided = self._decide(len(first), rng)
        return [
            self._apply(ids, [decided[place] for place in aligned(first, self._text(ids))])
            for ids in variants
        ]

    def _text(self, ids: Ids) -> Ids:
        return ids[len(self.frame.start) : len(ids) - len(self.frame.end)]

    def _decide(self, length: int, rng: np.random.Generator) -> list[int | None]:
        """For each place: None (not chosen), −1 (shown as it is), or the id that is shown."""
        chosen = rng.random(length) < _CHOSEN
        if not chosen.any():
            chosen[rng.integers(length)] = True
        how = rng.random(length)
        shown = np.where(how < _SHOWN_AS_MASK, self.mask_id, rng.choice(self.ordinary, length))
        shown = np.where(how < _SHOWN_AS_OTHER, shown, -1)
        return [int(token) if one else None for one, token in zip(chosen, shown, strict=True)]

    def _apply(self, ids: Ids, decided: Sequence[int | None]) -> tuple[Ids, Ids]:
        seen, labels = list(ids), [IGNORED] * len(ids)
        for place, shown in enumerate(decided, len(self.frame.start)):
            if shown is not None:
                labels[place] = ids[place]
                seen[place] = ids[place] if shown < 0 else shown
        return tuple(seen), tuple(labels)


def aligned(first: Ids, other: Ids) -> list[int]:
    """For each place of ``other``, the place of ``first`` that it corresponds to."""
    if first == other:
        return list(range(len(first)))
    places: list[int] = []
    matcher = SequenceMatcher(None, first, other, autojunk=False)
    for _, begin, end, other_begin, other_end in matcher.get_opcodes():
        last = max(end - 1, 0)
        places += [min(begin + step, last) for step in range(other_end - other_begin)]
    return places
