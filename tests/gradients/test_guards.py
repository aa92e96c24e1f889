"""Whatever the engine cannot answer exactly, it refuses before it gives a number."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from fairaudit.errors import ModelError, NonFiniteError, UsageError
from fairaudit.gradients import GradientEngine
from tests.gradients.models import build, make_batch


class Tiny(nn.Module):
    """Embedding, a middle part, vocabulary head."""

    def __init__(self, middle: nn.Module | None = None) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.embed = nn.Embedding(20, 8)
        self.middle = middle if middle is not None else nn.Linear(8, 8)
        self.head = nn.Linear(8, 20, bias=False)

    def forward(self, input_ids: Tensor, **_: object) -> SimpleNamespace:
        return SimpleNamespace(logits=self.head(self.middle(self.embed(input_ids))))


class OwnScale(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(8))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.scale


class Doubled(nn.Linear):
    """A subclass that computes something else."""

    def forward(self, x: Tensor) -> Tensor:
        return 2.0 * super().forward(x)


class Channels(nn.Module):
    """Batch norm over the features of all tokens of all rows."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(8)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(x.transpose(1, 2)).transpose(1, 2)


class Broadcast(nn.Module):
    """A learned vector looked up once for the whole batch."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 8)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.table(torch.arange(x.shape[1]))[None]


class Behind(nn.Module):
    """Uses the weight of a linear layer a second time without calling the layer."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x) + x @ self.linear.weight


class Mixing(nn.Module):
    """Each row sees the mean of the batch."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(self.linear(x + x.mean(dim=0, keepdim=True)))


def ids(rows: int = 4, tokens: int = 5) -> dict[str, Tensor]:
    values = torch.randint(0, 20, (rows, tokens), generator=torch.Generator().manual_seed(0))
    return {"input_ids": values, "labels": values}


def engine_of(model: nn.Module) -> GradientEngine:
    return GradientEngine(model, objective="causal")


def test_a_frozen_model():
    with pytest.raises(ModelError, match="the model is frozen"):
        engine_of(build("gpt2").requires_grad_(False))


@pytest.mark.parametrize(
    ("middle", "message"),
    [
        (OwnScale(), r"no rule for the trainable parameter 'middle\.scale' of OwnScale 'middle'"),
        (Doubled(8, 8), r"'middle\.weight' of Doubled"),
        (nn.Conv1d(5, 5, 1), r"'middle\.weight' of Conv1d"),
        (Channels(), r"'middle\.norm' \(BatchNorm1d\) mixes the rows"),
        (Broadcast(), r"\['middle\.table'\] get an input that is broadcast"),
    ],
)
def test_layers_that_are_refused(middle, message):
    if isinstance(middle, Channels):
        middle.norm.requires_grad_(False)
    with pytest.raises(ModelError, match=message):
        engine_of(Tiny(middle))


def test_what_is_refused_may_be_frozen():
    for middle in (OwnScale(), Doubled(8, 8), Broadcast()):
        model = Tiny(middle.requires_grad_(False))
        assert engine_of(model).query(ids()).norms().shape == (4,)


@pytest.mark.parametrize(("middle", "where"), [(Behind(), "linear"), (Mixing(), "")])
def test_the_self_check_finds_what_no_rule_can_see(middle, where):
    with pytest.raises(ModelError, match=f"self-check.*{where}"):
        engine_of(Tiny(middle)).query(ids())


def test_the_self_check_waits_for_a_batch_that_can_show_mixing():
    engine = engine_of(Tiny(Mixing()))
    engine.query(ids(rows=1))
    with pytest.raises(ModelError, match="self-check"):
        engine.query(ids(rows=2))


def test_the_self_check_can_be_left_out():
    engine = GradientEngine(Tiny(Mixing()), objective="causal", self_check=False)
    assert engine.query(ids()).norms().shape == (4,)


def test_an_embedding_that_counts_over_the_batch():
    model = Tiny()
    model.embed = nn.Embedding(20, 8, scale_grad_by_freq=True)
    with pytest.raises(ModelError, match="scale_grad_by_freq"):
        engine_of(model).query(ids())


def test_a_record_whose_loss_is_not_finite_is_named():
    model = build("llama")
    engine = engine_of(model)
    with torch.no_grad():
        model.model.embed_tokens.weight[17] = float("nan")
    batch = make_batch("llama", rows=4)
    batch["input_ids"] = batch["input_ids"].clamp(max=16)
    batch["input_ids"][2, 3] = 17
    with pytest.raises(NonFiniteError, match="record d: loss is NaN or infinite"):
        engine.query(batch, units=torch.tensor([0, 1, 3, 2]), record_ids=["a", "b", "c", "d"])


class Pole(torch.autograd.Function):
    """Identity whose gradient is infinite where the value is large."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.clone()

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad.where(x < 50.0, float("inf"))


