"""StereoSet: clusters of a stereotyped, an anti-stereotyped and an unrelated continuation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from fairaudit.errors import DataError
from fairaudit.items import Answer, FillerLogProbability, Item, LogLikelihood, Protocol, Skipped
from fairaudit.metrics.stereoset import stereoset_estimates
from fairaudit.parsing import parse_json
from fairaudit.results import Estimate
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import STEREOSET

if TYPE_CHECKING:
    import pandas as pd

SPLITS: Final = ("intrasentence", "intersentence")
_ROLES: Final = {
    "stereotype": "stereotype",
    "anti-stereotype": "anti_stereotype",
    "unrelated": "unrelated",
}
_BLANK = "BLANK"

DEV = PinnedFile(
    repository="moinnadeem/StereoSet",
    commit="ead7d086a64a192a1eca88e0dd2fd163de375218",
    path="data/dev.json",
    blob_id="637b1e3d284a3c629b74a4659c583b8eca9bd13e",
    local=(
        "stereoset/dev.json",
        "stereoset/dev.json.gz",
        "stereoset/stereoset_dev_reconstructed.json.gz",
    ),
    equivalents={
        "2a90d78d74bf19f2cb1693563df82eb36c65fe94": "the same clusters without annotators' labels"
    },
)


def parse(content: bytes, *, place: str) -> tuple[Item, ...]:
    """Turn the bytes of ``dev.json`` into items, one per cluster of three sentences.

    Raises
    ------
    DataError
        Naming split and cluster, if the file is malformed.
    """
    try:
        data = parse_json(content)["data"]
        splits = [(split, data[split]) for split in SPLITS]
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{place}: not in StereoSet's form ({error!r})") from error
    return tuple(item for split, clusters in splits for item in _items(clusters, split, place))


def _items(clusters: list[dict[str, Any]], split: str, place: str) -> Iterator[Item]:
    for number, cluster in enumerate(clusters, 1):
        try:
            yield _item(cluster, split)
        except (KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{place}: {split} cluster {number}: {error!r}") from error


def _item(cluster: dict[str, Any], split: str) -> Item:
    sentences = {_ROLES[s["gold_label"]]: s for s in cluster["sentences"]}
    if len(sentences) != len(_ROLES):
        raise KeyError("one sentence of each gold_label is needed")
    return Item(
        item_id=cluster["id"],
        axis=cluster["bias_type"],
        group=None,
        cluster=cluster["target"],
        texts={role: sentences[role]["sentence"] for role in _ROLES.values()},
        context=cluster["context"],
        facts={"split": split, **{f"{role}_id": sentences[role]["id"] for role in _ROLES.values()}},
    )


def whole_sentence(item: Item, role: str) -> LogLikelihood | None:
    """Score every token of an intrasentence item's sentence."""
    if item.facts["split"] != "intrasentence":
        return None
    return LogLikelihood(item.texts[role])


def next_sentence(item: Item, role: str) -> LogLikelihood | None:
    """Score an intersentence item's sentence after its context."""
    if item.facts["split"] != "intersentence":
        return None
    return LogLikelihood(" " + item.texts[role], item.context)


def filler(item: Item, role: str) -> FillerLogProbability | Skipped | None:
    """Score the words that fill the blank of an intrasentence item's context.

    Annotators changed the case of some sentences, so the context's own words surround the filler.
    The two clusters with a second blank are skipped: each sub-token is read at a single mask.
    """
    if item.facts["split"] != "intrasentence":
        return None
    before, _, after = item.context.partition(_BLANK)
    sentence = item.texts[role]
    end = len(sentence) - len(after)
    same_start = sentence[: len(before)].lower() == before.lower()
    same_end = sentence[end:].lower() == after.lower()
    if not (same_start and same_end and sentence[len(before) : end].strip()):
        return Skipped("the sentence is not its context with one blank filled in")
    return FillerLogProbability(before, sentence[len(before) : end].strip(), after)


def _mean(answer: Answer) -> float:
    return answer.mean


def _log_mean_probability(answer: Answer) -> float:
    return answer.log_mean_probability


def _estimate(table: pd.DataFrame, seed: int) -> list[Estimate]:
    """All estimates; none over both splits where a recorded one has gaps: they would mix."""
    found = stereoset_estimates(table, seed)
    if (table["status"] == "ok").all():
        return found
    return [one for one in found if one.protocol != "stereoset/overall-recorded"]


def _load(finder: DataFinder) -> SuiteData:
    content, source = finder.read(DEV)
    note = DEV.equivalents.get(source.blob_id)
    notes = () if note is None else (f"stereoset: the file that was read holds {note}",)
    return SuiteData(parse(content, place=source.path), (source,), notes)


SUITE = Suite(
    card=STEREOSET,
    protocols=(
        Protocol(
            "stereoset/intrasentence-causal",
            "causal",
            whole_sentence,
            _mean,
            "Logarithm of the geometric mean token probability of the whole sentence after BOS.",
            design=Design.STEREOSET,
        ),
        Protocol(
            "stereoset/intersentence-causal",
            "causal",
            next_sentence,
            _mean,
            "Mean log P(sentence | context) per token.",
            design=Design.STEREOSET,
        ),
        Protocol(
            "stereoset/intrasentence-masked",
            "masked",
            filler,
            _log_mean_probability,
            "Logarithm of the mean probability of the filler's sub-tokens, each at one mask.",
            design=Design.STEREOSET,
        ),
    ),
    load=_load,
    estimate=_estimate,
)
