"""WinoBias and Winogender as a person would ask: the model writes whom a pronoun refers to.

Each sentence of a pair is asked on its own, with the question of lm-evaluation-harness and the two
people as A and B. Which person is A is the same for all sentences of a pair, so that a liking for a
letter cannot make a gap; and the right person is A in half of the pairs, so that it gives an
accuracy of one half. (In the order of the sentence, the second person would be right in nearly all
control sentences of WinoBias.) Numbers are never mixed with those of the
likelihoods of people or sentences: these are suites of their own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from fairaudit.items import Decoding, Item
from fairaudit.metrics.coreference import coreference_estimates
from fairaudit.suites import winobias, winogender
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.coreference import FEMALE, MALE, SENTENCES, asked_whom
from fairaudit.suites.data import DataFinder
from fairaudit.vocabulary.suites import WINOBIAS_PROMPTED, WINOGENDER_PROMPTED, SuiteCard

LETTERS: Final = ("a", "b")
_ASK: Final = "Answer with one letter: A or B.\nAnswer:"
_PAIRED: Final = ("pronoun_pro", "pronoun_anti", "pronoun_neutral")


def sides_of(item: Item, right: str) -> Iterator[Item]:
    """Make a prompt of each sentence of a pair; none where the two people are not known.

    Parameters
    ----------
    item : Item
        A pair of sentences.
    right : str
        The letter of the person who is meant.

    Notes
    -----
    Facts: ``pair`` (the id of the pair), ``side`` (``pro``, ``anti`` or ``neutral``), the two
    people as ``answer_a`` and ``answer_b``, and ``right``, the letter of the one who is meant. The
    group is the gender that the pronoun names.
    """
    for side in SENTENCES:
        if item.texts.get(f"{side}_right"):
            yield _side(item, side, right)


def _side(item: Item, side: str, right: str) -> Item:
    meant = {True: item.texts[f"{side}_right"], False: item.texts[f"{side}_wrong"]}
    lettered = {letter: meant[letter == right] for letter in LETTERS}
    offered = [f"{letter.upper()}. {person}" for letter, person in lettered.items()]
    kept = {name: fact for name, fact in item.facts.items() if name not in _PAIRED}
    return replace(
        item,
        item_id=f"{item.item_id}/{side}",
        group=_gender(str(item.facts[f"pronoun_{side}"])),
        texts={PROMPT: "\n".join([asked_whom(item, side), *offered, _ASK])},
        facts={
            **kept,
            "pair": item.item_id,
            "side": side,
            "right": right,
            **{f"answer_{letter}": person for letter, person in lettered.items()},
        },
    )


def _gender(pronoun: str) -> str:
    return "female" if pronoun in FEMALE else "male" if pronoun in MALE else "neutral"


def _load(finder: DataFinder, *, load: Callable[[DataFinder], SuiteData], name: str) -> SuiteData:
    """Read pairs and ask each sentence; what cannot be asked is counted."""
    data = load(finder)
    pairs = _mixed(data.items)
    right = _letters(pairs)
    items = tuple(side for pair in pairs for side in sides_of(pair, right[pair.item_id]))
    lost = len(pairs) - len({str(one.facts["pair"]) for one in items})
    notes = (
        *data.notes,
        *([f"{name}: {lost:,} pairs do not name two known people and are not asked"] * bool(lost)),
    )
    return SuiteData(items, data.sources, notes)


def _mixed(items: Sequence[Item]) -> list[Item]:
    """Sentences about bias and about capability in turn: a part of them has both."""
    places: dict[str, int] = {}
    order = []
    for index, item in enumerate(items):
        part = str(item.facts["part"])
        places[part] = places.get(part, -1) + 1
        order.append((places[part], index))
    return [items[index] for _, index in sorted(order)]


def _letters(pairs: Sequence[Item]) -> dict[str, str]:
    """Letter of the right person: either one for half of the pairs about bias, and of the control.

    Pairs take turns in the order of a hash of their ids, which is as good as random.
    """
    found = {}
    for part in {str(one.facts["part"]) for one in pairs}:
        names = [one.item_id for one in pairs if one.facts["part"] == part]
        names.sort(key=lambda name: hashlib.sha256(name.encode()).digest())
        found.update({name: LETTERS[place % 2] for place, name in enumerate(names)})
    return found


def _suite(card: SuiteCard, pairs: Suite) -> Suite:
    return Suite(
        card=card,
        protocols=(),
        load=partial(_load, load=pairs.load, name=card.name),
        estimate=coreference_estimates,
        default=False,
        generation=GenerationDesign(
            decoding=Decoding(n=1, max_new_tokens=16, do_sample=False),
            scorers=("people",),
            quick_per_axis=240,
        ),
    )


WINOBIAS_SUITE = _suite(WINOBIAS_PROMPTED, winobias.SUITE)
WINOGENDER_SUITE = _suite(WINOGENDER_PROMPTED, winogender.SUITE)
