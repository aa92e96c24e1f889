"""Whether what was named is there, before anything is imported that reads it.

The libraries that read results and models take seconds to import; a typing error is told without.
What is there is looked at again, and more closely, by whoever reads it.
"""

from __future__ import annotations

from pathlib import Path

from fairaudit.errors import ResultError, UsageError
from fairaudit.vocabulary.files import PRIVACY, no_policy, where_to_look


def refuse_missing_results(*places: Path) -> None:
    """Refuse folders of results, or their files, that are not there.

    Raises
    ------
    ResultError
        Naming the first.
    """
    for place in places:
        _refuse_missing(place, None)


def refuse_missing_statement(folder: Path) -> None:
    """Refuse a checkpoint that is not there or carries no privacy statement.

    Raises
    ------
    ResultError
        Naming the file.
    """
    _refuse_missing(folder / "privacy.json" if folder.is_dir() else folder, PRIVACY)


def refuse_missing_policy(path: Path | None) -> None:
    """Refuse a policy file that is not there; None is no policy.

    Raises
    ------
    UsageError
        Naming it.
    """
    if path is not None and not path.exists():
        raise UsageError(no_policy(path))


def _refuse_missing(path: Path, schema: str | None) -> None:
    if not path.exists():
        raise ResultError(f"{path}: no such file; name {where_to_look(schema)}")
