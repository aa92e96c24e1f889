"""The command-line program: its verbs, its global options, and what an error looks like."""

from __future__ import annotations

import gc
import itertools
import logging
import os
import sys
from typing import Annotated, Any, Final

import typer

from fairaudit._version import __version__
from fairaudit.cli.state import STATE
from fairaudit.cli.streams import OneLine, one_line, settle_signals, settle_streams
from fairaudit.cli.verbs import VerbGroup
from fairaudit.errors import FairauditError, UsageError
from fairaudit.namesake import warn_of_namesake
from fairaudit.ranks import RankError, is_launched

INTERNAL_ERROR = 70
INTERRUPTED = 130
#: Verbs that several processes share, as torchrun and accelerate start them.
_SHARED: Final = frozenset({"audit", "finetune"})
_GLOBAL_FLAGS: Final = frozenset({"--quiet", "-q", "--debug"})
#: Options that name a file or folder: an empty one would be read as the current folder.
_PATHS: Final = frozenset({"--output", "-o", "--data", "--base", "--policy", "--train", "--junit"})


class GlobalsAnywhere(VerbGroup):
    """A group whose global flags may stand anywhere on the line, not only before the verb."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Move global flags to the front; what follows ``--`` is left alone."""
        end = args.index("--") if "--" in args else len(args)
        head, rest = args[:end], args[end:]
        for option, value in itertools.pairwise((*head, "-")):
            if (option in _PATHS and not value) or option.removesuffix("=") in _PATHS - {option}:
                raise UsageError(f"{option.removesuffix('=')} is empty; is a variable not set?")
        moved = [arg for arg in head if arg in _GLOBAL_FLAGS]
        others = [arg for arg in head if arg not in _GLOBAL_FLAGS]
        return super().parse_args(ctx, [*moved, *others, *rest])


app = typer.Typer(
    name="fairaudit",
    cls=GlobalsAnywhere,
    help="Did fine-tuning make this language model more biased, and how sure are we?",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"fairaudit {__version__}")
        raise typer.Exit


@app.callback()
def global_options(
    ctx: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show version.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and log lines.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no table.")] = False,
) -> None:
    """Set what holds for every verb."""
    if ctx.invoked_subcommand not in _SHARED and is_launched():
        raise UsageError(
            f"{ctx.invoked_subcommand} is the work of one process; start it without a launcher "
            f"({' and '.join(sorted(_SHARED))} take several)"
        )
    STATE.debug, STATE.quiet = debug, quiet
    level = logging.DEBUG if debug else logging.ERROR if quiet else logging.WARNING
    handler = logging.StreamHandler()
    handler.setFormatter(OneLine("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[handler])
    logging.getLogger("fairaudit").setLevel(level)


def main() -> None:
    """Run the program and end with the exit code that docs/verdicts.md lists."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Many small objects and few cycles: looking for cycles every 700 objects took a tenth of a run.
    gc.set_threshold(100_000, 20, 50)
    settle_streams()
    settle_signals()
    # Said by `import fairaudit` as well, unless the other package wrote over that file.
    warn_of_namesake()
    try:
        app()
    except RankError as error:
        # One line for the whole run: that of the rank which met the error.
        sys.exit(error.exit_code) if error.is_told else _fail(str(error), error.exit_code)
    except FairauditError as error:
        _fail(str(error), error.exit_code)
    except OSError as error:
        # The machine's trouble, not the program's: a name that is too long, a disk that fails.
        place = f"{error.filename}: " if error.filename else ""
        _fail(f"{place}{error.strerror or error}", FairauditError.exit_code)
    except KeyboardInterrupt:
        _fail("interrupted", INTERRUPTED)
    except Exception as error:
        _fail(f"internal error: {type(error).__name__}: {error}", INTERNAL_ERROR)


def _fail(message: str, code: int) -> None:
    """Print one line, and the traceback only if asked for."""
    if STATE.debug and sys.exc_info()[0] is not KeyboardInterrupt:
        logging.getLogger("fairaudit").exception("traceback")
    typer.echo(f"fairaudit: {one_line(message)}", err=True)
    sys.exit(code)
