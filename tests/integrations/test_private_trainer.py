"""`PrivateTrainer`: the steps of a real Trainer are DP-SGD's, and each saved model says so."""

from __future__ import annotations

import copy
import json

import pytest
import torch
from datasets import Dataset
from transformers import DataCollatorForLanguageModeling, Trainer, TrainingArguments

from fairaudit.errors import ModelError, UsageError
from fairaudit.integrations import private_trainer
from fairaudit.integrations.private_trainer import PrivateTrainer, PrivateTraining
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.training.accounting import epsilon
from fairaudit.training.verification import verify
from tests.architectures import build
from tests.conftest import build_model

pytestmark = pytest.mark.long

TEXTS = [f"The nurse said that she was {'very ' * (n % 3)}tired {n}." for n in range(20)]


def arguments(folder, **changes):
    settings = {
        "max_steps": 3, "per_device_train_batch_size": 5, "report_to": [], "use_cpu": True,
        "learning_rate": 0.1, "lr_scheduler_type": "constant", "optim": "sgd", "max_grad_norm": 0.0,
        "save_strategy": "no", "disable_tqdm": True, "logging_steps": 1, **changes,
    }  # fmt: skip
    return TrainingArguments(str(folder), **settings)


def trainer(folder, model_and_tokenizer=None, kind=PrivateTrainer, private=None, **changes):
    model, tokenizer = model_and_tokenizer or build_model("gpt2-pad")
    data = Dataset.from_list([{"input_ids": tokenizer(text)["input_ids"]} for text in TEXTS])
    return kind(
        model, arguments(folder, **changes), train_dataset=data, processing_class=tokenizer,
        data_collator=DataCollatorForLanguageModeling(tokenizer, mlm=False),
        **({"noise_multiplier": 1.0, "delta": 1e-3} if private is None else private),
    )  # fmt: skip


def test_without_noise_a_step_is_that_of_clipped_gradients_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr(private_trainer, "add_noise", lambda *_: None)
    made = trainer(tmp_path, max_steps=1, private={"noise_multiplier": 1.0, "clipping_norm": 0.5})
    drawn = []
    step = private_trainer._PrivateSteps.step

    def noted(self, numbers):
        drawn.extend(numbers)
        return step(self, numbers)

    monkeypatch.setattr(private_trainer._PrivateSteps, "step", noted)
    model = copy.deepcopy(made.model).eval()
    made.train()
    expected = [torch.zeros_like(p) for p in model.parameters()]
    for number in drawn:
        ids = torch.tensor([made.train_dataset[number]["input_ids"]])
        # Hugging Face's own loss of one row is the mean over its tokens too.
        grads = torch.autograd.grad(model(ids, labels=ids).loss, list(model.parameters()))
        norm = torch.cat([g.flatten() for g in grads]).norm()
        for total, grad in zip(expected, grads, strict=True):
            total += grad * min(1.0, 0.5 / float(norm))
    assert drawn
    for ours, start, total in zip(
        made.model.parameters(), model.parameters(), expected, strict=True
    ):
        assert torch.allclose(ours, start - 0.1 * total / 5, atol=1e-6)


def test_each_saved_model_states_the_steps_it_took(tmp_path):
    made = trainer(tmp_path, save_strategy="steps", save_steps=2)
    made.train()
    made.save_model(tmp_path / "last")
    for folder, steps in (("checkpoint-2", 2), ("last", 3)):
        claim = PrivacyStatement.load(tmp_path / folder)
        assert (claim.steps, claim.records, claim.sample_rate) == (steps, 20, 0.25)
        assert claim.epsilon == pytest.approx(epsilon(1.0, 0.25, steps, 1e-3))
        assert claim.trainer == "transformers.Trainer with the gradients of fairaudit"
        assert claim.model_fingerprint is not None
        assert verify(tmp_path / folder).consistent
    state = json.loads((tmp_path / "checkpoint-2" / "trainer_state.json").read_text())
    assert all(entry.get("loss", 0.0) == 0.0 for entry in state["log_history"])


def test_a_target_is_met_over_the_epochs_and_noise_moves_every_parameter(tmp_path):
    made = trainer(tmp_path, private={"epsilon": 2.0, "delta": 1e-3}, max_steps=-1,
                   num_train_epochs=2)  # fmt: skip
    before = copy.deepcopy(made.model)
    with pytest.raises(UsageError, match="no step was taken"):
        made.privacy_statement()
    made.train()
    assert made.state.global_step == 8
    assert 1.9 < made.privacy_statement().epsilon <= 2.0
    moved = [
        not torch.equal(now, then)
        for now, then in zip(made.model.parameters(), before.parameters(), strict=True)
    ]
    assert all(moved)


def test_it_goes_before_any_trainer(tmp_path):
    class Other(Trainer):
        """Stands for TRL's."""

    made = trainer(tmp_path, kind=type("Private", (PrivateTraining, Other), {}), max_steps=1,
                   private={"noise_multiplier": 1.0, "clipping": "groupwise"})  # fmt: skip
    made.train()
    assert made.privacy_statement().clipping.kind == "groupwise"


@pytest.mark.parametrize(
    ("changes", "private", "message"),
    [
        ({"gradient_accumulation_steps": 2}, None, "gradient_accumulation_steps to 1"),
        ({"bf16": True}, None, "clipped in float32"),
        ({}, {}, "give epsilon or the noise multiplier"),
        ({}, {"epsilon": 1.0, "noise_multiplier": 1.0}, "give epsilon or the noise multiplier"),
    ],
)
def test_what_cannot_be_private_is_refused(tmp_path, changes, private, message):
    with pytest.raises(UsageError, match=message):
        trainer(tmp_path, private=private, **changes)


def test_a_model_whose_rows_depend_on_their_batch_is_refused(tmp_path):
    made = trainer(tmp_path, build("fnet", factor=1.5))
    with pytest.raises(ModelError, match="no ε would hold"):
        made.train()


def test_a_checkpoint_goes_on_and_all_steps_are_stated(tmp_path):
    trainer(tmp_path, save_strategy="steps", save_steps=2, max_steps=3).train()
    made = trainer(tmp_path, max_steps=6)
    made.train(resume_from_checkpoint=str(tmp_path / "checkpoint-2"))
    assert made.state.global_step == 6
    claim = made.privacy_statement()
    assert claim.steps == 6
    assert claim.epsilon == pytest.approx(epsilon(1.0, 0.25, 6, 1e-3))


@pytest.mark.parametrize(
    "private", [{"noise_multiplier": 2.0, "delta": 1e-3}, {"epsilon": 50.0, "delta": 1e-3}]
)
def test_steps_of_another_kind_are_not_stated_as_one(tmp_path, private):
    trainer(tmp_path, save_strategy="steps", save_steps=2, max_steps=3).train()
    made = trainer(tmp_path, max_steps=6, private=private)
    with pytest.raises(UsageError, match="one statement cannot cover both"):
        made.train(resume_from_checkpoint=True)


def test_a_second_training_is_a_run_of_its_own(tmp_path):
    made = trainer(tmp_path, max_steps=1)
    made.train()
    with pytest.raises(UsageError, match="has trained already"):
        made.train()
