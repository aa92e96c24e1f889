"""A run imports what it needs: the list of verbs none of them, an error no library of models."""

from __future__ import annotations

import subprocess
import sys

import pytest
import typer

from fairaudit.cli.app import app
from fairaudit.cli.verbs import VERBS

#: Takes seconds to import, or a good part of one.
HEAVY = {
    "datasets", "jinja2", "matplotlib", "opacus", "pandas", "peft", "pyarrow", "scipy",
    "statsmodels", "torch", "transformers",
}  # fmt: skip
#: What a person gets wrong, and the line that tells it.
ERRORS = {
    "audit": "name a model",
    "audit ./nowhere/model": "nowhere/model: no such folder",
    "audit base --policy missing.toml": "missing.toml: no such policy file",
    "audit --no-such-flag": "No such option",
    "compare missing other --output out": "missing: no such file",
    "compare . . --output out --policy missing.toml": "missing.toml: no such policy file",
    "gate . --policy missing.toml": "missing.toml: no such policy file",
    "gate missing --policy .": "missing: no such file",
    "gate .": "give either --policy FILE",
    "report missing": "missing: no such file; name the folder of a result",
    "finetune base --train missing.txt --output out": "missing.txt: no such file",
    "finetune base --train text.odd --output out": "unknown kind of file",
    "finetune base --train text.txt --output out --delta 0.1": "--delta has no effect",
    "cda missing.txt --output out.txt": "missing.txt: no such file",
    "verify missing": "missing: no such file; name a checkpoint of private fine-tuning",
    "verify .": "privacy.json: no such file",
    "statement show missing": "missing: no such file",
    "statement compose missing": "missing: no such file",
    "experiment --output out --no-such-flag": "No such option",
    "audti": "Did you mean",
}
PROGRAM = (
    "import sys\n"
    "from fairaudit.__main__ import main\n"
    "try:\n    main()\nexcept SystemExit as end:\n    code = end.code\n"
    "print('LOADED', code, *sorted(sys.modules))"
)


def loaded(folder, *arguments: str) -> tuple[int, set[str], str]:
    """Exit code of a run, the modules that it imported, and all that it printed."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments], capture_output=True, text=True, cwd=folder
    )
    shown, _, told = done.stdout.partition("LOADED ")
    code, *modules = told.split()
    return int(code), set(modules), shown + done.stderr


@pytest.mark.parametrize("line", ERRORS)
def test_an_error_is_told_before_a_library_is_imported(line, tmp_path):
    (tmp_path / "text.txt").write_text("A line.\n")
    (tmp_path / "text.odd").write_text("A line.\n")
    code, modules, shown = loaded(tmp_path, *line.split())
    assert code == 2
    assert ERRORS[line] in shown
    assert not modules & HEAVY


def test_the_list_of_verbs_imports_none_of_them(tmp_path):
    code, modules, shown = loaded(tmp_path, "--help")
    assert code == 0
    assert not modules & (HEAVY | {"numpy", "pydantic"})
    assert not {place.place.partition(":")[0] for place in VERBS.values()} & modules
    for name in VERBS:
        assert f"│ {name} " in shown


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_imports_no_other_and_its_line_is_its_own(verb, tmp_path):
    code, modules, _ = loaded(tmp_path, verb, "--help")
    assert code == 0
    assert not modules & HEAVY
    group = typer.main.get_command(app)
    assert group.commands[verb].name == verb
    assert group.commands[verb].get_short_help_str(1000) == VERBS[verb].summary


#: What an audit, a comparison and a report have no use for.
UNUSED = {
    "datasets", "matplotlib.pyplot", "opacus", "peft", "scipy.stats", "sklearn", "statsmodels",
    "torch.utils.tensorboard", "vaderSentiment",
}  # fmt: skip
SUITE = "axis,stereotype,anti_stereotype\n" + "".join(
    f"gender,The nurse {number} said she slept.,The nurse {number} said he slept.\n"
    for number in range(12)
)


@pytest.fixture(scope="module")
def audited(checkpoint, tmp_path_factory):
    """Return the folder of an audit, and the modules that it imported."""
    folder = tmp_path_factory.mktemp("audited")
    (folder / "mine.csv").write_text(SUITE)
    options = ["--suites", "mine.csv", "--device", "cpu", "--output", "audit"]
    code, modules, shown = loaded(folder, "--quiet", "audit", str(checkpoint("gpt2")), *options)
    assert code == 0, shown
    return folder, modules


def test_an_audit_imports_nothing_that_it_has_no_use_for(audited):
    _, modules = audited
    assert {"torch", "pandas", "matplotlib"} <= modules
    assert not modules & UNUSED


@pytest.mark.parametrize("line", ["compare audit audit --output compared", "report audit"])
def test_what_runs_no_model_imports_no_library_of_models(audited, line):
    code, modules, shown = loaded(audited[0], "--quiet", *line.split())
    assert code == 0, shown
    assert not modules & (UNUSED | {"torch", "transformers"})


def test_a_decision_is_forgotten_before_a_missing_policy_is_told(tmp_path):
    """So that a gate which fails leaves none behind, however early it fails."""
    decision = tmp_path / "gate.json"
    decision.write_text('{"schema": "fairaudit/gate"}')
    assert loaded(tmp_path, "gate", ".", "--policy", "missing.toml")[0] == 2
    assert not decision.exists()


def test_verbs_are_completed_by_their_lines():
    """What a shell asks for at the tab key; nothing is imported for it."""
    group = typer.main.get_command(app)
    context = group.make_context("fairaudit", ["--quiet", "suites"], resilient_parsing=True)
    offered = {one.value: one.help for one in group.shell_complete(context, "audit")}
    assert list(offered) == ["audit", "audit-scores"]
    for name, line in offered.items():
        assert VERBS[name].summary.startswith(line.removesuffix("..."))
