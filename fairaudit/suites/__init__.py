"""What is asked: one file per benchmark. A suite is known as soon as its file is here."""

from __future__ import annotations

import difflib
import pkgutil
from importlib import import_module
from pathlib import Path
from typing import Final

from fairaudit.errors import SuiteFileError, UsageError
from fairaudit.suites import custom, embedded
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import DataFinder, DataUnavailableError
from fairaudit.vocabulary.suites import CARDS


def _shipped() -> dict[str, Suite]:
    """Every suite that a module of this package defines, by name."""
    modules = [import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    found = (one for module in modules for one in vars(module).values() if isinstance(one, Suite))
    return {suite.name: suite for suite in found}


_SHIPPED: Final = _shipped()
#: Capability stands beside every audit, whatever suites are chosen.
PROBE: Final = embedded.PROBE

#: Every suite, in the order of their cards, in which they are run and reported.
SUITES: Final = tuple(_SHIPPED[name] for name in CARDS if name != PROBE.name)


def get_suite(name: str, language: str | None = None) -> Suite:
    """Find a suite by name, or make one from a user's own file.

    Parameters
    ----------
    name : str
        A name of `SUITES`, or the path of a ``.toml``, ``.jsonl``, ``.csv`` or ``.tsv`` file.
    language : str, optional
        What a suite file is written in; default what it says, or English.

    Returns
    -------
    Suite
        Its card, items, protocols and metrics; nothing is loaded or fetched yet.

    Raises
    ------
    UsageError
        If there is no such suite; the message names the nearest one.
    SuiteFileError
        If the file is malformed, or its suite has the name of one of ours.

    Examples
    --------
    >>> get_suite("crows_pairs").card.title
    'CrowS-Pairs'
    """
    for suite in SUITES:
        if suite.name == name:
            return suite
    if Path(name).suffix in custom.SUFFIXES:
        return own_suite(Path(name), language)
    names = [suite.name for suite in SUITES]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(names)}"
    raise UsageError(f"no suite is called '{name}'{hint}")


def own_suite(path: Path, language: str | None = None) -> Suite:
    """Read a user's own suite file, which must not take the name of one of ours.

    Parameters
    ----------
    path : Path
        A ``.toml``, ``.jsonl``, ``.csv`` or ``.tsv`` file.
    language : str, optional
        What it is written in; default what it says, or English.

    Returns
    -------
    Suite
        With its items read and checked.

    Raises
    ------
    SuiteFileError
        Naming what is wrong, and where.
    """
    suite = custom.load_suite(path, language)
    if suite.name in {PROBE.name, *(ours.name for ours in SUITES)}:
        raise SuiteFileError(
            f"{path}: '{suite.name}' is the name of one of fairaudit's suites; rename the file, or "
            "the suite where the file names it"
        )
    return suite


__all__ = [
    "PROBE",
    "PROMPT",
    "SUITES",
    "DataFinder",
    "DataUnavailableError",
    "GenerationDesign",
    "Suite",
    "SuiteData",
    "get_suite",
    "own_suite",
]
