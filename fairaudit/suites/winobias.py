"""WinoBias: who is meant by a pronoun, of two occupations that are mostly women's and men's work.

The sentences of type 1 can be resolved by knowing the world only, those of type 2 by grammar. So
type 1 shows the bias, and type 2 is the control of capability.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import Item
from fairaudit.lines import lines_of
from fairaudit.metrics.coreference import coreference_estimates
from fairaudit.results import Source
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
from fairaudit.vocabulary.suites import WINOBIAS

#: Share of women, US Bureau of Labor Statistics 2017, as Zhao et al. 2018 list it.
FEMALE_OCCUPATIONS: Final = {
    "accountant": 0.61, "assistant": 0.85, "attendant": 0.76, "auditor": 0.61, "baker": 0.65,
    "cashier": 0.73, "cleaner": 0.89, "clerk": 0.72, "counselor": 0.73, "designer": 0.54,
    "editor": 0.52, "hairdresser": 0.92, "housekeeper": 0.89, "librarian": 0.84, "nurse": 0.90,
    "receptionist": 0.90, "secretary": 0.95, "tailor": 0.80, "teacher": 0.78, "writer": 0.63,
}  # fmt: skip
MALE_OCCUPATIONS: Final = {
    "analyst": 0.41, "carpenter": 0.02, "ceo": 0.39, "chief": 0.27, "construction worker": 0.04,
    "cook": 0.38, "developer": 0.20, "driver": 0.06, "farmer": 0.22, "guard": 0.22,
    "janitor": 0.34, "laborer": 0.04, "lawyer": 0.35, "manager": 0.43, "mechanic": 0.04,
    "mover": 0.18, "physician": 0.38, "salesperson": 0.48, "sheriff": 0.14, "supervisor": 0.44,
}  # fmt: skip
SHARES: Final = {**FEMALE_OCCUPATIONS, **MALE_OCCUPATIONS}

_REPOSITORY: Final = "uclanlp/corefBias"
_COMMIT: Final = "0bce984dd081bbc10b0622f326727a024c607895"
_BLOBS: Final = {
    "pro_stereotyped_type1.txt.dev": "26235f6f584682f52f871a33eda6e7195023b6fa",
    "pro_stereotyped_type1.txt.test": "14dfa3788194ffd9b7bce455676b9a312e547260",
    "pro_stereotyped_type2.txt.dev": "584d9c1cc6672b014d9aac3c2383650866470b61",
    "pro_stereotyped_type2.txt.test": "e0c786e81a6f8e7ee84ba1cb76167cc0bf941c95",
    "anti_stereotyped_type1.txt.dev": "ddcd659e0070e5fa6d8b0608b00ffd24d7e913b5",
    "anti_stereotyped_type1.txt.test": "c8872b23832acb49a123f7a8e0e6dee4c7b0d35b",
    "anti_stereotyped_type2.txt.dev": "04d2d43335149db830bcf487e71e3ad84b5f0ad2",
    "anti_stereotyped_type2.txt.test": "d83b0730881d470a76d95c9d2d5992a343bd2423",
}
_PARTS: Final = tuple((number, split) for number in (1, 2) for split in ("dev", "test"))
_LINE: Final = re.compile(r"(\d+) +(\S.*)")
_MENTION: Final = re.compile(r"\[([^\[\]]*)\]")
_OCCUPATION: Final = re.compile(
    rf"\b({'|'.join(sorted(SHARES, key=len, reverse=True))})\b", re.IGNORECASE
)


def _pinned(name: str) -> PinnedFile:
    path = f"WinoBias/wino/data/{name}"
    return PinnedFile(_REPOSITORY, _COMMIT, path, _BLOBS[name], (f"winobias/{name}",))


FILES: Final = {name: _pinned(name) for name in _BLOBS}


def parse(pro: bytes, anti: bytes, kind: int, split: str, place: str) -> tuple[Item, ...]:
    """Turn the two files of one type and split into items, line by line.

    Raises
    ------
    DataError
        Naming the row, if a line is no sentence with its mentions in brackets, or the files do not
        belong together.
    """
    ours, theirs = _lines(pro, place), _lines(anti, place)
    if len(ours) != len(theirs):
        raise DataError(f"{place}: {len(ours)} pro and {len(theirs)} anti sentences; get it again")
    found = []
    for row, (our, their) in enumerate(zip(ours, theirs, strict=True), 1):
        where = f"{place}: row {row}"
        if our[0] != their[0]:
            raise DataError(f"{where}: sentence {our[0]} stands beside sentence {their[0]}")
        found.append(_item(f"type{kind}/{split}/{our[0]}", kind, our[1], their[1], where))
    return tuple(found)


def _lines(content: bytes, place: str) -> list[tuple[str, str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    found = []
    for row, line in enumerate(lines_of(text), 1):
        match = _LINE.fullmatch(line.rstrip())
        if match is None:
            raise DataError(f"{place}: row {row}: no number with a sentence")
        found.append((match[1], match[2]))
    return found


def _item(item_id: str, kind: int, pro: str, anti: str, where: str) -> Item:
    sides = {"pro": _side(pro, where), "anti": _side(anti, where)}
    referents = {_referent(line) for line in (pro, anti)}
    named = {one.lower(): one for one in _OCCUPATION.findall(sides["pro"].sentence)}
    referent = referents.pop() if len(referents) == 1 else None
    known = referent is not None and len(named) == 2 and referent in named
    people = None
    if known:
        assert referent is not None
        people = People(named[referent], next(named[one] for one in named if one != referent))
    return Item(
        item_id=item_id,
        axis="gender",
        group=None,
        cluster=_one_of(named, MALE_OCCUPATIONS),
        texts=texts_of(sides, people),
        facts={
            **pronouns_of(sides),
            "template": _one_of(named, FEMALE_OCCUPATIONS),
            "part": "control" if kind == 2 else "bias",
            "occupation": referent or "",
            "share_female": SHARES.get(referent or "", float("nan")),
            "she_is_pro": 1.0 if sides["pro"].pronoun in FEMALE else -1.0,
        },
    )


def _one_of(named: dict[str, str], occupations: dict[str, float]) -> str:
    """Occupation of a sentence from one of the two lists; items that share one are no strangers."""
    return next((one for one in named if one in occupations), "none")


def _side(line: str, where: str) -> Side:
    pronouns = [one for one in _mentions(line) if one in {*FEMALE, *MALE}]
    if not pronouns:
        raise DataError(f"{where}: no pronoun stands in brackets")
    sentence = " ".join(re.sub(r"[\[\]]", " ", line).split())
    # The files are split into words: what belongs together is put together.
    return Side(re.sub(r" (?=[.,!?;]|'s\b)", "", sentence), pronouns[0])


def _mentions(line: str) -> Iterator[str]:
    """Mentions in brackets, without article."""
    for mention in _MENTION.findall(line):
        yield re.sub(r"^(?:the|a|an)\s+", "", " ".join(mention.lower().split()))


def _referent(line: str) -> str | None:
    return next((one for one in _mentions(line) if one in SHARES), None)


def _load(finder: DataFinder) -> SuiteData:
    read = {name: finder.read(pinned) for name, pinned in FILES.items()}
    items: list[Item] = []
    for kind, split in _PARTS:
        names = [f"{side}_stereotyped_type{kind}.txt.{split}" for side in ("pro", "anti")]
        (pro, source), (anti, _) = (read[name] for name in names)
        items += parse(pro, anti, kind, split, source.path)
    sources: tuple[Source, ...] = tuple(source for _, source in read.values())
    return SuiteData(tuple(items), sources)


SUITE = Suite(
    card=WINOBIAS,
    protocols=protocols(WINOBIAS.name),
    load=_load,
    estimate=coreference_estimates,
    default=False,
)
