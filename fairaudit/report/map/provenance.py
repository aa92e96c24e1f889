"""Plan, versions and run of a map, as rows to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fairaudit.report.provenance import Fact, nested_rows, when_rows
from fairaudit.results.map import MapResult


def tables(result: MapResult) -> list[tuple[str, Sequence[Fact]]]:
    """Return one table per table of the plan, then versions and run."""
    loose = {name: value for name, value in result.plan.items() if not isinstance(value, Mapping)}
    inner = {
        name: value for name, value in result.plan.items() if isinstance(value, Mapping) and value
    }
    return [
        ("Plan", tuple(nested_rows(loose))),
        *((f"Plan: [{name}]", tuple(nested_rows(value))) for name, value in inner.items()),
        ("Versions", tuple(result.versions.items())),
        ("Run", when_rows(result.run)),
    ]
