"""`compare`: candidates beside one baseline, item by item, with a verdict for every bias.

Audits are joined on the items that both scored; the signed difference of each bias is tested as
paired data; one rule (`fairaudit.stats.decide.decide`) turns it into a verdict. What a reader must
know beside it (capability, distance moved) stands under ``changes``, what could not be compared
under ``not_compared``.
"""

from __future__ import annotations

import datetime
import logging
import os
import platform
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from fairaudit.comparing.compare_options import Audit, CompareOptions
from fairaudit.comparing.distance import has_moved
from fairaudit.comparing.families import agreements, corrected, decided
from fairaudit.comparing.joining import suites_of
from fairaudit.comparing.one_suite import compare_suite
from fairaudit.comparing.pair import Pair
from fairaudit.comparing.pairing import Terms
from fairaudit.comparing.way import way_notes
from fairaudit.errors import ResultError, UsageError
from fairaudit.forks import shared_out
from fairaudit.options import verb
from fairaudit.progress import Progress, shown
from fairaudit.results import (
    AuditResult,
    Comparison,
    ComparisonProvenance,
    ComparisonResult,
    Run,
    SuiteRun,
)
from fairaudit.results.capability import capable
from fairaudit.results.comparison import Paired
from fairaudit.results.locks import alone_at
from fairaudit.stats.multiplicity import Method
from fairaudit.vocabulary.cautions import (
    CAPABILITY_UNKNOWN,
    CLASSIFIER_GAP,
    DISTANCE_UNKNOWN,
    MANY_REFUSALS,
    NOT_MOVED,
    SINGLE_SEED,
)
from fairaudit.vocabulary.suites import PROBE

logger = logging.getLogger(__name__)


@verb(CompareOptions)
def compare(options: CompareOptions) -> ComparisonResult:
    """Compare audited models with a baseline.

    Returns
    -------
    ComparisonResult
        Verdicts are about *these checkpoints*: items are resampled, training is not. ``difference``
        is signed: above 0 is more stereotyped. With one seed of training nothing follows for the
        recipe.

    Raises
    ------
    FairauditError
        In one line: nothing in common, damaged or duplicated items, a value out of range.

    Examples
    --------
    >>> found = fairaudit.compare(["audits/base", "audits/dp"])  # doctest: +SKIP
    >>> found.to_frame()  # doctest: +SKIP
    """
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    loaded = [
        one if isinstance(one, AuditResult) else AuditResult.load(Path(one))
        for one in options.audits
    ]
    names = _labels(loaded, options.labels)
    alpha, margin, seed = options.alpha, options.margin, options.seed
    with shown(options.progress) as tell:
        every = [Terms(names[0], name, alpha, margin, seed) for name in names[1:]]
        pairs = _compare_all(loaded, every, options.processes, tell)
    _refuse_nothing_in_common(pairs)
    languages = {run.suite: run.language for run in loaded[0].suites}
    entries = list(_in_their_language(_with_verdicts(pairs, loaded, options.correction), languages))
    result = ComparisonResult(
        baseline=names[0],
        candidates=tuple(names[1:]),
        comparisons=tuple(entries),
        suites=_compared_suites(loaded[0], entries),
        changes=tuple(
            change for pair in pairs for change in _in_their_language(pair.changes, languages)
        ),
        not_compared=tuple(entry for pair in pairs for entry in pair.not_compared),
        agreement=tuple(agreements(entries)),
        item_changes=tuple(item for pair in pairs for item in pair.items),
        provenance=_provenance(options, names, loaded),
        notes=(
            *(note for pair in pairs for note in pair.notes),
            *way_notes(names, loaded, entries, alpha),
        ),
        run=Run(
            started=started.isoformat(timespec="seconds"),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            host=platform.node(),
            command=_asked_by(options, names),
        ),
    )
    if options.output is not None:
        with shown(options.progress) as tell:
            tell("drawing figures and report", 0, 0)
            folder = Path(options.output)
            save_comparison(
                result, folder, overwrite=options.overwrite, processes=options.processes
            )
    return result


def _provenance(
    options: CompareOptions, names: Sequence[str], audits: Sequence[AuditResult]
) -> ComparisonProvenance:
    by_name = dict(zip(names, audits, strict=True))
    asked = ("alpha", "correction", "margin", "seed")
    return ComparisonProvenance(
        baseline=audits[0].provenance,
        candidates={name: by_name[name].provenance for name in names[1:]},
        settings={name: getattr(options, name) for name in asked},
        audits={name: audit.digest for name, audit in by_name.items()},
        privacy={name: audit.privacy for name, audit in by_name.items() if audit.privacy},
        privacy_refuted={
            name: audit.privacy_refuted
            for name, audit in by_name.items()
            if audit.privacy_refuted is not None
        },
    )


def _asked_by(options: CompareOptions, names: Sequence[str]) -> tuple[str, ...] | None:
    """Return the command that asks for the same; None for what no command line can say."""
    folders = [os.path.abspath(one) for one in options.audits if not isinstance(one, AuditResult)]
    if len(folders) < len(options.audits) or any("," in name for name in names):
        return None
    words = ["fairaudit", "compare", *folders, "--labels", ",".join(names)]
    words += ["--alpha", repr(options.alpha), "--correction", options.correction]
    words += ["--seed", str(options.seed)]
    return (*words, *(() if options.margin is None else ("--margin", repr(options.margin))))


