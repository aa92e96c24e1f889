"""HolisticBias: sentences about people by the word that describes them, and their perplexities.

A sentence is a template, filled with an article, a descriptor and a noun: "I love being a Deaf
grandmother." All of them would be hundreds of thousands. What is asked is a sample by lot, the same
in every audit: in each template a *hand* of descriptors of each axis, all with the same `N_NOUNS`
nouns. Descriptors are dealt like cards, so that each is asked before one is asked again.

- Templates: the 21 that fit anywhere in a conversation. The other 5 repeat them behind a greeting.
- Hands: three descriptors, more where an axis has more than three times 21.
- Nouns: drawn for each axis and template. A descriptor of one gender ("Latina") takes nouns of that
  gender; then all of its hand do.
- Left out: noun phrases that stand alone ("a wheelchair user"), and descriptors without a noun,
  since sentences of another build differ in perplexity for that alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairaudit.errors import DataError
from fairaudit.items import Answer, Item, LogLikelihood, Protocol, PseudoLogLikelihood
from fairaudit.metrics.descriptors import NONCE, descriptor_estimates
from fairaudit.parsing import parse_json
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import HOLISTIC_BIAS

#: Nouns of each hand. The exact test of 8 values against 8 rejects in 4.99 % where it may in 5 %.
N_NOUNS: Final = 8
#: Descriptors of a hand, at least.
HAND: Final = 3
#: Seed of the lots. Another one gives another sample, which is another suite.
SEED: Final = 0
AXES: Final = {
    "ability": "disability",
    "age": "age",
    "body_type": "physical_appearance",
    "characteristics": "characteristics",
    "cultural": "cultural",
    "gender_and_sex": "gender",
    "nationality": "nationality",
    "nonce": NONCE,
    "political_ideologies": "political_ideology",
    "race_ethnicity": "race",
    "religion": "religion",
    "sexual_orientation": "sexual_orientation",
    "socioeconomic_class": "socioeconomic",
}
_SINGULAR: Final = "{noun_phrase}"
_PLURAL: Final = "{plural_noun_phrase}"
_GREETING: Final = "first_turn_only"


def _pinned(name: str, blob_id: str) -> PinnedFile:
    return PinnedFile(
        repository="facebookresearch/ResponsibleNLP",
        commit="0ec714eb084217f44cd9ac466d9e988c795302f9",
        path=f"holistic_bias/dataset/v1.1/{name}",
        blob_id=blob_id,
        local=(f"holistic_bias/v1.1/{name}",),
    )


DESCRIPTORS: Final = _pinned("descriptors.json", "5557beafd756dece91e0519045ec9e4d18f3de76")
NOUNS: Final = _pinned("nouns.json", "6df83d42e25b1980e274af669d5fd214eb4f1a7b")
TEMPLATES: Final = _pinned("sentence_templates.json", "b3d60b21bd02bcf3b409f8ffb28ada2c291807a1")


@dataclass(frozen=True, slots=True)
class Descriptor:
    """A word or words that describe a person, with its article, and its gender if it has one."""

    text: str
    article: str
    gender: str | None = None

    def fill(self, template: str, noun: Noun) -> str:
        """Return the sentence about a person, or people, with this descriptor."""
        one = f"{self.article} {self.text} {noun.singular}"
        several = f"{self.text} {noun.plural}"
        return template.replace(_SINGULAR, one).replace(_PLURAL, several)


@dataclass(frozen=True, slots=True)
class Noun:
    """A word for a person, with its plural and gender."""

    singular: str
    plural: str
    gender: str


def parse_descriptors(content: bytes, place: str) -> dict[str, tuple[Descriptor, ...]]:
    """Read the descriptors by axis.

    Raises
    ------
    DataError
        Naming the axis, if the file is malformed.
    """
    found = {}
    for axis, buckets in _mapping(content, place).items():
        if axis not in AXES:
            raise DataError(f"{place}: axis '{axis}' is unknown")
        if not isinstance(buckets, dict):
            raise DataError(f"{place}: axis '{axis}' holds no lists of descriptors")
        rows = [row for bucket in buckets.values() for row in bucket]
        found[AXES[axis]] = tuple(_descriptor(row, f"{place}: axis '{axis}'") for row in rows)
    return found


def _descriptor(row: object, place: str) -> Descriptor:
    facts: Mapping[str, Any] = row if isinstance(row, dict) else {"descriptor": row}
    text = facts.get("descriptor")
    if not isinstance(text, str) or not text.strip():
        raise DataError(f"{place}: {row!r} is no descriptor")
    # As the authors' own code does, which names the exceptions in the file.
    article = "an" if text[0].lower() in "aeiou" else "a"
    return Descriptor(text, str(facts.get("article", article)), facts.get("gender"))


def parse_nouns(content: bytes, place: str) -> tuple[Noun, ...]:
    """Read the nouns.

    Raises
    ------
    DataError
        Naming the noun, if the file is malformed.
    """
    found = []
    for gender, rows in _mapping(content, place).items():
        for row in rows:
            if not isinstance(row, list) or len(row) != 2 or not all(row):
                raise DataError(f"{place}: {row!r} is no noun with its plural")
            found.append(Noun(str(row[0]), str(row[1]), gender))
    return tuple(found)


def parse_templates(content: bytes, place: str) -> tuple[str, ...]:
    """Read the templates that do not open with a greeting.

    Raises
    ------
    DataError
        Naming the template, if it has no place for a noun phrase.
    """
    found = _mapping(content, place)
    for template, facts in found.items():
        if (_SINGULAR in template) == (_PLURAL in template) or not isinstance(facts, dict):
            raise DataError(f"{place}: '{template}' has no place for one noun phrase")
    return tuple(template for template, facts in found.items() if not facts.get(_GREETING))


def _mapping(content: bytes, place: str) -> dict[str, Any]:
    try:
        found = parse_json(content.decode("utf-8-sig"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{place}: not JSON ({error})") from error
    if not isinstance(found, dict) or not found:
        raise DataError(f"{place}: not a mapping with entries")
    return found


def sample(
    descriptors: Mapping[str, Sequence[Descriptor]],
    nouns: Sequence[Noun],
    templates: Sequence[str],
) -> tuple[Item, ...]:
    """Deal descriptors and nouns to templates; see the module's docstring.

    An item is a descriptor in a template, with one text for each noun of its hand. It is a function
    of the descriptors of its axis, the nouns and the templates, and of `SEED`.
    """
    return tuple(
        _item(axis, template, descriptor, chosen)
        for axis, known in descriptors.items()
        for template, hand in zip(templates, _hands(axis, known, len(templates)), strict=True)
        for chosen in [_nouns_for(axis, template, hand, nouns)]
        for descriptor in hand
    )


def _item(axis: str, template: str, descriptor: Descriptor, nouns: Sequence[Noun]) -> Item:
    return Item(
        item_id=f"{axis}/{descriptor.text}/{template}",
        axis=axis,
        group=None,
        cluster=template,
        texts={
            f"noun_{place}": descriptor.fill(template, noun) for place, noun in enumerate(nouns, 1)
        },
        facts={
            "descriptor": descriptor.text,
            "nouns": ", ".join(noun.singular for noun in nouns),
        },
    )


def _hands(axis: str, known: Sequence[Descriptor], n: int) -> Iterator[tuple[Descriptor, ...]]:
    """Deal ``n`` hands of different descriptors, of which no two are of different genders."""
    size = min(max(HAND, -(-len(known) // n)), len(known))
    pile: list[Descriptor] = []
    rounds = 0
    for _ in range(n):
        hand = _fitting(pile, size)
        while len(hand) < size and rounds <= 2 * n:
            pile += _shuffled(known, f"{axis}/{rounds}")
            rounds += 1
            hand = _fitting(pile, size)
        for descriptor in hand:
            pile.remove(descriptor)
        yield tuple(hand)


def _shuffled(known: Iterable[Descriptor], what: str) -> list[Descriptor]:
    return sorted(known, key=lambda one: _lot(f"{what}/{one.text}"))


def _fitting(pile: Iterable[Descriptor], size: int) -> list[Descriptor]:
    """Take the first descriptors of a pile that may stand in one hand."""
    hand: list[Descriptor] = []
    for one in pile:
        genders = {other.gender for other in hand} - {None}
        fits = one.gender is None or genders <= {one.gender}
        if len(hand) < size and one not in hand and fits:
            hand.append(one)
    return hand


def _nouns_for(
    axis: str, template: str, hand: Sequence[Descriptor], nouns: Sequence[Noun]
) -> list[Noun]:
    """Draw the nouns that all descriptors of a hand take."""
    genders = {one.gender for one in hand} - {None}
    fitting = [noun for noun in nouns if not genders or noun.gender in genders]
    return sorted(fitting, key=lambda noun: _lot(f"{axis}/{template}/{noun.singular}"))[:N_NOUNS]


def _lot(name: str) -> bytes:
    """Return a lot that is as good as random and the same everywhere."""
    return hashlib.sha256(f"{SEED}/{name}".encode("utf-8", "surrogatepass")).digest()


def n_sentences(
    descriptors: Mapping[str, Sequence[Descriptor]],
    nouns: Sequence[Noun],
    templates: Sequence[str],
) -> int:
    """Count all sentences that could be asked."""
    of_gender = {one.gender: 0 for one in nouns}
    for one in nouns:
        of_gender[one.gender] += 1
    known = [one for found in descriptors.values() for one in found]
    each = (len(nouns) if one.gender is None else of_gender.get(one.gender, 0) for one in known)
    return sum(each) * len(templates)


def _load(finder: DataFinder) -> SuiteData:
    (words, of_words), (people, of_people), (frames, of_frames) = (
        finder.read(pinned) for pinned in (DESCRIPTORS, NOUNS, TEMPLATES)
    )
    parts = (
        parse_descriptors(words, of_words.path),
        parse_nouns(people, of_people.path),
        parse_templates(frames, of_frames.path),
    )
    items = sample(*parts)
    asked = sum(len(item.texts) for item in items)
    note = (
        f"{HOLISTIC_BIAS.name}: a sample of {asked:,} of {n_sentences(*parts):,} sentences, drawn "
        f"by lot (seed {SEED}): {N_NOUNS} nouns for each hand of descriptors in "
        f"{len(parts[2])} templates, every descriptor at least once"
    )
    return SuiteData(items, (of_words, of_people, of_frames), (note,))


def _whole_sentence(item: Item, role: str) -> LogLikelihood:
    return LogLikelihood(item.texts[role])


def _each_masked(item: Item, role: str) -> PseudoLogLikelihood:
    return PseudoLogLikelihood(item.texts[role])


def _mean(answer: Answer) -> float:
    return answer.mean


SUITE = Suite(
    card=HOLISTIC_BIAS,
    protocols=(
        Protocol(
            f"{HOLISTIC_BIAS.name}/causal-mean",
            "causal",
            _whole_sentence,
            _mean,
            "Mean log-likelihood per token of the sentence after BOS: minus the log-perplexity.",
            design=Design.DESCRIPTORS,
        ),
        Protocol(
            f"{HOLISTIC_BIAS.name}/pll-mean",
            "masked",
            _each_masked,
            _mean,
            "Mean log-probability of each token, masked in turn: minus the log-pseudo-perplexity.",
            design=Design.DESCRIPTORS,
        ),
    ),
    load=_load,
    estimate=descriptor_estimates,
    default=False,
)
