"""Rules, factors and products by hand and against autograd, without a language model."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from fairaudit.gradients import GradientEngine, products
from fairaudit.gradients.factors import Dense, Lookup, Outer
from fairaudit.gradients.rules import EMBEDDING, LINEAR, rule_for
from fairaudit.gradients.units import grouping, neighbours_first
from tests.gradients.models import oracle


def test_a_linear_layer_by_hand():
    """One row of two tokens: gradient [[1·1 + 2·3, 1·2 + 2·4]] = [[7, 10]], norm √149."""
    grads, inputs = torch.tensor([[[1.0], [2.0]]]), torch.tensor([[[1.0, 2.0], [3.0, 4.0]]])
    factor = LINEAR.factor(nn.Linear(2, 1), "weight", inputs, grads)
    assert factor.form(0, 1).tolist() == [[[7.0, 10.0]]]
    assert products.squared_norms([factor], 1).squares.tolist() == [149.0]
    assert factor.dot(torch.tensor([[1.0, -1.0]])).tolist() == [-3.0]
    total = torch.zeros(1, 2)
    factor.add_to(total, torch.tensor([0.5]))
    assert total.tolist() == [[3.5, 5.0]]
    assert LINEAR.factor(nn.Linear(2, 1), "bias", inputs, grads).value.tolist() == [[3.0]]


def test_an_embedding_by_hand():
    """Tokens 2, 0, 2 with gradients 1, 5, 10: row 2 gets 11, the padding row 0 nothing."""
    table = nn.Embedding(3, 1, padding_idx=0)
    index, grads = torch.tensor([[2, 0, 2]]), torch.tensor([[[1.0], [5.0], [10.0]]])
    factor = EMBEDDING.factor(table, "weight", index, grads)
    assert factor.form(0, 3).tolist() == [[[0.0], [0.0], [11.0]]]
    assert products.squared_norms([factor], 3).squares.tolist() == [121.0]
    assert factor.dot(torch.tensor([[1.0], [1.0], [2.0]])).tolist() == [22.0]


@settings(max_examples=60, deadline=None)
@given(
    shape=st.tuples(*[st.integers(1, 4)] * 2, *[st.integers(1, 7)] * 2),
    uses=st.lists(st.sampled_from(["outer", "lookup"]), min_size=1, max_size=4),
    seed=st.integers(0, 1000),
)
def test_pairs_of_tokens_and_formed_gradients_agree(shape, uses, seed):
    """Any mixture of uses of one parameter: the sum's square, with all cross terms."""
    units, tokens, m, n = shape
    generator = torch.Generator().manual_seed(seed)

    def draw(*size):
        return torch.randn(size, generator=generator, dtype=torch.float64)

    factors = [
        Outer(draw(units, tokens, m), draw(units, tokens, n))
        if use == "outer"
        else Lookup(
            torch.randint(0, m, (units, tokens), generator=generator), draw(units, tokens, n)
        )
        for use in uses
    ]
    formed = sum(factor.form(0, m) for factor in factors)
    expected = formed.flatten(1).square().sum(dim=1)
    found = products.squared_norms(factors, m).squares
    assert torch.allclose(found, expected, rtol=1e-9, atol=1e-9)
    direction = draw(m, n)
    dots = sum(factor.dot(direction) for factor in factors)
    assert torch.allclose(dots, (formed * direction).sum(dim=(1, 2)))
    total, weights = torch.zeros(m, n, dtype=torch.float64), draw(units)
    for factor in factors:
        factor.add_to(total, weights)
    assert torch.allclose(total, torch.einsum("u,umn->mn", weights, formed))


def test_both_ways_to_a_norm_are_taken(monkeypatch):
    outer = Outer(torch.randn(2, 3, 50), torch.randn(2, 3, 40))
    by_pairs = products.squared_norms([outer], 50).squares
    monkeypatch.setattr(products, "_forming_is_cheaper", lambda _: True)
    assert torch.allclose(by_pairs, products.squared_norms([outer], 50).squares, rtol=1e-5)
    monkeypatch.undo()
    assert not products._forming_is_cheaper(outer)
    assert products._forming_is_cheaper(Outer(torch.randn(2, 64, 8), torch.randn(2, 64, 40)))


