"""What is asked: one file per benchmark, and the explicit list of all of them."""

from __future__ import annotations

import difflib
from pathlib import Path

from fairaudit.errors import UsageError
from fairaudit.suites import crows_pairs, custom, embedded, stereoset
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, DataUnavailableError

#: Every suite, in the order in which they are run and reported.
SUITES: tuple[Suite, ...] = (
    embedded.TEMPLATES,
    crows_pairs.SUITE,
    crows_pairs.NEVEOL_SUITE,
    crows_pairs.KINIT_SUITE,
    stereoset.SUITE,
)

#: Capability stands beside every audit, whatever suites are chosen.
PROBE = embedded.PROBE


def get_suite(name: str) -> Suite:
    """Find a suite by name, or make one from a user's own file.

    Parameters
    ----------
    name : str
        A name of `SUITES`, or the path of a ``.toml``, ``.jsonl`` or ``.csv`` suite file.

    Raises
    ------
    UsageError
        If there is no such suite; the message names the nearest one.
    """
    for suite in SUITES:
        if suite.name == name:
            return suite
    if Path(name).suffix in custom.SUFFIXES:
        return custom.load_suite(Path(name))
    names = [suite.name for suite in SUITES]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else f"; there are {', '.join(names)}"
    raise UsageError(f"no suite is called '{name}'{hint}")


__all__ = [
    "PROBE",
    "SUITES",
    "DataFinder",
    "DataUnavailableError",
    "Suite",
    "SuiteData",
    "get_suite",
]
