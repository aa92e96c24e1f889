"""Answers in logs of inspect_ai: its tasks ``bbq`` and ``stereoset``.

Both tasks offer texts as A, B, C and ask for a line ``ANSWER: <letter>``. Samples are joined to
items by their texts, whatever their ids. What the model wrote is read here once more, strictly: the
task's own scorer of StereoSet takes the first letter of any text for an answer, so that "As an AI"
chooses A. Where the log's scorer read something else, that is counted; where the log contradicts
the benchmark or itself, it is refused.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from fairaudit.auditing.score_tables import choice_rows, score_table
from fairaudit.errors import DataError
from fairaudit.items import NO_ANSWER, NOT_UNDERSTOOD, Item, Skipped
from fairaudit.lines import lines_of
from fairaudit.recorded.inspect_log import InspectLog, InspectSample, read_inspect_log
from fairaudit.recorded.recorded_scores import Recorded
from fairaudit.scoring.texts.answers import answer_of
from fairaudit.suites import DataFinder, SuiteData, bbq, stereoset
from fairaudit.suites.data import DataUnavailableError
from fairaudit.vocabulary.suites import BBQ, STEREOSET

#: Suites that have a task in inspect_evals, which has the same name.
SUITES_OF_INSPECT: Final = (BBQ.name, STEREOSET.name)

_MARKED: Final = re.compile(r"\W*answer\s*:\s*(?P<said>\S.*)", re.IGNORECASE)
_LETTERS: Final = "ABC"
_OWN_LABELS: Final = {"anti_stereotype": "anti-stereotype"}

#: What was chosen of each item, by the epoch in which it was asked.
_Choices = dict[str, dict[int, str | Skipped]]
#: An item's question and the texts to choose from, whatever their order.
_Key = tuple[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class _Benchmark:
    """How one of the two benchmarks stands in a log."""

    data: SuiteData
    #: Question as the task asks it.
    questions: Mapping[str, str]
    #: Items of which a log of some of them has all: a category, a split.
    whole: Mapping[str, str]
    protocols: Mapping[str, str]


def read_inspect(content: bytes, suite: str, finder: DataFinder, place: str) -> Recorded:
    """Read a log as answers to a suite.

    Parameters
    ----------
    content : bytes
        The file, ``.json`` or ``.eval``.
    suite : str
        One of `SUITES_OF_INSPECT`.
    finder : DataFinder
        Where the benchmark is.
    place : str
        Name of the file.

    Raises
    ------
    DataError
        If the file is damaged, of another version or another task, contradicts the benchmark or
        itself, or holds no sample of the suite; the message names the sample.
    """
    log = read_inspect_log(content, place)
    if log.task != suite:
        raise DataError(f"{place}: a log of task '{log.task}', not of '{suite}'")
    try:
        benchmark = _of_bbq(finder) if suite == BBQ.name else _of_stereoset(finder)
    except DataUnavailableError as error:
        needed = f"the items of '{suite}' are needed to know what was asked ({error})"
        raise DataError(needed) from error
    found, strangers, n_otherwise = _joined(log, benchmark)
    if not found:
        raise DataError(f"{place}: holds no samples of items of '{suite}'")
    parts = {benchmark.whole[item_id] for item_id in found}
    items = tuple(one for one in benchmark.data.items if benchmark.whole[one.item_id] in parts)
    answers = {one.item_id: list(found.get(one.item_id, {}).values()) for one in items}
    rows = [
        row
        for item in items
        for row in choice_rows(
            item,
            benchmark.protocols[item.item_id],
            tuple(item.texts),
            answers[item.item_id] or [NO_ANSWER],
        )
    ]
    notes = (
        *benchmark.data.notes,
        *_of_run(log, place),
        *_gaps(answers, log.epochs, strangers, n_otherwise, place),
    )
    return Recorded(score_table(rows), items, benchmark.data.sources, notes)


def _of_bbq(finder: DataFinder) -> _Benchmark:
    data = bbq.load_items(finder)
    return _Benchmark(
        data,
        {one.item_id: _inspect_question(one) for one in data.items},
        {one.item_id: one.item_id.partition("/")[0] for one in data.items},
        dict.fromkeys((one.item_id for one in data.items), f"{BBQ.name}/choices-parsed-recorded"),
    )


def _inspect_question(item: Item) -> str:
    """Return an item's question as the task asks it."""
    context, _, asked = item.context.rpartition("\n\nQ: ")
    question = asked.removesuffix("\nA:")
    return f"Context: {context}\n\nQuestion: {question}"


def _of_stereoset(finder: DataFinder) -> _Benchmark:
    data = stereoset.SUITE.load(finder)
    splits = {one.item_id: str(one.facts["split"]) for one in data.items}
    return _Benchmark(
        data,
        {one.item_id: one.context for one in data.items},
        splits,
        {item_id: f"{STEREOSET.name}/{split}-chosen-recorded" for item_id, split in splits.items()},
    )


def _joined(log: InspectLog, benchmark: _Benchmark) -> tuple[_Choices, int, int]:
    """Choices by item, and how many samples are strangers or were read otherwise by the log."""
    known: dict[_Key, list[Item]] = {}
    for item in benchmark.data.items:
        known.setdefault(_key(benchmark.questions[item.item_id], item.texts.values()), []).append(
            item
        )
    found: _Choices = {}
    strangers = otherwise = 0
    for sample in log.samples:
        matching = known.get(_key(sample.question, sample.choices), [])
        strangers += not matching
        for item in _nearest(matching, sample):
            roles = _roles(item, sample)
            _refuse_contradicted(item, roles, sample)
            choice = _choice(sample, roles)
            otherwise += _is_read_otherwise(sample, roles, choice)
            if found.setdefault(item.item_id, {}).setdefault(sample.epoch, choice) != choice:
                raise DataError(f"{sample.place}: the same question again, with another answer")
    return found, strangers, otherwise


