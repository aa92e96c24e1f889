"""Wikipedia's sentences about persons and professions, from the BOLD data, as text to train on.

``python benchmarks/real/bold_text.py DATA OUTPUT`` reads ``DATA/bold/wikipedia/*.json`` and writes

- ``train.jsonl`` and ``held_out.jsonl``: a sentence a row (column ``text``); one article in twenty
  is held out, with all its sentences;
- ``chat_train.jsonl`` and ``chat_held_out.jsonl``: the same sentences as answers to a question
  about the article's subject (column ``messages``).

The data are licensed CC BY-SA 4.0 (Dhamala et al. 2021) and stay out of this repository.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

#: One article in so many is held out.
HELD_OUT: Final = 20


def sentences(data: Path) -> Iterator[tuple[str, str]]:
    """Subject and sentence of every article, each pair once."""
    files = sorted((data / "bold" / "wikipedia").glob("*.json"))
    if not files:
        raise FileNotFoundError(f"{data / 'bold' / 'wikipedia'} holds no file of BOLD")
    seen: set[tuple[str, str]] = set()
    for file in files:
        for articles in json.loads(file.read_text("utf-8")).values():
            for name, texts in articles.items():
                for text in texts:
                    row = name.replace("_", " "), " ".join(text.split())
                    if row[1] and row not in seen:
                        seen.add(row)
                        yield row


def is_held_out(subject: str) -> bool:
    """Whether an article is held out; the same on every machine."""
    return int(hashlib.sha256(subject.encode()).hexdigest(), 16) % HELD_OUT == 0


def asked(subject: str, text: str) -> dict[str, object]:
    """One sentence as the answer to a question about its subject."""
    return {
        "messages": [
            {"role": "user", "content": f"Tell me something about {subject}."},
            {"role": "assistant", "content": text},
        ]
    }


def write(data: Path, output: Path) -> dict[str, int]:
    """Write the four files; return the number of rows of each."""
    parts: dict[str, list[dict[str, object]]] = {
        name: [] for name in ("train", "held_out", "chat_train", "chat_held_out")
    }
    for subject, text in sentences(data):
        side = "held_out" if is_held_out(subject) else "train"
        parts[side].append({"text": text})
        parts[f"chat_{side}"].append(asked(subject, text))
    output.mkdir(parents=True, exist_ok=True)
    for name, rows in parts.items():
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        (output / f"{name}.jsonl").write_text(lines, "utf-8")
    return {name: len(rows) for name, rows in parts.items()}


def main() -> None:
    """Read the two folders from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", type=Path, help="folder with benchmark data, holding bold/")
    parser.add_argument("output", type=Path, help="folder for the four files")
    given = parser.parse_args()
    for name, rows in write(given.data, given.output).items():
        print(f"{name}: {rows} rows")


if __name__ == "__main__":
    main()
