"""Recorded texts: in many shapes, and with the prompt in front (issue 18, item 13)."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import asdict

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.errors import DataError, ResultError
from fairaudit.items import Item
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.recorded.recorded_rows import KEYS, read_rows
from fairaudit.recorded.recorded_texts import after_prompt, join_texts
from fairaudit.results.texts import PromptTexts
from fairaudit.suites import get_suite
from fairaudit.suites.data import DataFinder
from tests.conftest import shared

TEXTS = [" was kind", " was awful", " slept", "", ' said: "no", and left']
PROMPTS = ["The old man", "The old woman", "A rich\u00a0lawyer", "Ihr Fuß"]
ITEMS = [Item(str(n), "a", "b", "c", {"prompt": prompt}) for n, prompt in enumerate(PROMPTS)]


def lines(rows) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def estimates(path, suite):
    result = audit_scores(path, suite=suite, data=shared("data"))
    return result, {one.key: one.value for one in result.estimates}


@pytest.mark.parametrize("suite", ["toxicity"])
def test_completions_that_repeat_their_prompt_score_as_those_that_do_not(suite):
    plain, without = estimates(shared("cases", "tx_plain.jsonl"), suite)
    echo, with_prompts = estimates(shared("cases", "tx_echo.jsonl"), suite)
    assert without == with_prompts
    assert len(without) > 10
    assert [one.completions for one in plain.texts(suite)] == [
        one.completions for one in echo.texts(suite)
    ]
    note = "tx_echo.jsonl: 800 completions begin with their prompt; it was cut off"
    assert [note in one for one in echo.notes].count(True) == 1
    assert not any("begin with their prompt" in one for one in plain.notes)


def test_a_refusal_of_every_prompt_is_counted():
    """A group's mean moves with refusals, and says nothing about the group."""
    refused = audit_scores(shared("cases", "tx_refusals.jsonl"), suite="toxicity")
    said = ": 800 of 800 completions are the same text ('I can't help with that.')"
    assert [said in one for one in refused.notes].count(True) == 1
    plain = audit_scores(shared("cases", "tx_plain.jsonl"), suite="toxicity")
    assert not any("are the same text" in note for note in plain.notes)


def test_honest_does_not_look_for_hurtful_words_in_prompts(tmp_path):
    """A prompt with a word of the lexicon counted as a hurtful completion: 0.51 for 0.42."""
    items = get_suite("honest").load(DataFinder(shared("data"))).items[::7]
    ends = [" a nurse", " a whore", " an idiot", " somebody"]
    values = {}
    for name, front in (("plain", False), ("echo", True)):
        rows = [
            {
                "item_id": item.item_id,
                "prompt": (prompt := item.texts["prompt"]),
                "completions": [(prompt if front else "") + ends[(n + k) % 4] for k in range(2)],
            }
            for n, item in enumerate(items)
        ]
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(lines(rows))
        values[name] = estimates(path, "honest")[1]
    assert values["plain"] == values["echo"]
    assert any(name[-1] == "honest_score" for name in values["plain"])


@pytest.mark.parametrize("row", [0, 1, 3])
@pytest.mark.parametrize("sample", [0, 2])
def test_one_echo_in_any_row_is_seen(row, sample):
    rows = [{"prompt": prompt, "completions": list(TEXTS)} for prompt in PROMPTS]
    rows[row]["completions"][sample] = PROMPTS[row] + TEXTS[sample]
    joined = join_texts(lines(rows), ITEMS, "x")
    assert joined.n_echoes == 1
    assert set(joined.texts.values()) == {tuple(TEXTS)}


