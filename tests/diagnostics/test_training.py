"""Diagnostics of a running training: the observer, the Trainer's callback, and what moved M."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from fairaudit.diagnostics.bias import BiasRows, bias_score
from fairaudit.diagnostics.callback import DiagnosticsCallback
from fairaudit.diagnostics.checkpoint import Settings
from fairaudit.diagnostics.decomposition import bias_push
from fairaudit.diagnostics.during_training import Monitor, refuse_used
from fairaudit.diagnostics.encoding import LabelledRow
from fairaudit.diagnostics.records import ProbeRecord, probe_texts
from fairaudit.errors import ResultError, UsageError
from fairaudit.gradients import GradientEngine, clip_factors
from fairaudit.results import ClippingParameters
from tests.diagnostics.brute import tiny

pytestmark = pytest.mark.long

LIGHT = Settings(replicates=199, curvature_probes=0, twins=False, bias_axes=("gender",))
ROLES = ("stereotype", "anti_stereotype", "neutral")
#: Token ids of a little world: two people, two things they do, and how a row begins.
WHO, DOES, FRAMES = (10, 11, 12), (20, 21), (30, 31, 32, 33, 34)


def probes():
    """Two groups that share six short templates."""
    return probe_texts(
        [
            ProbeRecord(f"{who}{n}", f"{who} saw {what}.", "people", who, what)
            for n, what in enumerate(("snow", "rain", "work", "town", "north", "south"))
            for who in ("The farmer", "The lawyer")
        ],
        source="mine",
        public=True,
    )


def monitor(loaded, folder=None, every=2):
    clipping = ClippingParameters(max_grad_norm=5.0, noise_multiplier=1.0, batch_size=8)
    return Monitor(
        loaded, every=every, clipping=clipping, texts=probes(), settings=LIGHT, folder=folder
    )


def descend(model, row):
    loss = model(input_ids=row, labels=row).loss
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter -= 0.02 * parameter.grad
            parameter.grad = None


def test_the_observer_makes_a_series_and_leaves_the_training_alone(tmp_path):
    loaded = tiny("gpt2")
    model = loaded.model.train()
    watch = monitor(loaded, tmp_path)
    row = torch.tensor([[0, 5, 6, 7, 8]])
    watch.observe(0, model)
    for step in range(1, 6):
        descend(model, row)
        before = {name: value.clone() for name, value in model.named_parameters()}
        torch.manual_seed(step)
        state = torch.get_rng_state()
        watch.after_step(step, 5, model)
        assert model.training
        assert torch.equal(torch.get_rng_state(), state)
        assert all(torch.equal(value, before[n]) for n, value in model.named_parameters())
        assert all(parameter.grad is None for parameter in model.parameters())
    assert watch.steps == (0, 2, 4, 5)
    result = watch.finish()
    assert [entry.step for entry in result.models] == [0, 2, 4, 5]
    assert any("4 observations took" in note for note in result.notes)
    assert not any("The first observation is of step" in note for note in result.notes)
    logged = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["step"] for entry in logged] == [0, 2, 4, 5]
    group = logged[-1]["people/The farmer"]
    quantity = result.quantity("mean_norm", axis="people", group="The farmer")
    assert group["mean_norm"] == pytest.approx(quantity.value)
    assert (tmp_path / "report.html").exists()
    assert result.quantity("clip_rate", axis="people", group="The farmer").value is not None


def test_a_series_that_begins_after_a_resume_says_so():
    """Issue 22: the first look after a resume was taken for that before training."""
    loaded = tiny("gpt2")
    watch = monitor(loaded)
    for step in (4, 6):
        descend(loaded.model, torch.tensor([[0, 5, 6, 7, 8]]))
        watch.after_step(step, 6, loaded.model)
    (note,) = (one for one in watch.result().notes if "The first observation" in one)
    assert note.startswith("The first observation is of step 4: what is said of a course begins")


def series(result):
    """All numbers of a result by model label, without what a run differs in."""
    return [
        (one.model_dump(), [q.model_dump() for q in result.quantities if q.model == one.label])
        for one in result.models
    ]


@pytest.mark.long
def test_a_resumed_run_keeps_the_looks_before_it(tmp_path):
    """Issue 22: only the looks after the resume were kept, the first of them as reference."""
    row, whole = torch.tensor([[0, 5, 6, 7, 8]]), tiny("gpt2")
    watch = monitor(whole, tmp_path / "whole")
    for step in range(7):
        watch.after_step(step, 6, whole.model)
        if step == 3:
            state = {name: value.clone() for name, value in whole.model.state_dict().items()}
        descend(whole.model, row)
    expected = watch.finish()

    stopped = tiny("gpt2")
    watch = monitor(stopped, tmp_path / "resumed")
    for step in range(4):
        watch.after_step(step, 6, stopped.model)
        if step < 3:
            descend(stopped.model, row)
    again = tiny("gpt2")
    again.model.load_state_dict(state)
    watch = monitor(again, tmp_path / "resumed")
    for step in range(4, 7):
        descend(again.model, row)
        watch.after_step(step, 6, again.model)
    assert watch.steps == (0, 2, 4, 6)
    result = watch.finish()
    assert series(result) == series(expected)
    assert result.differences == expected.differences
    assert "2 of the looks were taken before the run was interrupted." in result.notes
    assert not (tmp_path / "resumed" / ".looks").exists()


def test_looks_of_other_settings_or_damaged_ones_are_refused(tmp_path):
    loaded = tiny("gpt2")
    monitor(loaded, tmp_path).observe(0, loaded.model)
    with pytest.raises(ResultError, match="other probe texts or settings"):
        Monitor(loaded, every=2, texts=probes(), settings=replace(LIGHT, seed=1), folder=tmp_path)
    (look,) = (tmp_path / ".looks").iterdir()
    look.write_bytes(look.read_bytes()[:-200])
    with pytest.raises(ResultError, match="not a look that can be read"):
        monitor(loaded, tmp_path)


def test_an_observer_without_a_step_says_so():
    watch = monitor(tiny("gpt2"))
    with pytest.raises(UsageError, match="no step was looked at"):
        watch.result()
    with pytest.raises(UsageError, match="at least 1"):
        monitor(tiny("gpt2"), every=0)
    with pytest.raises(UsageError, match="at least 1"):
        DiagnosticsCallback(0)


@pytest.mark.long
def test_the_callback_works_inside_a_trainer(tmp_path):
    from transformers import Trainer, TrainingArguments

    loaded = tiny("gpt2-pad")
    callback = DiagnosticsCallback(2, output=tmp_path / "diagnosis", texts=probes(), settings=LIGHT)
    rows = [{"input_ids": [0, 5, 6, 7], "labels": [0, 5, 6, 7]} for _ in range(6)]
    arguments = TrainingArguments(
        output_dir=str(tmp_path / "run"), max_steps=3, per_device_train_batch_size=2,
        report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True, logging_strategy="no",
    )  # fmt: skip
    Trainer(
        loaded.model, arguments, train_dataset=rows, processing_class=loaded.tokenizer,
        callbacks=[callback],
    ).train()  # fmt: skip
    assert [entry.step for entry in callback.result.models] == [0, 2, 3]
    assert (tmp_path / "diagnosis" / "result.json").exists()
    # Without C, what depends on it says why it is missing.
    rate = callback.result.quantity("clip_rate", axis="people", group="The farmer")
    assert rate.reason.startswith("not run: give --max-grad-norm")


def trainer(loaded, folder, callback, **arguments):
    """A real Trainer of three steps."""
    from transformers import Trainer, TrainingArguments

    rows = [{"input_ids": [0, 5, 6, 7], "labels": [0, 5, 6, 7]} for _ in range(6)]
    chosen = TrainingArguments(
        output_dir=str(folder), max_steps=3, per_device_train_batch_size=2, report_to=[],
        save_strategy="no", use_cpu=True, disable_tqdm=True, logging_strategy="no", **arguments,
    )  # fmt: skip
    return Trainer(
        loaded.model, chosen, train_dataset=rows, processing_class=loaded.tokenizer,
        callbacks=[callback],
    )  # fmt: skip


class Watched(DiagnosticsCallback):
    """Notes which `forward` the training runs, before and after each look."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.forwards = []

    def on_step_end(self, args, state, control, **kwargs):
        self.forwards.append(kwargs["model"].forward)
        super().on_step_end(args, state, control, **kwargs)
        self.forwards.append(kwargs["model"].forward)


