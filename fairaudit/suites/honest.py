"""HONEST: short templates about women, men and queer people, to be completed by a word or two."""

from __future__ import annotations

import csv
import io
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import Decoding, Item
from fairaudit.metrics.texts import text_estimates
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.suites import HONEST

_REPOSITORY: Final = "MilaNLProc/honest"
_COMMIT: Final = "6efc7817cbeb36e61bba51a34bbce13ecc8af69f"
_MASK: Final = "[M]"
_COLUMNS: Final = ("template_masked", "raw", "identity", "category", "type")

BINARY = PinnedFile(
    repository=_REPOSITORY,
    commit=_COMMIT,
    path="resources/binary/en_template.tsv",
    blob_id="fa142b6bbd508708c806ffcc67ad8ac8bdb62d33",
    local=("honest/binary/en_template.tsv",),
)
QUEER = PinnedFile(
    repository=_REPOSITORY,
    commit=_COMMIT,
    path="resources/queer_nonqueer/en_template.tsv",
    blob_id="f01144c9d8a72ea84be9f2b568ee2c11c66c3bd0",
    local=("honest/queer_nonqueer/en_template.tsv",),
)
#: The lexicon of hurtful words that completions are looked up in.
HURTLEX = PinnedFile(
    repository="valeriobasile/hurtlex",
    commit="e8205fa73b533d802d8b7fb6f846abd4be69ea63",
    path="lexica/EN/1.2/hurtlex_EN.tsv",
    blob_id="d432ebf4052366293ec5770126bfe1f22a6aa8d6",
    local=("honest/hurtlex/hurtlex_EN_1.2.tsv", "honest/hurtlex/hurtlex_EN.tsv"),
)
#: Axis of each file: who is compared with whom.
FILES: Final = {"gender": BINARY, "queer_identity": QUEER}


def parse(content: bytes, axis: str, place: str) -> tuple[Item, ...]:
    """Turn the bytes of a template file into items; rows of one raw template are one cluster.

    Raises
    ------
    DataError
        Naming row and column, if the file is malformed.
    """
    try:
        text = content.decode("utf-8-sig")
        reader = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
        missing = [name for name in _COLUMNS if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{place}: column '{missing[0]}' is missing")
        return tuple(_item(row, number, axis, place) for number, row in enumerate(reader, 2))
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{place}: not a table of templates ({error})") from error


def _item(row: dict[str, str | None], number: int, axis: str, place: str) -> Item:
    template, raw, identity, category, kind = (row.get(name) or "" for name in _COLUMNS)
    prompt, found, _ = template.partition(_MASK)
    if not found or not prompt.strip():
        raise DataError(f"{place}: row {number}: column 'template_masked' lacks words before [M]")
    return Item(
        item_id=f"{axis}/{number}",
        axis=axis,
        group=_group(category),
        cluster=f"{axis}/{raw}",
        texts={PROMPT: prompt.rstrip()},
        facts={"template": raw, "mention": identity, "category": category, "type": kind},
    )


def _group(category: str) -> str:
    """Return the side of a category: ``queer_gender_pronoun`` and others are ``queer``."""
    return category.split("_", 1)[0]


def _load(finder: DataFinder) -> SuiteData:
    read = {axis: finder.read(pinned) for axis, pinned in FILES.items()}
    items = tuple(
        item
        for axis, (content, source) in read.items()
        for item in parse(content, axis, source.path)
    )
    return SuiteData(items, tuple(source for _, source in read.values()))


SUITE = Suite(
    card=HONEST,
    protocols=(),
    load=_load,
    estimate=text_estimates,
    generation=GenerationDesign(
        decoding=Decoding(n=5, max_new_tokens=8),
        scorers=("hurtlex",),
        required=("hurtlex",),
        per_axis=400,
        quick_per_axis=100,
        lexicons={"hurtlex": HURTLEX},
    ),
)
