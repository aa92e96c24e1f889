"""`AuditCallback` in a real Trainer: the training stays the same, and a policy stops it."""

from __future__ import annotations

import pytest
import torch
from datasets import Dataset
from transformers import Trainer, TrainingArguments

from fairaudit import AuditCallback, AuditResult
from fairaudit.errors import UsageError
from tests.conftest import build_model

SUITES = {"suites": ["templates"], "axes": ["gender"], "limit": 40}
#: No model can move by so much: always kept, and by so little: always broken once it moved.
KEPT = {"rules": [{"kind": "min_items", "suite": "templates", "minimum": 1}]}
BROKEN = {"rules": [{"kind": "min_items", "suite": "templates", "minimum": 10_000}]}


def trained(folder, *callbacks, steps=4):
    model, tokenizer = build_model("gpt2-pad")
    texts = [f"The nurse said that she was number {n}." for n in range(8)]
    rows = [tokenizer(text)["input_ids"] for text in texts]
    data = Dataset.from_list([{"input_ids": row, "labels": row} for row in rows])
    arguments = TrainingArguments(
        str(folder), max_steps=steps, per_device_train_batch_size=1, report_to=[], use_cpu=True,
        learning_rate=1e-2, save_strategy="no", disable_tqdm=True, logging_strategy="no", seed=3,
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=data, processing_class=tokenizer, callbacks=list(callbacks)
    )
    trainer.train()
    return trainer


@pytest.mark.long
def test_an_audited_training_is_the_same_training(tmp_path):
    plain = trained(tmp_path / "plain")
    watch = AuditCallback(2, output=tmp_path / "audits", policy=KEPT, **SUITES)
    audited = trained(tmp_path / "audited", watch)
    for ours, theirs in zip(audited.model.parameters(), plain.model.parameters(), strict=True):
        assert torch.equal(ours, theirs)
    assert [one.label for one in watch.audits] == ["step-0", "step-2", "step-4"]
    assert watch.stopped is None
    assert [one.decision for one in watch.gates] == ["PASS", "PASS"]
    stored = AuditResult.load(tmp_path / "audits" / "step-4")
    assert stored.digest == watch.audits[-1].digest
    fingerprints = {one.provenance.model.fingerprint for one in watch.audits}
    assert len(fingerprints) == 3


def test_a_policy_that_is_shown_to_be_broken_stops_the_training(tmp_path):
    watch = AuditCallback(2, policy=BROKEN, **SUITES)
    trainer = trained(tmp_path, watch, steps=10)
    assert watch.stopped == 2
    assert trainer.state.global_step == 2
    assert [one.label for one in watch.audits] == ["step-0", "step-2"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"every": 0}, "must be at least 1"),
        ({"every": 1, "policy": {"rules": []}}, "decides nothing"),
        ({"every": 1, "policy": "no-such.toml"}, "no such policy file"),
    ],
)
def test_what_cannot_work_is_refused_before_training(options, message):
    with pytest.raises(UsageError, match=message):
        AuditCallback(**options)


def test_several_processes_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(TrainingArguments, "world_size", 2)
    with pytest.raises(UsageError, match="one process"):
        AuditCallback(1).on_train_begin(TrainingArguments(str(tmp_path), use_cpu=True), None, None)
