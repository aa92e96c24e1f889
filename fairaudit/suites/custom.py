"""A user's own suite: pairs, choices, prompts or associations in a TOML, JSONL, CSV or TSV file.

A file holds rows of one kind (`fairaudit.suites.suite_file_rows`), told by its columns: a
``prompt`` to be continued; a ``question`` with three answers; ``text`` and ``set`` of an
association test; ``sent_more`` and ``sent_less`` as CrowS-Pairs and its versions in other languages
have them; otherwise a ``stereotype`` and its counterpart. JSONL, CSV and TSV hold one item per row;
TOML holds them as ``[[items]]`` and may add ``name``, ``description``, ``citation``, ``license``
and ``language``. Ids are unique, and on an axis so are the texts: what is asked again is no new
evidence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from fairaudit.errors import SuiteFileError, fault_words
from fairaudit.items import Decoding, Item, Protocol, PseudoLogLikelihood
from fairaudit.metrics.choices import choice_estimates
from fairaudit.metrics.crows_pairs import crows_pairs_estimates
from fairaudit.metrics.sentence_pairs import pair_estimates
from fairaudit.metrics.texts import text_estimates
from fairaudit.metrics.weat import weat_estimates
from fairaudit.results import Estimate, Source
from fairaudit.suites import bbq, crows_pairs, seat
from fairaudit.suites import pair_protocols as pairs
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import git_blob_id
from fairaudit.suites.languages import ENGLISH, language_of
from fairaudit.suites.suite_file import SUFFIXES, SuiteFile, read_suite_file
from fairaudit.suites.suite_file_rows import (
    ASSOCIATION_EXAMPLE,
    CHOICE_EXAMPLE,
    PAIR_EXAMPLE,
    PROMPT_EXAMPLE,
    AssociationRow,
    ChoiceRow,
    PairRow,
    PromptRow,
    PublishedPair,
    same_text,
)
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import (
    BBQ,
    NOT_STATED,
    OF_PROMPTS,
    OWN_PAIRS,
    OWN_PROMPTS,
    SEAT,
    SuiteCard,
)

__all__ = ["SUFFIXES", "SuiteHeader", "check_suite", "load_suite"]

AnyRow = PairRow | PromptRow | PublishedPair | AssociationRow | ChoiceRow

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
    language: str | None = None

    @field_validator("language")
    @classmethod
    def _language_is_one(cls, language: str | None) -> str | None:
        return None if language is None else language_of(language)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of rows, and the suite that they make.

    Parameters
    ----------
    mark : str
        The column by which it is known.
    row : type
        What a row may hold.
    example : mapping
        A row to show where a column is missing.
    asks : str
        What such a suite asks.
    protocols : callable
        Makes the protocols of a suite's name.
    estimate : callable
        ``(score table, seed) -> list of Estimate``.
    """

    mark: str
    row: type[AnyRow]
    example: dict[str, str]
    asks: str
    protocols: Callable[[str], tuple[Protocol, ...]]
    estimate: Callable[[Any, int], list[Estimate]]


def _pair_protocols(suite: str) -> tuple[Protocol, ...]:
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


_PAIRS: Final = Kind(
    "stereotype", PairRow, PAIR_EXAMPLE, OWN_PAIRS, _pair_protocols, pair_estimates
)
_PROMPTS: Final = Kind(
    PROMPT,
    PromptRow,
    PROMPT_EXAMPLE,
    OWN_PROMPTS,
    lambda _suite: (),
    text_estimates,
)
#: The first whose mark a file has; pairs where it has none.
_KINDS: Final = (
    _PROMPTS,
    Kind(
        "question",
        ChoiceRow,
        CHOICE_EXAMPLE,
        BBQ.asks,
        bbq.protocols,
        choice_estimates,
    ),
    Kind(
        "set",
        AssociationRow,
        ASSOCIATION_EXAMPLE,
        SEAT.asks,
        seat.protocols,
        weat_estimates,
    ),
    Kind(
        "sent_more",
        PublishedPair,
        {
            "bias_type": "gender",
            "sent_more": "The nurse said she was tired.",
            "sent_less": "The nurse said he was tired.",
            "stereo_antistereo": "stereo",
        },
        OWN_PAIRS,
        crows_pairs.protocols,
        crows_pairs_estimates,
    ),
    _PAIRS,
)
_COLUMNS: Final = frozenset(
    str(field.validation_alias or name)
    for kind in _KINDS
    for name, field in kind.row.model_fields.items()
)


def load_suite(path: Path, language: str | None = None) -> Suite:
    """Read and check a suite file.

    Parameters
    ----------
    path : path
        The file.
    language : str, optional
        What it is written in; default what the file says, or English.

    Raises
    ------
    SuiteFileError
        Naming row and column of the first fault, and how many others there are.
    """
    suite, faults = check_suite(path, language)
    if suite is None:
        others = len(faults) - 1
        more = f" ({others:,} more; `fairaudit suites validate` names each)" if others else ""
        raise SuiteFileError(f"{path}: {faults[0]}{more}")
    return suite


