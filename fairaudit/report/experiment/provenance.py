"""Plan, versions and run of an experiment, as rows to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairaudit.report.provenance import Fact, nested_rows, when_rows
from fairaudit.results.experiment import ExperimentResult


def tables(result: ExperimentResult) -> list[tuple[str, Sequence[Fact]]]:
    """Return one table per table of the plan, then versions and run."""
    plan = result.plan
    loose = {name: value for name, value in plan.items() if not isinstance(value, Mapping)}
    inner = {name: value for name, value in plan.items() if isinstance(value, Mapping) and value}
    return [
        ("Plan", tuple(nested_rows(loose))),
        *((f"Plan: [{name}]", tuple(nested_rows(value))) for name, value in inner.items()),
        ("Versions", tuple(result.versions.items())),
        ("Run", when_rows(result.run)),
    ]
