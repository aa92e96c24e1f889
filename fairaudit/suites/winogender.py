"""Winogender: who is meant by a pronoun, somebody at work or somebody beside them.

The pronoun of the gender that most people of the occupation have helps where it refers to the
occupation and misleads where it refers to the other person. Sentences with "they" name no gender:
they are the control of capability.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import Item
from fairaudit.metrics.coreference import coreference_estimates
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.coreference import (
    FEMALE,
    MALE,
    People,
    Side,
    pronouns_of,
    protocols,
    texts_of,
)
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.suites import WINOGENDER

_REPOSITORY: Final = "rudinger/winogender-schemas"
_COMMIT: Final = "1c7f8b481ad8a234b41e9f76a424d6e856e13f7f"
_NEUTRAL: Final = ("they", "them", "their", "theirs", "themselves")
_PRONOUNS: Final = {"male": MALE, "female": FEMALE, "neutral": _NEUTRAL}


def _pinned(name: str, blob_id: str) -> PinnedFile:
    return PinnedFile(_REPOSITORY, _COMMIT, f"data/{name}", blob_id, (f"winogender/{name}",))


SENTENCES: Final = _pinned("all_sentences.tsv", "7cbb74bbefc0c2cf3ba199d9ca96b861073be624")
SHARES: Final = _pinned("occupations-stats.tsv", "f5ce6f35b10df1c3e28f4d05dccdc247a871acd7")


def parse_shares(content: bytes, place: str) -> dict[str, float]:
    """Share of women in each occupation, by the US Bureau of Labor Statistics.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed.
    """
    found = {}
    for number, row in _rows(content, ("occupation", "bls_pct_female"), place):
        try:
            found[row["occupation"]] = float(row["bls_pct_female"]) / 100
        except ValueError:
            raise DataError(f"{place}: row {number}: no share of women") from None
    return found


def parse(content: bytes, shares: dict[str, float], place: str) -> tuple[Item, ...]:
    """Turn the sentences into items, one for the three genders of each.

    Raises
    ------
    DataError
        Naming the row, if the file is malformed or lacks a gender of a sentence.
    """
    found: dict[str, dict[str, Side]] = {}
    for number, row in _rows(content, ("sentid", "sentence"), place):
        key, _, gender = row["sentid"].removesuffix(".txt").rpartition(".")
        where = f"{place}: row {number}"
        if key.count(".") != 2 or gender not in _PRONOUNS:
            raise DataError(f"{where}: column 'sentid' holds '{row['sentid']}'")
        if key.partition(".")[0] not in shares:
            raise DataError(f"{where}: no share of women for '{key.partition('.')[0]}'")
        sides = found.setdefault(key, {})
        if gender in sides:
            raise DataError(f"{where}: '{row['sentid']}' occurs twice")
        sides[gender] = _side(row["sentence"], gender, where)
    lacking = [key for key, sides in found.items() if len(sides) < len(_PRONOUNS)]
    if lacking:
        raise DataError(f"{place}: a gender of '{lacking[0]}' is missing; get the file again")
    return tuple(_item(key, sides, shares) for key, sides in found.items())


def _rows(
    content: bytes, columns: tuple[str, ...], place: str
) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE)
    if not set(columns) <= set(reader.fieldnames or ()):
        raise DataError(f"{place}: row 1: columns must be {', '.join(columns)}")
    for number, row in enumerate(reader, 2):
        if None in row or None in row.values():
            raise DataError(f"{place}: row {number}: not as many cells as columns")
        yield number, row


def _side(sentence: str, gender: str, where: str) -> Side:
    words = (word.strip(".,;:!?'\"").lower() for word in sentence.split())
    pronoun = next((word for word in words if word in _PRONOUNS[gender]), None)
    if pronoun is None:
        raise DataError(f"{where}: the sentence has no {gender} pronoun")
    return Side(sentence, pronoun)


def _item(key: str, sides: dict[str, Side], shares: dict[str, float]) -> Item:
    occupation, participant, answer = key.split(".")
    to_occupation = answer == "0"
    mostly = "female" if shares[occupation] > 0.5 else "male"
    pro = mostly if to_occupation else {"female": "male", "male": "female"}[mostly]
    anti = {"female": "male", "male": "female"}[pro]
    both = (occupation, participant)
    people = People(*both) if to_occupation else People(*both[::-1])
    ordered = {"pro": sides[pro], "anti": sides[anti], "neutral": sides["neutral"]}
    return Item(
        item_id=key,
        axis="gender",
        group=None,
        cluster=occupation,
        texts=texts_of(ordered, people),
        facts={
            **pronouns_of(ordered),
            "part": "bias",
            "occupation": occupation if to_occupation else "",
            "share_female": shares[occupation] if to_occupation else float("nan"),
            "she_is_pro": 1.0 if pro == "female" else -1.0,
        },
    )


def _load(finder: DataFinder) -> SuiteData:
    (shares, of_shares), (sentences, source) = (finder.read(one) for one in (SHARES, SENTENCES))
    items = parse(sentences, parse_shares(shares, of_shares.path), source.path)
    return SuiteData(items, (source, of_shares))


SUITE = Suite(
    card=WINOGENDER,
    protocols=protocols(WINOGENDER.name),
    load=_load,
    estimate=coreference_estimates,
    default=False,
)
