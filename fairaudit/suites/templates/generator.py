"""Turn the template files into items: pairs of sentences that differ in one group term.

Each axis has one TOML file with *pairs* of groups with their terms, and *clusters* (occupations or
attributes), each listed under the group that the stereotype ties it to. Its *frames* (sentences
with gaps) stand there too or, for the smaller axes, in ``frames.toml``.
A frame has the gap ``{who}`` and, somewhere after it, a gap for the cluster; the
subject that fills ``{who}`` ends in, or contains, the group term. All words after the term are
the same in both texts of an item, so that log P(words | term) can be compared.

Which cluster meets which frame is an incomplete block design: with F frames and F clusters, the
cluster at position i meets the frames (i + t) mod F, where t runs through the first distinct
triangular numbers 0, 1, 3, 6, 10, ... modulo F. Every frame then meets equally many clusters, and
two clusters share few frames. The two sides of a pair of groups take turns in the positions, and
the triangular numbers used are half even and half odd, so each frame meets equally many clusters
of both sides, too: a model that merely prefers one term of a pair prefers the stereotype in half
of the items.

Control items fill the same frames with a subject that names no group: a floor, a colour, a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from typing import Any

from fairaudit.items import Item
from fairaudit.parsing import parse_toml
from fairaudit.vocabulary.suites import TEMPLATES


@dataclass(frozen=True, slots=True)
class ProbeText:
    """One paragraph of plain prose that names no group; perplexity is measured on it.

    Parameters
    ----------
    id : str
        Its topic, unique; each paragraph is a cluster of its own.
    text : str
        The paragraph on one line.
    """

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Frame:
    """A sentence with gaps.

    Parameters
    ----------
    id : str
        ``<axis>/<key in the file>``: unique over all axes.
    text : str
        The sentence, with ``{who}`` before the gap for the cluster.
    who, control : str
        What fills ``{who}``: a subject with a gap for the group term, or for a word that names
        no group.
    """

    id: str
    text: str
    who: str
    control: str


@dataclass(frozen=True, slots=True)
class Cluster:
    """An occupation or attribute, with the pair of groups that it is used to compare.

    Parameters
    ----------
    name : str
        Unique over all axes.
    group, other_group : str
        The group that the stereotype ties it to, and the one it is compared with.
    pair : str
        Both groups in the order of the file, the same for both sides.
    terms, other_terms : mapping of str to str
        Gap to group term, for ``group`` and for ``other_group``.
    forms : mapping of str to str
        Gap to words: the inflected attribute, or the occupation with and without article.
    facts : mapping of str to str or float
        What the items say about it beyond the groups.
    """

    name: str
    group: str
    other_group: str
    pair: str
    terms: Mapping[str, str]
    other_terms: Mapping[str, str]
    forms: Mapping[str, str]
    facts: Mapping[str, str | float]


def load_templates() -> tuple[Item, ...]:
    """All items, always in the same order: by axis the group pairs, then the control pairs.

    Returns
    -------
    tuple of Item
        Pairs of all axes; the cluster is the occupation or attribute.
    """
    return tuple(chain.from_iterable(_axis_items(axis) for axis in TEMPLATES.axes))


def load_probe() -> tuple[ProbeText, ...]:
    """Paragraphs of neutral prose for the capability score."""
    paragraphs = _read("probe.toml")["paragraphs"]
    return tuple(ProbeText(key, " ".join(text.split())) for key, text in paragraphs.items())


def template_files() -> tuple[tuple[str, bytes], ...]:
    """Name and bytes of every data file, sorted by name, for hashing.

    Returns
    -------
    tuple of (str, bytes)
        Name and content of each.
    """
    folder = files(__package__)
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".toml"))
    return tuple((name, folder.joinpath(name).read_bytes()) for name in names)


def offsets(n_frames: int, count: int) -> tuple[int, ...]:
    """First ``count`` distinct triangular numbers modulo ``n_frames``.

    Raises
    ------
    ValueError
        If there are not that many: the block design needs another number of frames.
    """
    # Triangular numbers modulo n repeat with a period of at most 2n.
    residues = tuple(dict.fromkeys(k * (k + 1) // 2 % n_frames for k in range(2 * n_frames)))
    if count > len(residues):
        raise ValueError(f"no {count} distinct triangular numbers modulo {n_frames}")
    return residues[:count]


def _read(name: str) -> dict[str, Any]:
    return parse_toml(files(__package__).joinpath(name).read_text(encoding="utf-8"))


def _axis_items(axis: str) -> Iterator[Item]:
    data = _read("frames.toml") | _read(f"{axis}.toml")
    clusters = _clusters(data["pairs"])
    frames = _frames(axis, data["frames"])[: len(clusters)]
    shifts = offsets(len(frames), data["frames_per_cluster"])
    for position, cluster in enumerate(clusters):
        for shift in shifts:
            yield _identity_item(axis, frames[(position + shift) % len(frames)], cluster)
    for position, cluster in enumerate(clusters):
        for shift in shifts[: data["controls_per_cluster"]]:
            frame = frames[(position + shift) % len(frames)]
            yield _control_item(axis, frame, cluster, data["contrasts"])


def _frames(axis: str, table: Mapping[str, Mapping[str, str]]) -> tuple[Frame, ...]:
    return tuple(Frame(f"{axis}/{key}", **gaps) for key, gaps in table.items())


def _clusters(pairs: list[dict[str, Any]]) -> tuple[Cluster, ...]:
    """Clusters of all pairs; within a pair the two sides take turns."""
    verbs = _read("verbs.toml")["verbs"]
    return tuple(chain.from_iterable(_pair_clusters(pair, verbs) for pair in pairs))


def _pair_clusters(pair: Mapping[str, Any], verbs: Mapping[str, list[str]]) -> Iterator[Cluster]:
    sides = [_side(pair, index, verbs) for index in (0, 1)]
    return chain.from_iterable(zip(*sides, strict=True))


def _side(pair: Mapping[str, Any], index: int, verbs: Mapping[str, list[str]]) -> Iterator[Cluster]:
    groups: list[str] = pair["groups"]
    group, other_group = groups[index], groups[1 - index]
    for name, entry in pair["clusters"][group].items():
        forms, facts = (
            _attribute(entry, verbs) if isinstance(entry, str) else _occupation(name, entry)
        )
        yield Cluster(
            name=name,
            group=group,
            other_group=other_group,
            pair="/".join(groups),
            terms={gap: words[index] for gap, words in pair["terms"].items()},
            other_terms={gap: words[1 - index] for gap, words in pair["terms"].items()},
            forms=forms,
            facts=facts,
        )


def _attribute(
    phrase: str, verbs: Mapping[str, list[str]]
) -> tuple[dict[str, str], dict[str, str | float]]:
    """Inflect an infinitive: ``be lazy`` -> ``is lazy``, ``are lazy``, ``being lazy``."""
    verb, rest = phrase.split(" ", 1)
    singular, plural, gerund = (f"{form} {rest}" for form in verbs[verb])
    forms = {"infinitive": phrase, "singular": singular, "plural": plural, "gerund": gerund}
    return forms, {}


def _occupation(
    name: str, entry: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, str | float]]:
    with_article: str = entry["text"]
    forms = {"a_job": with_article, "job": with_article.split(" ", 1)[1]}
    return forms, {"occupation": name, "share_female": float(entry["share_female"])}


def _identity_item(axis: str, frame: Frame, cluster: Cluster) -> Item:
    facts = {
        "template": frame.id,
        "pair": cluster.pair,
        "other_group": cluster.other_group,
        **cluster.facts,
    }
    return Item(
        item_id=f"{axis}/{cluster.name}/{_key(frame)}",
        axis=axis,
        group=cluster.group,
        cluster=cluster.name,
        texts={
            "stereotype": _sentence(frame, frame.who.format_map(cluster.terms), cluster),
            "anti_stereotype": _sentence(frame, frame.who.format_map(cluster.other_terms), cluster),
        },
        facts=facts,
    )


def _control_item(
    axis: str, frame: Frame, cluster: Cluster, contrasts: Mapping[str, list[str]]
) -> Item:
    first, second = (
        frame.control.format_map({gap: words[index] for gap, words in contrasts.items()})
        for index in (0, 1)
    )
    return Item(
        item_id=f"{axis}/control/{cluster.name}/{_key(frame)}",
        axis=axis,
        group=None,
        cluster=cluster.name,
        texts={
            "control_a": _sentence(frame, first, cluster),
            "control_b": _sentence(frame, second, cluster),
        },
        facts={"template": frame.id},
    )


def _sentence(frame: Frame, who: str, cluster: Cluster) -> str:
    text = frame.text.format_map({"who": who, **cluster.forms})
    return text[0].upper() + text[1:]


def _key(frame: Frame) -> str:
    return frame.id.rpartition("/")[2]
