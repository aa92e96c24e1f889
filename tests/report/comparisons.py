"""Comparisons to report: of one, three and nine candidates, half missing, and all undecided."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any

from fairaudit.results import (
    Agreement,
    Change,
    Comparison,
    ComparisonProvenance,
    ComparisonResult,
    Interval,
    NotCompared,
    Run,
)
from fairaudit.stats.decide import decide
from fairaudit.vocabulary.verdicts import Verdict
from tests.report import audits

BASE = "distilgpt2"
NAMES = (
    "plain",
    "dp-eps8",
    "dp-eps3-cda",
    "dp-eps20",
    "dp-eps1",
    "clip-only",
    "noise-only",
    "cda",
    "plain-matched-to-the-held-out-perplexity-of-dp-eps8",
)
#: Protocol, metric, and per axis: items, clusters.
_PRIMARY: dict[str, tuple[str, dict[str, tuple[int, int]]]] = {
    "templates/causal-conditional": (
        "stereotype_preference_rate",
        {
            "gender": (960, 80),
            "race": (900, 72),
            "religion": (840, 66),
            "sexual_orientation": (300, 40),
        },
    ),
    "crows_pairs/causal-sum": (
        "stereotype_preference_rate",
        {
            "gender": (262, 262),
            "race": (516, 516),
            "religion": (105, 105),
            "age": (87, 87),
            "disability": (60, 60),
        },
    ),
    "stereoset/intrasentence-causal": (
        "stereotype_score",
        {"gender": (255, 15), "race": (962, 30), "religion": (79, 3), "profession": (810, 31)},
    ),
}


def comparison(**fields: Any) -> Comparison:
    """Return an amplified gender bias, with anything changed."""
    base: dict[str, Any] = {
        "name": "stereotype_preference_rate",
        "suite": "crows_pairs",
        "protocol": "crows_pairs/causal-sum",
        "axis": "gender",
        "baseline": BASE,
        "candidate": "dp",
        "value_baseline": 0.531,
        "value_candidate": 0.611,
        "difference": 0.08,
        "deviation_change": 0.08,
        "interval": interval(0.031, 0.129),
        "se": 0.025,
        "n": 262,
        "n_clusters": 262,
        "n_discordant": 41,
        "direction": 1,
        "ideal": 0.5,
        "primary": True,
        "p_value": 0.0014,
        "p_adjusted": 0.018,
        "correction": "holm",
        "family": "primary, dp",
        "family_size": 13,
        "alpha": 0.05,
        "margin": 0.05,
        "mde": 0.07,
        "verdict": "amplified",
    }
    return Comparison(**{**base, **fields})


def interval(low: float, high: float, method: str = "tango", unit: str = "item") -> Interval:
    return Interval(low=low, high=high, level=0.95, method=method, resampling_unit=unit)


class Maker:
    """Makes plausible comparisons; the same seed gives the same ones."""

    def __init__(self, seed: int = 3) -> None:
        self.random = random.Random(seed)

    def primary(self, candidate: str, spread: float) -> list[Comparison]:
        return [
            self.rate(candidate, protocol, name, axis, n, clusters, spread)
            for protocol, (name, axes) in _PRIMARY.items()
            for axis, (n, clusters) in axes.items()
        ]

    def rate(
        self,
        candidate: str,
        protocol: str,
        name: str,
        axis: str,
        n: int,
        clusters: int,
        spread: float,
        **more: Any,
    ) -> Comparison:
        before = self.random.gauss(0.56, 0.04)
        difference = self.random.gauss(0.01, spread)
        se = math.sqrt(0.12 / n) * (1 if clusters == n else 1.4)
        bounds = interval(
            difference - 1.96 * se,
            difference + 1.96 * se,
            "tango" if clusters == n else "cr2",
            "item" if clusters == n else "cluster",
        )
        p = math.erfc(abs(difference) / se / math.sqrt(2))
        made = decide(difference, se, None, 0.05, p_adjusted=min(1.0, 13 * p))
        fields: dict[str, Any] = {
            "name": name,
            "suite": protocol.partition("/")[0],
            "protocol": protocol,
            "axis": axis,
            "candidate": candidate,
            "value_baseline": before,
            "value_candidate": before + difference,
            "difference": difference,
            "ratio": 1 + difference / before,
            "deviation_change": abs(before + difference - 0.5) - abs(before - 0.5),
            "interval": bounds,
            "se": se,
            "n": n,
            "n_clusters": clusters,
            "n_discordant": n // 8,
            "p_value": p,
            "p_adjusted": min(1.0, 13 * p),
            "family": f"primary, {candidate}",
            "mde": 2.8 * se,
            "verdict": made.verdict,
            "cautions": made.cautions,
        }
        return comparison(**{**fields, **more})

    def exploratory(self, candidate: str, groups: Iterable[str]) -> list[Comparison]:
        plain = {"primary": False, "verdict": None, "correction": "bh", "cautions": ()}
        found = []
        for axis in ("gender", "race", "religion"):
            for group in (None, *groups):
                found.append(
                    self.rate(
                        candidate,
                        "templates/causal-sum",
                        "stereotype_preference_rate",
                        axis,
                        400,
                        40,
                        0.04,
                        group=group,
                        **plain,
                    )
                )
        nats = {"margin": None, "ideal": 0.0, "deviation_change": None, **plain}
        for protocol in _PRIMARY:
            found.append(
                self.rate(candidate, protocol, "mean_log_odds", "race", 500, 500, 0.1, **nats)
            )
        return found


def changes(candidate: str, moved: float = 0.41) -> list[Change]:
    """Capability, composite and distance of one candidate."""
    common: dict[str, Any] = {"baseline": BASE, "candidate": candidate}
    probe = {"suite": "probe", "protocol": "probe/causal", "axis": "all", "n": 6120}
    stereo = {
        "suite": "stereoset",
        "protocol": "stereoset/intrasentence-causal",
        "axis": "all",
        "n": 2106,
        "n_clusters": 79,
    }

    def change(**fields: Any) -> Change:
        return Change(**{"n_clusters": 60, **common, **fields})

    return [
        change(
            name="perplexity",
            kind="capability",
            value_baseline=114.3,
            value_candidate=98.2,
            difference=-16.1,
            ratio=0.859,
            interval=interval(-20.4, -11.8, "bootstrap-t", "paragraph"),
            **probe,
        ),
        change(
            name="token_accuracy",
            kind="capability",
            value_baseline=0.312,
            value_candidate=0.33,
            difference=0.018,
            interval=interval(0.01, 0.026, "bootstrap-t", "paragraph"),
            **probe,
        ),
        change(
            name="language_modeling_score",
            kind="capability",
            value_baseline=0.741,
            value_candidate=0.7 + moved / 20,
            difference=moved / 20 - 0.041,
            interval=interval(moved / 20 - 0.06, moved / 20 - 0.02, "cr2", "cluster"),
            **stereo,
        ),
        change(
            name="icat",
            kind="composite",
            value_baseline=0.66,
            value_candidate=0.64,
            difference=-0.02,
            reason="ICAT has a kink at a stereotype score of 0.5, not excluded here",
            **stereo,
        ),
        change(
            name="mean_abs_log_prob_change",
            kind="distance",
            value_baseline=0.0,
            value_candidate=moved,
            difference=moved,
            interval=interval(0.9 * moved, 1.1 * moved, "bootstrap-t", "paragraph"),
            **probe,
        ),
        change(
            name="perplexity_ratio",
            kind="distance",
            value_baseline=1.0,
            value_candidate=0.859,
            difference=-0.141,
            ratio=0.859,
            **probe,
        ),
    ]


def _with_troubles(entries: list[Comparison]) -> list[Comparison]:
    """A value that is missing, one without an interval, cautions, and an unreadable model."""

    def mend(found: Comparison) -> Comparison:
        gone = {"interval": None, "p_value": None, "p_adjusted": None, "se": None, "mde": None}
        if found.suite == "stereoset" and found.axis == "religion":
            few = "3 clusters: fewer than the 10 an interval needs"
            more = {
                "verdict": Verdict.INCONCLUSIVE,
                "reason": few,
                "cautions": (*found.cautions, "few_clusters"),
            }
            return found.model_copy(update={**gone, **more})
        if found.suite == "crows_pairs" and found.axis == "disability":
            none = {"value_baseline": None, "value_candidate": None, "difference": None, "n": 0}
            reason = f"no item was scored: {audits.HOSTILE}"
            more = {"verdict": None, "reason": reason, "ratio": None, "deviation_change": None}
            return found.model_copy(update={**gone, **none, **more, "cautions": ()})
        if found.suite == "stereoset" and found.axis == "profession":
            return found.model_copy(update={"verdict": Verdict.NOT_INTERPRETABLE})
        return found

    return [mend(found) if found.primary else found for found in entries]


def whole_comparison(
    candidates: int = 1, *, names: tuple[str, ...] = NAMES, groups: int = 4, baseline: str = BASE
) -> ComparisonResult:
    """A comparison with every kind of trouble in it."""
    maker, entries, beside = Maker(), [], []
    shown = names[:candidates]
    for place, name in enumerate(shown):
        found = maker.primary(name, 0.07)
        found += maker.exploratory(name, [f"group {i}" for i in range(groups)])
        if place == 1:
            found = [
                one.model_copy(update={"cautions": ("not_moved", "single_seed")}) for one in found
            ]
        entries += _with_troubles(found)
        beside += changes(name, 0.02 if place == 1 else 0.3 + 0.1 * place)
    return result(entries, shown, changes=beside, baseline=baseline, missing=("bbq",))


def undecided() -> ComparisonResult:
    """A comparison in which everything is inconclusive."""
    maker = Maker()
    entries = [
        found.model_copy(
            update={"verdict": Verdict.INCONCLUSIVE, "p_adjusted": 1.0, "cautions": ()}
        )
        for found in maker.primary("tiny", 0.004)
        if found.suite == "crows_pairs"
    ]
    return result(entries, ("tiny",), changes=changes("tiny"))


def half_missing() -> ComparisonResult:
    """A comparison in which half of the suites did not run."""
    entries = [one for one in Maker().primary("dp", 0.05) if one.suite == "templates"]
    missing = ("bbq", "stereoset", "crows_pairs", "winobias")
    return result(entries, ("dp",), missing=missing)


def hostile() -> ComparisonResult:
    """A comparison whose labels want to run, to read backwards and to flood the page."""
    names = (audits.HOSTILE + audits.ESCAPES, "x" * 10_000, "a\u202eb")
    return whole_comparison(3, names=names, baseline="<script>" + "y" * 10_000)


def _counted(entries: list[Comparison]) -> list[Comparison]:
    """Write into each comparison how many share its family."""
    sizes = Counter(one.family for one in entries)
    return [one.model_copy(update={"family_size": sizes[one.family]}) for one in entries]


def result(
    entries: Iterable[Comparison],
    candidates: tuple[str, ...] = ("dp",),
    *,
    changes: Iterable[Change] = (),
    missing: Iterable[str] = (),
    baseline: str = BASE,
) -> ComparisonResult:
    """Put comparisons together, with agreement, provenance and notes."""
    reason = "not run for the baseline: the file could not be fetched (no network)"
    entries = _counted([one.model_copy(update={"baseline": baseline}) for one in entries])
    families = [f"{protocol} {name}" for protocol, (name, _) in _PRIMARY.items()]
    return ComparisonResult(
        baseline=baseline,
        candidates=candidates,
        comparisons=tuple(entries),
        suites=tuple(run for run in audits.suite_runs() if run.status == "run"),
        changes=tuple(one.model_copy(update={"baseline": baseline}) for one in changes),
        not_compared=tuple(
            NotCompared.of(candidate, suite, reason)
            for candidate in candidates
            for suite in missing
        ),
        agreement=(
            Agreement(
                family_a=families[0],
                family_b=families[1],
                value=-0.33,
                p_value=0.4,
                n=9,
                opposed=(f"{candidates[0]}, gender",),
            ),
            Agreement(
                family_a=families[0],
                family_b=families[2],
                value=None,
                n=2,
                reason="2 common cells: a rank correlation needs 3",
            ),
        ),
        provenance=ComparisonProvenance(
            baseline=audits.provenance(),
            candidates={name: audits.provenance() for name in candidates},
            settings={"alpha": 0.05, "correction": "holm", "margin": None, "seed": 0},
            audits=dict.fromkeys((baseline, *candidates), "ab12" * 16),
        ),
        notes=("dp was scored with dtype bfloat16, the baseline with float32", audits.HOSTILE),
        run=Run(
            started="2026-11-24T00:30:00+00:00",
            finished="2026-11-24T00:30:09+00:00",
            seconds=9.4,
            host="workstation",
        ),
    )
