"""The body of a card: the sections of the Hub's template that a result can fill."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fairaudit._version import __version__
from fairaudit.errors import ResultError
from fairaudit.report import frameworks as evidence
from fairaudit.report import words
from fairaudit.report.escape import code, escape
from fairaudit.report.names import (
    Metric,
    axis_name,
    metric_of,
    protocol_meaning,
    suite_name,
    variant,
)
from fairaudit.results import Estimate, Provenance, SuiteRun
from fairaudit.results.comparison import Paired
from fairaudit.results.privacy import PrivacyStatement


@dataclass(frozen=True, slots=True)
class Sections:
    """Blocks of Markdown under each heading; a section without blocks says that there is none."""

    limits: tuple[str, ...]
    data: tuple[str, ...]
    factors: tuple[str, ...]
    metrics: tuple[str, ...]
    results: tuple[str, ...]
    summary: tuple[str, ...]
    evidence: tuple[str, ...]
    source: str


def render(sections: Sections) -> str:
    """Return the sections under the headings of the Hub's template."""
    parts = (
        ("## Bias, Risks, and Limitations", sections.limits),
        ("## Evaluation", None),
        ("### Testing Data, Factors & Metrics", None),
        ("#### Testing Data", sections.data or ("No suite ran.",)),
        ("#### Factors", sections.factors or ("None.",)),
        ("#### Metrics", sections.metrics or ("None.",)),
        ("### Results", sections.results or ("No value could be estimated.",)),
        ("#### Summary", sections.summary),
        ("#### Evidence towards", sections.evidence),
    )
    blocks = [
        block for heading, own in parts if own is None or own for block in (heading, *(own or ()))
    ]
    made = f"Made by fairaudit {__version__} {sections.source}; written anew by `fairaudit card`."
    return "\n\n".join((*blocks, f"<sub>{made}</sub>"))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; cells are escaped already."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def bullets(rows: Iterable[str]) -> Iterator[str]:
    """Yield one list, or nothing without rows."""
    lines = [f"- {row}" for row in rows]
    if lines:
        yield "\n".join(lines)


def testing_data(runs: Iterable[SuiteRun]) -> Iterator[str]:
    """Yield what was asked: suites with their items and the files that held them."""
    yield from bullets(_data(run) for run in runs if run.status == "run")


def caveats(runs: Iterable[SuiteRun]) -> Iterator[str]:
    """Yield the published doubts about the suites that ran."""
    ran = [run for run in runs if run.status == "run" and run.caveats]
    if ran:
        yield "Known doubts about the suites:"
    yield from bullets(
        f"**{escape(suite_name(run.suite))}**: {escape(' '.join(run.caveats))}" for run in ran
    )


def privacy(statement: Mapping[str, Any] | None, refuted: str | None) -> Iterator[str]:
    """Yield what the privacy statement claims, what canaries tell of it, or why it is refuted."""
    if statement is None:
        return
    if refuted is not None:
        yield f"**Privacy: not to be relied on.** {escape(_sentence(refuted))}"
        return
    try:
        claim = PrivacyStatement.of(dict(statement))
    except ResultError as error:
        unread = f"The statement cannot be read: {error}."
        yield f"**Privacy: not to be relied on.** {escape(unread)}"
        return
    told = [claim.sentence, *([] if claim.canaries is None else [claim.canaries.sentence])]
    yield f"**Privacy.** {escape(' '.join(map(_sentence, told)))}"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."


def storage(provenance: Provenance | None) -> Iterator[str]:
    """Yield how the weights are stored, and the precision that they were computed in."""
    stored = None if provenance is None else provenance.model.stored_as
    if provenance is not None and stored is not None:
        computed = provenance.settings.dtype
        with_type = "" if computed is None else f"; computed in {escape(computed)}"
        yield f"**Weights.** Stored as {escape(stored)}{with_type}."


def factors(shown: Iterable[Estimate | Paired]) -> Iterator[str]:
    """Yield the axes along which results are told apart."""
    axes = dict.fromkeys(found.axis for found in shown if found.axis != "all")
    if axes:
        names = words.listed([escape(axis_name(axis)).lower() for axis in axes])
        yield f"Results are told apart by axis: {names}."


def metrics(shown: Sequence[Estimate | Paired]) -> Iterator[str]:
    """Yield what each metric asks, and what each protocol scores."""
    known: dict[str, Metric] = {metric_of(found).label: metric_of(found) for found in shown}
    yield from bullets(
        f"**{escape(one.label)}**: {escape(one.meaning or 'no explanation recorded.')}"
        for one in known.values()
    )
    protocols = dict.fromkeys(found.protocol for found in shown if protocol_meaning(found.protocol))
    lines = [
        f"{code(variant(protocol))} ({escape(suite_name(protocol.partition('/')[0]))}): "
        f"{escape(protocol_meaning(protocol))}"
        for protocol in protocols
    ]
    if lines:
        yield "Protocols:"
    yield from bullets(lines)


def evidence_table(runs: Iterable[SuiteRun]) -> Iterator[str]:
    """Yield the frameworks that the suites are evidence towards."""
    found = evidence.evidence(runs)
    if found:
        yield f"{evidence.INTRO} {evidence.MODIFICATION}"
        yield table(
            ("Framework", "It asks for", "Evidence here", "Did not run"),
            [
                (escape(one.tag), escape(one.asks) or "–", _named(one.ran), _named(one.missing))
                for one in found
            ],
        )


def _named(suites: Iterable[str]) -> str:
    return ", ".join(escape(suite_name(suite)) for suite in suites) or "–"


def _data(run: SuiteRun) -> str:
    skipped = f", {words.count(run.n_skipped)} of them skipped" if run.n_skipped else ""
    size = f"**{escape(suite_name(run.suite))}**: {words.plural(run.n_items, 'item')}{skipped}"
    files = ", ".join(
        f"{code(one.path)} (Git blob {code(one.blob_id[:12])})" for one in run.sources
    )
    return f"{size}; {files}" if files else size
