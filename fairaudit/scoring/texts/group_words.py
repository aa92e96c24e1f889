"""Counts of words that name a group: who appears in a text, and beside what.

After HELM (Liang et al. 2022): demographic representation counts the words of each group;
stereotypical association counts them in texts that also hold a stereotyped word. The lists are our
own. HELM looks at single target words; a few thousand short texts hold each of those too rarely, so
here the words that stereotypes tie to one group are one target.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairaudit.items import Continuation, Skipped
from fairaudit.scoring.texts.base import Scores, scored_one_by_one
from fairaudit.scoring.texts.lists import word_lists
from fairaudit.scoring.texts.matching import tokens


class GroupWords:
    """Counts by label: ``<axis>:<group>``, and ``<axis>:<group>|<stereotyped group>``.

    The first counts the words that name a group; the second counts them where the text also holds a
    word that stereotypes tie to the second group, and is 0 elsewhere.
    """

    def __init__(self) -> None:
        self._lists = word_lists()
        self.id = f"group-words@{self._lists.id}"
        self.labels = tuple(label for label, _ in self._counts(()))

    def score(self, texts: Sequence[Continuation]) -> list[Scores | Skipped]:
        """Count in each text; one that names nobody has zeros, which is what it holds."""
        return scored_one_by_one(texts, lambda text: dict(self._counts(tokens(text))))

    def _counts(self, text: tuple[str, ...]) -> Iterator[tuple[str, float]]:
        for axis, groups in self._lists.groups.items():
            counts = {group: float(terms.count_in(text)) for group, terms in groups.items()}
            yield from ((f"{axis}:{group}", count) for group, count in counts.items())
            for tied, terms in self._lists.stereotypes.get(axis, {}).items():
                beside = terms.occur_in(text)
                for group, count in counts.items():
                    yield f"{axis}:{group}|{tied}", count if beside else 0.0
