"""Everything that can go wrong for a reason the user can act on.

One class per kind of trouble under one base class. A message says what is wrong, where, and what to
do. The command line prints it on one line and ends with the exit code of the class.
"""

from collections.abc import Mapping
from typing import Any


def fault_words(fault: Mapping[str, Any]) -> str:
    """Return what pydantic says of a fault, without the class of the error that our checks raise.

    Parameters
    ----------
    fault : mapping
        One of ``ValidationError.errors()``.

    Returns
    -------
    str
        In words for the user.

    Examples
    --------
    >>> fault_words({"msg": "Value error, two answers are the same"})
    'two answers are the same'
    """
    return str(fault["msg"]).removeprefix("Value error, ").removeprefix("Assertion failed, ")


class FairauditError(Exception):
    """Base class of all errors that fairaudit raises on purpose."""

    exit_code = 2


class UsageError(FairauditError):
    """The call itself does not make sense: an unknown suite, a value out of range."""


class ModelError(FairauditError):
    """The checkpoint cannot be loaded, or cannot be trusted once loaded."""


class DataError(FairauditError):
    """Benchmark data is missing, malformed, or not the pinned version."""


class SuiteFileError(DataError):
    """A user's own suite file is malformed; the message names row and column."""


class ResultError(FairauditError):
    """A result file or audit folder cannot be read, or must not be overwritten."""


class BusyError(ResultError):
    """Another process works in the same folder."""


class NonFiniteError(ModelError):
    """The model produced NaN or infinite log-probabilities."""


class EndpointError(FairauditError):
    """A server that was asked for texts does not answer, or not as it should."""
