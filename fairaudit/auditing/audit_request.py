"""`AuditRequest`: what an audit is asked for, before any model is loaded."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.audit_source import check_source
from fairaudit.auditing.suite_plan import Size, SuitePlan, load_items
from fairaudit.errors import UsageError
from fairaudit.options import command_of
from fairaudit.results.types import QUICK_ITEMS
from fairaudit.scoring.checkpoints.wanted import check_wanted
from fairaudit.suites import PROBE, SUITES, DataFinder, Suite, get_suite
from fairaudit.suites.suite_file_rows import axis_name

if TYPE_CHECKING:
    from fairaudit.scoring.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Options of an audit, with the items that they ask for."""

    options: AuditOptions
    axes: tuple[str, ...] | None
    size: Size
    finder: DataFinder
    #: The suites with their items, or the reason why one cannot run.
    entries: tuple[SuitePlan, ...]


def request_audit(options: AuditOptions) -> AuditRequest:
    """Check what is asked and read the items."""
    if options.endpoint is None:
        if (options.parallel, options.per_minute) != (None, None):
            raise UsageError("only requests to an endpoint are limited: --endpoint URL")
        check_source(options.model, options.gguf_file)
    else:
        endpoint_of(options)
    if options.base is not None:
        check_source(options.base)
    check_wanted(options.dtype, options.device_map, options.max_memory)
    axes = None if options.axes is None else tuple(axis_name(axis) for axis in options.axes)
    named = _chosen_suites(options.suites, options.full, options.language)
    chosen = [_with_decoding(suite, options) for suite in named]
    _check_axes(axes, chosen)
    finder = DataFinder(None if options.data is None else Path(options.data))
    size = Size(QUICK_ITEMS if options.quick else options.limit, options.full, options.quick)
    entries = tuple(load_items(suite, finder, axes, size) for suite in chosen)
    return AuditRequest(options, axes, size, finder, entries)


def asked_by(options: AuditOptions) -> tuple[str, ...] | None:
    """Return the command that asks for the same audit, from any folder; None: no command can."""
    data = options.data or os.environ.get("FAIRAUDIT_DATA")
    return command_of("audit", replace(options, data=data), "model")


def endpoint_of(options: AuditOptions) -> Endpoint:
    """Return where the model is that an audit asks through a server."""
    from fairaudit.scoring.endpoint import PARALLEL, Endpoint

    assert options.endpoint is not None
    at_once = options.parallel or PARALLEL
    return Endpoint(options.endpoint, str(options.model), at_once, options.per_minute)


def _chosen_suites(
    names: Sequence[str] | None, full: bool, language: str | None
) -> tuple[Suite, ...]:
    ours = {suite.name for suite in SUITES}
    if language is not None and not set(names or ()) - ours:
        raise UsageError("a language is that of a suite file of your own; name the file as a suite")
    if names is None:
        return (PROBE, *(suite for suite in SUITES if full or suite.default))
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


def _with_decoding(suite: Suite, options: AuditOptions) -> Suite:
    """Suite whose prompts are continued as the user wants it."""
    design = suite.generation
    if design is None:
        return suite
    decoding = options.decoding(design.decoding, options.seed)
    return replace(suite, generation=replace(design, decoding=decoding))
