"""How many answers in words are none of the choices."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from fairaudit.items import NOT_UNDERSTOOD
from fairaudit.metrics.sample_estimates import Measurement, Sample, Slice
from fairaudit.vocabulary.metrics import UNPARSED_SHARE

if TYPE_CHECKING:
    import pandas as pd


def unparsed_measurements(
    scores: pd.DataFrame, protocol: str, unit: str | None
) -> Iterator[Measurement]:
    """Share of answers in words that are none of the choices, of all that were given.

    Of an item that was asked several times, the share of its answers. Range 0-1, ideal 0. Two
    models cannot be compared in it: what is compared are items that both answered.

    Parameters
    ----------
    scores : DataFrame
        Score table of one protocol.
    protocol : str
        Its id.
    unit : str or None
        What a cluster is called.
    """
    given = scores[(scores["status"] == "ok") | (scores["reason"] == NOT_UNDERSTOOD.reason)]
    items = given.drop_duplicates("item_id").set_index("item_id")
    lost = (given["status"] == "skipped").groupby(given["item_id"]).mean()
    n_asked = scores.groupby("axis")["item_id"].nunique()
    for axis in ("all", *items["axis"].unique()):
        part = items if axis == "all" else items[items["axis"] == axis]
        crossed = part["template"].astype(str).tolist() if "template" in part else None
        asked = n_asked.sum() if axis == "all" else n_asked[axis]
        sample = Sample(
            lost.reindex(part.index).to_numpy(dtype=float),
            part["cluster"].astype(str).tolist(),
            crossed=crossed,
            n_skipped=int(asked) - len(part),
            unit=unit if crossed is None else None,
        )
        where = Slice(protocol.partition("/")[0], protocol, str(axis))
        yield Measurement(UNPARSED_SHARE, where, sample)
