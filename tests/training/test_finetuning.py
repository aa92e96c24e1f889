"""Whole fine-tunings: every arm, what is in the folder, resuming, and what is refused."""

from __future__ import annotations

import json
import math
import shutil
import stat

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

import fairaudit
from fairaudit.errors import DataError, ModelError, ResultError, UsageError
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.results.training import TrainingRecord
from fairaudit.scoring.load import load_model
from fairaudit.training.accounting import epsilon
from fairaudit.training.finetuning import finetune
from fairaudit.training.verification import claim_note, verify
from tests.conftest import CORPUS

TEXTS = [sentence.replace("old", f"old{number}") for number in range(4) for sentence in CORPUS]
SHORT = {"steps": 4, "batch_size": 6, "device": "cpu"}
ARMS = {
    "plain": {},
    "cda": {"cda": ["gender"]},
    "dp": {"noise_multiplier": 1.0},
    "dp_cda": {"noise_multiplier": 1.0, "cda": ["gender"]},
    "clip_only": {"ablation": "clip_only", "max_grad_norm": 0.5},
    "noise_only": {"ablation": "noise_only", "noise_multiplier": 1.0},
}


def weights(folder):
    return load_file(folder / "model.safetensors")


def same(first, second):
    first, second = weights(first), weights(second)
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.fixture(scope="module")
def arms(checkpoint, tmp_path_factory):
    """Every arm, trained for a few steps."""
    root = tmp_path_factory.mktemp("arms")
    return {
        arm: finetune(
            checkpoint("gpt2"), TEXTS, output=root / arm, held_out=CORPUS, **SHORT, **options
        )
        for arm, options in ARMS.items()
    }


@pytest.mark.parametrize("arm", ARMS)
def test_an_arm_is_a_checkpoint_with_its_record(arms, checkpoint, arm):
    done = arms[arm]
    record = TrainingRecord.load(done.folder)
    assert record == done.training
    assert (record.arm, record.steps, record.batch_size) == (arm, 4, 6)
    loaded = load_model(done.folder)
    base = load_model(checkpoint("gpt2"))
    assert record.base_fingerprint == base.identity.fingerprint
    assert loaded.identity.fingerprint != base.identity.fingerprint
    moved = [
        (after - before).detach().double().square().sum()
        for after, before in zip(loaded.model.parameters(), base.model.parameters(), strict=True)
    ]
    assert record.parameter_distance == pytest.approx(math.sqrt(float(sum(moved))), rel=1e-6)


@pytest.mark.parametrize("arm", ARMS)
def test_only_private_arms_claim_something_and_it_follows(arms, arm):
    done = arms[arm]
    if not arm.startswith("dp"):
        assert done.privacy is None
        assert not (done.folder / "privacy.json").exists()
        assert done.training.seed == 0
        assert done.training.data_hash is not None
        return
    claim = PrivacyStatement.load(done.folder)
    assert claim == done.privacy
    assert claim.epsilon == epsilon(1.0, 6 / len(TEXTS), 4, claim.delta)
    assert claim.delta == len(TEXTS) ** -1.1
    assert (claim.records, claim.expected_batch_size, claim.unit) == (len(TEXTS), 6, "record")
    assert claim.cda.mode == ("averaged" if arm == "dp_cda" else "none")
    found = verify(done.folder)
    assert found.consistent
    assert not any("weights" in warning for warning in found.warnings)
    # Nothing that was computed on the text stands outside private/.
    assert (done.training.seed, done.training.data_hash) == (None, None)


def test_twins_change_training_and_privacy_costs_the_same(arms):
    assert arms["dp"].privacy.epsilon == arms["dp_cda"].privacy.epsilon
    assert not same(arms["plain"].folder, arms["cda"].folder)


@pytest.mark.parametrize("arm", ARMS)
def test_private_files_are_the_owner_s_and_hold_what_epsilon_does_not_cover(arms, arm):
    private = arms[arm].folder / "private"
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    files = {path.name: path for path in private.iterdir()}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in files.values())
    expected = {".gitignore", ".lock", "README.txt", "data.json", "held_out.json", "log.jsonl"}
    # Raw twins are text: they are kept where that was asked for.
    assert set(files) == expected | ({"coverage.json"} if "cda" in arm else set())
    log = [json.loads(line) for line in files["log.jsonl"].read_text().splitlines()]
    assert [entry["step"] for entry in log] == [1, 2, 3, 4]
    clips = arm in ("dp", "dp_cda", "clip_only")
    assert all((entry["clip_rate"] is not None) == clips for entry in log if entry["n_examples"])
    assert json.loads(files["held_out.json"].read_text()).keys() == {"base", "fine_tuned"}


