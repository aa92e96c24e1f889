"""`audit_scores`: statistics for scores and texts that were recorded elsewhere.

Reads StereoSet prediction files, CrowS-Pairs score tables, answers to BBQ, and prompts with their
completions, in any of the shapes of `fairaudit.recorded.recorded_rows`, compressed or not. Recorded
scores get the same estimates and intervals as a model's own, under protocol ids that end in
``recorded``; recorded texts are scored as a model's own are, so that a model that can only be
reached over a network is audited too.
"""

from __future__ import annotations

import datetime
import hashlib
import platform
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from fairaudit.auditing.audit_scorers import counts_refusals, make_scorers
from fairaudit.auditing.audit_suites import unparsed_notes, without_numbers, without_scores
from fairaudit.auditing.audit_texts import (
    WARNING,
    refusal_notes,
    repeated_note,
    text_table,
    texts_of,
    thinking_note,
    truncation_notes,
)
from fairaudit.auditing.classifier_check import checks_of, with_gap_cautions
from fairaudit.auditing.examples import examples_of
from fairaudit.auditing.pair_texts import with_pair_texts
from fairaudit.auditing.score_tables import n_skipped
from fairaudit.auditing.suite_plan import Size
from fairaudit.errors import DataError, ResultError, UsageError
from fairaudit.items import Skipped
from fairaudit.metrics.families import with_adjusted_p
from fairaudit.metrics.refusals import with_refusal_cautions
from fairaudit.options import verb
from fairaudit.recorded.inspect_log import is_inspect_log
from fairaudit.recorded.lm_eval_log import is_log
from fairaudit.recorded.recorded_answers import read_bbq
from fairaudit.recorded.recorded_inspect import SUITES_OF_INSPECT, read_inspect
from fairaudit.recorded.recorded_logs import read_lm_eval, read_sentences
from fairaudit.recorded.recorded_scores import Recorded, read_crows_pairs, read_stereoset
from fairaudit.recorded.recorded_texts import join_texts
from fairaudit.recorded.scores_options import ScoresOptions
from fairaudit.results import (
    AuditResult,
    Estimate,
    ModelIdentity,
    Provenance,
    Run,
    Settings,
    SuiteRun,
    files,
)
from fairaudit.scoring.texts.refusals import Refusals, is_refusal
from fairaudit.scoring.texts.thinking import without_thinking
from fairaudit.suites import SUITES, DataFinder, Suite, get_suite
from fairaudit.suites.data import read_bytes
from fairaudit.suites.generation import power_words
from fairaudit.versions import versions_of
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import BBQ, CROWS_PAIRS, STEREOSET, WINOGENDER

FORMATS: Final = (
    "auto", STEREOSET.name, CROWS_PAIRS.name, BBQ.name, "lm-eval", "inspect", "csv", "jsonl"
)  # fmt: skip


@verb(ScoresOptions)
def audit_scores(options: ScoresOptions) -> AuditResult:
    """Estimate bias from recorded scores, or from recorded texts.

    Returns
    -------
    AuditResult
        Estimates with intervals, score tables, provenance; as `audit` returns it.

    Raises
    ------
    FairauditError
        If the file is malformed or does not belong to the suite.
    """
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    seed = options.seed
    chosen = get_suite(options.suite, options.language)
    if options.language is not None and any(one.name == chosen.name for one in SUITES):
        raise UsageError("a language is that of a suite file of your own; name the file as a suite")
    kind = _format(options.format, chosen)
    if kind == "csv" and not _has_logs(chosen):
        raise _unreadable(chosen)
    place = Path(options.path).name
    content = read_bytes(Path(options.path))
    kind = _kind_of(content, kind, place, chosen, options)
    name = options.label or " ".join(filter(None, (_stem(place), options.column)))
    recorded_id = _content_id(content, options.column)
    settings = Settings(seed=seed, suites=(chosen.name,), recorded=recorded_id)
    if options.output is not None:
        _refuse_used(Path(options.output), name, settings)
    recorded = _read(content, kind, place, chosen, options)
    found, missing = _measured(chosen, recorded, seed)
    estimates = [*with_refusal_cautions(with_gap_cautions(found, recorded.checks))]
    result = AuditResult(
        label=name,
        suites=(_suite_run(chosen, recorded, estimates, missing),),
        estimates=with_adjusted_p(estimates),
        provenance=Provenance(
            model=ModelIdentity(id=name),
            settings=settings.model_copy(update={"text_scorers": recorded.text_scorers}),
            versions={"python": platform.python_version(), **versions_of()},
        ),
        notes=(*recorded.notes, *unparsed_notes(estimates), *refusal_notes(estimates)),
        run=Run(
            started=started.isoformat(timespec="seconds"),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            host=platform.node(),
        ),
    )
    stored = with_pair_texts(recorded.table, recorded.items, estimates)
    result.with_tables({chosen.name: stored}).with_texts(recorded.texts)
    if options.output is not None:
        from fairaudit.auditing.run_audit import save_audit

        save_audit(result, Path(options.output), overwrite=options.overwrite)
    return result


