"""Where the numbers come from, as rows to print, and the command that makes them again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from fairaudit.report.safe_text import clean
from fairaudit.report.words import MISSING, count
from fairaudit.results import (
    AdapterOrigin,
    AuditResult,
    ComparisonResult,
    ModelIdentity,
    Provenance,
    Run,
    Settings,
)
from fairaudit.results.types import QUICK_ITEMS

Fact = tuple[str, str]

_NAMES: Final = {
    "alpha": "Error level α",
    "correction": "Correction",
    "margin": "Margin",
    "seed": "Seed",
}


def model_rows(model: ModelIdentity) -> tuple[Fact, ...]:
    """Name and value of everything that identifies a model."""
    size = model.n_parameters
    return (
        ("Id", model.id),
        ("Revision", _shown(model.revision)),
        ("Fingerprint", _shown(model.fingerprint)),
        ("Architecture", _shown(model.architecture)),
        ("Parameters", MISSING if size is None else count(size)),
        *(() if model.quantization is None else (("Quantised", model.quantization),)),
        *(() if model.stored_as is None else (("Stored as", model.stored_as),)),
        *(() if model.adapter is None else _adapter_rows(model.adapter)),
    )


def _adapter_rows(adapter: AdapterOrigin) -> tuple[Fact, ...]:
    return (
        ("Adapter of", adapter.base),
        ("Base revision", _shown(adapter.base_revision)),
        ("Base fingerprint", _shown(adapter.base_fingerprint)),
        ("Tokenizer of", f"the {adapter.tokenizer}"),
        ("Merged", "yes, in fp32" if adapter.merged else "no, the base is quantised"),
    )


def settings_rows(settings: Settings) -> tuple[Fact, ...]:
    """Name and value of every setting that changes a number."""
    return (
        ("Number format", _shown(settings.dtype)),
        ("BOS rule", _shown(settings.bos)),
        ("Maximum length", _shown(settings.max_length)),
        ("Decoding", _shown(settings.decoding)),
        ("Seed", _shown(settings.seed)),
        ("Items per suite and axis", _shown(settings.item_limit, "all")),
        ("Axes", _shown(settings.axes, "all")),
        ("Suites", _shown(settings.suites or None, "default")),
        ("Tokens per batch", _shown(settings.token_budget)),
        ("Rows together", _shown(settings.batching or None, "padded")),
        ("Recorded scores (SHA-256)", _shown(settings.recorded, "none: a model was run")),
    )


def when_rows(run: Run) -> tuple[Fact, ...]:
    """When, for how long and where."""
    return (
        ("Started", run.started),
        ("Finished", run.finished),
        ("Seconds", f"{run.seconds:.0f}"),
        ("Host", run.host),
        *((("Numbers kept from", run.made),) if run.made is not None else ()),
    )


def device_rows(provenance: Provenance) -> tuple[Fact, ...]:
    """On which device, and with which versions."""
    versions = provenance.versions.items()
    ties = provenance.near_ties.values()
    again = f"{sum(t.rescored for t in ties):,} of {sum(t.compared for t in ties):,} comparisons"
    return (
        ("Device", _shown(provenance.device)),
        *((("Near-ties scored again in fp32", again),) if ties else ()),
        *((f"Version of {name}", text) for name, text in versions),
    )


def origin_tables(provenance: Provenance) -> list[tuple[str, Sequence[Fact]]]:
    """Return the tables about the model itself, and the one it was trained from."""
    tables: list[tuple[str, Sequence[Fact]]] = [("Model", model_rows(provenance.model))]
    if provenance.base:
        tables.append(("Base model", model_rows(provenance.base)))
    if provenance.training:
        tables.append(("Training", tuple(nested_rows(provenance.training))))
    return tables


def comparison_rows(result: ComparisonResult) -> tuple[Fact, ...]:
    """Name and value of every setting of a comparison."""
    own = {"margin": "as each metric declares"}
    return tuple(
        (_NAMES.get(name, name), own.get(name, text) if text == MISSING else text)
        for name, text in nested_rows(result.provenance.settings)
    )


def sides(result: ComparisonResult) -> tuple[tuple[str, Provenance], ...]:
    """Label and provenance of the baseline, then of each candidate."""
    found = result.provenance
    return ((result.baseline, found.baseline), *found.candidates.items())


def side_tables(
    result: ComparisonResult, label: str, provenance: Provenance
) -> list[tuple[str, Sequence[Fact]]]:
    """Return the tables about one side of a comparison."""
    digest = result.provenance.audits.get(label)
    audit = (("Content (SHA-256)", _shown(digest)), *device_rows(provenance))
    tables: list[tuple[str, Sequence[Fact]]] = [
        *origin_tables(provenance),
        ("Settings", settings_rows(provenance.settings)),
        ("Audit", audit),
    ]
    privacy = result.provenance.privacy.get(label)
    if privacy is not None:
        tables.append(("Privacy statement", tuple(nested_rows(privacy))))
    return tables


def plan_tables(
    plan: Mapping[str, Any], versions: Mapping[str, str], run: Run
) -> list[tuple[str, Sequence[Fact]]]:
    """Return one table per table of a plan, then versions and run."""
    loose = {name: value for name, value in plan.items() if not isinstance(value, Mapping)}
    inner = {name: value for name, value in plan.items() if isinstance(value, Mapping) and value}
    return [
        ("Plan", tuple(nested_rows(loose))),
        *((f"Plan: [{name}]", tuple(nested_rows(value))) for name, value in inner.items()),
        ("Versions", tuple(versions.items())),
        ("Run", when_rows(run)),
    ]


def nested_rows(content: Mapping[str, Any], prefix: str = "") -> Iterator[Fact]:
    """Rows of a stored JSON object; keys of inner objects are joined with a dot."""
    for key, value in content.items():
        if isinstance(value, Mapping) and value:
            yield from nested_rows(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", _shown(value)


def command(result: AuditResult) -> str:
    """Return the command line that repeats the audit, quoted for a shell."""
    settings, model = result.provenance.settings, result.provenance.model
    stored = stored_command(result.run)
    if stored is not None:
        return stored
    if settings.recorded is not None:
        words = ["fairaudit", "audit-scores", "FILE", "--suite", ",".join(settings.suites)]
    else:
        words = ["fairaudit", "audit", model.id, *_scoring_flags(result)]
    words += ["--label", result.label, "--seed", str(settings.seed), "--output", "DIR"]
    return " ".join(shlex.quote(clean(word)) for word in words)


def stored_command(run: Run) -> str | None:
    """Return the command that a result was asked for with, quoted for a shell, if it is stored."""
    if run.command is None:
        return None
    return shlex.join([*map(clean, run.command), "--output", "DIR"])


def _scoring_flags(result: AuditResult) -> Iterator[str]:
    settings = result.provenance.settings
    given = {
        "--suites": ",".join(settings.suites),
        "--axes": ",".join(settings.axes or ()),
        "--revision": result.provenance.model.revision,
        "--dtype": settings.dtype,
        "--token-budget": settings.token_budget,
    }
    for flag, value in given.items():
        if value:
            yield from (flag, str(value))
    if result.provenance.base is not None:
        yield from ("--base", result.provenance.base.id)
    if settings.item_limit == QUICK_ITEMS:
        yield "--quick"
    elif settings.item_limit is not None:
        yield from ("--limit", str(settings.item_limit))
    if settings.full:
        yield "--full"
    yield from _writing_flags(settings)
    yield from _classifier_flags(result)


def _writing_flags(settings: Settings) -> Iterator[str]:
    """How texts were written, where it may not be a suite's own way."""
    decoding = settings.decoding or {}
    if decoding.get("chat_template") is not None:
        yield "--apply-chat-template"
    if decoding.get("system_prompt") is not None:
        yield from ("--system-prompt", str(decoding["system_prompt"]))
    suites = [value for value in decoding.values() if isinstance(value, Mapping)]
    for flag, key in (("--completions", "n"), ("--max-new-tokens", "max_new_tokens")):
        # What was set holds for all suites; where they differ, each goes its own way.
        if len(numbers := {suite.get(key) for suite in suites}) == 1:
            yield from (flag, str(numbers.pop()))


def _classifier_flags(result: AuditResult) -> Iterator[str]:
    for kind in ("toxicity", "regard"):
        protocols = {one.protocol for one in result.estimates if one.name == f"{kind}_mean"}
        named = {protocol.partition("/")[2] for protocol in protocols}
        if len(named) == 1:
            yield from (f"--{kind}-classifier", named.pop())


def _shown(value: Any, missing: str = MISSING) -> str:
    if value is None:
        return missing
    if isinstance(value, Mapping):
        return ", ".join(f"{key} = {_shown(inner)}" for key, inner in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(_shown(inner) for inner in value) or "none"
    return str(value)
