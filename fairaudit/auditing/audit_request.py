"""`AuditRequest`: what an audit is asked for, before any model is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.auditing.audit_source import check_source, one_or_several
from fairaudit.auditing.audit_texts import TextOptions
from fairaudit.auditing.suite_plan import Size, SuitePlan, load_items
from fairaudit.errors import UsageError
from fairaudit.suites import PROBE, SUITES, DataFinder, Suite, get_suite
from fairaudit.suites.suite_file_rows import axis_name

if TYPE_CHECKING:
    from fairaudit.scoring.endpoint import Endpoint

Source = str | os.PathLike[str] | tuple[Any, Any]

QUICK_ITEMS: Final = 200


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Model, items and options of an audit; see `fairaudit.audit` for what each means."""

    model: Source
    base: Source | None
    label: str | None
    device: str
    dtype: str
    seed: int
    revision: str | None
    trust_remote_code: bool
    gguf_file: str | None
    token_budget: int | None
    axes: tuple[str, ...] | None
    size: Size
    texts: TextOptions
    finder: DataFinder
    #: The suites with their items, or the reason why one cannot run.
    entries: tuple[SuitePlan, ...]
    #: Where the model is, if it is behind a server; ``model`` is then its name there.
    endpoint: Endpoint | None = None


def request_audit(
    model: Source,
    *,
    suites: str | Sequence[str] | None = None,
    axes: str | Sequence[str] | None = None,
    data: str | os.PathLike[str] | None = None,
    base: Source | None = None,
    label: str | None = None,
    device: str = "auto",
    dtype: str = "auto",
    seed: int = 0,
    revision: str | None = None,
    trust_remote_code: bool = False,
    gguf_file: str | None = None,
    token_budget: int | None = None,
    quick: bool = False,
    full: bool = False,
    limit: int | None = None,
    language: str | None = None,
    texts: TextOptions | None = None,
    endpoint: Endpoint | None = None,
) -> AuditRequest:
    """Check what is asked and read the items; see `fairaudit.audit`."""
    if endpoint is None:
        check_source(model, gguf_file)
    elif base is not None or gguf_file is not None or revision is not None or trust_remote_code:
        raise UsageError(
            "an endpoint takes no base, GGUF file, revision or code: its weights are not seen"
        )
    if base is not None:
        check_source(base)
    suites, axes = one_or_several(suites), one_or_several(axes)
    axes = None if axes is None else [axis_name(axis) for axis in axes]
    options = texts or TextOptions()
    named = _chosen_suites(suites, full, language)
    chosen = [_with_decoding(suite, options, seed) for suite in named]
    _check_axes(axes, chosen)
    if token_budget is not None and token_budget < 1:
        raise UsageError("the token budget must be at least 1")
    finder = DataFinder(Path(data) if data is not None else None)
    if limit is not None and limit < 1:
        raise UsageError("the limit must be at least 1 item per suite and axis")
    if sum((quick, full, limit is not None)) > 1:
        raise UsageError("quick, full and limit exclude each other; give one")
    size = Size(QUICK_ITEMS if quick else limit, full, quick)
    return AuditRequest(
        model=model,
        base=base,
        label=label,
        device=device,
        dtype=dtype,
        seed=seed,
        revision=revision,
        trust_remote_code=trust_remote_code,
        gguf_file=gguf_file,
        token_budget=token_budget,
        axes=None if axes is None else tuple(axes),
        size=size,
        texts=options,
        finder=finder,
        entries=tuple(load_items(suite, finder, axes, size) for suite in chosen),
        endpoint=endpoint,
    )


def _chosen_suites(
    names: Sequence[str] | None, full: bool, language: str | None
) -> tuple[Suite, ...]:
    ours = {suite.name for suite in SUITES}
    if language is not None and not set(names or ()) - ours:
        raise UsageError("a language is that of a suite file of your own; name the file as a suite")
    if names is None:
        return (PROBE, *(suite for suite in SUITES if full or suite.default))
    if not names:
        raise UsageError("no suite is named")
    chosen = [get_suite(name, language) for name in dict.fromkeys(names)]
    twice = [suite.name for suite in chosen]
    if len(set(twice)) < len(twice):
        raise UsageError("two suites have the same name; rename one")
    return (PROBE, *chosen)


def _check_axes(axes: Sequence[str] | None, suites: Iterable[Suite]) -> None:
    known = sorted({axis for suite in suites for axis in suite.card.axes})
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