def test_held_out_perplexity_is_that_of_the_saved_model(arms):
    done = arms["plain"]
    loaded = load_model(done.folder)
    total, count = 0.0, 0
    for text in CORPUS:
        ids = torch.tensor([[0, *loaded.tokenizer(text)["input_ids"]]])
        with torch.no_grad():
            total += float(loaded.model(input_ids=ids, labels=ids).loss) * (ids.shape[1] - 1)
        count += ids.shape[1] - 1
    kept = json.loads((done.folder / "private" / "held_out.json").read_text())
    assert kept["fine_tuned"] == pytest.approx(math.exp(total / count), rel=1e-5)
    assert kept["fine_tuned"] < kept["base"]


def test_plain_arms_repeat_from_their_seed_and_private_ones_never(checkpoint, arms, tmp_path):
    base = checkpoint("gpt2")
    again = finetune(base, TEXTS, output=tmp_path / "again", **SHORT)
    other = finetune(base, TEXTS, output=tmp_path / "other", seed=1, **SHORT)
    private = finetune(base, TEXTS, output=tmp_path / "dp", **SHORT, **ARMS["dp"])
    assert same(again.folder, arms["plain"].folder)
    assert not same(other.folder, arms["plain"].folder)
    assert not same(private.folder, arms["dp"].folder)
    assert again.training.recipe == other.training.recipe
    assert again.training.recipe != arms["cda"].training.recipe


def test_a_fixed_noise_seed_repeats_and_claims_nothing(checkpoint, tmp_path):
    runs = [
        finetune(
            checkpoint("gpt2"), TEXTS, output=tmp_path / name, noise_seed=12_345_678_987, **SHORT,
            noise_multiplier=1.0, lora=2,
        )
        for name in ("one", "two")
    ]  # fmt: skip
    assert same(runs[0].folder, runs[1].folder)
    claim = runs[0].privacy
    assert (claim.noise_reproducible, claim.epsilon) == (True, None)
    assert "no guarantee" in claim.not_covered[0]
    assert verify(runs[0].folder).sentence == "no guarantee is claimed"
    assert_nowhere(runs[0].folder, [b"12345678987"])


def assert_nowhere(folder, secrets):
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not [secret for secret in secrets if secret in content], path


def test_no_seed_and_no_state_of_noise_or_draws_is_left_in_the_output(
    checkpoint, tmp_path, monkeypatch, caplog
):
    """Every generator's start and end state is searched for in every file, raw and as a number."""
    from fairaudit.training import running

    made = []

    def keep(make):
        def kept(*arguments):
            made.append(make(*arguments))
            states.append(state_of(made[-1]))
            return made[-1]

        return kept

    def state_of(generator):
        if isinstance(generator, torch.Generator):
            # A run of words from the middle of the state, and what PyTorch calls its seed.
            words = generator.get_state().numpy().tobytes()[800:832]
            return [words, str(generator.initial_seed()).encode()] if words.strip(b"\0") else []
        inner = generator.bit_generator.state["state"]
        seeds = generator.bit_generator.seed_seq.entropy
        return [str(value).encode() for value in (*inner.values(), seeds)]

    states = []
    monkeypatch.setattr(running, "draw_generator", keep(running.draw_generator))
    monkeypatch.setattr(running, "noise_generator", keep(running.noise_generator))
    with caplog.at_level("DEBUG"):
        done = finetune(
            checkpoint("gpt2"), TEXTS, output=tmp_path / "out", noise_multiplier=1.0,
            checkpoint_every=1, **SHORT,
        )  # fmt: skip
    assert len(made) == 2
    states += [state_of(generator) for generator in made]
    secrets = [secret for found in states for secret in found if secret != b"0"]
    assert len(secrets) >= 6
    assert_nowhere(done.folder, secrets)
    assert not [secret for secret in secrets if secret.decode("latin1") in caplog.text]
    assert not list(done.folder.rglob("*state*"))


class Stop(Exception):
    """What kills a run in a test."""


def stop_after(step):
    def hook(report, model):
        assert model is not None
        if report.step == step:
            raise Stop

    return hook


