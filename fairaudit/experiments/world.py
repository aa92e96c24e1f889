"""A small world whose bias is known: English-like text in which every association was planted.

A sentence about a concept (an occupation, a habit) names a group afterwards: "On Monday the nurse
was in a hurry, and she went home." The stereotype of the concept names one of two groups. With
z ~ N(0, 1), drawn once per concept, the group is the stereotyped one with log-odds

    θ = μ + τ z ± log(share / (1 − share)),

where μ is the bias of a mixture, τ its variety over concepts, and share the part of the second
group; + where the stereotype names that group. Everything else in a sentence is independent of
the group. So for a pair of sentences that differ in the group term alone,

    log P(stereotyped sentence) − log P(other sentence) = θ of its concept,

and each metric's implied value follows by enumerating the items: the mean log-odds is the mean of
θ, the preference rate the share of θ > 0.

A part of the sentences is about persons instead: "On Monday a woman shouted at the clerk." Such a
sentence ends harshly with log-odds log(harsh / (1 − harsh)) ± tone / 2, + for the second group. So
what follows "On Monday a woman" has a known mean harshness, which stands for toxicity.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Final

import numpy as np
from numpy.typing import NDArray

from fairaudit.errors import UsageError
from fairaudit.items import Item
from fairaudit.parsing import parse_toml
from fairaudit.suites.base import PROMPT

AXES: Final = ("gender", "religion", "race")
COVERED, UNCOVERED = "covered", "uncovered"


@dataclass(frozen=True, slots=True)
class Concept:
    """What a stereotype is about, and the group that it names (0 or 1)."""

    text: str
    stereotyped: int


@dataclass(frozen=True, slots=True)
class Term:
    """A pair of expressions, one for each group; ``covered``: the CDA lexicon knows it."""

    texts: tuple[str, str]
    covered: bool


@dataclass(frozen=True, slots=True)
class AxisWords:
    """The slots of the sentences of one axis."""

    groups: tuple[str, str]
    concepts: tuple[Concept, ...]
    links: tuple[str, ...]
    terms: tuple[Term, ...]
    tails: tuple[str, ...]
    persons: tuple[Term, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """All slots; openings and endings are shared, ``plain`` holds sentences that name no group."""

    openings: tuple[str, ...]
    plain: tuple[tuple[str, ...], ...]
    gentle: tuple[str, ...]
    harsh: tuple[str, ...]
    axes: Mapping[str, AxisWords]


@dataclass(frozen=True, slots=True)
class Mixture:
    """How biased a text is.

    Parameters
    ----------
    mu : float or mapping of axis to float
        Mean log-odds of the stereotype, in nats; 0: no bias on average.
    tau : float
        Standard deviation of the log-odds over concepts.
    share : mapping of axis to float
        Part of the second group (``female``, ``Muslim``, ``Black``), 0-1; default one half.
    plain : float
        Part of sentences that name no group, 0-1.
    people : float
        Part of sentences about persons, 0-1.
    harsh : float
        Part of those that end harshly where ``tone`` is 0, 0-1.
    tone : float or mapping of axis to float
        Log odds ratio, in nats, of a harsh ending for the second group against the first.
    seed : int
        Seed of z; two mixtures with one seed differ in μ, τ and shares only.
    """

    mu: float | Mapping[str, float] = 0.0
    tau: float = 1.0
    share: Mapping[str, float] = field(default_factory=dict)
    plain: float = 0.1
    people: float = 0.0
    harsh: float = 0.2
    tone: float | Mapping[str, float] = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse what is no mixture."""
        if self.tau < 0:
            raise UsageError(f"tau is a standard deviation: it cannot be {self.tau}")
        if not (self.plain >= 0 and self.people >= 0 and self.plain + self.people < 1):
            raise UsageError(
                f"the parts of plain sentences and of persons must lie in [0, 1) and leave room "
                f"for concepts, not {self.plain} and {self.people}"
            )
        if not 0 < self.harsh < 1:
            raise UsageError(f"the part of harsh endings must lie in (0, 1), not {self.harsh}")
        for value in (self.mu, self.tone):
            for axis in value if isinstance(value, Mapping) else ():
                if axis not in AXES:
                    raise UsageError(f"'{axis}' is no axis of the known world ({', '.join(AXES)})")
        for axis, share in self.share.items():
            if axis not in AXES or not 0 < share < 1:
                raise UsageError(f"share of '{axis}' must lie between 0 and 1, not {share}")

    def log_odds(self, axis: str) -> NDArray[np.float64]:
        """θ of each concept of an axis, shape [n_concepts], in the order of the words."""
        concepts = load_words().axes[axis].concepts
        rng = np.random.default_rng(np.random.SeedSequence([self.seed, AXES.index(axis)]))
        z = rng.standard_normal(len(concepts))
        mu = _on(self.mu, axis)
        share = self.share.get(axis, 0.5)
        sign = np.array([1 if concept.stereotyped == 1 else -1 for concept in concepts])
        return np.asarray(mu + self.tau * z + sign * math.log(share / (1 - share)))

    def harshness(self, axis: str) -> tuple[float, float]:
        """Probability that a sentence about a person of the first, the second group is harsh."""
        middle, half = math.log(self.harsh / (1 - self.harsh)), _on(self.tone, axis) / 2
        return _logistic(middle - half), _logistic(middle + half)


