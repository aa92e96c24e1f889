"""`FinetuneOptions`: what a fine-tuning can be asked for, each option once."""

import os
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from fairaudit.options import END, Device, Option, Place
from fairaudit.training.recipe import Recipe

if TYPE_CHECKING:
    from fairaudit.training.loop import StepHook
else:
    # What a hook is called with belongs to the loop, which needs torch.
    StepHook = Callable[..., None]

#: Rows of training data: a file, a list of texts, or a `datasets.Dataset`.
Source = str | os.PathLike[str] | Sequence[str] | Any


@dataclass(frozen=True)
class FinetuneOptions(Recipe):
    """Everything that `finetune` is called with: a recipe, the text, and how it runs."""

    base: Annotated[
        Place,
        Option(
            "Checkpoint folder, PEFT adapter or Hub id; causal or masked.",
            cli=str,
            argument=True,
            before="objective",
        ),
    ]
    train: Annotated[
        Source,
        Option(
            "Training text: .txt, .jsonl, .csv, .tsv or .parquet; also .gz.",
            "Every row that is not empty is a record.",
            kind="path, list of str, or datasets.Dataset",
            cli=Path,
        ),
    ]
    _: KW_ONLY
    output: Annotated[
        Place,
        Option(
            "Folder for the model.",
            "Beside it stand ``training.json``, ``privacy.json`` for private arms, and "
            "``private/`` with all that ε does not cover; adapters are merged.",
            flags=("--output", "-o"),
        ),
    ]
    micro_batch_size: Annotated[
        int | None,
        Option(
            "Rows in memory at a time, default by length; changes nothing but rounding.",
            min=1,
            before="max_length",
        ),
    ] = None
    gradient_checkpointing: Annotated[
        bool, Option("Compute activations again instead of keeping them: less memory, more time.")
    ] = False
    text_column: Annotated[
        str | None,
        Option(
            "Column of the text; default text, or the only other one.", before="max_rows_per_unit"
        ),
    ] = None
    unit_column: Annotated[
        str | None, Option("Column that identifies the person a row belongs to: one record each.")
    ] = None
    held_out: Annotated[
        Source | None,
        Option(
            "Text for perplexity before and after, into private/.",
            kind="path, list of str or datasets.Dataset",
            cli=Path,
            before="seed",
        ),
    ] = None
    keep_twins: Annotated[
        bool, Option("Keep some records with their twins in private/, as text.")
    ] = False
    device: Device = "auto"
    checkpoint_every: Annotated[
        int | None, Option("Steps between saved states; default a tenth.", min=1)
    ] = None
    resume: Annotated[bool, Option("Go on with the unfinished run in the folder.", before=END)] = (
        False
    )
    on_step: Annotated[
        StepHook | None,
        Option(doc="Called after each step with a `StepReport` and the model.", kind="callable"),
    ] = None
