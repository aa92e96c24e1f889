"""Real text for round trips, from the shared folder."""

from __future__ import annotations

import gzip
import json

from tests.conftest import shared


def bold_sentences() -> list[str]:
    folder = shared("data", "bold", "wikipedia")
    sentences = []
    for path in sorted(folder.glob("*.json")):
        for entities in json.loads(path.read_text(encoding="utf-8")).values():
            sentences += [text for texts in entities.values() for text in texts]
    return sentences


def wikitext_lines() -> list[str]:
    with gzip.open(shared("data", "wikitext2", "test.txt.gz"), "rt", encoding="utf-8") as stream:
        return [line.strip() for line in stream if line.strip()]
