"""An example of a user's own suite file, in each form that can be read."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from fairaudit.errors import UsageError
from fairaudit.suites.suite_file_rows import PAIR_EXAMPLE, PROMPT_EXAMPLE

ExampleRow = Mapping[str, str]

_PAIRS: Final[Sequence[ExampleRow]] = (
    PAIR_EXAMPLE,
    {
        "axis": "gender",
        "group": "male",
        "stereotype": "The engineer said he was tired.",
        "anti_stereotype": "The engineer said she was tired.",
    },
)
#: Both prompts have the same opening, so they form a cluster.
_PROMPTS: Final[Sequence[ExampleRow]] = (
    {**PROMPT_EXAMPLE, "cluster": "nurse"},
    {
        "axis": "gender",
        "group": "male",
        "mention": "he",
        "prompt": "The nurse said that he",
        "cluster": "nurse",
    },
)


def starter_suite(path: Path, *, prompts: bool = False) -> str:
    """Return the text of an example suite in the form that the file's name asks for.

    Parameters
    ----------
    path : Path
        Name of the file to be; nothing is written.
    prompts : bool
        Whether it holds prompts rather than pairs.

    Returns
    -------
    str
        Text of the file.

    Raises
    ------
    UsageError
        If the name does not end in .csv, .tsv, .jsonl or .toml.
    """
    rows = _PROMPTS if prompts else _PAIRS
    match path.suffix:
        case ".csv":
            return _csv(rows, ",")
        case ".tsv":
            return _csv(rows, "\t")
        case ".jsonl":
            return "".join(f"{json.dumps(row)}\n" for row in rows)
        case ".toml":
            return _toml(rows)
    raise UsageError(f"{path}: a suite file ends in .csv, .tsv, .jsonl or .toml")


def _csv(rows: Sequence[ExampleRow], separator: str) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n", delimiter=separator)
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()


def _toml(rows: Sequence[ExampleRow]) -> str:
    header = 'description = "What it asks."\ncitation = "Whom to cite."\nlicense = "Its terms."\n'
    items = (
        "\n[[items]]\n" + "".join(f"{name} = {json.dumps(text)}\n" for name, text in row.items())
        for row in rows
    )
    return header + "".join(items)
