"""What a query answers, beyond agreement with the oracle."""

from __future__ import annotations

import pytest
import torch

from fairaudit.errors import UsageError
from fairaudit.gradients import GradientEngine, clip_factors, inner_product
from tests.gradients.models import build, make_batch, oracle, relative


@pytest.fixture(scope="module")
def engine():
    return GradientEngine(build("gpt2"), objective="causal")


def test_an_empty_batch_gives_zeros_without_a_forward_pass(engine, monkeypatch):
    monkeypatch.setattr(engine, "_forward", None)
    for ids in (torch.zeros(0, 7, dtype=torch.long), torch.zeros(0, dtype=torch.long)):
        query = engine.query({"input_ids": ids, "labels": ids}, units=2)
        assert query.n_units == 0
        assert query.losses.shape == query.norms().shape == (0,)
        assert query.gram().shape == (0, 0)
        assert query.dot({}).shape == (0,)
        total = query.weighted_sum(torch.zeros(0))
        assert set(total) == set(engine.parameters)
        assert all(not bool(value.any()) for value in total.values())


def test_sums_of_micro_batches_add_up_to_the_sum_of_the_batch(engine):
    batch = make_batch("gpt2", rows=6)
    whole = engine.query(batch).weighted_sum(torch.arange(6.0))
    sums = engine.zeros()
    for start in (0, 2, 4):
        part = {name: value[start : start + 2] for name, value in batch.items()}
        returned = engine.query(part).weighted_sum(torch.arange(start, start + 2.0), into=sums)
        assert returned is sums
    assert relative(sums, {name: value.double() for name, value in whole.items()}) < 1e-6


def test_nothing_is_left_behind_on_the_model(engine):
    hooks = [len(module._forward_hooks) for module in engine.model.modules()]
    engine.query(make_batch("gpt2", rows=2)).norms()
    assert hooks == [len(module._forward_hooks) for module in engine.model.modules()]
    assert all(parameter.grad is None for parameter in engine.parameters.values())


def test_rows_come_back_in_the_order_of_the_batch(engine):
    batch = make_batch("gpt2", rows=6)
    plain = engine.query(batch)
    mixed = engine.query(batch, units=torch.tensor([1, 2, 0, 2, 1, 2]))
    assert torch.allclose(mixed.row_losses, plain.losses)
    assert mixed.row_tokens.tolist() == (batch["labels"][:, 1:] != -100).sum(1).tolist()
    assert torch.allclose(mixed.losses[1], plain.losses[[0, 4]].mean())
    assert torch.allclose(mixed.regroup().norms(), plain.norms(), rtol=1e-5)


@pytest.mark.parametrize("units", [None, 2])
def test_regrouping_equals_asking_anew(engine, units):
    batch = make_batch("gpt2", rows=6)
    index = torch.tensor([2, 0, 0, 1, 2, 2])
    weights = torch.tensor([0.3, -1.0, 0.5, 2.0, 0.3, -0.1])
    again = engine.query(batch, units=units).regroup(index, row_weights=weights)
    fresh = engine.query(batch, units=index, row_weights=weights)
    assert torch.allclose(again.norms(), fresh.norms(), rtol=1e-5)
    assert torch.allclose(again.losses, fresh.losses)
    scale = fresh.norms().max() ** 2
    assert (again.gram() - fresh.gram()).abs().max() < 1e-5 * scale


def test_swap_odd_and_swap_even_parts_of_twins(engine):
    batch = make_batch("gpt2", rows=6)
    rows = oracle(engine.model, batch, torch.arange(6), "causal").matrix
    even, odd = (rows[0::2] + rows[1::2]) / 2, (rows[0::2] - rows[1::2]) / 2
    query = engine.query(batch, units=2)
    signed = query.regroup(2, row_weights=torch.tensor([0.5, -0.5] * 3))
    assert torch.allclose(query.norms(), even.norm(dim=1), rtol=1e-5)
    assert torch.allclose(signed.norms(), odd.norm(dim=1), rtol=1e-5)
    assert torch.allclose(signed.gram(), odd @ odd.T, rtol=1e-4, atol=1e-5 * odd.norm() ** 2)
    both = query.regroup().weighted_sum(torch.tensor([0.5, -0.5, 0.0, 0.0, 0.0, 0.0]))
    found = torch.cat([value.double().flatten() for value in both.values()])
    assert (found - odd[0]).norm() < 1e-5 * odd[0].norm()


