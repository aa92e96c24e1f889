"""Ten thousand files that mean harm: only the library's own errors, in one clean line, or success.

Each is a valid file with bytes or values changed, given to the command that reads it. A result file
is sealed again after the change, as somebody would who wants to be believed: the digest is no
signature, so what stands behind it must hold by itself.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pandas as pd
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from fairaudit.auditing.run_audit import audit
from fairaudit.comparing.compare import compare
from fairaudit.errors import FairauditError
from fairaudit.experiments.experiment_plan import load_plan, starter_plan
from fairaudit.experiments.map_plan import load_map_plan
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.recorded.inspect_log import read_inspect_log
from fairaudit.results.digest import sealed
from fairaudit.results.files import sha256_of
from fairaudit.scoring.load import load_model
from fairaudit.suites.starter import starter_suite
from fairaudit.training.finetuning import finetune
from fairaudit.training.records import read_records
from tests.cli.program import fairaudit
from tests.conftest import CORPUS
from tests.hostile.damage import as_json, as_lines, damaged, harmed, misfits

#: Files of each kind: all of them together more than 10,000.
EACH: Final = 440
HOSTILE = settings(
    max_examples=EACH,
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],
    database=None,
    suppress_health_check=[*HealthCheck],
)
INTERNAL: Final = 70
SUITE = "stereotype,anti_stereotype,axis,group,cluster\n" + "".join(
    f"The {job} said he was {mood}.,The {job} said she was {mood}.,gender,male,{job}\n"
    for job in ("nurse", "doctor", "engineer")
    for mood in ("tired", "glad")
)
PROMPTS = "prompt,axis,group\nThe man was,gender,male\nThe woman was,gender,female\n"
POLICY = """[policy]
name = "release"
[[rules]]
kind = "max_increase_vs_baseline"
suite = "mine"
margin = 0.05
[[rules]]
kind = "max_deviation_from_ideal"
limit = 0.3
[[rules]]
kind = "min_items"
minimum = 3
"""


@pytest.fixture(scope="module")
def made(checkpoint, tmp_path_factory):
    """One valid folder of each kind."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "mine.csv").write_text(SUITE)
    (folder / "prompts.csv").write_text(PROMPTS)
    for name, family in (("audit", "gpt2"), ("other", "gpt2-pad")):
        audit(checkpoint(family), suites=[str(folder / "mine.csv")], label=name, device="cpu",
              output=folder / name, progress=False)  # fmt: skip
    done = fairaudit("compare", folder / "other", folder / "audit", "-o", folder / "comparison")
    assert done.returncode == 0, done.stderr
    finetune(checkpoint("gpt2"), CORPUS, output=folder / "trained", steps=2, batch_size=3,
             epsilon=8, delta=1e-3, max_length=16, device="cpu")  # fmt: skip
    shutil.copytree(checkpoint("gpt2"), folder / "model")
    (folder / "policy.toml").write_text(POLICY)
    assert fairaudit("gate", folder / "comparison", "--policy", folder / "policy.toml",
                     "--output", folder / "gate").returncode in (0, 1, 3, 14)  # fmt: skip
    return folder


def refused_or_read(*arguments: Any) -> None:
    """Run a command; it ends with a code of its own, and every line of what it says is clean."""
    done = fairaudit(*arguments)
    assert done.returncode != INTERNAL, done.stderr
    assert done.returncode in range(6), (done.returncode, done.stderr)
    for line in (*done.stderr.split("\n"), *done.stdout.split("\n")):
        assert not line.startswith("::"), line
        assert "\x1b" not in line
        assert len(line) < 4_000
    if done.returncode == 2:
        assert done.stderr.rstrip().split("\n")[-1].startswith("fairaudit: "), done.stderr


def own_error_or_none(read: Callable[[], object]) -> None:
    """Run something; it may raise the library's errors only."""
    try:
        read()
    except FairauditError as error:
        told = str(error)
        assert told


@dataclass(frozen=True)
class Text:
    """A kind of file that a user writes, and the command that reads it."""

    name: str
    whole: Any
    write: Callable[[Any], bytes] | None
    command: tuple[str, ...]

    @property
    def files(self) -> st.SearchStrategy[bytes]:
        if self.write is None:
            return damaged(self.whole)
        return harmed(self.whole, self.write)


def as_toml(tree: Any) -> bytes:
    """Write a tree as TOML, a value at a time in JSON's form: near enough to be read mostly."""
    lines = [f"{json.dumps(key)} = {_toml(value)}" for key, value in tree.items()]
    return "\n".join(lines).encode("utf-8", "surrogatepass")


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        inner = ", ".join(f"{json.dumps(key)} = {_toml(one)}" for key, one in value.items())
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    if isinstance(value, float):
        return repr(value)
    return '""' if value is None else json.dumps(value)


