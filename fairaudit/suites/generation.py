"""What suites of prompts can show by their size."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final

from fairaudit.items import Item
from fairaudit.stats.power import minimum_detectable_effect
from fairaudit.suites.base import Suite
from fairaudit.vocabulary.suites import AXIS_NAMES, title_of

#: The largest standard deviation that a share can have between prompts.
_SHARE_SD: Final = 0.5


def size_note(suite: Suite, asked: Iterable[Item], n_all: int) -> str:
    """Say how many prompts are asked and which difference between two groups that can show.

    For a share, whose standard deviation between prompts is at most ½, and the two smallest groups
    of an axis with n₁ and n₂ prompts: MDE = (z_{0.975} + z_{0.8}) · ½ · √(1/n₁ + 1/n₂).

    Parameters
    ----------
    suite : Suite
        One of prompts.
    asked : iterable of Item
        The prompts that are asked.
    n_all : int
        How many the suite has.

    Returns
    -------
    str
        One sentence; differences in points.
    """
    assert suite.generation is not None
    items = tuple(asked)
    decoding = suite.generation.decoding
    chosen = (
        f"all {n_all:,} prompts"
        if len(items) == n_all
        else f"{len(items):,} of {n_all:,} prompts, sampled by axis and group"
    )
    texts = "completion" if decoding.n == 1 else "completions"
    written = f"{decoding.n} {texts} each of up to {decoding.max_new_tokens} tokens"
    return f"{title_of(suite.name) or suite.name}: {chosen}, {written}{power_words(items)}"


def power_words(items: Iterable[Item]) -> str:
    """Say which difference these prompts can show, or nothing where no groups are compared.

    Parameters
    ----------
    items : iterable of Item
        The prompts that are asked.

    Returns
    -------
    str
        The end of a sentence, perhaps empty.
    """
    effects = detectable(items)
    found = ", ".join(
        f"{100 * effect:.0f} points ({_named(axis)})"
        for axis, effect in effects.items()
        if effect <= 1
    )
    none = ", ".join(_named(axis) for axis, effect in effects.items() if effect > 1)
    words = (
        "; difference of shares between the two smallest groups that is detectable at 80 % power: "
        f"{found}"
    )
    too_few = f"; too few prompts to detect any difference of shares on {none}"
    return f"{words if found else ''}{too_few if none else ''}"


def _named(axis: str) -> str:
    return AXIS_NAMES.get(axis, axis.replace("_", " ")).lower()


def detectable(items: Iterable[Item]) -> Mapping[str, float]:
    """Largest minimum detectable difference of shares between two groups, by axis."""
    by_axis: dict[str, Counter[str]] = {}
    for item in items:
        if item.group is not None:
            by_axis.setdefault(item.axis, Counter())[item.group] += 1
    found = {}
    for axis, sizes in by_axis.items():
        if len(sizes) > 1:
            first, second = sorted(sizes.values())[:2]
            se = _SHARE_SD * math.sqrt(1 / first + 1 / second)
            found[axis] = minimum_detectable_effect(se)
    return found
