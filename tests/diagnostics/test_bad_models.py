"""Models and records that cannot be diagnosed: one line that names them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from fairaudit.diagnostics.checkpoint import Settings, look
from fairaudit.diagnostics.diagnose_options import DiagnoseOptions
from fairaudit.diagnostics.diagnosing import diagnose
from fairaudit.diagnostics.parameters import parameters_of
from fairaudit.diagnostics.records import ProbeRecord, probe_texts
from fairaudit.errors import DataError, ModelError, NonFiniteError, UsageError
from fairaudit.results import ClippingParameters
from fairaudit.results.privacy import CdaStatement, PrivacyStatement
from fairaudit.results.training import CdaRecord, OptimizerRecord, TrainingRecord
from tests.architectures import build
from tests.diagnostics.brute import tiny

LIGHT = Settings(replicates=199, curvature_probes=0, twins=False, bias_axes=())


def texts(odd="The old house by the river stood empty."):
    return probe_texts(
        [
            ProbeRecord(f"{group}{n}", odd if (group, n) == ("b", 3) else f"{group} saw {n} men.",
                        "axis", group, f"t{n}")
            for n in range(5) for group in ("a", "b")
        ],
        source="mine", public=True,
    )  # fmt: skip


def test_a_record_without_a_finite_gradient_is_named():
    loaded = tiny("llama")
    bad = loaded.tokenizer("The old", add_special_tokens=False)["input_ids"][-1]
    with torch.no_grad():
        loaded.model.model.embed_tokens.weight[bad] = float("inf")
    with pytest.raises(NonFiniteError, match="record b3"):
        look(loaded, texts(), ClippingParameters(), LIGHT, label="m")


def test_a_layer_of_unknown_type_is_named():
    class Odd(nn.Module):
        def __init__(self, inner):
            super().__init__()
            self.inner, self.scale = inner, nn.Parameter(torch.ones(1))

        def forward(self, values):
            return self.inner(values) * self.scale

    loaded = tiny("gpt2")
    loaded.model.lm_head = Odd(loaded.model.lm_head)
    with pytest.raises(ModelError, match=r"no rule for the trainable parameter.*scale"):
        look(loaded, texts(), ClippingParameters(), LIGHT, label="m")


def test_a_text_without_tokens_is_named():
    with pytest.raises(DataError, match="record b3: the text has too few tokens"):
        look(tiny("gpt2-no-bos"), texts(odd="a"), ClippingParameters(), LIGHT, label="m")


def test_curvature_that_a_model_does_not_allow_is_not_run():
    loaded = tiny("gpt2")

    class Rounded(nn.Module):
        def forward(self, values):
            return _OneWay.apply(values)

    loaded.model.transformer.h[0].mlp.act = Rounded()
    settings = Settings(replicates=199, curvature_probes=1, twins=False, bias_axes=())
    found = look(loaded, texts(), ClippingParameters(), settings, label="m").numbers
    assert found.records.missing["curvature_trace"].startswith("not run: curvature: GPT2")


class _OneWay(torch.autograd.Function):
    """Has a backward pass, but no forward-mode derivative."""

    @staticmethod
    def forward(ctx, values):
        return values.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_grad_norm": 0.0}, "max grad norm must be above 0, not 0"),
        ({"max_grad_norm": float("nan")}, "max grad norm must be above 0"),
        ({"noise_multiplier": -0.5}, "noise multiplier must be at least 0, not -0.5"),
        ({"batch_size": 0}, "batch size must be above 0"),
        ({"learning_rate": float("inf")}, "learning rate must be above 0"),
        ({"replicates": 10}, "replicates must be at least 199"),
        ({"curvature_probes": -1}, "curvature probes must be at least 0"),
    ],
)
def test_values_out_of_range_are_refused(options, message):
    with pytest.raises(UsageError, match=message):
        diagnose("nowhere", **options)


def test_no_model_and_wrong_axes_are_refused():
    with pytest.raises(UsageError, match="name at least one model"):
        diagnose([])
    with pytest.raises(UsageError, match="word list of one axis"):
        diagnose("nowhere", ["He.", "She."], axes=["gender", "race"])
    with pytest.raises(UsageError, match="by a column or by the word list"):
        diagnose("nowhere", ["He."], axes=["gender"], group_column="g")


def test_a_model_whose_gradients_depend_on_the_batch_is_refused():
    texts = [
        f"{who} was {how}."
        for how in ("tired", "poor", "rich", "old", "glad")
        for who in ("He", "She")
    ]
    with pytest.raises(ModelError, match=r"depends on the records beside it .* be diagnosed$"):
        diagnose([build("fnet")], texts, axes=["gender"])


def test_a_training_record_of_another_program_is_passed_over(tmp_path):
    (tmp_path / "training.json").write_text('{"steps": 3}')
    found, private = parameters_of(
        tmp_path, DiagnoseOptions(tmp_path, max_grad_norm=2.0, noise_multiplier=0.0)
    )
    assert found == ClippingParameters(
        max_grad_norm=2.0, noise_multiplier=0.0,
        sources={"max_grad_norm": "flag", "noise_multiplier": "flag"},
    )  # fmt: skip
    assert not private


@pytest.mark.parametrize(
    ("mode", "divisor"), [("averaged", 8.0), ("substitution", 8.0), ("separate", 16.0)]
)
def test_a_step_divides_by_both_twins_where_they_are_drawn_apart(tmp_path, mode, divisor):
    """Issue 22: a diagnosis after the fact took B, so noise terms were wrong by 2 to 4."""
    statement = PrivacyStatement(
        records=100, sample_rate=0.08, expected_batch_size=8.0, steps=3, noise_multiplier=1.0,
        max_grad_norm=1.0, delta=1e-3, cda=CdaStatement(mode=mode),
    )  # fmt: skip
    record = TrainingRecord(
        arm="dp_cda", base_fingerprint="a", data_hash=None, objective="causal", steps=3,
        batch_size=8, learning_rate=1e-3, max_length=32, max_grad_norm=1.0,
        optimizer=OptimizerRecord(name="sgd", schedule="constant", warmup=0.0, weight_decay=0.0),
        cda=CdaRecord(mode=mode, axes=("gender",)),
    )  # fmt: skip
    (tmp_path / "training.json").write_text(record.to_json())
    assert parameters_of(tmp_path, DiagnoseOptions(tmp_path))[0].batch_size == divisor
    (tmp_path / "privacy.json").write_text(statement.to_json())
    assert parameters_of(tmp_path, DiagnoseOptions(tmp_path))[0].batch_size == divisor
