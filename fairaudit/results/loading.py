"""Reading whichever result lies in a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Final

from fairaudit.errors import ResultError
from fairaudit.parsing import parse_json
from fairaudit.results.audit import SCHEMA, AuditResult
from fairaudit.results.comparison import COMPARISON_SCHEMA, ComparisonResult
from fairaudit.results.diagnostics import DIAGNOSTICS_SCHEMA, DiagnosticsResult
from fairaudit.results.experiment import EXPERIMENT_SCHEMA, ExperimentResult
from fairaudit.results.map import MAP_SCHEMA, MapResult

Result = AuditResult | ComparisonResult | ExperimentResult | DiagnosticsResult | MapResult

_KINDS: Final[dict[Any, type[Result]]] = {
    SCHEMA: AuditResult,
    COMPARISON_SCHEMA: ComparisonResult,
    EXPERIMENT_SCHEMA: ExperimentResult,
    DIAGNOSTICS_SCHEMA: DiagnosticsResult,
    MAP_SCHEMA: MapResult,
}


def load_result(folder: str | os.PathLike[str]) -> Result:
    """Read the result of a folder (or its ``result.json``).

    Raises
    ------
    ResultError
        If there is none, or it is damaged or of a newer version.
    """
    path = Path(folder)
    path = path / "result.json" if path.is_dir() else path
    schema = _schema_of(path)
    if isinstance(schema, str) and schema not in _KINDS:
        known = ", ".join(f"'{name}'" for name in _KINDS)
        raise ResultError(f"{path}: expected schema {known}, found {schema[:40]!r}")
    return _KINDS.get(schema if isinstance(schema, str) else None, AuditResult).load(path)


def _schema_of(path: Path) -> Any:
    """Return the schema that a file names, or None: reading it then says what is wrong."""
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return content.get("schema") if isinstance(content, dict) else None
