"""What only the whole set of comparisons can say: corrected p-values, verdicts, agreement."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import Final

from fairaudit.results import Agreement, Comparison
from fairaudit.results.stored_evidence import comparison_evidence, equivalence_evidence
from fairaudit.stats.correlation import kendall
from fairaudit.stats.decide import decide
from fairaudit.stats.multiplicity import Method, adjust
from fairaudit.stats.unseen import limiting
from fairaudit.vocabulary.metrics import METRICS, is_gap
from fairaudit.vocabulary.verdicts import CHANGED, Verdict

_MIN_CELLS: Final = 3
#: Verdicts about the models, whatever was measured.
_OF_MODELS: Final = (Verdict.IDENTICAL, Verdict.NOT_INTERPRETABLE)


def corrected(entries: Sequence[Comparison], correction: Method) -> list[Comparison]:
    """Adjust p-values within each candidate: primary by ``correction``, the others by BH.

    A candidate is one release decision, so its primary comparisons are one family.
    """
    result = list(entries)
    for candidate in dict.fromkeys(entry.candidate for entry in entries):
        for primary in (True, False):
            chosen = [
                index
                for index, entry in enumerate(entries)
                if entry.candidate == candidate and entry.primary == primary and not is_level(entry)
            ]
            method: Method = correction if primary else "bh"
            name = f"{'primary' if primary else 'exploratory'}, {candidate}"
            for index, update in zip(chosen, _family(entries, chosen, method, name), strict=True):
                result[index] = entries[index].model_copy(update=update)
    return result


def _family(
    entries: Sequence[Comparison], chosen: Sequence[int], method: Method, name: str
) -> list[dict[str, object]]:
    p_values = [entries[index].p_value for index in chosen]
    size = sum(p is not None for p in p_values)
    shared = {"correction": method, "family": name, "family_size": size}
    return [{"p_adjusted": p, **shared} if p is not None else {} for p in adjust(p_values, method)]


def is_level(entry: Comparison) -> bool:
    """Whether a number is a level, such as the mean toxicity of a group, and so no bias by itself.

    A level has no ideal and can move for all groups alike: a model that refuses every prompt
    changes the mean of each group and treats none differently.
    """
    return entry.ideal is None and not entry.primary


def decided(
    entry: Comparison, *, identical: bool, capability: bool | None, cautions: Sequence[str]
) -> Comparison:
    """Return the comparison with its verdict, by `fairaudit.stats.decide.decide`.

    A level (`is_level`) gets none beyond ``identical`` and ``not_interpretable``.
    """
    if entry.difference is None:
        return entry.model_copy(update={"cautions": _merged(entry.cautions, cautions)})
    evidence = comparison_evidence(entry)
    made = decide(
        entry.difference,
        entry.se,
        entry.df,
        entry.margin,
        entry.alpha,
        evidence=evidence,
        within=equivalence_evidence(entry),
        p_adjusted=1.0 if entry.p_adjusted is None else entry.p_adjusted,
        candidate_low=_candidate_low(entry),
        identical=identical,
        capable=capability is not False,
    )
    unjudged = is_level(entry) and made.verdict not in _OF_MODELS
    update = {
        "verdict": None if unjudged else made.verdict,
        "p_equivalence": made.p_equivalence,
        "increase_up_to": None if evidence is None else limiting(evidence).upper(entry.alpha),
        "cautions": _merged(entry.cautions, (*(() if unjudged else made.cautions), *cautions)),
    }
    return entry.model_copy(update=update)


def _candidate_low(entry: Comparison) -> float | None:
    """Lower bound of the candidate's deviation from the ideal, signed towards the stereotype."""
    own = entry.candidate_interval
    if own is None or entry.ideal is None:
        return None
    return own.low - entry.ideal if entry.direction >= 0 else entry.ideal - own.high


def _merged(first: Sequence[str], second: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))


def agreements(entries: Sequence[Comparison]) -> Iterator[Agreement]:
    """Compare metric families pairwise: do they rank axes and candidates alike.

    A family is the primary metric of one protocol; a cell is a candidate and an axis. Kendall's
    tau-b of the differences over the cells that both families have. On an axis of more than two
    groups the largest change stands for the difference; the largest gap asks the same texts again.
    """
    families: dict[str, dict[tuple[str, str], Comparison]] = {}
    for entry in entries:
        asks_again = is_gap(entry.name)
        if entry.primary and entry.difference is not None and not asks_again:
            known = METRICS.get(entry.name)
            name = (known and known.stands_for) or entry.name
            cells = families.setdefault(f"{entry.protocol} {name}", {})
            cells[entry.candidate, entry.axis] = entry
    for (name_a, a), (name_b, b) in itertools.combinations(sorted(families.items()), 2):
        # Nothing is compared between languages.
        languages = {entry.language for cells in (a, b) for entry in cells.values()}
        common = sorted(a.keys() & b.keys()) if len(languages) == 1 else ()
        if common:
            yield _agreement(name_a, name_b, [(a[cell], b[cell]) for cell in common])


def _agreement(
    name_a: str, name_b: str, cells: Sequence[tuple[Comparison, Comparison]]
) -> Agreement:
    opposed = tuple(
        f"{a.candidate}, {a.axis}" for a, b in cells if {a.verdict, b.verdict} == set(CHANGED)
    )
    shared = {"family_a": name_a, "family_b": name_b, "n": len(cells), "opposed": opposed}
    if len(cells) < _MIN_CELLS:
        reason = f"{len(cells)} common cells: a rank correlation needs {_MIN_CELLS}"
        return Agreement(**shared, value=None, reason=reason)
    differences = [[float(pair[side].difference or 0) for pair in cells] for side in (0, 1)]
    if any(len(set(values)) == 1 for values in differences):
        return Agreement(**shared, value=None, reason="all differences of one family are equal")
    found = kendall(*differences)
    return Agreement(**shared, value=found.value, p_value=found.p_value)
