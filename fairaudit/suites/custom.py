"""A user's own suite: sentence pairs, or prompts to be continued, in a TOML, JSONL or CSV file.

A file holds rows of one kind, see `fairaudit.suites.rows`: those of a file of prompts have a
``prompt``. JSONL and CSV hold one item per row; TOML holds them as ``[[items]]`` and may add
``name``, ``description``, ``citation`` and ``license``. Ids are unique, and on an axis so are the
texts: what is asked again is no new evidence.
"""

from __future__ import annotations

import csv
import io
import json
import re
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from fairaudit.errors import SuiteFileError
from fairaudit.items import Decoding, Item, Protocol, PseudoLogLikelihood
from fairaudit.lines import lines_of
from fairaudit.metrics.pairs import pair_estimates
from fairaudit.metrics.texts import text_estimates
from fairaudit.results import Source
from fairaudit.suites import pairs
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import git_blob_id
from fairaudit.suites.rows import PAIR_EXAMPLE, PROMPT_EXAMPLE, PairRow, PromptRow
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import (
    NOT_STATED,
    OF_PROMPTS,
    OWN_PAIRS,
    OWN_PROMPTS,
    SuiteCard,
)

SUFFIXES: Final = (".toml", ".jsonl", ".csv")
_DESIGN: Final = GenerationDesign(
    decoding=Decoding(n=4, max_new_tokens=20),
    scorers=("toxicity", "regard", "vader"),
)


