"""Flags that a newcomer tries, and formats that the program tells (issue 28, Build 2 and 3)."""

from __future__ import annotations

import json
import tomllib

import pytest

from fairaudit.experiments.experiment_plan import load_plan
from fairaudit.results import AuditResult
from fairaudit.suites import own_suite
from fairaudit.suites.custom import load_suite
from fairaudit.training.verification import verify
from tests.cli.program import fairaudit
from tests.conftest import shared

PAIRS = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said she was tired.,The {name} said he was tired.\n"
    for name in ("nurse", "clerk", "baker", "cook", "tailor")
)


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PAIRS)
    return path


@pytest.fixture
def texts(tmp_path):
    path = tmp_path / "train.jsonl"
    row = {"author": "a17", "text": "The nurse said that she was tired."}
    path.write_text("".join(json.dumps(row) + "\n" for _ in range(20)))
    return path


@pytest.mark.parametrize("place", range(3))
def test_quiet_may_stand_anywhere(pairs, place):
    line = ["suites", "validate", str(pairs)]
    line.insert(place, "-q")
    done = fairaudit(*line)
    assert (done.returncode, done.stdout) == (0, "")


def test_what_follows_two_dashes_is_no_flag():
    done = fairaudit("suites", "validate", "--", "-q")
    assert done.returncode == 2
    assert "-q" in done.stderr


def test_limit_narrows_every_axis_and_is_said(checkpoint, pairs, tmp_path):
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", f"templates,{pairs}",
                     "--axes", "gender,race", "--limit", "3", "-o", tmp_path / "out")  # fmt: skip
    assert done.returncode == 0, done.stderr
    result = AuditResult.load(tmp_path / "out")
    asked = result.items("templates").groupby("axis")["item_id"].nunique()
    # Pairs, and as many control pairs beside them.
    assert dict(asked) == {"gender": 6, "race": 6}
    assert result.items("mine")["item_id"].nunique() == 3
    assert result.provenance.settings.item_limit == 3
    assert any("at most 3 items per suite and axis" in note for note in result.notes)


@pytest.mark.parametrize("other", ["--quick", "--full"])
def test_limit_excludes_other_sizes(checkpoint, other):
    done = fairaudit("audit", checkpoint("gpt2"), "--limit", "3", other)
    assert done.returncode == 2
    assert "exclude each other" in done.stderr


def test_several_models_get_a_folder_each(checkpoint, pairs, tmp_path):
    models = [checkpoint("gpt2"), checkpoint("gpt2-pad")]
    common = ("--suites", pairs, "--output", tmp_path / "audits")
    done = fairaudit("audit", *models, *common)
    assert done.returncode == 0, done.stderr
    for model in models:
        assert AuditResult.load(tmp_path / "audits" / model.name).label == model.name
    compared = fairaudit("compare", *(tmp_path / "audits" / model.name for model in models),
                         "--output", tmp_path / "compared")  # fmt: skip
    assert compared.returncode == 0, compared.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ((), "--output"),
        (("--output", "out", "--label", "x"), "--label"),
        (("--output", "out", "--format", "json"), "JSON"),
    ],
)
def test_several_models_need_places_of_their_own(checkpoint, more, message):
    done = fairaudit("audit", checkpoint("gpt2"), checkpoint("gpt2-pad"), *more)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_input_format_has_its_name_and_the_earlier_one_a_note(tmp_path):
    scores = shared("golden", "stereoset")
    file = next(path for path in sorted(scores.rglob("*.json*")) if path.is_file())
    common = ("audit-scores", file, "--suite", "stereoset", "--data", shared("data"))
    new = fairaudit(*common, "--input-format", "stereoset", "-o", tmp_path / "new")
    assert (new.returncode, new.stderr) == (0, "")
    old = fairaudit(*common, "--format", "stereoset", "-o", tmp_path / "old")
    assert old.returncode == 0
    assert old.stderr == "fairaudit: --format is now called --input-format\n"


def test_verify_tells_a_broken_claim_from_a_missing_file(checkpoint, texts, tmp_path):
    model = tmp_path / "dp"
    done = fairaudit("finetune", checkpoint("gpt2"), "--train", texts, "--output", model,
                     "--steps", "2", "--batch-size", "5", "--epsilon", "8")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert fairaudit("verify", model).returncode == 0
    assert fairaudit("verify", tmp_path / "nothing").returncode == 2
    claim = json.loads((model / "privacy.json").read_text())
    (model / "privacy.json").write_text(json.dumps(claim | {"epsilon": claim["epsilon"] / 2}))
    assert not verify(model).consistent
    broken = fairaudit("verify", model)
    assert broken.returncode == 1
    assert broken.stderr.count("\n") == 1
    assert "does not follow" in broken.stderr


@pytest.mark.parametrize("private", [False, True])
def test_finetune_says_what_it_saves_and_shows_the_loss_of_public_arms(
    checkpoint, texts, tmp_path, private
):
    """Of a private arm the loss is for a terminal only: elsewhere the line might be stored."""
    more = ("--epsilon", "8") if private else ()
    done = fairaudit("finetune", checkpoint("gpt2"), "--train", texts, "--output", tmp_path / "m",
                     "--steps", "3", "--batch-size", "5", *more)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ("training loss" in done.stdout) is not private
    saved = "training.json and privacy.json" if private else "training.json)"
    assert f"weights as safetensors, config, tokenizer, {saved}" in done.stdout
    for name in ("training.json", "privacy.json"):
        path = tmp_path / "m" / name
        assert not path.exists() or not [key for key in json.loads(path.read_text())
                                         if "loss" in key]  # fmt: skip


