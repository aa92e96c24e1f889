"""`audit`: the one place that knows both suites and scoring, and joins them.

Items become requests, requests of all suites are answered in one plan, answers become score
tables, tables become estimates. Prompts are continued in a plan of their own; what the model wrote
is stored, and text scorers turn it into score tables.
"""

from __future__ import annotations

import contextlib
import datetime
import platform
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fairaudit.auditing.audit_near_ties import near_tie_notes, near_ties_in_fp32
from fairaudit.auditing.audit_notes import plan_notes
from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.audit_plan import AuditPlan, plan_audit, plan_request
from fairaudit.auditing.audit_provenance import (
    claim_of,
    json_beside,
    provenance_of,
)
from fairaudit.auditing.audit_request import AuditRequest, asked_by, request_audit
from fairaudit.auditing.audit_suites import (
    skipped_notes,
    suite_run,
    unparsed_notes,
    without_numbers,
    without_scores,
)
from fairaudit.auditing.audit_tables import items_table, texts_by_suite, texts_table
from fairaudit.auditing.audit_texts import (
    answer_of,
    refusal_notes,
    text_table,
)
from fairaudit.auditing.classifier_check import checks_of, with_gap_cautions
from fairaudit.auditing.kept_audits import kept_audit
from fairaudit.auditing.pair_texts import with_pair_texts
from fairaudit.items import Completions, Generation, Skipped
from fairaudit.metrics.capability import token_kl_estimate
from fairaudit.metrics.families import with_adjusted_p
from fairaudit.metrics.refusals import with_refusal_cautions
from fairaudit.metrics.revisions import revision_estimates, revision_notes
from fairaudit.metrics.texts import text_estimates
from fairaudit.options import Place, verb
from fairaudit.progress import Progress, shown
from fairaudit.ranks import ranks
from fairaudit.results import AuditResult, Estimate, Provenance, Run
from fairaudit.results.folders import refuse_other_result
from fairaudit.results.locks import alone_at
from fairaudit.results.types import NearTies
from fairaudit.suites import PROBE

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.results.classifier import ClassifierCheck
    from fairaudit.results.texts import PromptTexts

__all__ = [
    "AuditPlan",
    "AuditRequest",
    "answer",
    "audit",
    "plan_audit",
    "plan_request",
    "request_audit",
    "run_audit",
    "save_audit",
]


@verb(AuditOptions)
def audit(options: AuditOptions) -> AuditResult:
    """Audit one language model for social bias.

    Returns
    -------
    AuditResult
        Estimates with intervals, score tables, provenance.

    Raises
    ------
    FairauditError
        In one line: what is wrong and what to do. Nothing half-written is left.

    Examples
    --------
    >>> result = fairaudit.audit("distilgpt2")  # doctest: +SKIP
    >>> result.to_frame()  # doctest: +SKIP
    """
    from fairaudit.scoring.borrowed import as_found

    with as_found(options.model, options.base), shown(options.progress) as tell:
        tell("loading model and items", 0, 0)
        return answer(request_audit(options), progress=tell)


def answer(
    asked: AuditRequest,
    *,
    progress: Progress | bool | None = None,
    plan: Callable[[AuditRequest], AuditPlan] = plan_request,
) -> AuditResult:
    """Audit what is asked, or read the same audit back if it was made before; see `audit`.

    ``plan`` loads the model; it is not called for an audit that is read back.
    """
    with _alone_at(asked.options.output):
        return _answer(asked, progress, plan)


@contextlib.contextmanager
def _alone_at(output: Place | None) -> Iterator[None]:
    """Keep other audits out of the folder from the beginning on; the first rank does it for all."""
    with contextlib.ExitStack() as stack:
        if output is not None:
            alone = alone_at(Path(output), "auditing into this folder")
            ranks().from_first(lambda: stack.enter_context(alone))
        yield


