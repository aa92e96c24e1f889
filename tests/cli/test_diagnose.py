"""``fairaudit diagnose`` as a user runs it: series, own texts, privacy, one line for mistakes."""

from __future__ import annotations

import json
import shutil

import pandas as pd
import pytest
import torch
from typer.testing import CliRunner

from fairaudit.cli.app import app
from fairaudit.errors import FairauditError, ResultError
from fairaudit.results import DiagnosticsResult
from fairaudit.results.privacy import PrivacyStatement

QUICK = ["--curvature-probes", "0", "--no-twins"]


def run(*arguments):
    return CliRunner().invoke(app, ["diagnose", *map(str, arguments)])


def texts(path, n=6):
    """Six templates of two groups, one text each."""
    rows = [
        {"text": f"{who} saw the {what}.", "side": side, "story": what}
        for what in ("river", "house", "snow", "town", "night", "year")[:n]
        for side, who in (("first", "The poor farmer"), ("second", "A rich lawyer"))
    ]
    pd.DataFrame(rows).to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def series(checkpoint, tmp_path_factory):
    """Three checkpoints of one training; the last has a privacy statement."""
    from transformers import AutoModelForCausalLM

    folder = tmp_path_factory.mktemp("run")
    model = AutoModelForCausalLM.from_pretrained(checkpoint("gpt2"))
    for step in (0, 10, 200):
        shutil.copytree(checkpoint("gpt2"), folder / f"checkpoint-{step}")
        model.save_pretrained(folder / f"checkpoint-{step}")
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.mul_(0.9)
    statement = PrivacyStatement(
        records=1000, sample_rate=0.032, expected_batch_size=32, steps=200, noise_multiplier=1.1,
        max_grad_norm=9.0, delta=1e-4, epsilon=3.0,
    )  # fmt: skip
    (folder / "checkpoint-200" / "privacy.json").write_text(statement.to_json())
    return folder


@pytest.mark.long
def test_a_series_with_built_in_texts(series, tmp_path):
    folders = [series / f"checkpoint-{step}" for step in (200, 0, 10)]
    out = tmp_path / "out"
    done = run(*folders, "-o", out, "--axes", "gender", "--learning-rate", 0.1,
               "--curvature-probes", 1)  # fmt: skip
    assert done.exit_code == 0, done.output
    result = DiagnosticsResult.load(out)
    assert [model.step for model in result.models] == [0, 10, 200]
    assert result.is_series
    for name in ("report.html", "quantities.csv", "differences.csv", "records/2.parquet",
                 "figures/norms.png", "figures/disparity.png", "figures/cosines.png",
                 "figures/clip_rate.png", "figures/decomposition.png"):  # fmt: skip
        assert (out / name).stat().st_size > 500, name
    # Only the last model says how it was clipped.
    rates = [
        result.quantity("clip_rate", model=model.label, axis="gender", group="neutral")
        for model in result.models
    ]
    assert [rate.value is None for rate in rates] == [True, True, False]
    assert rates[0].reason.startswith("not run: give --max-grad-norm, or a checkpoint with privacy")
    noise = result.quantity("bias_noise", axis="gender")
    slope = result.quantity("bias_gradient_norm", axis="gender")
    assert noise.value == pytest.approx(0.1 * 1.1 * 9.0 / 32 * slope.value)
    risk = {
        name: result.quantity(f"risk_{name}", axis="gender", group="stereotype").value
        for name in ("clipping", "direction", "magnitude", "noise")
    }
    assert risk["direction"] + risk["magnitude"] == pytest.approx(risk["clipping"], rel=1e-6)
    assert risk["noise"] is not None
    primary = [entry for entry in result.differences if entry.primary]
    assert {entry.name for entry in primary} == {"slope_difference", "area_between_curves"}
    assert {entry.correction for entry in primary} == {"holm"}
    assert "norm of mean" in done.output.lower()
    page = (out / "report.html").read_text()
    assert "stereotyped" in page
    assert "Holm" in page
    assert "not covered by the privacy" not in page


def test_own_texts_beside_a_private_model_go_into_private(series, tmp_path):
    table = texts(tmp_path / "mine.csv")
    out = tmp_path / "out"
    done = run(series / "checkpoint-200", "-o", out, "--texts", table, "--group-column", "side",
               "--template-column", "story", *QUICK)  # fmt: skip
    assert done.exit_code == 0, done.output
    assert not (out / "result.json").exists()
    result = DiagnosticsResult.load(out / "private")
    assert result.notes[0].endswith("not covered by the privacy guarantee.")
    assert "not covered by the privacy guarantee" in done.output.replace("\n", " ")
    assert "not covered by the privacy guarantee" in (out / "private/report.html").read_text()
    assert "text" not in result.records().columns
    assert {(group.axis, group.group, group.n) for group in result.groups} == {
        ("side", "first", 6), ("side", "second", 6),
    }  # fmt: skip
    public = run(series / "checkpoint-200", "-o", tmp_path / "public", "--texts", table,
                 "--group-column", "side", "--public-texts", *QUICK)  # fmt: skip
    assert public.exit_code == 0, public.output
    assert (tmp_path / "public/result.json").exists()


def test_json_is_the_result(checkpoint, tmp_path):
    done = run(checkpoint("bert"), "-o", tmp_path / "out", "--axes", "religion", "--format", "json",
               "--max-grad-norm", 3, *QUICK)  # fmt: skip
    assert done.exit_code == 0, done.output
    content = json.loads(done.stdout)
    assert content["schema"] == "fairaudit/diagnostics"
    stored = json.loads((tmp_path / "out/result.json").read_text())
    # The file names its tables as well, and seals that.
    assert stored.pop("files").keys() == {"records/0.parquet"}
    assert content | {"digest": stored["digest"]} == stored
    assert content["provenance"]["settings"]["bias_axes"] == ["religion"]


