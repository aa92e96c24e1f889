"""`ClassifierCheckOptions`: what the check of a classifier can be asked for, each option once."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from fairaudit.options import Device, Option, Options, Place


@dataclass(frozen=True)
class ClassifierCheckOptions(Options):
    """Classifier and options of a check."""

    classifier: Annotated[
        Place,
        Option(
            "Folder or Hub id of a text classifier (id@revision, #label).", cli=str, argument=True
        ),
    ]
    _: KW_ONLY
    labels: Annotated[
        Place | None,
        Option("Labelled texts: text, label (0 or 1), group if known; JSONL or CSV."),
    ] = None
    full: Annotated[bool, Option("All templates, not a sample.")] = False
    seed: Annotated[int, Option("Seed of the bootstrap.", min=0)] = 0
    device: Device = "auto"
