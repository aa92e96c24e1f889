"""From requests to rows of token ids, and where in each row a probability is read.

**The BOS rule.** A causal row starts with the tokenizer's BOS token; if it has none, with its EOS
token (as lm-evaluation-harness does); if it has neither, with nothing, and then the first token of
the text is not scored, because nothing precedes it. The tokenizer's own habit of adding special
tokens is switched off for causal rows, so models are treated alike. A masked row carries the
special tokens of the tokenizer's template, and they are never scored.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from difflib import SequenceMatcher
from functools import cached_property
from typing import Any, NamedTuple, TypeVar

from fairaudit.items import (
    Fill,
    FillerLogProbability,
    LogLikelihood,
    PseudoLogLikelihood,
    Skipped,
    TokenRequest,
    UnmaskedLogLikelihood,
)

_OneRequest = TypeVar("_OneRequest", bound=TokenRequest)


@dataclass(frozen=True, slots=True)
class TokenRow:
    """One sequence for the model; rows that are equal are run once.

    Parameters
    ----------
    ids : tuple of int
        Token ids, without padding.
    attention : bool
        Whether attention weights are wanted, which needs a slower attention kernel.
    parents : tuple of int
        Of a row that branches: the token that each one follows, −1 at the beginning. Empty: each
        follows the one before. See `fairaudit.scoring.trees`.
    """

    ids: tuple[int, ...]
    attention: bool = False
    parents: tuple[int, ...] = ()
    #: Rows are looked up many times, once for each token that is read.
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Hash the tokens once."""
        object.__setattr__(self, "_hash", hash((self.ids, self.attention, self.parents)))

    def __hash__(self) -> int:
        """Hash of the tokens."""
        return self._hash


class Read(NamedTuple):
    """Log P(``target``) read from the logits at ``position`` of ``row``.

    A target below 0 is a rank: −1 stands for the likeliest token there, −2 for the second.

    Parameters
    ----------
    row : TokenRow
        The row that is scored.
    position : int
        Place of the logits in it.
    target : int
        A token id; below 0 a rank.
    """

    row: TokenRow
    position: int
    target: int


class _Encoded(NamedTuple):
    """Tokens of a text, and where each begins and ends in it."""

    ids: tuple[int, ...]
    offsets: Sequence[tuple[int, int]]


