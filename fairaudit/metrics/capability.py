"""Capability on the shipped probe text: a weak model looks unbiased, so it stands beside bias.

Perplexity
    exp(−Σ log P / number of tokens), over the model's own tokens; for masked models the
    pseudo-perplexity at single masks. At least 1; lower is better. Only comparable between models
    that share a tokenizer. Its interval is the exponential of the one for the mean.
Token accuracy
    Share of tokens that the model itself finds most probable. Range 0-1, ideal 1. Chance is the
    share of the commonest token of the text: what a model that always says it would reach.

Token KL
    Mean over tokens of KL(P_model ‖ P_base), in nats: how far the model moved from the one it was
    fine-tuned from. At least 0; 0 for the same predictions.

Paragraphs are what is resampled.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from fairaudit.metrics.influence_values import exponential_ratio_values
from fairaudit.metrics.sample_estimates import (
    LEVEL,
    Measurement,
    Sample,
    Slice,
    estimate,
    estimates,
    from_inference,
)
from fairaudit.results import Estimate
from fairaudit.stats.one_estimate import Inference, infer
from fairaudit.vocabulary.metrics import PERPLEXITY, TOKEN_ACCURACY, TOKEN_KL
from fairaudit.vocabulary.suites import PROBE


def capability_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Perplexity and token accuracy, one value per paragraph."""
    for protocol, tokens in table.groupby("protocol", sort=True):
        where = Slice(PROBE.name, str(protocol), "all")
        scored = tokens[tokens["status"] == "ok"]
        n_skipped = int((tokens["status"] == "skipped").sum())
        if len(scored):
            loss = _sample(scored, "score", -1.0, n_skipped)
            values = exponential_ratio_values(np.asarray(loss.values), np.asarray(loss.weights))
            yield Measurement(PERPLEXITY, where, replace(loss, values=values, weights=None))
        yield _token_accuracy(scored, where, n_skipped)


def capability_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Perplexity and token accuracy from a table with one row per token of the probe text.

    Parameters
    ----------
    table : DataFrame
        Columns of a score table plus ``token_id`` and ``top1``; rows with status ``skipped``
        stand for a whole paragraph.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    list of Estimate
        By protocol: perplexity (at least 1, lower is better) with its log-scale interval, and token
        accuracy (0-1, ideal 1); paragraphs are what is resampled.
    """
    found = []
    for protocol, tokens in table.groupby("protocol", sort=True):
        where = Slice(PROBE.name, str(protocol), "all")
        scored = tokens[tokens["status"] == "ok"]
        n_skipped = int((tokens["status"] == "skipped").sum())
        found.append(_perplexity(scored, where, n_skipped, seed))
        found.extend(estimates([_token_accuracy(scored, where, n_skipped)], seed))
    return found


def token_kl_estimate(
    protocol: str, divergences: Mapping[str, Sequence[float]], seed: int
) -> Estimate:
    """Token KL from the divergences of each paragraph.

    Parameters
    ----------
    protocol : str
        ``probe/causal`` or ``probe/masked``.
    divergences : mapping of str to sequence of float
        By paragraph, one value per token, in nats.
    seed : int
        Seed of the bootstrap.

    Returns
    -------
    Estimate
        Mean KL(model ‖ base) per token, in nats, at least 0; 0: the same predictions.
    """
    paragraphs = list(divergences)
    sample = Sample(
        [sum(divergences[name]) for name in paragraphs],
        paragraphs,
        weights=[float(len(divergences[name])) for name in paragraphs],
        unit="paragraph",
        n=sum(len(values) for values in divergences.values()),
    )
    return estimate(TOKEN_KL, Slice(PROBE.name, protocol, "all"), sample, seed=seed)


def _sample(scored: pd.DataFrame, column: str, sign: float, n_skipped: int) -> Sample:
    paragraphs = scored.groupby("cluster")[column].agg(["sum", "count"])
    return Sample(
        sign * paragraphs["sum"].to_numpy(dtype=float),
        paragraphs.index.astype(str).tolist(),
        weights=paragraphs["count"].to_numpy(dtype=float),
        n_skipped=n_skipped,
        unit="paragraph",
        n=len(scored),
        keys=paragraphs.index.astype(str).tolist(),
    )


def _perplexity(scored: pd.DataFrame, where: Slice, n_skipped: int, seed: int) -> Estimate:
    sample = _sample(scored, "score", -1.0, n_skipped)
    mean = infer(
        np.asarray(sample.values),
        list(sample.clusters),
        weights=np.asarray(sample.weights),
        level=LEVEL,
        seed=seed,
    )
    return from_inference(PERPLEXITY, where, sample, _exponential(mean))


def _exponential(mean: Inference) -> Inference:
    """Carry an inference about a mean over to its exponential; the se by the delta method."""
    if mean.value is None:
        return mean
    value = math.exp(mean.value)
    return replace(
        mean,
        value=value,
        low=None if mean.low is None else max(1.0, math.exp(mean.low)),
        high=None if mean.high is None else math.exp(mean.high),
        se=None if mean.se is None else value * mean.se,
        mde=None,
    )


def _token_accuracy(scored: pd.DataFrame, where: Slice, n_skipped: int) -> Measurement:
    chance = float(scored["token_id"].value_counts(normalize=True).max()) if len(scored) else None
    metric = replace(TOKEN_ACCURACY, chance=chance)
    return Measurement(metric, where, _sample(scored, "top1", 1.0, n_skipped))
