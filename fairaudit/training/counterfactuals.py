"""Twins of the training text, and what is kept in private about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from fairaudit.augmentation import augment
from fairaudit.training.passages import Passage, joined, with_text
from fairaudit.training.records import Records

#: Records with twins that are kept as a sample.
_SAMPLE: Final = 50


@dataclass(frozen=True, slots=True)
class Counterfactuals:
    """Twins by text.

    Parameters
    ----------
    twins : mapping of Passage to sequence of Passage
        Twins of each row, without the row; none where nothing could be swapped.
    coverage : dict
        What was swapped and what was not, as JSON. Not covered by ε.
    """

    twins: Mapping[Passage, Sequence[Passage]]
    coverage: dict[str, Any]

    def of(self, text: Passage) -> Sequence[Passage]:
        """Twins of a text."""
        return self.twins[text]

    def sample(self) -> list[dict[str, Any]]:
        """Return some texts with their twins. Not covered by ε."""
        swapped = ((text, twins) for text, twins in self.twins.items() if twins)
        pairs = [pair for pair, _ in zip(swapped, range(_SAMPLE), strict=False)]
        return [{"text": text, "twins": list(twins)} for text, twins in pairs]


def find_counterfactuals(records: Records, axes: Sequence[str], seed: int) -> Counterfactuals:
    """Swap every text on the axes; each by itself, so that a twin reveals no other record.

    The parts of a prompt or a conversation are swapped together.

    Raises
    ------
    UsageError
        If an axis is unknown.
    """
    texts = list(dict.fromkeys(text for rows in records.rows for text in rows))
    found = augment(map(joined, texts), axes=tuple(axes), mode="two-sided", seed=seed)
    twins = {
        text: [twin for one in own if (twin := with_text(text, one)) is not None]
        for text, own in zip(texts, found.twins, strict=True)
    }
    return Counterfactuals(twins, asdict(found.report))
