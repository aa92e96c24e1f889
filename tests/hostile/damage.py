"""Files as they should not be: bytes that flip, values of another kind, texts that mean harm."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

DEEP = 1_500

#: Values that stand where another was expected.
VALUES = st.sampled_from([
    None, True, -1, 0, 2**63, 10**400, 1e308, -0.0, float("nan"), float("inf"), "", " ", "\0",
    "\ud800", "\u2028", "\x1b[31mred", "::error::injected", "[/bold]", "../../victim", "/etc",
    "=1+1", "<script>alert(1)</script>", "gender", "a" * 300, "é" * 200, [], {}, [[]], {"": None},
    ["gender", "gender"], {"axis": "gender"},
])  # fmt: skip
#: The same, written as text.
SNIPPETS = st.sampled_from([
    b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\xe2\x80\xa8", b"\r", b"\n\n", b'"', b"'", b"\\", b",",
    b"\t", b"NaN", b"1e999", b"9" * 5_000, b"-", b"null", b"\\ud800", b"\x1b[2J", b"[/bold]",
    b"../", b"[" * DEEP, b'{"a":' * DEEP, b"= [" + b"[" * DEEP, b"a." * DEEP, b"&a [*a,*a]", b"!!",
    b"\xef\xbb\xbf", b"PK\x03\x04", b"\x1f\x8b\x08\0", b"PAR1", b"x" * 9_000,
])  # fmt: skip


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return a file with one to four things done to its bytes."""
    content = whole
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(content)))
        other = min(len(content), place + draw(st.integers(0, 60)))
        kind = draw(st.sampled_from(("put", "cut", "end", "twice", "flip", "word")))
        if kind == "put":
            content = content[:place] + draw(SNIPPETS) + content[place:]
        elif kind == "cut":
            content = content[:place] + content[other:]
        elif kind == "end":
            content = content[:place]
        elif kind == "twice":
            content = content[:other] + content[place:]
        elif kind == "word":
            content = content[:place] + draw(SNIPPETS) + content[other:]
        elif content:
            at = min(place, len(content) - 1)
            bit = content[at] ^ 1 << draw(st.integers(0, 7))
            content = content[:at] + bytes([bit]) + content[at + 1 :]
    return content


@st.composite
def misfits(draw: st.DrawFn, whole: Any) -> Any:
    """Return a tree of values with one to three of them lost, renamed or replaced."""
    tree = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        holders = [*_holders(tree)]
        if not holders:
            return tree
        holder = draw(st.sampled_from(holders))
        key = draw(st.sampled_from([*_keys(holder)]))
        kind = draw(st.sampled_from(("replace", "replace", "lose", "rename", "twice")))
        if kind == "lose":
            del holder[key]
        elif kind == "rename" and isinstance(holder, dict):
            holder[draw(st.sampled_from(("", "a" * 300, "__class__", "\ud800")))] = holder.pop(key)
        elif kind == "twice" and isinstance(holder, list):
            holder.append(holder[key])
        else:
            holder[key] = copy.deepcopy(draw(VALUES))
    return tree


def _holders(tree: Any) -> list[Any]:
    """Return every mapping and list of a tree that holds something."""
    inner = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    found = [one for part in inner for one in _holders(part)]
    return [tree, *found] if isinstance(tree, (dict, list)) and tree else found


def _keys(holder: Any) -> Any:
    return holder if isinstance(holder, dict) else range(len(holder))


def as_json(tree: Any) -> bytes:
    """Write a tree as Python does, with NaN and lone surrogates."""
    return json.dumps(tree).encode()


def as_lines(rows: Any) -> bytes:
    """Write rows as JSON Lines; what is no list stands alone."""
    return b"".join(as_json(row) + b"\n" for row in (rows if isinstance(rows, list) else [rows]))


def harmed(whole: Any, write: Callable[[Any], bytes]) -> st.SearchStrategy[bytes]:
    """Return files with other values in their places, or with other bytes."""
    return st.one_of(misfits(whole).map(write), damaged(write(whole)))