def _on(value: float | Mapping[str, float], axis: str) -> float:
    return value if isinstance(value, int | float) else value.get(axis, 0.0)


def _logistic(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))


@dataclass(frozen=True, slots=True)
class Implied:
    """Values that an ideal reader of a mixture must get, by enumeration of all items."""

    stereotype_preference_rate: float
    mean_log_odds: float


@dataclass(frozen=True, slots=True)
class ImpliedTone:
    """How harsh an ideal reader of a mixture writes after `prompts`, and how groups differ."""

    toxicity_mean: Mapping[str, float]
    toxicity_difference: float
    toxicity_ratio: float


@lru_cache(maxsize=1)
def load_words() -> Words:
    """Read the slots of the known world from the package."""
    text = resources.files("fairaudit.experiments").joinpath("world.toml").read_text("utf-8")
    content = parse_toml(text)
    return Words(
        openings=tuple(content["openings"]),
        plain=tuple(tuple(slot) for slot in content["plain"]),
        gentle=tuple(content["endings"]["gentle"]),
        harsh=tuple(content["endings"]["harsh"]),
        axes={axis: _axis_words(content["axes"][axis]) for axis in AXES},
    )


def _axis_words(content: Mapping[str, object]) -> AxisWords:
    words: dict[str, list[str]] = content  # type: ignore[assignment]
    first, second = words["groups"]
    by_group: Mapping[str, list[str]] = content["concepts"]  # type: ignore[assignment]
    return AxisWords(
        groups=(first, second),
        concepts=tuple(
            Concept(text, index)
            for index, group in enumerate((first, second))
            for text in by_group[group]
        ),
        links=tuple(words["links"]),
        terms=_terms(content["terms"], first, second),
        tails=tuple(words["tails"]),
        persons=_terms(content["persons"], first, second),
    )


def _terms(content: object, first: str, second: str) -> tuple[Term, ...]:
    terms: list[dict[str, str]] = content  # type: ignore[assignment]
    return tuple(Term((term[first], term[second]), bool(term["covered"])) for term in terms)


def sentences(mixture: Mixture, n: int, seed: int) -> list[str]:
    """Draw ``n`` sentences of a mixture; the axes are equally frequent."""
    words, rng = load_words(), np.random.default_rng(seed)
    kinds = rng.random(n)
    axes = rng.integers(len(AXES), size=n)
    log_odds = {axis: mixture.log_odds(axis) for axis in AXES}
    drawn = []
    for kind, axis in zip(kinds, (AXES[index] for index in axes), strict=True):
        if kind < mixture.plain:
            drawn.append(_plain(words, rng))
        elif kind < mixture.plain + mixture.people:
            drawn.append(_about_person(words, axis, mixture.harshness(axis), rng))
        else:
            drawn.append(_about(words, axis, log_odds[axis], rng))
    return drawn


def _plain(words: Words, rng: np.random.Generator) -> str:
    return " ".join(slot[rng.integers(len(slot))] for slot in words.plain)


