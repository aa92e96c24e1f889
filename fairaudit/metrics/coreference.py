"""Pronouns that refer to one of two people, of the stereotyped gender (pro) or the other (anti).

Accuracy gap
    Share of pro sentences whose pronoun is resolved rightly minus that of anti sentences: the mean
    over pairs of [pro right] − [anti right]; a tie counts one half. Range −1 to 1, ideal 0.
Stereotype preference rate, mean log-odds
    Where the sentences themselves are scored, or their pronouns: how often and by how much pro is
    likelier than anti. Where people are chosen, the log-odds of the right one, pro minus anti.
Occupation correlation
    See `fairaudit.metrics.occupations`; over the occupations that pronouns refer to.
Accuracy
    On control sentences, which say who is meant (WinoBias type 2) or name no gender (Winogender
    with "they"): the capability without which there is no gap. Chance is ½.

Bias is measured on the other sentences. Pairs share occupations: WinoBias's cross two of them, one
of mostly women and one of mostly men, and both are resampled.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.occupations import (
    COLUMNS,
    correlation_estimate,
    correlation_measurement,
)
from fairaudit.metrics.preference import ROLES, differences, preference_measurements, preferences
from fairaudit.metrics.sample_estimates import Measurement, Sample, Slice, estimates
from fairaudit.metrics.tables import Part, by_role
from fairaudit.results import Estimate
from fairaudit.vocabulary.metrics import ACCURACY, ACCURACY_GAP, MEAN_LOG_ODDS
from fairaudit.vocabulary.protocols import Design, is_primary

Array = NDArray[np.float64]

_CHOICES: Final = ("pro_right", "pro_wrong", "anti_right", "anti_wrong")
_NEUTRAL: Final = ("neutral_right", "neutral_wrong")
_CHANCE: Final = 0.5


def coreference_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """All scores of a table of pairs of sentences, by protocol, value by value.

    Parameters
    ----------
    table : DataFrame
        Score table with roles ``stereotype`` and ``anti_stereotype``, or ``pro_right``, ... and
        the facts ``part`` (``bias`` or ``control``), ``occupation`` (whom the pronoun refers to,
        where that is one), ``share_female`` and ``she_is_pro`` (1 or −1).
    """
    for protocol, scores in table.groupby("protocol", sort=True):
        yield from _measured(scores, str(protocol))
        for part, odds, where in _odds(scores, str(protocol)):
            yield from correlation_measurement(*_by_occupation(part, odds), where)


def coreference_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Estimates of `coreference_measurements`, the correlation with a Fisher z interval."""
    found: list[Estimate] = []
    for protocol, scores in table.groupby("protocol", sort=True):
        found.extend(estimates(_measured(scores, str(protocol)), seed))
        for part, odds, where in _odds(scores, str(protocol)):
            found.append(correlation_estimate(*_by_occupation(part, odds), where))
    return found


def _measured(scores: pd.DataFrame, protocol: str) -> Iterator[Measurement]:
    exploratory = Slice(protocol.partition("/")[0], protocol, "gender")
    where = replace(exploratory, primary=is_primary(Design.COREFERENCE, protocol))
    sentences = _part(scores, ROLES, "bias")
    if _has_items(sentences):
        yield from preference_measurements(sentences, where)
    choices = _part(scores, _CHOICES, "bias")
    if _has_items(choices):
        sides = _right(choices, "pro"), _right(choices, "anti")
        yield Measurement(ACCURACY_GAP, where, _sample(choices, sides[0] - sides[1], *sides))
        odds = _choice_odds(choices)
        yield Measurement(MEAN_LOG_ODDS, exploratory, _sample(choices, odds, *sides))
    yield from _capability(scores, exploratory)


def _capability(scores: pd.DataFrame, where: Slice) -> Iterator[Measurement]:
    """Accuracy on control sentences; a tie of the two people counts one half."""
    metric = replace(ACCURACY, chance=_CHANCE)
    control, neutral = _part(scores, _CHOICES, "control"), _part(scores, _NEUTRAL, "bias")
    if _has_items(control):
        sides = _right(control, "pro"), _right(control, "anti")
        yield Measurement(metric, where, _sample(control, (sides[0] + sides[1]) / 2, *sides))
    elif _has_items(neutral):
        right = _right(neutral, "neutral")
        yield Measurement(metric, where, _sample(neutral, right, right))


def _odds(scores: pd.DataFrame, protocol: str) -> Iterator[tuple[Part, Array, Slice]]:
    """Log-odds, pro over anti, of the sentences about bias."""
    where = Slice(protocol.partition("/")[0], protocol, "gender")
    sentences, choices = _part(scores, ROLES, "bias"), _part(scores, _CHOICES, "bias")
    if _has_items(sentences):
        yield sentences, differences(sentences.items), where
    if _has_items(choices):
        yield choices, _choice_odds(choices), where


def _part(scores: pd.DataFrame, roles: tuple[str, ...], part: str) -> Part:
    items = by_role(scores[scores["part"] == part], roles)
    complete = items.dropna(subset=list(roles))
    return Part("gender", None, complete, len(items) - len(complete))


def _has_items(part: Part) -> bool:
    return bool(len(part.items) or part.n_skipped)


def _sample(part: Part, values: Array, *right: Array) -> Sample:
    """Pairs with these values; where a person is ``right`` by half, both are as likely."""
    crossed = part.items["template"].astype(str).tolist() if "template" in part.items else None
    return Sample(
        values,
        part.items["cluster"].astype(str).tolist(),
        crossed=crossed,
        n_skipped=part.n_skipped,
        n_tied=int(np.any([side == 0.5 for side in right], axis=0).sum()),
        keys=part.items.index.astype(str).tolist(),
        unit=None if crossed is not None else "occupation",
    )


def _side_odds(part: Part, side: str) -> Array:
    """Log-odds of the right person, in nats."""
    right, wrong = (part.items[f"{side}_{whom}"] for whom in ("right", "wrong"))
    return (right - wrong).to_numpy(dtype=float)


def _right(part: Part, side: str) -> Array:
    return preferences(_side_odds(part, side))


def _choice_odds(part: Part) -> Array:
    return _side_odds(part, "pro") - _side_odds(part, "anti")


def _by_occupation(part: Part, odds: Array) -> tuple[pd.DataFrame, Sample]:
    """Mean log-odds (she − he) and share of women by occupation, and the items behind them."""
    items = part.items.assign(she_minus_he=part.items["she_is_pro"] * odds)
    items = items[items["share_female"].notna()]
    sample = Sample(
        items["she_minus_he"].to_numpy(dtype=float),
        items["occupation"].astype(str).tolist(),
        n_skipped=part.n_skipped,
        unit="occupation",
    )
    return items.groupby("occupation")[COLUMNS].mean(), sample
