"""What a run looks like: how far a private model went of a plain one's way, and what that suggests.

A private model moves less from its base than a plain one does, so it keeps more of what the base
leans. Whether that is more or less bias than plain depends on which of the two leans further:
`fairaudit experiment map` shows it. Here it is said of the models at hand, as an expectation.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairaudit.comparing.distance import distance_moved
from fairaudit.comparing.joining import Joined, join_probe
from fairaudit.comparing.pairing import Terms
from fairaudit.results import AuditResult, Change, Comparison

_PLAIN: Final = "plain"
_CAVEAT: Final = (
    "This is what moving less leads one to expect if both read the same text, as on the maps of "
    "small models that 'fairaudit experiment map' draws; it is no finding and no promise. The "
    "verdicts are what was measured"
)


@dataclass(frozen=True, slots=True)
class Trio:
    """A base, and a plain and a private model that were trained from it; places in the audits."""

    base: int
    plain: int
    private: int


def way_notes(
    names: Sequence[str], audits: Sequence[AuditResult], entries: Sequence[Comparison], alpha: float
) -> Iterator[str]:
    """Say of every private model beside its plain one what to expect, where the base is there too.

    Parameters
    ----------
    names : sequence of str
        Labels of the audits, the baseline first.
    audits : sequence of AuditResult
        In the same order.
    entries : sequence of Comparison
        Every candidate's comparisons with the baseline. A direction is said where the baseline is
        the base or the plain model.
    alpha : float
        Error level of the intervals.
    """
    for trio in trios(audits):
        base, plain, private = (names[place] for place in (trio.base, trio.plain, trio.private))
        far, near = (
            _distance(audits[trio.base], audits[place], Terms(base, names[place], alpha, None, 0))
            for place in (trio.plain, trio.private)
        )
        if far is None or near is None:
            continue
        share = (near.value_candidate or 0.0) / (far.value_candidate or float("inf"))
        said = (
            f"{private} and {plain} were trained from {base}: on the probe text {private} moved "
            f"{_nats(near)} per token, {100 * share:.0f} % of the {_nats(far)} of {plain}"
        )
        if share >= 1:
            yield f"{said}. Moving less is no reason to expect a difference between them here"
            continue
        leans = dict(leans_more(entries, names[0], base, plain))
        yield f"{said}. {_expected(leans, base, plain, private)}{_CAVEAT}"


def trios(audits: Sequence[AuditResult]) -> Iterator[Trio]:
    """Every private model without twins, with the first plain model of its base."""
    trained = [audit.provenance.training or {} for audit in audits]
    for base, audit in enumerate(audits):
        fingerprint = audit.provenance.model.fingerprint
        own = [
            place
            for place, training in enumerate(trained)
            if fingerprint is not None and training.get("base_fingerprint") == fingerprint
        ]
        plain = [place for place in own if trained[place].get("arm") == _PLAIN]
        private = [place for place in own if _is_private(trained[place])]
        for place in private if plain else ():
            yield Trio(base, plain[0], place)


def leans_more(
    entries: Iterable[Comparison], baseline: str, base: str, plain: str
) -> Iterator[tuple[str, int]]:
    """By axis: 1 where the base leans further than plain, −1 less far, 0 where neither is shown.

    Of the primary comparison of the two, with its interval; an axis on which its protocols disagree
    counts as open.
    """
    if baseline not in (base, plain):
        return
    other, sign = (plain, -1) if baseline == base else (base, 1)
    by_axis: dict[str, set[int]] = {}
    for one in entries:
        if one.candidate == other and one.primary and one.difference is not None:
            by_axis.setdefault(one.axis, set()).add(sign * _side(one))
    for axis, sides in by_axis.items():
        yield axis, sides.pop() if len(sides) == 1 else 0


def _side(one: Comparison) -> int:
    if one.interval is None or one.interval.low <= 0 <= one.interval.high:
        return 0
    return 1 if one.interval.low > 0 else -1


def _is_private(training: Mapping[str, Any]) -> bool:
    return training.get("target_epsilon") is not None and not training.get("cda")


def _distance(base: AuditResult, model: AuditResult, terms: Terms) -> Change | None:
    probe = join_probe(base, model)
    if not isinstance(probe, Joined):
        return None
    found = next(distance_moved(probe, terms))
    return found if found.value_candidate else None


def _nats(moved: Change) -> str:
    bounds = moved.interval
    shown = f"{moved.value_candidate:.3f} nats"
    return shown if bounds is None else f"{shown} [{bounds.low:.3f}, {bounds.high:.3f}]"


def _expected(leans: Mapping[str, int], base: str, plain: str, private: str) -> str:
    """Say by axis which direction to expect; an empty text where nothing was compared."""
    if not leans:
        return ""
    words = {
        1: f"where {base} leans further towards the stereotype than {plain}, expect {private} to "
        f"lean further than {plain} too",
        -1: f"where {base} leans less far, expect {private} to lean less far",
        0: "where neither is shown to lean further, expect no direction",
    }
    parts = []
    for side, said in words.items():
        axes = [axis for axis, found in leans.items() if found == side]
        if axes:
            parts.append(f"{said} ({', '.join(axes)})")
    text = "; ".join(parts)
    return f"{text[0].upper()}{text[1:]}. "
