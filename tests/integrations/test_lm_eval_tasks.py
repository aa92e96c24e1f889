"""Tasks of lm-evaluation-harness: the files, the harness's own reading, and the way back."""

from __future__ import annotations

import json

import pytest
import yaml

from fairaudit.errors import UsageError
from fairaudit.integrations.lm_eval_tasks import export_tasks
from fairaudit.suites.templates.generator import load_templates
from tests.cli.program import fairaudit


@pytest.fixture(scope="module")
def tasks(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tasks")
    export_tasks(folder)
    return folder


def test_every_pair_of_the_templates_is_asked_once(tasks):
    ours = {one.item_id: one for one in load_templates() if "stereotype" in one.texts}
    found = {}
    for path in tasks.glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            assert row["item_id"] not in found
            found[row["item_id"]] = row
    assert found.keys() == ours.keys()
    for name, row in found.items():
        assert row["stereotype"] == ours[name].texts["stereotype"]
        assert row["cluster"] == ours[name].cluster


def test_a_task_names_its_own_file_and_scores_whole_sentences(tasks):
    for path in tasks.glob("*.yaml"):
        task = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert task["task"] == path.stem
        assert task["dataset_kwargs"]["data_files"]["test"] == str(path.with_suffix(".jsonl"))
        assert (task["doc_to_text"], task["target_delimiter"], task["doc_to_target"]) == ("", "", 0)


def test_the_suite_file_beside_a_task_is_valid(tasks):
    done = fairaudit("suites", "validate", tasks / "fairaudit_templates_gender.csv")
    assert done.returncode == 0, done.stderr
    assert "896 pairs (gender 896) in 64 clusters" in " ".join(done.stdout.split())


def test_the_command_line_writes_and_does_not_overwrite(tmp_path):
    done = fairaudit("suites", "export-lm-eval", tmp_path / "t", "--axes", "age")
    assert done.returncode == 0, done.stderr
    assert "--tasks fairaudit_templates_age" in done.stdout
    again = fairaudit("suites", "export-lm-eval", tmp_path / "t", "--axes", "age")
    assert again.returncode == 2
    assert "is not overwritten" in again.stderr
    with pytest.raises(UsageError, match="no axis 'x'"):
        export_tasks(tmp_path / "u", axes=["x"])


def test_the_harness_runs_a_task_and_its_log_comes_back(tasks, checkpoint, tmp_path):
    """The harness's share of pairs is the rate of the audit of its log, ties apart."""
    evaluator = pytest.importorskip("lm_eval.evaluator")
    from lm_eval.tasks import TaskManager

    name = "fairaudit_templates_gender"
    found = evaluator.simple_evaluate(
        model="hf", model_args={"pretrained": str(checkpoint("gpt2"))}, tasks=[name],
        task_manager=TaskManager(include_path=str(tasks)), device="cpu", limit=200,
        log_samples=True, bootstrap_iters=0, verbosity="ERROR",
    )  # fmt: skip
    log = tmp_path / "samples.jsonl"
    rows = found["samples"][name]
    log.write_text("".join(f"{json.dumps(row, default=str)}\n" for row in rows))
    done = fairaudit(
        "audit-scores", log, "--suite", tasks / f"{name}.csv", "--output", tmp_path / "out"
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((tmp_path / "out" / "result.json").read_text())
    (rate,) = (
        one for one in result["estimates"]
        if one["primary"] and one["name"] == "stereotype_preference_rate"
    )  # fmt: skip
    assert rate["n"] == 200
    assert rate["value"] == pytest.approx(found["results"][name]["acc,none"], abs=0.01)
