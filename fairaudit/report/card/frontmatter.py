"""The front matter of a card: ``model-index`` is replaced, every other byte stays as it is.

``ModelCard.save`` would write all of it anew: comments and quotes would go, ``language: no`` would
become ``false``, and the entries of several models would be thrown together under one name. So the
entries come from the Hub's own classes, and only their block is written.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

import yaml

from fairaudit.errors import ResultError
from fairaudit.report.card.index import MARK

_KEY: Final = "model-index"
#: Blank lines and comments at the end of a block.
_BEHIND: Final = re.compile(r"(?:(?<=\n)[ \t\r]*(?:#[^\n]*)?(?:\n|\Z))+\Z")


def merge(front: str, ours: Sequence[dict[str, Any]], name: str, newline: str) -> str:
    """Put our results into the ``model-index`` of a front matter.

    Parameters
    ----------
    front : str
        YAML between the two ``---`` lines; may be empty.
    ours : sequence of dict
        Results as ``model-index`` holds them; they take the place of our earlier ones.
    name : str
        Name of the model, where the card has none.
    newline : str
        Line end of what is written.

    Returns
    -------
    str
        The front matter; the same text where nothing changed.

    Raises
    ------
    ResultError
        If it is not a block of ``key: value`` lines, or its ``model-index`` is malformed.
    """
    before = read(front)
    index = merged(before.get(_KEY), ours, name)
    if index == (before.get(_KEY) or []):
        return front
    ended = front.endswith("\n")
    after = _replaced(front if ended or not front else front + newline, index, newline)
    after = after if ended else after.removesuffix(newline)
    if _others(read(after)) != _others(before):
        raise ResultError(
            "the front matter uses its model-index elsewhere (an anchor?); write it out, then "
            "repeat"
        )
    return after


def read(front: str) -> dict[str, Any]:
    """Return a front matter as a mapping.

    Raises
    ------
    ResultError
        If it is not a block of ``key: value`` lines.
    """
    try:
        root = yaml.compose(front, Loader=yaml.SafeLoader)
        content = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        where = re.search(r"line \d+", str(error))
        place = f" ({where[0]} of it)" if where else ""
        raise ResultError(f"its front matter is not valid YAML{place}; mend it first") from error
    if root is None:
        return {}
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise ResultError("its front matter is not a block of 'key: value' lines; rewrite it")
    if [key.value for key, _ in root.value].count(_KEY) > 1:
        raise ResultError("its front matter has model-index twice; remove one")
    return dict(content)


def merged(index: Any, ours: Sequence[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return a ``model-index`` with our results in place of earlier ones, and all others kept.

    Raises
    ------
    ResultError
        If ``index`` is not a list of models with results.
    """
    models = [dict(model) for model in _checked(index)]
    mine = [any(map(_is_ours, model["results"])) for model in models]
    place = mine.index(True) if any(mine) else 0
    for model in models:
        model["results"] = [kept for result in model["results"] if (kept := _without_ours(result))]
    if ours and not models:
        models.append({"name": name, "results": []})
        mine.append(False)
    if ours:
        models[place]["results"] += ours
    # A model that another tool listed without results stays; one that only held ours goes.
    return [one for one, held in zip(models, mine, strict=True) if one["results"] or not held]


def _checked(index: Any) -> list[dict[str, Any]]:
    found = index or []
    sound = isinstance(found, list) and all(
        isinstance(model, dict)
        and isinstance(model.get("results"), list)
        and all(isinstance(result, dict) for result in model["results"])
        for model in found
    )
    if not sound:
        raise ResultError("its model-index is not a list of models with results; mend it first")
    return list(found)


def _is_ours(result: dict[str, Any]) -> bool:
    metrics = result.get("metrics")
    return isinstance(metrics, list) and any(map(_is_our_metric, metrics))


def _is_our_metric(metric: Any) -> bool:
    args = metric.get("args") if isinstance(metric, dict) else None
    return isinstance(args, dict) and MARK in args


def _without_ours(result: dict[str, Any]) -> dict[str, Any] | None:
    """Return a result without our metrics: other tools put all of one dataset together."""
    if not _is_ours(result):
        return result
    kept = [metric for metric in result["metrics"] if not _is_our_metric(metric)]
    return {**result, "metrics": kept} if kept else None


def _replaced(front: str, index: list[dict[str, Any]], newline: str) -> str:
    """Write the index in place of the old one, or at the end."""
    start, end = _place(front)
    block = _dumped(index, newline)
    if start < end and not front[start:end].endswith("\n"):
        block = block.removesuffix(newline)
    return front[:start] + block + front[end:]


def _place(front: str) -> tuple[int, int]:
    """Return where the ``model-index`` begins and ends; the end of the text if there is none.

    Blank lines and comments behind it belong to whatever follows.
    """
    root = yaml.compose(front, Loader=yaml.SafeLoader)
    for key, value in root.value if root is not None else ():
        if key.value == _KEY:
            start = key.start_mark.index
            own = _BEHIND.sub("", front[start : value.end_mark.index])
            return start, start + len(own)
    return len(front), len(front)


def dump(content: Any, newline: str = "\n") -> str:
    """Return YAML as the Hub's library writes it: in the given order, Unicode as it is."""
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, line_break=newline)
    return str(text)


def _dumped(index: list[dict[str, Any]], newline: str) -> str:
    return dump({_KEY: index}, newline) if index else ""


def _others(content: dict[str, Any]) -> str:
    """Return everything but the index as one text: NaN and dates compare as well."""
    return dump({key: of for key, of in content.items() if key != _KEY})
