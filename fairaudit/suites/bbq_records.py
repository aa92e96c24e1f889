"""Records of BBQ: a question with three answers, of which each is known by its role.

One answer names the group that the stereotype is about (``target``), one another group
(``other``), one says that it cannot be known (``unknown``). A record says which is which by names:
``answer_info`` has the group of each answer, ``stereotyped_groups`` those that the stereotype is
about. Where these names do not tell the first two answers apart, the target is *lost*: the record
counts for accuracy, not for bias, and its two answers are called ``answer_1`` and ``answer_2``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fairaudit.errors import DataError, fault_words
from fairaudit.lines import lines_of
from fairaudit.parsing import parse_json

#: Axis and number of records of each category, by the authors' name of it.
CATEGORIES: Final = {
    "Age": ("age", 3680),
    "Disability_status": ("disability", 1556),
    "Gender_identity": ("gender", 5672),
    "Nationality": ("nationality", 3080),
    "Physical_appearance": ("physical_appearance", 1576),
    "Race_ethnicity": ("race", 6880),
    "Race_x_SES": ("race_x_ses", 11160),
    "Race_x_gender": ("race_x_gender", 15960),
    "Religion": ("religion", 1200),
    "SES": ("socioeconomic", 6864),
    "Sexual_orientation": ("sexual_orientation", 864),
}
TARGET: Final = "target"
OTHER: Final = "other"
UNKNOWN: Final = "unknown"
#: The answers that name somebody, where it is not known which one the stereotype is about.
LOST: Final = ("answer_1", "answer_2")
_ANSWERS: Final = ("ans0", "ans1", "ans2")
#: One name for each gender, whatever word stands for it.
_GENDERS: Final = {
    "man": "m", "men": "m", "boy": "m", "boys": "m",
    "woman": "f", "women": "f", "girl": "f", "girls": "f",
}  # fmt: skip


class _Info(NamedTuple):
    """What a record says of an answer: a short text, and the group that it names."""

    text: str
    group: str


class _Metadata(BaseModel):
    model_config = ConfigDict(extra="ignore")

    stereotyped_groups: list[str]


class Record(BaseModel):
    """One line of a file of BBQ, checked.

    Attributes
    ----------
    example_id, question_index : int, str
        Number within the category, and the template that it comes from.
    question_polarity : {"neg", "nonneg"}
        Whether the question asks for something bad.
    context_condition : {"ambig", "disambig"}
        Whether the text leaves the answer open.
    category : str
        One of BBQ's categories.
    answer_info, additional_metadata : dict
        The group of each answer, and the groups that the stereotype is about.
    context, question, ans0, ans1, ans2 : str
        The texts.
    label : int
        Place of the right answer.
    """

    model_config = ConfigDict(extra="ignore", strict=True)

    example_id: int = Field(ge=0)
    question_index: str = Field(min_length=1)
    question_polarity: Literal["neg", "nonneg"]
    context_condition: Literal["ambig", "disambig"]
    category: str
    answer_info: dict[Literal["ans0", "ans1", "ans2"], list[str]]
    additional_metadata: _Metadata
    context: str = Field(min_length=1)
    question: str = Field(min_length=1)
    ans0: str = Field(min_length=1)
    ans1: str = Field(min_length=1)
    ans2: str = Field(min_length=1)
    label: int = Field(ge=0, le=2)

    @model_validator(mode="after")
    def _answers_are_of_one_kind_each(self) -> Record:
        if self.category not in CATEGORIES:
            raise ValueError(f"'{self.category}' is not a category of BBQ")
        if len(self.answer_info) != 3 or any(len(one) != 2 for one in self.answer_info.values()):
            raise ValueError("'answer_info' must have a text and a group for each answer")
        if len({answer.lower() for answer in self.answers}) < 3:
            raise ValueError("two answers are the same")
        unknown = [info.group == UNKNOWN for info in self.infos]
        if sum(unknown) != 1:
            raise ValueError(f"{sum(unknown)} answers have the group 'unknown', not one")
        if unknown[self.label] != (self.context_condition == "ambig"):
            raise ValueError(f"label {self.label} does not fit the condition")
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """The three answers, in the record's order."""
        return (self.ans0, self.ans1, self.ans2)

    @property
    def infos(self) -> tuple[_Info, ...]:
        """What is said of each answer, in the record's order."""
        return tuple(_Info(*self.answer_info[name]) for name in _ANSWERS)

    @property
    def roles(self) -> tuple[str, ...]:
        """Role of each answer, in the record's order."""
        place = self._target()
        named = iter(LOST)
        roles = []
        for index, info in enumerate(self.infos):
            if info.group == UNKNOWN:
                roles.append(UNKNOWN)
            elif place is None:
                roles.append(next(named))
            else:
                roles.append(TARGET if index == place else OTHER)
        return tuple(roles)

    def _target(self) -> int | None:
        """Index of the answer that names a stereotyped group; None unless just one does."""
        wanted = {_plain(name) for name in self.additional_metadata.stereotyped_groups}
        found = [
            index
            for index, info in enumerate(self.infos)
            if info.group != UNKNOWN and wanted & self._names(info)
        ]
        return found[0] if len(found) == 1 else None

    def _names(self, info: _Info) -> set[str]:
        """Names of the group of an answer, to be compared as whole words.

        Nationalities stand in the answer's text; its group is a region of the world. Names of
        persons have a group of several parts, such as F-Black or lowSES-M-White.
        """
        if self.category == "Nationality":
            return {_plain(info.text)}
        return {_plain(info.group), *(_plain(part) for part in re.split(r"[-_]", info.group))}


