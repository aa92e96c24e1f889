"""How two audits stand to each other, read from what both record: facts, never sentences.

Comparison and gate ask here, so that a comparison of an older version answers as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from fairaudit.results.comparison import Comparison, Paired
from fairaudit.results.consistency import one_model
from fairaudit.results.types import ModelIdentity, Provenance

#: Settings that change what a score is. Not the number of items or texts, which shows in what the
#: audits have in common, nor the seed, by which texts are one draw of many.
_SCORING: Final = ("dtype", "bos", "max_length")


class Difference(NamedTuple):
    """A setting in which two audits differ."""

    #: ``dtype``, ``quantization``, ``bos``, ``max_length`` or ``engine``.
    name: str
    baseline: str
    candidate: str


def setting_differences(baseline: Provenance, candidate: Provenance) -> Iterator[Difference]:
    """Find the settings in which two audits differ, of those that can move a score.

    Scores that were recorded elsewhere name neither precision nor first token: then the engine is
    what differs.
    """
    engines = _engine(baseline), _engine(candidate)
    if engines[0] != engines[1]:
        yield Difference("engine", *engines)
        return
    for name in _SCORING:
        ours, theirs = getattr(baseline.settings, name), getattr(candidate.settings, name)
        if ours != theirs:
            yield Difference(name, str(ours), str(theirs))
    ours, theirs = baseline.model.quantization, candidate.model.quantization
    if ours != theirs:
        yield Difference("quantization", ours or "none", theirs or "none")


def is_swapped(
    baseline: Provenance,
    candidate: Provenance,
    privacy: Mapping[str, Any] | None = None,
) -> bool:
    """Whether the baseline was made from the candidate: then the change runs the other way.

    Parameters
    ----------
    baseline, candidate : Provenance
        Where both sides come from.
    privacy : mapping, optional
        Privacy statement beside the baseline's checkpoint, which names its base as well.
    """
    if candidate.model.fingerprint is not None:
        sources = (baseline.training, privacy)
        made_from = {one.get("base_fingerprint") for one in sources if one is not None}
        adapter = baseline.model.adapter
        made_from.add(None if adapter is None else adapter.base_fingerprint)
        if candidate.model.fingerprint in made_from:
            return not one_model(baseline, candidate)
    return (
        baseline.base is not None
        and _same(baseline.base, candidate.model)
        and not one_model(baseline, candidate)
    )


def loss_in_words(entry: Paired) -> str:
    """Say how many items only one audit scored, and for rates what they could have changed."""
    if entry.n_only_baseline >= entry.n_only_candidate:
        lost, has, lacks = entry.n_only_baseline, "baseline", "candidate"
    else:
        lost, has, lacks = entry.n_only_candidate, "candidate", "baseline"
    words = (
        f"{lost:,} of the {has}'s {entry.n + lost:,} items have no score for the {lacks} "
        f"({entry.lost_share:.1%})"
    )
    bounds = entry.worst_case if isinstance(entry, Comparison) else None
    if bounds is None:
        return words
    low, high = (f"{100 * bound:+.1f}".replace("-", "\N{MINUS SIGN}") for bound in bounds)
    return (
        f"{words}; whichever way they had gone, the difference lies between {low} and {high} points"
    )


def _engine(one: Provenance) -> str:
    return "fairaudit" if one.settings.recorded is None else "recorded scores"


def _same(one: ModelIdentity, other: ModelIdentity) -> bool:
    """Whether two identities are of one model; without a fingerprint the name and revision tell."""
    if one.fingerprint is not None and other.fingerprint is not None:
        return one.fingerprint == other.fingerprint
    return (one.id, one.revision) == (other.id, other.revision)
