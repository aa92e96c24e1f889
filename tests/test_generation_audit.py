"""Audits of suites of prompts: planned, written, stored, scored; and what is said of the rest."""

from __future__ import annotations

import json
import re

import pandas as pd
import pytest

from fairaudit.auditing.audit_options import TextOptions
from fairaudit.auditing.audit_texts import readable, text_table
from fairaudit.auditing.run_audit import audit, plan_audit, run_audit
from fairaudit.comparing.compare import compare
from fairaudit.comparing.joining import join_suite
from fairaudit.errors import ResultError, UsageError
from fairaudit.items import SCORE_COLUMNS, Completions, Item, Skipped
from fairaudit.results import AuditResult
from fairaudit.results.texts import PromptTexts, read_texts, write_texts
from tests.classifiers import save
from tests.conftest import build_model, shared

pytestmark = pytest.mark.long

PROMPTS = "prompt,axis,group,cluster\n" + "".join(
    f"The {age} {person},gender,{group},{age}\n"
    for age in ("old", "young", "tired", "rich", "poor")
    for group, person in (("male", "man"), ("female", "woman"))
)


@pytest.fixture
def prompts(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PROMPTS)
    return path


def run(model, prompts, **options):
    return run_audit(plan_audit(model, suites=[str(prompts)], **options))


def test_an_audit_writes_texts_and_scores_them(checkpoint, prompts, tmp_path):
    output = tmp_path / "out"
    result = audit(checkpoint("gpt2"), suites=[str(prompts)], output=output, completions=3)
    (suite,) = result.suites
    assert (suite.suite, suite.status, suite.n_items) == ("mine", "run", 10)
    assert all(protocol.startswith("mine/vader-") for protocol in suite.protocols)
    texts = AuditResult.load(output).texts("mine")
    assert texts == result.texts("mine")
    assert [one.prompt for one in texts[:2]] == ["The old man", "The old woman"]
    assert all(len(one.completions) == len(one.ended) == 3 for one in texts)
    table = pd.read_parquet(output / "items" / "mine.parquet")
    assert list(table.columns)[: len(SCORE_COLUMNS)] == list(SCORE_COLUMNS)
    assert not table.duplicated(["item_id", "protocol", "role"]).any()
    assert set(table["role"]) == {f"{sample}:compound" for sample in range(3)}
    assert len(table) == 30
    assert set(table["cluster"]) == {"old", "young", "tired", "rich", "poor"}


def test_the_record_says_how_texts_were_written(checkpoint, prompts):
    result = run(checkpoint("gpt2"), prompts, seed=4, completions=2, max_new_tokens=5)
    settings = result.provenance.settings
    assert settings.decoding == {
        "mine": {
            "n": 2, "max_new_tokens": 5, "do_sample": True, "temperature": 1.0, "top_p": 1.0,
            "top_k": 0,
        }
    }  # fmt: skip
    assert all(scorer.startswith("vader") for scorer in settings.text_scorers)
    assert result.notes[0] == (
        "mine: all 10 prompts, 2 completions each of up to 5 tokens; difference of shares "
        "between the two smallest groups that is detectable at 80 % power: 89 points (gender)"
    )
    assert any(note.startswith("content warning: texts/") for note in result.notes)
    left_out = [note for note in result.notes if "not scored by" in note]
    assert not any("NOT_RUN" in note for note in result.notes)
    assert any("'toxicity'" in note and "--toxicity-classifier" in note for note in left_out)


def test_the_same_audit_writes_the_same_texts_and_another_seed_others(checkpoint, prompts):
    first, again, other = (run(checkpoint("gpt2"), prompts, seed=s) for s in (0, 0, 1))
    assert first.texts("mine") == again.texts("mine")
    pd.testing.assert_frame_equal(first.items("mine"), again.items("mine"))
    assert first.texts("mine") != other.texts("mine")


def test_a_part_of_the_prompts_gets_the_same_texts(checkpoint, prompts, tmp_path):
    part = tmp_path / "part.csv"
    part.write_text("".join(PROMPTS.splitlines(keepends=True)[:5]))
    whole = run(checkpoint("llama"), prompts).texts("mine")
    assert run(checkpoint("llama"), part).texts("part") == whole[:4]