@pytest.mark.long
def test_the_callback_works_in_mixed_precision(tmp_path):
    """Issue 18, item 15: gradients are those of the model itself; training stays in bfloat16."""
    found = {}
    for mixed in (False, True):
        loaded = tiny("gpt2-pad")
        callback = Watched(2, texts=probes(), settings=LIGHT)
        trainer(loaded, tmp_path / "run", callback, bf16=mixed).train()
        found[mixed] = callback
    start = [
        [one.value for one in callback.result.quantities if one.model == "step 0"]
        for callback in found.values()
    ]
    assert len(start[0]) > 10
    assert start[0] == start[1]
    forwards = found[True].forwards
    assert len(forwards) == 6
    assert all(one == forwards[0] for one in forwards)
    # Accelerate's own wrapper, not the model's method.
    assert hasattr(forwards[0], "__wrapped__")


@pytest.mark.parametrize("left", ["result.json", "private/result.json", "log.jsonl"])
def test_a_used_folder_is_refused_before_a_training_starts(tmp_path, left):
    """Issue 18, item 15: not after it, when everything would be lost."""
    folder = tmp_path / "diagnosis"
    (folder / left).parent.mkdir(parents=True)
    (folder / left).write_text("{}")
    callback = DiagnosticsCallback(2, output=folder, texts=probes(), settings=LIGHT)
    training = trainer(tiny("gpt2-pad"), tmp_path / "run", callback)
    with pytest.raises(ResultError, match="choose another folder"):
        training.train()
    assert training.state.global_step == 0
    assert (folder / left).read_text() == "{}"


