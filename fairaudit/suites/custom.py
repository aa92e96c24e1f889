"""A user's own suite: sentence pairs in a TOML, JSONL or CSV file.

Every pair has ``stereotype`` and ``anti_stereotype`` (two sentences) and an ``axis``; optional are
``item_id`` (default: the row number), ``group``, ``cluster`` (default: the item itself) and
``unrelated``, a sentence that makes no sense: a model that does not prefer the other two to it is
not capable enough for its preference between them to mean anything. JSONL
and CSV hold one pair per row; TOML holds them as ``[[items]]`` and may add ``name``,
``description``, ``citation`` and ``license``.
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

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from fairaudit.errors import SuiteFileError
from fairaudit.items import Item, Protocol, PseudoLogLikelihood
from fairaudit.metrics.pairs import pair_estimates
from fairaudit.results import Source
from fairaudit.suites import pairs
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import git_blob_id

SUFFIXES: Final = (".toml", ".jsonl", ".csv")


class PairRow(BaseModel):
    """One row of a suite file."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    item_id: str | None = Field(default=None, min_length=1)
    axis: str = Field(min_length=1)
    group: str | None = None
    cluster: str | None = None
    stereotype: str = Field(min_length=1)
    anti_stereotype: str = Field(min_length=1)
    unrelated: str | None = Field(default=None, min_length=1)

    @field_validator("axis")
    @classmethod
    def _axis_is_not_reserved(cls, axis: str) -> str:
        if axis == "all":
            raise ValueError("'all' means the pooled value; choose another word")
        return axis

    @field_validator("anti_stereotype")
    @classmethod
    def _sentences_differ(cls, sentence: str, info: ValidationInfo) -> str:
        if sentence == info.data.get("stereotype"):
            raise ValueError("the same sentence as 'stereotype'; nothing can be preferred")
        return sentence


class SuiteHeader(BaseModel):
    """What a TOML suite file may say about itself."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(default=None, pattern=r"^[a-z][a-z0-9_]*$")
    description: str = "Does the model prefer the more stereotyped sentence of a pair?"
    citation: str = "not stated"
    license: str = "not stated"


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
    header, rows = _read(path, text)
    items = tuple(_items(path, rows))
    if not items:
        raise SuiteFileError(f"{path}: holds no pairs")
    name = header.name or re.sub(r"\W+", "_", path.stem.lower())
    data = SuiteData(items, (Source(path=path.name, blob_id=git_blob_id(content)),))
    return Suite(
        name=name,
        title=name.replace("_", " ").capitalize(),
        description=header.description,
        citation=header.citation,
        license=header.license,
        axes=tuple(dict.fromkeys(item.axis for item in items)),
        protocols=_protocols(name),
        load=lambda _finder: data,
        estimate=pair_estimates,
        default=False,
    )


def _protocols(suite: str) -> tuple[Protocol, ...]:
    return (
        Protocol(
            f"{suite}/causal-sum",
            "causal",
            pairs.whole_sentence,
            pairs.total,
            "Summed log-likelihood of the sentence after BOS.",
            primary=True,
        ),
        Protocol(
            f"{suite}/pll-shared",
            "masked",
            _mask_shared,
            pairs.total,
            "Shared tokens masked one at a time and summed.",
            primary=True,
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
    # Only a line feed ends a row: a sentence may hold characters that `str.splitlines` splits at.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield number, json.loads(line)
        except json.JSONDecodeError as error:
            raise SuiteFileError(f"{path}: row {number}: not JSON ({error.msg})") from error


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
    except tomllib.TOMLDecodeError as error:
        raise SuiteFileError(f"{path}: not TOML ({error})") from error
    rows = content.pop("items", [])
    if not isinstance(rows, list):
        raise SuiteFileError(f"{path}: write the pairs as [[items]]")
    try:
        return SuiteHeader.model_validate(content), enumerate(rows, 1)
    except ValidationError as error:
        raise SuiteFileError(f"{path}: {_first_fault(error)}") from error


def _items(path: Path, rows: Iterable[tuple[int, Any]]) -> Iterator[Item]:
    seen: dict[str, int] = {}
    for number, content in rows:
        try:
            row = PairRow.model_validate(content)
        except ValidationError as error:
            raise SuiteFileError(f"{path}: row {number}: {_first_fault(error)}") from error
        item_id = row.item_id or str(number)
        if item_id in seen:
            raise SuiteFileError(
                f"{path}: row {number}: column 'item_id': '{item_id}' stands in row "
                f"{seen[item_id]} too"
            )
        seen[item_id] = number
        yield Item(
            item_id=item_id,
            axis=row.axis,
            group=row.group,
            cluster=row.cluster or item_id,
            texts=_texts(row),
        )


def _texts(row: PairRow) -> dict[str, str]:
    texts = {pairs.STEREOTYPE: row.stereotype, pairs.ANTI_STEREOTYPE: row.anti_stereotype}
    return texts if row.unrelated is None else {**texts, pairs.UNRELATED: row.unrelated}


def _mask_shared(item: Item, role: str) -> PseudoLogLikelihood | None:
    """Mask what the pair shares; an unrelated sentence shares nothing with it on purpose."""
    return None if role == pairs.UNRELATED else pairs.mask_shared(item, role)


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    column = ".".join(str(part) for part in fault["loc"])
    return f"column '{column}': {fault['msg']}" if column else str(fault["msg"])