def test_a_diagnosis_that_was_changed_is_refused(checkpoint, tmp_path):
    done = run(checkpoint("bert"), "-o", tmp_path / "out", "--axes", "religion", *QUICK)
    assert done.exit_code == 0, done.output
    table, result = tmp_path / "out/records/0.parquet", tmp_path / "out/result.json"
    content = bytearray(table.read_bytes())
    content[len(content) // 3] ^= 1
    table.write_bytes(content)
    with pytest.raises(ResultError, match="was changed after it was written"):
        DiagnosticsResult.load(result).records()
    result.write_text(result.read_text().replace('"n": 6', '"n": 7', 1).replace("0.1", "0.2", 1))
    with pytest.raises(ResultError, match="changed"):
        DiagnosticsResult.load(result)


def mistakes(series, checkpoint, folder):
    model, out = series / "checkpoint-0", folder / "out"
    one = texts(folder / "few.csv", 4)
    return {
        "max grad norm must be above 0, not 0": [model, "-o", out, "--max-grad-norm", 0],
        "noise multiplier must be at least 0": [model, "-o", out, "--noise-multiplier", -1],
        "is not of the architecture of": [model, checkpoint("llama"), "-o", out, *QUICK],
        "no probe texts for axis 'age'": [model, "-o", out, "--axes", "age"],
        "a column was named, but no texts": [model, "-o", out, "--group-column", "x"],
        "fewer than two groups of side have 5 templates": [
            model, "-o", out, "--texts", one, "--group-column", "side", "--template-column",
            "story",
        ],
        "all records are in one group": [
            model, "-o", out, "--texts", folder / "same.csv", "--group-column", "g",
        ],
        "row 2: the text is empty": [
            model, "-o", out, "--texts", folder / "empty.csv", "--group-column", "g",
        ],
        "--steps takes whole numbers": [model, "-o", out, "--steps", "a,b"],
        "steps must increase": [model, model, "-o", out, "--steps", "5,1", "--labels", "a,b"],
        "2 steps for 1 models": [model, "-o", out, "--steps", "1,2"],
        "two models share a label": [model, model, "-o", out],
        "no such folder": [folder / "nowhere/at all", "-o", out],
        "is a file; name a folder for the output": [model, "-o", folder / "empty.csv"],
    }  # fmt: skip


def test_mistakes_are_one_line(series, checkpoint, tmp_path):
    pd.DataFrame({"text": [f"text {n}" for n in range(8)], "g": 1}).to_csv(tmp_path / "same.csv")
    pd.DataFrame({"text": ["one", " "], "g": [1, 2]}).to_csv(tmp_path / "empty.csv")
    for message, arguments in mistakes(series, checkpoint, tmp_path).items():
        done = run(*arguments)
        assert isinstance(done.exception, FairauditError), (message, done.output, done.exception)
        assert message in str(done.exception), done.exception
        assert "\n" not in str(done.exception)
    assert not (tmp_path / "out").exists()


def test_another_diagnosis_in_the_folder_is_refused(checkpoint, tmp_path):
    first = run(checkpoint("gpt2"), "-o", tmp_path, "--axes", "race", *QUICK)
    assert first.exit_code == 0, first.output
    # Before anything is computed again.
    other = run(checkpoint("gpt2"), "-o", tmp_path, "--axes", "race", "--seed", 1, *QUICK)
    assert "holds another result" in str(other.exception)


def test_another_model_of_one_label_is_refused_before_it_is_looked_at(
    checkpoint, tmp_path, monkeypatch
):
    """Issue 18, item 15: not after hours of work, when the result is saved."""
    model, out = checkpoint("gpt2"), tmp_path / "out"
    arguments = ("-o", out, "--axes", "race", *QUICK)
    assert run(model, *arguments, "--max-grad-norm", 1).exit_code == 0
    other = tmp_path / "elsewhere" / model.name
    shutil.copytree(model, other)
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps({**config, "layer_norm_epsilon": 1e-3}))
    looks = []
    monkeypatch.setattr("fairaudit.diagnostics.checkpoint.look", lambda *_, **__: looks.append(1))
    refused = run(other, *arguments, "--max-grad-norm", 1)
    assert "a diagnosis of 'gpt2' with other weights" in str(refused.exception)
    refused = run(model, *arguments, "--max-grad-norm", 2)
    assert "a diagnosis of 'gpt2' with another private query" in str(refused.exception)
    assert looks == []


@pytest.mark.long
@pytest.mark.parametrize("lora", [[], pytest.param(["--lora", "2"], marks=pytest.mark.long)])
def test_finetune_diagnoses_every_so_many_steps(checkpoint, tmp_path, lora):
    text = tmp_path / "train.txt"
    text.write_text("\n".join(f"The nurse saw the house {n} times." for n in range(12)))
    out = tmp_path / "model"
    done = CliRunner().invoke(
        app,
        ["finetune", str(checkpoint("gpt2")), "--train", str(text), "-o", str(out), "--steps", "2",
         "--batch-size", "4", "--epsilon", "8", "--diagnose-every", "2", *lora],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    result = DiagnosticsResult.load(out / "diagnostics")
    assert [model.step for model in result.models] == [0, 2]
    clipping = result.models[-1].clipping
    assert clipping.max_grad_norm == 1.0
    assert clipping.sources["noise_multiplier"] == "training"
    assert result.quantity("signal_to_noise", axis="race", group="neutral").value is not None
    assert result.provenance.texts_public
    lines = (out / "diagnostics" / "log.jsonl").read_text().splitlines()
    assert len(lines) == len(result.models)
