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
import os
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
    TextOptions,
    refusal_notes,
    repeated_note,
    text_table,
    texts_of,
    thinking_note,
    truncation_notes,
)
from fairaudit.auditing.classifier_check import checks_of, with_gap_cautions
from fairaudit.auditing.examples import examples_of
from fairaudit.auditing.score_tables import n_skipped
from fairaudit.auditing.suite_plan import Size
from fairaudit.errors import DataError, ResultError, UsageError
from fairaudit.items import Skipped
from fairaudit.metrics.families import with_adjusted_p
from fairaudit.metrics.refusals import with_refusal_cautions
from fairaudit.recorded.inspect_log import is_inspect_log
from fairaudit.recorded.recorded_answers import read_bbq
from fairaudit.recorded.recorded_inspect import SUITES_OF_INSPECT, read_inspect
from fairaudit.recorded.recorded_logs import is_log, read_lm_eval, read_sentences
from fairaudit.recorded.recorded_scores import Recorded, read_crows_pairs, read_stereoset
from fairaudit.recorded.recorded_texts import join_texts
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


def audit_scores(
    path: str | os.PathLike[str],
    *,
    suite: str,
    data: str | os.PathLike[str] | None = None,
    format: str = "auto",
    column: str | None = None,
    language: str | None = None,
    label: str | None = None,
    output: str | os.PathLike[str] | None = None,
    seed: int = 0,
    toxicity_classifier: str | os.PathLike[str] | None = None,
    regard_classifier: str | os.PathLike[str] | None = None,
    word_vectors: str | os.PathLike[str] | None = None,
    device: str = "auto",
    overwrite: bool = False,
) -> AuditResult:
    """Estimate bias from recorded scores, or from recorded texts.

    Parameters
    ----------
    path : path
        A StereoSet prediction file (JSON: split → list of ``id`` and ``score``), a CrowS-Pairs
        score table (CSV with ``sent_more_score`` and ``sent_less_score``), records of BBQ with
        answers beside them, or prompts and texts as lines of JSON with ``prompt`` and
        ``completions`` and in other shapes, see `fairaudit.recorded.recorded_rows`; compressed by
        gzip or not. Scores are log-likelihoods or probabilities, never losses.
    suite : str
        ``stereoset``, ``crows_pairs``, ``bbq``, a suite of prompts (``toxicity``, ``bold``,
        ``regard``, ``honest``) or a file of prompts of one's own.
    data : path, optional
        Folder with benchmark files. StereoSet's sentences are needed to know what was scored; pairs
        of CrowS-Pairs are checked against it where it can be had.
    format : str
        ``auto``: the format of the suite, or a log of lm-evaluation-harness (``--log_samples``) of
        pairs, BBQ or Winogender, or a log of inspect_ai (``.json`` or ``.eval``) of BBQ or
        StereoSet. ``csv``: a table of sentences and their log-likelihoods.
    column : str, optional
        Which column holds answers, texts or log-likelihoods; needed where a file has several.
    language : str, optional
        What a suite file of one's own is written in, such as ``fr``; default what it says, or
        English.
    label : str, optional
        Name of the audit; default the file's name.
    output : path, optional
        Folder for the audit.
    seed : int
        Seed of the bootstrap.
    toxicity_classifier, regard_classifier : str or path, optional
        Text classifiers that score recorded texts: Hub id (``id@revision``) or folder.
    word_vectors : path, optional
        File of word vectors as text, for BOLD's projections on the direction of gender.
    device : str
        Where classifiers run.
    overwrite : bool
        Replace another result in ``output``.

    Raises
    ------
    FairauditError
        If the file is malformed or does not belong to the suite.
    """
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    chosen = get_suite(suite, language)
    if language is not None and any(one.name == chosen.name for one in SUITES):
        raise UsageError("a language is that of a suite file of your own; name the file as a suite")
    kind = _format(format, chosen)
    has_logs = _is_of_pairs(chosen) or chosen.name in {BBQ.name, WINOGENDER.name}
    if kind == "csv" and not has_logs:
        raise _unreadable(chosen)
    content = read_bytes(Path(path))
    if format in {"auto", "lm-eval"} and is_log(content):
        kind = "lm-eval"
    elif format == "lm-eval":
        raise DataError(f"{Path(path).name}: no samples of lm-evaluation-harness")
    if format in {"auto", "inspect"} and is_inspect_log(content):
        kind = "inspect"
    elif format == "inspect":
        raise DataError(f"{Path(path).name}: no log of inspect_ai")
    if kind == "inspect" and chosen.name not in SUITES_OF_INSPECT:
        raise UsageError(
            f"logs of inspect_ai are read for {' and '.join(SUITES_OF_INSPECT)}, not for suite "
            f"'{chosen.name}'"
        )
    if (kind == "lm-eval" and not has_logs) or (kind == "csv" and not _is_of_pairs(chosen)):
        raise _unreadable(chosen)
    if column is not None and kind in {STEREOSET.name, CROWS_PAIRS.name, "lm-eval", "inspect"}:
        raise UsageError(f"recordings of suite '{chosen.name}' have no columns to choose from")
    place = Path(path).name
    name = label or " ".join(filter(None, (_stem(place), column)))
    settings = Settings(seed=seed, suites=(chosen.name,), recorded=_content_id(content, column))
    if output is not None:
        _refuse_used(Path(output), name, settings)
    finder = DataFinder(Path(data) if data is not None else None)
    if kind == "jsonl":
        options = TextOptions(toxicity_classifier, regard_classifier, word_vectors)
        recorded = _texts(content, place, chosen, finder, options, device, column, seed)
    elif kind == "lm-eval":
        recorded = read_lm_eval(content, chosen, finder, place)
    elif kind == "inspect":
        recorded = read_inspect(content, chosen.name, finder, place)
    elif kind == "csv":
        recorded = read_sentences(content, chosen, finder, place, column)
    elif kind == STEREOSET.name:
        recorded = read_stereoset(content, finder, place)
    elif kind == BBQ.name:
        recorded = read_bbq(content, finder, place, column)
    else:
        recorded = read_crows_pairs(content, finder, place)
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
    result.with_tables({chosen.name: recorded.table}).with_texts(recorded.texts)
    if output is not None:
        from fairaudit.auditing.run_audit import save_audit

        save_audit(result, Path(output), overwrite=overwrite)
    return result


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
    options: TextOptions,
    device: str,
    column: str | None,
    seed: int,
) -> Recorded:
    """Score recorded texts; prompts that an audit would ask and the file lacks are skipped."""
    scorers = make_scorers([suite], finder, options, device)
    refusal = scorers.refusal(suite)
    if refusal is not None:
        raise UsageError(f"nothing to score the texts of '{suite.name}': {refusal}")
    data = suite.load(finder)
    joined = join_texts(content, data.items, place, column)
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
    checks, own_gaps = checks_of(chosen, seed)
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