@pytest.mark.parametrize(
    ("text", "prompt", "rest"),
    [
        ("The man was tall", "The man", " was tall"),
        (" the  man\nwas tall", "The man", "\nwas tall"),
        ("The man", "The man", ""),
        ("The manager", "The man", None),
        ("The man was", "The man wa", None),
        ("She wasn't tall", "She was", "n't tall"),
        ("The man's wife", "The man", "'s wife"),
        ("<s> The man was tall", "The man", " was tall"),
        ("<|begin_of_text|><|user|>The man slept", "The man", " slept"),
        ('"The man" slept', "The man", '" slept'),
        ("[INST] The man slept", "The man", " slept"),
        ("<The man", "<The", " man"),
        ("The men", "The man", None),
        ("man", "The man", None),
        ("", "The man", None),
        ("anything", "", None),
    ],
)
def test_what_follows_a_prompt(text, prompt, rest):
    assert after_prompt(text, prompt) == rest


@given(st.text(min_size=1), st.text())
def test_a_prompt_in_front_is_always_found(prompt, text):
    prompt = prompt.strip()
    if prompt and not (prompt[-1].isalnum() and text[:1].isalnum()):
        # A text that begins with its prompt once more loses that too.
        assert after_prompt(prompt + text, prompt) in (text, after_prompt(text, prompt))


def test_a_prompt_in_front_twice_is_cut_twice():
    assert after_prompt("The old man slept. The old man slept. Well.", "The old man slept.") == (
        " Well."
    )
    assert after_prompt("A a", "A") == " a"


def test_texts_that_an_audit_wrote_are_continuations_whatever_they_say():
    row = asdict(PromptTexts("0", "a", "b", PROMPTS[0], (PROMPTS[0] + " again",), (3,), (True,)))
    joined = join_texts(lines([row]), ITEMS, "x")
    assert (joined.n_echoes, joined.texts["0"]) == (0, (PROMPTS[0] + " again",))


def test_another_program_that_says_what_ended_is_no_audit():
    row = {"prompt": PROMPTS[0], "completions": [PROMPTS[0] + " again"], "ended": [True]}
    joined = join_texts(lines([row]), ITEMS, "x")
    assert (joined.n_echoes, joined.texts["0"]) == (1, (" again",))


def test_a_prompt_further_on_is_counted_and_said(tmp_path):
    rows = [{"prompt": PROMPTS[0], "completions": ["You are kind. User: the old  man slept", "no"]}]
    joined = join_texts(lines(rows), ITEMS, "x")
    assert (joined.n_echoes, joined.n_inside) == (0, 1)
    assert joined.texts["0"] == tuple(rows[0]["completions"])
    plain = shared("cases", "tx_plain.jsonl").read_text(encoding="utf-8").splitlines()
    path = tmp_path / "chat.jsonl"
    told = [json.loads(line) for line in plain]
    for row in told:
        row["completions"] = [f"User: {row['prompt']} {text}" for text in row["completions"]]
    path.write_bytes(lines(told))
    with pytest.raises(DataError, match="800 of 800 completions hold their prompt"):
        audit_scores(path, suite="toxicity")


def test_prompts_in_several_rows_are_counted():
    rows = [{"prompt": PROMPTS[0], "completions": [text]} for text in ("is kind.", "is not.")]
    joined = join_texts(lines(rows), ITEMS, "x")
    assert (joined.n_again, joined.texts["0"]) == (1, ("is kind.", "is not."))


def as_csv(rows) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue().encode()


def flat(key):
    return [{"prompt": prompt, key: text} for prompt in PROMPTS for text in TEXTS]


def columns(key):
    return {name: [row[name] for row in flat(key)] for name in ("prompt", key)}


ROWS = [{"prompt": prompt, "completions": TEXTS} for prompt in PROMPTS]
SHAPES = {
    "lines": lines(ROWS),
    "list": json.dumps(ROWS, indent=2).encode(),
    "objects": lines(
        {"prompt": prompt, "completions": [{"text": text} for text in TEXTS]} for prompt in PROMPTS
    ),
    "columns": json.dumps({"data": columns("response"), "metadata": {}}).encode(),
    "columns alone": json.dumps(columns("responses"), indent=1).encode(),
    "columns of lists": json.dumps(
        {"prompt": PROMPTS, "generated_text": [TEXTS] * len(PROMPTS)}
    ).encode(),
    "CSV": as_csv(flat("completion")),
    "mark": b"\xef\xbb\xbf" + as_csv(flat("completion")),
    **{f"one {key}": lines(flat(key)) for key in KEYS if not key.endswith("s")},
    **{f"many {key}": lines({"prompt": prompt, key: TEXTS} for prompt in PROMPTS) for key in KEYS},
}


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_gives_the_same_texts(shape):
    joined = join_texts(SHAPES[shape], ITEMS, "x")
    assert joined.texts == {item.item_id: tuple(TEXTS) for item in ITEMS}
    assert (joined.n, joined.n_unknown, joined.n_echoes) == (len(TEXTS), 0, 0)


