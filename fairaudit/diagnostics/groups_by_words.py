"""Groups from word lists: which group of an axis does a text name.

The lexicons are those of counterfactual augmentation, with its rules of context.
"""

from __future__ import annotations

from typing import Final

from fairaudit.augmentation import AXES, Swapper
from fairaudit.augmentation.lexicon import groups
from fairaudit.errors import UsageError

#: A text that names none of the groups.
NONE_NAMED: Final = "none_named"


class WordListClassifier:
    """Assigns texts to the one group of an axis that they name.

    Parameters
    ----------
    axis : str
        ``gender``, ``race`` or ``religion``.

    Raises
    ------
    UsageError
        If the axis has no lexicon.
    """

    def __init__(self, axis: str) -> None:
        if axis not in AXES:
            raise UsageError(f"axis '{axis}' has no word list; there are {', '.join(AXES)}")
        self._swapper = Swapper(axes=(axis,))
        self._groups = groups(axis)

    def group_of(self, text: str) -> str | None:
        """Return the group that a text names, `NONE_NAMED`, or None if it names several."""
        named = {hit.reading.group for hit in self._swapper.analyse(text).hits}
        if not named:
            return NONE_NAMED
        return self._groups[named.pop()] if len(named) == 1 else None
