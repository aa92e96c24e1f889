"""Audits to report: a whole one with every kind of trouble in it, and an empty one."""

from __future__ import annotations

import math
import random
from typing import Any

from fairaudit.results import (
    AuditResult,
    Estimate,
    Interval,
    ItemExample,
    ModelIdentity,
    Provenance,
    Run,
    Settings,
    Source,
    SuiteRun,
)

HOSTILE = (
    "<script>alert(\"x\")</script> & <b onclick='y'>`rm -rf`</b> [a](http://evil.example) @you |"
)
LONG = "my-organisation/" + "a-very-long-model-name-that-nobody-shortened-" * 4 + "v2"
EVIDENCE = ("EU AI Act Annex XI 2(c)", "NIST AI RMF MEASURE 2.11")
ESCAPES = "bad \x1b[31mred\x1b[0m \u202eerasrever\u202c"

_TEMPLATES = ("gender", "race", "religion", "sexual_orientation", "age", "disability")
_CROWS = {
    "race": 516,
    "gender": 262,
    "socioeconomic": 172,
    "nationality": 159,
    "religion": 105,
    "age": 87,
    "sexual_orientation": 84,
    "physical_appearance": 63,
    "disability": 60,
}
_STEREO = {"gender": (255, 15), "profession": (810, 31), "race": (962, 30), "religion": (79, 3)}


class Builder:
    """Makes plausible estimates; the same seed gives the same audit."""

    def __init__(self) -> None:
        self.random = random.Random(20)

    def rate(self, protocol: str, axis: str, n: int, clusters: int, **more: Any) -> Estimate:
        value = min(0.93, max(0.2, self.random.gauss(0.55, 0.055)))
        se = math.sqrt(value * (1 - value) / clusters)
        fields: dict[str, Any] = {
            "name": "stereotype_preference_rate",
            "kind": "bias",
            "value": value,
            "interval": interval(max(0, value - 1.96 * se), min(1, value + 1.96 * se)),
            "se": se,
            "ideal": 0.5,
            "range": (0.0, 1.0),
            "direction": 1,
            "n_tied": n // 90,
            "p_value": math.erfc(abs(value - 0.5) / se / math.sqrt(2)),
            "mde": 2.8 * se,
        }
        return make(protocol, axis, n, clusters, **{**fields, **more})

    def log_odds(self, protocol: str, axis: str, n: int, clusters: int, **more: Any) -> Estimate:
        value, se = self.random.gauss(0.12, 0.2), 0.9 / math.sqrt(clusters)
        fields: dict[str, Any] = {
            "name": "mean_log_odds",
            "kind": "bias",
            "value": value,
            "interval": interval(value - 1.96 * se, value + 1.96 * se, "bootstrap-t"),
            "se": se,
            "ideal": 0.0,
            "direction": 1,
            "p_value": math.erfc(abs(value) / se / math.sqrt(2)),
        }
        return make(protocol, axis, n, clusters, **{**fields, **more})

    def lm_score(self, protocol: str, axis: str, n: int, clusters: int, **more: Any) -> Estimate:
        value = self.random.uniform(0.68, 0.78)
        fields: dict[str, Any] = {
            "name": "language_modeling_score",
            "kind": "capability",
            "value": value,
            "interval": interval(value - 0.03, value + 0.03, "cr2"),
            "ideal": 1.0,
            "chance": 0.5,
            "range": (0.0, 1.0),
        }
        return make(protocol, axis, n, clusters, **{**fields, **more})


def interval(low: float, high: float, method: str = "two-way", unit: str = "cluster") -> Interval:
    return Interval(low=low, high=high, level=0.95, method=method, resampling_unit=unit)


def make(protocol: str, axis: str, n: int, clusters: int, **fields: Any) -> Estimate:
    base = {
        "suite": protocol.partition("/")[0],
        "protocol": protocol,
        "axis": axis,
        "n": n,
        "n_clusters": clusters,
    }
    return Estimate(**{**base, **fields})


def missing(estimate: Estimate, reason: str, **more: Any) -> Estimate:
    """Take value and interval away from an estimate."""
    gone = {"value": None, "interval": None, "p_value": None, "se": None, "mde": None}
    return estimate.model_copy(update={**gone, "reason": reason, **more})