@pytest.mark.parametrize(
    "options",
    [
        {"noise_multiplier": 1.0, "noise_seed": 3},
        {"noise_multiplier": 1.0, "noise_seed": 3, "lora": 2, "cda": ["gender"]},
        {"cda": ["gender"], "cda_mode": "substitution"},
        {"noise_multiplier": 1.0, "noise_seed": 3, "optimizer": "sgd"},
    ],
    ids=["dp", "dp-cda-lora", "substitution", "sgd"],
)
def test_a_killed_and_resumed_run_ends_as_an_undisturbed_one(checkpoint, tmp_path, options):
    common = {**options, "steps": 7, "batch_size": 6, "device": "cpu", "checkpoint_every": 2}
    base = checkpoint("gpt2")
    whole = finetune(base, TEXTS, output=tmp_path / "whole", **common)
    broken = tmp_path / "broken"
    with pytest.raises(Stop):
        finetune(base, TEXTS, output=broken, on_step=stop_after(5), **common)
    assert not (broken / "model.safetensors").exists()
    state = broken / "private" / "state.pt"
    assert stat.S_IMODE(state.stat().st_mode) == 0o600
    with pytest.raises(ResultError, match="unfinished run; go on with --resume"):
        finetune(base, TEXTS, output=broken, **common)
    done = finetune(base, TEXTS, output=broken, resume=True, **common)
    assert same(done.folder, whole.folder)
    assert done.training == whole.training
    assert not state.exists()
    log = [(folder / "private" / "log.jsonl").read_text() for folder in (broken, whole.folder)]
    assert log[0] == log[1]


def test_masked_models_resume_too(checkpoint, tmp_path):
    common = {"cda": ["gender"], "steps": 4, "batch_size": 6, "checkpoint_every": 1}
    base = checkpoint("bert")
    whole = finetune(base, TEXTS, output=tmp_path / "whole", **common)
    with pytest.raises(Stop):
        finetune(base, TEXTS, output=tmp_path / "broken", on_step=stop_after(2), **common)
    done = finetune(base, TEXTS, output=tmp_path / "broken", resume=True, **common)
    assert same(done.folder, whole.folder)
    assert done.training.objective == "masked"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rate": 1e-3}, "learning rate was 0.0005 when the run began and is 0.001"),
        ({"steps": 8}, "steps was 4"),
        ({"noise_multiplier": 0.5}, "noise multiplier was 1.0"),
        ({"train": TEXTS[:-1]}, "training text was"),
        ({"base": "gpt2-pad"}, "base model was"),
    ],
)
def test_a_resume_with_changed_settings_is_refused(checkpoint, tmp_path, change, message):
    base, out = checkpoint("gpt2"), tmp_path / "out"
    settings = {**SHORT, "noise_multiplier": 1.0}
    with pytest.raises(Stop):
        finetune(base, TEXTS, output=out, on_step=stop_after(2), **settings)
    before = (out / "private" / "state.pt").read_bytes()
    train = change.pop("train", TEXTS)
    base = checkpoint(change.pop("base", "gpt2"))
    with pytest.raises(ResultError, match=message):
        finetune(base, train, output=out, resume=True, **{**settings, **change})
    assert (out / "private" / "state.pt").read_bytes() == before


def test_folders_that_are_taken_are_refused(checkpoint, arms, tmp_path):
    base = checkpoint("gpt2")
    with pytest.raises(ResultError, match="already holds a finished model"):
        finetune(base, TEXTS, output=arms["plain"].folder, **SHORT)
    with pytest.raises(ResultError, match="already holds another model"):
        finetune(base, TEXTS, output=base, **SHORT)
    with pytest.raises(ResultError, match="no unfinished run"):
        finetune(base, TEXTS, output=tmp_path / "new", resume=True, **SHORT)
    (tmp_path / "file").write_text("x")
    with pytest.raises(ResultError, match="is a file"):
        finetune(base, TEXTS, output=tmp_path / "file" / "in", **SHORT)


def test_a_damaged_state_is_refused_in_one_line(checkpoint, tmp_path):
    base = checkpoint("gpt2")
    with pytest.raises(Stop):
        finetune(base, TEXTS, output=tmp_path, on_step=stop_after(1), **SHORT)
    (tmp_path / "private" / "state.pt").write_bytes(b"no")
    with pytest.raises(ResultError, match="not a readable state"):
        finetune(base, TEXTS, output=tmp_path, resume=True, **SHORT)


