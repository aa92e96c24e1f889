"""What privacy rests on: one unit moves the clipped sum by at most C, whatever its records are."""

from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fairaudit.gradients import GradientEngine, clip_factors, inner_product
from tests.gradients.models import build, make_batch

SLACK = 1.0 + 1e-5
TOKENS = 9


@functools.cache
def engine_of(family: str, lora: bool) -> GradientEngine:
    model = build(family, lora=lora)
    with torch.no_grad():
        # Large weights: confident and wrong predictions, gradients of very different lengths.
        for parameter in model.parameters():
            parameter.mul_(1.5)
    return GradientEngine(model, objective="causal")


def ordinary(seed: int):
    batch = make_batch("gpt2", rows=2, seed=seed)
    return batch["input_ids"], batch["labels"]


def one_token(seed: int):
    """The same token everywhere: the largest coherent gradients of embedding and head."""
    ids = torch.full((2, TOKENS), 3 + seed % 17)
    return ids, ids


def unlikely(seed: int):
    """Labels that have nothing to do with the text."""
    ids = torch.randint(3, 20, (2, TOKENS), generator=torch.Generator().manual_seed(seed))
    return ids, ids.flip(1)


def equal_twins(seed: int):
    ids = ordinary(seed)[0][:1].expand(2, TOKENS).contiguous()
    return ids, ids


def opposed_twins(seed: int):
    """The same text, each position asked for two different tokens: gradients largely cancel."""
    ids = ordinary(seed)[0][:1].expand(2, TOKENS).contiguous()
    labels = torch.stack([torch.full((TOKENS,), 5), torch.full((TOKENS,), 6)])
    return ids, labels


def one_label(seed: int):
    """A single predicted token carries the whole loss."""
    ids, labels = ordinary(seed)
    labels = torch.full_like(labels, -100)
    labels[:, 1] = 19
    return ids, labels


def no_label(seed: int):
    ids, labels = ordinary(seed)
    return ids, torch.full_like(labels, -100)


KINDS = [ordinary, one_token, unlikely, equal_twins, opposed_twins, one_label, no_label]
UNITS = st.tuples(st.sampled_from(KINDS), st.integers(0, 40))


def clipped_sum(engine, units, max_norm, micro_batch):
    """The clipped sum over units of two rows each, in micro-batches."""
    sums = engine.zeros()
    rows = [kind(seed) for kind, seed in units]
    for start in range(0, len(rows), micro_batch):
        part = rows[start : start + micro_batch]
        batch = {
            "input_ids": torch.cat([ids for ids, _ in part]),
            "labels": torch.cat([labels for _, labels in part]),
        }
        query = engine.query(batch, units=2)
        query.weighted_sum(clip_factors(query.norms(), max_norm), into=sums)
    return sums


def distance(first, second):
    difference = {name: first[name].double() - second[name].double() for name in first}
    return inner_product(difference, difference) ** 0.5


@pytest.mark.parametrize("family", ["gpt2", "qwen2"])
@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    others=st.lists(UNITS, max_size=4),
    unit=UNITS,
    instead=UNITS,
    max_norm=st.sampled_from([1e-3, 0.1, 1.0, 100.0]),
    micro_batch=st.integers(1, 4),
)
def test_one_unit_moves_the_sum_by_at_most_its_share(
    family, lora, others, unit, instead, max_norm, micro_batch
):
    engine = engine_of(family, lora)
    without = clipped_sum(engine, others, max_norm, micro_batch)
    added = clipped_sum(engine, [*others, unit], max_norm, micro_batch)
    replaced = clipped_sum(engine, [*others, instead], max_norm, micro_batch)
    assert distance(added, without) <= max_norm * SLACK
    assert distance(replaced, added) <= 2.0 * max_norm * SLACK


def test_the_bound_is_reached():
    """Otherwise it would hold because everything is zero."""
    engine = engine_of("gpt2", False)
    added = clipped_sum(engine, [(ordinary, 0), (unlikely, 1)], 1e-3, 2)
    without = clipped_sum(engine, [(ordinary, 0)], 1e-3, 2)
    assert distance(added, without) == pytest.approx(1e-3, rel=1e-4)


def test_cancelling_twins_are_clipped_to_the_bound():
    """A unit whose rows nearly cancel has a short gradient; its clipped length is still C."""
    engine = engine_of("gpt2", False)
    ids, labels = equal_twins(3)
    labels = labels.clone()
    labels[1, -1] = 4
    batch = {"input_ids": ids, "labels": labels}
    # The difference of the twins is what an adversary would build from rows that cancel.
    query = engine.query(batch, units=2, row_weights=torch.tensor([1.0, -1.0]))
    norms = query.norms()
    max_norm = 0.1 * float(norms[0])
    total = query.weighted_sum(clip_factors(norms, max_norm))
    assert inner_product(total, total) ** 0.5 == pytest.approx(max_norm, rel=1e-5)
