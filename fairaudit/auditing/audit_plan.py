"""`plan_audit`: everything an audit will ask, before any of it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.auditing.audit_scorers import Scorers, make_scorers
from fairaudit.auditing.audit_source import check_source, one_or_several
from fairaudit.auditing.audit_texts import TextOptions, decoding_settings
from fairaudit.auditing.suite_plan import Size, SuitePlan, load_items, plan_suite
from fairaudit.errors import UsageError
from fairaudit.items import ModelKind, Request, Skipped
from fairaudit.results import Settings
from fairaudit.suites import (
    PROBE,
    SUITES,
    DataFinder,
    Suite,
    get_suite,
)
from fairaudit.suites.data import cache_folder

if TYPE_CHECKING:
    import os

    from fairaudit.scoring.chat import Chat
    from fairaudit.scoring.generate import GenerationPlan, Generator
    from fairaudit.scoring.load import LoadedModel
    from fairaudit.scoring.scorer import Plan, Scorer

QUICK_ITEMS: Final = 200


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


def plan_audit(
    model: str | os.PathLike[str] | tuple[Any, Any],
    *,
    suites: str | Sequence[str] | None = None,
    axes: str | Sequence[str] | None = None,
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
    limit: int | None = None,
    texts: TextOptions | None = None,
) -> AuditPlan:
    """Load model and items and plan the scoring, without scoring anything; see `audit`."""
    check_source(model)
    if base is not None:
        check_source(base)
    suites, axes = one_or_several(suites), one_or_several(axes)
    options = texts or TextOptions()
    chosen = [_with_decoding(suite, options, seed) for suite in _chosen_suites(suites, full)]
    _check_axes(axes, chosen)
    if token_budget is not None and token_budget < 1:
        raise UsageError("the token budget must be at least 1")
    finder = DataFinder(Path(data) if data is not None else None)
    if limit is not None and limit < 1:
        raise UsageError("the limit must be at least 1 item per suite and axis")
    if sum((quick, full, limit is not None)) > 1:
        raise UsageError("quick, full and limit exclude each other; give one")
    size = Size(QUICK_ITEMS if quick else limit, full, quick)
    loaded_data = [load_items(suite, finder, axes, size) for suite in chosen]

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
    scorers = _text_scorers(loaded_data, loaded.kind, finder, options, device)
    plans = tuple(plan_suite(entry, loaded.kind, scorers) for entry in loaded_data)
    chat = _chat(options)
    generator, generation = _plan_texts(plans, loaded, token_budget, chat)
    writing = [entry for entry in plans if entry.prompts]
    scoring = scorer.plan(_asked(plans))
    settings = Settings(
        dtype=loaded.dtype,
        bos=scorer.encoder.bos_rule if loaded.kind == "causal" else "template",
        max_length=loaded.max_length,
        decoding=_decoding(writing, loaded, chat),
        text_scorers=tuple(dict.fromkeys(s.id for entry in writing for s in entry.scorers)),
        seed=seed,
        item_limit=size.limit,
        full=full,
        axes=tuple(axes) if axes is not None else None,
        suites=tuple(suite.name for suite in chosen if suite is not PROBE),
        token_budget=scorer.token_budget,
        batching=_batching(scorer, scoring, generator),
    )
    return AuditPlan(
        loaded=loaded,
        scorer=scorer,
        suites=plans,
        scoring=scoring,
        settings=settings,
        label=label or loaded.identity.id,
        base=origin,
        generator=generator,
        generation=generation,
        left_out=tuple(scorers.notes(entry.suite for entry in writing)),
    )


def _batching(scorer: Scorer, scoring: Plan, generator: Generator | None) -> dict[str, str]:
    """How rows run together, by what is asked of the model, where they may not be padded."""
    found: dict[str, str] = {**scorer.batching(scoring)}
    if generator is not None and generator.batching != "padded":
        found["texts"] = generator.batching
    return found


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


def _with_decoding(suite: Suite, options: TextOptions, seed: int) -> Suite:
    """Suite whose prompts are continued as the user wants it."""
    design = suite.generation
    if design is None:
        return suite
    decoding = options.decoding(design.decoding, seed)
    return replace(suite, generation=replace(design, decoding=decoding))


def _text_scorers(
    entries: Iterable[SuitePlan],
    kind: ModelKind,
    finder: DataFinder,
    options: TextOptions,
    device: str,
) -> Scorers:
    """Scorers of all suites whose prompts the model can continue."""
    suites = [
        entry.suite
        for entry in entries
        if entry.suite.generation is not None and entry.data is not None
    ]
    return make_scorers(suites if kind == "causal" else (), finder, options, device)


def _asked(plans: Iterable[SuitePlan]) -> set[Request]:
    return {
        request
        for plan in plans
        for request in plan.requests.values()
        if not isinstance(request, Skipped)
    }


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
