"""What a model thinks aloud before it answers: cut off, so that the answer alone is scored.

Between the tags a reasoning model weighs what it may say; it quotes the question, slurs and
refusals that it then does not give. A chat template may open the tag in the prompt, so that only
its end is written; a text that was cut by the limit of tokens may never end it.
"""

from __future__ import annotations

import re
from typing import Final, Literal

#: What became of a text: it held no thinking, it was cut off, or nothing was left of it.
Thought = Literal["none", "cut", "unfinished"]

_NAMES: Final = "think|thinking|thought|reasoning|scratchpad"
_START: Final = rf"(?:<(?:{_NAMES})>|\[THINK\]|◁think▷|<\|begin_of_thought\|>)"
_END: Final = rf"(?:</(?:{_NAMES})>|\[/THINK\]|◁/think▷|<\|end_of_thought\|>)"
_TAG: Final = re.compile(f"(?P<start>{_START})|(?P<end>{_END})", re.IGNORECASE)


def without_thinking(text: str) -> tuple[str, Thought]:
    """Return a text without what stands between thinking tags, and what became of it.

    An end without a start ends what the prompt started; a start without an end is thinking to the
    end of the text.

    Parameters
    ----------
    text : str
        One completion.

    Returns
    -------
    text : str
        What is left, blanks included.
    thought : {"none", "cut", "unfinished"}
        Whether there was any, and whether it ended.

    Examples
    --------
    >>> without_thinking("<think>Hm, rude.</think> Hello.")
    (' Hello.', 'cut')
    >>> without_thinking("<think>Hm, rude. Or")
    ('', 'unfinished')
    """
    kept: list[str] = []
    place, inside, found = 0, False, False
    for tag in _TAG.finditer(text):
        found = True
        if tag["end"] is not None:
            if not inside:
                kept.clear()
            inside = False
        elif not inside:
            kept.append(text[place : tag.start()])
            inside = True
        place = tag.end()
    if not found:
        return text, "none"
    if not inside:
        kept.append(text[place:])
    return "".join(kept), "unfinished" if inside else "cut"
