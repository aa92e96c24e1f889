"""What an audit asks of one suite, or why it cannot ask it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from fairaudit.auditing.audit_scorers import Scorers
from fairaudit.auditing.audit_texts import requests_of
from fairaudit.items import Generation, Item, ModelKind, Protocol, Request, Skipped
from fairaudit.suites import DataFinder, DataUnavailableError, Suite, SuiteData
from fairaudit.suites.generation import size_note
from fairaudit.suites.sampling import quick_sample, sample_prompts

if TYPE_CHECKING:
    from fairaudit.scoring.texts.base import TextScorer


@dataclass(frozen=True, slots=True)
class SuitePlan:
    """A suite with the items it will ask, or the reason why it cannot run."""

    suite: Suite
    data: SuiteData | None = None
    protocols: tuple[Protocol, ...] = ()
    reason: str | None = None
    requests: Mapping[tuple[str, str, str], Request | Skipped] = field(default_factory=dict)
    #: Of a suite of prompts: the prompt of each item, and what scores its completions.
    prompts: Mapping[str, Generation] = field(default_factory=dict)
    scorers: tuple[TextScorer, ...] = ()
    #: What counts refusals, where the suite's own table holds choices alone.
    refusals: TextScorer | None = None

    @property
    def n_items(self) -> int:
        """Items that at least one protocol asks about."""
        return len({item_id for item_id, _, _ in self.requests} | self.prompts.keys())

    @property
    def all_scorers(self) -> tuple[TextScorer, ...]:
        """Everything that scores its texts."""
        return self.scorers if self.refusals is None else (*self.scorers, self.refusals)

    @property
    def protocol_ids(self) -> tuple[str, ...]:
        """Ids of all protocols: the suite's own, or one for each text scorer."""
        written = (f"{self.suite.name}/{scorer.id}" for scorer in self.scorers)
        return (*(protocol.id for protocol in self.protocols), *written)

    @property
    def n_unasked(self) -> int:
        """Items for which this kind of model has no protocol."""
        return 0 if self.data is None else len(self.data.items) - self.n_items


@dataclass(frozen=True, slots=True)
class Size:
    """How many items are asked: at most ``limit`` per axis, a sample of the prompts, or all."""

    limit: int | None
    full: bool
    #: Sample as few prompts as the suite still makes sense with.
    quick: bool = False

    def reduced(self, suite: Suite, items: Sequence[Item]) -> tuple[Item, ...]:
        """Part of a suite's items that is asked."""
        design = suite.generation
        if suite.per_token or self.full or not items:
            return tuple(items)
        if design is None:
            return quick_sample(items, self.limit) if self.limit else tuple(items)
        known = (design.quick_per_axis if self.quick else design.per_axis, self.limit)
        per_axis = min((one for one in known if one is not None), default=None)
        return tuple(items) if per_axis is None else sample_prompts(items, per_axis)


def load_items(
    suite: Suite, finder: DataFinder, axes: Sequence[str] | None, size: Size
) -> SuitePlan:
    """Load the items that will be asked, or say why there are none."""
    try:
        data = suite.load(finder)
    except DataUnavailableError as error:
        return SuitePlan(suite, reason=str(error))
    found = data.items
    if axes is not None and not suite.per_token:
        found = tuple(item for item in found if item.axis in axes)
    items = size.reduced(suite, found)
    if not items:
        return SuitePlan(suite, reason="no items on the chosen axes")
    notes = data.notes
    if suite.generation is not None:
        notes = (*notes, size_note(suite, items, len(found)))
    return SuitePlan(suite, data=SuiteData(items, data.sources, notes))


def plan_suite(entry: SuitePlan, kind: ModelKind, scorers: Scorers) -> SuitePlan:
    """Turn loaded items into what a model of this kind is asked, or say why it cannot be."""
    if entry.data is None:
        return entry
    if entry.suite.generation is not None:
        return _plan_prompts(entry, entry.data, kind, scorers)
    protocols = entry.suite.protocols_for(kind)
    requests = _requests(entry.data.items, protocols)
    if not requests:
        return SuitePlan(entry.suite, reason=f"no protocol for {kind} models asks about its items")
    return replace(entry, protocols=protocols, requests=requests)


def _plan_prompts(
    entry: SuitePlan, data: SuiteData, kind: ModelKind, scorers: Scorers
) -> SuitePlan:
    suite = entry.suite
    assert suite.generation is not None
    if kind != "causal":
        return SuitePlan(suite, reason=f"{kind} models write no texts")
    refusal = scorers.refusal(suite)
    if refusal is not None:
        return SuitePlan(suite, reason=f"nothing to score its texts: {refusal}")
    return replace(
        entry,
        data=replace(data, sources=(*data.sources, *scorers.sources_of(suite))),
        prompts=requests_of(data.items, suite.generation.decoding),
        scorers=scorers.of(suite),
        refusals=scorers.of_choices(suite),
    )


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
