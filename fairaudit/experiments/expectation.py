"""What to expect of bias before a fine-tuning: whether base or text leans further.

A private model moves less from its base than a plain one. So where the base leans further towards
stereotypes than the text, private training is expected to leave more bias than plain training, and
less where it leans less far (`fairaudit experiment map`). Both are measured on the occupations of
the project's own templates:

- *base*: per occupation the mean log-odds of its sentences, as an audit scores them;
- *text*: without any model, in how many records the occupation stands beside words of one gender
  only, n of the stereotyped one and m of the other; of all records that name one gender only,
  there are N and M. The lean is log((n + ½)/(m + ½)) − log((N + ½)/(M + ½)), what is stereotyped
  beyond how often either gender is named.

Both are log-odds of the same thing, P(occupation | one gender) against P(occupation | the other),
so they are compared occupation by occupation. Occupations are what is resampled.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from fairaudit.auditing.run_audit import audit
from fairaudit.parsing import parse_toml
from fairaudit.results import AuditResult
from fairaudit.stats.one_estimate import Inference, infer
from fairaudit.suites.templates.generator import load_templates, template_files
from fairaudit.vocabulary.suites import TEMPLATES

AXIS: Final = "gender"
#: Records that must name an occupation with one gender only before it counts, and occupations that
#: must count before anything is said.
FEWEST_RECORDS: Final = 5
FEWEST_OCCUPATIONS: Final = 5
_GENDERS: Final = ("female", "male")
_ROLES: Final = ("stereotype", "anti_stereotype")
_TERMS: Final = "gender.toml"


@dataclass(frozen=True, slots=True)
class Occupation:
    """An occupation of the templates: as it stands in a text, and who is said to have it."""

    cluster: str
    name: str
    gender: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """Lean of base and text on the occupations that the text names, and their difference.

    Parameters
    ----------
    n_occupations : int
        Occupations that the text names often enough.
    base, text, apart : Inference or None
        Mean lean of each, and of base minus text; None with too few occupations.
    """

    n_occupations: int
    base: Inference | None = None
    text: Inference | None = None
    apart: Inference | None = None

    @property
    def sentences(self) -> tuple[str, ...]:
        """Say both leans, and the expected direction with how sure it is."""
        if self.base is None or self.text is None or self.apart is None:
            return (
                f"what to expect of bias: not known, for the text names {self.n_occupations} "
                f"occupations with one {AXIS} often enough, and {FEWEST_OCCUPATIONS} are needed",
            )
        return (
            f"what to expect of bias ({AXIS}, {self.n_occupations} occupations that the text "
            f"names): the base leans {_shown(self.base)} towards the stereotype, the text, by "
            f"count, {_shown(self.text)}; base minus text {_shown(self.apart)}",
            f"{_direction(self.apart)}; this follows from moving less, as on 'fairaudit experiment "
            "map', and is no promise: compare base, plain and private model to see",
        )


def expectation(
    base: str | os.PathLike[str], texts: Iterable[str], *, device: str = "auto"
) -> Expectation:
    """Compare the lean of a base model with that of a text, occupation by occupation.

    Parameters
    ----------
    base : str or path
        Checkpoint folder or Hub id.
    texts : iterable of str
        One for each record. What is counted in them is not covered by any guarantee.
    device : str
        Where the base runs.
    """
    of_text = text_lean(texts)
    if len(of_text) < FEWEST_OCCUPATIONS:
        return Expectation(len(of_text))
    audited = audit(base, suites=(TEMPLATES.name,), axes=(AXIS,), device=device, progress=False)
    of_base = base_lean(audited)
    names = [name for name in of_text if name in of_base]
    values = ([of_base[name] for name in names], [of_text[name] for name in names])
    apart = [ours - theirs for ours, theirs in zip(*values, strict=True)]
    return Expectation(len(names), *(infer(some, names) for some in (*values, apart)))


def text_lean(texts: Iterable[str]) -> dict[str, float]:
    """Lean of each occupation that a text names often enough, by cluster of the templates.

    Parameters
    ----------
    texts : iterable of str
        One for each record.
    """
    named: dict[str, Counter[str]] = {}
    overall: Counter[str] = Counter()
    for text in texts:
        small = text.lower()
        genders = {_words()[word] for word in _gender_words().findall(small)}
        if len(genders) != 1:
            continue
        (gender,) = genders
        overall[gender] += 1
        for name in set(_names().findall(small)):
            named.setdefault(name, Counter())[gender] += 1
    by_name = {one.name: one for one in occupations()}
    return {
        by_name[name].cluster: _log_odds(found, by_name[name].gender)
        - _log_odds(overall, by_name[name].gender)
        for name, found in sorted(named.items())
        if found.total() >= FEWEST_RECORDS
    }


def base_lean(audited: AuditResult) -> dict[str, float]:
    """Mean log-odds of each occupation's sentences, of the templates' primary protocol."""
    protocol = next(
        one.protocol
        for one in audited.estimates
        if one.primary and one.suite == TEMPLATES.name and one.axis == AXIS
    )
    rows = audited.items(TEMPLATES.name)
    rows = rows[(rows["protocol"] == protocol) & (rows["status"] == "ok")]
    known = {one.cluster for one in occupations()}
    rows = rows[rows["cluster"].isin(known) & rows["group"].notna()]
    scores = rows.pivot(index=["item_id", "cluster"], columns="role", values="score")
    odds = (scores[_ROLES[0]] - scores[_ROLES[1]]).dropna()
    return {str(name): float(value) for name, value in odds.groupby("cluster").mean().items()}


@lru_cache(maxsize=1)
def occupations() -> tuple[Occupation, ...]:
    """Every occupation of the templates."""
    found = {
        str(item.facts["occupation"]): Occupation(
            item.cluster, str(item.facts["occupation"]).lower(), item.group
        )
        for item in load_templates()
        if item.axis == AXIS and item.group in _GENDERS
    }
    return tuple(found.values())


@lru_cache(maxsize=1)
def _words() -> Mapping[str, str]:
    """Words that name a gender, with the gender."""
    content = dict(template_files())[_TERMS]
    pairs = parse_toml(content.decode("utf-8"))["pairs"]
    terms = (pairs if isinstance(pairs, dict) else pairs[0])["terms"]
    return {
        word: gender for pair in terms.values() for word, gender in zip(pair, _GENDERS, strict=True)
    }


@lru_cache(maxsize=1)
def _gender_words() -> re.Pattern[str]:
    return _any_of(_words())


@lru_cache(maxsize=1)
def _names() -> re.Pattern[str]:
    return _any_of(one.name for one in occupations())


def _any_of(words: Iterable[str]) -> re.Pattern[str]:
    """Match any of some words, the longest that fits, with a plural s or without."""
    ordered = sorted(words, key=len, reverse=True)
    return re.compile(rf"\b({'|'.join(map(re.escape, ordered))})s?\b")


def _log_odds(counts: Mapping[str, int], gender: str) -> float:
    own = counts.get(gender, 0)
    return math.log((own + 0.5) / (sum(counts.values()) - own + 0.5))


def _shown(found: Inference) -> str:
    assert found.value is not None
    value = f"{found.value:+.2f} nats"
    bounds = _bounds(found)
    return value if bounds is None else f"{value} [{bounds[0]:+.2f}, {bounds[1]:+.2f}]"


def _bounds(found: Inference) -> tuple[float, float] | None:
    return None if found.low is None or found.high is None else (found.low, found.high)


def _direction(apart: Inference) -> str:
    bounds = _bounds(apart)
    if bounds is None or bounds[0] <= 0 <= bounds[1]:
        return (
            "neither is shown to lean further, so no direction is expected of private training "
            "against plain training"
        )
    more = bounds[0] > 0
    return (
        f"the base leans {'further' if more else 'less far'} than the text, so private training is "
        f"expected to leave {'more' if more else 'less'} bias than plain training"
    )
