"""Each option of a verb stands once: Python, docstring, command line and plans all show it."""

from __future__ import annotations

import inspect
import math
import re
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Literal, get_args

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

import fairaudit
from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.classifier_check_options import ClassifierCheckOptions
from fairaudit.cli.options import takes
from fairaudit.comparing.compare_options import CompareOptions
from fairaudit.diagnostics.diagnose_options import DiagnoseOptions
from fairaudit.errors import UsageError
from fairaudit.experiments.experiment_options import ExperimentOptions
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.plan_parts import ArmSettings
from fairaudit.gating.gate_options import GateOptions
from fairaudit.options import END, Option, Options, Place, entries, verb
from fairaudit.recorded.scores_options import ScoresOptions
from fairaudit.training.finetune_options import FinetuneOptions
from fairaudit.training.jobs import FineTuning
from tests.cli.program import fairaudit as program
from tests.comparing.audits import make_audit, pair_table
from tests.conftest import build_model
from tests.report import audits

RECORDS = {
    "audit": AuditOptions,
    "audit-scores": ScoresOptions,
    "compare": CompareOptions,
    "diagnose": DiagnoseOptions,
    "experiment": ExperimentOptions,
    "finetune": FinetuneOptions,
    "gate": GateOptions,
}
#: A check of a classifier is a command only: Python asks the classifier itself.
COMMANDS = {**RECORDS, "classifier-check": ClassifierCheckOptions}


def options_of(records):
    return [
        pytest.param(name, one, id=f"{name}-{one.name}")
        for name, record in records.items()
        for one in entries(record)
    ]


OPTIONS = options_of(RECORDS)
ON_COMMAND_LINE = [one for one in options_of(COMMANDS) if one.values[1].option.help is not None]
PLACES = [one for one in OPTIONS if {*get_args(Place)} <= {*one.values[1].alternatives}]
PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"The {kind} {person},gender,{group},{kind}\n"
    for kind in ("old", "young", "tired", "rich", "poor")
    for group, person in (("male", "man"), ("female", "woman"))
)


def python_verb(name):
    return getattr(fairaudit, name.replace("-", "_"))


def flag(one):
    return next(iter(one.option.flags), "--" + one.name.replace("_", "-"))


@pytest.fixture(scope="module")
def helps():
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COLUMNS", "250")
        return {name: program(name, "--help").stdout for name in COMMANDS}


@pytest.mark.parametrize("name", RECORDS)
def test_a_record_has_each_field_once_and_signatures_have_them_all(name):
    record = RECORDS[name]
    names = [one.name for one in entries(record)]
    assert sorted(names) == sorted(one.name for one in fields(record))
    assert list(inspect.signature(python_verb(name)).parameters) != []
    assert set(inspect.signature(python_verb(name)).parameters) == set(names)


@pytest.mark.parametrize(("name", "one"), OPTIONS)
def test_python_shows_an_option_with_its_default_and_its_words(name, one):
    function = python_verb(name)
    shown = inspect.signature(function).parameters[one.name]
    own = next(field.default for field in fields(RECORDS[name]) if field.name == one.name)
    assert shown.default is (inspect.Parameter.empty if own is MISSING else own)
    assert shown.annotation == one.type
    section = re.split(r"\n\n\w+\n-+\n", inspect.getdoc(function))[1]
    assert f"{one.name} : {one.kind} {one.option.text}" in " ".join(section.split())


@pytest.mark.parametrize(("name", "one"), ON_COMMAND_LINE)
def test_help_shows_an_option_with_its_default_and_its_words(helps, name, one):
    shown = (one.option.metavar or one.name) if one.option.argument else flag(one)
    lines = helps[name].split("\n")
    (line,) = (line for line in lines if re.match(rf"│[ *]+{re.escape(shown)}[ ./]", line))
    assert all(part in line for part in one.option.help.removesuffix(".").split(";"))
    if not one.option.argument and one.default not in (None, MISSING, (), False, True):
        assert f"[default: {one.default}]" in line


def sample(one):
    """A value as it is typed, and as the record keeps it."""
    if one.choices:
        return one.choices[-1], one.choices[-1]
    if one.option.cli == list[str]:
        return "x", ("x",)
    if one.element is int:
        return "3,4", (3, 4)
    if one.element is str:
        return "x, y", ("x", "y")
    if one.alternatives == (int,):
        return str(number := int(one.option.min or 0) + 7), number
    if one.alternatives == (float,):
        return "0.25", 0.25
    return "x", "x"


