"""Texts on the command line: dry run, chat, texts written elsewhere, resuming, and bad input."""

from __future__ import annotations

import gzip
import json
import os
import re
import signal
import subprocess
import sys

import pandas as pd
import pytest

from fairaudit.auditing.run_audit import audit, plan_audit, run_audit
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.suites.prompts.loader import load_prompts
from tests.cli.program import fairaudit
from tests.conftest import shared
from tests.waiting import PATIENCE, wait_until

PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"The {age} {person},gender,{group},{age}\n"
    for age in ("old", "young", "tired", "rich", "poor", "glad")
    for group, person in (("male", "man"), ("female", "woman"))
)


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PROMPTS)
    return path


def lines(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def refused(output, message, *arguments):
    done = fairaudit(*arguments, "--output", output)
    assert done.returncode == 2, done.stderr
    assert re.fullmatch(r"fairaudit: .*\n", done.stderr), done.stderr
    assert re.search(message, done.stderr), done.stderr
    assert not output.exists()


def test_dry_run_counts_texts_and_says_what_is_left_out(checkpoint, prompts):
    options = ("--suites", prompts, "--completions", 3, "--max-new-tokens", 7)
    done = fairaudit("audit", checkpoint("gpt2"), *options, "--dry-run")
    assert done.returncode == 0, done.stderr
    text = " ".join(done.stdout.split())
    assert "36 texts to write, up to 252 tokens in 1 batches" in text
    assert re.search(r"mine 12 vader-[\d.]+", text)
    assert "not scored by 'toxicity': no classifier of toxicity" in text


def test_a_second_dry_run_knows_what_is_stored(checkpoint, prompts, tmp_path):
    options = ("--suites", prompts, "--seed", 77)
    assert fairaudit("audit", checkpoint("gpt2"), *options).returncode == 0
    text = " ".join(fairaudit("audit", checkpoint("gpt2"), *options, "--dry-run").stdout.split())
    assert re.search(r"texts to write, .* in 1 batches, 1 of them stored already; about 0 s", text)


def test_a_named_suite_that_is_not_run_is_incomplete(checkpoint):
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", "regard")
    assert done.returncode == 4
    assert "regard" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--system-prompt", "Be kind."), "needs the chat template"),
        (("--apply-chat-template",), "the tokenizer has no chat template"),
    ],
)
def test_chats_that_cannot_be_held_are_refused(checkpoint, prompts, tmp_path, options, message):
    command = ("audit", checkpoint("gpt2"), "--suites", prompts, *options)
    refused(tmp_path / "out", message, *command)


@pytest.mark.parametrize("option", ["--completions", "--max-new-tokens"])
def test_numbers_below_one_are_refused(checkpoint, prompts, option):
    assert fairaudit("audit", checkpoint("gpt2"), "--suites", prompts, option, "0").returncode == 2


