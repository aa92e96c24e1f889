"""A small GPT-2 pre-trained on the spot: the base model of the embedded experiment."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from fairaudit.experiments.parallel_arms import one_thread

logger = logging.getLogger(__name__)

_END: Final = "<|endoftext|>"
_VOCABULARY: Final = 2000
_POSITIONS: Final = 128


def pretrain(
    texts: Sequence[str],
    folder: Path,
    *,
    layers: int,
    width: int,
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    on_step: Callable[[int], None] = lambda _: None,
) -> Path:
    """Train tokenizer and model on sentences, and save both as an ordinary checkpoint.

    Parameters
    ----------
    texts : sequence of str
        Sentences; each stands behind its own end-of-text token, as it will when scored.
    folder : path
        Where the checkpoint goes.
    layers, width : int
        Transformer blocks, and their width.
    steps, batch_size : int
        Optimiser steps, and sentences in each.
    learning_rate : float
        Peak of a one-cycle schedule.
    seed : int
        Seed of initialisation and batches.
    on_step : callable, optional
        Called with the number of steps done.
    """
    tokenizer = byte_level_tokenizer(texts)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = GPT2LMHeadModel(_config(len(tokenizer), layers, width))
    rows = [[0, *ids, 0] for ids in tokenizer(list(texts))["input_ids"]]
    with one_thread():
        _train(model, rows, steps, batch_size, learning_rate, seed, on_step)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def byte_level_tokenizer(texts: Iterable[str]) -> Any:
    """Train a byte-level BPE tokenizer of at most 2,000 tokens; id 0 ends and begins a text."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=_VOCABULARY,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=_END, eos_token=_END)


def _config(vocabulary: int, layers: int, width: int) -> GPT2Config:
    config = GPT2Config(
        vocab_size=vocabulary,
        n_embd=width,
        n_layer=layers,
        n_head=4,
        n_positions=_POSITIONS,
        bos_token_id=0,
        eos_token_id=0,
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    config.architectures = ["GPT2LMHeadModel"]
    return config


def _train(
    model: Any,
    rows: list[list[int]],
    steps: int,
    batch_size: int,
    learning_rate: float,
    seed: int,
    on_step: Callable[[int], None],
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), lr=learning_rate, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=learning_rate, total_steps=steps, pct_start=0.1
    )
    rng = np.random.default_rng(seed)
    model.train()
    for step in range(steps):
        chosen = [rows[index] for index in rng.integers(len(rows), size=batch_size)]
        ids, labels = _padded(chosen)
        loss = model(input_ids=ids, labels=labels).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        schedule.step()
        on_step(step + 1)
        if step % 100 == 0:
            logger.info("pre-training step %d of %d: loss %.3f", step, steps, float(loss.detach()))
    model.eval()


def _padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Pad on the right; causal attention never looks there, and the labels leave it out."""
    longest = max(len(row) for row in rows)
    ids = torch.zeros(len(rows), longest, dtype=torch.long)
    labels = torch.full((len(rows), longest), -100)
    for number, row in enumerate(rows):
        ids[number, : len(row)] = torch.tensor(row)
        labels[number, : len(row)] = torch.tensor(row)
    return ids, labels