def test_masked_models_write_no_texts(checkpoint, prompts):
    result = run(checkpoint("bert"), prompts)
    (suite,) = result.suites
    assert (suite.status, suite.reason) == ("not_run", "masked models write no texts")
    assert result.provenance.settings.decoding is None
    assert not any("content warning" in note for note in result.notes)
    with pytest.raises(ResultError, match="no texts for 'mine'"):
        result.texts("mine")


def test_without_its_scorer_a_suite_is_not_run_and_nothing_is_written(checkpoint):
    plan = plan_audit(checkpoint("gpt2"), suites=["regard"])
    assert plan.generator is None
    (suite,) = run_audit(plan).suites
    assert suite.status == "not_run"
    assert suite.reason.startswith("nothing to score its texts: no classifier of regard")


def test_honest_without_its_files_is_not_run(checkpoint):
    (suite,) = run_audit(plan_audit(checkpoint("gpt2"), suites=["honest"])).suites
    assert suite.status == "not_run"
    assert "offline" in suite.reason


def test_a_quick_audit_asks_fewer_prompts_and_a_full_one_all(checkpoint):
    sizes = {}
    for name, options in {"quick": {"quick": True}, "default": {}, "full": {"full": True}}.items():
        plan = plan_audit(checkpoint("gpt2"), suites=["bold"], data=shared("data"), **options)
        sizes[name] = plan.n_items - 64
        assert plan.settings.full == (name == "full")
    assert sizes == {"quick": 300, "default": 2000, "full": 23_679}


def test_files_behind_a_scorer_are_sources(checkpoint):
    plan = plan_audit(checkpoint("gpt2"), suites=["honest"], data=shared("data"), quick=True)
    entry = plan.suites[1]
    assert [source.path for source in entry.data.sources][-1] == "lexica/EN/1.2/hurtlex_EN.tsv"


def test_axes_narrow_prompts(checkpoint):
    plan = plan_audit(checkpoint("gpt2"), suites=["toxicity"], axes=["religion"])
    assert plan.n_items == 64 + 360


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"completions": 0}, "completions must be at least 1"),
        ({"max_new_tokens": 0}, "max new tokens must be at least 1"),
        ({"system_prompt": "Be kind."}, "--apply-chat-template"),
    ],
)
def test_options_that_make_no_sense(options, message):
    with pytest.raises(UsageError, match=message):
        TextOptions(**options)


def test_a_chat_is_recorded(prompts):
    model, tokenizer = build_model("llama")
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
    options = {"apply_chat_template": True, "system_prompt": "Be kind."}
    result = run((model, tokenizer), prompts, **options)
    decoding = result.provenance.settings.decoding
    assert decoding["system_prompt"] == "Be kind."
    assert len(decoding["chat_template"]) == 64
    assert result.texts("mine") != run((model, tokenizer), prompts).texts("mine")


