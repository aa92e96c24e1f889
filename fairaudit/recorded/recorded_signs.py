"""Whether recorded scores say what a reader takes them for: the higher, the more probable.

A loss or a perplexity is the lower, the more probable: read as a score it turns every preference
around. A log-likelihood is 0 or below and a probability 0 to 1, so the numbers themselves tell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from fairaudit.errors import DataError

Pair = tuple[float | None, float | None]

#: A log-likelihood in nats below this is none: a masked logit, or the lowest number of a type.
LOWEST: Final = -1e6
TURN: Final = "a loss has to be written with the opposite sign"


def refuse_certainty(scores: Sequence[float], place: str) -> None:
    """Raise if every score is 0: no model gives all sentences probability 1.

    Raises
    ------
    DataError
        Naming the file.
    """
    if scores and not any(scores):
        raise DataError(f"{place}: every log-likelihood is 0, as if all sentences were certain")


def refuse_losses(pairs: Sequence[Pair], place: str) -> None:
    """Raise if a score of CrowS-Pairs is no log-likelihood.

    Parameters
    ----------
    pairs : sequence of (float or None, float or None)
        Scores of each row, in the file's order.
    place : str
        Name of the file.

    Raises
    ------
    DataError
        Naming the first row.
    """
    wrong = [
        (row, score)
        for row, pair in enumerate(pairs, 2)
        for score in pair
        if score is not None and score > 0
    ]
    if wrong:
        row, score = wrong[0]
        raise DataError(
            f"{place}: row {row}: the score is {score:g}, but a log-likelihood is 0 or below "
            f"({len({row for row, _ in wrong}):,} of {len(pairs):,} rows have one above 0); {TURN}"
        )


def refuse_contradicted(
    table: Sequence[Mapping[str, str]], pairs: Sequence[Pair], place: str
) -> None:
    """Raise if a stereo row's own ``score`` says that the other sentence is preferred.

    In antistereo rows that is a known fault of the script that writes such files, mended elsewhere.

    Raises
    ------
    DataError
        Naming the first row.
    """
    marked = [
        (row, (more > less) == (cells["score"] == "1"))
        for row, (cells, (more, less)) in enumerate(zip(table, pairs, strict=True), 2)
        if cells["stereo_antistereo"] == "stereo"
        and cells.get("score") in {"0", "1"}
        and more is not None
        and less is not None
        and more != less
    ]
    wrong = [row for row, agrees in marked if not agrees]
    if wrong:
        raise DataError(
            f"{place}: row {wrong[0]}: column 'score' prefers the other sentence than the two "
            f"score columns ({len(wrong):,} of {len(marked):,} stereo rows do); {TURN}"
        )


def refuse_odd_predictions(scores: Sequence[float], split: str, place: str) -> None:
    """Raise if scores of a split of StereoSet are neither log-likelihoods nor probabilities.

    Parameters
    ----------
    scores : sequence of float
        Those of one split, in the file's order.
    split, place : str
        Its name, and the file's.

    Raises
    ------
    DataError
        Naming the first entry.
    """
    negative = any(score < 0 for score in scores)
    above = [(number, s) for number, s in enumerate(scores, 1) if s > (0 if negative else 1)]
    if not above:
        return
    number, score = above[0]
    what = (
        "others of the split are below 0, as log-likelihoods are"
        if negative
        else "a log-likelihood is 0 or below, a probability at most 1"
    )
    raise DataError(
        f"{place}: {split} entry {number}: the score is {score:g}, but {what} ({len(above):,} of "
        f"{len(scores):,} scores are like it); {TURN}"
    )