@settings(max_examples=60, deadline=None)
@given(index=st.lists(st.integers(0, 5), min_size=1, max_size=12), by_weights=st.booleans())
def test_units_of_any_sizes_fold_to_their_weighted_rows(index, by_weights):
    renumbered = torch.tensor([sorted(set(index)).index(unit) for unit in index])
    order = neighbours_first(renumbered)
    ordered = renumbered if order is None else renumbered[order]
    weights = torch.linspace(-1.0, 2.0, len(index)) if by_weights else None
    groups = grouping(ordered, weights)
    assert by_weights or all(isinstance(group.rows, slice) for group in groups.groups)
    values = torch.arange(1.0, len(index) + 1, dtype=torch.float64)
    expected = torch.zeros(groups.n_units, dtype=torch.float64)
    expected.index_add_(0, ordered, values * groups.weights)
    assert torch.allclose(groups.sum_rows(values), expected)
    folded = torch.zeros_like(expected)
    for group in groups.groups:
        part = Dense(values[:, None]).fold(group, torch.float64).value[:, 0]
        folded[group.units] = part * group.scale
    assert torch.allclose(folded, expected)


class Reused(nn.Module):
    """Everything twice: the table, the layer, the norm; and a pooled vector per row."""

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(20, 8)
        self.layer = nn.Linear(8, 8)
        self.norm = norm
        self.pool = nn.Linear(8, 8)
        self.head = nn.Linear(8, 20, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, input_ids: Tensor, **_: object) -> SimpleNamespace:
        x = self.embed(input_ids) + self.embed(input_ids.flip(1))
        for _step in range(2):
            x = x + torch.tanh(self.layer(self.norm(x)))
        pooled = self.pool(x[:, 0])
        # Flattened over rows and tokens, as OPT does.
        flat = self.layer(x.flatten(0, 1)).view_as(x)
        return SimpleNamespace(logits=self.head(flat + pooled[:, None]))


NORMS = {
    "layer norm": nn.LayerNorm(8),
    "layer norm without parameters": nn.LayerNorm(8, elementwise_affine=False),
    "layer norm without bias": nn.LayerNorm(8, bias=False),
    "rms norm": nn.RMSNorm(8),
    "rms norm with eps": nn.RMSNorm(8, eps=0.1),
}


@pytest.mark.parametrize("units", [None, 3])
@pytest.mark.parametrize("norm", NORMS)
def test_layers_that_are_called_more_than_once(norm, units):
    model = Reused(NORMS[norm])
    ids = torch.randint(0, 20, (6, 5), generator=torch.Generator().manual_seed(1))
    batch = {"input_ids": ids, "labels": ids}
    query = GradientEngine(model, objective="causal").query(batch, units=units)
    truth = oracle(model, batch, torch.arange(6) // (units or 1), "causal")
    assert torch.allclose(query.norms(), truth.norms, rtol=1e-5)
    assert torch.allclose(query.gram(), truth.gram, rtol=1e-4, atol=1e-6 * truth.gram.max().item())


def test_only_biases_trainable():
    model = Reused(nn.LayerNorm(8))
    for name, parameter in model.named_parameters():
        parameter.requires_grad_(name.endswith("bias"))
    ids = torch.randint(0, 20, (4, 5), generator=torch.Generator().manual_seed(1))
    batch = {"input_ids": ids, "labels": ids}
    engine = GradientEngine(model, objective="causal")
    assert set(engine.parameters) == {"layer.bias", "norm.bias", "pool.bias"}
    truth = oracle(model, batch, torch.arange(4), "causal")
    assert torch.allclose(engine.query(batch).norms(), truth.norms, rtol=1e-5)


def test_a_subclass_inherits_the_rule_with_the_forward():
    class Named(nn.Linear):
        pass

    class Changed(nn.Linear):
        def forward(self, x: Tensor) -> Tensor:
            return super().forward(x) + 1.0

    assert rule_for(Named(2, 2)) is LINEAR
    assert rule_for(Changed(2, 2)) is None
