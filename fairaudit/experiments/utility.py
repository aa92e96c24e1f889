"""Utility of a checkpoint: perplexity on held-out text of the kind it was trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fairaudit.scoring.load import load_model
from fairaudit.training.draws import labeller
from fairaudit.training.encoding import encode_records, row_frame
from fairaudit.training.evaluation import perplexity
from fairaudit.training.masking import Masker
from fairaudit.training.recipe import Recipe
from fairaudit.training.records import read_records


def text_perplexity(
    checkpoint: str | Path,
    texts: Sequence[str] | str,
    text_column: str | None = None,
    *,
    max_length: int | None = None,
) -> float:
    """Perplexity of a checkpoint per token; for a masked model that of the masked tokens.

    Parameters
    ----------
    checkpoint : str or path
        Folder or Hub id.
    texts : sequence of str, or path
        Held-out text.
    text_column : str, optional
        Column of the text in a file that has several.
    max_length : int, optional
        Tokens at which a text is cut; default that of `fairaudit.finetune`. Perplexities at two
        lengths are not comparable: the longer one has read more.
    """
    loaded = load_model(checkpoint)
    source = texts if isinstance(texts, str) else list(texts)
    records = read_records(source, text_column=text_column)
    wanted = Recipe().max_length if max_length is None else max_length
    longest = min(wanted, loaded.max_length or wanted)
    frame = row_frame(loaded.tokenizer, loaded.kind, longest)
    corpus = encode_records(records, loaded.tokenizer, frame)
    masker = None if loaded.kind == "causal" else Masker.of(loaded.tokenizer, frame)
    label = labeller(masker)
    return perplexity(
        loaded,
        corpus.records,
        label,
        pad_id=loaded.pad_id,
    )
