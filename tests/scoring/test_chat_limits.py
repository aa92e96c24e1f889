"""A chat template is a program of somebody else's: it may take only so much (issue 24)."""

from __future__ import annotations

import pytest

from fairaudit.errors import UsageError
from fairaudit.scoring.chat import Chat
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
