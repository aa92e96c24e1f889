"""What a caller may use says all that he needs: arguments, what comes back, what is raised, fields.

That is what `fairaudit` and its rooms export, and what one room imports from another.
"""

from __future__ import annotations

import ast
import builtins
import dataclasses
import doctest
import importlib
import inspect
import re
import textwrap
from collections.abc import Iterator
from enum import Enum
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import fairaudit
from fairaudit.errors import FairauditError
from fairaudit.options import Options
from fairaudit.results import Frozen

PACKAGE = Path(fairaudit.__file__).parent
#: Rooms whose doors to other rooms are documented in full.
ROOMS = (
    "augmentation", "comparing", "gradients", "integrations", "metrics", "scoring", "stats",
    "suites", "training",
)  # fmt: skip
_SECTION = re.compile(r"^(\w[\w ]*)\n-{3,}$\n", re.MULTILINE)
#: Faults of the program itself, which no caller can bring about.
_OURS = {"AssertionError", "NotImplementedError"}


def _module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def _trees() -> dict[str, ast.Module]:
    return {
        _module_name(path): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


def _room(module: str) -> str:
    return [*module.split("."), ""][1]


def _doors() -> Iterator[tuple[str, str]]:
    """Module and name of whatever a room of `ROOMS` lends to another one."""
    for module, tree in _trees().items():
        for node in ast.walk(tree):
            if not isinstance(node, ast.ImportFrom) or not (node.module or "").startswith("fair"):
                continue
            if _room(str(node.module)) in ROOMS and _room(str(node.module)) != _room(module):
                yield from ((str(node.module), one.name) for one in node.names)


def _exports() -> Iterator[tuple[str, str]]:
    for module in _trees():
        if module.count(".") < 2 and (PACKAGE.parent / module.replace(".", "/")).is_dir():
            names = getattr(importlib.import_module(module), "__all__", ())
            yield from ((module, name) for name in names)


def _public() -> dict[str, Any]:
    """Every function and class that a caller may use, by where it is defined."""
    found = {}
    for module, name in sorted({*_doors(), *_exports()}):
        one = getattr(importlib.import_module(module), name)
        if inspect.isfunction(one) or inspect.isclass(one):
            found[f"{one.__module__}.{one.__qualname__}"] = one
    return {name: one for name, one in found.items() if name.startswith("fairaudit.")}


PUBLIC = _public()
FUNCTIONS = {name: one for name, one in PUBLIC.items() if inspect.isfunction(one)}
CLASSES = {name: one for name, one in PUBLIC.items() if inspect.isclass(one)}


def _sections(one: Any) -> dict[str, str]:
    parts = _SECTION.split(inspect.getdoc(one) or "")
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _named(section: str) -> set[str]:
    """Names that a section describes: ``a, b : int`` stands for two."""
    heads = (line.partition(" : ")[0] for line in section.splitlines() if line[:1].strip())
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def _arguments(one: Any) -> set[str]:
    given = inspect.signature(one).parameters.values()
    return {each.name for each in given if each.name not in {"self", "cls"}}


def _raised(one: Any) -> set[str]:
    tree = ast.parse(textwrap.dedent(inspect.getsource(one)))
    thrown = (node.exc for node in ast.walk(tree) if isinstance(node, ast.Raise))
    made = (each.func if isinstance(each, ast.Call) else each for each in thrown)
    return {each.id for each in made if isinstance(each, ast.Name) and each.id[:1].isupper()}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_tells_each_argument_and_what_comes_back(name: str):
    one = FUNCTIONS[name]
    sections = _sections(one)
    assert _named(sections.get("Parameters", "")) == _arguments(one)
    annotated = inspect.signature(one).return_annotation
    if annotated not in {None, "None", "NoReturn", "Never"}:
        assert {"Returns", "Yields"} & sections.keys(), annotated
    else:
        assert "Returns" not in sections


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_tells_what_it_raises(name: str):
    one = FUNCTIONS[name]
    told = _named(_sections(one).get("Raises", ""))
    for raised in _raised(one) - _OURS:
        kind = inspect.unwrap(one).__globals__.get(raised, getattr(builtins, raised, None))
        assert isinstance(kind, type), f"{name} raises {raised}, which is no class"
        assert told & {above.__name__ for above in kind.__mro__}, f"{name} raises {raised}"


def _fields(one: Any) -> set[str]:
    if dataclasses.is_dataclass(one):
        return {each.name for each in dataclasses.fields(one) if not each.name.startswith("_")}
    if issubclass(one, tuple):
        return {*getattr(one, "_fields", ())}
    return _arguments(one) if "__init__" in vars(one) else set()


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_tells_its_fields(name: str):
    one = CLASSES[name]
    told_elsewhere = issubclass(one, Options | Enum | FairauditError | Frozen)
    if told_elsewhere or getattr(one, "_is_protocol", False):
        # Fields of records are looked at below, those of options by tests/test_options.py.
        assert inspect.getdoc(one)
        return
    sections = _sections(one)
    told = _named(sections.get("Parameters", "")) | _named(sections.get("Attributes", ""))
    assert _fields(one) <= told


def _stored() -> list[type[Frozen]]:
    """Every record of a result file, with those that only other records hold."""
    for module in _trees():
        if _room(module) == "results":
            importlib.import_module(module)
    found, new = [], [Frozen]
    while new:
        new = [below for one in new for below in one.__subclasses__()]
        found += [one for one in new if one.__module__.startswith("fairaudit.results")]
    return sorted(set(found), key=lambda one: one.__qualname__)


@pytest.mark.parametrize("record", _stored(), ids=lambda one: one.__qualname__)
def test_a_stored_record_tells_each_field(record: type[Frozen]):
    own = {name for name in record.model_fields if name in vars(record)["__annotations__"]}
    assert own <= _named(_sections(record).get("Attributes", ""))


def _with_examples() -> list[ModuleType]:
    texts = {name: (PACKAGE.parent / name.replace(".", "/")) for name in _trees()}
    paths = {
        name: path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for name, path in texts.items()
    }
    return [
        importlib.import_module(name)
        for name, path in paths.items()
        if ">>> " in path.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("module", _with_examples(), ids=lambda one: one.__name__)
def test_examples_give_what_they_say(module: ModuleType):
    found = doctest.testmod(module)
    assert found.failed == 0
