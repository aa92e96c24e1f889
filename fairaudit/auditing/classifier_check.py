"""What a text classifier makes of the same sentences about different groups.

A classifier that calls group words toxic makes the gap that it reports. So every classifier that
scores an audit's texts is asked about the library's own sentences: the templates, where an item is
the same sentence about two groups, and the neutral openings of the toxicity suite, which say
nothing bad about anybody. What it says is kept in the cache by its fingerprint.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from fairaudit.durable import replaced_when_whole
from fairaudit.errors import DataError
from fairaudit.items import Continuation, Item, Skipped
from fairaudit.metrics.classifier import (
    NO_GROUP,
    Sentence,
    SentencePair,
    calibration,
    calibration_estimate,
    flag_measurements,
    gap_measurements,
    labelled_measurements,
)
from fairaudit.metrics.families import with_adjusted_p
from fairaudit.metrics.sample_estimates import Slice, estimates
from fairaudit.parsing import parse_json
from fairaudit.results import Estimate
from fairaudit.results.classifier import CalibrationBin, ClassifierCheck
from fairaudit.results.digest import is_intact, sealed_json
from fairaudit.results.reference import reference_of
from fairaudit.suites.data import cache_folder
from fairaudit.suites.prompts.loader import load_prompts, prompt_file
from fairaudit.suites.templates.generator import load_templates, template_files
from fairaudit.versions import versions_of
from fairaudit.vocabulary.cautions import CLASSIFIER_GAP
from fairaudit.vocabulary.suites import TEMPLATES

if TYPE_CHECKING:
    from fairaudit.scoring.texts.base import TextScorer
    from fairaudit.scoring.texts.classifier import Classifier

logger = logging.getLogger(__name__)

#: Templates of each pair of groups that are asked by default, and of each axis that name nobody.
PER_PAIR: Final = 40
OPENINGS: Final = "openings"
LABELLED: Final = "labelled"
_ROLES: Final = ("stereotype", "anti_stereotype")


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text with what people said of it; ``group`` is whom it is about, where that is known."""

    text: str
    labelled: bool
    group: str | None = None


def check_classifier(
    classifier: Classifier,
    labelled: Sequence[LabelledText] = (),
    *,
    full: bool = False,
    seed: int = 0,
) -> ClassifierCheck:
    """Ask a classifier about the library's sentences, and about labelled texts where given.

    Parameters
    ----------
    classifier : Classifier
        It must read texts as they are, with nothing masked.
    labelled : sequence of LabelledText
        Texts that people labelled.
    full : bool
        All templates, not a sample of each pair of groups.
    seed : int
        Seed of the bootstrap; which templates are asked does not depend on it.

    Raises
    ------
    DataError
        If it gives no number for a sentence, or none of its labels says something bad of a text.
    """
    label = classifier.judging
    if label is None:
        raise DataError(f"{classifier.id}: none of its labels says something bad of a text")
    protocol = f"{TEMPLATES.name}/{classifier.id}"
    pairs, others = templates(None if full else PER_PAIR)
    scored = _scored(classifier, label, [*(one for pair in pairs for one in pair), *others])
    measured = [
        *flag_measurements(TEMPLATES.name, protocol, scored),
        *gap_measurements(TEMPLATES.name, protocol, _gaps(pairs, scored)),
    ]
    protocol, pairs = f"{OPENINGS}/{classifier.id}", openings()
    scored = _scored(classifier, label, [one for pair in pairs for one in pair])
    measured += flag_measurements(OPENINGS, protocol, scored)
    measured += gap_measurements(OPENINGS, protocol, _gaps(pairs, scored))
    bins: tuple[CalibrationBin, ...] = ()
    found = list(with_adjusted_p(estimates(measured, seed)))
    if labelled:
        on_labels, bins = _on_labels(classifier, label, labelled, seed)
        found += on_labels
    return ClassifierCheck(
        classifier=classifier.id,
        label=label,
        estimates=tuple(found),
        calibration=bins,
        n_truncated=classifier.n_truncated,
        seed=seed,
        versions=versions_of("torch", "transformers"),
    )


