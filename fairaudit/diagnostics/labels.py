"""Group and template of every record, as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairaudit.diagnostics.records import ProbeRecord
from fairaudit.stats.clusters import codes

Codes = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Labels:
    """Labels of n records.

    Parameters
    ----------
    groups : array of int, shape [n]
        Group of each record, as a place in ``group_names``.
    templates : array of int, shape [n]
        Template of each record.
    group_names : tuple of (axis, group)
        The A groups.
    template_names : tuple of str
        Label of the template of each record, by record.
    """

    groups: Codes
    templates: Codes
    group_names: tuple[tuple[str, str], ...]
    template_names: tuple[str, ...]

    @classmethod
    def of(cls, records: Sequence[ProbeRecord], groups: Sequence[tuple[str, str]]) -> Labels:
        """Return the labels of records, groups numbered in the given order."""
        place = {name: number for number, name in enumerate(groups)}
        names = tuple(f"{record.axis}\0{record.template}" for record in records)
        return cls(
            np.array([place[record.axis, record.group] for record in records], dtype=np.intp),
            codes(names)[0],
            tuple(groups),
            names,
        )

    @property
    def membership(self) -> NDArray[np.float64]:
        """1 where a record is of a group, [n, A]."""
        return np.asarray(self.groups[:, None] == np.arange(len(self.group_names)), np.float64)

    @property
    def counts(self) -> NDArray[np.float64]:
        """Records of each group, [A]."""
        return np.asarray(self.membership.sum(axis=0))

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes in their order."""
        return tuple(dict.fromkeys(axis for axis, _ in self.group_names))