@pytest.mark.parametrize(
    ("file", "of_plain"),
    [
        ("tx_dictcompl.jsonl", slice(None)),
        ("tx_response.jsonl", slice(1)),
        ("tx_langfair.json", slice(1)),
        ("tx_csv.csv", slice(1)),
    ],
)
def test_shapes_of_other_programs(file, of_plain):
    read = {
        name: {row.prompt: row.texts for row in read_rows(shared("cases", name).read_bytes(), name)}
        for name in ("tx_plain.jsonl", file)
    }
    assert len(read[file]) >= 49
    assert read[file] == {prompt: read["tx_plain.jsonl"][prompt][of_plain] for prompt in read[file]}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "row 1: neither JSON nor a header of CSV with the column 'prompt'"),
        (b"prompt,completion\nThe old man\n", "row 2: not as many cells"),
        (b"prompt,completion\nThe old man,a,b\n", "row 2: not as many cells"),
        (b'prompt,completion\nThe old man,"a\n', "not CSV"),
        (b"prompt\nThe old man\n", "row 2: no texts; write them under 'completions'"),
        (b'[{"prompt": "The old man"}]', "row 1: no texts"),
        (b'[{"prompt": 1, "response": "a"}]', "row 1: 'prompt' must be a text"),
        (b'{"prompt": ["a", "b"], "response": ["c"]}', "are not equally long"),
        (b'{"prompt": ["a"], "response": "c"}', "are not equally long"),
        (b'{"prompt": "a", "response": [{"x": "c"}]}', "'response' must be a list of texts"),
        (b'{"prompt": "a", "responses": "c"}', "'responses' must be a list of texts"),
        (b'{"prompt": "a", "response": null}', "'response' must be a text"),
        (b"[1]", "row 1: not an object"),
    ],
)
def test_what_has_no_such_shape_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        join_texts(content, ITEMS, "x")


def test_a_used_folder_is_refused_before_texts_are_scored(tmp_path, monkeypatch):
    """Issue 18, item 15: a classifier may take long."""
    file, out = shared("cases", "tx_plain.jsonl"), tmp_path / "out"
    audit_scores(file, suite="toxicity", output=out)
    audit_scores(file, suite="toxicity", output=out)
    monkeypatch.setattr("fairaudit.recorded.audit_scores.make_scorers", None)
    for other in ({"seed": 1}, {"label": "other"}):
        with pytest.raises(ResultError, match="holds another result"):
            audit_scores(file, suite="toxicity", output=out, **other)
    with pytest.raises(ResultError, match="holds another result"):
        audit_scores(
            shared("cases", "tx_echo.jsonl"), suite="toxicity", output=out, label="tx_plain"
        )
    with pytest.raises(ResultError, match="is a file"):
        audit_scores(file, suite="toxicity", output=out / "result.json")


@pytest.mark.parametrize("name", ["api.jsonl", "api.jsonl.gz", "api.bin"])
@pytest.mark.parametrize("compressed", [True, False])
def test_compressed_or_not_under_any_name_a_recording_is_the_same(tmp_path, name, compressed):
    content = shared("cases", "tx_plain.jsonl").read_bytes()
    (tmp_path / name).write_bytes(gzip.compress(content) if compressed else content)
    result = audit_scores(tmp_path / name, suite="toxicity", label="x")
    plain = audit_scores(shared("cases", "tx_plain.jsonl"), suite="toxicity", label="x")
    assert result.provenance.settings == plain.provenance.settings
    assert result.estimates == plain.estimates
