"""`CompareOptions`: what a comparison can be asked for, each option once."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any

from fairaudit.errors import UsageError
from fairaudit.options import Option, Options, Overwrite, Place, ProgressOf
from fairaudit.stats.multiplicity import Method
from fairaudit.vocabulary.verdicts import SMALLEST_ALPHA

#: An audit, or where it lies: its type would cost the program half a second at every start.
Audit = Any | str | os.PathLike[str]


@dataclass(frozen=True)
class CompareOptions(Options):
    """Audits and options of a comparison."""

    audits: Annotated[
        Sequence[Audit],
        Option(
            doc="Two or more; the first is the baseline.", kind="sequence of AuditResult or path"
        ),
    ]
    _: KW_ONLY
    labels: Annotated[
        Sequence[str] | None,
        Option(
            "Names, baseline first.",
            doc="One name per audit; default those of the audits, numbered where they repeat.",
        ),
    ] = None
    margin: Annotated[
        float | None,
        Option(
            "Zone of equivalence of rates, as a fraction (0.05).",
            doc="Half-width of the zone of equivalence, for metrics that declare one (rates: 0.05, "
            "as a fraction). Metrics that declare none get no equivalence verdict.",
            above=0,
            below=1,
        ),
    ] = None
    alpha: Annotated[float, Option("Error level of verdicts.", min=SMALLEST_ALPHA, below=0.5)] = (
        0.05
    )
    correction: Annotated[
        Method,
        Option(
            "Correction of the primary comparisons of a candidate.",
            "Exploratory ones get ``bh``.",
        ),
    ] = "holm"
    seed: Annotated[int, Option("Seed of bootstrap and permutation.", min=0)] = 0
    output: Annotated[
        Place | None,
        Option(
            "Comparison folder.",
            doc="Folder for the comparison: result and report.",
            flags=("--output", "-o"),
            required=True,
        ),
    ] = None
    overwrite: Overwrite = False
    processes: Annotated[
        int,
        Option(
            doc="How many processes share suites and figures; the result does not depend on it. "
            "More than one need Linux, and a process that has not loaded torch.",
            min=1,
        ),
    ] = 1
    progress: ProgressOf = None

    def __post_init__(self) -> None:
        """Check all values; one audit by itself is no list of them."""
        if isinstance(self.audits, str) or not isinstance(self.audits, Sequence):
            raise UsageError("compare takes a list of audits, the baseline first")
        super().__post_init__()

    def complaints(self) -> Iterator[str]:
        """Say that there is nothing to compare."""
        if len(self.audits) < 2:
            yield "name at least two audits: the baseline, then the candidates"
