"""What an audit is called with by mistake: one line each, at once (issues 21 and 27)."""

from __future__ import annotations

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


@pytest.mark.parametrize("arguments", [("/nowhere",), ("./nowhere/at/all",), ("a/b/c", "--quick")])
def test_a_mistake_is_told_before_anything_heavy_is_loaded(arguments):
    code = (
        "import sys\n"
        f"sys.argv = ['fairaudit', 'audit', *{arguments!r}]\n"
        "from fairaudit.cli.app import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n"
        "    print(end.code, {'torch', 'transformers'} & set(sys.modules))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "2 set()\n", done.stderr


def test_what_may_be_a_hub_id_is_asked_of_the_hub():
    check_source("gpt2")
    check_source("someone/model-1")
    with pytest.raises(FairauditError, match="no such folder"):
        check_source("a/b/c")