def _compare_all(
    audits: Sequence[AuditResult], every: Sequence[Terms], processes: int, tell: Progress
) -> list[Pair]:
    """Compare each candidate with the baseline, suite by suite."""
    baseline, *candidates = audits
    places = [
        (number, suite)
        for number, candidate in enumerate(candidates)
        for suite in (*suites_of(baseline, candidate), PROBE.name)
    ]
    size = Counter(one.suite for one in baseline.estimates)
    order = sorted(range(len(places)), key=lambda index: -size[places[index][1]])
    tasks = [
        partial(compare_suite, suite, baseline, candidates[number], every[number])
        for number, suite in (places[index] for index in order)
    ]
    stage = "comparing and resampling"
    found = shared_out(tasks, processes, lambda begun: tell(stage, begun, len(tasks)))
    in_place = dict(zip(order, found, strict=True))
    pairs = [Pair(terms, one) for terms, one in zip(every, candidates, strict=True)]
    for number, pair in enumerate(pairs):
        ours = [in_place[index] for index, place in enumerate(places) if place[0] == number]
        pair.merge(ours, baseline)
    return pairs


_Entry = TypeVar("_Entry", bound=Paired)


def _in_their_language(entries: Iterable[_Entry], languages: Mapping[str, str]) -> Iterator[_Entry]:
    for entry in entries:
        language = languages.get(entry.suite, entry.language)
        is_said = language == entry.language
        yield entry if is_said else entry.model_copy(update={"language": language})


def _compared_suites(baseline: AuditResult, entries: Sequence[Comparison]) -> tuple[SuiteRun, ...]:
    names = {entry.suite for entry in entries if entry.difference is not None}
    return tuple(run for run in baseline.suites if run.suite in names)


def _loaded(audit: Audit) -> AuditResult:
    return audit if isinstance(audit, AuditResult) else AuditResult.load(Path(audit))


def save_comparison(
    result: ComparisonResult, folder: Path, *, overwrite: bool = False, processes: int = 1
) -> None:
    """Write a whole comparison folder: result and everything that is rendered from it."""
    from fairaudit.report.files import write_report

    with alone_at(folder, "writing into this folder"):
        result.save(folder, overwrite=overwrite)
        write_report(result, folder, processes)


def _with_verdicts(
    pairs: Sequence[Pair], audits: Sequence[AuditResult], correction: Method
) -> list[Comparison]:
    baseline = audits[0]
    entries: list[Comparison] = []
    for pair in pairs:
        beside = _cautions(pair, audits)
        about = _of_texts((baseline, pair.candidate))
        for entry in corrected(pair.entries, correction):
            known = [capable(audit.estimates, entry) for audit in (baseline, pair.candidate)]
            capability = False if False in known else None if None in known else True
            unknown = () if capability is not None else (CAPABILITY_UNKNOWN.name,)
            entries.append(
                decided(
                    entry,
                    identical=pair.identical,
                    capability=capability,
                    cautions=(
                        *beside,
                        *unknown,
                        *sorted(about.get((entry.protocol, entry.axis), ())),
                    ),
                )
            )
    return entries


def _of_texts(audits: Iterable[AuditResult]) -> dict[tuple[str, str], set[str]]:
    """Cautions about classifiers and refusals, by the protocol and axis beside which they stand."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in (one for audit in audits for one in audit.estimates):
        known = {CLASSIFIER_GAP.name, MANY_REFUSALS.name} & set(one.cautions)
        if known:
            found.setdefault((one.protocol, one.axis), set()).update(known)
    return found


def _cautions(pair: Pair, audits: Sequence[AuditResult]) -> tuple[str, ...]:
    """Cautions that hold for every comparison of a candidate."""
    moved = True if pair.identical else has_moved(pair.changes)
    found = [] if moved else [DISTANCE_UNKNOWN.name if moved is None else NOT_MOVED.name]
    recipe = _recipe(pair.candidate)
    if recipe is not None and sum(_recipe(audit) == recipe for audit in audits) == 1:
        found.append(SINGLE_SEED.name)
    return tuple(found)


def _recipe(audit: AuditResult) -> dict[str, Any] | None:
    """How a model was trained, up to the seed; None where that is not known."""
    training = audit.provenance.training
    if training is None:
        return None
    return {k: v for k, v in training.items() if k not in {"seed", "parameter_distance"}}


def _refuse_nothing_in_common(pairs: Sequence[Pair]) -> None:
    for pair in pairs:
        if not pair.has_entries:
            reasons = "; ".join(
                dict.fromkeys(f"{entry.key}: {entry.reason}" for entry in pair.not_compared)
            )
            raise ResultError(
                f"{pair.terms.candidate} and {pair.terms.baseline} have nothing in common to "
                f"compare ({reasons or 'no suite was run'})"
            )


def _labels(audits: Sequence[AuditResult], labels: Sequence[str] | None) -> list[str]:
    if labels is not None:
        if len(labels) != len(audits):
            raise UsageError(f"{len(labels)} labels for {len(audits)} audits")
        if len(set(labels)) < len(labels):
            raise UsageError("the labels must differ from each other")
        return list(labels)
    seen: Counter[str] = Counter()
    names: list[str] = []
    for audit in audits:
        name = audit.label
        while name in names:
            seen[audit.label] += 1
            name = f"{audit.label} ({seen[audit.label] + 1})"
        names.append(name)
    return names
