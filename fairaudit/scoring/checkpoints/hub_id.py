"""What a Hub id looks like; nothing heavy is needed to tell."""

from __future__ import annotations

import re
from typing import Final

HUB_ID: Final = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
#: Ending of a file that holds weights, config and tokenizer together.
GGUF: Final = ".gguf"
_GGUF_ON_HUB: Final = re.compile(r"([^/]+/[^/]+)/([^/]+\.gguf)")


def split_gguf(name: str) -> tuple[str, str | None]:
    """Split the name of a GGUF file on the Hub into Hub id and file.

    Parameters
    ----------
    name : str
        What the user named.

    Returns
    -------
    str, str or None
        Hub id, and the file in it where one is named.

    Examples
    --------
    >>> split_gguf("owner/name/model.Q4_1.gguf"), split_gguf("owner/name")
    (('owner/name', 'model.Q4_1.gguf'), ('owner/name', None))
    """
    match = _GGUF_ON_HUB.fullmatch(name)
    return (match[1], match[2]) if match else (name, None)
