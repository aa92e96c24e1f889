"""The score tables of an audit as one `datasets.Dataset`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fairaudit.errors import UsageError
from fairaudit.results import AuditResult

if TYPE_CHECKING:
    from datasets import Dataset

#: Columns that the table of every suite has, in this order; other columns of suites follow.
COLUMNS = (
    "item_id", "protocol", "axis", "group", "cluster", "role", "score", "n_tokens", "status",
    "reason",
)  # fmt: skip


def item_scores(
    result: AuditResult | str | os.PathLike[str], *, suites: Sequence[str] | None = None
) -> Dataset:
    """Return the item scores of an audit as a dataset: a row per item, protocol and role.

    Parameters
    ----------
    result : AuditResult or path
        The audit, or its folder.
    suites : sequence of str, optional
        Whose tables; default: all that the audit has.

    Returns
    -------
    datasets.Dataset
        Columns ``model`` (the audit's label) and ``suite``, then those of every table:
        ``item_id, protocol, axis, group, cluster, role, score, n_tokens, status, reason``. Scores
        are in nats, or those of a text scorer; null where an item was skipped, with its reason.

    Raises
    ------
    UsageError
        If a suite has no table.
    ResultError
        If the audit cannot be read.
    """
    import pandas as pd
    from datasets import Dataset

    audit = result if isinstance(result, AuditResult) else AuditResult.load(os.fspath(result))
    wanted = list(audit.tables if suites is None else suites)
    unknown = next((one for one in wanted if one not in audit.tables), None)
    if unknown is not None or not wanted:
        have = ", ".join(audit.tables) or "none"
        raise UsageError(f"this audit has no items for '{unknown or ''}'; there are: {have}")
    tables = []
    for name in wanted:
        table = audit.items(name).reindex(columns=list(COLUMNS))
        table.insert(0, "suite", name)
        table.insert(0, "model", audit.label)
        tables.append(table)
    return Dataset.from_pandas(pd.concat(tables, ignore_index=True), preserve_index=False)
