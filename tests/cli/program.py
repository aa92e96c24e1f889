"""The command line in this process: the real parser, errors and exit codes, without a new torch."""

from __future__ import annotations

import contextlib
import io
import logging
import sys
from dataclasses import dataclass
from unittest.mock import patch

from fairaudit.cli.app import main
from fairaudit.cli.state import STATE


@dataclass(frozen=True)
class Done:
    """How the program ended and what it said."""

    returncode: int
    stdout: str
    stderr: str


def fairaudit(*arguments) -> Done:
    """Run the program as ``fairaudit ARGUMENTS`` would."""
    out, err = io.StringIO(), io.StringIO()
    argv = ["fairaudit", *map(str, arguments)]
    logger = logging.getLogger("fairaudit")
    level = logger.level
    with (
        patch.object(sys, "argv", argv),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            main()
            code = 0
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else int(bool(end.code))
        finally:
            STATE.debug = STATE.quiet = False
            logger.setLevel(level)
    return Done(code, out.getvalue(), err.getvalue())