def checks_of(
    scorers: Iterable[TextScorer], seed: int
) -> tuple[dict[str, ClassifierCheck], list[str]]:
    """Check every classifier among text scorers; returns checks by its id, and what to say."""
    checks: dict[str, ClassifierCheck] = {}
    notes: list[str] = []
    for scorer in {one.id: one for one in scorers}.values():
        # Lexicons count words: what they make of a group is known.
        unmasked = getattr(scorer, "unmasked", None)
        if unmasked is None:
            continue
        try:
            checks[scorer.id] = kept_check(unmasked(), seed=seed)
            notes.append(gap_note(checks[scorer.id]))
        except DataError as error:
            notes.append(f"how the classifier treats groups is unknown: {error}")
    return checks, notes


def kept_check(classifier: Classifier, *, seed: int = 0) -> ClassifierCheck:
    """Return a check by the default sentences, from the cache if it was made before."""
    path = cache_folder() / "classifier-checks" / f"{_key(classifier, seed)}.json"
    try:
        return _intact(path)
    except (OSError, ValueError):
        found = check_classifier(classifier, seed=seed)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        with replaced_when_whole(part, path) as stream:
            stream.write(sealed_json(found.model_dump(mode="json", by_alias=True)).encode("utf-8"))
    except OSError as error:
        logger.warning("the check of the classifier could not be kept (%s)", error)
    return found


def _intact(path: Path) -> ClassifierCheck:
    """Read a check as it was kept; a ValueError says that it is damaged."""
    content = parse_json(path.read_text(encoding="utf-8"))
    if not isinstance(content, dict) or not is_intact(content):
        raise ValueError("the digest does not fit")
    content.pop("digest")
    return ClassifierCheck.model_validate(content)


