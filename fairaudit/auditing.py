"""`audit`: the one place that knows both suites and scoring, and joins them.

Items become requests, requests of all suites are answered in one plan, answers become score
tables, tables become estimates.
"""

from __future__ import annotations

import datetime
import logging
import platform
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit._version import __version__
from fairaudit.errors import UsageError
from fairaudit.items import Answer, Item, ModelKind, Protocol, Request, Skipped
from fairaudit.metrics.families import with_adjusted_p
from fairaudit.results import AuditResult, Provenance, Run, Settings, SuiteRun, files
from fairaudit.score_tables import item_rows, score_table, token_rows
from fairaudit.suites import (
    PROBE,
    SUITES,
    DataFinder,
    DataUnavailableError,
    Suite,
    SuiteData,
    get_suite,
)
from fairaudit.suites.data import cache_folder
from fairaudit.suites.sampling import quick_sample

if TYPE_CHECKING:
    import os

    import pandas as pd

    from fairaudit.scoring.load import LoadedModel
    from fairaudit.scoring.scorer import Plan, Scorer

logger = logging.getLogger(__name__)

QUICK_ITEMS: Final = 200
_PACKAGES: Final = ("torch", "transformers", "numpy", "scipy", "pandas")

#: Called with (tokens done, tokens in all) after each batch.
Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """A suite with the items it will ask, or the reason why it cannot run."""

    suite: Suite
    data: SuiteData | None = None
    protocols: tuple[Protocol, ...] = ()
    reason: str | None = None
    requests: Mapping[tuple[str, str, str], Request | Skipped] = field(default_factory=dict)

    @property
    def n_items(self) -> int:
        """Items that at least one protocol asks about."""
        return len({item_id for item_id, _, _ in self.requests})

    @property
    def n_unasked(self) -> int:
        """Items for which this kind of model has no protocol."""
        return 0 if self.data is None else len(self.data.items) - self.n_items


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Everything an audit will do, before any of it is done.

    ``seconds`` estimates the time of scoring, from one timed batch.
    """

    loaded: LoadedModel
    scorer: Scorer
    suites: tuple[SuitePlan, ...]
    scoring: Plan
    settings: Settings
    label: str

    @property
    def n_items(self) -> int:
        """Items over all suites that will run."""
        return sum(plan.n_items for plan in self.suites)

    @property
    def seconds(self) -> float:
        """Estimated seconds of scoring on this machine."""
        return self.scorer.estimate_seconds(self.scoring)


def audit(
    model: str | os.PathLike[str] | tuple[Any, Any],
    *,
    suites: Sequence[str] | None = None,
    axes: Sequence[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    label: str | None = None,
    output: str | os.PathLike[str] | None = None,
    device: str = "auto",
    dtype: str = "auto",
    seed: int = 0,
    revision: str | None = None,
    trust_remote_code: bool = False,
    token_budget: int | None = None,
    quick: bool = False,
    full: bool = False,
    progress: Progress | None = None,
) -> AuditResult:
    """Audit one language model for social bias.

    Parameters
    ----------
    model : str, path or (model, tokenizer)
        Hub id, checkpoint folder, PEFT adapter folder, or a model in memory.
    suites : sequence of str, optional
        Suite names or suite files; default all default suites.
    axes : sequence of str, optional
        Keep only items on these axes (``gender``, ``race``, ...).
    data : path, optional
        Folder with benchmark files; default ``$FAIRAUDIT_DATA``, then the cache, then the network.
    label : str, optional
        Name of the audit in reports; default the model's name.
    output : path, optional
        Folder for the audit: result, items, report, figures.
    device, dtype : str
        Where and in which precision the model runs; ``auto``: a GPU if there is one, float32.
    seed : int
        Seed of bootstrap and sub-sampling.
    revision, trust_remote_code
        As in `transformers`.
    token_budget : int, optional
        Padded tokens per batch; changes speed and memory, not results beyond 1e-4 nats.
    quick : bool
        At most 200 items per suite and axis.
    full : bool
        Also run suites that are off by default.
    progress : callable, optional
        Called with (tokens done, tokens in all) after each batch.

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
    plan = plan_audit(
        model,
        suites=suites,
        axes=axes,
        data=data,
        label=label,
        device=device,
        dtype=dtype,
        seed=seed,
        revision=revision,
        trust_remote_code=trust_remote_code,
        token_budget=token_budget,
        quick=quick,
        full=full,
    )
    return run_audit(plan, output=output, progress=progress)


