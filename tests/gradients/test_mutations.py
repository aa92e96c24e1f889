"""Mistakes that would go unnoticed must each be caught, by the oracle and by the self-check."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from fairaudit.errors import ModelError
from fairaudit.gradients import GradientEngine, clip_factors, products, rules
from fairaudit.gradients.factors import Dense
from tests.gradients.models import OBJECTIVES, build, make_batch, oracle, relative


def clipped_like_the_oracle(model, objective, batch, *, per_row=False):
    """Relative error of the clipped sum of twin units; `per_row` clips twins one by one."""
    index = torch.arange(len(batch["labels"])) // 2
    truth = oracle(model, batch, index, objective)
    max_norm = float(truth.norms.median()) / 2
    engine = GradientEngine(model, objective=objective, self_check=False)
    query = engine.query(batch, units=None if per_row else 2)
    factors = clip_factors(query.norms(), max_norm) / (2.0 if per_row else 1.0)
    return relative(
        query.weighted_sum(factors), truth.weighted_sum(clip_factors(truth.norms, max_norm))
    )


@pytest.mark.parametrize("family", ["gpt2", "opt", "qwen2", "bert", "roberta", "distilbert"])
def test_the_cross_term_of_tied_weights(monkeypatch, family):
    model, batch = build(family), make_batch(family, rows=4)
    objective = OBJECTIVES[family]
    assert clipped_like_the_oracle(model, objective, batch) < 1e-5

    def without_cross(own, _outer, lookup):
        return products.Squares(own.squares + products._segment_squares(lookup), own.traces)

    monkeypatch.setattr(products, "_with_lookup", without_cross)
    assert clipped_like_the_oracle(model, objective, batch) > 1e-4
    if objective == "masked":
        return  # Few labels: too little of a unit's norm for the self-check to tell from rounding.
    with pytest.raises(ModelError, match="the norm of one unit's gradient"):
        GradientEngine(model, objective=objective).query(batch)


def test_twins_clipped_row_by_row():
    model, batch = build("gpt2"), make_batch("gpt2", rows=6)
    assert clipped_like_the_oracle(model, "causal", batch) < 1e-5
    assert clipped_like_the_oracle(model, "causal", batch, per_row=True) > 1e-2


def replace_rule(monkeypatch, rule, factor):
    others = [other for other in rules.RULES if other is not rule]
    monkeypatch.setattr(rules, "RULES", [*others, dataclasses.replace(rule, factor=factor)])


@pytest.mark.parametrize(
    ("rule", "family"),
    [
        (rules.LINEAR, "bert"),
        (rules.CONV1D, "gpt2"),
        (rules.EMBEDDING, "gpt2"),
        (rules.OPT_POSITION, "opt"),
        (rules.LAYER_NORM, "distilbert"),
        (rules.RMS_NORM, "llama"),
    ],
)
def test_a_wrong_scale_of_one_layer_type(monkeypatch, rule, family):
    """One per cent too much in one rule."""
    objective = OBJECTIVES[family]
    model, batch = build(family), make_batch(family, rows=4)

    def scaled(module, name, inputs, grads):
        return rule.factor(module, name, inputs, 1.01 * grads)

    replace_rule(monkeypatch, rule, scaled)
    with pytest.raises(ModelError, match="self-check: the sum over all units differs"):
        GradientEngine(model, objective=objective).query(batch)
    assert clipped_like_the_oracle(model, objective, batch) > 1e-4


def test_rows_of_one_layer_exchanged(monkeypatch):
    """The sum over all units is right, the units are not."""
    rule = rules.LAYER_NORM

    def exchanged(module, name, inputs, grads):
        return Dense(rule.factor(module, name, inputs, grads).value.flip(0))

    replace_rule(monkeypatch, rule, exchanged)
    with pytest.raises(ModelError, match="self-check: the gradient of one unit differs"):
        GradientEngine(build("gpt2"), objective="causal").query(make_batch("gpt2", rows=4))
