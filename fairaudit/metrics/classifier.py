"""How a text classifier treats groups, and how well it tells labelled texts apart.

Own gap
    A pair is one sentence about two groups: nothing differs but the words that name the group. The
    gap is the mean over pairs of P(first) − P(second), so whatever the sentence deserves cancels.
    What is resampled are the clusters of the sentences, crossed with their templates.
Flagged share
    Share of sentences about a group with P above ½.
Area under the ROC curve
    Mann-Whitney: the share of pairs of a labelled and another text that are ranked right. As the
    mean of its influence values it gets the same intervals as every other mean (DeLong 1988).
Calibration
    Texts in ten bins of equal size by probability; in each the mean probability against the share
    of labelled texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.sample_estimates import (
    LEVEL,
    Measurement,
    Sample,
    Slice,
    without_interval,
)
from fairaudit.results import Estimate
from fairaudit.results.classifier import CalibrationBin
from fairaudit.stats.intervals import wilson
from fairaudit.vocabulary.metrics import (
    AREA_UNDER_CURVE,
    CALIBRATION_ERROR,
    CLASSIFIER_GAP,
    FALSE_NEGATIVE_RATE,
    FALSE_POSITIVE_RATE,
    FLAGGED_SHARE,
)

Array = NDArray[np.float64]

#: A text with a probability above it is flagged.
THRESHOLD: Final = 0.5
N_BINS: Final = 10


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence that a classifier is asked about.

    Parameters
    ----------
    text : str
        The sentence.
    axis : str
        The social axis.
    group : str or None
        Whom it is about; None: about nobody's group.
    key : str
        The same for the sentences that differ from each other in nothing but the group.
    cluster : str
        What is resampled together.
    template : str or None
        A second, crossed cluster.
    """

    text: str
    axis: str
    group: str | None
    key: str
    cluster: str
    template: str | None = None


@dataclass(frozen=True, slots=True)
class SentencePair:
    """One sentence about two groups, and what a classifier says of both.

    Parameters
    ----------
    first, second : Sentence
        The same sentence about either group.
    gap : float
        P(first) − P(second), −1 to 1; 0: both are treated alike.
    """

    first: Sentence
    second: Sentence
    gap: float

    @property
    def name(self) -> str:
        """Both groups, first and second."""
        return f"{self.first.group}/{self.second.group}"


#: The word for sentences about nobody's group, where a group stands.
NO_GROUP: Final = "no group"


def flag_measurements(
    suite: str, protocol: str, probabilities: Mapping[Sentence, float]
) -> Iterator[Measurement]:
    """Share of flagged sentences by axis and group.

    Parameters
    ----------
    suite, protocol : str
        Where the sentences are from and which classifier read them.
    probabilities : mapping of Sentence to float
        P of the label, 0-1, for each sentence.

    Yields
    ------
    Measurement
        Share with P above ½, 0-1, by axis and group.
    """
    by_group: dict[tuple[str, str], list[Sentence]] = {}
    for one in probabilities:
        by_group.setdefault((one.axis, one.group or NO_GROUP), []).append(one)
    for (axis, group), found in sorted(by_group.items()):
        flagged = [float(probabilities[one] > THRESHOLD) for one in found]
        where = Slice(suite, protocol, axis, group)
        yield Measurement(FLAGGED_SHARE, where, _sample(flagged, found))


def gap_measurements(
    suite: str, protocol: str, pairs: Iterable[SentencePair]
) -> Iterator[Measurement]:
    """Mean of P(first) − P(second) by axis and pair of groups.

    Parameters
    ----------
    suite, protocol : str
        Where the sentences are from and which classifier read them.
    pairs : iterable of SentencePair
        Sentences that differ in nothing but the group.

    Yields
    ------
    Measurement
        Mean gap by axis and pair of groups, −1 to 1, ideal 0; sentences × templates are resampled.
    """
    by_pair: dict[tuple[str, str], list[SentencePair]] = {}
    for one in pairs:
        by_pair.setdefault((one.first.axis, one.name), []).append(one)
    for (axis, name), found in sorted(by_pair.items()):
        where = Slice(suite, protocol, axis, name, primary=True)
        sample = _sample([one.gap for one in found], [one.first for one in found])
        yield Measurement(CLASSIFIER_GAP, where, sample)


def _sample(values: Sequence[float], sentences: Sequence[Sentence]) -> Sample:
    templates = [one.template for one in sentences if one.template is not None]
    return Sample(
        values,
        [one.cluster for one in sentences],
        crossed=templates if len(templates) == len(sentences) else None,
        unit=None if templates else "opening",
    )


