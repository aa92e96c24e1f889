"""A chat template is a program of somebody else's: it may take only so much (issue 24)."""

from __future__ import annotations

import pytest

from fairaudit.errors import UsageError
from fairaudit.scoring import chat
from fairaudit.scoring.chat import Chat
from tests import odd_tokenizers
from tests.conftest import build_model

PLAIN = (
    "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}\n{% endfor %}[assistant]"
)
N = "range(100000)"


@pytest.fixture(scope="module")
def tokenizer():
    return build_model("llama")[1]


def test_the_text_is_that_of_transformers(tokenizer):
    tokenizer.chat_template = PLAIN
    turns = [
        {"role": "system", "content": "Be »brief«."},
        {"role": "user", "content": "Hi\u2028\n"},
    ]
    wanted = tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
    assert Chat("Be »brief«.").format(tokenizer, "Hi\u2028\n") == wanted
    assert "[user] Hi" in wanted


@pytest.mark.long
@pytest.mark.fault("a chat template that never ends or fills the memory", "one line, exit code 2")
@pytest.mark.parametrize(
    ("template", "said"),
    [
        (f"{{% for a in {N} %}}{{% for b in {N} %}}{{% endfor %}}{{% endfor %}}", "10 seconds"),
        ("{% set n = namespace(a='ab') %}{% for _ in range(60) %}{% set n.a = n.a ~ n.a %}"
         "{% endfor %}", "too much memory"),
        ("{{ 'a' * (1024 ** 3 * 8) }}", "too much memory"),
        ("{{ 'a' * 2000000 }}", "more than 1,048,576 characters"),
        ("{{ raise_exception('no system turn\\nplease') }}", "no system turn"),
        ("{{ messages[", "unexpected"),
    ],
)  # fmt: skip
def test_a_hostile_template_is_refused_in_one_line(tokenizer, template, said):
    tokenizer.chat_template = template
    with pytest.raises(UsageError, match=said) as caught:
        Chat().format(tokenizer, "Hello")
    assert "\n" not in str(caught.value)
    tokenizer.chat_template = PLAIN
    assert Chat().format(tokenizer, "Hello").endswith("[user] Hello\n[assistant]")


def own(name, tokenizer):
    """Return a tokenizer of a class with its own way to write a conversation."""
    made = getattr(odd_tokenizers, name)(tokenizer_object=tokenizer.backend_tokenizer)
    made.chat_template = PLAIN
    return made


def test_a_class_of_its_own_writes_the_conversation_in_its_own_way(tokenizer):
    mine = own("OwnWords", tokenizer)
    wanted = "<system> Be brief.\n<user> Hi\u2028\n\n<assistant>"
    assert Chat("Be brief.").format(mine, "Hi\u2028\n") == wanted
    # Held by the other process: asked again, between conversations of another tokenizer.
    tokenizer.chat_template = PLAIN
    assert Chat().format(tokenizer, "Hello").startswith("<s>[user] Hello")
    assert Chat().format(mine, "Hello") == "<user> Hello\n<assistant>"
    assert Chat().format(own("OwnWords", tokenizer), "One") == "<user> One\n<assistant>"


@pytest.mark.long
@pytest.mark.fault(
    "a tokenizer's own code that never ends or fills the memory", "one line, exit code 2"
)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("NeverEnds", "10 seconds"),
        ("Sleeps", "10 seconds"),
        ("FillsMemory", "too much memory"),
        ("TooLong", "more than 1,048,576 characters"),
        ("Raises", "no system turn"),
        ("Unpackable", "Unpackable renders it with code of its own.*cannot be packed"),
    ],
)
def test_hostile_code_of_a_tokenizer_is_refused_in_one_line(tokenizer, monkeypatch, name, said):
    monkeypatch.setattr(chat, "PATIENCE", 15 if name == "NeverEnds" else 1)
    with pytest.raises(UsageError, match=said) as caught:
        Chat().format(own(name, tokenizer), "Hello")
    assert "\n" not in str(caught.value)
    monkeypatch.setattr(chat, "PATIENCE", 60)
    assert Chat().format(own("OwnWords", tokenizer), "Hello") == "<user> Hello\n<assistant>"
