"""Real text for round trips, from the shared folder."""

from __future__ import annotations

import csv
import gzip
import json
import re

from tests.conftest import shared

#: Parts of a novel of more letters than this are no paragraphs.
LONGEST = 4000


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


def wiki_split_sentences() -> list[str]:
    sentences = []
    for path in sorted(shared("data", "lm_corpora", "wiki_split").glob("*.tsv.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as stream:
            sentences += [line.split("\t")[0] for line in stream]
    return sentences


def reddit_comments() -> list[str]:
    comments = {}
    for path in sorted(shared("data", "reddit_bias").rglob("*.csv")):
        with path.open(encoding="utf-8", errors="replace", newline="") as stream:
            rows = csv.DictReader(stream)
            comments |= {row["comment"]: None for row in rows if row.get("comment")}
    return list(comments)


def novel_paragraphs(*, every: int, without: str) -> list[str]:
    paragraphs = []
    for path in sorted(shared("data", "lm_corpora", "english_novels").glob("*.txt.gz"))[::every]:
        if path.name.startswith(without):
            continue
        with gzip.open(path, "rt", encoding="utf-8", errors="replace") as stream:
            parts = re.split(r"\n\s*\n", stream.read())
        paragraphs += [" ".join(part.split()) for part in parts if len(part) < LONGEST]
    return paragraphs