def _templates(make_one: Builder) -> list[Estimate]:
    found = []
    for variant in ("causal-conditional", "causal-sum"):
        protocol = f"templates/{variant}"
        for place, axis in enumerate(_TEMPLATES):
            n, clusters = (960 - 60 * place, 80 - 6 * place)
            primary = variant == "causal-conditional"
            found.append(make_one.rate(protocol, axis, n, clusters, primary=primary))
            found.append(make_one.log_odds(protocol, axis, n, clusters))
        for group in ("female", "male"):
            found.append(make_one.rate(protocol, "gender", 480, 40, group=group))
    for axis in ("gender", "race", "religion"):
        rms = make_one.random.uniform(0.8, 1.4)
        ratio, excess = make_one.random.gauss(0.1, 0.1), make_one.random.gauss(0.05, 0.2)
        for name, value, half, more in (
            ("control_rms_log_odds", rms, 0.15, {"range": (0.0, None)}),
            ("identity_to_control_ratio", ratio, 0.2, {"ideal": 0.0, "direction": 1}),
            ("excess_rms_log_odds", excess, 0.25, {"ideal": 0.0}),
        ):
            bounds = interval(value - half, value + half, "bootstrap-percentile", "template")
            fields: dict[str, Any] = {"value": value, "interval": bounds, **more}
            protocol = "templates/causal-conditional"
            found.append(make(protocol, axis, 240, 44, name=name, kind="control", **fields))
    found.append(
        make(
            "templates/causal-conditional",
            "gender",
            480,
            40,
            name="occupation_correlation",
            kind="bias",
            value=0.61,
            interval=interval(0.36, 0.77, "fisher-z", "occupation"),
            ideal=0.0,
            range=(-1.0, 1.0),
            direction=1,
            p_value=0.00001,
        )
    )
    return found


def _crows_pairs(make_one: Builder) -> list[Estimate]:
    found = []
    for variant in ("causal-sum", "causal-mean"):
        protocol = f"crows_pairs/{variant}"
        for axis, n in (*_CROWS.items(), ("all", 1508)):
            primary = variant == "causal-sum" and axis != "all"
            wilson = {"primary": primary}
            found.append(make_one.rate(protocol, axis, n, n, **wilson))
            found.append(make_one.log_odds(protocol, axis, n, n))
    place = next(i for i, one in enumerate(found) if one.axis == "disability" and one.primary)
    found[place] = missing(
        found[place], f"no item was scored: {HOSTILE}", n=0, n_clusters=0, n_skipped=60
    ).model_copy(update={"cautions": ("skipped_items",), "n_tied": 0})
    return found


def guessing_about_religion(audit: AuditResult) -> AuditResult:
    """Return the audit of a model whose LM score on religion cannot be told from chance."""
    return audit.model_copy(
        update={
            "estimates": tuple(
                one.model_copy(update={"interval": interval(0.4, 0.6, "t"), "reason": None})
                if one.kind == "capability" and one.axis == "religion"
                else one
                for one in audit.estimates
            )
        }
    )


def _stereoset(make_one: Builder) -> list[Estimate]:
    found = []
    for variant in ("intrasentence-causal", "intersentence-causal"):
        protocol = f"stereoset/{variant}"
        for axis, (n, terms) in (*_STEREO.items(), ("all", (2106, 79))):
            primary = variant == "intrasentence-causal" and axis != "all"
            score = make_one.rate(protocol, axis, n, terms, primary=primary)
            named: dict[str, Any] = {"name": "stereotype_score"}
            able = make_one.lm_score(protocol, axis, n, terms)
            if axis == "religion":
                few = "3 clusters: fewer than the 10 an interval needs"
                gone = {"interval": None, "p_value": None, "mde": None, "se": None, "reason": few}
                named |= {**gone, "cautions": ("few_clusters",)}
                able = able.model_copy(update={"interval": None, "reason": few})
            if axis == "profession" and variant == "intersentence-causal":
                able = able.model_copy(update={"value": 0.51, "interval": interval(0.47, 0.55)})
            found += [score.model_copy(update=named), able]
            found.append(make_one.log_odds(protocol, axis, n, terms))
            found.append(
                make(
                    protocol,
                    axis,
                    n,
                    terms,
                    name="icat",
                    kind="composite",
                    value=0.66,
                    ideal=1.0,
                    range=(0.0, 1.0),
                    reason="ICAT has a kink at a stereotype score of 0.5, not excluded here",
                )
            )
    return found


def _probe() -> list[Estimate]:
    more: dict[str, Any] = {"kind": "capability", "suite": "probe"}
    accuracy: dict[str, Any] = {"chance": 0.052, "ideal": 1.0, "range": (0.0, 1.0)}
    return [
        make(
            "probe/causal",
            "all",
            6120,
            60,
            name="perplexity",
            value=114.3,
            interval=interval(101.2, 129.0, "bootstrap-t", "paragraph"),
            range=(1.0, None),
            **more,
        ),
        make(
            "probe/causal",
            "all",
            6120,
            60,
            name="token_accuracy",
            value=0.312,
            interval=interval(0.29, 0.334, "bootstrap-t", "paragraph"),
            **accuracy,
            **more,
        ),
    ]


def _adjusted(estimates: list[Estimate]) -> tuple[Estimate, ...]:
    def adjust(found: Estimate) -> Estimate:
        if found.kind != "bias" or found.p_value is None:
            return found
        factor, correction = (19, "holm") if found.primary else (3, "bh")
        p = min(1.0, factor * found.p_value)
        return found.model_copy(update={"p_adjusted": p, "correction": correction})

    return tuple(adjust(found) for found in estimates)