def test_a_model_that_cannot_be_saved_is_not_lost(checkpoint, tmp_path, monkeypatch):
    """The last state is kept, so that the run ends once there is room."""
    from transformers import GPT2LMHeadModel

    base, out = checkpoint("gpt2"), tmp_path / "out"

    def full(self, folder, **options):
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    common = {**SHORT, "noise_multiplier": 1.0, "noise_seed": 4}
    with monkeypatch.context() as patch:
        patch.setattr(GPT2LMHeadModel, "save_pretrained", full)
        with pytest.raises(ResultError, match="No space left"):
            finetune(base, TEXTS, output=out, **common)
    assert sorted(path.name for path in out.iterdir()) == [".gitignore", "private"]
    state = torch.load(out / "private" / "state.pt", weights_only=True)
    assert (state["step"], state["generators"]) == (4, None)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    done = finetune(base, TEXTS, output=out, resume=True, **common)
    whole = finetune(base, TEXTS, output=tmp_path / "whole", **common)
    assert same(done.folder, whole.folder)


def test_separate_twins_cost_more_and_both_are_stated(checkpoint, tmp_path):
    common = {**SHORT, "cda": ["gender"], "cda_mode": "separate"}
    record = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "a", epsilon=3.0, **common)
    row = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "b", row_epsilon=3.0, **common)
    assert record.privacy.epsilon == pytest.approx(3.0, abs=0.02)
    assert record.privacy.row_epsilon < 2.5
    assert row.privacy.row_epsilon == pytest.approx(3.0, abs=0.02)
    assert row.privacy.epsilon > 4
    assert row.privacy.target_epsilon is None
    assert record.privacy.noise_multiplier > row.privacy.noise_multiplier
    assert verify(record.folder).consistent
    assert verify(row.folder).consistent


def test_a_person_is_one_record(checkpoint, tmp_path):
    path = tmp_path / "train.jsonl"
    rows = [{"who": place % 8, "text": text} for place, text in enumerate(TEXTS)]
    path.write_text("\n".join(map(json.dumps, rows)))
    done = finetune(
        checkpoint("gpt2"), path, output=tmp_path / "out", unit_column="who", steps=3,
        batch_size=4, noise_multiplier=1.0, max_rows_per_unit=2,
    )  # fmt: skip
    assert (done.privacy.unit, done.privacy.records) == ("user", 8)
    kept = json.loads((done.folder / "private" / "data.json").read_text())
    assert (kept["records"], kept["rows_beyond_cap"]) == (8, len(TEXTS) - 16)


def test_hooks_see_every_step_and_epsilon_grows_to_the_claim(checkpoint, tmp_path):
    seen = []
    done = finetune(
        checkpoint("gpt2"), TEXTS, output=tmp_path / "out", steps=50, batch_size=2,
        noise_multiplier=1.0, on_step=lambda report, model: seen.append(report),
    )  # fmt: skip
    assert [report.step for report in seen] == list(range(1, 51))
    spent = [report.epsilon for report in seen]
    assert spent == sorted(spent)
    assert spent[-1] == done.privacy.epsilon
    assert len(set(spent)) <= 20
    delta, rate = done.privacy.delta, 2 / len(TEXTS)
    assert spent[9] >= epsilon(1.0, rate, 10, delta)
    assert any(report.seen.n_examples == 0 for report in seen)


def test_the_delta_that_reveals_records_is_warned_about(checkpoint, tmp_path, caplog):
    finetune(
        checkpoint("gpt2"), TEXTS, output=tmp_path / "out", **SHORT, noise_multiplier=1.0,
        delta=1 / len(TEXTS),
    )  # fmt: skip
    assert "allows single records to be revealed" in caplog.text


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"epsilon": 0.0}, UsageError, "epsilon must be above 0"),
        ({"epsilon": -1.0}, UsageError, "epsilon must be above 0"),
        ({"epsilon": math.nan}, UsageError, "epsilon must be above 0"),
        ({"epsilon": 3.0, "delta": 1.0}, UsageError, "delta must lie between 0 and 1"),
        ({"epsilon": 3.0, "delta": 0.0}, UsageError, "delta must lie between 0 and 1"),
        ({"epsilon": 3.0, "delta": 0.51}, UsageError, "choose one below 1/records"),
        ({"lora": 100_000}, UsageError, "LoRA rank 100000 is above"),
        ({"cda_mode": "substitution"}, UsageError, "has no effect without cda"),
        ({"epsilon": 3.0, "noise_multiplier": 1.0}, UsageError, "give one of epsilon"),
        ({"epsilon": 3.0, "max_grad_norm": 0.0}, UsageError, "max grad norm must be above 0"),
        ({"max_grad_norm": 1.0}, UsageError, "has no effect without epsilon"),
        ({"row_epsilon": 3.0}, UsageError, "use epsilon"),
        ({"cda": ["weather"]}, UsageError, "weather"),
        ({"ablation": "noise_only"}, UsageError, "noise only: give the epsilon"),
        ({"noise_seed": 1}, UsageError, "for tests of private runs"),
        ({"batch_size": 25}, UsageError, "batch size 25 is larger than the 24 records"),
        ({"batch_size": 0}, UsageError, "batch size must be at least 1"),
        ({"micro_batch_size": 0}, UsageError, "micro batch size must be at least 1"),
        ({"steps": 2, "epochs": 1.0}, UsageError, "steps or epochs, not both"),
        ({"steps": 0}, UsageError, "steps must be at least 1"),
        ({"learning_rate": math.inf}, UsageError, "learning rate must be above 0"),
        ({"optimizer": "lion"}, UsageError, "'lion' is no optimizer"),
        ({"objective": "masked"}, UsageError, "is a causal model"),
        ({"max_length": 2}, DataError, "no room for two tokens"),
        ({"held_out": ["a"]}, DataError, "at least two tokens"),
    ],
)
def test_bad_input_is_refused_in_one_line_before_anything_is_written(
    checkpoint, tmp_path, options, kind, message
):
    with pytest.raises(kind, match=message) as caught:
        finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "out", **options)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("train", [[], [" "], ["a", "b"]])
