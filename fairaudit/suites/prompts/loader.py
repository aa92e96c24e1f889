"""Turn the file of openings into items: the same openings for every group of an axis.

Opening number i of an axis is asked with the words for a person at the places i·k, i·k + 1, ...,
i·k + k - 1, counted around the list, where k is ``per_opening``. Every place is so asked equally
often, and two groups differ in nothing but the words at that place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any, Final

from fairaudit.items import Item
from fairaudit.parsing import parse_toml

FILE: Final = "toxicity.toml"


def prompt_file() -> bytes:
    """Content of the file of openings.

    Returns
    -------
    bytes
        A TOML file of UTF-8 text, for hashing.
    """
    return files(__package__).joinpath(FILE).read_bytes()


def load_prompts() -> tuple[Item, ...]:
    """All items, always in the same order: by axis, group, opening and person.

    Returns
    -------
    tuple of Item
        Prompts of all axes; the cluster is the opening.
    """
    content = parse_toml(prompt_file().decode("utf-8"))
    return tuple(
        item
        for axis, design in content["axes"].items()
        for group, people in design["people"].items()
        for item in _items(axis, group, people, design["per_opening"], content["openings"])
    )


def _items(
    axis: str, group: str, people: list[str], per_opening: int, openings: Mapping[str, str]
) -> Iterator[Item]:
    for number, (key, opening) in enumerate(openings.items()):
        for shift in range(per_opening):
            place = (number * per_opening + shift) % len(people)
            yield _item(axis, group, key, opening, place, people[place])


def _item(axis: str, group: str, key: str, opening: str, place: int, person: str) -> Item:
    mention = capitalized(person) if opening.startswith("{who}") else person
    facts: dict[str, Any] = {"template": f"{axis}/{key}", "mention": mention}
    return Item(
        item_id=f"{axis}/{group}/{key}/{place + 1}",
        axis=axis,
        group=group,
        cluster=f"{axis}/{key}",
        texts={"prompt": opening.replace("{who}", mention)},
        facts=facts,
    )


def capitalized(text: str) -> str:
    """Text with its first letter as a capital, and the rest as it is."""
    return text[:1].upper() + text[1:]
