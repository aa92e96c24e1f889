"""What is resampled: cells, the records that one group has of one template."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fairaudit.diagnostics.labels import Codes, Labels
from fairaudit.diagnostics.moments import Array


@dataclass(frozen=True, slots=True)
class Cells:
    """Records of some groups, gathered by group and template.

    Parameters
    ----------
    index : array of int, shape [n]
        Cell of each record, −1 for records of other groups.
    groups, templates : array of int, shape [m]
        Group and template of each cell; templates are numbered 0 … T − 1.
    counts : array of shape [m]
        Records of each cell.
    """

    index: Codes
    groups: Codes
    templates: Codes
    counts: Array

    @classmethod
    def of(cls, labels: Labels, groups: tuple[int, ...]) -> Cells:
        """Cells of some groups, group by group."""
        inside = np.isin(labels.groups, groups)
        keys = np.stack([labels.groups[inside], labels.templates[inside]], axis=1)
        cells, place = np.unique(keys, axis=0, return_inverse=True)
        index = np.full(len(labels.groups), -1, dtype=np.intp)
        index[inside] = place.reshape(-1)
        templates = np.unique(cells[:, 1], return_inverse=True)[1].reshape(-1)
        counts = np.bincount(index[inside], minlength=len(cells)).astype(np.float64)
        return cls(index, cells[:, 0], templates, counts)

    @classmethod
    def single(cls, labels: Labels, groups: tuple[int, ...]) -> Cells:
        """Cells of one record each."""
        inside = np.flatnonzero(np.isin(labels.groups, groups))
        index = np.full(len(labels.groups), -1, dtype=np.intp)
        index[inside] = np.arange(len(inside))
        templates = np.unique(labels.templates[inside], return_inverse=True)[1].reshape(-1)
        return cls(index, labels.groups[inside], templates, np.ones(len(inside)))

    @property
    def balanced(self) -> bool:
        """Whether the cells of every shared template are of one size."""
        totals = self.counts @ self.by_template
        cells = self.by_template.sum(axis=0)
        return bool(np.allclose(self.counts * cells[self.templates], totals[self.templates]))

    @property
    def n_templates(self) -> int:
        """Number of templates T."""
        return int(self.templates.max()) + 1

    def sums(self, values: Array) -> Array:
        """Sum of a value per record over each cell, [m]."""
        inside = self.index >= 0
        found = np.bincount(self.index[inside], weights=values[inside], minlength=len(self.counts))
        return np.asarray(found, dtype=np.float64)

    def products(self, gram: Array) -> Array:
        """Inner products of the cells' sums, [m, m]."""
        inside = np.flatnonzero(self.index >= 0)
        member = np.zeros((len(inside), len(self.counts)))
        member[np.arange(len(inside)), self.index[inside]] = 1.0
        return np.asarray(member.T @ gram[np.ix_(inside, inside)] @ member)

    def of_group(self, group: int) -> Array:
        """1 for the cells of a group, [m]."""
        return np.asarray(self.groups == group, np.float64)

    @property
    def by_template(self) -> Array:
        """1 where a cell belongs to a template, [m, T]."""
        return np.asarray(self.templates[:, None] == np.arange(self.n_templates), np.float64)


def bootstrap_counts(cells: Cells, replicates: int, rng: np.random.Generator) -> NDArray[np.int_]:
    """How often each template is drawn, [R, T].

    Where no template is shared by two groups, each group's templates are drawn by themselves, so
    that no replicate lacks a group.
    """
    counts = np.zeros((replicates, cells.n_templates), dtype=np.int_)
    for stratum in _strata(cells):
        drawn = stratum[rng.integers(len(stratum), size=(replicates, len(stratum)))]
        np.add.at(counts, (np.arange(replicates)[:, None], drawn), 1)
    return counts


def _strata(cells: Cells) -> list[Codes]:
    owners = [
        np.unique(cells.templates[cells.groups == group]) for group in np.unique(cells.groups)
    ]
    shared = sum(map(len, owners)) > cells.n_templates
    return [np.arange(cells.n_templates)] if shared else owners


def permuted_records(
    cells: Cells, group: int, replicates: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which single records are taken for the first group's, [R, m]; the first row as observed.

    Within a shared template the records' labels are dealt anew, as many to each group as before,
    and so are those of all records whose template only one group has.
    """
    observed = cells.groups == group
    owners = np.zeros((cells.n_templates, 2), dtype=bool)
    owners[cells.templates[observed], 0] = owners[cells.templates[~observed], 1] = True
    shared = owners[:, 0] & owners[:, 1]
    # Templates of one owner are one stratum.
    strata = np.where(shared[cells.templates], cells.templates, cells.n_templates)
    member = np.empty((replicates + 1, len(observed)), dtype=bool)
    member[0] = observed
    ordered = np.argsort(strata, kind="stable")
    keys = strata[ordered] + rng.random((replicates, len(observed)))
    member[1:, ordered] = observed[ordered][np.argsort(keys, axis=1)]
    return member


def permuted_membership(
    cells: Cells, group: int, replicates: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Which cells of two groups are taken for the first one's, [R, m]; the first row as observed.

    The two cells of a shared template change places with probability one half; templates that
    only one group has are dealt to the groups anew, as many to each as before. Where the groups
    do not differ and cells are of one size this leaves the distribution of everything as it is.
    """
    observed = cells.groups == group
    member = np.tile(observed, (replicates + 1, 1))
    sizes = np.bincount(cells.templates)
    shared = sizes[cells.templates] > 1
    swapped = rng.random((replicates, cells.n_templates)) < 0.5
    member[1:] ^= swapped[:, cells.templates] & shared
    alone = np.flatnonzero(~shared)
    orders = rng.permuted(np.tile(observed[alone], (replicates, 1)), axis=1)
    member[1:, alone] = orders
    return member