def _answer(
    asked: AuditRequest,
    progress: Progress | bool | None,
    plan: Callable[[AuditRequest], AuditPlan],
) -> AuditResult:
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    output, overwrite = asked.options.output, asked.options.overwrite
    kept = kept_audit(asked)
    here = ranks()
    found = None if kept is None else here.from_first(kept.read)
    if found is None:
        ready = here.together(lambda: plan(asked))
        result = run_audit(ready, output=output, overwrite=overwrite, progress=progress)
        if kept is not None and here.is_first:
            kept.write(result)
        return result
    run = _run(started, clock, asked_by(asked.options), found.run.made or found.run.finished)
    result = found.model_copy(update={"run": run})

    def saved() -> AuditResult:
        if output is not None:
            with shown(progress) as tell:
                tell("drawing figures and report", 0, 0)
                save_audit(result, Path(output), overwrite=overwrite)
        return result

    return here.from_first(saved)


def run_audit(
    plan: AuditPlan,
    *,
    output: Place | None = None,
    overwrite: bool = False,
    progress: Progress | bool | None = None,
) -> AuditResult:
    """Score a plan, estimate, and write the audit folder if one is named; see `audit`.

    Of several ranks (`fairaudit.ranks`) all score, the first one does the rest, and all return the
    result.
    """
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    here = ranks()
    provenance = provenance_of(plan.loaded, plan.settings, plan.base)
    folder = None if output is None else Path(output)
    identity = AuditResult.identity_of(plan.label, provenance)
    if folder is not None:
        here.from_first(
            lambda: refuse_other_result(folder, AuditResult, identity, overwrite=overwrite)
        )
    with _alone_at(output), shown(progress if here.is_first else False) as tell:
        scored = _scored(plan, tell)

        def told() -> AuditResult:
            result = _told(
                plan, provenance, scored, lambda: _run(started, clock, plan.command), tell
            )
            if folder is not None:
                tell("drawing figures and report", 0, 0)
                save_audit(result, folder, overwrite=overwrite)
            if plan.when_whole is not None:
                plan.when_whole()
            return result

        return here.from_first(told)


def _told(
    plan: AuditPlan,
    provenance: Provenance,
    scored: Scored,
    run: Callable[[], Run],
    tell: Progress,
) -> AuditResult:
    """Make the result of what was scored; ``run`` is called when all of it is there."""
    tables, texts, near_ties = scored
    empty = without_scores(tables)
    measured = {name: tables[name] for name in tables if name not in empty}
    estimates = _estimates(plan, measured, tell)
    empty |= without_numbers(measured, estimates)
    checks, own_gaps = _checks(plan, tell)
    kept = [one for one in estimates if one.suite not in empty]
    found = [*kept, *_refusals(plan, texts)]
    estimates = [*with_refusal_cautions(with_gap_cautions(found, checks))]
    privacy = json_beside(plan.loaded.folder, "privacy.json", "fairaudit/privacy")
    claim = claim_of(privacy, plan.loaded)
    result = AuditResult(
        label=plan.label,
        suites=tuple(
            suite_run(
                entry,
                tables,
                estimates,
                texts.get(entry.suite.name, ()),
                entry.reason or empty.get(entry.suite.name),
            )
            for entry in plan.suites
            if entry.suite is not PROBE
        ),
        estimates=with_adjusted_p([*estimates, *_distances(plan, tell)]),
        provenance=provenance.model_copy(update={"near_ties": near_ties}),
        privacy=privacy,
        privacy_refuted=claim.said if claim is not None and claim.refuted else None,
        notes=(
            *plan_notes(plan, texts),
            *own_gaps,
            *near_tie_notes(plan.loaded, near_ties),
            *skipped_notes(tables, empty),
            *unparsed_notes(estimates),
            *refusal_notes(estimates),
            *revision_notes(measured),
            *(() if claim is None else (claim.said,)),
        ),
        run=run(),
    )
    asked = {one.suite.name: one.data.items for one in plan.suites if one.data is not None}
    stored = {
        name: with_pair_texts(table, asked.get(name, ()), estimates)
        for name, table in tables.items()
    }
    return result.with_tables(stored).with_texts(texts)


def _run(
    started: datetime.datetime,
    clock: float,
    command: tuple[str, ...] | None,
    made: str | None = None,
) -> Run:
    return Run(
        started=started.isoformat(timespec="seconds"),
        finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(time.perf_counter() - clock, 3),
        host=platform.node(),
        made=made,
        command=command,
    )


