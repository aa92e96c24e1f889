"""Training mode, checkpointing, other dtypes and devices."""

from __future__ import annotations

import pytest
import torch

from fairaudit.gradients import GradientEngine, factors, norms
from fairaudit.gradients.factors import Outer
from fairaudit.gradients.precision import coarse_kernels, full_precision
from fairaudit.gradients.products import squared_norms
from tests.gradients.models import OBJECTIVES, build, make_batch, oracle, relative


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
@pytest.mark.parametrize("lora", [False, True], ids=["full", "lora"])
def test_gradient_checkpointing_changes_nothing(family, lora):
    model, batch = build(family, lora=lora).train(), make_batch(family, rows=4)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    for module in model.modules():
        if hasattr(module, "dropout_prob"):
            module.dropout_prob = 0.0
    model.config.attention_probs_dropout_prob = 0.0
    plain = GradientEngine(model, objective=OBJECTIVES[family]).query(batch)
    expected = plain.norms(), plain.weighted_sum(torch.ones(4))
    model.base_model.activation_checkpointing_enable({"use_reentrant": False})
    query = GradientEngine(model, objective=OBJECTIVES[family]).query(batch)
    assert torch.allclose(query.norms(), expected[0], rtol=1e-5)
    wanted = {name: value.double() for name, value in expected[1].items()}
    assert relative(query.weighted_sum(torch.ones(4)), wanted) < 1e-5


def test_dropout_is_drawn_once_for_norms_and_sums():
    """With dropout no second pass would see the same gradients; the self-check passes anyway."""
    model = build("gpt2").train()
    query = GradientEngine(model, objective="causal").query(make_batch("gpt2", rows=3))
    for unit in range(3):
        total = query.weighted_sum(torch.eye(3)[unit])
        length = sum(float(value.double().square().sum()) for value in total.values()) ** 0.5
        assert float(query.norms()[unit]) == pytest.approx(length, rel=1e-5)


@pytest.mark.parametrize("family", ["gpt2", "llama", "bert"])
def test_bf16_weights_have_fp32_norms_and_sums(family):
    """Exact for what the bf16 pass computed; as near to the fp32 model as bf16 gets."""
    model, batch = build(family).to(torch.bfloat16), make_batch(family, rows=4)
    query = GradientEngine(model, objective=OBJECTIVES[family]).query(batch, units=2)
    total = query.weighted_sum(torch.tensor([1.0, 0.0]))
    assert {value.dtype for value in total.values()} == {torch.float32}
    length = sum(float(value.double().square().sum()) for value in total.values()) ** 0.5
    assert float(query.norms()[0]) == pytest.approx(length, rel=1e-5)
    truth = oracle(model.float(), batch, torch.tensor([0, 0, 1, 1]), OBJECTIVES[family])
    assert torch.allclose(query.norms(), truth.norms, rtol=0.05)
    assert torch.allclose(query.losses, truth.losses, rtol=0.05)


def test_autocast():
    """Layers see fp32 and bf16 mixed; norms and sums still speak of the same gradients."""
    model, batch = build("llama"), make_batch("llama", rows=4)
    engine = GradientEngine(model, objective="causal")
    expected = engine.query(batch).norms()
    engine = GradientEngine(model, objective="causal")
    with torch.autocast("cpu", dtype=torch.bfloat16):
        query = engine.query(batch)
    total = query.weighted_sum(torch.tensor([0.0, 1.0, 0.0, 0.0]))
    length = sum(float(value.double().square().sum()) for value in total.values()) ** 0.5
    assert float(query.norms()[1]) == pytest.approx(length, rel=1e-5)
    assert torch.allclose(query.norms(), expected, rtol=0.05)


