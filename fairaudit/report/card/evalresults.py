"""``.eval_results/*.yaml``: pooled scores for the leaderboards of benchmark datasets.

A file per task of a dataset on the Hub, in the Hub's own format. A suite whose items no dataset of
the Hub holds gets none, nor does a protocol without a pooled value. A value over part of a
benchmark, over items that were not checked against it, or of a model that is not shown to be
capable is nothing to rank.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from fairaudit.report import words
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.card.frontmatter import dump
from fairaudit.report.names import metric_of, variant
from fairaudit.report.safe_text import clean
from fairaudit.results import AuditResult, Estimate
from fairaudit.results.capability import weakness_of
from fairaudit.vocabulary.suites import CARDS, Task, task_of

if TYPE_CHECKING:
    from huggingface_hub import EvalResultEntry

_DIGITS = 6
#: Every file that an audit may have in ``.eval_results``.
FILES: Final = frozenset(task.file for card in CARDS.values() for task in card.tasks.values())


def eval_results(result: AuditResult) -> dict[str, str]:
    """Render the pooled value of each protocol that verdicts rest on.

    Returns
    -------
    dict of str to str
        YAML texts by file name; rates are fractions 0 to 1, dates those of the audit.
    """
    from huggingface_hub import eval_result_entries_to_yaml

    return {
        task.file: dump(eval_result_entries_to_yaml([_entry(task, found, result)]))
        for task, found in _pooled(result)
    }


def _pooled(result: AuditResult) -> Iterator[tuple[Task, Estimate]]:
    """Yield the pooled value of each metric that verdicts rest on, the first of each task."""
    taken: set[Task] = set()
    asked = {(found.protocol, found.name) for found in primary_bias(result)}
    checked = {run.suite for run in result.suites if run.sources}
    for found in result.estimates:
        task = task_of(found.protocol)
        if task is None or task in taken or found.suite not in checked:
            continue
        if (found.protocol, found.name) in asked and _comparable(found, task, result):
            taken.add(task)
            yield task, found


def _comparable(found: Estimate, task: Task, result: AuditResult) -> bool:
    """Whether a value is that of a capable model on the whole task."""
    pooled = found.axis == "all" and found.group is None and found.value is not None
    whole = found.n >= task.n_items
    return pooled and whole and weakness_of(found, result.estimates) is None


def _entry(task: Task, found: Estimate, result: AuditResult) -> EvalResultEntry:
    from huggingface_hub import EvalResultEntry

    assert found.value is not None
    return EvalResultEntry(
        dataset_id=task.dataset,
        task_id=task.name,
        value=round(found.value, _DIGITS),
        date=result.run.started,
        notes=_notes(found),
    )


def _notes(found: Estimate) -> str:
    ideal = words.reference(found.ideal, found)
    bounds = "no interval"
    if found.interval is not None:
        level = words.level_name(found.interval.level)
        bounds = f"{level} interval {words.interval_of(found)} ({found.interval.method})"
    return clean(
        f"{metric_of(found).label}, {variant(found.protocol)}: {words.value_of(found)}, {bounds}, "
        f"n {words.count(found.n)}, ideal {ideal}; by fairaudit"
    )