@pytest.mark.long
def test_a_second_training_with_one_callback_needs_another_folder(tmp_path):
    callback = DiagnosticsCallback(3, output=tmp_path / "diagnosis", texts=probes(), settings=LIGHT)
    trainer(tiny("gpt2-pad"), tmp_path / "run", callback).train()
    again = trainer(tiny("gpt2-pad"), tmp_path / "run", callback)
    with pytest.raises(ResultError, match="already holds a diagnosis"):
        again.train()
    assert again.state.global_step == 0


def test_a_resumed_training_goes_on_with_its_log(tmp_path):
    (tmp_path / "log.jsonl").write_text("{}\n")
    refuse_used(tmp_path, resumed=True)
    with pytest.raises(ResultError, match="another training"):
        refuse_used(tmp_path, resumed=False)
    with pytest.raises(ResultError, match="is a file"):
        refuse_used(tmp_path / "log.jsonl", resumed=False)


def test_a_callback_without_a_tokenizer_is_refused():
    with pytest.raises(UsageError, match="need a tokenizer"):
        DiagnosticsCallback(1).on_train_begin(None, None, None, model=None)


def little_model(seed):
    import transformers as tf

    torch.manual_seed(seed)
    config = tf.GPT2Config(
        vocab_size=40, n_embd=16, n_layer=1, n_head=2, n_positions=8, bos_token_id=0, eos_token_id=0
    )
    return tf.GPT2LMHeadModel(config).double().eval()


def sentence(role, number, rng):
    """A frame, somebody, and what they do: as the stereotype says, against it, or nobody's."""
    does = int(rng.integers(2))
    who = {"stereotype": WHO[does], "anti_stereotype": WHO[1 - does], "neutral": WHO[2]}[role]
    return (0, FRAMES[number % len(FRAMES)], who, DOES[does], 35)


def score_rows():
    """Signed log-odds of what is done, given who does it."""
    rows, weights = [], []
    for frame in FRAMES:
        for does in (0, 1):
            for who, sign in ((does, 1), (1 - does, -1)):
                ids = (0, frame, WHO[who], DOES[does], 35)
                rows.append(LabelledRow(ids, (-100, -100, -100, DOES[does], -100)))
                weights.append(-sign / (2 * len(FRAMES)))
    return BiasRows(tuple(rows), np.array(weights), 2 * len(FRAMES))


