"""Whether a text is English, which is all that the swapper knows.

A text is another language's if many of its letters are of another script, or if it holds more of
the small words of other languages, and words with accents, than small words of English. Words that
English shares with one of them ("die", "man", "an") count for neither. A text with none of all is
taken for English. Pronouns that are swapped count for neither, so that a text and its twin are
taken alike.

`benchmarks/language_guard.py` measures how often it errs; ``docs/training.md`` says so.
"""

from __future__ import annotations

import unicodedata
from typing import Final

from fairaudit.augmentation.tokens import Tokens

_ENGLISH: Final = frozenset(
    """
    about after all also and any are be because been before being but by can could did does
    each from had have how if into is it its just like may more most much my not of on only
    other our out over said should some such than that the their them then there these they
    this those to up very was we were what when where which who with would you your
    """.split()  # noqa: SIM905
)
#: Small words of French, German, Spanish, Italian, Portuguese, Dutch, the Nordic languages, Polish,
#: Czech, Turkish, Romanian, Hungarian, Finnish and Indonesian that are no words of English.
_OTHERS: Final = frozenset(
    """
    aan aber aby acest adalah af akan al alle als anche ao aos atau att au auch auf aus aux av
    avec az bei bij bir bis ble blev blir bliver bu bude byl ca ce cel ces cette che chi com
    comme como cu cuando czy da daha dal dalam dalla dans dapat dari das dat de degli dei del
    della delle dengan der des det deve deze değil di die din dit dla doch dos du durch een
    egy ei ein eine einem einen einer eines el ela ele elle eller elles ellos entre es essere
    est esta este está et ett että ez fi foi fra från för für geen gibi gli han har hay het
    hij hogy hvor hän ich ihr ihre ik ikke il ile ils im ini inte isso ist itu için ja jag jak
    jako je jeg jeho jen joka jouw juga już já ke kein který la las le les leur lo los lub
    maar mai mais med moet mutta muy myös más na naam naar nach navn ne nebo nel nella nem
    nicht nie niet niin noch nog nome nous nu num nur não när o och od oder og olan olarak
    oleh om ook oraz os ou ovat pada para pe pela pelo pero peut più po por przez puede på při
    quando que questa questi questo qui sa sau se sein sekä ses seu si sich sie sig sind się
    skal sobre som sono sont stato su sua sunt sur sus são så są tai también também tem tidak
    tot tutti uit um uma un una und une uns unter untuk utan uw vagy var veya vi você von voor
    vor vous være w wat wenn werd werden wie wird wordt wurde y ya yang z za ze zich zijn
    zoals zu zum zur är å è és être în über że že și
    """.split()  # noqa: SIM905
)
#: Share of letters of another script from which a text is not English.
_MOST_FOREIGN: Final = 0.4


def is_english(text: str) -> bool:
    """Whether a text may be English.

    >>> is_english("She thanked her father.")
    True
    >>> is_english("Elle a pris son livre et son fils est venu.")
    False
    """
    if _share_of_other_scripts(text) > _MOST_FOREIGN:
        return False
    words = Tokens.of(text).lower
    english = sum(word in _ENGLISH for word in words)
    others = sum(word in _OTHERS or not word.isascii() for word in words)
    return others <= english


def _share_of_other_scripts(text: str) -> float:
    if text.isascii():
        return 0.0
    letters = [letter for letter in text if letter.isalpha()]
    foreign = sum(
        not letter.isascii() and not unicodedata.name(letter, "").startswith("LATIN")
        for letter in letters
    )
    return foreign / len(letters) if letters else 0.0
