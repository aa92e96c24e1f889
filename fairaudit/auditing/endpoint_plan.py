"""An audit of a model behind a server: what it writes is asked, its weights are never seen.

Suites of prompts run as they do for a model on this machine. Suites of log-likelihoods do not: few
servers give the log-probabilities of a text that they did not write.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fairaudit.auditing.audit_plan import AuditPlan
from fairaudit.auditing.audit_request import AuditRequest, asked_by, endpoint_of
from fairaudit.auditing.audit_scorers import make_scorers
from fairaudit.auditing.audit_texts import decoding_settings
from fairaudit.auditing.suite_plan import SuitePlan, plan_suite
from fairaudit.items import Completions, Generation, ModelKind, Skipped
from fairaudit.results import ModelIdentity, Settings
from fairaudit.scoring.endpoint import Endpoint, EndpointWriter, Progress
from fairaudit.suites import PROBE
from fairaudit.suites.data import cache_folder

#: Where such a model runs, as far as is known.
ENDPOINT: Final = "endpoint"
NO_LOG_PROBABILITIES: Final = "an endpoint writes texts; log-probabilities are not asked of it"


@dataclass(frozen=True, slots=True)
class RemoteModel:
    """What stands for a model that is behind a server."""

    identity: ModelIdentity
    notes: tuple[str, ...]
    kind: ModelKind = "causal"
    device: str = ENDPOINT
    dtype: str = "unknown"
    folder: Path | None = None
    max_length: int | None = None


@dataclass(frozen=True, slots=True)
class NothingScored:
    """The plan of log-likelihoods that are not asked, and the scorer that does not ask them."""

    n_tokens: int = 0
    reads: dict[Any, Any] = field(default_factory=dict)
    batches: tuple[Any, ...] = ()

    def run(self, _plan: Any, _progress: Any = None) -> dict[Any, Any]:
        """Answer nothing."""
        return {}

    def missing(self, _plan: Any) -> tuple[Any, ...]:
        """Nothing is missing."""
        return ()

    def estimate_seconds(self, _plan: Any) -> float:
        """No time."""
        return 0.0


@dataclass(frozen=True, slots=True)
class RemotePlan:
    """Prompts that will be sent; a text is the unit of progress."""

    prompts: tuple[Generation, ...]

    @property
    def n_tokens(self) -> int:
        """Prompts, which is what progress counts."""
        return len(self.prompts)

    @property
    def n_new_tokens(self) -> int:
        """Tokens that are written if no text ends early."""
        return sum(one.decoding.n * one.decoding.max_new_tokens for one in self.prompts)

    @property
    def batches(self) -> tuple[RemoteBatch, ...]:
        """One batch per prompt."""
        return tuple(RemoteBatch(one.decoding.n) for one in self.prompts)


@dataclass(frozen=True, slots=True)
class RemoteBatch:
    """The texts of one prompt."""

    n_sequences: int


@dataclass(frozen=True, slots=True)
class RemoteGenerator:
    """Writes texts through an endpoint, in the place of a generator on this machine."""

    writer: EndpointWriter

    def run(
        self, plan: RemotePlan, progress: Progress | None = None
    ) -> dict[Generation, Completions | Skipped]:
        """Continue all prompts."""
        return self.writer.run(plan.prompts, progress)

    def missing(self, plan: RemotePlan) -> tuple[RemoteBatch, ...]:
        """Batches that may still have to be written."""
        return plan.batches

    def estimate_seconds(self, _plan: RemotePlan) -> float:
        """How fast a server is, is not known before it is asked."""
        return 0.0


def plan_endpoint(asked: AuditRequest) -> AuditPlan:
    """Plan what an endpoint is asked; nothing is sent."""
    options, endpoint = asked.options, endpoint_of(asked.options)
    writing = [
        entry.suite
        for entry in asked.entries
        if entry.suite.generation is not None and entry.data is not None
    ]
    chat = options.apply_chat_template
    scorers = make_scorers(writing, asked.finder, options, options.device, refusals=chat)
    plans = tuple(
        plan_suite(entry, "causal", scorers)
        if entry.suite.generation is not None
        else SuitePlan(entry.suite, reason=entry.reason or NO_LOG_PROBABILITIES)
        for entry in asked.entries
    )
    written = [entry for entry in plans if entry.prompts]
    writer = EndpointWriter(
        endpoint,
        chat=chat,
        system_prompt=options.system_prompt,
        cache=cache_folder() / "endpoints",
    )
    prompts = dict.fromkeys(one for entry in written for one in entry.prompts.values())
    nothing: Any = NothingScored()
    generator: Any = RemoteGenerator(writer)
    generation: Any = RemotePlan(tuple(prompts))
    return AuditPlan(
        loaded=_remote(endpoint),
        scorer=nothing,
        suites=plans,
        scoring=nothing,
        settings=_settings(asked, plans, written),
        label=options.label or endpoint.model,
        generator=generator if prompts else None,
        generation=generation if prompts else None,
        left_out=tuple(scorers.notes(entry.suite for entry in written)),
        command=asked_by(options),
        when_whole=writer.forget,
    )


def _remote(endpoint: Endpoint) -> Any:
    note = (
        f"{endpoint.model} was asked through {endpoint.place}: its weights, its precision and how "
        "the server samples beyond temperature, top_p and seed are not known; whether a token that "
        "begins a text stands before a prompt is the server's choice"
    )
    return RemoteModel(ModelIdentity(id=endpoint.model), (note,))


def _settings(
    asked: AuditRequest, plans: Iterable[SuitePlan], written: Iterable[SuitePlan]
) -> Settings:
    writing = list(written)
    decodings = {
        entry.suite.name: entry.suite.generation.decoding
        for entry in writing
        if entry.suite.generation is not None
    }
    chat: dict[str, str | None] = {"endpoint": endpoint_of(asked.options).place}
    if asked.options.apply_chat_template:
        chat |= {"chat_template": "of the server", "system_prompt": asked.options.system_prompt}
    return Settings(
        decoding=decoding_settings(decodings, chat),
        text_scorers=tuple(dict.fromkeys(s.id for entry in writing for s in entry.all_scorers)),
        seed=asked.options.seed,
        item_limit=asked.size.limit,
        full=asked.size.full,
        axes=asked.axes,
        suites=tuple(entry.suite.name for entry in plans if entry.suite is not PROBE),
    )
