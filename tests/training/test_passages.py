"""Prompts with completions, and conversations: what is read, what is learned, what is refused."""

from __future__ import annotations

import json

import pytest
import torch
from datasets import Dataset

from fairaudit.errors import DataError, UsageError
from fairaudit.scoring.load import load_model
from fairaudit.training.counterfactuals import find_counterfactuals
from fairaudit.training.encoding import IGNORED, encode_records, row_frame
from fairaudit.training.finetuning import finetune
from fairaudit.training.passages import Conversation, Prompted, segments_of
from fairaudit.training.records import Records, read_records
from tests.conftest import build_model, byte_level_tokenizer

TEMPLATE = (
    "{% for m in messages %}<{{ m.role }}>{{ m.content }}</s>\n{% endfor %}"
    "{% if add_generation_prompt %}<assistant>{% endif %}"
)
ASKED = [
    {"role": "system", "content": "Be short."},
    {"role": "user", "content": "Who is she?"},
    {"role": "assistant", "content": "The nurse."},
    {"role": "user", "content": "And he?"},
    {"role": "assistant", "content": "Her brother."},
]
TALK = Conversation(tuple((turn["role"], turn["content"]) for turn in ASKED))
PAIR = Prompted("Question: who is she?\nAnswer:", " The nurse.")


@pytest.fixture
def tokenizer():
    made = byte_level_tokenizer(bos="<s>", eos="</s>", pad=None, mask=None)
    made.chat_template = TEMPLATE
    return made


def encoded(passage, tokenizer, length=512):
    records = Records(((passage,),))
    return encode_records(records, tokenizer, row_frame(tokenizer, "causal", length)).records[0][0][
        0
    ]


def learned(row, tokenizer):
    """The text of what is learned, its gaps marked."""
    shown = [token if token != IGNORED else None for token in row.labels]
    parts, open_part = [], []
    for token in [*shown, None]:
        if token is None and open_part:
            parts.append(tokenizer.decode(open_part))
            open_part = []
        elif token is not None:
            open_part.append(token)
    return parts


def test_of_a_prompt_the_completion_is_learned(tokenizer):
    row = encoded(PAIR, tokenizer)
    assert tokenizer.decode(row.ids) == "<s>" + PAIR.prompt + PAIR.completion
    assert learned(row, tokenizer) == [PAIR.completion]


def test_of_a_conversation_the_answers_are_learned_with_what_ends_them(tokenizer):
    row = encoded(TALK, tokenizer)
    whole = tokenizer.apply_chat_template(ASKED, tokenize=False).rstrip("\n")
    assert tokenizer.decode(row.ids) == "<s>" + whole
    assert learned(row, tokenizer) == ["The nurse.</s>", "Her brother.</s>"]


def test_a_first_token_that_the_template_wrote_stands_once(tokenizer):
    tokenizer.chat_template = "<s>" + TEMPLATE
    row = encoded(TALK, tokenizer)
    assert tokenizer.decode(row.ids).count("<s>") == 1


def test_a_slow_tokenizer_learns_the_same(tokenizer, monkeypatch):
    fast = encoded(TALK, tokenizer)
    monkeypatch.setattr(type(tokenizer), "is_fast", False)
    assert learned(encoded(TALK, tokenizer), tokenizer) == learned(fast, tokenizer)


def test_a_row_cut_before_its_answer_teaches_nothing(tokenizer):
    records = Records(((PAIR,), ("Plain text of some length.",)))
    found = encode_records(records, tokenizer, row_frame(tokenizer, "causal", 12))
    assert (len(found.records), found.n_short) == (1, 1)


@pytest.mark.parametrize("kind", ["jsonl", "parquet", "dataset"])
def test_columns_are_found_by_their_names(tmp_path, kind):
    pairs = [
        {"prompt": PAIR.prompt, "completion": PAIR.completion},
        {"prompt": "a", "completion": ""},
    ]
    talks = [{"messages": ASKED}, {"messages": ASKED[:2]}]
    for rows, expected in ((pairs, PAIR), (talks, TALK)):
        if kind == "dataset":
            source = Dataset.from_list(rows)
        elif kind == "parquet":
            source = tmp_path / "rows.parquet"
            Dataset.from_list(rows).to_parquet(source)
        else:
            source = tmp_path / "rows.jsonl"
            source.write_text("".join(json.dumps(row) + "\n" for row in rows))
        found = read_records(source)
        assert found.rows == ((expected,),)
        assert found.n_empty == 1


def test_text_goes_before_prompts_and_a_column_can_be_named(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps({"text": "A", "prompt": "B", "completion": "C", "talk": ASKED}))
    assert read_records(path).rows == (("A",),)
    assert read_records(path, text_column="talk").rows == ((TALK,),)


