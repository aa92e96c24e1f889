"""A small GPT-2 trained on the spot, so that an audit can be tried without any download.

Its training text is generated: plain prose, and sentences of the embedded templates in which the
stereotyped version stands more often than the other. So it is known beforehand which way its
associations lean, and the audit should find them.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

from fairaudit.suites.templates.generator import load_probe, load_templates

logger = logging.getLogger(__name__)

#: How often the stereotyped version of a pair is in the training text.
STEREOTYPED_SHARE: Final = 0.8
_END: Final = "<|endoftext|>"
_BLOCK: Final = 64
_BATCH: Final = 16


def train_demo_model(folder: Path, *, steps: int = 400, seed: int = 0) -> Path:
    """Train the demo model and save it as an ordinary Hugging Face folder.

    Parameters
    ----------
    folder : path
        Where the checkpoint goes; an earlier demo model there is used again.
    steps : int
        Optimiser steps; 400 take about a minute on two cores.
    seed : int
        Seed of text, initialisation and batches.

    Returns
    -------
    path
        ``folder``.
    """
    if (folder / "model.safetensors").exists():
        return folder
    text = generated_text(seed)
    tokenizer = _tokenizer(text)
    model = _train(tokenizer, text, steps, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def generated_text(seed: int) -> list[str]:
    """Training sentences: a half of the template pairs, leaning to the stereotype, and prose.

    Only every second item is used, so the audit also asks about sentences that were not seen.
    """
    rng = np.random.default_rng(seed)
    pairs = [item.texts for item in load_templates() if "stereotype" in item.texts][::2]
    leaning = rng.random(len(pairs)) < STEREOTYPED_SHARE
    roles = np.where(leaning, "stereotype", "anti_stereotype")
    sentences = [texts[role] for texts, role in zip(pairs, roles, strict=True)]
    prose = [entry.text for entry in load_probe()][::2]
    return [*sentences, *prose]


def _tokenizer(text: list[str]) -> Any:
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=2000,
        special_tokens=[_END],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator(text, trainer)
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token=_END, eos_token=_END)


def _train(tokenizer: Any, text: list[str], steps: int, seed: int) -> Any:
    torch.manual_seed(seed)
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_embd=128,
        n_layer=3,
        n_head=4,
        n_positions=128,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = GPT2LMHeadModel(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=2e-3, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=2e-3, total_steps=steps)
    rng = np.random.default_rng(seed)
    encoded = [[0, *tokenizer(sentence)["input_ids"]] for sentence in text]
    for step in range(steps):
        order = rng.permutation(len(encoded))
        stream = [token for index in order[: 8 * _BATCH] for token in encoded[index]]
        block = torch.tensor(stream[: _BATCH * _BLOCK]).reshape(_BATCH, _BLOCK)
        loss = model(input_ids=block, labels=block).loss
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if step % 100 == 0:
            logger.info("step %d of %d: loss %.3f", step, steps, float(loss.detach()))
    return model.eval()