def test_texts_written_elsewhere_are_scored_like_a_models_own(checkpoint, prompts, tmp_path):
    own = audit(checkpoint("gpt2"), suites=[str(prompts)], output=tmp_path / "own")
    file = tmp_path / "own" / "texts" / "mine.jsonl"
    output = tmp_path / "recorded"
    done = fairaudit("audit-scores", file, "--suite", prompts, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    table = pd.read_parquet(output / "items" / "mine.parquet")
    pd.testing.assert_frame_equal(
        table.drop(columns="n_tokens"), own.items("mine").drop(columns="n_tokens"),
        check_dtype=False,
    )  # fmt: skip
    result = json.loads((output / "result.json").read_text())
    assert {e["name"]: e["value"] for e in result["estimates"]} == {
        e.name: e.value for e in own.estimates if e.suite == "mine"
    }
    assert len((output / "texts" / "mine.jsonl").read_text().splitlines()) == 12


def test_strangers_are_counted_and_missing_prompts_are_skipped_items(prompts, tmp_path):
    rows = [
        {"prompt": " The old man ", "completions": ["went home.", "slept"]},
        {"prompt": "The old woman", "completions": ["sang"], "model": "remote"},
        {"prompt": "The old woman", "completions": ["danced"]},
        {"item_id": "4", "prompt": "The young man", "completions": ["laughed"]},
        {"prompt": "Nobody asked this", "completions": ["x"]},
        {"prompt": "Nor this", "completions": ["x"]},
    ]
    result = audit_scores(lines(tmp_path / "api.jsonl", rows), suite=str(prompts))
    assert result.notes[0].startswith(
        "mine: 3 prompts have completions in api.jsonl, 9 have none and are skipped"
    )
    assert result.notes[1] == "api.jsonl: 2 prompts are not in the suite; left out"
    (suite,) = result.suites
    assert (suite.n_items, suite.n_skipped) == (12, 9)
    texts = {one.prompt: one.completions for one in result.texts("mine")}
    assert texts["The old woman"] == ("sang", "danced")
    assert texts["The poor man"] == ()
    table = result.items("mine")
    assert set(table.loc[table["status"] == "skipped", "reason"]) == {"no recorded completion"}
    assert len(table) == 2 + 2 + 1 + 9 * 2
    assert result.provenance.settings.recorded is not None


def test_our_prompts_can_be_asked_elsewhere(tmp_path):
    rows = [
        {"prompt": item.texts["prompt"], "completions": ["was kind.", "was awful."]}
        for item in load_prompts()
    ]
    path = tmp_path / "api.jsonl.gz"
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    done = fairaudit(
        "audit-scores",
        path,
        "--suite",
        "toxicity",
        "--output",
        tmp_path / "out",
        "--input-format",
        "jsonl",
    )
    assert (done.returncode, done.stderr) == (0, "")
    (suite,) = json.loads((tmp_path / "out" / "result.json").read_text())["suites"]
    assert (suite["n_items"], suite["n_skipped"]) == (1020, 0)


def test_a_sample_of_bold_is_what_is_expected_of_a_recording(tmp_path):
    """Of a large suite only the sample that an audit would ask is missed, not all of it."""
    rows = [{"prompt": "Jacob Zachar is an American actor whose ", "completions": ["films"]}]
    path = lines(tmp_path / "api.jsonl", rows)
    result = audit_scores(path, suite="bold", data=shared("data"))
    (suite,) = result.suites
    assert suite.n_items in (2000, 2001)
    assert suite.n_skipped == suite.n_items - 1


BAD = {
    "not JSON": ("{", "row 1: not JSON"),
    "a list": ("[1]", "row 1: not an object"),
    "no prompt": ('{"completions": ["x"]}', "row 1: 'prompt' must be a text"),
    "a number": ('{"prompt": "The old man", "completions": [1]}', "row 1: 'completions' must be"),
    "one text": ('{"prompt": "The old man", "completions": "x"}', "row 1: 'completions' must be"),
    "second row": ('{"prompt": "The old man", "completions": []}\n{}', "row 2: 'prompt'"),
    "other prompt": (
        '{"item_id": "2", "prompt": "The old woman", "completions": ["x"]}',
        "row 1: item '2' has another prompt",
    ),
    "strangers": ('{"prompt": "Who", "completions": ["x"]}', "holds no completions of this suite"),
    "no texts": ('{"prompt": "The old man", "completions": []}', "holds no completions"),
    "empty": ("", "holds no completions"),
    "deep": ("[" * 100_000, "row 1: not JSON"),
}


@pytest.mark.parametrize("fault", BAD)
def test_recorded_texts_that_do_not_fit_are_refused(prompts, tmp_path, fault):
    content, message = BAD[fault]
    path = tmp_path / "api.jsonl"
    path.write_text(content)
    refused(tmp_path / "out", message, "audit-scores", path, "--suite", prompts)


def test_recorded_texts_that_are_not_utf_8_are_refused(prompts, tmp_path):
    path = tmp_path / "api.jsonl"
    path.write_bytes(b"\xff\xfe")
    refused(tmp_path / "out", "not UTF-8", "audit-scores", path, "--suite", prompts)


def test_a_suite_without_its_scorer_is_refused(tmp_path):
    path = lines(tmp_path / "api.jsonl", [{"prompt": "The man worked as", "completions": ["x"]}])
    message = "nothing to score the texts of 'regard'.*--regard-classifier"
    refused(tmp_path / "out", message, "audit-scores", path, "--suite", "regard")


def test_hostile_texts_pass_the_whole_way_and_reports_show_no_markup(prompts, tmp_path):
    hostile = [
        "<script>alert(1)</script>", "\x00\x1b[31m", "\u202eabc", "half \ud83d", "x" * 10_000, "",
    ]  # fmt: skip
    rows = [
        {"prompt": line.split(",")[0], "completions": hostile} for line in PROMPTS.splitlines()[1:]
    ]
    output = tmp_path / "out"
    path = lines(tmp_path / "api.jsonl", rows)
    done = fairaudit("audit-scores", path, "--suite", prompts, "--output", output)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b[31m" not in done.stdout
    for name in ("report.html", "summary.md", "result.json"):
        text = (output / name).read_text(encoding="utf-8")
        # The file of results holds examples: as data, which is not read as markup.
        assert name == "result.json" or "<script>alert(1)" not in text
        assert not re.search("[\x00\x1b\u202e]", text)
    assert "content warning" in (output / "report.html").read_text(encoding="utf-8")
    (first, *_) = (output / "texts" / "mine.jsonl").read_text(encoding="ascii").splitlines()
    assert json.loads(first)["completions"] == hostile
    table = pd.read_parquet(output / "items" / "mine.parquet")
    assert set(table.loc[table["sample"] == 5, "status"]) == {"skipped"}
    assert set(table.loc[table["sample"] == 4, "status"]) == {"ok"}


def test_prompts_go_out_and_their_completions_come_back(prompts, tmp_path):
    file = tmp_path / "asked.jsonl"
    done = fairaudit("suites", "prompts", prompts, "--output", file)
    assert (done.returncode, done.stdout.split()[-2:]) == (0, ["12", "prompts"])
    asked = [json.loads(line) for line in file.read_text().splitlines()]
    assert asked[0] == {"item_id": "2", "prompt": "The old man"}
    answered = lines(tmp_path / "api.jsonl", [{**row, "completions": ["slept"]} for row in asked])
    (suite,) = audit_scores(answered, suite=str(prompts)).suites
    assert (suite.n_items, suite.n_skipped) == (12, 0)


def test_prompts_of_a_large_suite_are_those_that_an_audit_asks(checkpoint, tmp_path):
    file = tmp_path / "asked.jsonl"
    options = ("--data", shared("data"), "--output", file)
    assert fairaudit("suites", "prompts", "honest", *options).returncode == 0
    asked = {json.loads(line)["item_id"] for line in file.read_text().splitlines()}
    plan = plan_audit(checkpoint("gpt2"), suites=["honest"], data=shared("data"))
    assert asked == set(plan.suites[1].prompts)
    assert fairaudit("suites", "prompts", "honest", *options, "--full").returncode == 0
    assert len(file.read_text().splitlines()) == 1515


@pytest.mark.parametrize(
    ("name", "place", "message"),
    [("templates", "x.jsonl", "not a suite of prompts"), ("toxicity", "no/x", "cannot be written")],
)
def test_prompts_that_cannot_go_out(tmp_path, name, place, message):
    done = fairaudit("suites", "prompts", name, "--output", tmp_path / place)
    assert done.returncode == 2
    assert message in done.stderr


def test_suites_of_prompts_are_shown_and_validated(prompts):
    shown = fairaudit("suites", "show", "bold").stdout
    assert "prompts: 400 of each axis; 60 of each axis with --quick, all with --full" in shown
    assert "completions: 1 of up to 24 tokens" in " ".join(shown.split())
    assert "12 prompts (gender 12) in 6 clusters" in " ".join(
        fairaudit("suites", "validate", prompts).stdout.split()
    )


@pytest.mark.long
def test_a_killed_audit_goes_on_writing_where_it_was(checkpoint, prompts, tmp_path, monkeypatch):
    """Each prompt is a batch of its own; the audit is killed once some are stored."""
    cache = tmp_path / "cache"
    options = {"token_budget": 1, "completions": 2, "max_new_tokens": 50}
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
    command = ["audit", str(checkpoint("gpt2")), "--suites", str(prompts), *flags]
    killed = subprocess.Popen(
        [sys.executable, "-m", "fairaudit", *command, "--output", str(tmp_path / "out")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"FAIRAUDIT_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
    )

    def stored():
        return sum(path.stat().st_size for path in cache.rglob("*.texts"))

    wait_until(lambda: stored() or killed.poll() is not None)
    killed.kill()
    killed.wait(timeout=PATIENCE)
    assert killed.returncode == -signal.SIGKILL
    assert not (tmp_path / "out").exists()

    whole = audit(checkpoint("gpt2"), suites=[str(prompts)], **options)
    monkeypatch.setenv("FAIRAUDIT_CACHE", str(cache))
    plan = plan_audit(
        checkpoint("gpt2"), suites=[str(prompts)], token_budget=1,
        completions=2, max_new_tokens=50,
    )  # fmt: skip
    assert 0 < len(plan.generator.missing(plan.generation)) < 12
    assert run_audit(plan).texts("mine") == whole.texts("mine")
