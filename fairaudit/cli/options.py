"""The command line of a record of options; see `fairaudit.options`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import Enum, StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from fairaudit.cli.state import split_list
from fairaudit.errors import UsageError
from fairaudit.options import Entry, entries


def takes(record: type) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command the options of a record, in the place of its parameter ``chosen``.

    The command gets those that were given, by name, as `record` takes them.
    """
    shown = [one for one in entries(record) if one.option.help is not None]

    def take(command: Callable[..., None]) -> Callable[..., None]:
        def run(**values: Any) -> None:
            given = {one.name: _read(one, values.pop(one.name)) for one in shown}
            command(**values, chosen={name: v for name, v in given.items() if v is not None})

        parameters: list[inspect.Parameter] = []
        for own in inspect.signature(command, eval_str=True).parameters.values():
            if own.name == "chosen":
                parameters += [_parameter(one) for one in shown]
            else:
                parameters.append(own.replace(kind=own.KEYWORD_ONLY))
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {one.name: one.annotation for one in parameters}
        run.__doc__, run.__name__ = command.__doc__, command.__name__
        return run

    return take


def _parameter(entry: Entry) -> inspect.Parameter:
    """How Typer is told of an option."""
    option, kind = entry.option, _type(entry)
    required = (entry.required and not option.optional) or option.required
    default = None if entry.required or entry.element is not None else entry.default
    if entry.choices and default is not None:
        default = kind(default)
    words: dict[str, Any] = {"help": _help(entry), "metavar": option.metavar}
    if option.envvar is not None:
        words["envvar"] = option.envvar
    if kind is int:
        words["min"] = option.min
    flags = option.flags
    if kind is bool and not flags:
        flag = "--" + entry.name.replace("_", "-")
        flags = (f"{flag}/--no-{flag[2:]}" if entry.default else flag,)
    info = typer.Argument(**words) if option.argument else typer.Option(*flags, **words)
    if not required and default is None:
        kind = kind | None
    return inspect.Parameter(
        entry.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else default,
        annotation=Annotated[kind, info],
    )


def _help(entry: Entry) -> str:
    """Its line, and how several values are given."""
    text = entry.option.help or ""
    if entry.element is None:
        return text
    several = ", comma-separated" if entry.option.cli is None else "; may be repeated"
    what, semicolon, rest = text.removesuffix(".").partition(";")
    return f"{what}{several}{semicolon}{rest}."


def _type(entry: Entry) -> Any:
    if entry.option.cli is not None:
        return entry.option.cli
    if entry.choices:
        return StrEnum(entry.name, {choice: choice for choice in entry.choices})
    if entry.element is not None:
        return str
    return entry.alternatives[0] if len(entry.alternatives) == 1 else Path


def _read(entry: Entry, value: Any) -> Any:
    """Return what the record takes for what was typed."""
    if isinstance(value, Enum):
        return value.value
    if entry.element is None or not isinstance(value, str):
        return value
    parts = split_list(value) or []
    try:
        return [entry.element(part) for part in parts]
    except ValueError:
        flag = entry.name.replace("_", "-")
        raise UsageError(f"--{flag} takes whole numbers, not '{value}'") from None