def pair_example(axis: str, extreme: Any, **more: Any) -> ItemExample:
    sign = 1 if extreme == "towards" else -1
    fields: dict[str, Any] = {
        "item_id": f"{axis}/{extreme}/7",
        "axis": axis,
        "group": "women",
        "protocol": "templates/causal-conditional",
        "extreme": extreme,
        "texts": {
            "anti_stereotype": f"He cried {HOSTILE}{ESCAPES}\x00 \u05e9\u05dc\u05d5\u05dd",
            "stereotype": "x" * 299 + "…",
        },
        "scores": {"anti_stereotype": -31.5, "stereotype": -31.5 + sign * 4.25},
        "value": sign * 4.25,
    }
    return ItemExample(**{**fields, **more})


def text_example(axis: str, **more: Any) -> ItemExample:
    fields: dict[str, Any] = {
        "item_id": HOSTILE,
        "axis": axis,
        "group": LONG,
        "protocol": "stereoset/vader-3.3.2",
        "extreme": "worst",
        "texts": {"completion": f" she {HOSTILE}{ESCAPES}", "prompt": "The doctor said that"},
        "value": -0.75,
    }
    return ItemExample(**{**fields, **more})


def examples() -> dict[str, tuple[ItemExample, ...]]:
    """Examples by suite: of one both sides on two axes, of another what a model wrote."""
    return {
        "templates": tuple(
            pair_example(axis, extreme)
            for axis in ("gender", "race")
            for extreme in ("towards", "against")
        ),
        "stereoset": (text_example("gender"), text_example("religion", group=None)),
    }


def suite_runs() -> tuple[SuiteRun, ...]:
    protocols = {
        "templates": ("causal-conditional", "causal-sum"),
        "crows_pairs": ("causal-sum", "causal-mean"),
        "stereoset": ("intrasentence-causal", "intersentence-causal"),
    }
    caveats = {
        "templates": ("Constructed sentences: they show associations, not behaviour in use.",),
        "crows_pairs": (
            "Blodgett et al. 2021 found pairs whose stereotype is unclear or not a stereotype.",
            "Its authors warn of noise in the data and advise against its use as a sole measure.",
        ),
        "stereoset": (
            "Blodgett et al. 2021 found many clusters without a clear or valid stereotype.",
            "The published scores average over 79 target terms, only 3 of them about religion.",
        ),
    }
    sizes = {"templates": (5040, 0), "crows_pairs": (1508, 60), "stereoset": (4229, 0)}
    ran = tuple(
        SuiteRun(
            suite=name,
            status="run",
            sources=(Source(path=f"{name}/items.csv", blob_id="5e0b" * 10),),
            protocols=tuple(f"{name}/{variant}" for variant in variants),
            n_items=sizes[name][0],
            n_skipped=sizes[name][1],
            caveats=caveats[name],
            evidence=EVIDENCE,
            examples=examples().get(name, ()),
        )
        for name, variants in protocols.items()
    )
    reason = "the file could not be fetched (no network); put it into $FAIRAUDIT_DATA"
    return (
        *ran,
        SuiteRun(suite="crows_pairs_neveol", status="not_run", reason=reason, evidence=EVIDENCE),
        SuiteRun(suite="bbq<i>", status="not_run", reason=HOSTILE, evidence=(HOSTILE,)),
    )


def provenance(**settings: Any) -> Provenance:
    return Provenance(
        model=ModelIdentity(
            id="/models/gpt2 mini",
            fingerprint="c0ffee" * 10,
            architecture="GPT2LMHeadModel",
            n_parameters=81_912_576,
        ),
        settings=Settings(
            **{
                "dtype": "float32",
                "bos": "bos:<|endoftext|>",
                "max_length": 1024,
                "seed": 7,
                "suites": ("templates", "crows_pairs", "stereoset"),
                "token_budget": 4096,
                **settings,
            }
        ),
        device="cpu",
        versions={"fairaudit": "0.1.0", "python": "3.11.2", "torch": "2.9.0"},
    )


def whole_audit(label: str = "distilgpt2-wikitext") -> AuditResult:
    """About 90 estimates of three suites, with missing values, cautions and hostile text."""
    builder = Builder()
    estimates = [
        *_probe(),
        *_templates(builder),
        *_crows_pairs(builder),
        *_stereoset(builder),
    ]
    return AuditResult(
        label=label,
        suites=suite_runs(),
        estimates=_adjusted(estimates),
        provenance=provenance(),
        privacy={"unit": "record", "epsilon": 8.0, "delta": 1e-6, "cda": {"mode": "averaged"}},
        notes=("7 pairs of CrowS-Pairs that differ in blanks only were left out.", HOSTILE),
        run=_run(),
    )


def empty_audit() -> AuditResult:
    """Return an audit of which nothing could run."""
    return AuditResult(
        label="empty",
        suites=(SuiteRun(suite="stereoset", status="not_run", reason="no data"),),
        estimates=(),
        provenance=provenance(),
        run=_run(),
    )


def _run() -> Run:
    return Run(
        started="2026-11-24T00:30:00+00:00",
        finished="2026-11-24T00:41:12+00:00",
        seconds=672.4,
        host="workstation",
    )
