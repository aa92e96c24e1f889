"""Reference pages: what the vocabulary, the records of options and the program itself know."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args

import typer

import fairaudit
from docs.site.tables import code, table
from fairaudit.cli.app import app
from fairaudit.results import Frozen
from fairaudit.vocabulary.cautions import CAUTIONS
from fairaudit.vocabulary.claims import STATEMENTS
from fairaudit.vocabulary.decisions import GateDecision
from fairaudit.vocabulary.metrics import METRICS, Metric
from fairaudit.vocabulary.protocols import VARIANTS
from fairaudit.vocabulary.suites import CARDS, FRAMEWORKS, NOT_STATED, SuiteCard
from fairaudit.vocabulary.verdicts import Verdict

_KINDS: Final = {
    "bias": "Bias",
    "capability": "Capability",
    "composite": "Capability and bias in one",
    "control": "Controls",
    "distance": "Distance from the base model",
}
#: Fields stand in the docstring or among the file formats; methods are listed here.
_MEMBERS: Final = (":members:", ":exclude-members: model_config, model_post_init")
_SIDES: Final = {1: "higher is more stereotyped", -1: "lower is more stereotyped", 0: ""}


def metrics() -> str:
    """Every metric with its unit, range, ideal, chance and margin."""
    parts = [
        "# Metrics\n",
        "Rates, LM score and ICAT are fractions from 0 to 1 in Python, JSON and policies, and "
        "percent in words and pictures. *Ideal* is the value of a model without the measured bias, "
        "*chance* that of a model that guesses, *margin* half the width of the zone in which two "
        "models count as equivalent. Where there is no margin, no two models are called "
        "equivalent.\n",
    ]
    for kind, title in _KINDS.items():
        parts.append(f"## {title}\n")
        parts += [_metric(one) for one in METRICS.values() if one.kind == kind]
    return "\n".join(parts)


def _metric(one: Metric) -> str:
    low, high = one.range
    facts = {
        "range": "" if low is None and high is None else f"{_end(low, '−')} to {_end(high, '')}",
        "ideal": _number(one.ideal),
        "chance": _number(one.chance),
        "margin": _number(one.margin),
        "direction": _SIDES[one.direction],
        "unit": one.unit.name.lower().replace("_", " "),
    }
    told = "; ".join(f"{name}: {value}" for name, value in facts.items() if value)
    return f"({_anchor(one.name)})=\n### {one.label}\n\n`{one.name}` · {told}\n\n{one.meaning}\n"


def _end(value: float | None, sign: str) -> str:
    return f"{sign}∞" if value is None else f"{value:g}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _anchor(name: str) -> str:
    return f"metric-{name.replace('_', '-')}"


def suites() -> str:
    """Every suite with what it asks, its axes, its source and the published doubts."""
    heads = ("suite", "title", "axes")
    rows = [(f"[{one.name}](#suite-{_slug(one.name)})", one.title, len(one.axes) or "")
            for one in CARDS.values()]  # fmt: skip
    parts = ["# Suites\n", table(heads, rows), *(_suite(one) for one in CARDS.values())]
    return "\n".join([*parts, *_frameworks()])


def _slug(name: str) -> str:
    return name.replace("_", "-")


def _suite(card: SuiteCard) -> str:
    from fairaudit.suites import SUITES

    known = {suite.name: suite for suite in SUITES}.get(card.name)
    lines = [f"(suite-{_slug(card.name)})=", f"## {card.title}\n", f"`{card.name}`: {card.asks}\n"]
    if known is not None:
        when = "by default" if known.default else "by name or with `--full`"
        lines.append(f"- run {when}")
        lines += [f"- protocol `{one.id}`: {_meaning(one.id)}" for one in known.protocols]
    if card.axes:
        lines.append(f"- axes: {', '.join(card.axes)}")
    if card.citation != NOT_STATED:
        lines.append(f"- cite: {card.citation}")
    lines.append(f"- licence: {card.license}")
    lines += [f"- doubt: {one}" for one in card.caveats]
    lines += [f"- evidence for: {one}" for one in card.evidence]
    return "\n".join(lines) + "\n"


def _meaning(protocol: str) -> str:
    known = VARIANTS.get(protocol.partition("/")[2])
    return "continuations, scored as texts" if known is None else known.meaning


def _frameworks() -> Iterator[str]:
    yield "## What the tags of evidence ask for\n"
    yield table(("tag", "asks for"), FRAMEWORKS.items())


def protocols() -> str:
    """Every way of scoring, and where verdicts rest on it."""
    rows = [
        (code(one.name), one.meaning, ", ".join(sorted(design.value for design in one.primary_in)))
        for one in sorted(VARIANTS.values(), key=lambda one: one.name)
    ]
    return "\n".join([
        "# Protocols\n",
        "A protocol id is `suite/variant`. Numbers of different protocols are not comparable, so "
        "each variant has its own id. In the designs of the last column verdicts rest on it; "
        "elsewhere it is exploratory.\n",
        table(("variant", "reads", "primary in"), rows),
    ])  # fmt: skip


def words() -> str:
    """Verdicts, cautions, decisions of a gate and claims of an experiment."""
    verdicts = [(f"{one.word.mark} {one.word.label}", one.word.meaning, one.word.limit)
                for one in Verdict]  # fmt: skip
    cautions = [(code(one.name), one.label, one.meaning) for one in CAUTIONS.values()]
    decisions = [(code(one.value), one.exit_code) for one in GateDecision]
    claims = [(code(name), one.says) for name, one in STATEMENTS.items()]
    return "\n".join([
        "# Verdicts, cautions, decisions\n",
        "## Verdicts\n", table(("verdict", "means", "does not mean"), verdicts),
        "## Cautions\n", table(("caution", "shown as", "what follows"), cautions),
        "## Decisions of a gate\n", table(("decision", "exit code"), decisions),
        "## Claims of an experiment\n", table(("claim", "says"), claims),
    ])  # fmt: skip


def command_line() -> str:
    """Every verb with its arguments and options, as ``--help`` shows them."""
    group = typer.main.get_command(app)
    parts = ["# Command line\n", "`--quiet` and `--debug` may stand anywhere on a line.\n"]
    parts.append("`fairaudit --install-completion` sets up completion for your shell.\n")
    for name, command in _commands(group, "fairaudit"):
        parts += [f"## {name}\n", _summary(command), *_options(name, command)]
    return "\n".join(parts)


def _commands(group: Any, name: str) -> Iterator[tuple[str, Any]]:
    for verb, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _commands(command, f"{name} {verb}")
        else:
            yield f"{name} {verb}", command


def _summary(command: Any) -> str:
    return re.sub(r"\n\n {4}(?=\S)", "\n\n    ", inspect.cleandoc(command.help or "")) + "\n"


def _options(name: str, command: Any) -> Iterator[str]:
    shown = [one for one in command.params if not getattr(one, "hidden", False)]
    arguments = [one for one in shown if one.param_type_name == "argument"]
    usage = " ".join(_in_usage(one) for one in arguments)
    yield f"```text\n{name} {usage} [OPTIONS]\n```\n".replace("  ", " ")
    rows = [(_flags(one), getattr(one, "help", ""), _default(one)) for one in shown]
    yield table(("option", "", "default"), [row for row in rows if row[0] != "`--help`"])


def _in_usage(one: Any) -> str:
    word = (one.metavar or one.name or "").upper().removesuffix("...")
    word += "..." if one.nargs == -1 else ""
    return word if one.required else f"[{word}]"


def _flags(one: Any) -> str:
    if one.param_type_name == "argument":
        return code(_in_usage(one).strip("[]"))
    flags = [*one.opts, *one.secondary_opts]
    value = "" if one.is_flag else f" {one.metavar or _kind(one.type_descriptor.annotation)}"
    return ", ".join(code(flag) for flag in flags if flag != "-h") + value


def _kind(annotation: Any) -> str:
    """Say what stands for a value: the choices, or its kind."""
    kinds = [one for one in (*get_args(annotation), annotation) if isinstance(one, type)]
    kind = next(one for one in kinds if one is not type(None))
    if issubclass(kind, Enum):
        return " / ".join(str(one.value) for one in kind)
    return {int: "N", float: "X", Path: "PATH"}.get(kind, "TEXT")


def _default(one: Any) -> str:
    value = getattr(one.default, "value", one.default)
    wanted = isinstance(value, str | int | float) and not isinstance(value, bool)
    return code(value) if wanted else ""


def api() -> str:
    """Every public function and result type, by Sphinx from their docstrings."""
    functions = [one for one in fairaudit.__all__ if inspect.isfunction(getattr(fairaudit, one))]
    types = [one for one in fairaudit.__all__ if inspect.isclass(getattr(fairaudit, one))]
    stored = [one for one in types if issubclass(getattr(fairaudit, one), Frozen)]
    parts = [
        "# Python\n",
        "Public names import lazily: `import fairaudit` loads no model library.\n",
    ]
    parts += ["## Functions\n", *(_auto("function", f"fairaudit.{one}") for one in functions)]
    parts += ["## Results\n", *(_auto("class", f"fairaudit.{one}", *_MEMBERS) for one in stored)]
    others = (_auto("class", f"fairaudit.{one}") for one in types if one not in stored)
    parts += ["## Other classes\n", *others]
    return "\n".join(parts)


def _auto(kind: str, name: str, *options: str) -> str:
    body = "\n".join(options)
    return f"```{{eval-rst}}\n.. auto{kind}:: {name}\n{_indented(body)}\n```\n"


def _indented(text: str) -> str:
    return "".join(f"   {line}\n" for line in text.splitlines())


#: Every generated page, by its place on the site.
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "reference/api": api,
    "reference/command-line": command_line,
    "reference/metrics": metrics,
    "reference/suites": suites,
    "reference/protocols": protocols,
    "reference/words": words,
}
