"""Sweeps: many models in one command, and several commands with one list and one folder."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.cli.queue import folder_names, models_of
from fairaudit.errors import UsageError
from fairaudit.results import AuditResult
from fairaudit.results.locks import alone_at
from tests.cli.program import fairaudit

PAIRS = "axis,group,stereotype,anti_stereotype\n" + "".join(
    f"gender,female,The {name} said she was tired.,The {name} said he was tired.\n"
    for name in ("nurse", "clerk", "baker", "cook", "tailor")
)
PART = st.text("ab-", min_size=1, max_size=2)


@pytest.fixture
def pairs(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PAIRS)
    return path


@pytest.fixture
def sweep(checkpoint, tmp_path):
    """Two models of one name, in folders of their runs."""
    for run, model in (("one", "gpt2"), ("two", "gpt2-pad")):
        shutil.copytree(checkpoint(model), tmp_path / run / "final")
    return tmp_path


@given(st.lists(st.lists(PART, min_size=1, max_size=3).map("/".join), max_size=8, unique=True))
def test_every_model_has_a_folder_of_its_own_or_is_refused(models):
    try:
        names = folder_names(models)
    except UsageError as error:
        models = str(error)
    if isinstance(models, str):
        assert "are called" in models
        return
    assert len(set(names)) == len(models)
    assert not any("/" in name for name in names)
    for model, name in zip(models, names, strict=True):
        assert name.endswith(model.rpartition("/")[2])


@pytest.mark.parametrize(
    ("models", "names"),
    [
        (["runs/a/final", "runs/b/final"], ["a-final", "b-final"]),
        (["a/x/final", "b/x/final", "gpt2"], ["a-x-final", "b-x-final", "gpt2"]),
        (["org/model", "model"], ["org-model", "model"]),
    ],
)
def test_a_folder_is_named_by_what_tells_its_model_from_others(models, names):
    assert folder_names(models) == names


def test_a_list_of_models_has_comments_and_blanks(tmp_path):
    listed = tmp_path / "models.txt"
    listed.write_bytes(b"\xef\xbb\xbf# the sweep\r\nb c\r\n\r\n  d \n#e\n")
    assert models_of(["a"], str(listed)) == ["a", "b c", "d"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "name a model"),
        (b"# nothing\n", "name a model"),
        (b"a\na\n", "named twice"),
        (b"\xff\xfe\x00", "cannot be read as a list"),
        (b"PK\x03\x04\x00\x00", "not a text"),
        (b"a" * (5 << 20), "larger than"),
        (None, "cannot be read as a list"),
    ],
)
def test_a_list_that_is_none_is_refused(content, message, tmp_path):
    listed = tmp_path / "models.txt"
    if content is not None:
        listed.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        models_of([], str(listed))


def test_a_bad_checkpoint_does_not_keep_the_others(sweep, pairs, tmp_path):
    (tmp_path / "models.txt").write_text(
        f"{sweep}/one/final\n{tmp_path}/missing\n{sweep}/two/final\n"
    )
    done = fairaudit(
        "audit", "--models-from", tmp_path / "models.txt", "--suites", pairs, "-o", tmp_path / "out"
    )
    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("fairaudit: /")]
    assert "missing" in line
    for name in ("one-final", "two-final"):
        assert AuditResult.load(tmp_path / "out" / name).label == name


@pytest.mark.long
def test_the_list_may_come_from_standard_input(sweep, pairs, tmp_path):
    command = [sys.executable, "-m", "fairaudit", "audit", "--models-from", "-", "-q"]
    done = subprocess.run(
        [*command, "--suites", pairs, "-o", tmp_path / "out"],
        input=f"{sweep}/one/final\n{sweep}/two/final\n",
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {one.name for one in (tmp_path / "out").iterdir()} == {"one-final", "two-final"}


@pytest.mark.long
def test_a_model_that_another_job_audits_is_left_to_it(sweep, pairs, tmp_path):
    models = (sweep / "one" / "final", sweep / "two" / "final")
    out = tmp_path / "out"
    command = [sys.executable, "-m", "fairaudit", "audit", *models, "--suites", pairs, "-o", out]
    with alone_at(out / "one-final", "auditing into this folder"):
        done = subprocess.run(command, text=True, capture_output=True, check=False)
        assert (done.returncode, (out / "one-final").exists()) == (0, False), done.stderr
    assert "another process is auditing into this folder; left to it" in done.stderr
    assert AuditResult.load(out / "two-final").label == "two-final"
    # The job that comes back finds what is missing.
    again = fairaudit("audit", *models, "--suites", pairs, "-o", out)
    assert again.returncode == 0, again.stderr
    assert AuditResult.load(out / "one-final").label == "one-final"


@pytest.mark.long
def test_jobs_of_one_array_share_a_list_and_a_folder(sweep, pairs, tmp_path):
    (tmp_path / "models.txt").write_text(f"{sweep}/one/final\n{sweep}/two/final\n")
    command = [sys.executable, "-m", "fairaudit", "audit", "--models-from", "models.txt", "-q"]
    jobs = [
        subprocess.Popen([*command, "--suites", pairs, "-o", "out"], cwd=tmp_path, text=True,
                         stderr=subprocess.PIPE)
        for _ in range(3)
    ]  # fmt: skip
    said = [job.communicate()[1] for job in jobs]
    assert [job.returncode for job in jobs] == [0, 0, 0], said
    found = {one.name: AuditResult.load(one) for one in (tmp_path / "out").iterdir()}
    assert set(found) == {"one-final", "two-final"}
    prints = {one.provenance.model.fingerprint for one in found.values()}
    assert len(prints) == 2