def _kind_of(content: bytes, kind: str, place: str, chosen: Suite, options: ScoresOptions) -> str:
    """Form of a recording, by its content; by its suite where that does not tell."""
    if options.format in {"auto", "lm-eval"} and is_log(content):
        kind = "lm-eval"
    elif options.format == "lm-eval":
        raise DataError(f"{place}: no samples of lm-evaluation-harness")
    if options.format in {"auto", "inspect"} and is_inspect_log(content):
        kind = "inspect"
    elif options.format == "inspect":
        raise DataError(f"{place}: no log of inspect_ai")
    if kind == "inspect" and chosen.name not in SUITES_OF_INSPECT:
        raise UsageError(
            f"logs of inspect_ai are read for {' and '.join(SUITES_OF_INSPECT)}, not for suite "
            f"'{chosen.name}'"
        )
    if (kind == "lm-eval" and not _has_logs(chosen)) or (
        kind == "csv" and not _is_of_pairs(chosen)
    ):
        raise _unreadable(chosen)
    whole = {STEREOSET.name, CROWS_PAIRS.name, "lm-eval", "inspect"}
    if options.column is not None and kind in whole:
        raise UsageError(f"recordings of suite '{chosen.name}' have no columns to choose from")
    return kind


def _read(content: bytes, kind: str, place: str, chosen: Suite, options: ScoresOptions) -> Recorded:
    finder = DataFinder(None if options.data is None else Path(options.data))
    if kind == "jsonl":
        return _texts(content, place, chosen, finder, options)
    if kind == "lm-eval":
        return read_lm_eval(content, chosen, finder, place)
    if kind == "inspect":
        return read_inspect(content, chosen.name, finder, place)
    if kind == "csv":
        return read_sentences(content, chosen, finder, place, options.column)
    if kind == STEREOSET.name:
        return read_stereoset(content, finder, place)
    if kind == BBQ.name:
        return read_bbq(content, finder, place, options.column)
    return read_crows_pairs(content, finder, place)


def _stem(place: str) -> str:
    """Name of a file without what says its form."""
    return re.sub(r"(\.(gz|jsonl|json|csv|tsv|txt|eval))+$", "", place) or place


def _content_id(content: bytes, column: str | None) -> str:
    """SHA-256 of what was recorded: columns of one file are answers of different models."""
    chosen = b"" if column is None else b"\0column\0" + column.encode("utf-8", "surrogatepass")
    return hashlib.sha256(content + chosen).hexdigest()


def _refuse_used(folder: Path, label: str, settings: Settings) -> None:
    """Raise before texts are scored, which may take long, if they cannot be saved afterwards."""
    files.refuse_unwritable(folder)
    if not (folder / "result.json").exists():
        return
    found = AuditResult.load(folder)
    known = found.provenance.settings.model_copy(update={"text_scorers": ()})
    if (found.label, known) != (label, settings):
        raise ResultError(f"{folder} holds another result; choose another folder or remove it")


def _format(format: str, suite: Suite) -> str:
    if format not in FORMATS:
        raise UsageError(f"format '{format}' is not known; there are {', '.join(FORMATS)}")
    kind = suite.name if suite.generation is None else "jsonl"
    if kind not in FORMATS or (format == "csv" and kind == CROWS_PAIRS.name):
        kind = "csv"
    if format not in {"auto", "csv", "lm-eval", "inspect", kind}:
        raise UsageError(f"recordings of suite '{suite.name}' cannot be read as '{format}'")
    return kind


def _has_logs(suite: Suite) -> bool:
    return _is_of_pairs(suite) or suite.name in {BBQ.name, WINOGENDER.name}


def _is_of_pairs(suite: Suite) -> bool:
    return any(one.design in {Design.PAIRS, Design.CROWS_PAIRS} for one in suite.protocols)


