"""What an audit is called with by mistake: one line each, at once (issues 21 and 27)."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from fairaudit import audit
from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.audit_source import check_source
from fairaudit.errors import FairauditError, ModelError, UsageError
from tests.conftest import build_model


@pytest.fixture(scope="module")
def parts():
    return build_model("gpt2")


def test_a_model_without_its_tokenizer_and_pairs_that_are_none(parts):
    model, tokenizer = parts
    for source, said in (
        (model, "needs its tokenizer: pass the model and its tokenizer as a pair"),
        ((tokenizer, model), r"\(model, tokenizer\), in this order"),
        ((model, "gpt2"), "the second part is a str"),
        (("gpt2", tokenizer), "the first part is a str"),
        ((model, tokenizer, 1), "this has 3 parts"),
        ([model, tokenizer], "this is a list"),
        (42, "this is an int"),
        (None, "this is a NoneType"),
    ):
        with pytest.raises(UsageError, match=said):
            audit(source)
        with pytest.raises(UsageError, match=said):
            audit("gpt2", base=source) if source is not None else audit(source)
    check_source(parts)


def test_one_name_is_not_read_letter_by_letter(parts):
    assert AuditOptions("m", suites="templates").suites == ("templates",)
    assert AuditOptions("m", suites=["a", "b"]).suites == ("a", "b")
    assert AuditOptions("m").suites is None
    found = audit(parts, suites="templates", axes="gender", quick=True, progress=False)
    assert {run.suite for run in found.suites} == {"templates"}


def test_a_folder_of_checkpoints_names_the_newest(tmp_path):
    for step in (500, 1500, 90):
        (tmp_path / f"checkpoint-{step}").mkdir()
    (tmp_path / "checkpoint-best").mkdir()
    with pytest.raises(ModelError, match=r"the newest is \S+checkpoint-1500$"):
        audit(tmp_path)


#: What is called for by mistake in a folder that holds an ``empty`` folder, a folder ``model`` that
#: looks like a checkpoint, and a file ``notes.txt``; and what the one line says.
MISTAKES = {
    "/nowhere": "no such folder",
    "./nowhere/at/all": "no such folder",
    "a/b/c --quick": "no such folder",
    "nowhere.gguf": "no such file",
    "empty": "no config.json and no .gguf file",
    "notes.txt": "is a file; name the checkpoint's folder",
    "model --gguf-file other.gguf": "no file other.gguf in it",
    "model --base /nowhere": "no such folder",
    "model --base empty": "no config.json",
    "model --dtype int3": "is not a dtype; use auto, float32",
    "model --device-map odd": "is no device map; use auto",
    "model --device-map auto --max-memory 3x": "is no device and its memory",
    "model --suites odd": "no suite is called 'odd'",
    "model --axes odd": "no chosen suite has the axis 'odd'",
    "model --data /nowhere": "data folder /nowhere does not exist",
    "model --quick --full": "exclude each other",
    "model --system-prompt x": "needs the chat template",
    "model --odd": "No such option",
    "model --endpoint odd": "is no address of HTTP",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_is_told_before_anything_heavy_is_loaded(line, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("notes")
    code = (
        "import sys\n"
        f"sys.argv = ['fairaudit', 'audit', *{line.split()!r}]\n"
        "from fairaudit.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        "    print(end.code, {'torch', 'transformers'} & set(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path,
        env=os.environ | {"COLUMNS": "200"},
    )  # fmt: skip
    assert done.stdout == "2 set()\n", done.stderr
    assert MISTAKES[line] in done.stderr


def test_what_may_be_a_hub_id_is_asked_of_the_hub():
    check_source("gpt2")
    check_source("someone/model-1")
    with pytest.raises(FairauditError, match="no such folder"):
        check_source("a/b/c")
