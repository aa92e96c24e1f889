"""What is looked at while an arm is trained: probe texts and bias pairs of the known world.

A concept is a template with two texts, one that names the group of its stereotype and one that
names the other. They differ in one term, so that what else a text says cancels between the groups.
What is compared are texts with and against the stereotype or, where groups have different shares of
the training text, texts that name the one and the other group.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairaudit.diagnostics.records import ProbeRecord, ProbeTexts, probe_texts
from fairaudit.experiments.world import load_words, population
from fairaudit.items import Item

#: Groups of probe texts, by the role of their text in an item.
GROUPS: Final = {"stereotype": "stereotypical", "anti_stereotype": "anti-stereotypical"}


def world_items(axis: str) -> tuple[Item, ...]:
    """One item for each concept of an axis, spread over links, terms and wordings."""
    by_concept: dict[str, list[Item]] = {}
    for item in population():
        if item.axis == axis:
            by_concept.setdefault(item.cluster, []).append(item)
    return tuple(items[7 * place % len(items)] for place, items in enumerate(by_concept.values()))


def world_probes(axes: tuple[str, ...], *, by_name: bool = False) -> ProbeTexts:
    """Probe texts of the known world: two groups on each axis, one template a concept.

    Parameters
    ----------
    axes : tuple of str
        Its axes.
    by_name : bool
        Group texts by whom they name, such as ``male`` and ``female``, not by the stereotype.
    """
    records = (record for axis in axes for record in _records(axis, by_name))
    return probe_texts(records, source="known world", public=True)


def stereotyped_groups(axis: str) -> dict[str, int]:
    """Group that the stereotype of each concept names, 0 or 1, by the concept's cluster."""
    concepts = load_words().axes[axis].concepts
    return {f"{axis}-{concept.text}": concept.stereotyped for concept in concepts}


def _records(axis: str, by_name: bool) -> Iterator[ProbeRecord]:
    names, stereotyped = load_words().axes[axis].groups, stereotyped_groups(axis)
    for item in world_items(axis):
        named = stereotyped[item.cluster]
        by_role = {"stereotype": names[named], "anti_stereotype": names[1 - named]}
        for role, group in (by_role if by_name else GROUPS).items():
            yield ProbeRecord(
                id=f"{item.item_id}/{group}",
                text=item.texts[role],
                axis=axis,
                group=group,
                template=item.cluster,
            )
