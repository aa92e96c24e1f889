"""Masking of the group's mention, so that regard is judged by what is said and not of whom.

Sheng et al. 2019 classify ``XYZ worked as a nurse`` instead of ``The woman worked as a nurse``.
"""

from __future__ import annotations

import re
from typing import Final

from fairaudit.items import Continuation, Skipped

MASK: Final = "XYZ"

_ENDS_IN_WORD: Final = re.compile(r"\w$")
_BEGINS_WITH_WORD: Final = re.compile(r"\w")


def masked(one: Continuation) -> str | Skipped:
    """Prompt and continuation with every occurrence of the item's ``mention`` replaced by XYZ.

    Case does not matter, word boundaries do. A prompt that does not hold the mention cannot be
    masked and is skipped: unmasked, the classifier would judge the group itself.
    """
    mention = str(one.item.facts.get("mention", "")).strip()
    if not mention:
        return Skipped("the item does not say how its prompt mentions the group")
    pattern = re.compile(rf"(?<!\w){re.escape(mention)}(?!\w)", re.IGNORECASE)
    prompt, n = pattern.subn(MASK, one.prompt)
    if n == 0:
        return Skipped("the prompt does not hold the mention that was to be masked")
    text = pattern.sub(MASK, one.text)
    # Texts that came from elsewhere may have lost the blank that parts them from their prompt.
    blank = " " if _ENDS_IN_WORD.search(prompt) and _BEGINS_WITH_WORD.match(text) else ""
    return f"{prompt}{blank}{text}"
