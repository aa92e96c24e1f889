"""``fairaudit audit --base`` and ``--policy``, and a privacy claim that does not follow."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
from typer.testing import CliRunner

from fairaudit.auditing.run_audit import audit
from fairaudit.cli.app import app
from fairaudit.errors import FairauditError
from fairaudit.items import LogLikelihood
from fairaudit.scoring.divergence import token_divergence
from fairaudit.scoring.load import load_model
from fairaudit.suites import PROBE, DataFinder
from tests.conftest import build_model

AXIS = {"suites": ["templates"], "axes": ["age"], "quick": True}


@pytest.fixture(autouse=True)
def _own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """A small GPT-2 with room for the paragraphs of the probe text."""
    import transformers as tf

    folder = tmp_path_factory.mktemp("base")
    _, tokenizer = build_model("gpt2")
    torch.manual_seed(0)
    config = tf.GPT2Config(
        vocab_size=len(tokenizer), n_embd=16, n_layer=1, n_head=2, n_positions=512,
        bos_token_id=0, eos_token_id=0,
    )  # fmt: skip
    tf.GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def moved(base, tmp_path_factory):
    """The same model with other weights."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("moved") / "model"
    shutil.copytree(base, folder)
    model = AutoModelForCausalLM.from_pretrained(folder)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(2.0)
    model.save_pretrained(folder)
    return folder


def kl(result):
    return next(found for found in result.estimates if found.name == "token_kl")


def test_the_distance_from_the_base_is_the_mean_divergence(base, moved):
    result = audit(moved, base=base, **AXIS)
    found = kl(result)
    assert result.provenance.base.fingerprint == load_model(base).identity.fingerprint
    assert (found.kind, found.suite, found.protocol) == ("distance", "probe", "probe/causal")
    models = [load_model(folder).model for folder in (moved, base)]
    tokenizer = load_model(base).tokenizer
    total, tokens = 0.0, 0
    for item in PROBE.load(DataFinder()).items:
        ids = [0, *tokenizer(item.texts["text"], add_special_tokens=False)["input_ids"]]
        with torch.inference_mode():
            p, q = (
                torch.log_softmax(m(input_ids=torch.tensor([ids])).logits[0, :-1], dim=-1)
                for m in models
            )
        total += float((p.exp() * (p - q)).sum())
        tokens += len(ids) - 1
    assert tokens == found.n
    assert found.value == pytest.approx(total / tokens, rel=1e-4)
    assert found.value > 1e-4


def test_a_model_is_at_no_distance_from_itself(base):
    found = kl(audit(base, base=base, **AXIS))
    assert found.value == pytest.approx(0.0, abs=1e-6)


def test_divergence_is_not_symmetric(base, moved):
    request = PROBE.load(DataFinder()).items[0].texts["text"][:60]
    models = [load_model(folder) for folder in (moved, base)]
    there = token_divergence(*models, [LogLikelihood(request)])
    back = token_divergence(*models[::-1], [LogLikelihood(request)])
    assert sum(next(iter(there.values()))) != pytest.approx(sum(next(iter(back.values()))))


@pytest.mark.parametrize(
    ("family", "message"), [("bert", "is a masked model"), ("llama", "another vocabulary")]
)
def test_a_base_of_another_kind_is_refused(checkpoint, family, message):
    with pytest.raises(FairauditError, match=message):
        audit(checkpoint("gpt2"), base=checkpoint(family), **AXIS)


def test_a_policy_sets_the_exit_code(checkpoint, tmp_path):
    policy = tmp_path / "release.toml"
    policy.write_text('[[rules]]\nkind = "min_items"\nminimum = 5\n')
    arguments = ["audit", str(checkpoint("gpt2")), "--suites", "templates", "--axes", "age",
                 "--quick", "-o", str(tmp_path / "out"), "--policy", str(policy)]  # fmt: skip
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out" / "gate.json").read_text())["decision"] == "PASS"
    policy.write_text('[[rules]]\nkind = "min_items"\nminimum = 99999\n')
    assert CliRunner().invoke(app, arguments).exit_code == 1
    policy.write_text('[[rules]]\nkind = "min_itmes"\nminimum = 5\n')
    done = CliRunner().invoke(app, [*arguments[:-3], str(tmp_path / "other"), *arguments[-2:]])
    assert isinstance(done.exception, FairauditError)
    assert not (tmp_path / "other").exists()


def test_a_forged_claim_beside_the_checkpoint_is_flagged(checkpoint, tmp_path):
    folder = tmp_path / "private"
    shutil.copytree(checkpoint("gpt2"), folder)
    claim = {
        "schema": "fairaudit/privacy", "schema_version": 1, "records": 1000, "sample_rate": 0.1,
        "expected_batch_size": 100.0, "steps": 50, "noise_multiplier": 1.0, "max_grad_norm": 1.0,
        "delta": 1e-5, "epsilon": 0.1,
    }  # fmt: skip
    (folder / "privacy.json").write_text(json.dumps(claim))
    result = audit(folder, **AXIS)
    assert result.privacy["epsilon"] == 0.1
    assert result.privacy_refuted.startswith("the privacy statement does not follow")
    assert result.privacy_refuted in result.notes
