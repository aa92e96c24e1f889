"""Names in words: metrics, axes, suites, protocols, intervals and cautions.

Unknown names (a user's own suite) are shown as they are, with blanks for underscores.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from fairaudit.report.safe_text import clean
from fairaudit.results import Comparison, Estimate
from fairaudit.results.comparison import Paired
from fairaudit.vocabulary.cautions import CAUTIONS as CAUTIONS
from fairaudit.vocabulary.cautions import Caution as Caution
from fairaudit.vocabulary.metrics import METRICS as METRICS
from fairaudit.vocabulary.metrics import Metric as Metric
from fairaudit.vocabulary.protocols import VARIANTS
from fairaudit.vocabulary.scorers import scorer_meaning
from fairaudit.vocabulary.suites import AXIS_NAMES, title_of
from fairaudit.vocabulary.suites import PROBE as PROBE
from fairaudit.vocabulary.units import Unit as Unit

_METHODS: Final = {
    "bootstrap-percentile": "percentile bootstrap",
    "bootstrap-t": "bootstrap-t",
    "clopper-pearson": "Clopper–Pearson",
    "cr2": "CR2 t",
    "fisher-z": "Fisher z",
    "max-t": "simultaneous max-t",
    "t": "t",
    "tango": "Tango score",
    "two-way": "two-way t",
    "wilson": "Wilson",
}

_CORRECTIONS: Final = {
    "bh": "Benjamini and Hochberg",
    "by": "Benjamini and Yekutieli",
    "holm": "Holm",
}


def metric_of(found: Estimate | Paired) -> Metric:
    """Return the metric of an estimate; a name we do not know takes its unit from its range."""
    is_rate = isinstance(found, Estimate) and found.range == (0.0, 1.0)
    return metric_named(found.name, Unit.PERCENT if is_rate else Unit.NUMBER)


def metric_named(name: str, unit: Unit = Unit.SIGNED_NUMBER) -> Metric:
    """Return a metric by name; one that we do not know is shown as it is, in a unit."""
    return METRICS.get(name) or Metric(name, _plain(name), "bias", unit, "")


def measured(found: Estimate | Paired) -> str:
    """Return what was measured, and by which suite: ``stereotype score, StereoSet``."""
    return f"{small(metric_of(found).label)}, {suite_name(found.suite)}"


def small(label: str) -> str:
    """Return a label as it stands within a sentence; an abbreviation keeps its capitals."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]


def glossary(found: Iterable[Estimate | Paired]) -> tuple[Metric, ...]:
    """Return every metric that appears and that we can explain."""
    metrics = {one.name: metric_of(one) for one in found}
    return tuple(metric for metric in metrics.values() if metric.meaning)


def suite_name(suite: str) -> str:
    """Return the name of a suite as its authors write it; a user's own as it is."""
    return title_of(suite) or clean(suite)


def axis_name(axis: str) -> str:
    """Return the name of an axis; ``all`` is the pooled value."""
    return "All axes" if axis == "all" else AXIS_NAMES.get(axis) or _plain(axis)


def variant(protocol: str) -> str:
    """Return a protocol id without its suite."""
    return clean(protocol.partition("/")[2] or protocol)


def protocol_meaning(protocol: str) -> str:
    """Return what a protocol scores, or an empty text for a protocol we do not know."""
    name = variant(protocol)
    known = VARIANTS.get(name)
    return scorer_meaning(name) if known is None else known.meaning


def method_name(method: str) -> str:
    """Return the name of an interval's method."""
    name = method.removeprefix("log-")
    return (_METHODS.get(name) or clean(name)) + ("" if name == method else " on the log scale")


def correction_name(correction: str) -> str:
    """Return who a correction for many looks is named after."""
    return _CORRECTIONS.get(correction) or clean(correction)


def family_name(family: str) -> str:
    """Return a metric family, stored as protocol and metric name, in words."""
    protocol, _, name = clean(family).rpartition(" ")
    if not protocol or name not in METRICS:
        return clean(family)
    suite = suite_name(protocol.partition("/")[0])
    return f"{suite}, {variant(protocol)}: {small(METRICS[name].label)}"


def caution_of(caution: str) -> Caution:
    """Return a caution in words."""
    return CAUTIONS.get(caution) or Caution(caution, clean(caution).replace("_", " "), "")


def cautions_of(found: Iterable[Estimate | Comparison]) -> tuple[Caution, ...]:
    """Return every caution that appears, in words, in alphabetical order."""
    return tuple(map(caution_of, sorted({caution for one in found for caution in one.cautions})))


def _plain(name: str) -> str:
    words = clean(name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]
