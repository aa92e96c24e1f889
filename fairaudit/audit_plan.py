"""`plan_audit`: everything an audit will ask, before any of it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.errors import UsageError
from fairaudit.items import Item, ModelKind, Protocol, Request, Skipped
from fairaudit.results import Settings
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

    from fairaudit.scoring.load import LoadedModel
    from fairaudit.scoring.scorer import Plan, Scorer

QUICK_ITEMS: Final = 200


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
    base: LoadedModel | None = None

    @property
    def n_items(self) -> int:
        """Items over all suites that will run."""
        return sum(plan.n_items for plan in self.suites)

    @property
    def seconds(self) -> float:
        """Estimated seconds of scoring on this machine."""
        return self.scorer.estimate_seconds(self.scoring)


def plan_audit(
    model: str | os.PathLike[str] | tuple[Any, Any],
    *,
    suites: Sequence[str] | None = None,
    axes: Sequence[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    base: str | os.PathLike[str] | tuple[Any, Any] | None = None,
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
    origin = None if base is None else _load_base(base, loaded, device, dtype, trust_remote_code)
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
    name = label or loaded.identity.id
    return AuditPlan(loaded, scorer, plans, scoring, settings, name, origin)


def _load_base(
    base: str | os.PathLike[str] | tuple[Any, Any],
    loaded: LoadedModel,
    device: str,
    dtype: str,
    trust_remote_code: bool,
) -> LoadedModel:
    from fairaudit.scoring.divergence import check_same_tokens
    from fairaudit.scoring.load import load_model

    found = load_model(base, device=device, dtype=dtype, trust_remote_code=trust_remote_code)
    check_same_tokens(loaded, found)
    return found


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