class SuiteHeader(BaseModel):
    """What a TOML suite file may say about itself."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    description: str | None = None
    citation: str = NOT_STATED
    license: str = NOT_STATED


def load_suite(path: Path) -> Suite:
    """Read and check a suite file.

    Raises
    ------
    SuiteFileError
        Naming row and column of the first fault.
    """
    try:
        content = path.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise SuiteFileError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise SuiteFileError(f"{path}: not UTF-8 ({error})") from error
    header, numbered = _read(path, text)
    rows = list(numbered)
    of_prompts = bool(rows) and isinstance(rows[0][1], dict) and PROMPT in rows[0][1]
    items = tuple(_items(path, rows, PromptRow if of_prompts else PairRow))
    if not items:
        raise SuiteFileError(f"{path}: holds no pairs and no prompts")
    name = header.name or re.sub(r"\W+", "_", path.stem.lower())
    data = SuiteData(items, (Source(path=path.name, blob_id=git_blob_id(content)),))
    return Suite(
        card=SuiteCard(
            name,
            name.replace("_", " ").capitalize(),
            header.description or (OWN_PROMPTS if of_prompts else OWN_PAIRS),
            citation=header.citation,
            license=header.license,
            axes=tuple(dict.fromkeys(item.axis for item in items)),
            caveats=OF_PROMPTS if of_prompts else (),
        ),
        protocols=() if of_prompts else _protocols(name),
        load=lambda _finder: data,
        estimate=text_estimates if of_prompts else pair_estimates,
        default=False,
        generation=_DESIGN if of_prompts else None,
    )


def _protocols(suite: str) -> tuple[Protocol, ...]:
    return (
        Protocol(
            f"{suite}/causal-sum",
            "causal",
            pairs.whole_sentence,
            pairs.total,
            "Summed log-likelihood of the sentence after BOS.",
            design=Design.PAIRS,
        ),
        Protocol(
            f"{suite}/pll-shared",
            "masked",
            _mask_shared,
            pairs.total,
            "Shared tokens masked one at a time and summed.",
            design=Design.PAIRS,
        ),
    )


def _read(path: Path, text: str) -> tuple[SuiteHeader, Iterable[tuple[int, Any]]]:
    """Header and numbered rows; the number is the line for JSONL and CSV."""
    match path.suffix:
        case ".jsonl":
            return SuiteHeader(), _jsonl_rows(path, text)
        case ".csv":
            return SuiteHeader(), _csv_rows(path, text)
        case ".toml":
            return _toml(path, text)
    raise SuiteFileError(f"{path}: a suite file ends in {', '.join(SUFFIXES)}")


def _jsonl_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SuiteFileError(f"{path}: row {number}: not JSON ({error})") from error


def _csv_rows(path: Path, text: str) -> Iterator[tuple[int, Any]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if None in row:
                raise SuiteFileError(f"{path}: row {reader.line_num}: more cells than columns")
            yield reader.line_num, {key: value for key, value in row.items() if value}
    except csv.Error as error:
        raise SuiteFileError(f"{path}: row {reader.reader.line_num}: not CSV ({error})") from error


def _toml(path: Path, text: str) -> tuple[SuiteHeader, Iterable[tuple[int, Any]]]:
    try:
        content = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise SuiteFileError(f"{path}: not TOML ({error})") from error
    rows = content.pop("items", [])
    if not isinstance(rows, list):
        raise SuiteFileError(f"{path}: write the pairs as [[items]]")
    try:
        return SuiteHeader.model_validate(content), enumerate(rows, 1)
    except ValidationError as error:
        raise SuiteFileError(f"{path}: {_first_fault(error)}") from error


def _items(
    path: Path, rows: Iterable[tuple[int, Any]], kind: type[PairRow | PromptRow]
) -> Iterator[Item]:
    seen: dict[str, int] = {}
    asked: dict[tuple[str, ...], Item] = {}
    for number, content in rows:
        try:
            item = kind.model_validate(content).item(number)
        except ValidationError as error:
            fault = _columns_fault(error, kind) or _first_fault(error)
            raise SuiteFileError(f"{path}: row {number}: {fault}") from error
        if item.item_id in seen:
            raise SuiteFileError(
                f"{path}: row {number}: column 'item_id': '{item.item_id}' stands in row "
                f"{seen[item.item_id]} too"
            )
        seen[item.item_id] = number
        earlier = asked.setdefault((item.axis, *_question(item)), item)
        if earlier is not item:
            raise SuiteFileError(
                f"{path}: row {number}: item '{item.item_id}' has the texts of item "
                f"'{earlier.item_id}' in row {seen[earlier.item_id]}; remove one"
            )
        yield item


def _question(item: Item) -> tuple[str, ...]:
    """Texts that make an item what it is: an unrelated sentence makes no new pair."""
    return tuple(text for role, text in item.texts.items() if role != pairs.UNRELATED)


def _mask_shared(item: Item, role: str) -> PseudoLogLikelihood | None:
    """Mask what the pair shares; an unrelated sentence shares nothing with it on purpose."""
    return None if role == pairs.UNRELATED else pairs.mask_shared(item, role)


def _columns_fault(error: ValidationError, kind: type[PairRow | PromptRow]) -> str | None:
    """Name all columns that are missing or unknown, with an example; None if none is."""
    by_type: dict[str, list[str]] = {}
    for fault in error.errors():
        if len(fault["loc"]) == 1:
            by_type.setdefault(fault["type"], []).append(f"'{fault['loc'][0]}'")
    wrong = [
        f"{'columns' if len(names) > 1 else 'column'} {', '.join(names)} {what}"
        for names, what in (
            (by_type.get("missing", []), "missing"),
            (by_type.get("extra_forbidden", []), "unknown"),
        )
        if names
    ]
    if not wrong:
        return None
    of_prompts = kind is PromptRow
    example = json.dumps(PROMPT_EXAMPLE if of_prompts else PAIR_EXAMPLE)
    other = "" if of_prompts else f"; a row with a prompt to continue: {json.dumps(PROMPT_EXAMPLE)}"
    return f"{'; '.join(wrong)}. A row looks like {example}{other}"


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    column = ".".join(str(part) for part in fault["loc"])
    return f"column '{column}': {fault['msg']}" if column else str(fault["msg"])
