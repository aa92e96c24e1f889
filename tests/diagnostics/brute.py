"""Everything by one backward pass per record, with gradients held as rows of a matrix."""

from __future__ import annotations

import copy
import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from fairaudit.diagnostics.encoding import LabelledRow, RowEncoder
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.records import ProbeRecord
from fairaudit.scoring.load import LoadedModel, load_model
from tests.conftest import build_model

#: Unequal groups, shared and unshared templates, one cell of two records.
GROUPS = ["a", "b", "a", "b", "c", "a", "a", "b", "c", "a", "c"]
TEMPLATES = ["t1", "t1", "t2", "t2", "t2", "t3", "t4", "t5", "t1", "t1", "t6"]
TEXTS = [
    "The nurse said that he was tired.",
    "The nurse said that she was tired.",
    "A man from the north met a poor farmer.",
    "A woman from the north met a rich lawyer at the station.",
    "Most people in the small town knew the engineer.",
    "Nobody could say why he stood there.",
    "The doctor was glad to see the first snow of the year.",
    "She was a rich lawyer.",
    "The old house by the river stood empty.",
    "The nurse said that he was glad.",
    "The long night at work was over.",
]


@functools.cache
def _model(family: str) -> LoadedModel:
    model, tokenizer = build_model(family)
    return load_model((model, tokenizer))


def tiny(family: str) -> LoadedModel:
    """A fresh copy of a small model; weights in fp32."""
    loaded = _model(family)
    return load_model((copy.deepcopy(loaded.model), loaded.tokenizer))


def probe_records() -> list[ProbeRecord]:
    return [
        ProbeRecord(f"r{number}", text, "axis", group, template)
        for number, (text, group, template) in enumerate(zip(TEXTS, GROUPS, TEMPLATES, strict=True))
    ]


def probe_labels() -> Labels:
    return Labels.of(probe_records(), [("axis", "a"), ("axis", "b"), ("axis", "c")])


def encoded(loaded: LoadedModel, records: Sequence[ProbeRecord]) -> list[list[LabelledRow]]:
    encoder = RowEncoder(loaded, max_length=32, seed=3)
    return [
        encoder.rows((record.text,), record=record.id, template=record.template)
        for record in records
    ]


@dataclass
class Brute:
    """Gradients of records as rows, fp64, from autograd alone."""

    losses: np.ndarray
    gradients: np.ndarray

    @property
    def norms(self) -> np.ndarray:
        return np.linalg.norm(self.gradients, axis=1)

    def clipped(self, clip_norm: float) -> np.ndarray:
        return self.gradients * np.minimum(1, clip_norm / self.norms)[:, None]


def row_loss(loaded: LoadedModel, row: LabelledRow) -> torch.Tensor:
    ids, labels = torch.tensor([row.ids]), torch.tensor(row.labels)
    logits = loaded.model(input_ids=ids).logits[0]
    if loaded.kind == "causal":
        logits, labels = logits[:-1], labels[1:]
    read = labels != -100
    return torch.nn.functional.cross_entropy(logits[read], labels[read])


def parameters(loaded: LoadedModel) -> list[torch.Tensor]:
    return list(loaded.model.parameters())


def flat(gradients: Sequence[torch.Tensor | None], like: Sequence[torch.Tensor]) -> np.ndarray:
    parts = [
        torch.zeros_like(p).flatten() if g is None else g.detach().flatten()
        for g, p in zip(gradients, like, strict=True)
    ]
    return torch.cat(parts).double().numpy()


def brute(loaded: LoadedModel, units: Sequence[Sequence[LabelledRow]]) -> Brute:
    like, losses, gradients = parameters(loaded), [], []
    for rows in units:
        loss = sum(row_loss(loaded, row) for row in rows) / len(rows)
        losses.append(loss.item())
        gradients.append(flat(torch.autograd.grad(loss, like, allow_unused=True), like))
    return Brute(np.array(losses), np.array(gradients))


def quadratic(loaded: LoadedModel, row: LabelledRow, direction: np.ndarray) -> float:
    """vᵀHv of one row's loss by double backward."""
    like = parameters(loaded)
    vector = torch.from_numpy(direction).to(like[0].dtype)
    with sdpa_kernel(SDPBackend.MATH):
        loss = row_loss(loaded, row)
        first = torch.autograd.grad(loss, like, create_graph=True, allow_unused=True)
        parts, place = [], 0
        for gradient, parameter in zip(first, like, strict=True):
            part = vector[place : place + parameter.numel()].view_as(parameter)
            place += parameter.numel()
            if gradient is not None:
                parts.append((gradient * part).sum())
        second = torch.autograd.grad(sum(parts), like, allow_unused=True)
    return float(flat(second, like) @ direction)


def as_direction(loaded: LoadedModel, vector: np.ndarray) -> dict[str, torch.Tensor]:
    found, place = {}, 0
    for name, parameter in loaded.model.named_parameters():
        part = torch.from_numpy(vector[place : place + parameter.numel()].copy())
        found[name] = part.view_as(parameter).to(parameter.dtype)
        place += parameter.numel()
    return found


def as_vector(loaded: LoadedModel, gradient: dict[str, torch.Tensor]) -> np.ndarray:
    names = [name for name, _ in loaded.model.named_parameters()]
    return torch.cat([gradient[name].double().flatten() for name in names]).numpy()
