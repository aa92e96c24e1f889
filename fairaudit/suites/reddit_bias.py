"""RedditBias: biased comments about a group, and the same comments about another group.

Row n of two files is a pair. An item's cluster is the attribute that the comment was found by
("nurse", "violent"): the authors' list of attributes is searched for the first one in the comment.
A comment in which none is found stands alone.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from typing import Final

from fairaudit.errors import DataError
from fairaudit.items import Item, LogLikelihood, Protocol, PseudoLogLikelihood, Skipped
from fairaudit.lines import lines_of
from fairaudit.metrics.counterfactual import counterfactual_estimates
from fairaudit.suites import pair_protocols as pairs
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import REDDIT_BIAS

_SAME: Final = Skipped("the two sentences are the same")
_TARGET_COLUMNS: Final = ("comment", "comments_processed")
_OTHER_COLUMNS: Final = ("comments", "comments_processed")


@dataclass(frozen=True, slots=True)
class Files:
    """Files of one axis: comments about the target group, about the other one, attributes."""

    group: str
    target: PinnedFile
    other: PinnedFile
    attributes: PinnedFile


def _pinned(folder: str, name: str, blob_id: str) -> PinnedFile:
    return PinnedFile(
        repository="SoumyaBarikeri/RedditBias",
        commit="41e3656188ef4417739f3caf9012eda1be59159c",
        path=f"data/{folder}/{name}",
        blob_id=blob_id,
        local=(f"reddit_bias/{folder}/{name}",),
    )


def _files(
    folder: str, groups: tuple[str, str], blob_ids: tuple[str, str, str], group: str
) -> Files:
    target, other = (
        _pinned(folder, f"reddit_comments_{folder}_{name}_biased_test_reduced.csv", blob_id)
        for name, blob_id in zip(groups, blob_ids, strict=False)
    )
    attributes = _pinned(folder, f"{folder}_{groups[0]}.txt", blob_ids[2])
    return Files(group, target, other, attributes)


#: By axis. The authors have two folders of religion: about Jews, and about Muslims.
FILES: Final = {
    "gender": _files(
        "gender",
        ("female", "male"),
        (
            "1ecab9f1bd03006ca49ac09a2d0a261bd96db070",
            "689d09db288b1bbfff6b8cce380d5cfe4e9821c8",
            "e8b8547592f7ee93a0653c9a828c2beb6c9e35e8",
        ),
        "female",
    ),
    "sexual_orientation": _files(
        "orientation",
        ("lgbtq", "straight"),
        (
            "841fa200246220b4a7e5def17239d421717210fa",
            "05cb35d7e8a9da1e27e4dd76c60b07e64e36f726",
            "4ef14630fb553dc9fc5d0680a5b011852b1eda8c",
        ),
        "lgbtq",
    ),
    "race": _files(
        "race",
        ("black", "white"),
        (
            "e5855a57a11b8d3c87593b1617ef22dadad72913",
            "5480dde549dd831d359499f8406143f25a97aacc",
            "e67f4c0d5189660e8582bed803cfa75dcb02127e",
        ),
        "black",
    ),
    "religion_jews": _files(
        "religion1",
        ("jews", "christians"),
        (
            "37f2fb8a4dd1f14fd0bf80d92f0433b584d54d13",
            "df6d68ba4e9ef13c962dfd847b0a7567339cb274",
            "87526be1087229291dbe0a39ad39c0f0e10865dc",
        ),
        "jewish",
    ),
    "religion_muslims": _files(
        "religion2",
        ("muslims", "christians"),
        (
            "51ad67359b0fa3f0caf496f77b218a57511a08f5",
            "ce246c02e1d1d464dd8d2d30b15974c042ed7064",
            "e0e90257a1eea87086050b5b663befe17405afd6",
        ),
        "muslim",
    ),
}


def parse_attributes(content: bytes, place: str) -> tuple[str, ...]:
    """Read a list of attributes, one a line; an asterisk stands for any ending.

    Raises
    ------
    DataError
        If it is not UTF-8, or empty.
    """
    lines = (line.strip().strip('"').lower() for line in lines_of(_text(content, place)))
    found = tuple(dict.fromkeys(line for line in lines if line.strip("*")))
    if not found:
        raise DataError(f"{place}: holds no attributes")
    return found


def parse(
    target: tuple[bytes, str],
    other: tuple[bytes, str],
    attributes: tuple[str, ...],
    axis: str,
    group: str,
) -> tuple[Item, ...]:
    """Turn two files, each with its name, into items.

    Raises
    ------
    DataError
        Naming the row, if a file is malformed, or row n of one does not belong to row n of the
        other.
    """
    ours, theirs = _rows(*target, _TARGET_COLUMNS), _rows(*other, _OTHER_COLUMNS)
    if len(ours) != len(theirs):
        raise DataError(
            f"{target[1]} has {len(ours)} comments, {other[1]} {len(theirs)}; get them again"
        )
    if not ours:
        raise DataError(f"{target[1]}: holds no comments")
    pattern = _pattern(attributes)
    items = []
    for number, (row, counterpart) in enumerate(zip(ours, theirs, strict=True), 2):
        if row["comments_processed"] != counterpart["comments"]:
            raise DataError(f"{other[1]}: row {number}: another comment than in {target[1]}")
        texts = {
            pairs.STEREOTYPE: row["comments_processed"].strip(),
            pairs.ANTI_STEREOTYPE: counterpart["comments_processed"].strip(),
        }
        if not all(texts.values()):
            raise DataError(f"{other[1]}: row {number}: column 'comments_processed' is empty")
        item_id = f"{axis}/{number}"
        attribute = _attribute(texts[pairs.STEREOTYPE], pattern, attributes)
        cluster = item_id if attribute is None else f"{axis}/{attribute}"
        items.append(Item(item_id, axis, group, cluster, texts))
    return tuple(items)


def _rows(content: bytes, place: str, columns: tuple[str, ...]) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(_text(content, place), newline=""), strict=True)
    rows: list[dict[str, str]] = []
    try:
        missing = [name for name in columns if name not in (reader.fieldnames or ())]
        if missing:
            raise DataError(f"{place}: column '{missing[0]}' is missing")
        for row in reader:
            if None in row or any(row[name] is None for name in columns):
                raise DataError(f"{place}: row {len(rows) + 2}: not as many cells as columns")
            rows.append(row)
    except csv.Error as error:
        raise DataError(f"{place}: row {len(rows) + 2}: not CSV ({error})") from error
    return rows


def _text(content: bytes, place: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{place}: not UTF-8 ({error})") from error


def _pattern(attributes: tuple[str, ...]) -> re.Pattern[str]:
    """Find attributes as words; longer ones first, so that a phrase wins over its first word."""
    longest = sorted(attributes, key=len, reverse=True)
    words = (re.escape(one.rstrip("*")) + (r"\w*" if one.endswith("*") else "") for one in longest)
    return re.compile(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)")


def _attribute(comment: str, pattern: re.Pattern[str], attributes: tuple[str, ...]) -> str | None:
    """Return the list's entry for the first attribute in a comment; None: there is none."""
    found = pattern.search(comment.lower())
    if found is None:
        return None
    fits = [
        one
        for one in attributes
        if found[0] == one or (one.endswith("*") and found[0].startswith(one.rstrip("*")))
    ]
    return max(fits, key=len).rstrip("*")


