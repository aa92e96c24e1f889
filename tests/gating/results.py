"""Small audits and comparisons whose numbers can be worked out by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from fairaudit.results import (
    AuditResult,
    Comparison,
    ComparisonProvenance,
    ComparisonResult,
    Estimate,
    Interval,
    ModelIdentity,
    NotCompared,
    Provenance,
    Run,
    Settings,
    SuiteRun,
)
from fairaudit.stats.agresti_min import agresti_min_se
from fairaudit.stats.evidence import Evidence, Student, Tango, Wilson

TEMPLATES = "templates/causal-conditional"
STATEMENT: dict[str, Any] = {
    "schema": "fairaudit/privacy",
    "schema_version": 1,
    "records": 10_000,
    "sample_rate": 0.01,
    "expected_batch_size": 100.0,
    "steps": 1000,
    "noise_multiplier": 1.1,
    "max_grad_norm": 1.0,
    "delta": 1e-5,
    "epsilon": 3.0,
    "model_fingerprint": "c0ffee",
}


def bounds(evidence: Evidence, method: str, level: float = 0.95) -> Interval:
    alpha = (1 - level) / 2
    return Interval(
        low=evidence.lower(alpha),
        high=evidence.upper(alpha),
        level=level,
        method=method,
        resampling_unit="item",
    )


def rate(value: float = 0.5, n: int = 1000, **fields: Any) -> Estimate:
    """Return a preference rate of independent items, with Wilson's interval."""
    return estimate(
        **{
            "name": "stereotype_preference_rate", "value": value, "n": n, "n_clusters": n,
            "interval": bounds(Wilson(value, n), "wilson"), "ideal": 0.5, "range": (0.0, 1.0),
            "direction": 1, **fields,
        }
    )  # fmt: skip


def mean(value: float, se: float, df: float | None = 50, **fields: Any) -> Estimate:
    """Return a mean log-odds with Student's interval."""
    return estimate(
        **{
            "name": "mean_log_odds", "value": value, "n": 500, "n_clusters": 51, "se": se,
            "df": df, "interval": bounds(Student(value, se, se, df), "cr2"), "ideal": 0.0,
            "direction": 1, **fields,
        }
    )  # fmt: skip


def accuracy(value: float = 0.31, n: int = 6000, **fields: Any) -> Estimate:
    """Token accuracy on the probe text; chance is 0.05."""
    return rate(
        value, n,
        **{
            "name": "token_accuracy", "kind": "capability", "suite": "probe",
            "protocol": "probe/causal", "axis": "all", "primary": False, "ideal": 1.0,
            "chance": 0.05, "direction": 0, **fields,
        },
    )  # fmt: skip


def estimate(**fields: Any) -> Estimate:
    base = {
        "kind": "bias", "suite": "templates", "protocol": TEMPLATES, "axis": "gender",
        "primary": True,
    }  # fmt: skip
    return Estimate(**(base | fields))


def few_clusters(**fields: Any) -> Estimate:
    """Return a rate without an interval."""
    reason = "3 clusters: fewer than the 10 an interval needs"
    return rate(**{"interval": None, "reason": reason, "axis": "religion", **fields})


def audit(*estimates: Estimate, **fields: Any) -> AuditResult:
    """Return an audit in which the templates ran and StereoSet did not."""
    base: dict[str, Any] = {
        "label": "model",
        "suites": (
            SuiteRun(suite="templates", status="run", protocols=(TEMPLATES,), n_items=1000),
            SuiteRun(suite="stereoset", status="not_run", reason="no data"),
        ),
        "estimates": estimates,
        "provenance": provenance(),
        "run": RUN,
    }
    return AuditResult(**(base | fields))


def provenance(settings: Settings | None = None) -> Provenance:
    model = ModelIdentity(id="m", fingerprint="c0ffee")
    return Provenance(model=model, settings=settings or Settings())


RUN = Run(started="", finished="", seconds=0.0, host="")


def discordant(b: float, c: float, n: int = 1000, base: float = 0.5, **fields: Any) -> Comparison:
    """Compare a rate on independent items: b only the candidate prefers, c only the baseline."""
    evidence = Tango(b, c, n)
    difference, square = (b - c) / n, (b + c) / n
    value = base + difference * fields.get("direction", 1)
    own = bounds(Wilson(value, n), "wilson")
    return comparison(
        **{
            "name": "stereotype_preference_rate", "value_baseline": base, "value_candidate": value,
            "difference": difference, "interval": bounds(evidence, "tango"), "n": n,
            "n_clusters": n, "n_discordant": int(b + c), "mean_square": square, "ideal": 0.5,
            "margin": 0.05, "se": agresti_min_se(difference, square, n), "candidate_interval": own,
            **fields,
        }
    )  # fmt: skip


def shifted(difference: float, se: float, df: float | None = 30, **fields: Any) -> Comparison:
    """Compare a clustered rate by Student's interval of the difference."""
    value = 0.5 + difference
    return comparison(
        **{
            "name": "stereotype_preference_rate", "value_baseline": 0.5, "value_candidate": value,
            "difference": difference, "se": se, "df": df, "n": 800, "n_clusters": 31,
            "interval": bounds(Student(difference, se, se, df), "cr2"), "n_discordant": 200,
            "ideal": 0.5, "margin": 0.05,
            "candidate_interval": bounds(Student(value, se, se, df), "cr2"), **fields,
        }
    )  # fmt: skip


def comparison(**fields: Any) -> Comparison:
    base = {
        "suite": "templates", "protocol": TEMPLATES, "axis": "gender", "baseline": "base",
        "candidate": "dp", "primary": True, "alpha": 0.05, "direction": 1,
    }  # fmt: skip
    return Comparison(**(base | fields))


def compared(
    *comparisons: Comparison, candidates: Sequence[str] = ("dp",), **fields: Any
) -> ComparisonResult:
    base: dict[str, Any] = {
        "baseline": "base",
        "candidates": tuple(candidates),
        "comparisons": comparisons,
        "not_compared": tuple(
            NotCompared.of(label, "stereoset", "not run for the baseline: no data")
            for label in candidates
        ),
        "provenance": ComparisonProvenance(
            baseline=provenance(), candidates={label: provenance() for label in candidates}
        ),
        "run": RUN,
    }
    return ComparisonResult(**(base | fields))


def policy(*rules: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"policy": settings, "rules": list(rules)}


def toml(content: dict[str, Any]) -> str:
    """Write a policy as TOML; JSON's numbers, strings and lists are TOML's."""
    tables = [("[policy]", content["policy"]), *(("[[rules]]", rule) for rule in content["rules"])]
    lines = []
    for head, table in tables:
        lines += [head, *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"