def _about(words: Words, axis: str, log_odds: NDArray[np.float64], rng: np.random.Generator) -> str:
    slots = words.axes[axis]
    index = int(rng.integers(len(slots.concepts)))
    concept = slots.concepts[index]
    stereotyped = rng.random() < _logistic(log_odds[index])
    group = concept.stereotyped if stereotyped else 1 - concept.stereotyped
    return sentence(
        _pick(words.openings, rng),
        concept.text,
        _pick(slots.links, rng),
        slots.terms[rng.integers(len(slots.terms))].texts[group],
        _pick(slots.tails, rng),
    )


def _about_person(
    words: Words, axis: str, harshness: tuple[float, float], rng: np.random.Generator
) -> str:
    persons, group = words.axes[axis].persons, int(rng.integers(2))
    endings = words.harsh if rng.random() < harshness[group] else words.gentle
    person = persons[rng.integers(len(persons))].texts[group]
    return f"{_pick(words.openings, rng)} {person}{_pick(endings, rng)}"


def _pick(options: Sequence[str], rng: np.random.Generator) -> str:
    return options[int(rng.integers(len(options)))]


def sentence(opening: str, concept: str, link: str, term: str, tail: str) -> str:
    """Join the slots of a sentence about a concept."""
    return f"{opening} the {concept}{link}{term}{tail}"


def population(openings: int = 1, tails: int = 1) -> Iterator[Item]:
    """Every question one can ask: concept × link × term, with some openings and tails.

    Openings and tails say nothing about the group, so one of each is a full census of what the
    world implies; a model that has not learnt that is asked with more of them.

    Parameters
    ----------
    openings, tails : int
        How many of each, at least 1.

    Yields
    ------
    Item
        Clustered by concept; the group is ``covered`` or ``uncovered`` by the CDA lexicon. The
        unrelated sentence has its opening again where the term should be.
    """
    words = load_words()
    for axis, slots in words.axes.items():
        for concept in slots.concepts:
            for link_number, link in enumerate(slots.links):
                for term_number, term in enumerate(slots.terms):
                    for o in range(openings):
                        for t in range(tails):
                            # The wording varies over items, evenly and the same in every run.
                            place = link_number * len(slots.terms) + term_number
                            opening = words.openings[(place + 7 * o) % len(words.openings)]
                            tail = slots.tails[(place + 3 * t) % len(slots.tails)]
                            name = f"{axis}-{concept.text}-{link_number}-{term_number}-{o}-{t}"
                            first, second = concept.stereotyped, 1 - concept.stereotyped
                            yield Item(
                                item_id=name.replace(" ", "_"),
                                axis=axis,
                                group=COVERED if term.covered else UNCOVERED,
                                cluster=f"{axis}-{concept.text}",
                                texts={
                                    "stereotype": sentence(
                                        opening, concept.text, link, term.texts[first], tail
                                    ),
                                    "anti_stereotype": sentence(
                                        opening, concept.text, link, term.texts[second], tail
                                    ),
                                    "unrelated": sentence(
                                        opening, concept.text, link, opening.lower(), tail
                                    ),
                                },
                            )


def prompts() -> Iterator[Item]:
    """Beginnings of sentences about persons: opening × person, clustered by opening."""
    words = load_words()
    for axis, slots in words.axes.items():
        for number, opening in enumerate(words.openings):
            for place, person in enumerate(slots.persons):
                for group, text in zip(slots.groups, person.texts, strict=True):
                    yield Item(
                        item_id=f"{axis}-{number}-{place}-{group}",
                        axis=axis,
                        group=group,
                        cluster=f"{axis}-{number}",
                        texts={PROMPT: f"{opening} {text}"},
                    )


def implied_tone(mixture: Mixture, axis: str) -> ImpliedTone:
    """Harshness of an ideal reader after all `prompts` of an axis."""
    first, second = mixture.harshness(axis)
    groups = load_words().axes[axis].groups
    by_group = dict(zip(groups, (first, second), strict=True))
    return ImpliedTone(by_group, second - first, second / first)


def implied(mixture: Mixture, axis: str) -> Implied:
    """Values of an ideal reader on the whole `population` of an axis."""
    theta = mixture.log_odds(axis)
    preferred = (theta > 0) + 0.5 * (theta == 0)
    return Implied(float(preferred.mean()), float(theta.mean()))
