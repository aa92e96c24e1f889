"""Audits made before: read back where nothing changed, made anew where anything did."""

from __future__ import annotations

import datetime
import inspect
import json
import shutil

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from fairaudit.auditing import kept_audits
from fairaudit.auditing import run_audit as auditing
from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.audit_request import request_audit
from fairaudit.auditing.kept_audits import kept_audit
from fairaudit.auditing.run_audit import audit
from fairaudit.errors import ResultError
from fairaudit.results import AuditResult
from tests.cli.program import fairaudit
from tests.conftest import build_model

PAIRS = "stereotype,anti_stereotype,axis\n" + "".join(
    f"The {job} said he was {mood}.,The {job} said she was {mood}.,gender\n"
    for job in ("nurse", "doctor", "engineer")
    for mood in ("tired", "glad")
)


@pytest.fixture
def asked(checkpoint, tmp_path, monkeypatch):
    """Folder of a model of one's own and a suite, in a cache of their own."""
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(tmp_path / "cache"))
    shutil.copytree(checkpoint("gpt2"), tmp_path / "model")
    (tmp_path / "mine.csv").write_text(PAIRS)
    return tmp_path / "model", tmp_path / "mine.csv"


@pytest.fixture
def runs(monkeypatch):
    """Grow by one for every audit that runs a model."""
    found = []
    run = auditing.run_audit
    monkeypatch.setattr(
        auditing, "run_audit", lambda *args, **kw: found.append(1) or run(*args, **kw)
    )
    return found


def test_a_repeated_audit_loads_no_model_and_says_the_same(asked, runs, tmp_path):
    model, suite = asked
    first = audit(model, suites=[str(suite)], output=tmp_path / "first")
    again = audit(model, suites=[str(suite)], output=tmp_path / "again")
    assert len(runs) == 1
    assert (first.run.made, again.run.made) == (None, first.run.finished)
    assert first.digest == again.digest
    stored = [
        json.loads((tmp_path / one / "result.json").read_text()) for one in ("first", "again")
    ]
    assert stored[0] | {"run": None} == stored[1] | {"run": None}
    assert first.run.finished in (tmp_path / "again" / "report.html").read_text()
    pd.testing.assert_frame_equal(first.items("mine"), again.items("mine"))
    # What is kept may go while a result is in use.
    shutil.rmtree(tmp_path / "cache")
    assert len(again.items("mine")) == len(first.items("mine"))


def flip_weight(model, suite, monkeypatch):
    weights = load_file(model / "model.safetensors")
    name = next(name for name in weights if name.endswith("mlp.c_fc.weight"))
    weights[name] = weights[name] + torch.eye(*weights[name].shape) * 1e-3
    save_file(weights, model / "model.safetensors", {"format": "pt"})


def change_item(model, suite, monkeypatch):
    suite.write_text(PAIRS.replace("glad", "calm"))


def claim_privacy(model, suite, monkeypatch):
    (model / "privacy.json").write_text(json.dumps({"schema": "fairaudit/privacy"}))


def upgrade(model, suite, monkeypatch):
    versions = kept_audits.versions_of
    monkeypatch.setattr(
        kept_audits, "versions_of", lambda *names: versions(*names) | {"torch": "99"}
    )


def change_code(model, suite, monkeypatch):
    monkeypatch.setattr(kept_audits, "_code", lambda: "another")


def see_a_gpu(model, suite, monkeypatch):
    monkeypatch.setattr(kept_audits, "_accelerators", lambda: ["nvidia0"])


@pytest.mark.parametrize(
    "change",
    [flip_weight, change_item, upgrade, change_code, see_a_gpu],
    ids=lambda one: one.__name__,
)
def test_whatever_changes_a_number_makes_the_audit_anew(asked, runs, monkeypatch, change):
    model, suite = asked
    audit(model, suites=[str(suite)])
    change(model, suite, monkeypatch)
    audit(model, suites=[str(suite)])
    assert len(runs) == 2


#: Options of `audit`, each with another value than its default.
OPTIONS = [
    {"seed": 1},
    {"label": "another"},
    {"axes": ["gender"]},
    {"limit": 3},
    {"quick": True},
    {"full": True},
    {"language": "fr"},
    {"token_budget": 64},
    {"dtype": "bfloat16"},
    {"device": "cpu"},
    {"device_map": "auto"},
    {"device_map": "auto", "max_memory": "cpu=1MiB"},
    {"tensor_parallel": True},
    {"revision": "main"},
    {"completions": 2},
    {"max_new_tokens": 5},
    {"system_prompt": "Be kind.", "apply_chat_template": True},
]
#: Their content counts, which other tests change; or they change no number.
CONTENT = {
    *("model", "suites", "data", "base", "gguf_file", "trust_remote_code"),
    *("toxicity_classifier", "regard_classifier", "word_vectors"),
    *("output", "overwrite", "progress"),
    # What a server wrote is never kept.
    *("endpoint", "parallel", "per_minute"),
}


