"""Twins of 1,000 sentences labelled by hand, at least 300 for each axis.

All labels were written before the swapper ran on them. The last 100 lines of a file are held out:
of gender and religion no rule was changed for an error there, and what is scored on them is the
number to quote. Of race it is not: the errors of a first hundred were printed by a failed test,
and a fresh one scored 90 before lists of words for people were widened by whoever had written it.
Three labels of religion and one of race were dropped or mended. A line of ``race_twins.tsv`` and
``religion_twins.tsv`` names the shift in its third column; "any" stands for a sentence that no
shift may change.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from fairaudit.augmentation.analysis import analyse
from fairaudit.augmentation.lexicon import AXES, groups

FOLDER = Path(__file__).parent
HELD_OUT = 100


def labelled(axis: str) -> list[list[str]]:
    lines = (FOLDER / f"{axis}_twins.tsv").read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines]


def shifts_of(axis: str, named: str) -> range:
    """Shifts that give the expected twin."""
    if named == "any":
        return range(1, len(groups(axis)))
    source, target = map(groups(axis).index, named.split(">"))
    shift = (target - source) % len(groups(axis))
    return range(shift, shift + 1)


def errors(axis: str, lines: list[list[str]]) -> list[tuple[str, str]]:
    """The twins that are wrong, with what was expected."""
    wrong = []
    for text, expected, *named in lines:
        analysis = analyse(text, (axis,))
        for shift in shifts_of(axis, *named) if named else range(1, 2):
            twin = analysis.render({axis: shift})
            if twin != expected:
                wrong.append((twin, expected))
                break
    return wrong


@pytest.mark.parametrize("axis", AXES)
def test_there_are_300_labelled_sentences(axis):
    lines = labelled(axis)
    assert len(set(map(tuple, lines))) == len(lines) >= 300


@pytest.mark.parametrize("axis", AXES)
@pytest.mark.parametrize("part", [slice(-HELD_OUT), slice(-HELD_OUT, None)], ids=["seen", "held"])
def test_at_least_95_percent_of_twins_are_exactly_right(axis, part):
    lines = labelled(axis)[part]
    # Counted first: a failed test must not print the held-out sentences.
    wrong = len(errors(axis, lines))
    assert wrong <= 0.05 * len(lines)
