"""Canaries: records of random tokens by which an auditor sees whether training kept its claim."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fairaudit.errors import DataError, FairauditError, ResultError, UsageError
from fairaudit.parsing import parse_json
from fairaudit.results.privacy import CanaryStatement
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.probe_rows import ordinary_ids
from fairaudit.training.draws import labeller
from fairaudit.training.encoding import Ids, Record, Row, RowFrame, row_frame
from fairaudit.training.evaluation import record_losses
from fairaudit.training.masking import Masker
from fairaudit.training.one_run_audit import counts_of, one_run_bound
from fairaudit.training.tradeoff_audit import gaussian_epsilon, least_gaussian

#: The file in ``private/``.
FILE: Final = "canaries.json"
#: Fewer cannot rule out any ε.
LEAST: Final = 20
#: Tokens of a canary, where they fit: long enough to be learned, and like no text.
_TOKENS: Final = 32


@dataclass(frozen=True, slots=True)
class Canaries:
    """All canaries of a run, and the coins. Whoever knows the coins must not publish them.

    Parameters
    ----------
    rows : tuple of tuple of int
        Token ids of each, with special tokens.
    present : tuple of bool
        Which of them are in the text.
    base_losses : tuple of float
        Mean −log P of each by the base model.
    max_length : int
        Of the rows.
    """

    rows: tuple[Ids, ...]
    present: tuple[bool, ...]
    base_losses: tuple[float, ...]
    max_length: int

    @property
    def records(self) -> tuple[Record, ...]:
        """Those that are in, as records of one row without twins."""
        coins = zip(self.rows, self.present, strict=True)
        return tuple(((Row.of(row),),) for row, here in coins if here)

    @property
    def content(self) -> dict[str, Any]:
        """What ``private/canaries.json`` holds."""
        return asdict(self)


def draw_canaries(
    count: int, loaded: LoadedModel, frame: RowFrame, rng: np.random.Generator
) -> Canaries:
    """Draw canaries and their coins.

    Parameters
    ----------
    count : int
        How many.
    loaded : LoadedModel
        The base model.
    frame : RowFrame
        Of the rows of the training text.
    rng : numpy.random.Generator
        Source of tokens and coins.

    Raises
    ------
    UsageError
        If there are too few to say anything.
    """
    if count < LEAST:
        raise UsageError(f"{count} canaries say nothing about epsilon; plant {LEAST} or more")
    ids = np.array(ordinary_ids(loaded.tokenizer, loaded.vocabulary_size))
    length = min(_TOKENS, frame.room)
    texts = rng.choice(ids, (count, length))
    rows = tuple((*frame.start, *map(int, text), *frame.end) for text in texts)
    coins = tuple(bool(coin) for coin in rng.random(count) < 0.5)
    return Canaries(rows, coins, _losses(loaded, rows, frame), frame.max_length)


def read_canaries(folder: Path) -> Canaries:
    """Read the canaries of a run from ``private/``.

    Raises
    ------
    ResultError
        If there are none, or the file is damaged.
    """
    path = folder / "private" / FILE
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
        rows = tuple(tuple(int(one) for one in row) for row in content["rows"])
        present = tuple(content["present"])
        losses = tuple(float(one) for one in content["base_losses"])
        if not len(rows) == len(present) == len(losses) >= LEAST:
            raise ValueError("not one coin and one loss for each canary")
        if not all(isinstance(one, bool) for one in present) or not np.isfinite(losses).all():
            raise ValueError("a coin is neither true nor false, or a loss is no number")
        return Canaries(rows, present, losses, int(content["max_length"]))
    except FileNotFoundError:
        raise ResultError(
            f"{path}: no such file; canaries are planted by `finetune --canaries` and can be "
            "checked where private/ is"
        ) from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResultError(f"{path}: not a readable file of canaries ({error})") from error


def canary_bound(canaries: Canaries, model: LoadedModel, delta: float) -> CanaryStatement:
    """Say what the canaries tell of ε: how much better the model knows them than its base did.

    Parameters
    ----------
    canaries : Canaries
        With the coins.
    model : LoadedModel
        The fine-tuned model.
    delta : float
        δ of the claim.

    Raises
    ------
    DataError
        If the rows are not of this model's vocabulary.
    """
    frame = row_frame(model.tokenizer, model.kind, canaries.max_length)
    gained = np.array(canaries.base_losses) - _losses(model, canaries.rows, frame)
    present = np.array(canaries.present)
    found = one_run_bound(gained, present, delta)
    counts = counts_of(gained, present)
    shift = least_gaussian(found.canaries, counts, 1 - found.level)
    return CanaryStatement(
        planted=found.canaries,
        guesses=found.guesses,
        right=found.right,
        epsilon_lower_bound=found.epsilon,
        gaussian_lower_bound=gaussian_epsilon(shift, delta),
        counts=tuple(counts),
        level=found.level,
    )


def _losses(loaded: LoadedModel, rows: Sequence[Ids], frame: RowFrame) -> tuple[float, ...]:
    label = labeller(None if loaded.kind == "causal" else Masker.of(loaded.tokenizer, frame))
    try:
        for row in rows:
            loaded.check_ids(row)
    except FairauditError as error:
        raise DataError(f"the canaries are not of this model: {error}") from error
    found = record_losses(loaded, [((Row.of(row),),) for row in rows], label, pad_id=loaded.pad_id)
    return tuple(map(float, found))