def _unreadable(suite: Suite) -> UsageError:
    of_prompts = [one.name for one in SUITES if one.generation is not None]
    return UsageError(
        f"the file is no recording of suite '{suite.name}' that can be read; there are predictions "
        "of stereoset, score tables of crows_pairs, answers to bbq, sentences of other pairs, logs "
        f"of winogender, and texts of {', '.join(of_prompts)}"
    )


def _measured(suite: Suite, recorded: Recorded, seed: int) -> tuple[list[Estimate], str | None]:
    """Estimates of a suite; none, and the reason, where a file holds nothing to measure."""
    tables = {suite.name: recorded.table}
    missing = without_scores(tables)
    estimates = [] if missing else list(suite.estimated(recorded.table, seed))
    missing = missing or without_numbers(tables, estimates)
    return ([], missing[suite.name]) if missing else (estimates, None)


def _suite_run(
    suite: Suite, recorded: Recorded, estimates: Sequence[Estimate], missing: str | None
) -> SuiteRun:
    if missing is not None:
        return SuiteRun(
            suite=suite.name,
            status="not_run",
            language=suite.language,
            reason=missing,
            caveats=suite.card.caveats,
            evidence=suite.card.evidence,
        )
    texts = recorded.texts.get(suite.name, ())
    table = recorded.table
    return SuiteRun(
        suite=suite.name,
        status="run",
        language=suite.language,
        sources=recorded.sources,
        protocols=tuple(sorted(table["protocol"].unique())),
        n_items=len(recorded.items),
        n_skipped=n_skipped(table),
        caveats=suite.card.caveats,
        evidence=suite.card.evidence,
        examples=examples_of(table, recorded.items, estimates, texts),
    )


def _texts(
    content: bytes,
    place: str,
    suite: Suite,
    finder: DataFinder,
    options: ScoresOptions,
) -> Recorded:
    """Score recorded texts; prompts that an audit would ask and the file lacks are skipped."""
    scorers = make_scorers([suite], finder, options, options.device)
    refusal = scorers.refusal(suite)
    if refusal is not None:
        raise UsageError(f"nothing to score the texts of '{suite.name}': {refusal}")
    data = suite.load(finder)
    joined = join_texts(content, data.items, place, options.column)
    expected = {item.item_id for item in Size(None, full=False).reduced(suite, data.items)}
    items = tuple(
        item for item in data.items if item.item_id in joined.texts or item.item_id in expected
    )
    answers = {item.item_id: joined.answer(item) for item in items}
    recorded = [item for item in items if not isinstance(answers[item.item_id], Skipped)]
    notes = [
        f"{suite.name}: {len(recorded):,} prompts have completions in {place}, "
        f"{len(items) - len(recorded):,} have none and are skipped{power_words(recorded)}"
    ]
    if joined.n_unknown:
        notes.append(f"{place}: {joined.n_unknown:,} prompts are not in the suite; left out")
    if joined.n_again:
        notes.append(
            f"{place}: {joined.n_again:,} prompts stand in several rows; the texts of all of them "
            "count as completions of one prompt"
        )
    if joined.n_echoes:
        notes.append(
            f"{place}: {joined.n_echoes:,} completions begin with their prompt; it was cut off, "
            "and what follows is scored"
        )
    if joined.n_inside:
        notes.append(
            f"{place}: {joined.n_inside:,} completions hold their prompt, but not at the beginning "
            "(a system prompt or a template in front?); they are scored as they stand, prompt "
            "included"
        )
    chosen = (*scorers.of(suite), *_of_refusals(suite, joined.texts.values()))
    table = text_table(suite.name, items, answers, chosen, joined.n)
    texts = texts_of(items, answers)
    repeated = repeated_note(suite.name, texts)
    thinking = thinking_note(suite.name, texts)
    notes += [note for note in (repeated, thinking) if note is not None]
    checks, own_gaps = checks_of(chosen, options.seed)
    notes += [*scorers.notes([suite]), *truncation_notes(chosen), *own_gaps]
    return Recorded(
        table=table,
        items=items,
        sources=(*data.sources, *scorers.sources_of(suite)),
        notes=(*data.notes, *notes, WARNING),
        texts={suite.name: texts},
        text_scorers=tuple(scorer.id for scorer in chosen),
        checks=checks,
    )


def _of_refusals(suite: Suite, texts: Iterable[Sequence[str]]) -> Iterator[Refusals]:
    """Return what counts refusals, where a recorded text is one: a chat model wrote it."""
    said = (without_thinking(text)[0] for several in texts for text in several)
    if counts_refusals(suite) and any(is_refusal(text) for text in said):
        yield Refusals()
