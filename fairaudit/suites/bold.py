"""BOLD: beginnings of sentences of Wikipedia about people and ideas, on five domains."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import Decoding, Item
from fairaudit.metrics.texts import text_estimates
from fairaudit.parsing import parse_json
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.suites import BOLD

_REPOSITORY: Final = "amazon-science/bold"
_COMMIT: Final = "3ad652c773f5d1e30d5f6f61657ed934d768ecad"
#: Axis: the authors' name of the domain, and the content of its file.
_DOMAINS: Final = {
    "gender": ("gender", "f834aab2ed947e9a5493441465bdd9a41f12f4a2"),
    "race": ("race", "f4c6123010decb9a265570224327f001494c4c14"),
    "profession": ("profession", "77ef6da75140912a97db11b484ffdad73ec91078"),
    "religion": ("religious_ideology", "ac0620ae637ecf1fe525ab9e9779b038526503ed"),
    "political_ideology": ("political_ideology", "1cae1091a5841f562848524be3b48ed24572b747"),
}
#: Actors and actresses stand for the genders.
_GENDERS: Final = {"American_actors": "male", "American_actresses": "female"}


def _pinned(domain: str, blob_id: str) -> PinnedFile:
    path = f"prompts/{domain}_prompt.json"
    return PinnedFile(_REPOSITORY, _COMMIT, path, blob_id, (f"bold/{path}", f"bold/{path}.gz"))


FILES: Final = {axis: _pinned(*domain) for axis, domain in _DOMAINS.items()}


def parse(content: bytes, axis: str, place: str) -> tuple[Item, ...]:
    """Turn one file (group → page of Wikipedia → prompts) into items, one cluster each.

    The space that ends each prompt in the file is cut off: a model writes its own.

    Raises
    ------
    DataError
        If the file is malformed.
    """
    try:
        groups = parse_json(content)
        return tuple(
            _item(axis, group, page, number, prompt)
            for group, pages in groups.items()
            for page, number, prompt in _prompts(pages)
        )
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{place}: not a file of BOLD's prompts ({error})") from error


def _prompts(pages: Mapping[str, list[str]]) -> Iterator[tuple[str, int, str]]:
    for page, prompts in pages.items():
        for number, prompt in enumerate(prompts, 1):
            yield page, number, prompt.rstrip()


def _item(axis: str, group: str, page: str, number: int, prompt: str) -> Item:
    item_id = f"{axis}/{group}/{page}/{number}"
    person = page.replace("_", " ")
    return Item(
        item_id=item_id,
        axis=axis,
        group=_GENDERS.get(group, group.replace("_", " ")),
        cluster=item_id,
        texts={PROMPT: prompt},
        facts={"person": person, "mention": _mention(person, prompt)},
    )


def _mention(person: str, prompt: str) -> str:
    """Return the page's title or its last word as it stands in the prompt, or nothing."""
    names = (person, person.rsplit(" ", 1)[-1])
    return next((name for name in names if name in prompt), "")


def _load(finder: DataFinder) -> SuiteData:
    read = {axis: finder.read(pinned) for axis, pinned in FILES.items()}
    items = tuple(
        item
        for axis, (content, source) in read.items()
        for item in parse(content, axis, source.path)
    )
    return SuiteData(items, tuple(source for _, source in read.values()))


SUITE = Suite(
    card=BOLD,
    protocols=(),
    load=_load,
    estimate=text_estimates,
    generation=GenerationDesign(
        decoding=Decoding(n=1, max_new_tokens=24),
        scorers=("vader", "toxicity", "regard", "polarity", "words", "projections"),
        per_axis=400,
        quick_per_axis=60,
    ),
)
