"""Before a diagnosis: whether a record's gradient depends on the batch that it stands in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairaudit.diagnostics.encoding import IGNORED
from fairaudit.errors import ModelError
from fairaudit.gradients import GradientEngine, dependence
from fairaudit.scoring.probe_rows import ordinary_ids, probe_rows

if TYPE_CHECKING:
    from fairaudit.scoring.load import LoadedModel


def check_independence(loaded: LoadedModel, longest: int) -> None:
    """Refuse a model without gradients per record: padding would change the numbers of each.

    Parameters
    ----------
    loaded : LoadedModel
        The model, as it was loaded: one that another trainer has wrapped may round differently
        from batch to batch.
    longest : int
        Tokens after which a row is cut.

    Raises
    ------
    ModelError
        If a record's gradient depends on the records beside it.
    """
    tokenizer, n_rows = loaded.tokenizer, loaded.vocabulary_size
    mask_id = None if loaded.kind == "causal" else int(tokenizer.mask_token_id)
    probes = probe_rows(
        tokenizer, n_rows, min(longest, loaded.max_length or longest), mask_id=mask_id
    )
    target = ordinary_ids(tokenizer, n_rows)[0]
    rows = [
        (ids, ids if mask_id is None else tuple(target if t == mask_id else IGNORED for t in ids))
        for ids in probes
    ]
    engine = GradientEngine(loaded.model, objective=loaded.kind)
    reason = dependence(engine, rows, (loaded.pad_id,))
    if reason is not None:
        raise ModelError(f"{loaded.identity.architecture}: {reason}; it cannot be diagnosed")
