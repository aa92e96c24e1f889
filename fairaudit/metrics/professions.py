"""Professions and the gender of who has them: pairs of sentences that differ in one person word.

Score of a side
    Masked models: the association A = ln(P(word | word masked) / P(word | word and profession
    masked)), in nats (Bartl, Nissim, Gatt 2020). Causal models: mean log-probability per token.
Male, female association
    Mean of A over male, and over female words; masked models only. 0: naming the profession does
    not change how probable the word is.
Male minus female
    Mean over pairs of d = score(male) − score(female): for causal models the mean negative
    log-likelihood per token with the female word minus that with the male one. Ideal 0, no side.
Mean log-odds, the headline
    Half of [mean d over professions of mostly men] minus half of [mean d over those of mostly
    women], in nats; the balanced ones do not count. Ideal 0, +1: higher is more stereotyped. A
    model that finds male words likelier whatever the profession has 0: such a lean is in both
    means. So its spread is that of d within the two kinds of professions, and no share of pairs is
    reported beside it, which such a lean would decide.

Each is reported over all professions and by which gender dominates them, male minus female also
over all of them together. Pairs of one profession are resampled together: 60 clusters, 20 of each
kind. Words and templates are the same for all professions, so what they do alike to both kinds
cancels in the headline.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fairaudit.metrics.influence_values import joint_values
from fairaudit.metrics.sample_estimates import (
    Measurement,
    Sample,
    Slice,
    estimates,
    without_interval,
)
from fairaudit.metrics.tables import Part, by_role, parts
from fairaudit.results import Estimate
from fairaudit.vocabulary.metrics import (
    FEMALE_ASSOCIATION,
    MALE_ASSOCIATION,
    MALE_FEMALE_DIFFERENCE,
    MEAN_LOG_ODDS,
)
from fairaudit.vocabulary.protocols import Design, is_primary

Array = NDArray[np.float64]

#: Sides of a pair.
ROLES: Final = ("male", "female")
MALE_DOMINATED: Final = "male-dominated"
FEMALE_DOMINATED: Final = "female-dominated"
_SIDED: Final = (MALE_DOMINATED, FEMALE_DOMINATED)
_PRIORS: Final = ("male_prior", "female_prior")
_UNIT: Final = "profession"


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Pairs of one part of the suite, and what is scored of either side.

    ``n_unsided`` counts pairs without a score about professions that one gender dominates.
    """

    part: Part
    male: Array
    female: Array
    has_priors: bool
    n_unsided: int

    @property
    def difference(self) -> Array:
        return self.male - self.female


def profession_measurements(table: pd.DataFrame) -> Iterator[Measurement]:
    """All scores of a table of such pairs, by protocol, value by value.

    Parameters
    ----------
    table : DataFrame
        Score table with roles ``male`` and ``female`` and, for associations, ``male_prior`` and
        ``female_prior``; the group is the kind of profession, the cluster the profession.
    """
    for where, pairs in _by_part(table):
        yield Measurement(MALE_FEMALE_DIFFERENCE, where, _sample(pairs, pairs.difference))
        if pairs.has_priors:
            yield Measurement(MALE_ASSOCIATION, where, _sample(pairs, pairs.male))
            yield Measurement(FEMALE_ASSOCIATION, where, _sample(pairs, pairs.female))
        if where.group is None and _lacking(pairs) is None:
            yield _headline(pairs, where)


def profession_estimates(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """Estimates of `profession_measurements`, and why there is no headline where there is none.

    Parameters
    ----------
    table : DataFrame
        Score table of BEC-Pro, as `profession_measurements` takes it.
    seed : int
        Seed of bootstrap and permutations.

    Returns
    -------
    list of Estimate
        Associations and their differences in nats, ideal 0, by protocol and kind of profession; a
        headline without a value has its reason.
    """
    found = estimates(profession_measurements(table), seed)
    for where, pairs in _by_part(table):
        reason = _lacking(pairs)
        if where.group is None and reason is not None:
            empty = Sample((), (), n_skipped=pairs.n_unsided, unit=_UNIT)
            headline = _as_headline(where)
            found.append(
                without_interval(MEAN_LOG_ODDS, headline, empty, value=None, reason=reason)
            )
    return found


def towards_stereotype(male: Array, female: Array) -> tuple[Array, Array]:
    """Values and weights whose weighted mean is the headline, those of ``male`` first.

    Parameters
    ----------
    male, female : arrays of shape [n], neither empty
        Male minus female, of pairs about professions of mostly men, and of mostly women.
    """
    value = float(male.mean() - female.mean()) / 2
    return joint_values(value, (male - male.mean()) / 2, (female.mean() - female) / 2)


def _by_part(table: pd.DataFrame) -> Iterator[tuple[Slice, _Pairs]]:
    for protocol, scores in table.groupby("protocol", sort=True):
        suite = str(protocol).partition("/")[0]
        has_priors = bool(scores["role"].isin(_PRIORS).any())
        roles = (*ROLES, *_PRIORS) if has_priors else ROLES
        items = by_role(scores, roles)
        lost = items[items[list(roles)].isna().any(axis=1) & items["group"].isin(_SIDED)]
        for part in parts(items, roles, groups=True):
            if part.axis != "all":
                pairs = _pairs(part, int((lost["axis"] == part.axis).sum()), has_priors=has_priors)
                yield Slice(suite, str(protocol), part.axis, part.group), pairs


def _pairs(part: Part, n_unsided: int, *, has_priors: bool) -> _Pairs:
    male, female = (part.items[role].to_numpy(dtype=float) for role in ROLES)
    if has_priors:
        priors = (part.items[role].to_numpy(dtype=float) for role in _PRIORS)
        male, female = (one - prior for one, prior in zip((male, female), priors, strict=True))
    return _Pairs(part, male, female, has_priors, n_unsided)


def _sample(pairs: _Pairs, values: Array) -> Sample:
    return Sample(
        values,
        pairs.part.items["cluster"].astype(str).tolist(),
        n_skipped=pairs.part.n_skipped,
        keys=pairs.part.items.index.astype(str).tolist(),
        unit=_UNIT,
    )


def _lacking(pairs: _Pairs) -> str | None:
    """Which of the two kinds of professions was not scored."""
    groups = set(pairs.part.items["group"])
    lacking = [kind for kind in _SIDED if kind not in groups]
    return f"no pair about {' or '.join(lacking)} professions was scored" if lacking else None


def _as_headline(where: Slice) -> Slice:
    return replace(where, primary=is_primary(Design.PROFESSIONS, where.protocol))


def _headline(pairs: _Pairs, where: Slice) -> Measurement:
    group = pairs.part.items["group"].to_numpy(dtype=object)
    places = [np.flatnonzero(group == kind) for kind in _SIDED]
    values, weights = towards_stereotype(*(pairs.difference[place] for place in places))
    order = np.concatenate(places)
    items = pairs.part.items.iloc[order]
    sample = Sample(
        values,
        items["cluster"].astype(str).tolist(),
        weights=weights,
        n_skipped=pairs.n_unsided,
        keys=items.index.astype(str).tolist(),
        unit=_UNIT,
    )
    return Measurement(MEAN_LOG_ODDS, _as_headline(where), sample)
