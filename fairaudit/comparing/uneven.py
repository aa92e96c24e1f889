"""Prompts that two audits continued another number of times, as 4 and 5.

A mean per prompt is over whatever texts the prompt has, so it takes all of them. The largest of 5
texts is larger than that of 4, whatever the model: what depends on the number of texts is measured
on the first k of each prompt, with k the number that both audits have.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from fairaudit.comparing.joining import Joined
from fairaudit.metrics.registry import measurements
from fairaudit.metrics.texts import OF_THE_NUMBER, is_of_texts
from fairaudit.vocabulary.suites import called

if TYPE_CHECKING:
    from pandas import DataFrame, Series

    from fairaudit.metrics.sample_estimates import Measurement


def measured(joined: Joined) -> tuple[list[Measurement], list[Measurement]]:
    """Measure both sides of a join, each number on texts with which it compares."""
    even = with_even_texts(joined)
    return _measured(joined.baseline, even.baseline, joined), _measured(
        joined.candidate, even.candidate, joined
    )


def _measured(table: DataFrame, even: DataFrame, joined: Joined) -> list[Measurement]:
    found = list(measurements(joined.suite, table))
    if even is table:
        return found
    of_mean = [one for one in found if one.metric.name not in OF_THE_NUMBER]
    of_even = measurements(joined.suite, even)
    return [*of_mean, *(one for one in of_even if one.metric.name in OF_THE_NUMBER)]


def with_even_texts(joined: Joined) -> Joined:
    """Keep the first texts of each prompt, as many as both audits have."""
    if not is_of_texts(joined.baseline) or not n_uneven(joined):
        return joined
    ours, theirs = _counts(joined.baseline), _counts(joined.candidate)
    common = ours.where(ours <= theirs, theirs)
    return replace(
        joined,
        baseline=_first(joined.baseline, common),
        candidate=_first(joined.candidate, common),
    )


def n_uneven(joined: Joined) -> int:
    """Count the prompts that the audits continued another number of times."""
    if not is_of_texts(joined.baseline):
        return 0
    differ = _counts(joined.baseline) != _counts(joined.candidate)
    return int(differ.groupby(level="item_id").any().sum())


def uneven_note(joined: Joined, candidate: str) -> str | None:
    """Say how texts of another number were compared; None where all numbers are equal."""
    n = n_uneven(joined)
    if not n:
        return None
    return (
        f"{candidate}: {n:,} prompts of {called(joined.suite)} have another number of texts "
        "than the baseline's; means are over all texts of a prompt, maxima and counts over as many "
        "as both have"
    )


def _counts(table: DataFrame) -> Series[int]:
    """Texts by protocol and prompt."""
    return table.groupby(["protocol", "item_id"], sort=True)["sample"].nunique()


def _first(table: DataFrame, counts: Series[int]) -> DataFrame:
    places = table.set_index(["protocol", "item_id"]).index
    rank = table.groupby(["protocol", "item_id"])["sample"].rank(method="dense")
    return table[rank.to_numpy() <= counts.loc[places].to_numpy()].reset_index(drop=True)
