"""What is asked: one file per benchmark, and the explicit list of all of them."""

from __future__ import annotations

import difflib
from pathlib import Path

from fairaudit.errors import SuiteFileError, UsageError
from fairaudit.suites import (
    bbq,
    bbq_prompted,
    bec_pro,
    bold,
    coreference_prompted,
    crows_pairs,
    custom,
    disco,
    embedded,
    holistic_bias,
    honest,
    reddit_bias,
    regard,
    seat,
    stereoset,
    toxicity,
    winobias,
    winogender,
)
from fairaudit.suites.base import PROMPT, GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import DataFinder, DataUnavailableError

#: Every suite, in the order in which they are run and reported.
SUITES: tuple[Suite, ...] = (
    embedded.TEMPLATES,
    crows_pairs.SUITE,
    crows_pairs.NEVEOL_SUITE,
    crows_pairs.KINIT_SUITE,
    stereoset.SUITE,
    bbq.SUITE,
    bbq_prompted.SUITE,
    winobias.SUITE,
    coreference_prompted.WINOBIAS_SUITE,
    winogender.SUITE,
    coreference_prompted.WINOGENDER_SUITE,
    holistic_bias.SUITE,
    reddit_bias.SUITE,
    bec_pro.SUITE,
    disco.SUITE,
    toxicity.SUITE,
    bold.SUITE,
    regard.SUITE,
    honest.SUITE,
    seat.SUITE,
)

#: Capability stands beside every audit, whatever suites are chosen.
PROBE = embedded.PROBE


def get_suite(name: str, language: str | None = None) -> Suite:
    """Find a suite by name, or make one from a user's own file.

    Parameters
    ----------
    name : str
        A name of `SUITES`, or the path of a ``.toml``, ``.jsonl``, ``.csv`` or ``.tsv`` file.
    language : str, optional
        What a suite file is written in; default what it says, or English.

    Raises
    ------
    UsageError
        If there is no such suite; the message names the nearest one.
    SuiteFileError
        If the file is malformed, or its suite has the name of one of ours.
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