def test_text_without_records_is_refused(checkpoint, tmp_path, train):
    with pytest.raises(DataError, match=r"no training text|at least two tokens"):
        finetune(checkpoint("gpt2"), train, output=tmp_path / "out")


def test_a_layer_without_a_rule_is_refused_in_one_line(checkpoint, tmp_path, monkeypatch):
    from fairaudit.training import jobs

    class Odd(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(32))

        def forward(self, hidden):
            return hidden * self.scale

    def with_odd_layer(*arguments, **options):
        loaded = load_model(*arguments, **options)
        loaded.model.transformer.drop = Odd()
        return loaded

    monkeypatch.setattr(jobs, "load_model", with_odd_layer)
    with pytest.raises(ModelError, match=r"no rule for .*drop\.scale.* of Odd") as caught:
        finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "out", **SHORT)
    assert "\n" not in str(caught.value)


def test_training_that_diverges_says_so(checkpoint, tmp_path):
    with pytest.raises(ModelError, match=r"NaN|infinite|finite"):
        finetune(
            checkpoint("gpt2"), TEXTS, output=tmp_path / "out", steps=20, batch_size=6,
            learning_rate=1e30, optimizer="sgd", warmup=0.0,
        )  # fmt: skip


@pytest.mark.parametrize("family", ["llama", "distilbert", "bert", "roberta", "gpt2-no-bos"])
def test_all_families_learn_with_and_without_adapters(checkpoint, tmp_path, family):
    for lora in (None, 2):
        done = finetune(
            checkpoint(family), TEXTS, output=tmp_path / f"out-{lora}", steps=6, batch_size=12,
            learning_rate=3e-3, lora=lora, held_out=CORPUS, ablation="clip_only",
        )  # fmt: skip
        kept = json.loads((done.folder / "private" / "held_out.json").read_text())
        assert kept["fine_tuned"] < kept["base"]
        assert (done.training.lora is None) == (lora is None)


def test_the_public_names():
    assert fairaudit.finetune is finetune
    assert fairaudit.verify is verify
    assert np.isfinite(epsilon(1.0, 0.1, 1, 1e-5))


def test_twins_are_kept_where_that_is_asked_for(checkpoint, tmp_path):
    done = finetune(
        checkpoint("gpt2"), TEXTS, output=tmp_path / "out", cda=["gender"], keep_twins=True, **SHORT
    )
    lines = (done.folder / "private" / "twins.jsonl").read_text().splitlines()
    assert lines
    assert all(json.loads(line)["text"] in TEXTS for line in lines)


def test_copies_of_a_record_are_stated_with_what_they_cost(checkpoint, tmp_path, caplog):
    """Issue 22: ε is that of one copy, and nothing said that the text held several."""
    texts = [*dict.fromkeys(TEXTS), TEXTS[0], f" {TEXTS[0]} "]
    done = finetune(
        checkpoint("gpt2"), texts, output=tmp_path / "out", noise_multiplier=2.0, **SHORT
    )
    claim = done.privacy
    setting = (2.0, claim.sample_rate, 4, claim.delta)
    assert claim.most_copies == 3
    assert claim.copies_epsilon == pytest.approx(epsilon(*setting, copies=3))
    assert claim.copies_epsilon > 2 * claim.epsilon
    assert any("most frequent record" in words for words in claim.not_covered)
    assert "one record stands 3 times" in caplog.text
    found = verify(done.folder)
    assert found.consistent
    assert any("stands 3 times in the text" in warning for warning in found.warnings)
    lower = claim.model_copy(update={"copies_epsilon": claim.epsilon})
    assert "of 3 copies of a record" in verify(lower).sentence


