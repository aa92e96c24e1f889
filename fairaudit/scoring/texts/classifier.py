"""Toxicity and regard by any text-classification checkpoint of `transformers`.

The whole class vector is kept. Texts are deduplicated, sorted by length and padded to batches under
a budget of tokens. A text that the classifier gives no number for is skipped, never 0.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any, Final

import torch
from torch import Tensor

from fairaudit.errors import ModelError
from fairaudit.items import Continuation, Skipped
from fairaudit.ranks import ranks
from fairaudit.scoring.batch_independence import Agree, find_batching, rounding
from fairaudit.scoring.batching import Batching, fitting
from fairaudit.scoring.checkpoints.limits import check_ids
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory
from fairaudit.scoring.probe_rows import Ids, probe_rows
from fairaudit.scoring.texts.base import EMPTY, Scores, is_empty
from fairaudit.scoring.texts.checkpoint import LoadedClassifier, address, load_classifier
from fairaudit.scoring.texts.masking import masked

logger = logging.getLogger(__name__)

#: Label names that mean toxic, the plainest first: the first that a checkpoint has is taken.
TOXIC_NAMES: Final = (
    "toxic",
    "toxicity",
    "hate",
    "hateful",
    "hate_speech",
    "offensive",
    "abusive",
)
#: Names of the four classes of regard; Sheng et al. 2019 number them.
REGARD_NAMES: Final = {
    "negative": "negative",
    "neutral": "neutral",
    "other": "other",
    "positive": "positive",
    "-1": "negative",
    "0": "neutral",
    "1": "positive",
    "2": "other",
}
#: What the labels that say something bad of a text are called.
TOXIC: Final = "toxic"
NEGATIVE: Final = "negative"
_TOKENS: Final = {"cpu": 2048, "cuda": 32768}

#: What a scorer reads of a continuation, or why it cannot.
Prepare = Callable[[Continuation], str | Skipped]


class Classifier:
    """Probability of each class of a checkpoint for each text.

    Parameters
    ----------
    loaded : LoadedClassifier
        The checkpoint.
    names : mapping of str to str
        Name under which each of its labels is reported.
    prepare : callable
        What is read of a continuation.
    token_budget : int or None
        Padded tokens per batch; None chooses by device.

    Attributes
    ----------
    n_truncated : int
        Texts, of all that were scored, of which only the beginning could be read.
    """

    def __init__(
        self,
        loaded: LoadedClassifier,
        names: Mapping[str, str],
        prepare: Prepare,
        token_budget: int | None = None,
    ) -> None:
        self._loaded = loaded
        self._device = next(loaded.model.parameters()).device
        self._token_budget = token_budget or _TOKENS.get(self._device.type, _TOKENS["cuda"])
        self._prepare = prepare
        self.id = loaded.id
        self.labels = tuple(names[label] for label in loaded.labels)
        self.n_truncated = 0

    @property
    def judging(self) -> str | None:
        """The label that says something bad of a text: ``toxic``, or ``negative`` regard."""
        return next((name for name in (TOXIC, NEGATIVE) if name in self.labels), None)

    def unmasked(self) -> Classifier:
        """Return the same classifier, reading texts as they are; it counts truncations anew."""
        names = dict(zip(self._loaded.labels, self.labels, strict=True))
        return Classifier(self._loaded, names, _continuation, self._token_budget)

    def score(self, texts: Sequence[Continuation]) -> list[Scores | Skipped]:
        """Class probabilities of each text."""
        prepared = [EMPTY if is_empty(one.text) else self._prepare(one) for one in texts]
        distinct = list(dict.fromkeys(text for text in prepared if isinstance(text, str)))
        lengths = dict(zip(distinct, self._lengths(distinct), strict=True))
        answers: dict[str, Scores | Skipped] = {}
        batches = [*self._batches(lengths)]
        read = ranks().over(batches, self._safely, lambda one: sum(lengths[text] for text in one))
        for batch, found in read:
            answers.update(zip(batch, found, strict=True))
        self.n_truncated += sum(
            lengths[text] > self._limit for text in prepared if isinstance(text, str)
        )
        return [text if isinstance(text, Skipped) else answers[text] for text in prepared]

    @cached_property
    def batching(self) -> Batching:
        """How texts may run together without changing each other's probabilities."""
        loaded = self._loaded
        rows = probe_rows(loaded.tokenizer, loaded.vocabulary_size, loaded.longest)
        return find_batching(self._read, rows, _same(self._loaded.model))

    @property
    def _limit(self) -> float:
        return math.inf if self._loaded.longest is None else self._loaded.longest

    def _lengths(self, texts: list[str]) -> list[int]:
        """Tokens of each text, before any is cut off."""
        if not texts:
            return []
        found = self._loaded.tokenizer([_encodable(text) for text in texts], verbose=False)
        return [len(ids) for ids in found["input_ids"]]

    def _batches(self, lengths: Mapping[str, int]) -> Iterator[Sequence[str]]:
        """Texts of like length, longest first, at most a budget of padded tokens together."""
        order = sorted(lengths, key=lambda text: (-lengths[text], text))
        start = 0
        while start < len(order):
            longest = max(1, min(lengths[order[start]], self._limit))
            size = max(1, int(self._token_budget // longest))
            batch = order[start : start + size]
            yield from fitting(batch, lambda text: min(lengths[text], self._limit), self.batching)
            start += size

    def _safely(self, batch: Sequence[str]) -> list[Scores | Skipped]:
        try:
            return [self._answer(row) for row in self._probabilities(batch)]
        except MEMORY_ERRORS as error:
            if not out_of_memory(error):
                raise
        if len(batch) == 1:
            return [Skipped("the classifier ran out of memory on this text")]
        logger.warning("out of memory with %d texts; the batch is split", len(batch))
        middle = len(batch) // 2
        return [*self._safely(batch[:middle]), *self._safely(batch[middle:])]

    def _read(self, rows: Sequence[Ids]) -> list[Tensor]:
        """Logits [1, labels] of each row, all run in one batch."""
        width, pad = max(map(len, rows)), self._loaded.tokenizer.pad_token_id or 0
        ids = torch.tensor([row + (pad,) * (width - len(row)) for row in rows])
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])
        inputs = {"input_ids": ids.to(self._device), "attention_mask": mask.to(self._device)}
        return list(self._logits(inputs)[:, None])

    @torch.inference_mode()
    def _logits(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Logits [rows, labels]."""
        logits: Tensor = self._loaded.model(**inputs).logits.float()
        return logits

    @torch.inference_mode()
    def _run(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """Probabilities [rows, labels]."""
        logits = self._logits(inputs)
        several = self._loaded.reading == "sigmoid"
        return torch.sigmoid(logits) if several else torch.softmax(logits, dim=-1)

    def _probabilities(self, batch: Sequence[str]) -> list[list[float]]:
        encoded = self._loaded.tokenizer(
            [_encodable(text) for text in batch],
            padding=True,
            padding_side="right",
            truncation=self._loaded.longest is not None,
            max_length=self._loaded.longest,
            return_tensors="pt",
        )
        check_ids((int(encoded["input_ids"].max()),), self._loaded.vocabulary_size)
        rows: list[list[float]] = self._run(encoded.to(self._device)).cpu().tolist()
        return rows

    def _answer(self, row: list[float]) -> Scores | Skipped:
        if not all(map(math.isfinite, row)):
            return Skipped("the classifier gave no number for this text")
        return dict(zip(self.labels, row, strict=True))


def toxicity_classifier(
    source: str | os.PathLike[str], *, device: str = "auto", token_budget: int | None = None
) -> Classifier:
    """Classifier of the continuation alone, whose toxic label is reported as ``toxic``.

    The label is the one named after ``#`` in the address, otherwise the first of `TOXIC_NAMES`
    that the checkpoint has. Other labels keep their names, in lower case.

    Raises
    ------
    ModelError
        If the checkpoint cannot be loaded, or no label is known to mean toxic.
    """
    loaded = load_classifier(source, device=device)
    toxic = _toxic_label(loaded, address(source).label)
    names = {label: "toxic" if label == toxic else label.lower() for label in loaded.labels}
    return Classifier(loaded, names, _continuation, token_budget)


def regard_classifier(
    source: str | os.PathLike[str], *, device: str = "auto", token_budget: int | None = None
) -> Classifier:
    """Classifier of prompt and continuation with the group's mention masked (Sheng et al. 2019).

    Raises
    ------
    ModelError
        If the checkpoint cannot be loaded, or its labels are not those of regard.
    """
    loaded = load_classifier(source, device=device)
    names = {label: REGARD_NAMES.get(label.lower(), "") for label in loaded.labels}
    if not {"negative", "positive"} <= set(names.values()) or "" in names.values():
        raise ModelError(
            f"{loaded.id}: labels {', '.join(loaded.labels)} are not those of regard; name them "
            "negative, neutral, positive (and other) in id2label of its config.json"
        )
    return Classifier(loaded, names, masked, token_budget)


def any_classifier(source: str | os.PathLike[str], *, device: str = "auto") -> Classifier:
    """Return a classifier of toxicity or of regard, whichever its labels say, reading all text.

    Parameters
    ----------
    source : str or path
        Checkpoint folder or Hub id, perhaps with a label after ``:``.
    device : str
        As in `load_model`.

    Returns
    -------
    Classifier
        Of toxicity or of regard.

    Raises
    ------
    ModelError
        If the checkpoint cannot be loaded, or its labels are of neither.
    """
    loaded = load_classifier(source, device=device)
    if address(source).label is None:
        names = {label: REGARD_NAMES.get(label.lower(), "") for label in loaded.labels}
        if {NEGATIVE, "positive"} <= set(names.values()) and "" not in names.values():
            return Classifier(loaded, names, _continuation)
    toxic = _toxic_label(loaded, address(source).label)
    names = {label: TOXIC if label == toxic else label.lower() for label in loaded.labels}
    return Classifier(loaded, names, _continuation)


def _toxic_label(loaded: LoadedClassifier, wanted: str | None) -> str:
    by_name: dict[str, str] = {label.lower(): label for label in loaded.labels}
    for name in TOXIC_NAMES if wanted is None else (wanted.lower(),):
        if name in by_name:
            return by_name[name]
    problem = "none of them is known to mean toxic" if wanted is None else f"there is no '{wanted}'"
    raise ModelError(
        f"{loaded.id}: labels {', '.join(loaded.labels)}: {problem}; name the toxic one after the "
        "classifier: ...#LABEL"
    )


def _same(model: Any) -> Agree:
    """Make the test of whether logits are the same but for rounding.

    Probabilities would not do: near 0 and 1 they hide what is seen of another text. What is no
    number is skipped later, with its reason.
    """
    tolerance = rounding(model)

    def same(plain: Tensor, other: Tensor) -> bool:
        size = plain.abs().clamp(min=1)
        return not bool(((plain - other).abs() > tolerance * size).any())

    return same


def _continuation(one: Continuation) -> str:
    return one.text


def _encodable(text: str) -> str:
    """Text without lone surrogates, which no tokenizer takes."""
    return text.encode("utf-8", "replace").decode("utf-8")
