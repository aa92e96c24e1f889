"""The page of file formats: every type that a file holds, field by field, from the types."""

from __future__ import annotations

import inspect
import re
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from docs.site.tables import code, table
from fairaudit.results import (
    AuditResult,
    ComparisonResult,
    DiagnosticsResult,
    Estimate,
    GateResult,
)
from fairaudit.results.experiment import ExperimentResult
from fairaudit.results.map import MapResult
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.results.training import TrainingRecord

#: What each file holds.
FILES: Final[Mapping[str, type[BaseModel]]] = {
    "`result.json` of an audit": AuditResult,
    "`result.json` of a comparison": ComparisonResult,
    "`result.json` of a diagnosis": DiagnosticsResult,
    "`result.json` of an experiment": ExperimentResult,
    "`result.json` of a map": MapResult,
    "`gate.json`": GateResult,
    "`privacy.json`": PrivacyStatement,
    "`training.json`": TrainingRecord,
}
_RULES: Final = """\
# File formats

Common to every JSON file: `schema` names its kind and `schema_version` its version; UTF-8, sorted
keys. Rates are fractions from 0 to 1, log values are in nats. What is missing is `null` with a
`reason`; NaN never enters a file. Unknown keys are refused. Every version reads all older versions
of a schema, and refuses newer ones by name. Fields may be added under a new version; none is
renamed. `result.json` carries a digest and the SHA-256 of the files beside it, so a changed number
is refused when it is read.

Beside `result.json` an audit folder holds `items/<suite>.parquet`, with the columns `item_id`,
`protocol`, `axis`, `group`, `cluster`, `role`, `score` (nats), `n_tokens`, `status` and `reason`;
the key is `(item_id, protocol, role)`. Suites of prompts also have `texts/<suite>.jsonl`.
"""


def formats() -> str:
    """Every file, and every type that one of its fields holds."""
    parts = [_RULES]
    for title, kind in FILES.items():
        parts += [f"## {title}\n", _about(kind), _fields(kind)]
    parts.append("## Parts of them\n")
    for kind in sorted(_inner(FILES.values()), key=lambda one: one.__name__):
        parts += [f"({_anchor(kind)})=\n### {kind.__name__}\n", _about(kind), _fields(kind)]
    return "\n".join(parts)


def _about(kind: type[BaseModel]) -> str:
    return (kind.__doc__ or "").partition("\n\n")[0].replace("``", "`") + "\n"


def _anchor(kind: type[BaseModel]) -> str:
    return f"type-{kind.__name__.lower()}"


def _fields(kind: type[BaseModel]) -> str:
    told = described(kind)
    rows = [
        (code(field.alias or name), _type(field.annotation), told.get(name, ""))
        for name, field in kind.model_fields.items()
    ]
    return table(("field", "type", ""), rows)


def described(kind: type[BaseModel]) -> dict[str, str]:
    """Return what a type says of its fields: its *Attributes*, or the comments before them.

    A field without words has those of the field of that name in `Estimate`.
    """
    found = _attributes(Estimate)
    for one in reversed(kind.__mro__):
        if isinstance(one, type) and issubclass(one, BaseModel) and one is not BaseModel:
            found |= _comments(one) | _attributes(one)
    return found


def _attributes(kind: type[BaseModel]) -> dict[str, str]:
    """Fields that the section *Attributes* of a docstring names, several in a line or one."""
    doc = inspect.cleandoc(kind.__dict__.get("__doc__") or "")
    section = re.search(r"\nAttributes\n-+\n(.*?)(?=\n\n\w+\n-+\n|\Z)", doc, re.DOTALL)
    if section is None:
        return {}
    entries = re.findall(
        r"^(\w[\w, ]*) :[^\n]*\n((?:    [^\n]*(?:\n|\Z))+)", section[1], re.MULTILINE
    )
    return {
        name.strip(): " ".join(text.split()).replace("``", "`")
        for names, text in entries
        for name in names.split(",")
    }


def _comments(kind: type[BaseModel]) -> dict[str, str]:
    """Fields with a comment ``#:`` above them."""
    lines = inspect.getsource(kind).splitlines()
    found, above = {}, list[str]()
    for line in lines:
        comment = re.match(r" {4}#: (.*)", line)
        field = re.match(r" {4}(\w+):", line)
        if comment:
            above.append(comment[1])
        elif field and above:
            found[field[1]] = " ".join(above).replace("``", "`")
        above = above if comment else []
    return found


def _inner(kinds: Iterable[type[BaseModel]]) -> set[type[BaseModel]]:
    """Types of fields, of fields of those, and so on; a type may hold its own kind."""
    found: set[type[BaseModel]] = set()
    left = list(kinds)
    while left:
        fields = left.pop().model_fields.values()
        new = {one for field in fields for one in _models(field.annotation)} - found
        found |= new
        left += new
    return found


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _type(annotation: Any) -> str:
    """Write a type in the words of JSON."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"[{annotation.__name__}](#{_anchor(annotation)})"
    if origin in (Union, types.UnionType):
        return " or ".join(_type(one) for one in parts)
    if origin is tuple:
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"object of {_type(parts[1])}"
    if parts and origin is not None and str(origin).endswith("Literal"):
        return ", ".join(code(one) for one in parts)
    return _NAMES.get(annotation, getattr(annotation, "__name__", str(annotation)))


_NAMES: Final[Mapping[Any, str]] = {
    type(None): "null",
    str: "text",
    float: "number",
    int: "whole number",
    bool: "boolean",
    Any: "anything",
}

#: Every generated page, by its place on the site.
PAGES: Final[Mapping[str, Callable[[], str]]] = {"reference/files": formats}
