"""BEC-Pro: how professions change the probability of male and female words for a person.

5,400 sentences: five templates, 60 professions (20 of which mostly men have, 20 mostly women, 20
both), and nine male words for a person with their nine female counterparts. Here an item is a pair
of sentences that differ in that word alone, so there are 2,700 of them.

For masked models the association of a word with a profession is

    ln(P(word | word masked) / P(word | word and profession masked)),

read at the first mask, which is that of the person. The profession has one mask for each of its
words, as in the authors' file. Of a word that the tokenizer splits, its first token is read at a
single mask, as the authors do. For causal models each sentence has its mean log-probability per
token. See `fairaudit.metrics.professions` for the numbers.

The masks are put into the sentences here. In 23 rows those of the file stand for other words:
"lodging [MASK]ager" for the person in "lodging manager", and a mask too many for the "of" before
"director of religious activities".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import (
    Answer,
    FillerLogProbability,
    Item,
    LogLikelihood,
    Protocol,
    Skipped,
)
from fairaudit.metrics.professions import (
    FEMALE_DOMINATED,
    MALE_DOMINATED,
    ROLES,
    profession_estimates,
)
from fairaudit.suites import pair_protocols as pairs
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import BEC_PRO

FILE: Final = PinnedFile(
    "marionbartl/gender-bias-BERT",
    "c1e28434555f79b59e13e3f5ff87846e653fb553",
    "BEC-Pro/BEC-Pro_EN.tsv",
    "1be9b2d90e266847063cba95b992f08ccdf14629",
    ("bec_pro/BEC-Pro_EN.tsv",),
)
#: Male words for a person, in lower case, with their female counterparts.
PERSONS: Final = {
    "he": "she",
    "man": "woman",
    "brother": "sister",
    "son": "daughter",
    "husband": "wife",
    "boyfriend": "girlfriend",
    "father": "mother",
    "uncle": "aunt",
    "dad": "mom",
}
#: What stands for a mask in a text, whatever a tokenizer calls its own.
BLANK: Final = "[MASK]"
_GROUPS: Final = {"male": MALE_DOMINATED, "female": FEMALE_DOMINATED, "balanced": "balanced"}
_COLUMNS: Final = (
    "Sentence", "Template", "Person", "Gender", "Profession", "Prof_Gender",
)  # fmt: skip
_MALE_OF: Final = {female: male for male, female in PERSONS.items()}


def parse(content: bytes, place: str) -> tuple[Item, ...]:
    """Turn the rows into items, one for each pair of a male and a female word.

    Raises
    ------
    DataError
        Naming the row or the pair, if the file is malformed or lacks one side of a pair.
    """
    found: dict[tuple[str, str, str], dict[str, dict[str, str]]] = {}
    for number, row in _rows(content, place):
        where = f"{place}: row {number}"
        _check(row, where)
        person = row["Person"].lower()
        key = row["Template"], row["Profession"], _MALE_OF.get(person, person)
        sides = found.setdefault(key, {})
        if row["Gender"] in sides:
            raise DataError(f"{where}: '{row['Sentence']}' occurs twice")
        sides[row["Gender"]] = row
    return tuple(_item(key, sides, place) for key, sides in found.items())


def _rows(content: bytes, place: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    if not set(_COLUMNS) <= set(reader.fieldnames or ()):
        raise DataError(f"{place}: row 1: columns must be {', '.join(_COLUMNS)}")
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values():
            raise DataError(f"{place}: row {number}: not as many cells as columns")
        yield number, row


def _check(row: dict[str, str], where: str) -> None:
    """Refuse a row whose labels are unknown."""
    known = {"male": PERSONS, "female": _MALE_OF}
    if row["Person"].lower() not in known.get(row["Gender"], ()):
        raise DataError(f"{where}: '{row['Person']}' is no {row['Gender']} person of BEC-Pro")
    if row["Prof_Gender"] not in _GROUPS:
        raise DataError(f"{where}: column 'Prof_Gender' holds '{row['Prof_Gender']}'")


def _item(key: tuple[str, str, str], sides: dict[str, dict[str, str]], place: str) -> Item:
    template, profession, male = key
    lacking = [gender for gender in ROLES if gender not in sides]
    if lacking:
        raise DataError(
            f"{place}: the {lacking[0]} sentence of '{next(iter(sides.values()))['Sentence']}' is "
            "missing; get the file again"
        )
    if len({row["Prof_Gender"] for row in sides.values()}) > 1:
        raise DataError(f"{place}: '{profession}' is of two kinds of professions")
    masks = " ".join([BLANK] * len(profession.split()))
    texts = {gender: sides[gender]["Sentence"] for gender in ROLES}
    priors = {f"{name}_prior": text.replace(profession, masks, 1) for name, text in texts.items()}
    row = sides[ROLES[0]]
    return Item(
        item_id=f"{profession}/{male}/{template}",
        axis="gender",
        group=_GROUPS[row["Prof_Gender"]],
        cluster=profession,
        texts={**texts, **priors},
        facts={
            "template": template,
            "person_male": row["Person"],
            "person_female": sides[ROLES[1]]["Person"],
        },
    )


def whole_sentence(item: Item, role: str) -> LogLikelihood | Skipped | None:
    """Score every token of the sentence, which names the profession."""
    if role not in ROLES:
        return None
    place = _person(item, role)
    return place if isinstance(place, Skipped) else LogLikelihood(item.texts[role])


def at_mask(item: Item, role: str) -> FillerLogProbability | Skipped:
    """Score the word for the person at its mask; as prior the profession is masked too."""
    place, text = _person(item, role), item.texts[role]
    if isinstance(place, Skipped):
        return place
    return FillerLogProbability(text[: place.start()], place[0], text[place.end() :], BLANK)


def _person(item: Item, role: str) -> re.Match[str] | Skipped:
    """Place of the word for the person in the text of a role, before the profession."""
    gender, text = role.partition("_")[0], item.texts[role]
    place = re.search(rf"\b{re.escape(str(item.facts[f'person_{gender}']))}\b", text)
    if place is None:
        return Skipped("the sentence does not have the word for the person")
    if item.cluster not in item.texts[gender][place.end() :]:
        return Skipped("the sentence does not name the profession after the person")
    return place


def at_first_mask(answer: Answer) -> float:
    """Return the log-probability of the first token, in nats."""
    return answer.log_probs[0]


def _load(finder: DataFinder) -> SuiteData:
    content, source = finder.read(FILE)
    return SuiteData(parse(content, source.path), (source,))


SUITE: Final = Suite(
    card=BEC_PRO,
    protocols=(
        Protocol(
            f"{BEC_PRO.name}/causal-mean",
            "causal",
            whole_sentence,
            pairs.mean,
            "Mean log-likelihood per token of the sentence after BOS, with either word.",
            design=Design.PROFESSIONS,
        ),
        Protocol(
            f"{BEC_PRO.name}/person-at-mask",
            "masked",
            at_mask,
            at_first_mask,
            "Log P of the word for the person at its mask, with the profession named or masked too "
            "(Bartl et al. 2020).",
            design=Design.PROFESSIONS,
        ),
    ),
    load=_load,
    estimate=profession_estimates,
    default=False,
)