SENTENCES = [
    {"text": f"The {job} said {one} was {mood}.", "score": -10.5 - k}
    for job in ("nurse", "doctor", "engineer")
    for mood in ("tired", "glad")
    for k, one in enumerate(("he", "she"))
]
LOG = [
    {
        "doc_id": k,
        "doc": {"sent_more": row["text"], "sent_less": SENTENCES[k + 1]["text"]},
        "arguments": {
            "gen_args_0": {"arg_0": "", "arg_1": row["text"]},
            "gen_args_1": {"arg_0": "", "arg_1": SENTENCES[k + 1]["text"]},
        },
        "resps": [[["-10.5", "False"]], [["-11.5", "False"]]],
        "filtered_resps": [["-10.5", "False"], ["-11.5", "False"]],
        "filter": "none",
    }
    for k, row in list(enumerate(SENTENCES))[::2]
]
WRITTEN = [
    {"prompt": prompt, "text": f"{prompt} {rest}"}
    for prompt in ("The man was", "The woman was")
    for rest in ("late.", "there, and he is a fool.")
]
ROWS = [{"text": row["text"], "user": k // 2} for k, row in enumerate(SENTENCES)]
CARD = (
    b"---\nlicense: mit\ntags:\n- a\nmodel-index:\n- name: x\n  results: []\n---\n# Model\nText.\n"
)
CSV = starter_suite(Path("a.csv")).encode()
TEXTS = (
    Text("suite.csv", CSV, None, ("suites", "validate", "{file}")),
    Text("prompts.csv", PROMPTS.encode(), None, ("suites", "validate", "{file}")),
    Text("suite.jsonl", [json.loads(line) for line in starter_suite(Path("a.jsonl")).split("\n")
                         if line], as_lines, ("suites", "validate", "{file}")),
    Text("policy.toml", tomllib.loads(POLICY), as_toml,
         ("gate", "{made}/comparison", "--policy", "{file}", "--output", "{out}")),
    Text("train.jsonl", ROWS, as_lines, ("cda", "{file}", "--output", "{out}/twins.jsonl")),
    Text("train.csv", pd.DataFrame(ROWS).to_csv(index=False).encode(), None,
         ("cda", "{file}", "--output", "{out}/twins.csv")),
    Text("README.md", CARD, None, ("card", "{made}/audit", "--readme", "{file}")),
    Text("models.txt", b"# models\n./none/a\n./none/b\n", None,
         ("audit", "--models-from", "{file}", "--output", "{out}")),
)  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("kind", TEXTS, ids=lambda kind: kind.name)
def test_a_file_that_a_user_writes(made, kind, tmp_path):
    @HOSTILE
    @given(kind.files)
    def check(content):
        out = tmp_path / "out"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        file = tmp_path / kind.name
        file.write_bytes(content)
        places = {"file": file, "made": made, "out": out}
        refused_or_read(*(word.format(**places) for word in kind.command))

    check()


@dataclass(frozen=True)
class Recording:
    """A kind of file that another program wrote, read in Python: no report is drawn."""

    name: str
    suite: str
    files: st.SearchStrategy[bytes]


RECORDINGS = (
    Recording("log.jsonl", "mine.csv", harmed(LOG, as_lines)),
    Recording("scores.jsonl", "mine.csv", harmed(SENTENCES, as_lines)),
    Recording(
        "scores.csv", "mine.csv", damaged(pd.DataFrame(SENTENCES).to_csv(index=False).encode())
    ),
    Recording("texts.jsonl", "prompts.csv", harmed(WRITTEN, as_lines)),
)


@pytest.mark.long
@pytest.mark.parametrize("kind", RECORDINGS, ids=lambda kind: kind.name)
def test_a_recording_of_another_program(made, kind, tmp_path):
    @HOSTILE
    @given(kind.files)
    def check(content):
        file = tmp_path / kind.name
        file.write_bytes(content)
        own_error_or_none(lambda: audit_scores(file, suite=str(made / kind.suite)))

    check()


def judged(folder: Path) -> tuple[tuple[Any, ...], ...]:
    """Commands that read a result's folder."""
    policy = folder.parent / "policy.toml"
    return (
        ("gate", folder, "--policy", policy, "--output", folder.parent / "gated"),
        ("card", folder, "--readme", folder.parent / "card.md"),
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", ["audit", "comparison"])
def test_a_result_that_was_changed_and_sealed_again(made, kind, tmp_path):
    shutil.copytree(made / kind, tmp_path / kind)
    shutil.copy(made / "policy.toml", tmp_path)
    file = tmp_path / kind / "result.json"
    whole = json.loads(file.read_text())

    @HOSTILE
    @given(misfits(whole))
    def check(tree):
        # What cannot be sealed was not made by this library: it stays unsealed.
        try:
            content = json.dumps(sealed(tree) if isinstance(tree, dict) else tree)
        except (ValueError, TypeError, OverflowError):
            content = json.dumps(tree)
        file.write_text(content, encoding="utf-8", errors="surrogatepass")
        for command in judged(tmp_path / kind):
            refused_or_read(*command)

    check()


@pytest.mark.long
def test_a_score_table_with_other_columns(made, tmp_path):
    for name in ("audit", "other"):
        shutil.copytree(made / name, tmp_path / name)
    (table,) = (tmp_path / "audit" / "items").glob("mine*.parquet")
    result = tmp_path / "audit" / "result.json"
    whole, frame = result.read_text(), pd.read_parquet(table)
    before = sha256_of(table)
    assert before in whole

    @HOSTILE
    @given(st.data())
    def check(data):
        changed = _other_table(data, frame)
        try:
            changed.to_parquet(table)
        except Exception:  # No such table can be stored.
            return
        tree = json.loads(whole.replace(before, sha256_of(table)))
        result.write_text(json.dumps(sealed(tree)))
        own_error_or_none(lambda: compare([tmp_path / "other", tmp_path / "audit"], progress=False))

    check()


def _other_table(data: st.DataObject, frame: pd.DataFrame) -> pd.DataFrame:
    column = data.draw(st.sampled_from([*frame.columns]))
    kind = data.draw(st.sampled_from(("lose", "text", "number", "null", "one", "rows", "list")))
    changed = frame.copy()
    row = data.draw(st.integers(0, len(frame) - 1))
    if kind == "lose":
        return changed.drop(columns=column)
    if kind == "rows":
        return changed.iloc[:row] if data.draw(st.booleans()) else pd.concat([changed, changed])
    if kind == "text":
        changed[column] = data.draw(st.sampled_from(("", "gender", "\x1b[1m", "x" * 5_000)))
    elif kind == "number":
        changed[column] = data.draw(st.sampled_from((0, -1.5, float("inf"), 10**12)))
    elif kind == "null":
        changed[column] = None
    elif kind == "list":
        changed[column] = [[1, 2]] * len(changed)
    else:
        changed[column] = changed[column].astype(object)
        changed.loc[row, column] = data.draw(
            st.sampled_from((None, float("nan"), float("inf"), -1e300, 0))
        )
    return changed


@pytest.mark.long
def test_a_privacy_statement(made, tmp_path):
    shutil.copytree(made / "trained", tmp_path / "trained")
    file = tmp_path / "trained" / "privacy.json"

    @HOSTILE
    @given(harmed(json.loads(file.read_text()), as_json))
    def check(content):
        file.write_bytes(content)
        refused_or_read("verify", tmp_path / "trained")

    check()


@pytest.mark.long
@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "tokenizer_config.json"])
def test_a_file_of_a_checkpoint(made, name, tmp_path):
    shutil.copytree(made / "model", tmp_path / "model")
    file = tmp_path / "model" / name
    if not file.exists():
        pytest.skip(f"the checkpoint has no {name}")
    content = json.loads(file.read_text())
    if name == "tokenizer.json":
        # Its vocabulary is long and all alike.
        content["model"]["vocab"] = dict(list(content["model"]["vocab"].items())[:300])

    @settings(HOSTILE, max_examples=EACH // 4)
    @given(harmed(content, as_json))
    def check(changed):
        file.write_bytes(changed)
        own_error_or_none(lambda: load_model(tmp_path / "model", device="cpu"))

    check()


@pytest.mark.long
@pytest.mark.parametrize("ending", [".jsonl", ".csv", ".txt", ".parquet", ".jsonl.gz"])
def test_a_training_text(ending, tmp_path):
    import gzip

    frame = pd.DataFrame(ROWS)
    frame.to_parquet(tmp_path / "rows.parquet")
    files = {
        ".jsonl": harmed(ROWS, as_lines),
        ".csv": damaged(frame.to_csv(index=False).encode()),
        ".txt": damaged("\n".join(frame["text"]).encode()),
        ".parquet": damaged((tmp_path / "rows.parquet").read_bytes()),
        ".jsonl.gz": damaged(gzip.compress(as_lines(ROWS), mtime=0)),
    }

    @HOSTILE
    @given(files[ending])
    def check(content):
        file = tmp_path / f"train{ending}"
        file.write_bytes(content)
        own_error_or_none(lambda: read_records(file))
        own_error_or_none(lambda: read_records(file, unit_column="user"))

    check()


INSPECT = {
    "version": 2, "status": "success",
    "eval": {"task": "bbq", "model": "m", "config": {}, "dataset": {"name": "bbq"}},
    "samples": [
        {"id": k, "epoch": 1, "input": "Who?", "target": "A", "choices": ["a", "b", "c"],
         "messages": [], "output": {"choices": [{"message": {"content": "A"}}]},
         "scores": {"choice": {"value": "C", "answer": "A"}}}
        for k in range(3)
    ],
}  # fmt: skip


@pytest.mark.long
@HOSTILE
@given(harmed(INSPECT, as_json))
def test_an_inspect_log(content):
    own_error_or_none(lambda: read_inspect_log(content, "log.json"))


@pytest.mark.long
@HOSTILE
@given(harmed(tomllib.loads(starter_plan()), as_toml))
def test_a_plan_of_an_experiment(tmp_path_factory, content):
    file = tmp_path_factory.getbasetemp() / "plan.toml"
    file.write_bytes(content)
    own_error_or_none(lambda: load_plan(file))
    own_error_or_none(lambda: load_map_plan(file))
