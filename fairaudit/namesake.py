"""The other project of the same import name: say when it is in the way."""

from __future__ import annotations

import os
import sys
from functools import cache

#: The name that pip knows; the index has an unrelated ``fairaudit`` with the same import folder.
DISTRIBUTION = "fairaudit-lm"
_ENTRY_POINT = "fairaudit.__main__:main"


@cache
def warn_of_namesake() -> None:
    """Log one line, once, if the unrelated distribution ``fairaudit`` is in this environment.

    Folders are listed instead of asking `importlib.metadata`, whose import alone takes longer than
    that of this package.
    """
    found = next((one for folder in sys.path if (one := _foreign(folder)) is not None), None)
    if found is None:
        return
    import logging

    folder, name = os.path.split(found)
    logging.getLogger("fairaudit").warning(
        "fairaudit: an unrelated package of the same name is installed (%s in %s); run "
        "'pip uninstall fairaudit %s', then install %s again",
        name.removesuffix(".dist-info"),
        folder,
        DISTRIBUTION,
        DISTRIBUTION,
    )


def _foreign(folder: str) -> str | None:
    """Path of the metadata of a distribution ``fairaudit`` that does not declare our program."""
    try:
        names = os.listdir(folder or os.curdir)
    except OSError:
        return None
    for name in names:
        if name.startswith("fairaudit-") and name.endswith(".dist-info"):
            path = os.path.join(folder, name)
            if not _is_ours(path):
                return path
    return None


def _is_ours(metadata: str) -> bool:
    try:
        with open(os.path.join(metadata, "entry_points.txt"), encoding="utf-8") as stream:
            return _ENTRY_POINT in stream.read()
    except OSError:
        return False
