"""How a model's leaning to "she" goes with the share of women, over occupations.

Pearson's r of the mean log-odds (she − he) of each occupation with the share of women among those
who do the work. Range −1 to 1, ideal 0: the model's pronouns carry no labour statistics. Fisher z
interval over occupations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import pandas as pd

from fairaudit.metrics.influence_values import correlation_values
from fairaudit.metrics.sample_estimates import (
    LEVEL,
    Measurement,
    Sample,
    Slice,
    from_inference,
    without_interval,
)
from fairaudit.results import Estimate
from fairaudit.stats.correlation import pearson
from fairaudit.stats.one_estimate import Inference
from fairaudit.vocabulary.metrics import OCCUPATION_CORRELATION

MIN_OCCUPATIONS: Final = 10
COLUMNS: Final = ["she_minus_he", "share_female"]


def correlation_measurement(
    by_occupation: pd.DataFrame, sample: Sample, where: Slice
) -> Iterator[Measurement]:
    """Correlation as a mean of values, one for each occupation; nothing where there is none.

    Parameters
    ----------
    by_occupation : DataFrame
        By occupation: ``she_minus_he`` in nats and ``share_female``.
    sample : Sample
        Items behind it.
    where : Slice
        What it is about.
    """
    if _without(by_occupation) is None:
        odds, share = (by_occupation[name].to_numpy(dtype=float) for name in COLUMNS)
        occupations = by_occupation.index.astype(str).tolist()
        values = correlation_values(odds, share)
        pairable = replace(
            sample, values=values, clusters=occupations, crossed=None, keys=occupations
        )
        yield Measurement(OCCUPATION_CORRELATION, where, pairable)


def correlation_estimate(by_occupation: pd.DataFrame, sample: Sample, where: Slice) -> Estimate:
    """Correlation with its interval, or why there is none; see `correlation_measurement`."""
    reason = _without(by_occupation)
    if reason is not None:
        return without_interval(OCCUPATION_CORRELATION, where, sample, value=None, reason=reason)
    odds, share = (by_occupation[name].tolist() for name in COLUMNS)
    test = pearson(odds, share, LEVEL)
    inference = Inference(
        value=test.value,
        low=test.low,
        high=test.high,
        method="fisher-z",
        resampling_unit="occupation",
        n=len(sample.clusters),
        n_clusters=len(by_occupation),
        p_value=test.p_value,
    )
    return from_inference(OCCUPATION_CORRELATION, where, sample, inference)


def _without(by_occupation: pd.DataFrame) -> str | None:
    if len(by_occupation) < MIN_OCCUPATIONS or (by_occupation.std() == 0).any():
        return f"{len(by_occupation)} occupations: too few, or all alike, for a correlation"
    return None
