"""SEAT and WEAT: association tests on embeddings of sentences and words. Legacy, off by default.

The tests that are about people; those about flowers and instruments are left out. A test has two
sets of targets, X and Y, and two of attributes, A and B; the stereotype ties X to A.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache, partial
from typing import Final, Literal

from fairaudit.errors import DataError
from fairaudit.items import Answer, Association, Item, Protocol
from fairaudit.metrics.weat import weat_estimates
from fairaudit.parsing import parse_json
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, PinnedFile
from fairaudit.vocabulary.suites import SEAT

Pooling = Literal["mean", "first", "last"]

_SENT_BIAS: Final = ("W4ngatang/sent-bias", "e3559fb669ca4832743b42fee715994c15c7f1af")
_BIAS_BENCH: Final = ("McGill-NLP/bias-bench", "291426aab926f78ecfc7bd040b531429ee8123e0")
#: Axis and Git blob id of each test; ``sent-`` marks sentences, the others are words.
_TESTS: Final = {
    "weat3": ("race", "0f3cf93b9e912f859f4f96ba69b1203ba828ff9d"),
    "sent-weat3": ("race", "024aae534ded806545ae5988ccd5776e2c61ceec"),
    "weat3b": ("race", "fe4ebda942b8b2fd7a355257711bab04512add38"),
    "sent-weat3b": ("race", "dee8200effc84af8fa2d99364096df307e8e74ab"),
    "weat4": ("race", "474c638b7af31c8f09604e8d69526de42ea5e241"),
    "sent-weat4": ("race", "bc39588cb8335e91fe0639a7765bbdd5a87a1006"),
    "weat5": ("race", "cc1cda4076507916d7d88c907cd13f6ab71333dd"),
    "sent-weat5": ("race", "e23c1d47df1b2b8dcaa3b12474225c0215d0e681"),
    "weat5b": ("race", "195ed24c2134ebf77d08d2623e8549f8838106be"),
    "sent-weat5b": ("race", "3f23e4111ce2fa810fb771b4552a296725e16eb6"),
    "weat6": ("gender", "4aa31fd52cb2c2deed052a6ff5bf0088a0a7946c"),
    "sent-weat6": ("gender", "c660180fc6a9dc0fc1728bbc751c1f44aa4e48b8"),
    "weat6b": ("gender", "9f553a9140744fc16e583a9544b43aca6147cc30"),
    "sent-weat6b": ("gender", "154ccd578c838e0dc164a1a6b3838b1b3666a75f"),
    "weat7": ("gender", "e2f0d3e435d5c10925628c2fda790ff238b1f9f4"),
    "sent-weat7": ("gender", "1e08adae409745390516084f8b2bdd041a4d4359"),
    "weat7b": ("gender", "29d23060ad65b846abd92171513c85ace9f858f0"),
    "sent-weat7b": ("gender", "89550cf58ba94a61fdb29ec3e445de13cfb2c002"),
    "weat8": ("gender", "1137bc74c27665ed066d43cba7b4031e56dda2c9"),
    "sent-weat8": ("gender", "5f8117507cdd93b09016612a06e6be4fe163310c"),
    "weat8b": ("gender", "5da56c98e43c35c72b6969e423c8a2e253a605a9"),
    "sent-weat8b": ("gender", "4ce2f157faa2289af93a33884a4fab4d5bed4c41"),
    "weat9": ("disability", "af4216d0d2c22f1083f9a98264ab0ecfa48f9b53"),
    "sent-weat9": ("disability", "3d209b756889856ce20f4fc9e50c433e56136487"),
    "weat10": ("age", "42dd8dceb333287b9b8f0afc446243cedab31d08"),
    "sent-weat10": ("age", "90378f3b3801568a12b55faac43a0484585a2133"),
    "angry_black_woman_stereotype": ("race", "6554ac9adb262573410533208ed673d74fcac25f"),
    "sent-angry_black_woman_stereotype": ("race", "0cd59355397684a2000429bd99d15533187bf8fc"),
    "angry_black_woman_stereotype_b": ("race", "152825821fa0b45b7ab424618771d4135ce47e9d"),
    "sent-angry_black_woman_stereotype_b": ("race", "045bd494d096a178483589f1da0998f23bf547a5"),
    "heilman_double_bind_competent_one_word": (
        "gender",
        "dc38c3caedb3ff8ae8946a9dc5e80e6985161835",
    ),
    "sent-heilman_double_bind_competent_one_word": (
        "gender",
        "369208919a56e4cfe2ba6e67f9b2a4aa502cde3c",
    ),
    "heilman_double_bind_likable_one_word": ("gender", "ecaebc6273105bb00d18604a552cff18f80ba95c"),
    "sent-heilman_double_bind_likable_one_word": (
        "gender",
        "985c7bb9f76c15993e16e56bc84a6926ca0b32a2",
    ),
}
_RELIGION_TESTS: Final = {
    "sent-religion1": "549a625d3a83576bfc4715b65edd55aed9a7c4de",
    "sent-religion1b": "33791636afe29ef81654b9e2c27e298225cadb40",
    "sent-religion2": "ea82183c2824aab39d97270cf0ae2d20cf0b3f70",
    "sent-religion2b": "de8a9355fec387cdea281ca1e4c0621c9d0dca84",
}
_SETS: Final = ("targ1", "targ2", "attr1", "attr2")
TARGET: Final = "target"
#: What separates the texts of a set of attributes in an item; no text holds a line break.
_BREAK: Final = "\n"


def _pinned(test: str, origin: tuple[str, str], folders: tuple[str, str], blob: str) -> PinnedFile:
    name = f"{test}.jsonl"
    theirs, ours = folders
    return PinnedFile(*origin, f"{theirs}/{name}", blob, (f"seat_weat/{ours}/{name}",))


FILES: Final = {
    test: (axis, _pinned(test, _SENT_BIAS, ("tests", "tests"), blob))
    for test, (axis, blob) in _TESTS.items()
} | {
    test: ("religion", _pinned(test, _BIAS_BENCH, ("data/seat", "bias_bench_religion"), blob))
    for test, blob in _RELIGION_TESTS.items()
}


def parse(content: bytes, test: str, axis: str, place: str) -> Iterator[Item]:
    """Turn the bytes of a test into items, one for each target text.

    Raises
    ------
    DataError
        If the file is malformed.
    """
    try:
        sets = parse_json(content)
        texts = {name: [str(text) for text in sets[name]["examples"]] for name in _SETS}
        names = {name: str(sets[name]["category"]) for name in _SETS}
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{place}: no association test ({error!r})") from error
    if not all(texts.values()) or any(_BREAK in text for one in texts.values() for text in one):
        raise DataError(f"{place}: a set of texts is empty, or a text has more than one line")
    by_set = dict(zip("XYAB", texts.values(), strict=True))
    yield from items_of_test(test, axis, by_set, {"X": names["targ1"], "Y": names["targ2"]})


def items_of_test(
    test: str,
    axis: str,
    sets: Mapping[str, Sequence[str]],
    groups: Mapping[str, str] | None = None,
) -> Iterator[Item]:
    """Make the items of a test, one for each target text.

    Parameters
    ----------
    test, axis : str
        Its name, and what it is about.
    sets : mapping of str to sequence of str
        Targets ``X`` and ``Y``, attributes ``A`` and ``B``; no text has more than one line.
    groups : mapping of str to str, optional
        Whom the targets are about, by set.
    """
    near, far = (_BREAK.join(sets[name]) for name in "AB")
    for side in "XY":
        for number, text in enumerate(sets[side], 1):
            yield Item(
                item_id=f"{test}/{side}/{number}",
                axis=axis,
                group=None if groups is None else groups[side],
                cluster=test,
                texts={TARGET: text, "near": near, "far": far},
                facts={"test": test, "side": side},
            )


def _load(finder: DataFinder) -> SuiteData:
    items: list[Item] = []
    sources = []
    for test, (axis, pinned) in FILES.items():
        content, source = finder.read(pinned)
        items.extend(parse(content, test, axis, source.path))
        sources.append(source)
    return SuiteData(tuple(items), tuple(sources))


def _association(item: Item, role: str, *, pooling: Pooling) -> Association | None:
    if role != TARGET:
        return None
    near, far = (_attributes(item.texts[name]) for name in ("near", "far"))
    return Association(item.texts[TARGET], near, far, pooling)


@cache
def _attributes(joined: str) -> tuple[str, ...]:
    """Texts of a set of attributes, the same object for all targets of a test."""
    return tuple(joined.split(_BREAK))


def _value(answer: Answer) -> float:
    assert answer.value is not None
    return answer.value


def protocols(suite: str) -> tuple[Protocol, ...]:
    """Return the protocols of a suite of association tests."""
    return (
        _protocol(f"{suite}/mean-causal", "causal", "mean", "the mean over all tokens"),
        _protocol(f"{suite}/last-causal", "causal", "last", "the last token"),
        _protocol(f"{suite}/mean-masked", "masked", "mean", "the mean over all tokens"),
        _protocol(f"{suite}/first-masked", "masked", "first", "the first token"),
    )


def _protocol(id: str, kind: Literal["causal", "masked"], pooling: Pooling, what: str) -> Protocol:
    return Protocol(
        id,
        kind,
        partial(_association, pooling=pooling),
        _value,
        f"Cosines of embeddings: {what} of the last layer (May et al. 2019).",
    )


SUITE = Suite(
    card=SEAT,
    protocols=protocols(SEAT.name),
    load=_load,
    estimate=weat_estimates,
    default=False,
)