def plan_audit(
    model: str | os.PathLike[str] | tuple[Any, Any],
    *,
    suites: Sequence[str] | None = None,
    axes: Sequence[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    label: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    seed: int = 0,
    revision: str | None = None,
    trust_remote_code: bool = False,
    token_budget: int | None = None,
    quick: bool = False,
    full: bool = False,
) -> AuditPlan:
    """Load model and items and plan the scoring, without scoring anything; see `audit`."""
    chosen = _chosen_suites(suites, full)
    _check_axes(axes, chosen)
    if token_budget is not None and token_budget < 1:
        raise UsageError("the token budget must be at least 1")
    finder = DataFinder(Path(data) if data is not None else None)
    limit = QUICK_ITEMS if quick else None
    loaded_data = [_load_items(suite, finder, axes, limit, seed) for suite in chosen]

    from fairaudit.scoring.load import load_model
    from fairaudit.scoring.scorer import Scorer

    loaded = load_model(
        model,
        device=device,
        dtype=dtype,
        revision=revision,
        trust_remote_code=trust_remote_code,
    )
    scorer = Scorer(loaded, token_budget, cache_folder() / "scores")
    plans = tuple(_plan_suite(entry, loaded.kind) for entry in loaded_data)
    asked = {
        request
        for plan in plans
        for request in plan.requests.values()
        if not isinstance(request, Skipped)
    }
    settings = Settings(
        dtype=loaded.dtype,
        bos=scorer.encoder.bos_rule if loaded.kind == "causal" else "template",
        max_length=loaded.max_length,
        seed=seed,
        item_limit=limit,
        axes=tuple(axes) if axes is not None else None,
        suites=tuple(suite.name for suite in chosen if suite is not PROBE),
        token_budget=scorer.token_budget,
    )
    scoring = scorer.plan(asked)
    return AuditPlan(loaded, scorer, plans, scoring, settings, label or loaded.identity.id)


def run_audit(
    plan: AuditPlan,
    *,
    output: str | os.PathLike[str] | None = None,
    progress: Progress | None = None,
) -> AuditResult:
    """Score a plan, estimate, and write the audit folder if one is named; see `audit`."""
    started, clock = datetime.datetime.now(datetime.UTC), time.perf_counter()
    provenance = _provenance(plan.loaded, plan.settings)
    if output is not None:
        identity = AuditResult.identity_of(plan.label, provenance)
        files.refuse_other_result(Path(output), AuditResult, identity)
    answers = plan.scorer.run(plan.scoring, _cumulative(progress, plan.scoring.n_tokens))
    tables = {
        entry.suite.name: _table(entry, answers) for entry in plan.suites if entry.reason is None
    }
    result = AuditResult(
        label=plan.label,
        suites=tuple(
            _suite_run(entry, tables) for entry in plan.suites if entry.suite is not PROBE
        ),
        estimates=with_adjusted_p(_estimates(plan, tables)),
        provenance=provenance,
        privacy=_json_beside(plan.loaded.folder, "privacy.json", "fairaudit/privacy"),
        notes=_notes(plan),
        run=Run(
            started=started.isoformat(timespec="seconds"),
            finished=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
            seconds=round(time.perf_counter() - clock, 3),
            host=platform.node(),
        ),
    ).with_tables(tables)
    if output is not None:
        save_audit(result, Path(output))
    return result


def save_audit(result: AuditResult, folder: Path) -> None:
    """Write a whole audit folder: result, items and everything that is rendered from them."""
    from fairaudit.report.files import write_report

    result.save(folder)
    write_report(result, folder)


def _chosen_suites(names: Sequence[str] | None, full: bool) -> tuple[Suite, ...]:
    if names is None:
        return (PROBE, *(suite for suite in SUITES if full or suite.default))
    if not names:
        raise UsageError("no suite is named")
    chosen = [get_suite(name) for name in dict.fromkeys(names)]
    twice = [suite.name for suite in chosen]
    if len(set(twice)) < len(twice):
        raise UsageError("two suites have the same name; rename one")
    return (PROBE, *chosen)


def _check_axes(axes: Sequence[str] | None, suites: Iterable[Suite]) -> None:
    known = sorted({axis for suite in suites for axis in suite.axes})
    for axis in axes or ():
        if axis not in known:
            raise UsageError(f"no chosen suite has the axis '{axis}'; there are {', '.join(known)}")


def _load_items(
    suite: Suite, finder: DataFinder, axes: Sequence[str] | None, limit: int | None, seed: int
) -> SuitePlan:
    try:
        data = suite.load(finder)
    except DataUnavailableError as error:
        return SuitePlan(suite, reason=str(error))
    items = data.items
    if axes is not None and not suite.per_token:
        items = tuple(item for item in items if item.axis in axes)
    if limit is not None and not suite.per_token:
        items = quick_sample(items, limit, seed)
    if not items:
        return SuitePlan(suite, reason="no items on the chosen axes")
    return SuitePlan(suite, data=SuiteData(items, data.sources, data.notes))


def _plan_suite(entry: SuitePlan, kind: ModelKind) -> SuitePlan:
    if entry.data is None:
        return entry
    protocols = entry.suite.protocols_for(kind)
    requests = _requests(entry.data.items, protocols)
    if not requests:
        return SuitePlan(entry.suite, reason=f"no protocol for {kind} models asks about its items")
    return SuitePlan(entry.suite, data=entry.data, protocols=protocols, requests=requests)


def _requests(
    items: Iterable[Item], protocols: Iterable[Protocol]
) -> dict[tuple[str, str, str], Request | Skipped]:
    """Request by (item id, protocol id, role)."""
    asked = {}
    for protocol in protocols:
        for item in items:
            for role in item.texts:
                request = protocol.request(item, role)
                if request is not None:
                    asked[item.item_id, protocol.id, role] = request
    return asked


def _table(entry: SuitePlan, answers: Mapping[Request, Answer | Skipped]) -> pd.DataFrame:
    assert entry.data is not None
    items = {item.item_id: item for item in entry.data.items}
    protocols = {protocol.id: protocol for protocol in entry.protocols}
    make_rows = token_rows if entry.suite.per_token else item_rows
    rows: list[dict[str, Any]] = []
    for (item_id, protocol_id, role), request in entry.requests.items():
        answer = request if isinstance(request, Skipped) else answers[request]
        rows.extend(make_rows(items[item_id], protocols[protocol_id], role, answer))
    return score_table(rows)


def _estimates(plan: AuditPlan, tables: Mapping[str, pd.DataFrame]) -> list[Any]:
    return [
        estimate
        for entry in plan.suites
        if entry.suite.name in tables
        for estimate in entry.suite.estimate(tables[entry.suite.name], plan.settings.seed)
    ]


def _suite_run(entry: SuitePlan, tables: Mapping[str, pd.DataFrame]) -> SuiteRun:
    if entry.data is None or entry.reason is not None:
        return SuiteRun(
            suite=entry.suite.name,
            status="not_run",
            reason=entry.reason,
            caveats=entry.suite.caveats,
        )
    table = tables[entry.suite.name]
    return SuiteRun(
        suite=entry.suite.name,
        status="run",
        sources=entry.data.sources,
        protocols=tuple(protocol.id for protocol in entry.protocols),
        n_items=entry.n_items,
        n_skipped=table.loc[table["status"] == "skipped", "item_id"].nunique(),
        caveats=entry.suite.caveats,
    )


def _notes(plan: AuditPlan) -> tuple[str, ...]:
    notes = [note for entry in plan.suites if entry.data is not None for note in entry.data.notes]
    notes += [
        f"{entry.suite.name}: {entry.n_unasked} items have no protocol for {plan.loaded.kind} "
        "models and were not asked"
        for entry in plan.suites
        if entry.n_unasked
    ]
    limit = plan.settings.item_limit
    if limit is not None:
        notes.append(f"quick: at most {limit} items per suite and axis, so intervals are wide")
    return tuple(notes)


def _provenance(loaded: LoadedModel, settings: Settings) -> Provenance:
    versions = {name: metadata.version(name) for name in _PACKAGES}
    return Provenance(
        model=loaded.identity,
        training=_json_beside(loaded.folder, "training.json", "fairaudit/training"),
        settings=settings,
        device=loaded.device,
        versions={"fairaudit": __version__, "python": platform.python_version(), **versions},
    )


def _json_beside(folder: Path | None, name: str, schema: str) -> dict[str, Any] | None:
    """Read a fairaudit file beside the checkpoint; other tools' files are not ours."""
    import json

    path = folder / name if folder is not None else None
    if path is None or not path.is_file():
        return None
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        logger.warning("%s cannot be read (%s)", path, error)
        return None
    return content if isinstance(content, dict) and content.get("schema") == schema else None


def _cumulative(progress: Progress | None, total: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    done = 0

    def advance(n_tokens: int) -> None:
        nonlocal done
        done += n_tokens
        progress(done, total)

    return advance