#: Score tables and what the model wrote, by suite; near-ties, by protocol.
Scored = tuple["dict[str, pd.DataFrame]", "dict[str, tuple[PromptTexts, ...]]", dict[str, NearTies]]


def _scored(plan: AuditPlan, tell: Progress) -> Scored:
    """Run the model: score tables and what it wrote, by suite; near-ties, by protocol."""
    counting = _counting(tell, "scoring", plan.scoring.n_tokens)
    answers, near_ties = near_ties_in_fp32(plan, plan.scorer.run(plan.scoring, counting))
    written: Mapping[Generation, Completions | Skipped] = {}
    if plan.generator is not None and plan.generation is not None:
        counting = _counting(tell, "writing texts", plan.generation.n_tokens)
        written = plan.generator.run(plan.generation, counting)
    asked = [entry for entry in plan.suites if entry.reason is None]
    tables = {}
    for place, entry in enumerate(asked):
        tell("scoring texts" if entry.prompts else "tabulating scores", place, len(asked))
        tables[entry.suite.name] = (
            texts_table(entry, written) if entry.prompts else items_table(entry, answers)
        )
    return tables, texts_by_suite(plan.suites, written), near_ties


def save_audit(result: AuditResult, folder: Path, *, overwrite: bool = False) -> None:
    """Write a whole audit folder: result, items, texts, and what is rendered from them."""
    from fairaudit.report.files import write_report

    with alone_at(folder, "writing into this folder"):
        result.save(folder, overwrite=overwrite)
        write_report(result, folder)


def _checks(plan: AuditPlan, tell: Progress) -> tuple[dict[str, ClassifierCheck], list[str]]:
    """Check the classifiers that scored texts: what they make of groups, by id and in words."""
    scorers = [scorer for entry in plan.suites for scorer in entry.scorers]
    if scorers:
        tell("checking classifiers of texts", 0, 0)
    return checks_of(scorers, plan.settings.seed)


def _estimates(
    plan: AuditPlan, tables: Mapping[str, pd.DataFrame], tell: Progress
) -> list[Estimate]:
    found: list[Estimate] = []
    asked = [entry.suite for entry in plan.suites if entry.suite.name in tables]
    for place, suite in enumerate(asked):
        tell("estimating and resampling", place, len(asked))
        found.extend(suite.estimated(tables[suite.name], plan.settings.seed))
    return [*found, *revision_estimates(tables, plan.settings.seed)]


def _refusals(plan: AuditPlan, texts: Mapping[str, tuple[PromptTexts, ...]]) -> Iterator[Estimate]:
    """How often a chat model refused to choose, where the suite's own table holds choices alone."""
    for entry in plan.suites:
        if entry.refusals is not None and entry.data is not None:
            answers = {one.item_id: answer_of(one) for one in texts[entry.suite.name]}
            n = max(len(one.completions) for one in texts[entry.suite.name])
            items = entry.data.items
            table = text_table(entry.suite.name, items, answers, [entry.refusals], n)
            yield from text_estimates(table, plan.settings.seed)


def _distances(plan: AuditPlan, tell: Progress) -> list[Estimate]:
    """How far the model moved from its base, where one is named."""
    if plan.base is None:
        return []
    tell("measuring the distance from the base model", 0, 0)
    from fairaudit.scoring.divergence import token_divergence

    probe = next(entry for entry in plan.suites if entry.suite is PROBE)
    asked = {
        item_id: request
        for (item_id, _protocol, _role), request in probe.requests.items()
        if not isinstance(request, Skipped)
    }
    found = token_divergence(plan.loaded, plan.base, list(asked.values()))
    by_paragraph = {item: found[request] for item, request in asked.items() if request in found}
    protocol = probe.protocols[0].id
    return [token_kl_estimate(protocol, by_paragraph, plan.settings.seed)]


def _counting(tell: Progress, stage: str, total: int) -> Callable[[int], None]:
    """Report what is done of a stage as its parts are."""
    done = 0
    tell(stage, done, total)

    def advance(n_tokens: int) -> None:
        nonlocal done
        done += n_tokens
        tell(stage, done, total)

    return advance