def test_nearly_equal_twins_keep_their_digits_in_the_odd_part(engine):
    """Its square is a difference of large numbers; fp32 products alone would be far off."""
    batch = make_batch("gpt2", rows=2)
    batch = {name: value[[0, 0]].clone() for name, value in batch.items()}
    batch["labels"][1, -1] = 7
    weights = torch.tensor([0.5, -0.5])
    batch = {name: torch.cat([value] * 2) for name, value in batch.items()}
    batch["input_ids"][3, -1] = 11
    odd = engine.query(batch, units=2, row_weights=weights.repeat(2))
    formed = odd.weighted_sum(torch.tensor([1.0, 0.0]))
    assert float(odd.norms()[0]) == pytest.approx(inner_product(formed, formed) ** 0.5, rel=1e-5)
    assert torch.allclose(odd.norms(), odd.norms(dtype=torch.float64), rtol=1e-6)


def test_gram_matrix_across_batches(engine):
    first, second = make_batch("gpt2", rows=4), make_batch("gpt2", rows=6, seed=3)
    ours = engine.query(first, units=2).gram(engine.query(second, units=3))
    left = oracle(engine.model, first, torch.tensor([0, 0, 1, 1]), "causal")
    right = oracle(engine.model, second, torch.tensor([0, 0, 0, 1, 1, 1]), "causal")
    scale = left.norms[:, None] * right.norms[None, :]
    assert ((ours - left.matrix @ right.matrix.T).abs() / scale).max() < 1e-5


def test_a_row_without_labels_has_no_loss_and_no_gradient(engine):
    batch = make_batch("gpt2", rows=3)
    batch["labels"][1] = -100
    query = engine.query(batch)
    assert query.losses[1] == 0.0
    assert query.norms()[1] == 0.0
    assert (query.norms()[[0, 2]] > 0).all()
    assert clip_factors(query.norms(), 1.0)[1] == 1.0


def test_a_direction_may_leave_parameters_out(engine):
    query = engine.query(make_batch("gpt2", rows=2))
    name = "transformer.wte.weight"
    gradient = query.weighted_sum(torch.tensor([0.0, 1.0]))
    expected = inner_product({name: gradient[name]}, gradient)
    assert float(query.dot({name: gradient[name]})[1]) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(UsageError, match=r"'lm_head\.weight' is not a trainable parameter"):
        query.dot({"lm_head.weight": gradient[name]})


@pytest.mark.parametrize("objective", ["causal", "masked"])
def test_positions_given_by_the_caller_are_kept(objective):
    family = "gpt2" if objective == "causal" else "bert"
    model = build(family)
    engine = GradientEngine(model, objective=objective)
    batch = make_batch(family, rows=3)
    batch["position_ids"] = torch.arange(9).expand(3, 9) + torch.tensor([[0], [5], [9]])
    query = engine.query(batch)
    truth = oracle(model, batch, torch.arange(3), objective)
    assert torch.allclose(query.norms(), truth.norms, rtol=1e-5)


def test_token_types_reach_the_model():
    model = build("bert")
    engine = GradientEngine(model, objective="masked")
    batch = make_batch("bert", rows=3)
    batch["token_type_ids"] = torch.tensor([[0], [1], [0]]).expand(3, 9).contiguous()
    truth = oracle(model, batch, torch.arange(3), "masked")
    assert torch.allclose(engine.query(batch).norms(), truth.norms, rtol=1e-5)


def test_weights_of_zero_leave_everything_out(engine):
    query = engine.query(make_batch("gpt2", rows=4), row_weights=torch.tensor([0.0, 1.0, 0.0, 1.0]))
    for weights in ([0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 1.0, 0.0]):
        total = query.weighted_sum(torch.tensor(weights))
        assert not any(bool(value.any()) for value in total.values())
    assert (query.norms() > 0).tolist() == [False, True, False, True]


def test_inner_product_by_hand():
    first = {"a": torch.tensor([3.0, 4.0]), "b": torch.tensor([[2.0]])}
    assert inner_product(first, first) == 29.0
    assert inner_product(first, {"b": torch.tensor([[-1.0]])}) == -2.0


def test_clip_factors_by_hand():
    factors = clip_factors(torch.tensor([0.0, 0.5, 1.0, 4.0], dtype=torch.float64), 1.0)
    assert factors.tolist() == [1.0, 1.0, 1.0, 0.25]
    with pytest.raises(UsageError, match="must be positive"):
        clip_factors(factors, 0.0)
