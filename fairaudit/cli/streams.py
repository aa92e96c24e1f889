"""Standard output as the program's readers need it: any encoding, and a pipe that may close.

What a program found out does not hang on who reads what it prints. A character that the encoding
lacks is replaced, and when the reader of a pipe has gone the rest is written to nowhere, so that
the exit code is that of the work.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
from typing import Any, TextIO, cast

from fairaudit.report.safe_text import clean

#: Characters of an error that fit a screen; files may put anything into a message.
_LONGEST = 1000


class _Open:
    """A text stream that goes on as a sink when its reader has gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> int:
        """Write, or drop what nobody reads."""
        try:
            return self._stream.write(text)
        except BrokenPipeError:
            self._sink()
            return len(text)

    def flush(self) -> None:
        """Flush, or drop what nobody reads."""
        try:
            self._stream.flush()
        except BrokenPipeError:
            self._sink()

    def _sink(self) -> None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self._stream.fileno())
        os.close(nowhere)


def settle_streams() -> None:
    """Make standard output and error take every character and outlive their readers."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None or isinstance(stream, _Open):
            continue
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
            setattr(sys, name, cast("TextIO", _Open(stream)))


def settle_signals() -> None:
    """Make the requests to end, of a scheduler or a closed terminal, act as Ctrl-C."""
    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        # One that is ignored stays so: nohup asks for that. Other threads cannot set any.
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            with contextlib.suppress(ValueError):
                signal.signal(number, signal.default_int_handler)


def one_line(message: str) -> str:
    """Return a message as a single line of bounded length that drives no screen."""
    line = " ".join(clean(message).split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"


class OneLine(logging.Formatter):
    """A log record as one clean line; a traceback, which is asked for, stands below it."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        """Format the line of a record."""
        return one_line(super().formatMessage(record))
