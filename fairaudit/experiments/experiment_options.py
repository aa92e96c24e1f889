"""`ExperimentOptions`: what an experiment can be asked for, each option once."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any

from fairaudit.options import Option, Options, Place, ProgressOf


@dataclass(frozen=True)
class ExperimentOptions(Options):
    """Plan and options of an experiment."""

    plan: Annotated[
        Any | Place,
        Option(
            "Plan file (TOML), or a built-in plan: demo, full, regimes; or map, to map a grid of "
            "texts.",
            doc="A TOML file, or a built-in plan: ``demo`` (plain, CDA, DP, DP + CDA in two "
            "regimes; three seeds), ``full`` (all arms in one world, five seeds) or ``regimes`` "
            "(five regimes). See `fairaudit.experiments.experiment_plan`.",
            kind="ExperimentPlan, path or name",
            cli=str,
            argument=True,
        ),
    ] = "demo"
    _: KW_ONLY
    output: Annotated[
        Place,
        Option(
            "Folder of the experiment.",
            "An interrupted experiment resumes where it stopped, arm by arm.",
            flags=("--output", "-o"),
            optional=True,
        ),
    ]
    processes: Annotated[
        int | None,
        Option(
            "Arms trained side by side; default one for each core.",
            "A single one with a GPU.",
            min=1,
        ),
    ] = None
    progress: ProgressOf = None
