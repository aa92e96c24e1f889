"""Any suite of sentence pairs: preference by axis and group, and capability where it is asked.

Language-modelling score
    Mean of [stereotype above unrelated] and [anti-stereotype above unrelated] over the pairs that
    come with an unrelated sentence; a tie counts one half. Range 0-1, ideal 1, chance ½.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from fairaudit.metrics.preference import ROLES, preference_measurements, preferences
from fairaudit.metrics.sample_estimates import Measurement, Sample, Slice, estimates
from fairaudit.metrics.tables import Part, by_role, parts
from fairaudit.results import Estimate
from fairaudit.vocabulary.metrics import LANGUAGE_MODELING_SCORE
from fairaudit.vocabulary.protocols import Design, is_primary

_UNRELATED = "unrelated"


def pair_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """Stereotype preference rate and mean log-odds, by protocol, axis and group; LM score."""
    for protocol, scores in table.groupby("protocol", sort=True):
        suite = str(protocol).partition("/")[0]
        for part in parts(by_role(scores, ROLES), ROLES, groups=True):
            whole = part.axis != "all" and part.group is None
            primary = whole and is_primary(Design.PAIRS, str(protocol))
            where = Slice(suite, str(protocol), part.axis, part.group, primary=primary)
            yield from preference_measurements(part, where)
        roles = (*ROLES, _UNRELATED)
        for part in parts(by_role(scores, roles), roles):
            if len(part.items) or part.n_skipped:
                yield _language_modeling(part, Slice(suite, str(protocol), part.axis))


def _language_modeling(part: Part, where: Slice) -> Measurement:
    unrelated = part.items[_UNRELATED].to_numpy(dtype=float)
    above = [preferences(part.items[role].to_numpy(dtype=float) - unrelated) for role in ROLES]
    sample = Sample(
        (above[0] + above[1]) / 2,
        part.items["cluster"].astype(str).tolist(),
        n_skipped=part.n_skipped,
        keys=part.items.index.astype(str).tolist(),
    )
    return Measurement(LANGUAGE_MODELING_SCORE, where, sample)


def pair_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Estimates of `pair_measurements`.

    Parameters
    ----------
    table : DataFrame
        Score table with the roles ``stereotype`` and ``anti_stereotype``, perhaps ``unrelated``.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    list of Estimate
        Preference rate (0-1, ideal ½), mean log-odds (nats, ideal 0) and, with unrelated
        sentences, the language-modelling score (0-1, ideal 1, chance ½), by protocol, axis and
        group.
    """
    return estimates(pair_measurements(table), seed)
