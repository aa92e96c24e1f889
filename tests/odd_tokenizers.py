"""Tokenizers with code of their own around conversations, as some checkpoints bring them."""

from __future__ import annotations

import time

from transformers import PreTrainedTokenizerFast


class OwnWords(PreTrainedTokenizerFast):
    """Writes a conversation in a way that no template states, and prints beside it."""

    def apply_chat_template(self, turns, tokenize=True, add_generation_prompt=False, **_):
        print("rendering")
        said = "".join(f"<{turn['role']}> {turn['content']}\n" for turn in turns)
        return said + "<assistant>" * add_generation_prompt


class NeverEnds(PreTrainedTokenizerFast):
    def apply_chat_template(self, *_, **__):
        while True:
            pass


class Sleeps(PreTrainedTokenizerFast):
    def apply_chat_template(self, *_, **__):
        time.sleep(10_000)


class FillsMemory(PreTrainedTokenizerFast):
    def apply_chat_template(self, *_, **__):
        return "a" * (8 << 30)


class TooLong(PreTrainedTokenizerFast):
    def apply_chat_template(self, *_, **__):
        return "a" * 2_000_000


class Raises(PreTrainedTokenizerFast):
    def apply_chat_template(self, *_, **__):
        raise RuntimeError("no system turn\nplease")


class Unpackable(OwnWords):
    def __reduce__(self):
        raise TypeError("cannot be packed")