def test_prompts_that_do_not_fit_are_skipped_items(checkpoint, tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(PROMPTS + f"The man said {'that ' * 60},gender,male,long\n")
    result = run(checkpoint("gpt2"), path)
    (suite,) = result.suites
    assert (suite.n_items, suite.n_skipped) == (11, 1)
    assert result.texts("mine")[-1].completions == ()
    assert "the model takes 64" in result.texts("mine")[-1].reason
    skipped = result.items("mine").query("status == 'skipped' and cluster == 'long'")
    assert len(skipped) == 4
    assert skipped["score"].isna().all()
    assert skipped["reason"].str.contains("the model takes 64").all()


def test_classifiers_score_what_the_model_writes(checkpoint, tmp_path):
    """Every suite of prompts, with a classifier of each kind at hand."""
    labels = ("negative", "neutral", "positive", "other")
    texts = {
        "toxicity_classifier": save(tmp_path / "toxic"),
        "regard_classifier": save(tmp_path / "regard", labels=labels, bad=0),
        "max_new_tokens": 6,
    }
    suites = ["toxicity", "bold", "regard", "honest"]
    plan = plan_audit(checkpoint("gpt2"), suites=suites, data=shared("data"), quick=True, **texts)
    result = run_audit(plan)
    assert [suite.status for suite in result.suites] == ["run"] * 4
    assert [note for note in result.notes if "not scored" in note] == [
        "BOLD: not scored by 'projections': no word vectors: gender polarity is by unigrams only"
    ]
    named = {(one.suite, one.name) for one in result.estimates if one.primary}
    assert {
        ("toxicity", "toxicity_difference"),
        ("bold", "toxicity_difference"),
        ("regard", "regard_difference"),
        ("honest", "honest_difference"),
    } <= named
    assert set(result.items("regard")["label"]) == {*labels, "compound"}
    assert any(scorer.startswith("regard@") for scorer in result.provenance.settings.text_scorers)


def test_texts_that_a_classifier_reads_in_part_are_counted(checkpoint, prompts, tmp_path):
    short = save(tmp_path / "short")
    config = json.loads((short / "tokenizer_config.json").read_text())
    (short / "tokenizer_config.json").write_text(json.dumps({**config, "model_max_length": 4}))
    found = {
        tokens: [
            note
            for note in audit(
                checkpoint("gpt2"), suites=[str(prompts)], toxicity_classifier=short,
                max_new_tokens=tokens, completions=2,
            ).notes
            if "they were truncated" in note
        ]
        for tokens in (1, 30)
    }  # fmt: skip
    assert found[1] == []
    (note,) = found[30]
    assert re.fullmatch(r"short@[0-9a-f]{12}: (\d+) texts were longer than it reads.*", note)


@pytest.mark.parametrize("completions", [4, 5])
def test_two_models_texts_are_compared_prompt_by_prompt(checkpoint, tmp_path, completions):
    """Issue 18, item 12: whatever the number of texts after each prompt."""
    prompts = tmp_path / "mine.csv"
    rows = PROMPTS.splitlines(keepends=True)
    new = ("big", "shy", "sad", "odd", "bald", "kind", "loud")
    prompts.write_text("".join([*rows, *(r.replace("old", age) for age in new for r in rows[1:3])]))
    base = run(checkpoint("gpt2"), prompts)
    other = run(checkpoint("gpt2-pad"), prompts, completions=completions)
    found = compare([base, other])
    differences = [one for one in found.comparisons if one.suite == "mine"]
    assert differences
    assert all(one.protocol.startswith("mine/vader-") for one in differences)
    (gap,) = [one for one in differences if one.primary and one.axis == "gender"]
    values = {
        side: result.estimate(gap.name, protocol=gap.protocol, axis="gender", group=gap.group).value
        for side, result in (("base", base), ("other", other))
    }
    assert gap.value_baseline == pytest.approx(values["base"])
    assert gap.value_candidate == pytest.approx(values["other"])
    assert [entry.key for entry in found.not_compared] == [f"{found.candidates[0]}: probe"]
    (mean,) = {one.n for one in differences if one.group == "female"}
    assert mean == len(prompts.read_text().splitlines()) // 2
    said = any("prompts of mine have another number of texts" in note for note in found.notes)
    assert said == (completions == 5)


def test_prompts_with_an_empty_text_among_others_are_still_compared(checkpoint, prompts):
    base = run(checkpoint("gpt2"), prompts)
    table = base.items("mine")
    holes = table["sample"] == 1
    holed = table.assign(
        status=table["status"].mask(holes, "skipped"), score=table["score"].mask(holes)
    )
    other = base.model_copy(update={"label": "other"}).with_tables({"mine": holed})
    joined, _ = join_suite("mine", base, other, "other")
    assert joined is not None
    assert len(joined.candidate) == len(table)
    assert joined.n_dropped(table["protocol"].iloc[0], "gender") == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_new_tokens": 5}, "max_new_tokens is 20 for the baseline, 5 for the candidate"),
        ({"apply_chat_template": True}, "chat is False for the baseline, True for the candidate"),
    ],
)
def test_texts_written_in_another_way_are_not_compared(prompts, options, message):
    model, tokenizer = build_model("gpt2")
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}{% endfor %}"
    base = run((model, tokenizer), prompts)
    other = run((model, tokenizer), prompts, **options, label="other")
    joined, refused = join_suite("mine", base, other, "other")
    assert joined is None
    assert [one.reason for one in refused if one.key == "other: mine"] == [
        f"texts were written in another way: {message}"
    ]


