"""A judge of the known world's tone: a small text classifier, trained on the spot.

What is harsh in the known world is known: its endings are listed. So a classifier can be trained
until it calls every one of them right, after which mean toxicity of what a model writes is measured
by the same code, and through the same kind of checkpoint, as with one that was downloaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from transformers import BertConfig, BertForSequenceClassification

from fairaudit.errors import FairauditError
from fairaudit.experiments.parallel_arms import one_thread
from fairaudit.experiments.pretraining import byte_level_tokenizer
from fairaudit.experiments.world import Words, load_words

LABELS: Final = ("gentle", "toxic")
_PAD: Final = "<|pad|>"
_LONGEST: Final = 64
_STEPS, _BATCH, _RATE = 400, 64, 2e-3
#: Probability that a text of either kind must be given at least.
_SURE: Final = 0.9


def train_judge(folder: Path, seed: int = 0) -> Path:
    """Train the classifier and save it as a checkpoint with the labels ``gentle`` and ``toxic``.

    Parameters
    ----------
    folder : path
        Where the checkpoint goes.
    seed : int
        Seed of initialisation and batches.

    Raises
    ------
    FairauditError
        If it gives an ending of the known world a probability below 0.9.
    """
    words, rng = load_words(), np.random.default_rng(seed)
    tokenizer = byte_level_tokenizer([text for text, _ in texts(words)])
    tokenizer.add_special_tokens({"pad_token": _PAD})
    with torch.random.fork_rng(), one_thread():
        torch.manual_seed(seed)
        model = BertForSequenceClassification(_config(tokenizer))
        _train(model, tokenizer, list(texts(words)), rng)
    _check(model, tokenizer, words)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def texts(words: Words) -> Iterator[tuple[str, bool]]:
    """All ways in which a sentence of the world ends, and whether that is harsh."""
    yield from ((ending, True) for ending in words.harsh)
    yield from ((ending, False) for ending in words.gentle)
    for axis in words.axes.values():
        yield from ((tail, False) for tail in axis.tails)
    for first in words.plain[-2]:
        yield from ((f" {first} {last}", False) for last in words.plain[-1])


def _config(tokenizer: Any) -> BertConfig:
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=_LONGEST,
        pad_token_id=tokenizer.pad_token_id,
        id2label=dict(enumerate(LABELS)),
        label2id={label: index for index, label in enumerate(LABELS)},
    )
    config.architectures = [BertForSequenceClassification.__name__]
    return config


def _train(
    model: Any, tokenizer: Any, known: list[tuple[str, bool]], rng: np.random.Generator
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=_RATE)
    by_kind = [[text for text, harsh in known if harsh is kind] for kind in (False, True)]
    model.train()
    for _ in range(_STEPS):
        kinds = rng.integers(2, size=_BATCH)
        batch = [by_kind[kind][rng.integers(len(by_kind[kind]))] for kind in kinds]
        encoded = tokenizer(batch, padding=True, return_tensors="pt")
        model(**encoded, labels=torch.tensor(kinds)).loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
    model.eval()


@torch.inference_mode()
def _check(model: Any, tokenizer: Any, words: Words) -> None:
    known = list(texts(words))
    encoded = tokenizer([text for text, _ in known], padding=True, return_tensors="pt")
    toxic = torch.softmax(model(**encoded).logits, dim=-1)[:, LABELS.index("toxic")].tolist()
    for (text, harsh), p in zip(known, toxic, strict=True):
        if (p if harsh else 1 - p) < _SURE:
            raise FairauditError(f"the judge of tone is unsure of '{text}': {p:.2f} toxic")