def labelled_measurements(
    where: Slice, probabilities: Array, labels: NDArray[np.bool_], groups: Sequence[str | None]
) -> Iterator[Measurement]:
    """AUC and both error rates on labelled texts; error rates also by group where it is known.

    Parameters
    ----------
    where : Slice
        What the texts are.
    probabilities, labels : array of shape [texts]
        What the classifier says, and whether people gave the label.
    groups : sequence of str or None
        Whom each text is about.

    Yields
    ------
    Measurement
        AUC (0-1, chance ½) where both labels occur; false positive and negative rates (0-1, ideal
        0), overall and by group. A rate of no text at all is left out.
    """
    if labels.any() and not labels.all():
        yield Measurement(AREA_UNDER_CURVE, where, _independent(_ranking(probabilities, labels)))
    flagged = (probabilities > THRESHOLD).astype(float)
    known = np.array([group or "" for group in groups])
    for group in (None, *sorted(set(known.tolist()) - {""})):
        chosen = np.ones(len(known), dtype=bool) if group is None else known == group
        part = Slice(where.suite, where.protocol, where.axis, group)
        for metric, wrong, asked in (
            (FALSE_POSITIVE_RATE, flagged, chosen & ~labels),
            (FALSE_NEGATIVE_RATE, 1 - flagged, chosen & labels),
        ):
            if asked.any():
                yield Measurement(metric, part, _independent(wrong[asked]))


def _independent(values: Array) -> Sample:
    return Sample(values, [str(place) for place in range(len(values))], unit="text")


def _ranking(scores: Array, labels: NDArray[np.bool_]) -> Array:
    """Influence values of the area under the ROC curve, shape [texts]; their mean is the area.

    With V_i the share of texts of the other kind that text i is ranked right against, a labelled
    text has A + N/n₁ (V_i − A) and another A + N/n₀ (V_i − A).
    """
    ranks, n = _ranks(scores), len(scores)
    values = np.empty(n)
    for kind in (True, False):
        mine = labels == kind
        n_others = n - mine.sum()
        below = (ranks[mine] - _ranks(scores[mine])) / n_others
        values[mine] = below if kind else 1 - below
    area = float(values[labels].mean())
    size = np.where(labels, labels.sum(), (~labels).sum())
    found: Array = area + n / size * (values - area)
    return found


def _ranks(scores: Array) -> Array:
    """Rank from 1; equal scores share the mean of their ranks."""
    ranks: Array = np.asarray(pd.Series(scores).rank(), dtype=np.float64)
    return ranks


def calibration(probabilities: Array, labels: NDArray[np.bool_]) -> tuple[CalibrationBin, ...]:
    """Bins of texts of like probability, from the lowest: what was said, and what was so.

    Parameters
    ----------
    probabilities : array of shape [texts]
        What the classifier says, 0-1.
    labels : array of bool, shape [texts]
        Whether people gave the label.

    Returns
    -------
    tuple of CalibrationBin
        At most 10 bins of equal size, each with its mean probability, its share of labelled texts
        and Wilson's 95 % interval of that share.
    """
    order = np.argsort(probabilities, kind="stable")
    found = []
    for chosen in np.array_split(order, min(N_BINS, len(order))):
        n_labelled = int(labels[chosen].sum())
        low, high = wilson(n_labelled, len(chosen), LEVEL)
        found.append(
            CalibrationBin(
                n=len(chosen),
                probability=float(probabilities[chosen].mean()),
                share=n_labelled / len(chosen),
                low=low,
                high=high,
            )
        )
    return tuple(found)


def calibration_estimate(where: Slice, bins: Sequence[CalibrationBin]) -> Estimate:
    """Mean distance between probability and share over bins; the bins show its uncertainty.

    Parameters
    ----------
    where : Slice
        What the texts are.
    bins : sequence of CalibrationBin
        Those of `calibration`; at least one.

    Returns
    -------
    Estimate
        Expected calibration error Σ n_b |share_b − probability_b| / Σ n_b, 0-1, ideal 0; without an
        interval, since chance alone lifts it.
    """
    total = sum(one.n for one in bins)
    value = sum(one.n * abs(one.probability - one.share) for one in bins) / total
    return without_interval(
        CALIBRATION_ERROR,
        where,
        Sample([0.0] * total, [str(place) for place in range(total)]),
        value=value,
        reason="no interval: chance alone lifts it; the bins have intervals",
    )