@pytest.mark.parametrize(("name", "one"), ON_COMMAND_LINE)
def test_what_is_typed_reaches_the_record(name, one):
    seen = {}
    app = typer.Typer()

    @takes(COMMANDS[name])
    def probe(chosen):
        seen.update(chosen)

    app.command()(probe)
    needed = {
        other.name: other
        for other in entries(COMMANDS[name])
        if other.option.help is not None and (other.required or other.option.required)
    }
    line, expected = [], {}
    for other in {**needed, one.name: one}.values():
        if other.alternatives == (bool,):
            line.append(f"--no-{flag(other)[2:]}" if other.default else flag(other))
            expected[other.name] = not other.default
        else:
            typed, expected[other.name] = sample(other)
            line += [typed] if other.option.argument else [flag(other), typed]
    done = CliRunner().invoke(app, line)
    assert done.exit_code == 0, done.output
    assert {key: other_value(seen, key, one, needed) for key in expected} == expected
    assert seen.keys() - expected.keys() == {
        other.name
        for other in entries(COMMANDS[name])
        if other.option.help is not None
        and other.name not in expected
        and other.default not in (None, MISSING)
        and other.element is None
    }


def other_value(seen, key, one, needed):
    entry = one if one.name == key else needed[key]
    value = seen[key]
    if isinstance(value, list):
        return tuple(value)
    return value if isinstance(value, bool | int | float) else str(entry.read(value))


def untouched(name, monkeypatch, tmp_path):
    """Run a verb, and return the options that nothing has read."""
    model, tokenizer = build_model("llama" if name == "audit" else "gpt2")
    options = MAKE[name](tmp_path, model, tokenizer)
    seen = set()

    def read(self, attribute):
        seen.add(attribute)
        return object.__getattribute__(self, attribute)

    # It reads a recipe whole, to tell an unfinished run from another.
    monkeypatch.setattr(FineTuning, "identity", {})
    monkeypatch.setattr(RECORDS[name], "__getattribute__", read)
    inspect.unwrap(python_verb(name))(options)
    return {one.name for one in entries(RECORDS[name])} - seen


def audit_options(tmp_path, model, tokenizer):
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
    path = tmp_path / "mine.csv"
    path.write_text(PROMPTS)
    return AuditOptions(
        (model, tokenizer), suites=[str(path)], apply_chat_template=True, max_new_tokens=2,
        progress=False,
    )  # fmt: skip


def scores_options(tmp_path, *_):
    path = tmp_path / "mine.csv"
    path.write_text(PROMPTS)
    texts = tmp_path / "texts.jsonl"
    rows = (line.partition(",")[0] for line in PROMPTS.split("\n")[1:-1])
    texts.write_text(
        "".join(f'{{"prompt": "{row}", "completions": ["is kind."]}}\n' for row in rows)
    )
    return ScoresOptions(texts, suite=str(path), output=tmp_path / "out")


def diagnose_options(tmp_path, model, tokenizer):
    rows = [
        {"text": f"The {kind} {person} said so.", "who": person}
        for kind in ("old", "young", "tired", "rich", "poor")
        for person in ("man", "woman")
    ]
    import pandas as pd

    return DiagnoseOptions(
        (model, tokenizer), pd.DataFrame(rows), group_column="who", replicates=199,
        curvature_probes=0, output=tmp_path / "out", progress=False,
    )  # fmt: skip


def finetune_options(tmp_path, model, tokenizer):
    model.save_pretrained(tmp_path / "base")
    tokenizer.save_pretrained(tmp_path / "base")
    texts = [f"The nurse said that she was number {n}." for n in range(12)]
    return FinetuneOptions(
        tmp_path / "base", texts, output=tmp_path / "out", epsilon=8.0, lora=2, steps=1,
        batch_size=3, cda=["gender"], max_length=16,
    )  # fmt: skip


def compare_options(tmp_path, *_):
    pairs = pair_table([1.0, 0.5, -1.0] * 20)
    every = [make_audit(name, pairs) for name in ("base", "tuned")]
    return CompareOptions(every, output=tmp_path / "out", progress=False)


def gate_options(*_):
    rules = [{"kind": "min_items", "minimum": 3}]
    return GateOptions(audits.whole_audit(), {"policy": {"name": "mine"}, "rules": rules})


def experiment_options(tmp_path, *_):
    world = {"sentences": 100}
    plan = ExperimentPlan(
        name="mine", arms=["plain"], seeds=1, train={"steps": 1, "batch_size": 4},
        base={"text": world, "steps": 1, "layers": 1, "width": 8, "batch_size": 4},
        text={"world": world, "held_out_sentences": 50},
    )  # fmt: skip
    return ExperimentOptions(plan, output=tmp_path / "out", processes=1, progress=False)


