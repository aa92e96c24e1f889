"""How much a preference depends on the wording: its spread over templates.

Each template asks about several occupations or attributes, of which each has a preference of its
own, whatever the wording; so first their means are taken away (residuals are scaled by
√(n/(n − 1)), n items to a mean). A template's mean residual m_t differs from that of others by
chance too. The spread is what is left without that chance, as in a one-way random-effects model:

    τ² = S²(m) − mean(s_t²/n_t), spread = √max(0, τ²)

with the variance S² of the K template means, and the variance s_t² of the n_t items of template t
around the mean of their group: both sides of a pair of groups occur equally often in a template.
In nats, at least 0; 0: the wording does not matter. A preference that is small beside its spread is
one of a few sentences. The interval is that of log S² by the jackknife over templates, with
Student's quantiles for K − 1 degrees of freedom, and its ends are brought to the scale of τ.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.preference import differences
from fairaudit.metrics.sample_estimates import (
    LEVEL,
    Sample,
    Slice,
    from_inference,
    without_interval,
)
from fairaudit.metrics.tables import Part
from fairaudit.results import Estimate
from fairaudit.stats.evidence import quantile
from fairaudit.stats.one_estimate import Inference
from fairaudit.vocabulary.metrics import TEMPLATE_SPREAD

MIN_TEMPLATES: Final = 10


def spread_estimate(part: Part, where: Slice) -> Estimate:
    """Spread over the templates of a part of a suite, with its interval, or why there is none.

    Parameters
    ----------
    part : Part
        Items of one axis, with the fact ``template``.
    where : Slice
        What the number is about.
    """
    values = _residuals(part)
    templates = part.items["template"].astype(str).tolist()
    alone = int(np.isnan(values).sum())
    sample = Sample(values, templates, n_skipped=part.n_skipped + alone, unit="template")
    groups = part.items["group"].fillna("").astype(str).tolist()
    means, errors = _by_template(values, templates, groups)
    if len(means) < MIN_TEMPLATES:
        reason = f"{len(means)} templates with several items: fewer than {MIN_TEMPLATES}"
        return without_interval(TEMPLATE_SPREAD, where, sample, value=None, reason=reason)
    tau, low, high = spread(means, errors)
    inference = Inference(
        value=tau,
        low=low,
        high=high,
        method="t",
        resampling_unit="template",
        n=len(values) - alone,
        n_clusters=len(means),
    )
    return from_inference(TEMPLATE_SPREAD, where, sample, inference)


def spread(
    means: NDArray[np.float64], errors: NDArray[np.float64], level: float = LEVEL
) -> tuple[float, float, float]:
    """Spread √max(0, τ²) and its interval.

    Parameters
    ----------
    means, errors : arrays of shape [K], K ≥ 3
        Mean of each template, and the variance of that mean.
    level : float
        Confidence level.
    """
    k = len(means)
    variance, error = float(means.var(ddof=1)), float(errors.mean())
    if variance == 0:
        return 0.0, 0.0, 0.0
    # All variances without one template, from the sums.
    total, squares = means.sum() - means, (means**2).sum() - means**2
    variances = (squares - total**2 / (k - 1)) / (k - 2)
    logs = np.log(np.maximum(variances, 1e-12 * variance))
    pseudo = k * math.log(variance) - (k - 1) * logs
    half = quantile((1 + level) / 2, k - 1) * float(pseudo.std(ddof=1)) / math.sqrt(k)
    factors = (math.exp(-half), 1.0, math.exp(half))
    low, value, high = (math.sqrt(max(0.0, variance * one - error)) for one in factors)
    return value, low, high


def _residuals(part: Part) -> NDArray[np.float64]:
    """Log-odds without the mean of their occupation or attribute, and of its group."""
    items = part.items.assign(odds=differences(part.items))
    by = items.groupby(["cluster", "group"], dropna=False)["odds"]
    n = by.transform("size").to_numpy(dtype=float)
    left = (items["odds"] - by.transform("mean")).to_numpy(dtype=float)
    # An item that stands alone says nothing of the wording.
    return np.where(n > 1, left * np.sqrt(n / np.maximum(n - 1, 1)), np.nan)


def _by_template(
    values: NDArray[np.float64], templates: Sequence[str], groups: Sequence[str]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means and their variances, of the templates with several items of some group.

    Templates ask about both sides of a pair of groups equally often, so what a wording does to one
    side only cancels in its mean: items vary around the mean of their own group.
    """
    table = pd.DataFrame({"value": values, "template": templates, "group": groups}).dropna()
    within = table["value"] - table.groupby(["template", "group"])["value"].transform("mean")
    by = table.assign(square=within**2).groupby("template", sort=False)
    n, n_groups = by.size(), by["group"].nunique()
    several = n > n_groups
    errors = (by["square"].sum() / (n - n_groups) / n)[several]
    return by["value"].mean()[several].to_numpy(), errors.to_numpy()
