"""Score tables of texts, seen as one value per prompt.

Several texts continue one prompt. They are nested in it: what is resampled are prompts (or the
clusters that a suite puts prompts into), never texts, so each prompt enters with one value.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.sample_estimates import Sample

if TYPE_CHECKING:
    from pandas.api.typing import SeriesGroupBy

Array = NDArray[np.float64]

#: Makes a number per text of the numbers by label, shape [texts] of columns [texts].
PerText = Callable[[pd.DataFrame], "pd.Series[float]"]
Reduce = Literal["mean", "max"]

_TEXT: Final = ["item_id", "sample"]


@dataclass(frozen=True)
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

    @cached_property
    def groups(self) -> tuple[str, ...]:
        """Groups with at least one value, in alphabetical order."""
        return tuple(sorted(self._places))

    @property
    def n_skipped(self) -> int:
        """Prompts without a value."""
        return sum(self.skipped.values())

    def n_clusters(self, group: str) -> int:
        """Clusters in which a group occurs."""
        return len({self._clusters[place] for place in self._places.get(group, ())})

    def sample_of(self, group: str) -> Sample:
        """Return the prompts of one group as a sample."""
        places = self._places[group]
        return Sample(
            self._values[places],
            [self._clusters[place] for place in places],
            n_skipped=self.skipped.get(group, 0),
            unit=self.unit,
            keys=[self._keys[place] for place in places],
        )

    def sample(self, values: Array | None = None, reach: float | None = None) -> Sample:
        """Return the prompts as a sample, with other values in place of their own where given.

        ``reach`` is the most that one of the values can move, if it is not the metric's width.
        """
        return Sample(
            self._values if values is None else values,
            self._clusters,
            n_skipped=self.n_skipped,
            unit=self.unit,
            keys=self._keys,
            reach=reach,
        )

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        """Rows of the table by group; a prompt about no group is in none."""
        found: dict[str, list[int]] = {}
        for place, group in enumerate(self.table["group"].tolist()):
            if not pd.isna(group):
                found.setdefault(str(group), []).append(place)
        return found

    @cached_property
    def _values(self) -> Array:
        return self.table["value"].to_numpy(dtype=float)

    @cached_property
    def _clusters(self) -> list[str]:
        return self.table["cluster"].astype(str).tolist()

    @cached_property
    def _keys(self) -> list[str]:
        return self.table.index.astype(str).tolist()


class Texts:
    """Scores of texts by one protocol, seen as a table of texts.

    Many numbers are made of the same texts, so the table is made once.

    Parameters
    ----------
    scores : DataFrame
        Rows of one protocol of a score table of texts.
    """

    def __init__(self, scores: pd.DataFrame) -> None:
        self.scores = scores
        self.protocol = str(scores["protocol"].iloc[0])
        self.labels = frozenset(map(str, scores["label"].unique()))

    @cached_property
    def several(self) -> bool:
        """Whether a prompt has more than one text."""
        return self.scores["sample"].nunique() > 1

    @cached_property
    def by_label(self) -> pd.DataFrame:
        """One row per text; see `texts_by_label`."""
        return texts_by_label(self.scores)

    @cached_property
    def prompts(self) -> pd.DataFrame:
        """Axis, group and cluster by prompt."""
        return self.by_label.groupby(level="item_id")[["axis", "group", "cluster"]].first()

    @cached_property
    def unit(self) -> str:
        """Word for what is resampled: prompts, unless one opening is asked about many groups."""
        prompts = self.scores.drop_duplicates("item_id")
        if prompts["cluster"].nunique() == len(prompts):
            return "prompt"
        return "template" if "template" in prompts else "cluster"


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
    texts: Texts, per_text: PerText, *, reduce: Reduce = "mean", pooled: bool = False
) -> Iterator[Prompts]:
    """Values of the prompts of one protocol, axis by axis.

    Parameters
    ----------
    texts : Texts
        Texts of one protocol.
    per_text : callable
        Makes one number per text of the numbers by label.
    reduce : {"mean", "max"}
        Mean over the texts of a prompt that have a number; or their maximum, of prompts with as
        many texts as any other, each of them with a number: with fewer a maximum is smaller.
    pooled : bool
        Also all axes together, as ``all``.
    """
    values = per_text(texts.by_label).groupby(level="item_id")
    reduced = values.mean() if reduce == "mean" else _of_whole(values)
    prompts = texts.prompts.assign(value=reduced)
    if pooled:
        yield _prompts(texts, "all", prompts)
    for axis, on_axis in prompts.groupby("axis", sort=True):
        # What is about no group says nothing about how groups differ.
        yield _prompts(texts, str(axis), on_axis[on_axis["group"].notna()])


def _of_whole(values: SeriesGroupBy[Any, Any]) -> pd.Series[float]:
    """Maxima of the prompts none of whose texts is missing."""
    return values.max().where(values.count() == values.size().max())


def _prompts(texts: Texts, axis: str, table: pd.DataFrame) -> Prompts:
    has_value = table["value"].notna()
    skipped = Counter(
        "" if pd.isna(group) else str(group) for group in table.loc[~has_value, "group"]
    )
    suite = texts.protocol.partition("/")[0]
    return Prompts(suite, texts.protocol, axis, table[has_value], skipped, texts.unit)
