"""Probe records: texts with a group to compare and a template to resample."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from fairaudit.errors import DataError
from fairaudit.results.diagnostics import ProbeGroup

#: With fewer templates a permutation test cannot reach 5 %, whatever the gradients are.
MIN_TEMPLATES: Final = 5


@dataclass(frozen=True, slots=True)
class ProbeRecord:
    """One text of one group.

    Parameters
    ----------
    id : str
        Unique; it names the record in errors and tables.
    text : str
        The text.
    axis, group : str
        What is compared: groups of one axis with each other.
    template : str
        What is resampled together: texts that share a template are not independent.
    """

    id: str
    text: str
    axis: str
    group: str
    template: str


@dataclass(frozen=True, slots=True)
class ProbeTexts:
    """All records of a diagnosis, in a fixed order, and what was left out.

    Parameters
    ----------
    records : tuple of ProbeRecord
        Sorted by axis and template, so that a template's records stand together.
    groups : tuple of ProbeGroup
        Every group with its size; those left out carry a reason.
    source : str
        ``built-in`` or the name of a file.
    public : bool
        Whether the texts say nothing about anybody.
    notes : tuple of str
        What a reader must know about them.
    """

    records: tuple[ProbeRecord, ...]
    groups: tuple[ProbeGroup, ...]
    source: str
    public: bool
    notes: tuple[str, ...] = ()

    @property
    def hash(self) -> str:
        """SHA-256 of texts, groups and templates."""
        content = [(entry.text, entry.axis, entry.group, entry.template) for entry in self.records]
        text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()

    @property
    def kept(self) -> tuple[tuple[str, str], ...]:
        """(axis, group) of every group that is looked at."""
        return tuple((entry.axis, entry.group) for entry in self.groups if entry.reason is None)


def probe_texts(
    records: Iterable[ProbeRecord], *, source: str, public: bool, notes: Sequence[str] = ()
) -> ProbeTexts:
    """Check records, leave out groups that are too small, and fix the order.

    Raises
    ------
    DataError
        If a text is empty, two records share an id, or fewer than two groups of an axis are left.
    """
    found = list(records)
    _check(found, source)
    groups = _groups(found)
    kept = {(entry.axis, entry.group) for entry in groups if entry.reason is None}
    _check_comparable(groups, source)
    chosen = [entry for entry in found if (entry.axis, entry.group) in kept]
    axes = {axis: place for place, axis in enumerate(dict.fromkeys(e.axis for e in found))}
    chosen.sort(key=lambda entry: (axes[entry.axis], entry.template, entry.group))
    return ProbeTexts(tuple(chosen), groups, source, public, tuple(notes))


def _check(records: Sequence[ProbeRecord], source: str) -> None:
    if not records:
        raise DataError(f"{source}: there are no texts")
    for entry in records:
        if not entry.text.strip():
            raise DataError(f"{source}: the text of record {entry.id} is empty")
    repeated = [name for name, count in Counter(e.id for e in records).items() if count > 1]
    if repeated:
        raise DataError(f"{source}: two records are called '{repeated[0]}'")


def _groups(records: Sequence[ProbeRecord]) -> tuple[ProbeGroup, ...]:
    sizes = Counter((entry.axis, entry.group) for entry in records)
    templates = Counter((a, g) for a, g, _ in {(e.axis, e.group, e.template) for e in records})
    return tuple(
        ProbeGroup(
            axis=axis,
            group=group,
            n=size,
            n_templates=templates[axis, group],
            reason=None
            if templates[axis, group] >= MIN_TEMPLATES
            else f"fewer than {MIN_TEMPLATES} templates",
        )
        for (axis, group), size in sizes.items()
    )


def _check_comparable(groups: Sequence[ProbeGroup], source: str) -> None:
    axes = list(dict.fromkeys(entry.axis for entry in groups))
    for axis in axes:
        named = [entry for entry in groups if entry.axis == axis]
        kept = [entry for entry in named if entry.reason is None]
        if len(named) == 1:
            raise DataError(
                f"{source}: all records are in one group, '{named[0].group}' of {axis}; there is "
                "nothing to compare"
            )
        if len(kept) < 2:
            sizes = ", ".join(f"{entry.group} {entry.n_templates}" for entry in named)
            raise DataError(
                f"{source}: fewer than two groups of {axis} have {MIN_TEMPLATES} templates "
                f"({sizes}); give more texts"
            )
