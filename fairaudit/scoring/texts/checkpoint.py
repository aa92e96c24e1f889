"""Loading a text classifier, and refusing one whose scores could not be trusted.

As for audited models: safetensors only, no remote code, every weight from its file and every
weight of the file used, no NaN.
"""

from __future__ import annotations

import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import torch
import transformers

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.identity import check_finite, fingerprint
from fairaudit.scoring.checkpoints.limits import longest_row
from fairaudit.scoring.checkpoints.place import Place, load_config, load_tokenizer, locate
from fairaudit.scoring.checkpoints.weights import Target, load_weights, quantization
from fairaudit.scoring.load import choose_device

logger = logging.getLogger(__name__)

Reading = Literal["softmax", "sigmoid"]

#: A commit fixes the content; a branch or tag may move, so there the content itself is named.
_COMMIT: Final = re.compile(r"[0-9a-f]{7,40}")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a classifier lies, as written: ``<Hub id or folder>[@revision][#label]``."""

    name: str
    revision: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True)
class LoadedClassifier:
    """A text classifier ready to be asked.

    Parameters
    ----------
    id : str
        Name with the commit that was asked for, otherwise with 12 digits of its fingerprint.
    labels : tuple of str
        The checkpoint's own label names, in the order of its outputs.
    reading : {"softmax", "sigmoid"}
        Labels that exclude each other, or that may hold together.
    longest : int or None
        Tokens that it can read.
    vocabulary_size : int
        Rows of its embedding.
    """

    model: Any
    tokenizer: Any
    id: str
    labels: tuple[str, ...]
    reading: Reading
    longest: int | None
    vocabulary_size: int


def address(source: str | os.PathLike[str]) -> Address:
    """Take an address apart; a folder of exactly that name is a folder.

    >>> address("unitary/toxic-bert@4d6c22e#toxic")
    Address(name='unitary/toxic-bert', revision='4d6c22e', label='toxic')
    """
    text = os.fspath(source)
    if Path(text).is_dir():
        return Address(text)
    rest, _, label = text.partition("#")
    if Path(rest).is_dir():
        return Address(rest, None, label or None)
    name, _, revision = rest.partition("@")
    return Address(name, revision or None, label or None)


def load_classifier(source: str | os.PathLike[str], *, device: str = "auto") -> LoadedClassifier:
    """Load a sequence-classification checkpoint and check it.

    Parameters
    ----------
    source : str or path
        See `Address`.
    device : str
        As for audited models.

    Raises
    ------
    ModelError
        In one line: what is wrong with the checkpoint and what to do.
    """
    where = address(source)
    place = locate(where.name, revision=where.revision)
    tokenizer = load_tokenizer(place)
    target = choose_device(device)
    model = _load_model(place, target)
    check_finite(model)
    name = place.id
    return LoadedClassifier(
        id=_id(name, where, fingerprint(model, tokenizer)),
        labels=_labels(model, name),
        reading=_reading(model.config, name),
        longest=longest_row(model, tokenizer),
        vocabulary_size=model.get_input_embeddings().num_embeddings,
        tokenizer=_padding(model, tokenizer, name),
        model=model.eval() if quantization(model.config) else model.to(target).float().eval(),
    )


def _load_model(place: Place, device: torch.device) -> Any:
    if place.is_adapter:
        raise ModelError(
            f"{place.name} is an adapter; merge it into its base and name the whole classifier"
        )
    if place.gguf is not None:
        raise ModelError(f"{place.name} is a GGUF file; name a classifier in safetensors")
    config = load_config(place)
    names = config.architectures or []
    if not any(name.endswith("ForSequenceClassification") for name in names):
        named = ", ".join(names) or "none"
        raise ModelError(f"{place.name}: architecture {named} is no text classifier")
    auto = transformers.AutoModelForSequenceClassification
    model, notes = load_weights(place, auto, config, Target(device), dtype=torch.float32)
    for note in notes:
        logger.info("%s", note)
    return model


def _id(name: str, where: Address, fingerprint: str) -> str:
    fixed = where.revision is not None and _COMMIT.fullmatch(where.revision)
    label = "" if where.label is None else f"#{where.label}"
    return f"{name}@{where.revision if fixed else fingerprint[:12]}{label}"


def _labels(model: Any, name: str) -> tuple[str, ...]:
    labels = tuple(str(model.config.id2label[index]) for index in range(model.config.num_labels))
    if len(set(map(str.lower, labels))) < len(labels):
        raise ModelError(f"{name}: two labels of the classifier have one name; see its config.json")
    return labels


def _reading(config: Any, name: str) -> Reading:
    """Take the checkpoint at its word; without one, a single output is a yes-or-no."""
    if config.problem_type == "regression":
        raise ModelError(f"{name}: the classifier gives numbers, not probabilities (regression)")
    several = config.problem_type == "multi_label_classification"
    return "sigmoid" if several or config.num_labels == 1 else "softmax"


def _padding(model: Any, tokenizer: Any, name: str) -> Any:
    """Let batches be padded, by the token that the model knows as padding.

    A decoder's classifier finds the last token of a text by it.
    """
    rows = model.get_input_embeddings().num_embeddings
    known = (model.config.pad_token_id, tokenizer.pad_token_id, tokenizer.eos_token_id)
    # A token of ordinary text would be cut out of texts if it became special.
    usable = [token for token in known if token in tokenizer.all_special_ids and token < rows]
    if not usable:
        raise ModelError(f"{name}: the classifier's tokenizer has no padding token")
    tokenizer.pad_token = tokenizer.convert_ids_to_tokens(usable[0])
    model.config.pad_token_id = usable[0]
    return tokenizer
