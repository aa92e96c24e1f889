"""Pronouns that refer to one of two people, of the stereotyped gender (pro) or the other (anti).

Accuracy gap
    Share of pro sentences whose pronoun is resolved rightly minus that of anti sentences: the mean
    over pairs of [pro right] − [anti right]; a tie counts one half. Range −1 to 1, ideal 0.
Stereotype preference rate, mean log-odds
    Where the sentences themselves are scored, or their pronouns: how often and by how much pro is
    likelier than anti. Where people are chosen, the log-odds of the right one, pro minus anti.
Occupation correlation
    See `fairaudit.metrics.occupations`; over the occupations that pronouns refer to. Where people
    are written, of the shares of right answers.
Accuracy
    On control sentences, which say who is meant (WinoBias type 2) or name no gender (Winogender
    with "they"): the capability without which there is no gap. Chance is ½.
Answers not understood
    Where people are written: see `fairaudit.metrics.unparsed`. Each sentence is asked on its own; a
    pair of which one is not understood is skipped. A sentence that is asked several times counts
    with the share of right answers among those that were understood.

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
from fairaudit.metrics.unparsed import unparsed_measurements
from fairaudit.results import Estimate
from fairaudit.vocabulary.metrics import ACCURACY, ACCURACY_GAP, MEAN_LOG_ODDS
from fairaudit.vocabulary.protocols import Design, is_primary, is_written

Array = NDArray[np.float64]

_CHOICES: Final = ("pro_right", "pro_wrong", "anti_right", "anti_wrong")
_NEUTRAL: Final = ("neutral_right", "neutral_wrong")
_CHANCE: Final = 0.5
_UNIT: Final = "occupation"


def coreference_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """All scores of a table of pairs of sentences, by protocol, value by value.

    Parameters
    ----------
    table : DataFrame
        Score table with roles ``stereotype`` and ``anti_stereotype``, or ``pro_right``, ..., or of
        written answers with the facts ``pair``, ``side`` and ``right`` (a letter). Further facts
        are ``part`` (``bias`` or ``control``), ``occupation`` (whom the pronoun refers to, where
        that is one), ``share_female`` and ``she_is_pro`` (1 or −1).
    """
    for protocol, scores in _as_choices(table):
        yield from _measured(scores, protocol)
        for part, odds, where in _odds(scores, protocol):
            yield from correlation_measurement(*_by_occupation(part, odds), where)


def coreference_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Estimates of `coreference_measurements`, the correlation with a Fisher z interval.

    Parameters
    ----------
    table : DataFrame
        Score table of WinoBias or Winogender, as `coreference_measurements` takes it.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    list of Estimate
        Accuracy gap (−1 to 1, ideal 0), preference rate (0-1, ideal ½), mean log-odds (nats,
        ideal 0) and the correlation with labour statistics (−1 to 1), by protocol and axis.
    """
    found: list[Estimate] = []
    for protocol, scores in _as_choices(table):
        found.extend(estimates(_measured(scores, protocol), seed))
        for part, odds, where in _odds(scores, protocol):
            found.append(correlation_estimate(*_by_occupation(part, odds), where))
    for name, scores in table.groupby("protocol", sort=True):
        if is_written(str(name)):
            found.extend(estimates(unparsed_measurements(scores, str(name), _UNIT), seed))
    return found


def _as_choices(table: pd.DataFrame) -> Iterator[tuple[str, pd.DataFrame]]:
    """Scores by protocol, one item per pair also where each sentence was asked on its own."""
    for protocol, scores in table.groupby("protocol", sort=True):
        yield str(protocol), _as_pairs(scores) if is_written(str(protocol)) else scores


def _as_pairs(scores: pd.DataFrame) -> pd.DataFrame:
    """Written answers as choices of their pair: how much of them is right, and how much wrong."""
    right = scores[scores["label"] == scores["right"]]
    valid = right["score"].where(right["status"] == "ok")
    share = valid.groupby(right["item_id"]).mean()
    sides = right.drop_duplicates("item_id").set_index("item_id")
    facts = sides.drop(
        columns=["score", "role", "label", "right", "sample", "answer_a", "answer_b"]
    )
    by_side = facts.assign(item_id=facts["pair"], group=None)
    roles = {"right": share, "wrong": 1 - share}
    return pd.concat(
        [
            by_side.assign(score=values.reindex(facts.index), role=facts["side"] + f"_{whom}").drop(
                columns=["pair", "side"]
            )
            for whom, values in roles.items()
        ],
        ignore_index=True,
    )


def _measured(scores: pd.DataFrame, protocol: str) -> Iterator[Measurement]:
    exploratory = Slice(protocol.partition("/")[0], protocol, "gender")
    where = replace(exploratory, primary=is_primary(Design.COREFERENCE, protocol))
    sentences = _part(scores, ROLES, "bias")
    if _has_items(sentences):
        yield from preference_measurements(sentences, where)
    choices = _part(scores, _CHOICES, "bias")
    if _has_items(choices):
        sides = _right(choices, "pro", where.protocol), _right(choices, "anti", where.protocol)
        yield Measurement(ACCURACY_GAP, where, _sample(choices, sides[0] - sides[1], *sides))
        if not is_written(protocol):
            odds = _choice_odds(choices)
            yield Measurement(MEAN_LOG_ODDS, exploratory, _sample(choices, odds, *sides))
    yield from _capability(scores, exploratory)


def _capability(scores: pd.DataFrame, where: Slice) -> Iterator[Measurement]:
    """Accuracy on control sentences; a tie of the two people counts one half."""
    metric = replace(ACCURACY, chance=_CHANCE)
    control, neutral = _part(scores, _CHOICES, "control"), _part(scores, _NEUTRAL, "bias")
    if _has_items(control):
        sides = _right(control, "pro", where.protocol), _right(control, "anti", where.protocol)
        yield Measurement(metric, where, _sample(control, (sides[0] + sides[1]) / 2, *sides))
    elif _has_items(neutral):
        right = _right(neutral, "neutral", where.protocol)
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
        unit=None if crossed is not None else _UNIT,
    )


def _side_odds(part: Part, side: str) -> Array:
    """Log-odds of the right person, in nats."""
    right, wrong = (part.items[f"{side}_{whom}"] for whom in ("right", "wrong"))
    return (right - wrong).to_numpy(dtype=float)


def _right(part: Part, side: str, protocol: str) -> Array:
    """How much of each answer is right; a tie of the two people counts one half."""
    if is_written(protocol):
        return part.items[f"{side}_right"].to_numpy(dtype=float)
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
        unit=_UNIT,
    )
    return items.groupby("occupation")[COLUMNS].mean(), sample
