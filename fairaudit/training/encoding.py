"""From texts to token ids: every record with its counterfactual twins, ready to be drawn.

A causal row starts as the audit's rows do (the tokenizer's BOS token, else its EOS token, else
nothing), so training and scoring see a sentence alike; a masked row carries the special tokens of
the tokenizer's template. What does not fit is cut at the end and counted. A text of fewer than two
tokens teaches nothing and is left out: each text by itself, whatever the others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairaudit.errors import DataError
from fairaudit.training.records import Records

Ids = tuple[int, ...]
#: A text and its twins, each encoded; the text itself comes first.
Variants = tuple[Ids, ...]
#: The rows of one record.
Record = tuple[Variants, ...]
#: Twins of a text, without the text itself.
Twins = Callable[[str], Sequence[str]]

MIN_TOKENS: Final = 2


@dataclass(frozen=True, slots=True)
class RowFrame:
    """Special tokens around the tokens of a text, and the longest row."""

    start: Ids
    end: Ids
    max_length: int

    @property
    def room(self) -> int:
        """Tokens of text that fit into a row."""
        return self.max_length - len(self.start) - len(self.end)


@dataclass(frozen=True, slots=True)
class Corpus:
    """Encoded records.

    Parameters
    ----------
    records : tuple of Record
        By record, by row, by variant: token ids with special tokens.
    frame : RowFrame
        What stands around each text.
    n_truncated : int
        Texts and twins that did not fit and were cut.
    n_short : int
        Texts of fewer than two tokens, left out.
    n_swapped : int
        Records in which at least one row has a twin.
    """

    records: tuple[Record, ...]
    frame: RowFrame
    n_truncated: int
    n_short: int
    n_swapped: int


def row_frame(tokenizer: Any, kind: str, max_length: int) -> RowFrame:
    """Find the special tokens that a model of this kind sees around a text.

    Raises
    ------
    DataError
        If ``max_length`` leaves no room for two tokens.
    """
    if kind == "causal":
        first = tokenizer.bos_token_id
        first = tokenizer.eos_token_id if first is None else first
        frame = RowFrame(() if first is None else (int(first),), (), max_length)
    else:
        encoded = tokenizer("a", return_special_tokens_mask=True)
        ids, special = encoded["input_ids"], encoded["special_tokens_mask"]
        begin, end = special.index(0), len(special) - special[::-1].index(0)
        frame = RowFrame(tuple(ids[:begin]), tuple(ids[end:]), max_length)
    if frame.room < MIN_TOKENS:
        raise DataError(f"max length {max_length} leaves no room for two tokens; raise it")
    return frame


def encode_records(
    records: Records, tokenizer: Any, frame: RowFrame, twins: Twins | None = None
) -> Corpus:
    """Encode all records, with the twins of each text where some are wanted.

    Raises
    ------
    DataError
        If no record has a text of two tokens.
    """
    coder = _Coder(tokenizer, frame)
    encoded = [coder.record(rows, twins) for rows in records.rows]
    kept = tuple(record for record in encoded if record)
    if not kept:
        raise DataError("no record has a text of at least two tokens")
    swapped = sum(any(len(variants) > 1 for variants in record) for record in kept)
    return Corpus(kept, frame, coder.n_truncated, coder.n_short, swapped)


class _Coder:
    """Encodes texts and counts what was cut or left out."""

    def __init__(self, tokenizer: Any, frame: RowFrame) -> None:
        self._tokenizer, self._frame = tokenizer, frame
        self.n_truncated = self.n_short = 0

    def record(self, texts: Iterable[str], twins: Twins | None) -> Record:
        rows = (self._variants(text, twins) for text in texts)
        return tuple(row for row in rows if row)

    def _variants(self, text: str, twins: Twins | None) -> Variants:
        texts = [text, *(twins(text) if twins is not None else ())]
        encoded = self._tokenizer(texts, add_special_tokens=False, verbose=False)["input_ids"]
        if len(encoded[0]) < MIN_TOKENS:
            self.n_short += 1
            return ()
        long_enough = (ids for ids in encoded if len(ids) >= MIN_TOKENS)
        # Twins that are equal once cut are one: the rest of the sentence held the difference.
        return tuple(dict.fromkeys(self._framed(ids) for ids in long_enough))

    def _framed(self, ids: list[int]) -> Ids:
        frame = self._frame
        self.n_truncated += len(ids) > frame.room
        return (*frame.start, *ids[: frame.room], *frame.end)
