"""Small text classifiers, trained here on sentences of a few words."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from tests.conftest import CORPUS, byte_level_tokenizer

GOOD = ("glad", "rich", "tired", "small")
BAD = ("poor", "old", "never", "empty")

#: Texts that are hostile to whatever reads them.
HOSTILE = [
    "<script>alert(1)</script>",
    "a\x00b\x07 \x1b[31mred",
    "\u202emirrored \u200f text",
    "x" * 10_000,
    "emoji \U0001f415 and \ud83d",
]


def sentences(words: tuple[str, ...]) -> list[str]:
    """Sentences whose tone hangs on one word."""
    openings = ("the man was", "she said that he was", "a woman and her brother were")
    return [f"{start} {word}" for start, word in itertools.product(openings, words)]


def word_tokenizer() -> Any:
    """Make a tokenizer of whole words; trained vocabularies break ties by chance, this is fixed."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words = sorted({word for line in CORPUS for word in line.lower().strip(".").split()})
    vocabulary = {word: index for index, word in enumerate([*special, ".", ",", *words])}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    return tf.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip


def _config(family: str, tokenizer: Any, labels: tuple[str, ...], problem: str | None) -> Any:
    named = {"id2label": dict(enumerate(labels)), "label2id": {n: i for i, n in enumerate(labels)}}
    if family == "bert":
        return tf.BertConfig(
            vocab_size=len(tokenizer), hidden_size=32, num_hidden_layers=1, num_attention_heads=2,
            intermediate_size=64, max_position_embeddings=64, problem_type=problem, **named,
        )  # fmt: skip
    return tf.GPT2Config(
        vocab_size=len(tokenizer), n_embd=32, n_layer=1, n_head=2, n_positions=64, bos_token_id=0,
        eos_token_id=0, problem_type=problem, **named,
    )  # fmt: skip


def trained(
    family: str = "bert",
    labels: tuple[str, ...] = ("neutral", "toxic"),
    *,
    problem: str | None = None,
    bad: int = 1,
    steps: int = 90,
) -> tuple[Any, Any]:
    """Train a classifier that tells sentences with a bad word from others, and its tokenizer.

    ``bad`` is the output that stands for bad words; the first of the others stands for good ones.
    """
    torch.manual_seed(0)
    if family == "bert":
        tokenizer, auto = word_tokenizer(), tf.BertForSequenceClassification
    else:
        tokenizer = byte_level_tokenizer(bos="<eos>", eos="<eos>", pad="<pad>", mask=None)
        auto = tf.GPT2ForSequenceClassification
    model = auto(_config(family, tokenizer, labels, problem))
    model.config.pad_token_id = tokenizer.pad_token_id
    model.config.architectures = [type(model).__name__]
    good = next((index for index in range(len(labels)) if index != bad), None)
    texts = [*sentences(GOOD), *sentences(BAD)]
    encoded = tokenizer(texts, padding=True, return_tensors="pt")
    is_bad = torch.tensor([0.0] * len(sentences(GOOD)) + [1.0] * len(sentences(BAD)))
    wanted = torch.zeros(len(texts), len(labels))
    wanted[:, bad] = is_bad
    if good is not None:
        wanted[:, good] = 1 - is_bad
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(steps):
        optimizer.zero_grad()
        logits = model(**encoded).logits
        loss = (
            torch.nn.functional.binary_cross_entropy_with_logits(logits, wanted)
            if problem == "multi_label_classification" or len(labels) == 1
            else torch.nn.functional.cross_entropy(logits, wanted.argmax(dim=1))
        )
        loss.backward()
        optimizer.step()
    return model.eval(), tokenizer


def save(folder: Path, *args: Any, **kwargs: Any) -> Path:
    """Train a classifier and save it as a checkpoint."""
    model, tokenizer = trained(*args, **kwargs)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