def test_a_csv_of_prompts(tmp_path):
    path = tmp_path / "rows.csv"
    path.write_text('prompt,completion,who\n"Who?"," She.",a\n"Who?"," He.",a\n')
    found = read_records(path, unit_column="who")
    assert found.rows == ((Prompted("Who?", " She."), Prompted("Who?", " He.")),)


def test_parts_are_swapped_together():
    records = Records(((TALK,), (PAIR,), ("She is a nurse.",)))
    twins = find_counterfactuals(records, ["gender"], seed=0)
    (talk,), (pair,) = twins.of(TALK), twins.of(PAIR)
    assert [text for _, text in talk.turns] == [
        "Be short.", "Who is he?", "The nurse.", "And she?", "His sister.",
    ]  # fmt: skip
    assert pair == Prompted("Question: who is he?\nAnswer:", " The nurse.")
    assert json.loads(json.dumps(twins.sample()))


def test_the_loss_is_that_of_the_answers_alone(checkpoint, tmp_path):
    """After much training on one pair the answer is known; the prompt is not."""
    prompts = [Prompted("The old doctor said that", " she was very tired today.")] * 8
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(one._asdict()) + "\n" for one in prompts))
    done = finetune(
        checkpoint("gpt2"), path, output=tmp_path / "m", steps=60, batch_size=8,
        learning_rate=1e-2, device="cpu",
    )  # fmt: skip
    loaded = load_model(done.folder)
    row = encoded(prompts[0], loaded.tokenizer)
    with torch.no_grad():
        logits = loaded.model(input_ids=torch.tensor([row.ids])).logits[0]
    found = logits.log_softmax(-1)[range(len(row.ids) - 1), row.ids[1:]]
    answers = torch.tensor([label != IGNORED for label in row.labels[1:]])
    assert found[answers].mean() > -0.2
    assert found[~answers].mean() < -2


@pytest.mark.parametrize("arm", [{}, {"noise_multiplier": 1.0, "cda": ["gender"]}])
def test_conversations_train_and_an_example_is_clipped_as_a_whole(checkpoint, tmp_path, arm):
    base = tmp_path / "base"
    model, tokenizer = build_model("gpt2")
    tokenizer.chat_template = TEMPLATE
    model.save_pretrained(base)
    tokenizer.save_pretrained(base)
    rows = Dataset.from_list([{"messages": ASKED, "id": str(n % 3)} for n in range(6)])
    done = finetune(
        base, rows, output=tmp_path / "m", steps=2, batch_size=2, device="cpu",
        unit_column="id", **arm,
    )  # fmt: skip
    assert done.training.steps == 2
    assert (done.privacy is None) == (not arm)


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"messages": "hello"}, None),
        ({"messages": [{"role": "robot", "content": "x"}]}, "turn 1 is not"),
        ({"messages": [{"role": "user"}]}, "turn 1 is not"),
        ({"messages": ["hello"]}, "turn 1 is not"),
        ({"messages": {"role": "user"}}, "not a string or a list of turns"),
        ({"prompt": ["x"], "completion": "y"}, "the prompt is list, not a string"),
        ({"prompt": "x", "completion": 3}, "the completion is int, not a string"),
        ({"prompt": "x", "answer": "y"}, "which column holds the text"),
    ],
)
def test_rows_that_are_neither_are_refused(tmp_path, row, message):
    path = tmp_path / "rows.jsonl"
    path.write_text(json.dumps(row))
    if message is None:
        # A single string column is text, whatever its name.
        assert read_records(path).rows == (("hello",),)
        return
    with pytest.raises(DataError, match=message):
        read_records(path)


def test_templates_that_fail_are_one_line(tokenizer):
    tokenizer.chat_template = None
    with pytest.raises(DataError, match="this tokenizer has none"):
        segments_of(TALK, tokenizer)
    tokenizer.chat_template = "{{ raise_exception('no system turn') }}"
    with pytest.raises(DataError, match=r"refuses the conversation .*no system turn"):
        segments_of(TALK, tokenizer)
    tokenizer.chat_template = "{{ messages | length }}" + TEMPLATE
    with pytest.raises(DataError, match="writes earlier turns anew"):
        segments_of(TALK, tokenizer)


def test_masked_models_learn_from_plain_text(checkpoint, tmp_path):
    rows = Dataset.from_list([PAIR._asdict()] * 4)
    with pytest.raises(UsageError, match="are for causal models"):
        finetune(checkpoint("bert"), rows, output=tmp_path / "m", steps=1)
