"""What is looked at while an arm is trained: probe texts and bias pairs of the known world.

A concept is a template with two texts, one that names the group of its stereotype and one that
names the other. They differ in one term, so that what else a text says cancels between the groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from fairaudit.diagnostics.records import ProbeRecord, ProbeTexts, probe_texts
from fairaudit.experiments.world import population
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


def world_probes(axes: tuple[str, ...]) -> ProbeTexts:
    """Probe texts of the known world: two groups on each axis, one template a concept."""
    records = (record for axis in axes for record in _records(axis))
    return probe_texts(records, source="known world", public=True)


def _records(axis: str) -> Iterator[ProbeRecord]:
    for item in world_items(axis):
        for role, group in GROUPS.items():
            yield ProbeRecord(
                id=f"{item.item_id}/{group}",
                text=item.texts[role],
                axis=axis,
                group=group,
                template=item.cluster,
            )
