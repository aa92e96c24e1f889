"""How far a model moved from its baseline on the probe text: unchanged bias of an unchanged model.

``mean_abs_log_prob_change``
    Mean over tokens of |log P_candidate − log P_baseline|, in nats. 0: the same probabilities.
``perplexity_ratio``
    Perplexity of the candidate over that of the baseline. Below 1: the candidate predicts the
    probe text better.

Paragraphs are what is resampled. Both presume one tokenizer.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.comparing.joining import Joined
from fairaudit.comparing.pairing import Terms
from fairaudit.results import Change, Interval
from fairaudit.stats.one_estimate import Inference, infer
from fairaudit.vocabulary.metrics import MEAN_ABS_LOG_PROB_CHANGE, PERPLEXITY_RATIO
from fairaudit.vocabulary.suites import PROBE

#: A model whose tokens change by less than 5 % in probability has hardly moved.
NOT_MOVED_NATS: Final = 0.05


def distance_moved(probe: Joined, terms: Terms) -> Iterator[Change]:
    """Both distances of a candidate from its baseline, by protocol.

    Parameters
    ----------
    probe : Joined
        The probe text as both models scored it, token by token.
    terms : Terms
        Who is compared, and at which level.

    Yields
    ------
    Change
        Mean |log P_candidate − log P_baseline| in nats (at least 0) and the ratio of perplexities
        (above 0), each with its interval over paragraphs.
    """
    for protocol, ours in probe.baseline.groupby("protocol", sort=True):
        theirs = probe.candidate.loc[ours.index]
        change = (theirs["score"] - ours["score"]).to_numpy(dtype=float)
        where = {"suite": PROBE.name, "protocol": str(protocol), "axis": "all", "kind": "distance"}
        common = {**where, "baseline": terms.baseline, "candidate": terms.candidate}
        paragraphs = ours["cluster"].astype(str).tolist()
        moved = _mean(np.abs(change), paragraphs, terms)
        yield Change(**common, **_moved(moved, terms))
        yield Change(**common, **_ratio(_mean(-change, paragraphs, terms), terms))


def has_moved(changes: Sequence[Change]) -> bool | None:
    """Whether a candidate moved further than `NOT_MOVED_NATS`; None: the distance is unknown."""
    for change in changes:
        if change.name == MEAN_ABS_LOG_PROB_CHANGE.name and change.value_candidate is not None:
            upper = change.interval.high if change.interval else change.value_candidate
            return upper >= NOT_MOVED_NATS
    return None


def _mean(values: NDArray[np.float64], paragraphs: list[str], terms: Terms) -> Inference:
    return infer(values, paragraphs, level=1 - terms.alpha, seed=terms.seed)


def _moved(found: Inference, terms: Terms) -> dict[str, Any]:
    """Distance of the candidate; that of the baseline from itself is 0."""
    named = {
        "name": MEAN_ABS_LOG_PROB_CHANGE.name,
        "value_baseline": 0.0,
        "value_candidate": found.value,
    }
    bounded = replace(found, low=None if found.low is None else max(0.0, found.low))
    return {**named, "difference": found.value, **_inference(bounded, terms)}


def _ratio(log_ratio: Inference, terms: Terms) -> dict[str, Any]:
    """Exponential of the mean change of −log P; the standard error by the delta method."""
    ratio = None if log_ratio.value is None else math.exp(log_ratio.value)
    scaled = replace(
        log_ratio,
        low=None if log_ratio.low is None else math.exp(log_ratio.low) - 1,
        high=None if log_ratio.high is None else math.exp(log_ratio.high) - 1,
        se=None if log_ratio.se is None or ratio is None else ratio * log_ratio.se,
    )
    return {
        "name": PERPLEXITY_RATIO.name,
        "value_baseline": 1.0,
        "value_candidate": ratio,
        "difference": None if ratio is None else ratio - 1,
        "ratio": ratio,
        **_inference(scaled, terms),
    }


def _inference(found: Inference, terms: Terms) -> dict[str, Any]:
    interval = None
    if found.low is not None and found.high is not None and found.method is not None:
        interval = Interval(
            low=found.low,
            high=found.high,
            level=1 - terms.alpha,
            method=found.method,
            resampling_unit="paragraph",
        )
    return {
        "interval": interval,
        "se": found.se,
        "df": found.df,
        "n": found.n,
        "n_clusters": found.n_clusters,
        "reason": found.reason,
    }