def check_suite(path: Path, language: str | None = None) -> tuple[Suite | None, list[str]]:
    """Read a suite file and return the suite, or None with everything that is wrong in it.

    Parameters
    ----------
    path : Path
        The user's file.
    language : str, optional
        What it is written in; default what it says, or English.

    Returns
    -------
    Suite or None, list of str
        The suite and no faults; or None and every fault with its row.

    Raises
    ------
    SuiteFileError
        If the file cannot be read as a whole.
    """
    file = read_suite_file(path, _COLUMNS)
    try:
        header = SuiteHeader.model_validate(file.header)
    except ValidationError as error:
        return None, [_first_fault(error)]
    stated = _language(header, language)
    kind = _kind_of(file.rows)
    items, faults = _items(file, kind)
    if not items and not faults:
        faults = ["holds no pairs and no prompts"]
    if faults:
        return None, faults
    name = header.name or re.sub(r"\W+", "_", path.stem.lower())
    of_prompts = kind is _PROMPTS
    data = SuiteData(items, (Source(path=path.name, blob_id=git_blob_id(file.content)),))
    suite = Suite(
        card=SuiteCard(
            name,
            name.replace("_", " ").capitalize(),
            header.description or kind.asks,
            citation=header.citation,
            license=header.license,
            axes=tuple(dict.fromkeys(item.axis for item in items)),
            caveats=OF_PROMPTS if of_prompts else (),
        ),
        protocols=kind.protocols(name),
        load=lambda _finder: data,
        estimate=kind.estimate,
        default=False,
        generation=_DESIGN if of_prompts else None,
        language=stated,
    )
    return suite, []


def _language(header: SuiteHeader, asked: str | None) -> str:
    try:
        named = None if asked is None else language_of(asked)
    except ValueError as error:
        raise SuiteFileError(str(error)) from None
    if named is not None and header.language not in {None, named}:
        raise SuiteFileError(f"the file says that it is in '{header.language}', not '{named}'")
    return named or header.language or ENGLISH


def _kind_of(rows: Sequence[tuple[int, Any]]) -> Kind:
    columns = set(rows[0][1]) if rows and isinstance(rows[0][1], dict) else set()
    return next((kind for kind in _KINDS if kind.mark in columns), _PAIRS)


def _items(file: SuiteFile, kind: Kind) -> tuple[tuple[Item, ...], list[str]]:
    """Items of all rows, and what is wrong with the others, in the order of the rows."""
    faults = list(file.faults)
    checked: list[tuple[int, AnyRow]] = []
    for number, content in file.rows:
        try:
            checked.append((number, kind.row.model_validate(content)))
        except ValidationError as error:
            fault = _columns_fault(error, kind) or _first_fault(error)
            faults.append(f"row {number}: {fault}")
    if kind.row is AssociationRow:
        made, more = _associations(
            [(number, row) for number, row in checked if isinstance(row, AssociationRow)]
        )
    else:
        made, more = _alone(checked, again=kind.row is PublishedPair)
    return made, sorted([*faults, *more], key=_row_of)


def _row_of(fault: str) -> int:
    found = re.match(r"row (\d+)", fault)
    return int(found[1]) if found else 0


def _alone(rows: Sequence[tuple[int, Any]], *, again: bool) -> tuple[tuple[Item, ...], list[str]]:
    """Items of rows that stand for themselves.

    Published files ask a few pairs ``again``: those form a cluster. A group is one however it is
    spelled, and called as where it stands first.
    """
    faults: list[str] = []
    groups: dict[tuple[str, str], str] = {}
    seen: dict[str, int] = {}
    asked: dict[tuple[str, ...], Item] = {}
    items: list[Item] = []
    for number, row in rows:
        item = row.item(number)
        if item.item_id in seen:
            faults.append(
                f"row {number}: column 'item_id': duplicate id '{item.item_id}', as in row "
                f"{seen[item.item_id]}"
            )
            continue
        seen[item.item_id] = number
        earlier = asked.setdefault((item.axis, item.context, *_question(item)), item)
        if earlier is not item and not again:
            faults.append(
                f"row {number}: item '{item.item_id}' has the texts of item "
                f"'{earlier.item_id}' in row {seen[earlier.item_id]}; remove one"
            )
        group = item.group
        if group is not None:
            group = groups.setdefault((item.axis, same_text(group)), group)
        items.append(replace(item, cluster=earlier.cluster, group=group))
    return tuple(items), faults


def _associations(
    rows: Sequence[tuple[int, AssociationRow]],
) -> tuple[tuple[Item, ...], list[str]]:
    """Items of association tests, one for each target."""
    sets: dict[tuple[str, str], dict[str, list[str]]] = {}
    for _, row in rows:
        of_test = sets.setdefault((row.axis, row.test), {name: [] for name in "XYAB"})
        of_test[row.set].append(row.text)
    faults = [
        f"test '{test}' on axis '{axis}': no text is in set '{name}'"
        for (axis, test), of_test in sets.items()
        for name, texts in of_test.items()
        if not texts
    ]
    if faults:
        return (), faults
    items = (
        item
        for (axis, test), of_test in sets.items()
        for item in seat.items_of_test(test, axis, of_test)
    )
    return tuple(items), []


def _question(item: Item) -> tuple[str, ...]:
    """Texts that make an item what it is: an unrelated sentence makes no new pair."""
    return tuple(text for role, text in item.texts.items() if role != pairs.UNRELATED)


def _mask_shared(item: Item, role: str) -> PseudoLogLikelihood | None:
    """Mask what the pair shares; an unrelated sentence shares nothing with it on purpose."""
    return None if role == pairs.UNRELATED else pairs.mask_shared(item, role)


def _columns_fault(error: ValidationError, kind: Kind) -> str | None:
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
    example = json.dumps(kind.example)
    prompt = f"; a row with a prompt to continue: {json.dumps(PROMPT_EXAMPLE)}"
    return f"{'; '.join(wrong)}. A row looks like {example}{prompt if kind is _PAIRS else ''}"


def _first_fault(error: ValidationError) -> str:
    fault = error.errors()[0]
    column = ".".join(str(part) for part in fault["loc"])
    return f"column '{column}': {fault_words(fault)}" if column else fault_words(fault)
