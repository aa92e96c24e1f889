"""`plan_audit`: everything an audit will ask, before any of it is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fairaudit.auditing.audit_options import AuditOptions, Source, TextOptions
from fairaudit.auditing.audit_request import AuditRequest, asked_by, request_audit
from fairaudit.auditing.audit_scorers import Scorers, make_scorers
from fairaudit.auditing.audit_texts import decoding_settings
from fairaudit.auditing.suite_plan import SuitePlan, plan_suite
from fairaudit.items import ModelKind, Request, Skipped
from fairaudit.options import verb
from fairaudit.results import Settings
from fairaudit.suites import PROBE
from fairaudit.suites.data import cache_folder

if TYPE_CHECKING:
    from fairaudit.scoring.chat import Chat
    from fairaudit.scoring.generate import GenerationPlan, Generator
    from fairaudit.scoring.load import LoadedModel
    from fairaudit.scoring.scorer import Plan, Scorer


@dataclass(frozen=True, slots=True)
class AuditPlan:
    """Everything an audit will do, before any of it is done.

    ``seconds`` estimates the time that the model needs, from timed batches. ``generator`` is None
    for a model that writes no texts.
    """

    loaded: LoadedModel
    scorer: Scorer
    suites: tuple[SuitePlan, ...]
    scoring: Plan
    settings: Settings
    label: str
    base: LoadedModel | None = None
    generator: Generator | None = None
    generation: GenerationPlan | None = None
    left_out: tuple[str, ...] = ()
    #: Words of the command that asks for the same.
    command: tuple[str, ...] | None = None
    #: Called once the audit is whole and saved.
    when_whole: Callable[[], None] | None = None

    @property
    def n_items(self) -> int:
        """Items over all suites that will run."""
        return sum(plan.n_items for plan in self.suites)

    @property
    def n_tokens(self) -> int:
        """Tokens that the model reads and writes at most; the unit of progress."""
        return self.scoring.n_tokens + (0 if self.generation is None else self.generation.n_tokens)

    @property
    def seconds(self) -> float:
        """Estimated seconds of scoring and writing on this machine."""
        scoring = self.scorer.estimate_seconds(self.scoring)
        if self.generator is None or self.generation is None:
            return scoring
        return scoring + self.generator.estimate_seconds(self.generation)


@verb(AuditOptions)
def plan_audit(options: AuditOptions) -> AuditPlan:
    """Load model and items and plan the scoring, without scoring anything; see `audit`."""
    return plan_request(request_audit(options))


def plan_request(asked: AuditRequest) -> AuditPlan:
    """Load the model and plan what it will be asked."""
    if asked.options.endpoint is not None:
        from fairaudit.auditing.endpoint_plan import plan_endpoint

        return plan_endpoint(asked)
    from fairaudit.scoring.load import load_model
    from fairaudit.scoring.scorer import Scorer

    options = asked.options
    loaded = load_model(
        options.model,
        device=options.device,
        dtype=options.dtype,
        revision=options.revision,
        trust_remote_code=options.trust_remote_code,
        gguf_file=options.gguf_file,
        device_map=options.device_map,
        max_memory=options.max_memory,
        tensor_parallel=options.tensor_parallel,
    )
    origin = None if options.base is None else _load_base(options.base, loaded, options)
    scorer = Scorer(loaded, options.token_budget, cache_folder() / "scores")
    scorers = _text_scorers(asked, loaded.kind)
    plans = tuple(plan_suite(entry, loaded.kind, scorers) for entry in asked.entries)
    chat = _chat(options)
    generator, generation = _plan_texts(plans, loaded, options.token_budget, chat)
    writing = [entry for entry in plans if entry.prompts]
    scoring = scorer.plan(_asked(plans))
    settings = Settings(
        dtype=loaded.dtype,
        bos=scorer.encoder.bos_rule if loaded.kind == "causal" else "template",
        max_length=loaded.max_length,
        decoding=_decoding(writing, loaded, chat),
        text_scorers=tuple(dict.fromkeys(s.id for entry in writing for s in entry.all_scorers)),
        seed=options.seed,
        item_limit=asked.size.limit,
        full=asked.size.full,
        axes=asked.axes,
        suites=tuple(entry.suite.name for entry in plans if entry.suite is not PROBE),
        token_budget=scorer.token_budget,
        batching=_batching(scorer, scoring, generator),
    )
    return AuditPlan(
        loaded=loaded,
        scorer=scorer,
        suites=plans,
        scoring=scoring,
        settings=settings,
        label=options.label or loaded.identity.id,
        base=origin,
        generator=generator,
        generation=generation,
        left_out=tuple(scorers.notes(entry.suite for entry in writing)),
        command=asked_by(options),
    )


def _batching(scorer: Scorer, scoring: Plan, generator: Generator | None) -> dict[str, str]:
    """How rows run together, by what is asked of the model, where they may not be padded."""
    found: dict[str, str] = {**scorer.batching(scoring)}
    if generator is not None and generator.batching != "padded":
        found["texts"] = generator.batching
    return found


def _load_base(base: Source, loaded: LoadedModel, options: AuditOptions) -> LoadedModel:
    from fairaudit.scoring.divergence import check_same_tokens
    from fairaudit.scoring.load import load_model

    found = load_model(
        base,
        device=options.device,
        dtype=options.dtype,
        trust_remote_code=options.trust_remote_code,
        device_map=options.device_map,
        max_memory=options.max_memory,
        tensor_parallel=options.tensor_parallel,
    )
    check_same_tokens(loaded, found)
    return found


def _text_scorers(asked: AuditRequest, kind: ModelKind) -> Scorers:
    """Scorers of all suites whose prompts the model can continue."""
    suites = [
        entry.suite
        for entry in asked.entries
        if entry.suite.generation is not None and entry.data is not None
    ]
    writing = suites if kind == "causal" else ()
    options = asked.options
    return make_scorers(
        writing, asked.finder, options, options.device, refusals=options.apply_chat_template
    )


def _asked(plans: Iterable[SuitePlan]) -> list[Request]:
    """Return each request once, in an order that does not hang on the process's hashes."""
    every = (
        request
        for plan in plans
        for request in plan.requests.values()
        if not isinstance(request, Skipped)
    )
    return list(dict.fromkeys(every))


def _chat(options: TextOptions) -> Chat | None:
    if not options.apply_chat_template:
        return None
    from fairaudit.scoring.chat import Chat

    return Chat(options.system_prompt)


def _plan_texts(
    plans: Iterable[SuitePlan], loaded: LoadedModel, token_budget: int | None, chat: Chat | None
) -> tuple[Generator | None, GenerationPlan | None]:
    requests = [request for entry in plans for request in entry.prompts.values()]
    if not requests:
        return None, None
    from fairaudit.scoring.generate import Generator

    generator = Generator(loaded, token_budget, cache_folder() / "scores", chat)
    return generator, generator.plan(requests)


def _decoding(
    writing: Iterable[SuitePlan], loaded: LoadedModel, chat: Chat | None
) -> dict[str, Any] | None:
    from fairaudit.scoring.chat import chat_settings

    decodings = {
        entry.suite.name: entry.suite.generation.decoding
        for entry in writing
        if entry.suite.generation is not None
    }
    named = None if chat is None else chat_settings(loaded.tokenizer, chat)
    return decoding_settings(decodings, named)