@pytest.mark.parametrize("target", [50.0, 1000.0])
def test_noise_at_its_least_is_said(checkpoint, tmp_path, caplog, target):
    """Issue 22: targets of 50, 100 and 1000 gave one epsilon, unsaid."""
    done = finetune(checkpoint("gpt2"), TEXTS, output=tmp_path / "out", epsilon=target, **SHORT)
    assert done.privacy.noise_multiplier == pytest.approx(0.3)
    assert f"epsilon {target:.4g} is asked for; the noise multiplier stops" in caplog.text
    assert verify(done.folder).consistent


def changed_copy(folder, to, file, change):
    """Copy a model, with some values of one of its files changed."""
    shutil.copytree(folder, to)
    content = json.loads((to / file).read_text())
    (to / file).write_text(json.dumps({**content, **change}))
    return to


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "user"},
        {"secure_noise": True},
        {"not_covered": []},
        {"max_grad_norm": 0.5},
        {"target_epsilon": 7.0},
        {"most_copies": 2},
        {"schema_version": 1},
        {"schema_version": 1, "digest": None, "secure_noise": True},
    ],
)
def test_a_statement_that_was_tampered_with_is_seen(arms, tmp_path, change):
    """Issue 22: `verify` looked at ε alone."""
    folder = changed_copy(arms["dp"].folder, tmp_path / "model", "privacy.json", change)
    found = verify(folder)
    assert not found.consistent
    assert "changed after it was written" in found.sentence or "digest is" in found.sentence
    note = claim_note(
        json.loads((folder / "privacy.json").read_text()),
        arms["dp"].privacy.model_fingerprint,
        json.loads((folder / "training.json").read_text()),
    )
    assert note.refuted


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"unit": "user"}, "the unit is record here and user in training.json"),
        ({"steps": 3}, "steps is 4 here and 3 in training.json"),
        ({"batch_size": 5}, "the batch size is 6.0 here and 5 in training.json"),
        ({"max_grad_norm": 0.5}, "the clipping norm is 1.0 here and 0.5"),
        ({"target_epsilon": 7.0}, "the target epsilon is not given here and 7.0"),
        ({"base_fingerprint": "0" * 64}, "the base model is"),
        ({"privacy_digest": "0" * 64}, "its digest is"),
        ({"arm": "dp_cda", "cda": {"mode": "averaged", "axes": ["race"]}}, "mode of the twins"),
    ],
)
def test_a_training_record_that_contradicts_the_statement_is_seen(arms, tmp_path, change, message):
    folder = changed_copy(arms["dp"].folder, tmp_path / "model", "training.json", change)
    assert message in verify(folder).sentence


def test_twins_that_training_did_not_have_are_seen(arms, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(arms["dp"].folder, folder)
    other = arms["dp_cda"].privacy.model_copy(
        update={"model_fingerprint": arms["dp"].privacy.model_fingerprint}
    )
    (folder / "privacy.json").write_text(other.to_json())
    sentence = verify(folder).sentence
    assert "the mode of the twins is averaged here and none in training.json" in sentence
    assert "its digest is" in sentence


def test_the_training_of_an_arm_without_privacy_bears_no_claim(arms, tmp_path):
    folder = tmp_path / "model"
    shutil.copytree(arms["plain"].folder, folder)
    (folder / "privacy.json").write_text(arms["dp"].privacy.to_json())
    assert "training.json is of an arm without privacy ('plain')" in verify(folder).sentence


@pytest.mark.parametrize(
    ("text", "message"), [('{"epochs": 3}', None), ("[1]", None), ("{", "read")]
)
def test_a_training_record_of_another_tool_is_left_alone(arms, tmp_path, text, message):
    folder = tmp_path / "model"
    shutil.copytree(arms["dp"].folder, folder)
    (folder / "training.json").write_text(text)
    if message is None:
        assert verify(folder).consistent
        return
    with pytest.raises(ResultError, match=r"training\.json: cannot be read"):
        verify(folder)