class WithPole(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(8, 8)

    def forward(self, x: Tensor) -> Tensor:
        return torch.tanh(Pole.apply(self.linear(x)))


@pytest.mark.parametrize(
    "ask",
    [
        lambda query: query.norms(),
        lambda query: query.weighted_sum(torch.ones(4)),
        lambda query: query.gram(),
        lambda query: query.dot(query.rows.parameters),
    ],
    ids=["norms", "sum", "gram", "dot"],
)
def test_a_record_whose_gradient_is_not_finite_is_named(ask):
    model = Tiny(WithPole())
    engine = engine_of(model)
    batch = {name: value.clamp(max=18) for name, value in ids().items()}
    engine.query(batch)
    with torch.no_grad():
        model.embed.weight[19] = 1000.0 * model.middle.linear.weight[0].sign()
    batch["input_ids"][2, 1] = 19
    query = engine.query(batch)
    assert query.losses.isfinite().all()
    with pytest.raises(NonFiniteError, match="record unit 2 of the batch"):
        ask(query)


@pytest.mark.parametrize(
    ("units", "message"),
    [
        (3, "4 rows are not a multiple of units=3"),
        (0, "units=0"),
        (torch.tensor([0, 1]), r"integer tensor of shape \[4\]"),
        (torch.tensor([0.0, 1.0, 2.0, 3.0]), "integer tensor"),
        (torch.tensor([0, 2, 2, 3]), "no row belongs to unit 1"),
        (torch.tensor([0, -1, 1, 2]), "negative unit -1"),
    ],
)
def test_units_that_do_not_fit(units, message):
    with pytest.raises(UsageError, match=message):
        engine_of(Tiny()).query(ids(), units=units)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"labels": torch.zeros(4, 3, dtype=torch.long)}, "must both have shape"),
        ({"attention_mask": torch.ones(1, 5)}, "'attention_mask' must be a tensor of 4 rows"),
    ],
)
def test_batches_that_do_not_fit(change, message):
    with pytest.raises(UsageError, match=message):
        engine_of(Tiny()).query({**ids(), **change})


def test_a_batch_without_labels():
    with pytest.raises(UsageError, match=r"lacks \['labels'\]"):
        engine_of(Tiny()).query({"input_ids": ids()["input_ids"]})


def test_weights_that_do_not_fit():
    query = engine_of(Tiny()).query(ids())
    with pytest.raises(UsageError, match=r"of shape \[4\], one per unit"):
        query.weighted_sum(torch.ones(3))
    with pytest.raises(UsageError, match="finite"):
        query.weighted_sum(torch.tensor([1.0, float("nan"), 1.0, 1.0]))
    with pytest.raises(UsageError, match="row_weights must be finite"):
        query.regroup(row_weights=torch.ones(3))


def test_an_unknown_objective():
    with pytest.raises(UsageError, match="'prefix' is neither"):
        GradientEngine(Tiny(), objective="prefix")


def test_reentrant_checkpointing():
    model = build("gpt2").train()
    model.activation_checkpointing_enable({"use_reentrant": True})
    engine = engine_of(model)
    with pytest.raises(ModelError, match="use_reentrant=False"):
        engine.query(make_batch("gpt2", rows=2))