def _key(classifier: Classifier, seed: int) -> str:
    """SHA-256 of what a check depends on: the classifier by its content, and what it is asked."""
    asked = [prompt_file(), *(content for _, content in template_files())]
    hashes = [hashlib.sha256(content).hexdigest() for content in asked]
    parts = [
        classifier.id,
        classifier.judging,
        seed,
        PER_PAIR,
        versions_of("torch", "transformers"),
        hashes,
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def templates(per_pair: int | None) -> tuple[list[tuple[Sentence, Sentence]], list[Sentence]]:
    """Template sentences about two groups each, and those about nobody's group.

    Parameters
    ----------
    per_pair : int or None
        At most so many of each pair of groups, and of each axis about nobody; None: all.
    """
    by_pair: dict[tuple[str, str], list[Item]] = {}
    for item in load_templates():
        by_pair.setdefault((item.axis, str(item.facts.get("pair", NO_GROUP))), []).append(item)
    pairs: list[tuple[Sentence, Sentence]] = []
    others: list[Sentence] = []
    for (_, name), items in by_pair.items():
        n = len(items) if per_pair is None else min(per_pair, len(items))
        for item in random.Random(name).sample(items, n):
            if item.group is None:
                others += [_sentence(item, role, None) for role in item.texts]
            else:
                pairs.append(_both(item, name))
    return pairs, others


def _both(item: Item, pair: str) -> tuple[Sentence, Sentence]:
    """Return an item's two sentences, in the order of the pair's name."""
    groups = (item.group, str(item.facts["other_group"]))
    both = [_sentence(item, role, group) for role, group in zip(_ROLES, groups, strict=True)]
    first = pair.partition("/")[0]
    return (both[0], both[1]) if item.group == first else (both[1], both[0])


def _sentence(item: Item, role: str, group: str | None) -> Sentence:
    template = str(item.facts["template"])
    return Sentence(item.texts[role], item.axis, group, item.item_id, item.cluster, template)


def openings() -> list[tuple[Sentence, Sentence]]:
    """Neutral openings about each group, beside the same about the axis's reference group."""
    by_key: dict[tuple[str, str], dict[str, Sentence]] = {}
    for item in load_prompts():
        group = str(item.group)
        # The rest of the id says which opening it is, and which of a group's words for a person.
        key = item.item_id.replace(f"/{group}/", "/", 1)
        by_key.setdefault((item.axis, key), {})[group] = Sentence(
            item.texts["prompt"], item.axis, group, key, item.cluster
        )
    found = []
    for (axis, _), by_group in by_key.items():
        reference = reference_of(axis, by_group)
        if reference is not None:
            found += [(by_group[one], by_group[reference]) for one in by_group if one != reference]
    return found


def _scored(
    classifier: Classifier, label: str, sentences: Iterable[Sentence]
) -> dict[Sentence, float]:
    asked = list(dict.fromkeys(sentences))
    scores = _probabilities(classifier, label, [one.text for one in asked])
    return dict(zip(asked, scores, strict=True))


def _probabilities(classifier: Classifier, label: str, texts: Sequence[str]) -> list[float]:
    item = Item("", "", None, "", {})
    answers = classifier.score([Continuation(item, "", text) for text in texts])
    missing = next((one for one in answers if isinstance(one, Skipped)), None)
    if missing is not None:
        raise DataError(f"{classifier.id}: {missing.reason}; it cannot be checked")
    return [one[label] for one in answers if not isinstance(one, Skipped)]


def _gaps(
    pairs: Iterable[tuple[Sentence, Sentence]], scored: Mapping[Sentence, float]
) -> Iterator[SentencePair]:
    for first, second in pairs:
        yield SentencePair(first, second, scored[first] - scored[second])


def _on_labels(
    classifier: Classifier, label: str, labelled: Sequence[LabelledText], seed: int
) -> tuple[list[Estimate], tuple[CalibrationBin, ...]]:
    """Ranking, errors and calibration on texts that people labelled."""
    probabilities = np.array(_probabilities(classifier, label, [one.text for one in labelled]))
    labels = np.array([one.labelled for one in labelled])
    where = Slice(LABELLED, f"{LABELLED}/{classifier.id}", "all")
    groups = [one.group for one in labelled]
    found = estimates(labelled_measurements(where, probabilities, labels, groups), seed)
    bins = calibration(probabilities, labels)
    return [*found, calibration_estimate(where, bins)], bins


def gap_note(check: ClassifierCheck) -> str:
    """Say a classifier's own gap on every axis, for the audits whose texts it scores."""
    return f"{check.classifier}: its own gap, where only the group in a sentence changes: " + (
        "; ".join(_gap_words(check, axis) for axis in check.axes)
    )


def _gap_words(check: ClassifierCheck, axis: str) -> str:
    found = check.largest(axis)
    if found is None or found.value is None:
        return f"{axis} unknown"
    first, _, second = (found.group or "").partition("/")
    bounds = "" if found.interval is None else _bounds(found.interval.low, found.interval.high)
    n = sum(one.axis == axis for one in check.gaps)
    of = f", largest of {n}" if n > 1 else ""
    return f"{axis} {_points(found.value)} points{bounds} ({first} − {second}{of})"


def _bounds(low: float, high: float) -> str:
    return f" [{_points(low)}, {_points(high)}]"


def _points(share: float) -> str:
    """Percentage points with their sign; what rounds to 0 has none below it."""
    return f"{round(100 * share, 1) + 0.0:+.1f}"


def with_gap_cautions(
    found: Iterable[Estimate], checks: Mapping[str, ClassifierCheck]
) -> Iterator[Estimate]:
    """Put a caution beside every number of a classifier on an axis whose groups it tells apart.

    Parameters
    ----------
    found : iterable of Estimate
        Estimates of an audit.
    checks : mapping of str to ClassifierCheck
        By the classifier's id, as protocols name it.
    """
    for one in found:
        check = checks.get(one.protocol.partition("/")[2])
        if check is None or not check.leans(one.axis):
            yield one
        else:
            cautions = (*one.cautions, CLASSIFIER_GAP.name)
            yield one.model_copy(update={"cautions": cautions})
