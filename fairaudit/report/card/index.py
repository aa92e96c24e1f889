"""``model-index``: the numbers of a result as evaluation results of the Hugging Face Hub.

One metric per suite and axis, the axis as ``dataset.config``; whatever is needed to judge a number
stands in ``metrics[].args``. Nothing is ever marked as verified: that is for the Hub to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from fairaudit._version import __version__
from fairaudit.report.audit.reading import headline_capabilities
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.comparison.view import Candidate
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import clean
from fairaudit.results import AuditResult, Comparison, ComparisonResult, Estimate, Interval
from fairaudit.results.comparison import Paired
from fairaudit.vocabulary.suites import CARDS

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

#: The argument by which our own metrics are known again.
MARK: Final = "fairaudit"
TASKS: Final = ("text-generation", "fill-mask")
_MASKED: Final = ("masked", "pll", "aul")
#: Enough to read a number back to what any interval could tell apart.
_DIGITS: Final = 6


def audit_results(result: AuditResult, task: str | None = None) -> list[EvalResult]:
    """Return the primary biases and the headline capabilities of an audit that have a value.

    Parameters
    ----------
    result : AuditResult
        Where every number comes from.
    task : str or None
        ``text-generation`` or ``fill-mask``, where neither architecture nor protocol tells.

    Returns
    -------
    list of EvalResult
        Rates are fractions 0 to 1; what is missing is left out.
    """
    architecture = result.provenance.model.architecture
    return [
        _result(found, found.value, _estimate_args(found), _task(found, architecture, task))
        for found in (*primary_bias(result), *headline_capabilities(result))
        if found.value is not None
    ]


def candidate_results(
    result: ComparisonResult, candidate: Candidate, task: str | None = None
) -> list[EvalResult]:
    """Return a candidate's own values, each with its difference from the baseline.

    Values are those on the items that both models scored; `audit_results` says the rest.
    """
    architecture = result.provenance.candidates[candidate.name].model.architecture
    biases = [
        _result(found, found.value_candidate, _paired_args(found), _task(found, architecture, task))
        for found in candidate.primary
        # The value of a largest change is that of its worst group: no property of the model alone.
        if found.value_candidate is not None and not found.group_changes
    ]
    own = [one.candidate_estimate for one in candidate.beside if one.candidate_estimate]
    return biases + [
        _result(found, found.value, _estimate_args(found), _task(found, architecture, task))
        for found in own
        if found.value is not None and found.kind == "capability"
    ]


def _result(
    found: Estimate | Paired, value: float | None, args: Mapping[str, Any], task: str
) -> EvalResult:
    from huggingface_hub import EvalResult

    assert value is not None
    name = metric_of(found).label
    return EvalResult(
        task_type=task,
        dataset_type=_dataset(found.suite),
        dataset_name=suite_name(found.suite),
        dataset_config=clean(found.axis),
        metric_type=clean(found.name),
        metric_name=name if found.axis == "all" else f"{name}, {axis_name(found.axis).lower()}",
        metric_config=variant(found.protocol),
        metric_value=round(value, _DIGITS),
        metric_args=dict(_present({MARK: __version__, "protocol": found.protocol, **args})),
    )


def _dataset(suite: str) -> str:
    """Return the ``dataset.type`` of a suite: a Hub id where there is one."""
    known = CARDS.get(suite)
    return clean(suite) if known is None or known.dataset is None else known.dataset


def _estimate_args(found: Estimate) -> dict[str, Any]:
    return {
        **_interval_args(found.interval),
        "n": found.n,
        "n_clusters": found.n_clusters,
        "ideal": found.ideal,
        "chance": found.chance,
        "p_adjusted": found.p_adjusted,
        "correction": found.correction,
        "cautions": list(found.cautions),
    }


def _paired_args(found: Comparison) -> dict[str, Any]:
    return {
        **_interval_args(found.candidate_interval),
        "n": found.n,
        "n_clusters": found.n_clusters,
        "ideal": found.ideal,
        "baseline": found.baseline,
        "value_baseline": found.value_baseline,
        "difference": found.difference,
        **{f"difference_{name}": of for name, of in _interval_args(found.interval).items()},
        "verdict": found.verdict,
        "margin": found.margin,
        "p_adjusted": found.p_adjusted,
        "correction": found.correction,
        "cautions": list(found.cautions),
    }


def _interval_args(interval: Interval | None) -> dict[str, Any]:
    if interval is None:
        return {}
    return {
        "interval": [interval.low, interval.high],
        "level": interval.level,
        "method": interval.method,
        "resampling_unit": interval.resampling_unit,
    }


def _present(args: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield what is known, numbers without needless digits, texts without control characters."""
    for name, value in args.items():
        if value is not None and value != []:
            yield name, _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, _DIGITS)
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return clean(value) if isinstance(value, str) else value


def _task(found: Estimate | Paired, architecture: str | None, told: str | None) -> str:
    """Say what kind of task was asked; a masked model fills masks, whatever else it is used for."""
    if architecture is not None:
        return TASKS["MaskedLM" in architecture]
    words = variant(found.protocol).split("-")
    if "causal" in words:
        return TASKS[0]
    if _starts(words, _MASKED):
        return TASKS[1]
    return told if told in TASKS else TASKS[0]


def _starts(words: Iterable[str], stems: tuple[str, ...]) -> bool:
    return any(word.startswith(stems) for word in words)