def test_finetune_help_shows_a_row_that_can_be_read():
    shown = fairaudit("finetune", "--help").stdout
    (row, with_author) = [line.strip() for line in shown.splitlines() if '"text":' in line]
    assert json.loads(row).keys() == {"text"}
    assert json.loads(with_author).keys() == {"author", "text"}


@pytest.mark.parametrize("prompts", [(), ("--prompts",)])
@pytest.mark.parametrize("suffix", ["csv", "jsonl", "toml"])
def test_a_started_suite_is_valid(tmp_path, suffix, prompts):
    path = tmp_path / "new" / f"mine.{suffix}"
    done = fairaudit("suites", "init", path, *prompts)
    assert done.returncode == 0, done.stderr
    assert (own_suite(path).generation is not None) is bool(prompts)
    assert len(load_suite(path).load(None).items) == 2
    assert fairaudit("suites", "validate", path).returncode == 0
    again = fairaudit("suites", "init", path)
    assert again.returncode == 2
    assert "is not overwritten" in again.stderr


def test_a_suite_of_another_form_cannot_be_started(tmp_path):
    done = fairaudit("suites", "init", tmp_path / "mine.xlsx")
    assert done.returncode == 2
    assert ".csv, .tsv, .jsonl or .toml" in done.stderr


def test_a_started_plan_is_valid(tmp_path):
    path = tmp_path / "plan.toml"
    assert fairaudit("experiment", "--init", path).returncode == 0
    assert load_plan(path).arms[0] == "plain"
    assert tomllib.loads(path.read_text())["text"]["file"] == "train.jsonl"
    neither = fairaudit("experiment", path)
    assert neither.returncode == 2
    assert "--output FOLDER" in neither.stderr


def test_a_dry_run_says_what_a_plan_takes_and_could_decide(tmp_path):
    path, output = tmp_path / "plan.toml", tmp_path / "out"
    regime = """
[[regime]]
name = "cleaner"
meaning = "The text is cleaner."
text = { sentences = 200, mu = 0.0 }
"""
    path.write_text(
        """
name = "mine"
arms = ["plain", "dp_3"]
base = { text = { sentences = 200, mu = 1.5 } }
train = { steps = 5, batch_size = 20 }
"""
        + regime
    )
    done = fairaudit("experiment", path, "--dry-run", "--output", output, "--processes", 2)
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "9 runs: 3 arms (base, plain, dp_3), 3 seeds" in said
    assert "with 2 processes" in said
    assert "DP amplifies bias" in said
    assert "Assumed, not measured" in said
    assert not output.exists()
    path.write_text(path.read_text() + regime)
    twice = fairaudit("experiment", path, "--dry-run")
    assert twice.returncode == 2
    assert len(twice.stderr.strip().split("\n")) == 1
    assert "two regimes are named 'cleaner'" in twice.stderr


@pytest.mark.parametrize(
    ("text", "missing", "unknown"),
    [
        ("text,label\nThe nurse is she.,1\n", ("axis", "stereotype", "anti_stereotype"),
         ("text", "label")),
        ("sent_more,sent_less,bias_type\na,b,gender\n", ("stereo_antistereo",), ()),
        ("prompt,topic\nThe nurse,job\n", ("axis", "group"), ("topic",)),
    ],
)  # fmt: skip
def test_a_wrong_form_is_told_at_once_with_an_example(tmp_path, text, missing, unknown):
    path = tmp_path / "mine.csv"
    path.write_text(text)
    done = fairaudit("suites", "validate", path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    faults, _, example = line.partition(". A row looks like ")
    assert f"{', '.join(repr(name) for name in missing)} missing" in faults
    assert not unknown or f"{', '.join(repr(name) for name in unknown)} unknown" in faults
    row, _ = json.JSONDecoder().raw_decode(example)
    path.with_suffix(".jsonl").write_text(json.dumps(row))
    assert fairaudit("suites", "validate", path.with_suffix(".jsonl")).returncode == 0


def test_suites_list_says_what_is_at_hand(tmp_path, monkeypatch):
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COLUMNS", "200")
    lines = fairaudit("suites", "list", "--data", tmp_path).stdout.splitlines()
    by_name = {line.split()[0]: line.split() for line in lines if line.strip()}
    assert by_name["templates"][-1] == "items"
    assert by_name["stereoset"][-1] == "no"
    assert "at hand" not in fairaudit("suites", "list").stdout


@pytest.mark.parametrize("empty", [("--output", ""), ("-o", ""), ("--output=",), ("--data", "")])
def test_an_option_that_is_empty_is_not_the_current_folder(empty):
    """Issue 24: `--output "$DIR"` with DIR not set."""
    done = fairaudit("audit", "gpt2", *empty)
    option = empty[0].removesuffix("=")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"fairaudit: {option} is empty; is a variable not set?\n"


def test_what_may_be_empty_is_not_refused():
    assert "is empty" not in fairaudit("audit", "/nowhere", "--label", "", "--limit=3").stderr
