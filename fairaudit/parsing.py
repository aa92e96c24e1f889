"""JSON and TOML from files that anybody may have written.

A value nested some thousand levels deep ends Python's parsers with a RecursionError, which nobody
expects of a reader. Here it is a fault of the text like any other.
"""

from __future__ import annotations

import json
import tomllib
from typing import Any, Final

_TOO_DEEP: Final = "nested too deeply"


def parse_json(text: str | bytes, **how: Any) -> Any:
    """Parse JSON, as `json.loads` does.

    Parameters
    ----------
    text : str or bytes
        What a file holds.
    **how
        Passed on.

    Returns
    -------
    Any
        Its content.

    Raises
    ------
    json.JSONDecodeError
        If it is not JSON, or nested too deeply.

    Examples
    --------
    >>> parse_json("[" * 100_000)
    Traceback (most recent call last):
    json.decoder.JSONDecodeError: nested too deeply: line 1 column 1 (char 0)
    """
    try:
        return json.loads(text, **how)
    except RecursionError:
        raise json.JSONDecodeError(_TOO_DEEP, "", 0) from None


def parse_toml(text: str) -> dict[str, Any]:
    """Parse TOML, as `tomllib.loads` does.

    Parameters
    ----------
    text : str
        What a file holds.

    Returns
    -------
    dict
        Its content.

    Raises
    ------
    tomllib.TOMLDecodeError
        If it is not TOML, or nested too deeply.
    """
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise tomllib.TOMLDecodeError(_TOO_DEEP) from None
