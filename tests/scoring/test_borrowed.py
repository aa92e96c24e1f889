"""A model in the user's memory comes back as it was, whatever happens in between (issue 28.5)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import fairaudit
from fairaudit.scoring.borrowed import as_found, borrowed_name
from fairaudit.scoring.load import load_model
from tests.conftest import build_model

FAMILIES = ("gpt2", "bert", "distilbert", "llama")
PAIRS = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said she was tired.,The {name} said he was tired.\n"
    for name in ("nurse", "clerk", "baker")
)
_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")


def state(model: Any, tokenizer: Any) -> dict[str, Any]:
    """Everything about a model that its owner could notice a change of."""
    return {
        "modes": [module.training for module in model.modules()],
        "modules": [(name, type(module), id(module)) for name, module in model.named_modules()],
        "hooks": [list(getattr(one, kind)) for one in model.modules() for kind in _HOOKS],
        "attention": model.config._attn_implementation,
        "config": model.config.to_dict(),
        "generation": getattr(getattr(model, "generation_config", None), "to_dict", dict)(),
        "parameters": [
            (name, id(one), one.requires_grad, one.dtype, one._version, _grad(one))
            for name, one in model.named_parameters()
        ],
        "tokenizer": (tokenizer.backend_tokenizer.to_str(), tokenizer.padding_side),
        "attributes": sorted(set(vars(model))),
        "threads": torch.get_num_threads(),
        "gradients on": torch.is_grad_enabled(),
    }


def _grad(parameter: torch.Tensor) -> object:
    return None if parameter.grad is None else (id(parameter.grad), parameter.grad._version)


@pytest.fixture(scope="module")
def suite(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "mine.csv"
    path.write_text(PAIRS)
    return str(path)


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    path = tmp_path_factory.mktemp("prompts") / "written.csv"
    rows = "".join(f"gender,female,The {name} was\n" for name in ("nurse", "clerk", "baker"))
    path.write_text(f"axis,group,prompt\n{rows}")
    return str(path)


@pytest.mark.parametrize("family", FAMILIES)
@settings(
    max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_an_audit_leaves_a_model_as_it_was(family, suite, prompts, data):
    model, tokenizer = build_model(family)
    _disturb(model, data)
    before = state(model, tokenizer)
    stop_at = data.draw(st.sampled_from([None, 1, 2]), "batch that fails")
    try:
        fairaudit.audit(
            (model, tokenizer),
            suites=[suite, prompts] if family in ("gpt2", "llama") else [suite],
            token_budget=200,
            base=(model, tokenizer),
            max_new_tokens=4,
            completions=2,
            progress=_failing(stop_at),
        )
    except _Stopped:
        assert stop_at is not None
    assert state(model, tokenizer) == before


def _disturb(model: Any, data: st.DataObject) -> None:
    """Give a model the state of one that its owner is in the middle of training."""
    modules = list(model.modules())
    for module in modules:
        module.training = data.draw(st.booleans(), "training")
    for parameter in model.parameters():
        parameter.requires_grad_(data.draw(st.booleans(), "requires_grad"))
        if parameter.requires_grad and data.draw(st.booleans(), "has a gradient"):
            parameter.grad = torch.ones_like(parameter)
    data.draw(st.sampled_from(modules)).register_forward_hook(lambda *_: None)
    model.set_attn_implementation(data.draw(st.sampled_from(["sdpa", "eager"])))


class _Stopped(Exception):
    pass


def _failing(stop_at: int | None):
    calls: Iterator[int] = iter(range(1, 10_000))

    def progress(_stage, _done, _total):
        if next(calls) == stop_at:
            raise _Stopped

    return progress


def test_a_diagnosis_leaves_a_model_as_it_was():
    model, tokenizer = build_model("gpt2")
    model.train()
    before = state(model, tokenizer)
    texts = ["The nurse said she was tired.", "The doctor said he was glad."] * 8
    fairaudit.diagnose((model, tokenizer), texts, replicates=199, curvature_probes=1)
    assert state(model, tokenizer) == before


def test_a_refused_model_is_given_back_too():
    model, tokenizer = build_model("gpt2")
    model.train()
    with torch.no_grad():
        next(model.parameters())[0, 0] = float("nan")
    with pytest.raises(fairaudit.FairauditError, match="NaN"):
        fairaudit.audit((model, tokenizer))
    assert model.training


@pytest.mark.parametrize(("family", "kind"), [("gpt2", "causal"), ("bert", "masked")])
def test_a_model_that_was_never_saved_is_known_by_its_class(family, kind):
    model, tokenizer = build_model(family)
    model.config.architectures = None
    assert load_model((model, tokenizer)).kind == kind
    assert model.config.architectures is None


def test_modes_come_back_after_any_error():
    model, _ = build_model("bert")
    model.train()

    def interrupted():
        with as_found((model, None), "a/path", None):
            model.eval()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert all(module.training for module in model.modules())


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("/home/me/models/base", "base"),
        ("models/deep/base", "base"),
        ("./base", "base"),
        ("org/model", "org/model"),
        ("gpt2", "gpt2"),
        ("", "GPT2LMHeadModel"),
        ("/", "GPT2LMHeadModel"),
    ],
)
def test_the_name_of_a_model_in_memory_is_no_path(given, shown):
    model, _ = build_model("gpt2")
    model.name_or_path = given
    assert borrowed_name(model) == shown


def test_an_existing_folder_of_two_parts_is_a_folder(tmp_path, monkeypatch):
    model, _ = build_model("gpt2")
    (tmp_path / "models" / "base").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    model.name_or_path = "models/base"
    assert borrowed_name(model) == "base"


@pytest.mark.parametrize(("dtype", "said"), [(torch.float16, 1), (torch.float32, 0)])
def test_half_precision_on_a_cpu_is_said_with_what_to_do(suite, caplog, dtype, said):
    model, tokenizer = build_model("gpt2")
    with caplog.at_level(logging.WARNING, logger="fairaudit"):
        fairaudit.audit((model.to(dtype), tokenizer), suites=[suite])
    slow = [line for line in caplog.messages if "model.float()" in line]
    assert len(slow) == said
    assert all("float16 on a CPU" in line for line in slow)