MAKE = {
    "audit": audit_options,
    "audit-scores": scores_options,
    "compare": compare_options,
    "diagnose": diagnose_options,
    "experiment": experiment_options,
    "finetune": finetune_options,
    "gate": gate_options,
}


@pytest.mark.long
@pytest.mark.parametrize("name", RECORDS)
def test_no_option_is_accepted_and_ignored(name, monkeypatch, tmp_path):
    assert untouched(name, monkeypatch, tmp_path) == set()


def test_plans_take_types_and_bounds_from_the_recipe():
    assert ArmSettings(steps=3, lora=2).over(ArmSettings(steps=9, delta=0.1)) == {
        "steps": 3, "lora": 2, "delta": 0.1,
    }  # fmt: skip
    known = {one.name: one for one in entries(FinetuneOptions)}
    for name in ArmSettings.model_fields:
        low, above = known[name].option.min, known[name].option.above
        with pytest.raises(ValueError, match="greater than"):
            ArmSettings(**{name: low - 1 if above is None else above})


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: fairaudit.audit("m", sead=1), r"audit\(\) .*'sead'; did you mean 'seed'\?"),
        (lambda: fairaudit.audit(), r"audit\(\) missing a required argument: 'model'"),
        (lambda: fairaudit.audit("m", "bbq"), r"audit\(\) too many positional arguments"),
        (lambda: fairaudit.finetune("m", "t"), r"finetune\(\) missing .*'output'"),
        (lambda: fairaudit.diagnose("m", "t", model="x"), r"diagnose\(\) .*'model'; did you mean"),
    ],
)
def test_a_wrong_call_is_refused_under_the_name_of_the_verb(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seed": "a"}, "seed must be a whole number, not 'a'"),
        ({"seed": -1}, "seed must be at least 0, not -1"),
        ({"limit": 2.5}, "limit must be a whole number, not 2.5"),
        ({"quick": True, "full": True}, "exclude each other"),
        ({"suites": []}, "no suite is named"),
    ],
)
def test_a_wrong_value_is_refused_before_anything_is_loaded(options, message):
    with pytest.raises(UsageError, match=re.escape(message)):
        fairaudit.audit("some/model", **options)


@pytest.mark.parametrize(("name", "one"), PLACES)
def test_an_empty_path_is_refused_by_every_option_that_takes_one(name, one):
    """Python's ``output=""`` would be the current folder."""
    with pytest.raises(UsageError, match=f"{one.words} is empty"):
        one.read("")


@dataclass(frozen=True, kw_only=True)
class Parent(Options):
    first: Annotated[int, Option(help="1")] = 1
    last: Annotated[Literal["a", "b"], Option(help="2")] = "a"


@dataclass(frozen=True)
class Child(Parent):
    head: Annotated[str, Option(help="3", before="first")]
    second: Annotated[bool | None, Option(help="4", before="last", kind="flag")] = None
    third: Annotated[float, Option(help="5", above=0, max=1)] = 0.5
    tail: Annotated[bool, Option(help="6", before=END)] = False


def test_options_of_a_child_stand_among_those_of_its_parent():
    assert [one.name for one in entries(Child)] == [
        "head", "first", "second", "third", "last", "tail",
    ]  # fmt: skip


def test_a_verb_is_a_function_of_its_record():
    @verb(Child)
    def go(options: Child) -> Child:
        """Go.

        Raises
        ------
        UsageError
            Never.
        """
        return options

    assert go("x", third=1) == Child("x", third=1)
    assert inspect.getdoc(go).split("\n\n")[1].startswith("Parameters\n----------\nhead : str\n")
    assert inspect.getdoc(go).split("\n\n")[2].startswith("Raises\n")
    assert str(inspect.signature(go)).startswith("(head: str, second: ")
    with pytest.raises(UsageError, match="'c' is no last; there are a, b"):
        go("x", last="c")


@given(st.floats(), st.sampled_from([(0, None), (None, 0), (None, None)]), st.booleans())
def test_a_number_is_refused_exactly_where_it_breaks_a_bound(value, low, closed):
    least, above = low
    option = Option(min=least, above=above, max=1 if closed else None, below=None if closed else 1)
    inside = (
        math.isfinite(value)
        and (least is None or value >= least)
        and (above is None or value > above)
        and (value <= 1 if closed else value < 1)
    )
    assert (option.fault(value) is None) is inside