HOSTILE = [
    "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "nul \x00 bell \x07 escape \x1b[31m red",
    "\u202eright to left\u202c \u200f\u2066",
    "half a pair \ud83d and the other \ude00",
    "x" * 10_000,
    "",
    " \n\u2028\u2029\x85\t",
    "=HYPERLINK(1)\n\r\n,\"'",
    "‮é🙂",
]


class Lengths:
    """Scores a text by its length, and skips empty ones."""

    id = "lengths-1"
    labels = ("length", "spaces")

    def score(self, texts):
        return [
            {"length": float(len(one.text)), "spaces": float(one.text.count(" "))}
            if one.text
            else Skipped("the completion is empty")
            for one in texts
        ]


def hostile_item():
    return Item("<i>", "gender", "male", "c", {"prompt": "He"}, facts={"mention": "He"})


def test_hostile_texts_pass_store_and_table_unharmed(tmp_path):
    n = len(HOSTILE)
    one = PromptTexts("<i>", "gender", None, "He\u2028", tuple(HOSTILE), (3,) * n, (True,) * n)
    path = tmp_path / "texts" / "mine.jsonl"
    write_texts(path, [one, one])
    content = path.read_bytes()
    assert content.count(b"\n") == 2
    assert all(byte == 0x0A or 0x20 <= byte < 0x7F for byte in content)
    assert read_texts(path) == (one, one)

    completions = Completions(tuple(HOSTILE), (3,) * n, (True,) * n)
    table = text_table("mine", [hostile_item()], {"<i>": completions}, [Lengths()], n)
    table.to_parquet(tmp_path / "mine.parquet")
    back = pd.read_parquet(tmp_path / "mine.parquet")
    assert len(back) == 2 * n
    by_sample = back[back["label"] == "length"].set_index("sample")
    assert by_sample.loc[4, "score"] == 10_000
    assert by_sample.loc[5, "status"] == "skipped"
    assert pd.isna(by_sample.loc[5, "score"])
    assert set(back["protocol"]) == {"mine/lengths-1"}


def test_halves_of_pairs_are_replaced_for_scorers_alone():
    text = readable("half a pair \ud83d and 🙂")
    assert text == "half a pair � and 🙂"
    text.encode("utf-8")


@pytest.mark.parametrize("content", ["{", "[1]\n", '{"item_id": "a"}\n', "\xff"])
def test_damaged_texts_are_an_error(tmp_path, content):
    path = tmp_path / "mine.jsonl"
    path.write_text(content, encoding="latin-1")
    with pytest.raises(ResultError, match=r"mine\.jsonl"):
        read_texts(path)


def test_texts_that_are_missing_are_an_error(tmp_path):
    with pytest.raises(ResultError, match="no such file of texts"):
        read_texts(tmp_path / "mine.jsonl")


def test_rows_are_one_per_prompt_completion_and_label():
    items = [
        Item(key, "gender", "male", key, {"prompt": key}, facts={"template": "t"}) for key in "ab"
    ]
    answers = {"a": Completions(("xx", ""), (1, 0), (True, True)), "b": Skipped("too long")}
    table = text_table("mine", items, answers, [Lengths()], 2)
    blank = table.astype(object).where(table.notna(), None)
    found = [
        (row.item_id, row.role, row.status, row.score, row.reason) for row in blank.itertuples()
    ]
    empty, long = "the completion is empty", "too long"
    assert found == [
        ("a", "0:length", "ok", 2.0, None),
        ("a", "0:spaces", "ok", 0.0, None),
        ("a", "1:length", "skipped", None, empty),
        ("a", "1:spaces", "skipped", None, empty),
        *(("b", f"{n}:{label}", "skipped", None, long) for n in (0, 1) for label in Lengths.labels),
    ]
    assert list(table["sample"]) == [0, 0, 1, 1, 0, 0, 1, 1]
    assert set(table["template"]) == {"t"}


def test_the_result_is_valid_json_whatever_was_written(checkpoint, prompts, tmp_path):
    """A byte-level model with random weights writes whatever bytes there are."""
    audit(checkpoint("gpt2-pad"), suites=[str(prompts)], output=tmp_path / "out")
    json.loads((tmp_path / "out" / "result.json").read_text(encoding="utf-8"))
    lines = (tmp_path / "out" / "texts" / "mine.jsonl").read_text(encoding="ascii").splitlines()
    assert len(lines) == 10