@pytest.mark.parametrize("setting", ["legacy", "new"])
def test_coarse_kernels_allowed_for_training_stay_out_of_norms(setting):
    """On the CPU as on CUDA; the caller's setting is back afterwards."""
    switch = torch.backends.mkldnn.matmul
    before = switch.fp32_precision
    outer = Outer(torch.randn(1, 64, 64), torch.randn(1, 64, 64))
    exact = squared_norms([outer], 64).squares
    try:
        if setting == "legacy":
            torch.set_float32_matmul_precision("medium")
        else:
            switch.fp32_precision = "bf16"
        assert coarse_kernels()
        with full_precision():
            assert switch.fp32_precision == "ieee"
            assert torch.equal(squared_norms([outer], 64).squares, exact)
        assert switch.fp32_precision == "bf16"
        engine = GradientEngine(build("gpt2"), objective="causal")
        assert engine.query(make_batch("gpt2", rows=2)).norms().shape == (2,)
    finally:
        torch.set_float32_matmul_precision("highest")
        switch.fp32_precision = before
    assert not coarse_kernels()


@pytest.mark.parametrize("family", ["gpt2", "roberta"])
def test_fp64_models_are_exact_to_fp64(family):
    model, batch = build(family).double(), make_batch(family, rows=4)
    query = GradientEngine(model, objective=OBJECTIVES[family]).query(batch, units=2)
    truth = oracle(model, batch, torch.tensor([0, 0, 1, 1]), OBJECTIVES[family])
    assert torch.allclose(query.norms(), truth.norms, rtol=1e-12)
    assert torch.allclose(query.gram(), truth.gram, rtol=1e-10)
    assert relative(query.weighted_sum(torch.ones(2)), truth.weighted_sum(torch.ones(2))) < 1e-12


def test_fp64_products_on_fp32_gradients():
    model, batch = build("gpt2"), make_batch("gpt2", rows=4)
    query = GradientEngine(model, objective="causal").query(batch)
    total = query.weighted_sum(torch.ones(4))
    fine, coarse = query.dot(total, dtype=torch.float64), query.dot(total)
    assert torch.allclose(fine, coarse, rtol=1e-5)
    gram = query.gram(dtype=torch.float64)
    assert torch.allclose(gram.diagonal().sqrt(), query.norms(dtype=torch.float64), rtol=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_small_blocks_give_the_same(monkeypatch, dtype):
    model, batch = build("gpt2").to(dtype), make_batch("gpt2", rows=6)
    query = GradientEngine(model, objective="causal").query(batch, units=2)
    direction = query.weighted_sum(torch.ones(3))
    before = query.norms(), query.gram(), query.dot(direction)
    for module in (factors, norms):
        monkeypatch.setattr(module, "BLOCK", 5000)
    monkeypatch.setattr("fairaudit.gradients.products.BLOCK", 5000)
    again = query.regroup(2)
    after = again.norms(), again.gram(), again.dot(direction)
    for first, second in zip(before, after, strict=True):
        assert torch.allclose(first, second, rtol=1e-5, atol=1e-6 * float(first.abs().max()))
    total = again.weighted_sum(torch.ones(3))
    assert relative(total, {name: value.double() for name, value in direction.items()}) < 1e-6


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("family", OBJECTIVES)
def test_cuda_equals_cpu(family, dtype):
    batch = make_batch(family, rows=6)
    on_cpu = GradientEngine(build(family), objective=OBJECTIVES[family]).query(batch, units=2)
    model = build(family).to("cuda", dtype)
    before = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("high")
    try:
        query = GradientEngine(model, objective=OBJECTIVES[family]).query(batch, units=2)
        found = query.norms()
    finally:
        torch.set_float32_matmul_precision(before)
    tolerance = 2e-2 if dtype == torch.float32 else 0.1
    assert torch.allclose(found.cpu(), on_cpu.norms(), rtol=tolerance)
    total = query.weighted_sum(torch.tensor([1.0, 0.0, 0.0], device="cuda"))
    length = sum(float(value.double().square().sum()) for value in total.values()) ** 0.5
    assert float(found[0]) == pytest.approx(length, rel=1e-5)
