"""How often the swapper takes English for another language, and another language for English.

English: public corpora of ``--data``. Other languages: translated messages of a package of the
registry that carries many (Django's catalogues), downloaded by name and unpacked:

    pip download --no-deps --dest /tmp/guard django && unzip -q -d /tmp/guard /tmp/guard/*.whl
    python benchmarks/language_guard.py --data ../shared/data --messages /tmp/guard
"""

from __future__ import annotations

import argparse
import ast
import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

from fairaudit.augmentation.english import is_english
from fairaudit.lines import lines_of

LANGUAGES = [
    "fr",
    "de",
    "es",
    "it",
    "pt",
    "nl",
    "sv",
    "da",
    "nb",
    "pl",
    "cs",
    "tr",
    "ro",
    "hu",
    "fi",
    "id",
    "ru",
    "uk",
    "el",
    "ar",
    "he",
    "zh_Hans",
    "ja",
    "ko",
    "hi",
]
_PLACE = re.compile(r"%\(\w+\)\w|%\w|<[^>]+>|\{\w*\}")
_WORD = re.compile(r"[^\W\d_]+")
_TRANSLATION = re.compile(r'msgstr(?:\[\d\])? (".*")$')


def messages(folder: Path, language: str) -> set[str]:
    """Return translations of one language, without placeholders and markup."""
    found: set[str] = set()
    for path in folder.rglob(f"locale/{language}/LC_MESSAGES/*.po"):
        parts: list[str] | None = None
        for line in lines_of(path.read_text(encoding="utf-8")):
            begins = _TRANSLATION.match(line)
            if parts is not None and not line.startswith('"'):
                found.add(_PLACE.sub("", "".join(parts)))
                parts = None
            if begins:
                parts = [ast.literal_eval(begins[1])]
            elif parts is not None:
                parts.append(ast.literal_eval(line))
    return found


def english(data: Path) -> Iterator[tuple[str, list[str]]]:
    """Corpora by name."""
    with (data / "crows_pairs" / "crows_pairs_anonymized.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    yield "CrowS-Pairs", [row[name] for row in rows for name in ("sent_more", "sent_less")]
    wikipedia: list[str] = []
    for path in sorted((data / "bold").rglob("*wiki*.json*")):
        content = path.read_bytes()
        whole = json.loads(gzip.decompress(content) if path.suffix == ".gz" else content)
        for of_domain in whole.values():
            wikipedia += [text for texts in of_domain.values() for text in texts]
    yield "BOLD's Wikipedia sentences", wikipedia
    tweets: list[str] = []
    for path in sorted((data / "hate_speech_offensive").glob("*.csv.gz")):
        with gzip.open(path, "rt", encoding="utf-8", newline="") as stream:
            tweets += [row["tweet"] for row in csv.DictReader(stream)]
    yield "tweets", tweets


def main() -> None:
    """Print one row per corpus and language: texts, and the share that is taken wrongly."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--messages", type=Path, required=True)
    given = parser.parse_args()
    print("| text | words | n | taken wrongly |\n| --- | --- | --- | --- |")
    for name, texts in english(given.data):
        kept = [text for text in texts if len(_WORD.findall(text)) >= 3]
        wrong = sum(not is_english(text) for text in kept)
        print(f"| English: {name} | ≥ 3 | {len(kept):,} | {wrong / len(kept):.2%} |")
    for language in LANGUAGES:
        for least, most in ((5, 9), (10, 10**6)):
            kept = [
                text
                for text in messages(given.messages, language)
                if least <= len(_WORD.findall(text)) <= most
            ]
            wrong = sum(is_english(text) for text in kept)
            words = f"≥ {least}" if most > 10 else f"{least}-{most}"
            share = f"{wrong / len(kept):.1%}" if kept else "–"
            print(f"| {language} | {words} | {len(kept):,} | {share} |")


if __name__ == "__main__":
    main()