def sgd_run(mixture, *, steps, seed, clip=None, rate=0.01, size=12):
    """Small steps of SGD: the change of M, and the summed influence of all records."""
    rng = np.random.default_rng(seed)
    model, rows = little_model(seed=1), score_rows()
    engine = GradientEngine(model, objective="causal", self_check=False)
    start = bias_score(engine, rows, pad_id=0).value
    pushed = 0.0
    for _ in range(steps):
        roles = rng.choice(ROLES, p=mixture, size=size)
        ids = torch.tensor([sentence(role, rng.integers(99), rng) for role in roles])
        bias = bias_score(engine, rows, pad_id=0)
        query = engine.query({"input_ids": ids, "labels": ids})
        norms = query.norms()
        factors = torch.ones_like(norms) if clip is None else clip_factors(norms, clip)
        pushed += bias_push((factors * query.dot(bias.gradient)).numpy(), rate, size).sum()
        update = query.weighted_sum(factors / size)
        with torch.no_grad():
            for name, parameter in engine.parameters.items():
                parameter -= rate * update[name]
    return bias_score(engine, rows, pad_id=0).value - start, pushed


def r_squared(observed, predicted):
    residual = np.sum((np.array(observed) - predicted) ** 2)
    return 1 - residual / np.sum((observed - np.mean(observed)) ** 2)


@pytest.mark.calibration
@pytest.mark.parametrize("clip", [None, 1.0])
def test_bias_influence_summed_over_a_run_predicts_the_change_of_the_bias_score(clip):
    observed, predicted = [], []
    for number in range(20):
        share = number / 19
        mixture = (0.8 * share, 0.8 * (1 - share), 0.2)
        moved, pushed = sgd_run(mixture, steps=200, seed=number, clip=clip)
        observed.append(moved)
        predicted.append(pushed)
    assert np.ptp(observed) > 0.05
    assert r_squared(observed, np.array(predicted)) >= 0.9


def test_group_shares_of_influence_reproduce_a_planted_imbalance():
    # Stereotyped texts push one way, opposed ones the other. Among texts that differ in nothing
    # but in whose they are said to be, three quarters of the texts do three quarters of the push.
    roles = {"stereotype": ("theirs", "ours"), "anti_stereotype": ("none", "none")}
    moved, pushes, owners = planted(roles, steps=60)
    assert pushes[owners != "none"].sum() > 0 > pushes[owners == "none"].sum()
    share = pushes[owners == "theirs"].sum() / pushes[owners != "none"].sum()
    assert share == pytest.approx(0.75, abs=0.06)
    assert moved == pytest.approx(pushes.sum(), abs=0.1 * pushes[owners != "none"].sum())


def planted(roles, *, steps, rate=0.01, size=16):
    """A run on opposed texts (one half) and stereotyped ones, of which 3 in 4 are theirs."""
    rng, rows = np.random.default_rng(5), score_rows()
    model = little_model(seed=1)
    engine = GradientEngine(model, objective="causal", self_check=False)
    start, pushes, owners = bias_score(engine, rows, pad_id=0).value, [], []
    for _ in range(steps):
        drawn = rng.choice(list(roles), size=size)
        owners += [roles[role][int(rng.random() < 0.25)] for role in drawn]
        ids = torch.tensor([sentence(role, rng.integers(99), rng) for role in drawn])
        query = engine.query({"input_ids": ids, "labels": ids})
        bias = bias_score(engine, rows, pad_id=0)
        pushes += bias_push(query.dot(bias.gradient).numpy(), rate, size).tolist()
        update = query.weighted_sum(torch.full((size,), 1 / size))
        with torch.no_grad():
            for name, parameter in engine.parameters.items():
                parameter -= rate * update[name]
    moved = bias_score(engine, rows, pad_id=0).value - start
    return moved, np.array(pushes), np.array(owners)