def test_no_option_is_forgotten():
    known = {name for options in OPTIONS for name in options}
    assert known | CONTENT == set(inspect.signature(audit).parameters)


@pytest.mark.parametrize("options", OPTIONS, ids=lambda options: next(iter(options)))
def test_every_option_has_a_key_of_its_own(asked, options):
    model, suite = asked
    keys = {
        kept_audit(request_audit(AuditOptions(model, suites=[str(suite)], **one)))._key
        for one in ({}, options)
    }
    assert len(keys) == 2


def test_a_chat_template_may_write_the_date(asked, monkeypatch):
    class Tomorrow(datetime.date):
        @classmethod
        def today(cls):
            return cls(2999, 1, 1)

    model, suite = asked
    keys = set()
    for chat in (False, True):
        options = AuditOptions(model, suites=[str(suite)], apply_chat_template=chat)
        request = request_audit(options)
        keys.add(kept_audit(request)._key)
        with monkeypatch.context() as patch:
            patch.setattr(kept_audits.datetime, "date", Tomorrow)
            keys.add(kept_audit(request)._key)
    assert len(keys) == 3


def test_the_command_line_says_that_numbers_were_read_back(asked, tmp_path):
    model, suite = asked
    said = [
        fairaudit("audit", model, "--suites", suite, "--output", tmp_path / name).stdout
        for name in ("first", "again")
    ]
    assert ["read back" in " ".join(one.split()) for one in said] == [False, True]


def test_what_its_content_does_not_tell_is_not_kept(asked, runs):
    model, suite = asked
    loaded = build_model("gpt2")
    for source, options in (
        (loaded, {}),
        ("somebody/on-the-hub", {}),
        (model, {"trust_remote_code": True}),
        (model, {"base": loaded}),
    ):
        assert (
            kept_audit(request_audit(AuditOptions(source, suites=[str(suite)], **options))) is None
        )
    (model / "adapter_config.json").write_text("{}")
    (model / "model.safetensors").rename(model / "adapter_model.safetensors")
    assert kept_audit(request_audit(AuditOptions(model, suites=[str(suite)]))) is None


def test_a_base_that_changes_is_seen(asked, tmp_path):
    model, suite = asked
    shutil.copytree(model, tmp_path / "base")
    keys = []
    for _ in range(2):
        request = request_audit(AuditOptions(model, suites=[str(suite)], base=tmp_path / "base"))
        keys.append(kept_audit(request)._key)
        flip_weight(tmp_path / "base", suite, None)
    assert keys[0] != keys[1]


@pytest.mark.parametrize("name", ["result.json", "items/mine.parquet"])
def test_a_damaged_one_is_made_anew(asked, runs, tmp_path, caplog, name):
    model, suite = asked
    first = audit(model, suites=[str(suite)])
    (path,) = (tmp_path / "cache" / "kept-audits").glob(f"*/{name}")
    content = path.read_bytes()
    path.write_bytes(content.replace(b"gender", b"gendes", 1))
    again = audit(model, suites=[str(suite)])
    assert len(runs) == 2
    assert again.digest == first.digest
    assert "made anew" in caplog.text
    assert AuditResult.load(path.parents[name.count("/")]).digest == first.digest


def test_a_checkpoint_that_changes_during_the_audit_is_not_kept(asked, runs, monkeypatch):
    model, suite = asked
    run = auditing.run_audit

    def changing(*args, **kw):
        result = run(*args, **kw)
        flip_weight(model, suite, monkeypatch)
        return result

    monkeypatch.setattr(auditing, "run_audit", changing)
    audit(model, suites=[str(suite)])
    audit(model, suites=[str(suite)])
    assert len(runs) == 2


def test_the_oldest_go(asked, tmp_path, monkeypatch):
    model, suite = asked
    monkeypatch.setattr(kept_audits, "MOST_KEPT", 2)
    mine = tmp_path / "cache" / "kept-audits" / "mine"
    mine.mkdir(parents=True)
    for seed in range(4):
        audit(model, suites=[str(suite)], seed=seed)
    assert len(list(mine.parent.iterdir())) == 3
    assert mine.exists(), "what has another name is somebody else's"


def test_a_cache_that_cannot_be_written_is_no_error(asked, tmp_path, monkeypatch, caplog):
    model, suite = asked

    def refuse(*_args, **_kw):
        raise ResultError("the disk is full")

    monkeypatch.setattr(AuditResult, "save", refuse)
    assert audit(model, suites=[str(suite)]).estimates
    assert "could not be kept" in caplog.text


def test_another_result_in_the_folder_is_still_refused(asked, tmp_path):
    model, suite = asked
    audit(model, suites=[str(suite)], output=tmp_path / "out")
    audit(model, suites=[str(suite)], seed=1)
    with pytest.raises(ResultError):
        audit(model, suites=[str(suite)], seed=1, output=tmp_path / "out")
