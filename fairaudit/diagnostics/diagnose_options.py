"""`DiagnoseOptions`: what a diagnosis can be asked for, each option once."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import Annotated, Any

from fairaudit.options import (
    END,
    Device,
    Dtype,
    Option,
    Options,
    Overwrite,
    Place,
    ProgressOf,
    TrustRemoteCode,
)

Model = str | os.PathLike[str] | tuple[Any, Any]


@dataclass(frozen=True)
class DiagnoseOptions(Options):
    """Models, texts and options of a diagnosis."""

    models: Annotated[
        Model | Sequence[Model],
        Option(
            "Checkpoints of one architecture; checkpoint-N folders are a series.",
            "A series is ordered by N; a first model without a number is its step 0. Other models "
            "stand beside each other, and the first is the one they are normalised by.",
            kind="path, Hub id, (model, tokenizer), or a sequence of them",
            cli=list[str],
            argument=True,
        ),
    ]
    texts: Annotated[
        Any,
        Option(
            "Your own texts: .txt, .csv, .tsv, .jsonl or .parquet.",
            "Default: the built-in probe texts.",
            kind="path, list of str, or pandas.DataFrame",
            cli=Path,
        ),
    ] = None
    _: KW_ONLY
    output: Annotated[
        Place | None,
        Option(
            "Folder for result, tables, figures and report.",
            flags=("--output", "-o"),
            required=True,
            before="texts",
        ),
    ] = None
    overwrite: Overwrite = False
    group_column: Annotated[
        str | None, Option("Column with the group; default: word list of the axis.", before=END)
    ] = None
    template_column: Annotated[
        str | None, Option("Column with what is resampled together; default: the row.")
    ] = None
    text_column: Annotated[str, Option("Column with the text.")] = "text"
    axes: Annotated[
        Sequence[str] | None,
        Option(
            "Axes of the built-in texts.",
            "Default: gender, race, religion. With texts of one's own: the one of the word list "
            "(default gender).",
        ),
    ] = None
    public_texts: Annotated[
        bool,
        Option(
            "Declare these texts public.",
            "Otherwise the result says that the privacy guarantee does not cover it, and beside "
            "models trained with one it is saved in ``private/``.",
        ),
    ] = False
    max_grad_norm: Annotated[
        float | None,
        Option(
            "C; default: privacy.json beside the checkpoint.",
            "What needs a number that neither it nor an option tells is not run.",
            above=0,
        ),
    ] = None
    noise_multiplier: Annotated[
        float | None, Option("σ; default: privacy.json beside the checkpoint.", min=0)
    ] = None
    batch_size: Annotated[
        float | None, Option("B of training; default: privacy.json or training.json.", above=0)
    ] = None
    learning_rate: Annotated[
        float | None, Option("η; default: training.json beside the checkpoint.", above=0)
    ] = None
    labels: Annotated[Sequence[str] | None, Option("Names of the models.")] = None
    steps: Annotated[
        Sequence[int] | None, Option("Training step of each model; makes them a series.")
    ] = None
    curvature_probes: Annotated[
        int,
        Option("Random directions for the curvature; 0: no curvature, no decomposition.", min=0),
    ] = 4
    twins: Annotated[bool, Option("Compare with counterfactual twins.")] = True
    device: Device = "auto"
    dtype: Dtype = "auto"
    seed: Annotated[int, Option("Seed of masks, pairs and resampling.", min=0)] = 0
    replicates: Annotated[int, Option(doc="Of bootstrap and permutation.", min=199)] = 1999
    max_length: Annotated[int, Option(doc="Tokens after which a text is cut.", min=4)] = 256
    trust_remote_code: TrustRemoteCode = False
    progress: ProgressOf = None

    def complaints(self) -> Iterator[str]:
        """Say which options contradict each other about the texts."""
        if self.texts is None:
            if self.group_column is not None or self.template_column is not None:
                yield "a column was named, but no texts: give --texts FILE"
        elif self.group_column is None and len(self.axes or ("gender",)) != 1:
            yield "texts are grouped by the word list of one axis; name one, or a column"
        elif self.group_column is not None and self.axes is not None:
            yield "texts are grouped by a column or by the word list of an axis, not both"