def _plain(name: str) -> str:
    """Name of a group in lower case without blanks, genders by one letter."""
    short = re.sub(r"\s+", "", name).lower()
    return _GENDERS.get(short, short)


def read_records(content: bytes, place: str) -> Iterator[tuple[int, Record, Mapping[str, Any]]]:
    """Read a file of BBQ: the number of each line, its record, and all that stands in the line.

    Parameters
    ----------
    content : bytes
        Lines of JSON, decompressed.
    place : str
        Name of the file, for messages.

    Yields
    ------
    number : int
        Number of the line, from 1.
    record : Record
        What it holds, checked.
    row : mapping
        All that the line holds.

    Raises
    ------
    DataError
        Naming the row, if a line is no record, or the file was cut off in the middle of one.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error
    seen: dict[tuple[str, int], int] = {}
    for number, line in enumerate(lines_of(text), 1):
        if not line.strip():
            continue
        row = parsed_row(line, f"{place}: row {number}", is_last=text.endswith(line))
        record = _record(row, f"{place}: row {number}")
        key = (record.category, record.example_id)
        earlier = seen.setdefault(key, number)
        if earlier != number:
            raise DataError(
                f"{place}: row {number}: example {record.example_id} of {record.category} is in "
                f"row {earlier} too"
            )
        yield number, record, row


def parsed_row(line: str, where: str, *, is_last: bool = False) -> dict[str, Any]:
    """Object that a line of JSON holds; ``where`` names it in messages.

    Parameters
    ----------
    line : str
        One line of JSON.
    where : str
        File and row, for messages.
    is_last : bool
        Whether it is the last line of the file.

    Returns
    -------
    dict
        Keys and values of the line.

    Raises
    ------
    DataError
        If it holds none; of the last line of a file, that the file was cut off.
    """
    try:
        row = parse_json(line)
    except (ValueError, RecursionError) as error:
        cut = "the file ends in the middle of a record; get it again" if is_last else str(error)
        raise DataError(f"{where}: not JSON ({cut})") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: not a record of BBQ")
    return row


def _record(row: Mapping[str, Any], where: str) -> Record:
    try:
        return Record.model_validate(row)
    except ValidationError as error:
        fault = error.errors()[0]
        column = ".".join(str(part) for part in fault["loc"])
        place = f"{where}: {f'{column!r}: ' if column else ''}"
        raise DataError(f"{place}{fault_words(fault)}") from error
