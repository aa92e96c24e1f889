"""What a tracker gets of a result: flat names with numbers, and what is a word."""

from __future__ import annotations

import re
from collections.abc import Iterator

from fairaudit.results import AuditResult, Comparison, ComparisonResult, Estimate

Result = AuditResult | ComparisonResult


def numbers_of(result: Result) -> dict[str, float]:
    """Return the primary numbers of a result by flat names, each with its bounds.

    An audit's are ``protocol/axis/metric``, a comparison's ``candidate/protocol/axis/metric`` of
    the differences; ``/low`` and ``/high`` hold the interval. Of an audit the capabilities of whole
    axes are named too. What is missing has no entry.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
        What is to be logged.

    Returns
    -------
    dict of str to float
        Rates are fractions 0-1, log values in nats, as in every file.

    Examples
    --------
    >>> numbers_of(audit)  # doctest: +SKIP
    {'templates/causal-conditional/gender/stereotype_preference_rate': 0.53, ...}
    """
    return {name: value for name, value in _numbers(result) if value is not None}


def words_of(result: Result) -> dict[str, str]:
    """Return what stands beside the numbers in words: labels, cautions, verdicts."""
    found = {"fairaudit/label": _label(result)}
    for one in _shown(result):
        if isinstance(one, Comparison) and one.verdict is not None:
            found[f"{_name(one)}/verdict"] = one.verdict.value
        if one.cautions:
            found[f"{_name(one)}/cautions"] = ", ".join(one.cautions)
    return found


def _label(result: Result) -> str:
    if isinstance(result, AuditResult):
        return result.label
    return f"{', '.join(result.candidates)} against {result.baseline}"


def _shown(result: Result) -> Iterator[Estimate | Comparison]:
    if isinstance(result, AuditResult):
        for estimate in result.estimates:
            if estimate.primary or (estimate.kind == "capability" and estimate.group is None):
                yield estimate
    else:
        yield from (one for one in result.comparisons if one.primary)


def _numbers(result: Result) -> Iterator[tuple[str, float | None]]:
    for one in _shown(result):
        name = _name(one)
        yield name, one.value if isinstance(one, Estimate) else one.difference
        if one.interval is not None:
            yield f"{name}/low", one.interval.low
            yield f"{name}/high", one.interval.high


def _name(one: Estimate | Comparison) -> str:
    """Names that every tracker takes: ASCII letters, digits and ``_ - . /``."""
    parts = [] if isinstance(one, Estimate) else [one.candidate]
    parts += [one.protocol, one.axis, *([] if one.group is None else [one.group]), one.name]
    return "/".join(re.sub(r"[^\w./-]", "_", part, flags=re.ASCII) for part in parts)
