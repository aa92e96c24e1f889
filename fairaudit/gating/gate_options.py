"""`GateOptions`: what a gate can be asked for, each option once."""

import os
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any

from fairaudit.options import Option, Options

#: A result or a policy, or where it lies: their types would cost the program time at every start.
Given = Any | str | os.PathLike[str]


@dataclass(frozen=True)
class GateOptions(Options):
    """Result, policy and options of a gate."""

    result: Annotated[
        Given,
        Option(
            "Folder of an audit or a comparison.",
            doc="What was measured, or the folder it was saved in.",
            kind="AuditResult, ComparisonResult or path",
            cli=str,
            argument=True,
            metavar="FOLDER",
        ),
    ]
    policy: Annotated[
        Given | Mapping[str, Any],
        Option(
            "Policy to decide by (TOML).",
            doc="TOML file, or its content as a mapping; see `fairaudit.gating.policy`.",
            kind="path, mapping or Policy",
            cli=str,
            optional=True,
        ),
    ]
    _: KW_ONLY
    allow_inconclusive: Annotated[
        bool,
        Option(
            "End with 0 where undecided.",
            doc="Give the exit code 0 to a gate that is undecided, unless nothing at all was "
            "evaluated, or the comparison is at fault (sides swapped, items lost, other settings).",
        ),
    ] = False