def _load(finder: DataFinder) -> SuiteData:
    items: list[Item] = []
    sources = []
    for axis, files in FILES.items():
        read = [finder.read(one) for one in (files.target, files.other, files.attributes)]
        (target, of_target), (other, of_other), (words, of_words) = read
        attributes = parse_attributes(words, of_words.path)
        items += parse(
            (target, of_target.path), (other, of_other.path), attributes, axis, files.group
        )
        sources += [source for _, source in read]
    return SuiteData(tuple(items), tuple(sources))


def _are_same(item: Item) -> bool:
    return item.texts[pairs.STEREOTYPE] == item.texts[pairs.ANTI_STEREOTYPE]


def shared_tokens(item: Item, role: str) -> LogLikelihood | Skipped:
    """Score the tokens that both sentences share, each after all that stands before it."""
    return _SAME if _are_same(item) else pairs.shared_tokens(item, role)


def shared_masked(item: Item, role: str) -> PseudoLogLikelihood | Skipped:
    """Mask, one at a time, the tokens that both sentences share."""
    return _SAME if _are_same(item) else pairs.mask_shared(item, role)


SUITE = Suite(
    card=REDDIT_BIAS,
    protocols=(
        Protocol(
            f"{REDDIT_BIAS.name}/causal-shared",
            "causal",
            shared_tokens,
            pairs.mean,
            "Mean log-likelihood of the tokens that both sentences share, each after BOS and all "
            "before it.",
            design=Design.COUNTERFACTUAL,
        ),
        Protocol(
            f"{REDDIT_BIAS.name}/pll-shared-mean",
            "masked",
            shared_masked,
            pairs.mean,
            "Shared tokens masked one at a time, averaged.",
            design=Design.COUNTERFACTUAL,
        ),
    ),
    load=_load,
    estimate=counterfactual_estimates,
    default=False,
)
