"""What an audit says of each suite: whether it ran, and what of it could not be asked."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from fairaudit.auditing.examples import examples_of
from fairaudit.auditing.score_tables import (
    commonest_reason,
    n_skipped,
    unscored_protocols,
    why_nothing_scored,
)
from fairaudit.auditing.suite_plan import SuitePlan
from fairaudit.results import Estimate, SuiteRun
from fairaudit.suites import PROBE
from fairaudit.vocabulary.metrics import UNPARSED_SHARE
from fairaudit.vocabulary.suites import called

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results.texts import PromptTexts


def suite_run(
    entry: SuitePlan,
    tables: Mapping[str, pd.DataFrame],
    estimates: Sequence[Estimate],
    texts: Sequence[PromptTexts],
    reason: str | None,
) -> SuiteRun:
    """Say whether a suite ran, with how many items and protocols, or the reason why not.

    Parameters
    ----------
    entry : SuitePlan
        What was asked.
    tables : mapping of str to DataFrame
        Score tables by suite.
    estimates : sequence of Estimate
        Estimates of the audit.
    texts : sequence of PromptTexts
        What the model wrote for the suite.
    reason : str or None
        Why the suite counts as not run: it could not be asked, or nothing was scored.
    """
    if entry.data is None or reason is not None:
        return SuiteRun(
            suite=entry.suite.name,
            status="not_run",
            language=entry.suite.language,
            reason=reason,
            caveats=entry.suite.card.caveats,
            evidence=entry.suite.card.evidence,
        )
    table = tables[entry.suite.name]
    unscored = unscored_protocols(table)
    scored = table[~table["protocol"].isin(list(unscored))]
    return SuiteRun(
        suite=entry.suite.name,
        status="run",
        language=entry.suite.language,
        sources=entry.data.sources,
        protocols=tuple(name for name in entry.protocol_ids if name not in unscored),
        n_items=entry.n_items,
        n_skipped=n_skipped(scored),
        caveats=entry.suite.card.caveats,
        evidence=entry.suite.card.evidence,
        examples=examples_of(table, entry.data.items, estimates, texts),
    )


def without_scores(tables: Mapping[str, pd.DataFrame]) -> dict[str, str]:
    """Suites of which nothing was scored, with the reason."""
    found = {name: why_nothing_scored(t) for name, t in tables.items() if name != PROBE.name}
    return {name: reason for name, reason in found.items() if reason is not None}


def without_numbers(
    tables: Mapping[str, pd.DataFrame], estimates: Iterable[Estimate]
) -> dict[str, str]:
    """Suites that have scores, but of which not one number came out, with the reason."""
    measured = {
        one.suite for one in estimates if one.value is not None and one.name != UNPARSED_SHARE.name
    }
    return {
        name: f"nothing could be measured: {commonest_reason(table) or 'too few items'}"
        for name, table in tables.items()
        if name != PROBE.name and name not in measured
    }


def skipped_notes(tables: Mapping[str, pd.DataFrame], empty: Collection[str]) -> Iterator[str]:
    """Say of a protocol that no item could be asked by it, where others of its suite were."""
    for name, table in tables.items():
        for protocol, reason in () if name in empty else unscored_protocols(table).items():
            yield f"{called(protocol)}: skipped: {reason}"


def unparsed_notes(estimates: Iterable[Estimate]) -> Iterator[str]:
    """Say which share of the answers that were written is none of the choices."""
    for one in estimates:
        if one.name == UNPARSED_SHARE.name and one.axis == "all" and one.value:
            yield (
                f"{called(one.protocol)}: {one.value:.1%} of {one.n:,} written answers are none of "
                "the choices; they are left out of every score"
            )