def _key(question: str, choices: Iterable[str]) -> _Key:
    return _blanks(question), frozenset(_blanks(one) for one in choices)


def _blanks(text: str) -> str:
    return " ".join(text.split())


def _nearest(items: Sequence[Item], sample: InspectSample) -> Sequence[Item]:
    """Of the few items with the same texts that whose id or order of answers is the sample's."""
    number = sample.sample_id.rpartition("_")[2].lstrip("0") or "0"
    same_id = [one for one in items if one.item_id.rpartition("/")[2] == number]
    order = [_blanks(text) for text in sample.choices]
    same = [one for one in items if [_blanks(text) for text in one.texts.values()] == order]
    return same_id or same or items


def _roles(item: Item, sample: InspectSample) -> tuple[str, ...]:
    """Role of each text that was offered, in the order of its letters."""
    by_text = {_blanks(text): role for role, text in item.texts.items()}
    return tuple(by_text[_blanks(text)] for text in sample.choices)


def _refuse_contradicted(item: Item, roles: Sequence[str], sample: InspectSample) -> None:
    """Raise if the log says otherwise than the benchmark which answer is what."""
    if "correct" in item.facts:
        expected: object = (roles.index(str(item.facts["correct"])),)
        said: object = tuple(_LETTERS.find(one) for one in sample.target)
    else:
        expected = [_OWN_LABELS.get(role, role) for role in roles]
        said = sample.metadata.get("gold_labels", expected)
    if said != expected:
        raise DataError(
            f"{sample.place}: which answer is right or stereotyped is not as in the benchmark"
        )
    score = sample.scores.get("choice")
    if isinstance(score, dict) and (score.get("value") == "C") != (
        score.get("answer") in sample.target
    ):
        raise DataError(f"{sample.place}: the log's score does not follow from its answer")


def _choice(sample: InspectSample, roles: Sequence[str]) -> str | Skipped:
    """Role of the answer that was written, or why there is none."""
    if sample.failed is not None:
        return Skipped(sample.failed)
    marked = [found["said"] for one in lines_of(sample.written) if (found := _marked(one))]
    said = {answer_of(one, sample.choices, letters=True) for one in marked or [sample.written]}
    place = said.pop() if len(said) == 1 else None
    return NOT_UNDERSTOOD if place is None else roles[place]


def _marked(line: str) -> re.Match[str] | None:
    return _MARKED.fullmatch(line.strip())


def _is_read_otherwise(sample: InspectSample, roles: Sequence[str], choice: str | Skipped) -> bool:
    """Whether the log's scorers read another answer.

    Raises
    ------
    DataError
        If the scorer of BBQ, which is strict, read another letter than that of a text of one line.
    """
    theirs = [
        roles[_LETTERS.index(letter)] if letter in _LETTERS else NOT_UNDERSTOOD
        for one in sample.scores.values()
        if (letter := _letter(one)) is not None
    ]
    is_plain = "choice" in sample.scores and len(lines_of(sample.written.strip())) == 1
    if (
        is_plain
        and isinstance(choice, str)
        and any(one not in (choice, NOT_UNDERSTOOD) for one in theirs)
    ):
        raise DataError(f"{sample.place}: the log's answer is not that of the text beside it")
    return sample.failed is None and any(one != choice for one in theirs)


def _letter(score: Any) -> str | None:
    """Return the letter that a scorer read; empty or any other text where it read none."""
    answer = score.get("answer") if isinstance(score, dict) else None
    if not isinstance(answer, str):
        return None
    return answer if len(answer) == 1 else "?"


def _of_run(log: InspectLog, place: str) -> Iterator[str]:
    yield f"{place}: {log.origin}"
    if log.limit is not None:
        yield f"{place}: the run was limited to some samples ({log.limit})"
    if log.status != "success":
        yield f"{place}: the run did not finish (status '{log.status}')"
    if log.epochs > 1:
        yield (
            f"{place}: each question was asked {log.epochs} times; an item counts with the mean of "
            "its answers"
        )
    if log.n_stopped:
        yield f"{place}: {log.n_stopped:,} samples were stopped by a limit"


def _gaps(
    answers: Mapping[str, Sequence[str | Skipped]],
    epochs: int,
    strangers: int,
    n_otherwise: int,
    place: str,
) -> Iterator[str]:
    """Count what the log lacks, and what is not of the suite."""
    given = [one for of_item in answers.values() for one in of_item]
    expected = epochs * len(answers)
    reasons = Counter(one.reason for one in given if isinstance(one, Skipped))
    reasons[NO_ANSWER.reason] = expected - len(given)
    for reason, n in sorted((+reasons).items()):
        yield f"{place}: {n:,} of {expected:,} answers are skipped: {reason}"
    if strangers:
        yield f"{place}: {strangers:,} samples are not in the suite; left out"
    if n_otherwise:
        yield (
            f"{place}: the log's own scorer read {n_otherwise:,} answers otherwise; here an answer "
            "is a letter or text that stands alone or after 'ANSWER:'"
        )
