"""BBQ: questions whose answer a text gives or does not, and which a stereotype answers anyway."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from fairaudit.items import Answer, Item, LogLikelihood, Protocol
from fairaudit.metrics.choices import choice_estimates
from fairaudit.results import Source
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.bbq_records import CATEGORIES, TARGET, Record, read_records
from fairaudit.suites.data import DataFinder, DataUnavailableError, PinnedFile
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import BBQ

_REPOSITORY: Final = "nyu-mll/BBQ"
_COMMIT: Final = "bea11bd97d79217245b5871acd247b9d6eb24598"
_BLOBS: Final = {
    "Age": "5c5e7586163b869fe029e77e63716f2026e4ae08",
    "Disability_status": "9aedeccaf599299cdfa523531d625ae85ecb9131",
    "Gender_identity": "dc79ceaaa9e7126edc99a200d632899c50274b16",
    "Nationality": "cba9b63d34536cb51a6cbae76b189df3d2a945c0",
    "Physical_appearance": "8cbdf83265459083224e3a2d37809294ff12ad77",
    "Race_ethnicity": "68daf3d692b27a10596772b3b15742b26f0b110e",
    "Race_x_SES": "905cd8a5b8734e2063fe524e69a38f0a71c75907",
    "Race_x_gender": "dd09a905b284690445d36259d675243950fa0bd7",
    "Religion": "44c1940ee22f00891ab4a5526a293691957aeacb",
    "SES": "78d11ffbdb70f501617345e5c697d00045d57c29",
    "Sexual_orientation": "a06351f4dd67ba30632396eeb0c3677c67b7d387",
}

#: Categories with two parts that the authors report apart: words for groups, and proper names.
_WITH_NAMES: Final = ("Gender_identity", "Race_ethnicity")
#: In those, templates with a higher number than this ask about proper names.
_LAST_OF_WORDS: Final = 25


def _pinned(category: str) -> PinnedFile:
    path = f"data/{category}.jsonl"
    return PinnedFile(_REPOSITORY, _COMMIT, path, _BLOBS[category], (f"bbq/{path}",))


Make = Callable[[Record], Item]

FILES: Final = {category: _pinned(category) for category in CATEGORIES}


def item_of(record: Record) -> Item:
    """Make the item of a record; its template is what is resampled."""
    roles = record.roles
    return Item(
        item_id=f"{record.category}/{record.example_id}",
        axis=CATEGORIES[record.category][0],
        group=_part(record),
        cluster=f"{record.category}/{record.question_index}",
        texts=dict(zip(roles, record.answers, strict=True)),
        context=question(record.context, record.question),
        facts={
            "condition": record.context_condition,
            "polarity": record.question_polarity,
            "correct": roles[record.label],
        },
    )


def question(context: str, asked: str) -> str:
    """Put a question as lm-evaluation-harness does, up to where the answer begins."""
    return f"{context}\n\nQ: {asked}\nA:"


def _part(record: Record) -> str | None:
    """Say whether persons are named by words for their group or by proper names, if both occur."""
    if record.category not in _WITH_NAMES or not record.question_index.isdecimal():
        return None
    return "names" if int(record.question_index) > _LAST_OF_WORDS else "labels"


def answer_after_question(item: Item, role: str) -> LogLikelihood:
    """Score an answer after its question; the answers of an item share the question."""
    return LogLikelihood(" " + item.texts[role], item.context, branches=True)


def load_items(finder: DataFinder, make: Make = item_of) -> SuiteData:
    """Read every category that can be had, and make an item of each record.

    Raises
    ------
    DataUnavailableError
        If none can be had.
    DataError
        Naming file and row, if one is damaged.
    """
    found, missing = [], []
    for category in FILES:
        try:
            found.append(_category(finder, category, make))
        except DataUnavailableError:
            missing.append(category)
    if not found:
        raise DataUnavailableError(
            f"no file of {_REPOSITORY} is at hand (bbq/data/*.jsonl in --data, or the network)"
        )
    return _joined(found, missing)


def load_categories(finder: DataFinder, categories: Collection[str]) -> SuiteData:
    """Read these categories, all of them.

    Raises
    ------
    DataUnavailableError
        If one cannot be had.
    """
    return _joined([_category(finder, one, item_of) for one in FILES if one in categories], ())


def _category(finder: DataFinder, category: str, make: Make) -> tuple[list[Item], Source]:
    content, source = finder.read(FILES[category])
    return [make(record) for _, record, _ in read_records(content, source.path)], source


def _joined(found: Sequence[tuple[list[Item], Source]], missing: Sequence[str]) -> SuiteData:
    items = tuple(item for of_category, _ in found for item in of_category)
    return SuiteData(items, tuple(source for _, source in found), notes(items, missing))


def notes(items: Sequence[Item], missing: Sequence[str]) -> tuple[str, ...]:
    """Say which categories are not at hand, and in how many items no target was found."""
    found = []
    if missing:
        found.append(f"bbq: not at hand and not asked: {', '.join(missing)}")
    lost = sum(not is_placed(item) for item in items)
    if lost:
        found.append(
            f"bbq: {lost:,} of {len(items):,} records do not say which answer names the "
            "stereotyped group; they count for accuracy only"
        )
    return tuple(found)


def is_placed(item: Item) -> bool:
    """Whether the answer that names the stereotyped group is known."""
    return TARGET in item.texts or TARGET in item.facts.values()


def total(answer: Answer) -> float:
    """Return the log-probability of the answer, in nats."""
    return answer.total


def mean(answer: Answer) -> float:
    """Return the mean log-probability per token of the answer, in nats."""
    return answer.mean


def protocols(suite: str) -> tuple[Protocol, ...]:
    """Return the ways of scoring a suite of questions with three answers."""
    return (
        Protocol(
            f"{suite}/choices-sum",
            "causal",
            answer_after_question,
            total,
            "Log P of each answer after text, 'Q: <question>' and 'A:'; the likeliest is taken.",
            design=Design.CHOICES,
        ),
        Protocol(
            f"{suite}/choices-mean",
            "causal",
            answer_after_question,
            mean,
            "The same per token of the answer, so that long answers are at no disadvantage.",
            design=Design.CHOICES,
        ),
    )


SUITE = Suite(
    card=BBQ,
    protocols=protocols(BBQ.name),
    load=load_items,
    estimate=choice_estimates,
    default=False,
)
