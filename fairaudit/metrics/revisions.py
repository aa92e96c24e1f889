"""Revised CrowS-Pairs beside the original, on the pairs that both have.

The revisions keep the row numbers of the original: a pair is the same if row number and direction
are, however it is worded or labelled now. Let x be the preference on a pair of the original (1 for
the stereotyped sentence, ½ for a tie, 0) and y that on the same pair revised. The number is

    mean(y) − mean(x) = mean(y − x)

over the pairs of an axis, as the original labels it. Range −1 to 1, ideal 0: the rewording does not
matter; its sign says which way the revision moved the rate. Most pairs were left as they are and
differ by exactly 0. Pairs are what is resampled: Tango's interval and McNemar's test, as for two
models on the same pairs (Tango 1998). Other pairs of either file do not count, so the two rates of
the audit, each over all of its pairs, differ by something else as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from fairaudit.metrics.crows_pairs import tie_tolerance
from fairaudit.metrics.preference import ROLES, differences, preferences
from fairaudit.metrics.sample_estimates import LEVEL, Sample, Slice, from_inference
from fairaudit.metrics.tables import by_role
from fairaudit.stats.one_estimate import Inference
from fairaudit.stats.paired import PairedInference, infer_paired
from fairaudit.vocabulary.metrics import REVISION_DIFFERENCE
from fairaudit.vocabulary.suites import (
    CROWS_PAIRS,
    CROWS_PAIRS_KINIT,
    CROWS_PAIRS_NEVEOL,
    called,
)

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results import Estimate

REVISIONS: Final = (CROWS_PAIRS_NEVEOL.name, CROWS_PAIRS_KINIT.name)
_BEFORE: Final = "preference"
_AFTER: Final = "preference_revised"


def revision_estimates(tables: Mapping[str, pd.DataFrame], seed: int) -> Iterator[Estimate]:
    """Difference of each revision from the original, by protocol and axis.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Score tables of one audit by suite; nothing comes of revisions without the original.
    seed : int
        Seed of permutations.

    Yields
    ------
    Estimate
        mean(y − x), −1 to 1, ideal 0, with the number of pairs that match.
    """
    for protocol, pairs in _matched(tables):
        for axis in ("all", *sorted(pairs["axis"].unique())):
            part = pairs if axis == "all" else pairs[pairs["axis"] == axis]
            yield _difference(part, Slice(protocol.partition("/")[0], protocol, axis), seed)


def revision_notes(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    """Say how each revision was matched with the original, and how many pairs match.

    Parameters
    ----------
    tables : mapping of str to DataFrame
        Score tables of one audit by suite.

    Yields
    ------
    str
        One sentence for each revision that stands beside the original.
    """
    found = {protocol.partition("/")[0]: len(pairs) for protocol, pairs in _matched(tables)}
    for suite, n in found.items():
        sizes = [tables[name]["item_id"].nunique() for name in (suite, CROWS_PAIRS.name)]
        yield (
            f"{called(suite)}: compared with {called(CROWS_PAIRS.name)} on {n:,} pairs of the same "
            f"row number and direction, of {sizes[0]:,} pairs of the revision and {sizes[1]:,} "
            "of the original"
        )


def _matched(tables: Mapping[str, pd.DataFrame]) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield a protocol of a revision, and the preferences on the pairs that both files have."""
    if CROWS_PAIRS.name not in tables:
        return
    original = _by_variant(tables[CROWS_PAIRS.name])
    for suite in REVISIONS:
        revised = _by_variant(tables[suite]) if suite in tables else {}
        for variant in sorted(original.keys() & revised.keys()):
            pairs = original[variant].join(revised[variant].add_suffix("_revised"), how="inner")
            same = pairs["direction"] == pairs["direction_revised"]
            yield f"{suite}/{variant}", pairs[same]


def _by_variant(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """By way of scoring: axis, direction and preference of each pair, NaN where there is none."""
    found = {}
    for protocol, scores in table.groupby("protocol", sort=True):
        variant = str(protocol).partition("/")[2]
        items = by_role(scores, ROLES)
        difference = differences(items)
        preference = preferences(difference, tie_tolerance(variant))
        known = np.where(np.isnan(difference), np.nan, preference)
        found[variant] = items[["axis", "direction"]].assign(preference=known)
    return found


def _difference(pairs: pd.DataFrame, where: Slice, seed: int) -> Estimate:
    scored = pairs.dropna(subset=[_BEFORE, _AFTER])
    before, after = (scored[name].to_numpy(dtype=float) for name in (_BEFORE, _AFTER))
    names = scored.index.astype(str).tolist()
    found = infer_paired(before, after, names, is_rate=True, level=LEVEL, seed=seed)
    sample = Sample(
        after - before,
        names,
        n_skipped=len(pairs) - len(scored),
        n_tied=int(((before == 0.5) | (after == 0.5)).sum()),
    )
    return from_inference(REVISION_DIFFERENCE, where, sample, _inference(found))


def _inference(found: PairedInference) -> Inference:
    """Return what was found of two columns of one audit as what is said of one number."""
    return Inference(
        value=found.difference,
        n=found.n,
        n_clusters=found.n_clusters,
        se=found.se,
        df=found.df,
        low=found.low,
        high=found.high,
        method=found.method,
        resampling_unit=found.resampling_unit,
        p_value=found.p_value,
        mde=found.mde,
        cautions=found.cautions,
        reason=found.reason,
    )
