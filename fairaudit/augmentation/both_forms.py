"""Forms that stand for both sexes at once: "s/he", "(s)he", "(wo)man", "Mr(s)".

They are left as they are. Two full words side by side ("he/she", "his or her") are swapped where
they stand.
"""

from __future__ import annotations

from typing import Final

from fairaudit.augmentation.tokens import Tokens

#: What makes the other form of the word behind it: "s/he", "(wo)man", "fe/male".
_BEFORE: Final = frozenset({"s", "wo", "fe"})
#: What makes the other form of the word before it: "steward(ess)", "actor/ess", "Mr(s)".
_AFTER: Final = {
    "(": frozenset({"ess", "ss", "ine", "ette", "man", "woman"}),
    "/": frozenset({"ess", "ine", "ette"}),
}
_TITLES: Final = frozenset({"mr", "messrs"})


def names_both(tokens: Tokens, i: int) -> bool:
    """Whether word ``i`` is half of a form for both sexes."""
    if i and tokens.word(i - 1) in _BEFORE and tokens.gap(i).strip() in {"/", ")", "|"}:
        return True
    gap = tokens.gap(i + 1)
    if tokens.word(i + 1) in _AFTER.get(gap, ()):
        return True
    return tokens.word(i) in _TITLES and gap in {"(", "/"} and tokens.word(i + 1) == "s"