class Encoder:
    """Turns requests into reads, for one tokenizer and one BOS rule.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
        A Hugging Face tokenizer.
    max_length : int or None
        Longest row the model can take, special tokens included.
    """

    def __init__(self, tokenizer: Any, max_length: int | None) -> None:
        self._tokenizer = tokenizer
        self._max_length = max_length
        self._known: dict[str, _Encoded] = {}

    @property
    def bos_rule(self) -> str:
        """``bos:<token>``, ``eos-as-bos:<token>`` or ``none``; see the module's docstring."""
        if self._tokenizer.bos_token is not None:
            return f"bos:{self._tokenizer.bos_token}"
        if self._tokenizer.eos_token is not None:
            return f"eos-as-bos:{self._tokenizer.eos_token}"
        return "none"

    @cached_property
    def prefix(self) -> tuple[int, ...]:
        """Token that a causal row starts with, by the BOS rule; none: nothing."""
        tokenizer = self._tokenizer
        start = tokenizer.bos_token_id
        start = tokenizer.eos_token_id if start is None else start
        return () if start is None else (int(start),)

    @cached_property
    def frame(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Special tokens that the tokenizer's template puts before and after a sentence."""
        encoded = self._tokenizer("a", return_special_tokens_mask=True)
        ids, special = encoded["input_ids"], encoded["special_tokens_mask"]
        start = special.index(0)
        end = len(special) - special[::-1].index(0)
        return tuple(ids[:start]), tuple(ids[end:])

    def encode(
        self, requests: Iterable[TokenRequest]
    ) -> dict[TokenRequest, tuple[Read, ...] | Skipped]:
        """Find the reads of every distinct request, or why it cannot be asked."""
        distinct = tuple(dict.fromkeys(requests))
        if self._tokenizer.is_fast:
            self._known = self._encoded(_texts_of(map(self._with_masks, distinct)))
        found = {request: self._limited(self._reads(request)) for request in distinct}
        self._known = {}
        return found

    def prompt(self, text: str) -> tuple[int, ...]:
        """Tokens of a text that is to be continued, after BOS."""
        return self.prefix + self._plain(text)

    def _reads(self, request: TokenRequest) -> tuple[Read, ...]:
        match request:
            case LogLikelihood():
                return self._log_likelihood(request)
            case PseudoLogLikelihood():
                return self._pseudo_log_likelihood(request)
            case UnmaskedLogLikelihood():
                return self._unmasked(request)
            case FillerLogProbability():
                return self._filler(request)
            case Fill():
                return self._fill(request)

    def _limited(self, reads: tuple[Read, ...]) -> tuple[Read, ...] | Skipped:
        if not reads:
            return Skipped("no token to score")
        longest = max(len(read.row.ids) for read in reads)
        if self._max_length is not None and longest > self._max_length:
            return Skipped(f"{longest} tokens, the model takes {self._max_length}")
        return reads

    def _encoded(self, texts: Iterable[str]) -> dict[str, _Encoded]:
        """Tokenize many texts at once, which takes a tenth of the time of one by one."""
        distinct = list(dict.fromkeys(texts))
        if not distinct:
            return {}
        found = self._tokenizer(distinct, add_special_tokens=False, return_offsets_mapping=True)
        pairs = zip(found["input_ids"], found["offset_mapping"], strict=True)
        return {
            text: _Encoded(tuple(ids), offsets)
            for text, (ids, offsets) in zip(distinct, pairs, strict=True)
        }

    def _with_offsets(self, text: str) -> _Encoded:
        known = self._known.get(text)
        return self._encoded([text])[text] if known is None else known

    def _plain(self, text: str) -> tuple[int, ...]:
        known = self._known.get(text)
        if known is not None:
            return known.ids
        return tuple(self._tokenizer(text, add_special_tokens=False)["input_ids"])

    def _log_likelihood(self, request: LogLikelihood) -> tuple[Read, ...]:
        text, first = self._continuation(request.context, request.text)
        ids = self.prefix + text
        # The last token is only a target: nothing is read after it, so the model need not see it.
        row = TokenRow(ids[:-1])
        start = max(len(self.prefix) + first, 1)
        scored: Iterable[int] = range(start, len(ids))
        if request.reference is not None:
            reference = self.prefix + self._plain(request.context + request.reference)
            shared = shared_positions(ids, reference, request.text_first)
            scored = (position for position in shared if position >= start)
        return tuple(Read(row, i - 1, ids[i]) for i in scored)

    def _continuation(self, context: str, text: str) -> tuple[tuple[int, ...], int]:
        """Tokens of context and text together, and the index of the first one of the text."""
        if not context:
            return self._plain(text), 0
        if not self._tokenizer.is_fast:
            return self._plain(context + text), len(self._plain(context))
        encoded = self._with_offsets(context + text)
        ends = [end for _, end in encoded.offsets]
        first = next((i for i, end in enumerate(ends) if end > len(context)), len(ends))
        return encoded.ids, first

    def _framed(self, ids: tuple[int, ...]) -> tuple[tuple[int, ...], range]:
        """Row with special tokens, and the positions that are not special."""
        before, after = self.frame
        return before + ids + after, range(len(before), len(before) + len(ids))

    def _pseudo_log_likelihood(self, request: PseudoLogLikelihood) -> tuple[Read, ...]:
        start = request.start
        text, first = self._continuation(request.text[:start], request.text[start:])
        selected = [index for index in self._chosen(text, request) if index >= first]
        chosen = selected[request.stride // 2 :: request.stride]
        ids, positions = self._framed(text)
        return tuple(self._masked_read(ids, positions[i]) for i in chosen)

    def _chosen(self, text: tuple[int, ...], request: PseudoLogLikelihood) -> Sequence[int]:
        if request.positions == "all":
            return range(len(text))
        assert request.reference is not None
        ids, inner = self._framed(text)
        reference, _ = self._framed(self._plain(request.reference))
        # Special tokens take part in the alignment, as in the reference script: they tie the ends.
        aligned = shared_positions(ids, reference, request.text_first)
        shared = [position - inner.start for position in aligned if position in inner]
        if request.positions == "shared":
            return shared
        return sorted(set(range(len(text))).difference(shared))

    def _masked_read(self, ids: tuple[int, ...], position: int) -> Read:
        mask: int = self._tokenizer.mask_token_id
        return Read(
            TokenRow((*ids[:position], mask, *ids[position + 1 :])), position, ids[position]
        )

    def _unmasked(self, request: UnmaskedLogLikelihood) -> tuple[Read, ...]:
        ids, positions = self._framed(self._plain(request.text))
        row = TokenRow(ids, request.attention)
        return tuple(Read(row, position, ids[position]) for position in positions)

    def _filler(self, request: FillerLogProbability) -> tuple[Read, ...]:
        left, filler, right = self._filled(self._with_masks(request))
        reads = []
        for index in range(len(filler)):
            ids, positions = self._framed(left + filler[: index + 1] + right)
            reads.append(self._masked_read(ids, positions[len(left) + index]))
        return tuple(reads)

    def _fill(self, request: Fill) -> tuple[Read, ...]:
        ids, positions = self._framed(self._plain(self._with_masks(request).text))
        masks = [place for place in positions if ids[place] == self._tokenizer.mask_token_id]
        return tuple(Read(TokenRow(ids), place, -request.rank) for place in masks[:1])

    def _with_masks(self, request: _OneRequest) -> _OneRequest:
        """Put the tokenizer's mask wherever the text has a blank."""
        if isinstance(request, Fill):
            text = request.text.replace(request.blank, self._tokenizer.mask_token)
            return replace(request, text=text)
        if not isinstance(request, FillerLogProbability) or not request.blank:
            return request
        before, after = (
            text.replace(request.blank, self._tokenizer.mask_token)
            for text in (request.before, request.after)
        )
        return replace(request, before=before, after=after, blank="")

    def _filled(self, request: FillerLogProbability) -> tuple[tuple[int, ...], ...]:
        """Tokens before, of and after the filler, as the whole sentence is tokenized.

        A space before the filler belongs to it: byte-level tokenizers spell a word in a sentence
        with its leading space.
        """
        before = request.before.rstrip()
        filler = request.before[len(before) :] + request.filler
        if not self._tokenizer.is_fast:
            return tuple(self._plain(part) for part in (before, filler, request.after))
        encoded = self._with_offsets(before + filler + request.after)
        ids, offsets = encoded.ids, encoded.offsets
        end = len(before) + len(filler)
        first = next((i for i, (_, last) in enumerate(offsets) if last > len(before)), len(ids))
        beyond = next((i for i, (start, _) in enumerate(offsets) if start >= end), len(ids))
        return tuple(ids[:first]), tuple(ids[first:beyond]), tuple(ids[beyond:])


def _texts_of(requests: Iterable[TokenRequest]) -> Iterator[str]:
    """Texts that must be tokenized for requests."""
    for request in requests:
        match request:
            case LogLikelihood():
                yield request.context + request.text
                if request.reference is not None:
                    yield request.context + request.reference
            case PseudoLogLikelihood():
                yield request.text
                if request.reference is not None:
                    yield request.reference
            case UnmaskedLogLikelihood():
                yield request.text
            case Fill():
                yield request.text
            case FillerLogProbability():
                yield request.before + request.filler + request.after


def shared_positions(
    text: tuple[int, ...], reference: tuple[int, ...], text_first: bool
) -> list[int]:
    """Positions of ``text`` in the longest matching blocks of both token sequences."""
    first, second = (text, reference) if text_first else (reference, text)
    blocks = SequenceMatcher(None, first, second, autojunk=False).get_matching_blocks()
    starts = ((block.a if text_first else block.b, block.size) for block in blocks)
    return [position for start, size in starts for position in range(start, start + size)]
