"""Options of a verb, each once: its name, type, default, bounds and words.

The options of a verb are a frozen dataclass whose fields are ``Annotated[type, Option(...)]``.
`verb` makes the public function of it: its signature, the section *Parameters* of its docstring and
the errors of a wrong call. The command line takes the same record (`fairaudit.cli.options`), and so
does the plan of an experiment.

A module of records does without ``from __future__ import annotations``: text of annotations would
be compiled again at every start of the program.
"""

from __future__ import annotations

import collections.abc
import dataclasses
import difflib
import functools
import inspect
import math
import numbers
import os
import re
import textwrap
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import KW_ONLY, MISSING, dataclass
from typing import (
    Annotated,
    Any,
    Final,
    Literal,
    ParamSpec,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from fairaudit.errors import UsageError
from fairaudit.progress import Progress

P = ParamSpec("P")
R = TypeVar("R")
O = TypeVar("O")  # noqa: E741

#: A file or folder.
Place = str | os.PathLike[str]

#: Place behind all earlier options.
END: Final = ""

_WIDTH: Final = 92
_POSITIONAL: Final = inspect.Parameter.POSITIONAL_OR_KEYWORD
_WORDS: Final = {str: "str", int: "int", float: "float", bool: "bool"}


@dataclass(frozen=True, slots=True)
class Option:
    """What is to be said about one option beside its type and default."""

    #: One line for ``--help``; None: the command line has no such option.
    help: str | None = None
    #: What Python's documentation says after that line, or in its place.
    more: str | None = None
    _: KW_ONLY
    doc: str | None = None
    #: Its type in words, where the type does not say it.
    kind: str | None = None
    #: Bounds of a number.
    min: float | None = None
    above: float | None = None
    max: float | None = None
    below: float | None = None
    #: On the command line: its type, where it is another one (a list may be repeated); whether it
    #: is an argument, must be given, or need not be; its flags, where there are more than the
    #: name; what stands for its value, and where its default comes from.
    cli: Any = None
    argument: bool = False
    required: bool = False
    optional: bool = False
    flags: tuple[str, ...] = ()
    metavar: str | None = None
    envvar: str | None = None
    #: Earlier option before which it stands (or `END`), and with it those that follow; those of a
    #: parent record are the earliest.
    before: str | None = None

    @property
    def text(self) -> str:
        """What Python's documentation says about it."""
        return self.doc or " ".join(filter(None, (self.help, self.more)))

    @property
    def bounds(self) -> str:
        """Its bounds in words; empty where it has none."""
        low = self.above if self.min is None else self.min
        high = self.below if self.max is None else self.max
        if low is not None and high is not None:
            return f"between {low:g} and {high:g}"
        return "" if low is None else f"{'above' if self.min is None else 'at least'} {low:g}"

    def fault(self, value: float) -> str | None:
        """Say which bound a number breaks; None if it is within all."""
        if (
            math.isfinite(value)
            and (self.min is None or value >= self.min)
            and (self.above is None or value > self.above)
            and (self.max is None or value <= self.max)
            and (self.below is None or value < self.below)
        ):
            return None
        if self.bounds.startswith("between"):
            return f"must lie {self.bounds}, not {value:g}"
        broken = filter(None, (self.bounds, "" if math.isfinite(value) else "finite"))
        return f"must be {' and '.join(broken)}, not {value:g}"


# Options that several verbs have.
Overwrite = Annotated[bool, Option("Replace another result in the output folder.")]
Device = Annotated[
    str,
    Option("auto, cpu, cuda, cuda:1, ...", doc="Where it runs; ``auto``: a GPU if there is one."),
]
Dtype = Annotated[
    str,
    Option(
        "auto (float32), bfloat16 or float16.",
        doc="In which precision the model runs; ``auto``: float32. In bfloat16 and float16 "
        "near-ties of an audit are scored again in float32.",
    ),
]
TrustRemoteCode = Annotated[bool, Option("Run code that comes with the model.")]
ProgressOf = Annotated[
    Progress | bool | None,
    Option(
        doc="Called with (stage, done, total); False: silent. By default a terminal or notebook "
        "shows a bar, and anything else gets a line every 30 s.",
        kind="callable or False",
    ),
]


@dataclass(frozen=True, slots=True)
class Entry:
    """One option of a record."""

    name: str
    type: Any
    default: Any
    positional: bool
    option: Option

    @property
    def required(self) -> bool:
        """Whether it has no default."""
        return self.default is MISSING

    @property
    def words(self) -> str:
        """Its name in messages."""
        return self.name.replace("_", " ")

    @property
    def alternatives(self) -> tuple[Any, ...]:
        """Types that it may have, without None."""
        union = get_origin(self.type) in (Union, types.UnionType)
        found = get_args(self.type) if union else (self.type,)
        return tuple(one for one in found if one is not type(None))

    @property
    def choices(self) -> tuple[str, ...]:
        """Values that it may have, where they are named."""
        (only, *others) = self.alternatives
        return get_args(only) if get_origin(only) is Literal and not others else ()

    @property
    def element(self) -> type | None:
        """Type of the members of a sequence."""
        (only, *others) = self.alternatives
        is_sequence = get_origin(only) is collections.abc.Sequence and not others
        return get_args(only)[0] if is_sequence else None

    @property
    def kind(self) -> str:
        """Its type in words."""
        if self.option.kind is not None:
            words = self.option.kind
        elif self.choices:
            words = "{" + ", ".join(f'"{choice}"' for choice in self.choices) + "}"
        elif self.element is not None:
            words = f"sequence of {self.element.__name__}"
        else:
            words = " or ".join(_WORDS.get(one, "path") for one in self.alternatives)
        parts = (words, self.option.bounds, "optional" if self.default is None else "")
        return ", ".join(filter(None, parts))

    def read(self, value: Any) -> Any:
        """Return a value as the record keeps it: a sequence as a tuple, a single name as one.

        Raises
        ------
        UsageError
            If it is an empty path, none of the choices, no number where one is needed, or out of
            bounds.
        """
        if value is None and type(None) in get_args(self.type):
            return None
        if self.element is not None:
            return (value,) if isinstance(value, str | os.PathLike) else tuple(value)
        if isinstance(value, str) and not value and {*get_args(Place)} <= {*self.alternatives}:
            # An empty path would be the current folder.
            raise UsageError(f"{self.words} is empty; is a variable not set?")
        if self.choices and value not in self.choices:
            known = ", ".join(self.choices)
            raise UsageError(f"'{value}' is no {self.words}; there are {known}")
        if self.alternatives in ((int,), (float,)):
            whole = self.alternatives == (int,)
            if not isinstance(value, numbers.Integral if whole else numbers.Real):
                what = "a whole number" if whole else "a number"
                raise UsageError(f"{self.words} must be {what}, not {value!r}")
            fault = self.option.fault(float(value))
            if fault is not None:
                raise UsageError(f"{self.words} {fault}")
        return value


class Options:
    """Base of all records: it checks each value by itself, and what a record adds to that."""

    def __post_init__(self) -> None:
        """Check all values.

        Raises
        ------
        UsageError
            With the first complaint.
        """
        record: type = type(self)
        for entry in entries(record):
            object.__setattr__(self, entry.name, entry.read(getattr(self, entry.name)))
        for complaint in self.complaints():
            raise UsageError(complaint)

    def complaints(self) -> Iterator[str]:
        """Say which values contradict each other."""
        return iter(())


@functools.cache
def entries(record: type) -> tuple[Entry, ...]:
    """Return the options of a record, in the order in which they are shown."""
    hints = get_type_hints(record, include_extras=True)
    order: list[str] = []
    found: dict[str, Entry] = {}
    place = 0
    for one in dataclasses.fields(record):
        kept, option = get_args(hints[one.name])
        found[one.name] = Entry(one.name, kept, one.default, not one.kw_only, option)
        if option.before is not None:
            place = len(order) if option.before == END else order.index(option.before)
        order.insert(place, one.name)
        place += 1
    return tuple(found[name] for name in order)


def verb(record: Callable[P, O]) -> Callable[[Callable[[O], R]], Callable[P, R]]:
    """Make a function of a record one of its options: `audit` of ``AuditOptions``, say."""

    def take(function: Callable[[O], R]) -> Callable[P, R]:
        assert isinstance(record, type)
        name = function.__name__
        known = sorted(entries(record), key=lambda one: not one.positional)

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            _check_call(name, signature, args, kwargs)
            return function(record(*args, **kwargs))

        result = get_type_hints(function)["return"]
        signature = inspect.Signature([_parameter(one) for one in known], return_annotation=result)
        call.__signature__ = signature  # type: ignore[attr-defined]
        call.__annotations__ = {**{one.name: one.type for one in known}, "return": result}
        call.__doc__ = with_parameters(function.__doc__, known)
        return call

    return take


def _parameter(one: Entry) -> inspect.Parameter:
    return inspect.Parameter(
        one.name,
        _POSITIONAL if one.positional else inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if one.required else one.default,
        annotation=one.type,
    )


def _check_call(
    name: str, signature: inspect.Signature, args: Sequence[Any], kwargs: dict[str, Any]
) -> None:
    """Refuse a call as Python does, under the name of the verb and with the nearest option."""
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        unknown = next((one for one in kwargs if one not in signature.parameters), "")
        near = difflib.get_close_matches(unknown, signature.parameters, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ""
        raise TypeError(f"{name}() {error}{hint}") from None


def with_parameters(doc: str | None, known: Sequence[Entry]) -> str | None:
    """Put the section *Parameters* into a docstring, before its other sections."""
    if doc is None:
        return None
    lines = ["Parameters", "----------"]
    for one in known:
        lines.append(f"{one.name} : {one.kind}")
        lines += textwrap.wrap(
            one.option.text, _WIDTH, initial_indent="    ", subsequent_indent="    "
        )
    summary, *sections = re.split(r"\n\n(?=\w+\n-+\n)", inspect.cleandoc(doc))
    return "\n\n".join([summary, "\n".join(lines), *sections])


def command_of(verb: str, options: Options, argument: str) -> tuple[str, ...] | None:
    """Return the words of a command line that asks for the same, from any folder.

    Files and folders that are there get their whole path. The output, and whether it may be
    replaced, are left out.

    Parameters
    ----------
    verb : str
        The command.
    options : Options
        What was asked for.
    argument : str
        Name of the option that stands without a flag.

    Returns
    -------
    tuple of str or None
        None where something was given that no command line can: a model in memory.
    """
    words = ["fairaudit", verb]
    record: type = type(options)
    for entry in entries(record):
        value = getattr(options, entry.name)
        if entry.name == argument:
            words[2:2] = [_word(value)]
        elif entry.option.help is None or entry.name in _NOT_ASKED or value == entry.default:
            continue
        elif isinstance(value, tuple) and entry.element is None:
            return None
        else:
            words += _flagged(entry, value)
    return None if isinstance(getattr(options, argument), tuple) else tuple(words)


_NOT_ASKED: Final = frozenset({"output", "overwrite", "progress"})


def _flagged(entry: Entry, value: Any) -> list[str]:
    flag = (entry.option.flags or (f"--{entry.name.replace('_', '-')}",))[0]
    if isinstance(value, bool):
        return [flag if value else f"--no-{flag[2:]}"]
    if entry.element is None:
        return [flag, _word(value)]
    each = [_word(one) for one in value]
    if entry.option.cli is not None:
        return [word for one in each for word in (flag, one)]
    return [flag, ",".join(each)]


def _word(value: Any) -> str:
    """Write a value as a command line has it; what names a file, with its whole path."""
    if isinstance(value, int | float):
        return repr(value)
    text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
    return os.path.abspath(text) if os.path.exists(text) else text
