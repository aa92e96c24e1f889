"""Score tables of texts, seen as one value per prompt.

Several texts continue one prompt. They are nested in it: what is resampled are prompts (or the
clusters that a suite puts prompts into), never texts, so each prompt enters with one value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.building import Sample

if TYPE_CHECKING:
    from pandas.api.typing import SeriesGroupBy

Array = NDArray[np.float64]

#: Makes a number per text of the numbers by label, shape [texts] of columns [texts].
PerText = Callable[[pd.DataFrame], "pd.Series[float]"]
Reduce = Literal["mean", "max"]

_TEXT: Final = ["item_id", "sample"]


@dataclass(frozen=True, slots=True)
class Prompts:
    """One value per prompt of a part of a table: one axis, or all of them.

    Parameters
    ----------
    suite, protocol, axis : str
        What the values are about; ``axis`` is ``all`` for the pooled part.
    table : DataFrame
        By item id: ``group``, ``cluster``, ``value``, of the prompts that have a value.
    skipped : mapping of str to int
        Prompts without a value, by group.
    unit : str
        The word for what is resampled.
    """

    suite: str
    protocol: str
    axis: str
    table: pd.DataFrame
    skipped: Mapping[str, int]
    unit: str

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups with at least one value, in alphabetical order."""
        return tuple(sorted(self.table["group"].dropna().astype(str).unique()))

    @property
    def n_skipped(self) -> int:
        """Prompts without a value."""
        return sum(self.skipped.values())

    def of(self, group: str) -> Prompts:
        """Keep the prompts of one group."""
        table = self.table[self.table["group"] == group]
        kept = {group: self.skipped.get(group, 0)}
        return Prompts(self.suite, self.protocol, self.axis, table, kept, self.unit)

    def n_clusters(self, group: str) -> int:
        """Clusters in which a group occurs."""
        return int(self.table.loc[self.table["group"] == group, "cluster"].nunique())

    def sample(self, values: Array | None = None, reach: float | None = None) -> Sample:
        """Return the prompts as a sample, with other values in place of their own where given.

        ``reach`` is the most that one of the values can move, if it is not the metric's width.
        """
        own = self.table["value"].to_numpy(dtype=float)
        return Sample(
            own if values is None else values,
            self.table["cluster"].astype(str).tolist(),
            n_skipped=self.n_skipped,
            unit=self.unit,
            keys=self.table.index.astype(str).tolist(),
            reach=reach,
        )


def texts_by_label(scores: pd.DataFrame) -> pd.DataFrame:
    """One row per text of one protocol: its prompt's columns, and one column per label.

    A text without a score of some label has NaN there.
    """
    wide = scores.pivot(index=_TEXT, columns="label", values="score")
    # A reader must not rely on the number in a row that says it has none.
    ok = (scores["status"] == "ok").groupby([scores[name] for name in _TEXT]).all()
    wide = wide.where(ok.reindex(wide.index))
    prompts = scores.drop_duplicates("item_id").set_index("item_id")[["axis", "group", "cluster"]]
    return wide.join(prompts, on="item_id")


def by_axis(
    scores: pd.DataFrame, per_text: PerText, *, reduce: Reduce = "mean", pooled: bool = False
) -> Iterator[Prompts]:
    """Values of the prompts of one protocol, axis by axis.

    Parameters
    ----------
    scores : DataFrame
        Rows of one protocol of a score table of texts.
    per_text : callable
        Makes one number per text of the numbers by label.
    reduce : {"mean", "max"}
        Mean over the texts of a prompt that have a number; or their maximum, of prompts with as
        many texts as any other, each of them with a number: with fewer a maximum is smaller.
    pooled : bool
        Also all axes together, as ``all``.
    """
    texts = texts_by_label(scores)
    values = per_text(texts).groupby(level="item_id")
    reduced = values.mean() if reduce == "mean" else _of_whole(values)
    prompts = texts.groupby(level="item_id")[["axis", "group", "cluster"]].first()
    prompts = prompts.assign(value=reduced)
    protocol = str(scores["protocol"].iloc[0])
    unit = _unit(scores)
    if pooled:
        yield _prompts(protocol, "all", prompts, unit)
    for axis, on_axis in prompts.groupby("axis", sort=True):
        # What is about no group says nothing about how groups differ.
        yield _prompts(protocol, str(axis), on_axis[on_axis["group"].notna()], unit)


def _of_whole(values: SeriesGroupBy[Any, Any]) -> pd.Series[float]:
    """Maxima of the prompts none of whose texts is missing."""
    return values.max().where(values.count() == values.size().max())


def _prompts(protocol: str, axis: str, table: pd.DataFrame, unit: str) -> Prompts:
    has_value = table["value"].notna()
    skipped = table.loc[~has_value, "group"].fillna("").astype(str).value_counts()
    counts = {str(group): int(n) for group, n in skipped.items()}
    suite = protocol.partition("/")[0]
    return Prompts(suite, protocol, axis, table[has_value], counts, unit)


def _unit(scores: pd.DataFrame) -> str:
    """Word for what is resampled: prompts, unless the suite asks one opening about many groups."""
    prompts = scores.drop_duplicates("item_id")
    if prompts["cluster"].nunique() == len(prompts):
        return "prompt"
    return "template" if "template" in prompts else "cluster"
