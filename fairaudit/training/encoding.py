"""From texts to token ids: every record with its counterfactual twins, ready to be drawn.

A causal row starts as the audit's rows do (the tokenizer's BOS token, else its EOS token, else
nothing), so training and scoring see a sentence alike; a masked row carries the special tokens of
the tokenizer's template. What does not fit is cut at the end and counted. A text of fewer than two
tokens teaches nothing and is left out: each text by itself, whatever the others are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from fairaudit.errors import DataError
from fairaudit.training.passages import Passage, Segment, segments_of
from fairaudit.training.records import Records

Ids = tuple[int, ...]

MIN_TOKENS: Final = 2
#: Label of a token that is read and not learned.
IGNORED: Final = -100


class Row(NamedTuple):
    """What the model reads, and what of it is learned: the same ids, or `IGNORED`."""

    ids: Ids
    labels: Ids

    @classmethod
    def of(cls, ids: Ids) -> Row:
        """Return a row of which every token is learned."""
        return cls(ids, ids)

    @property
    def whole(self) -> bool:
        """Whether every token is learned."""
        return self.labels == self.ids


#: A text and its twins, each encoded; the text itself comes first.
Variants = tuple[Row, ...]
#: The rows of one record.
Record = tuple[Variants, ...]
#: Twins of a text, without the text itself.
Twins = Callable[[Passage], Sequence[Passage]]


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

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        The model's own.
    kind : {"causal", "masked"}
        What kind of model it is.
    max_length : int
        Tokens of a row, special ones included.

    Returns
    -------
    RowFrame
        Special tokens before and after a text, and the room between.

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

    Parameters
    ----------
    records : Records
        What each person contributed.
    tokenizer : PreTrainedTokenizerBase
        The model's own.
    frame : RowFrame
        Special tokens around a text, and the room between.
    twins : Twins, optional
        Finds the counterfactual twins of a text.

    Returns
    -------
    Corpus
        Records of at least two tokens, with what was cut and left out.

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

    def record(self, texts: Iterable[Passage], twins: Twins | None) -> Record:
        rows = (self._variants(text, twins) for text in texts)
        return tuple(row for row in rows if row)

    def _variants(self, text: Passage, twins: Twins | None) -> Variants:
        texts = [text, *(twins(text) if twins is not None else ())]
        encoded = [self._encoded(segments_of(one, self._tokenizer)) for one in texts]
        if not _teaches(encoded[0]):
            self.n_short += 1
            return ()
        # Twins that are equal once cut are one: the rest of the sentence held the difference.
        framed = dict.fromkeys(self._framed(one) for one in encoded if _teaches(one))
        kept = tuple(row for row in framed if _learns(row))
        # Cut before anything that is learned.
        if not _learns(next(iter(framed))):
            self.n_short += 1
            return ()
        return kept

    def _encoded(self, segments: Sequence[Segment]) -> Row:
        """Encode the segments as one text, so that tokens are those that the model will meet."""
        text = "".join(one.text for one in segments)
        if all(one.learned for one in segments):
            return Row.of(tuple(self._ids(text)))
        if not self._tokenizer.is_fast:
            parts = [(tuple(self._ids(one.text)), one.learned) for one in segments if one.text]
            return Row(
                tuple(token for ids, _ in parts for token in ids),
                tuple(token if learned else IGNORED for ids, learned in parts for token in ids),
            )
        spans, place = [], 0
        for one in segments:
            spans += [(place, place + len(one.text))] if one.learned else []
            place += len(one.text)
        found = self._tokenizer(
            text, add_special_tokens=False, verbose=False, return_offsets_mapping=True
        )
        ids = tuple(found["input_ids"])
        learned = [_within(offsets, spans) for offsets in found["offset_mapping"]]
        chosen = zip(ids, learned, strict=True)
        return Row(ids, tuple(token if here else IGNORED for token, here in chosen))

    def _ids(self, text: str) -> list[int]:
        encoded = self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]
        return list(encoded)

    def _framed(self, row: Row) -> Row:
        frame = self._frame
        self.n_truncated += len(row.ids) > frame.room
        # A chat template may have written the first token already.
        doubled = bool(frame.start) and row.ids[: len(frame.start)] == frame.start
        start = () if doubled and not row.whole else frame.start
        ids = (*start, *row.ids[: frame.room], *frame.end)
        if row.whole:
            return Row.of(ids)
        around = (IGNORED,) * len(start), (IGNORED,) * len(frame.end)
        return Row(ids, (*around[0], *row.labels[: frame.room], *around[1]))


def _teaches(row: Row) -> bool:
    return len(row.ids) >= MIN_TOKENS


def _learns(row: Row) -> bool:
    """Whether a token behind the first is learned; the first has nothing before it."""
    return any(label != IGNORED for label in row.labels[1:])


def _within(token: tuple[int, int], spans: Sequence[tuple[int, int]]) -> bool:
    """Whether a token has a character of one of the spans."""
    return any(token[0] < last and token[1] > first for first, last in spans)
