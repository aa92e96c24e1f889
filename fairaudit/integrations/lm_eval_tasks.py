"""The embedded templates as task files of lm-evaluation-harness.

A task has one document per pair. The harness scores both sentences, and its number is the share of
pairs in which the stereotyped one is likelier. With ``--log_samples`` the log comes back through
``fairaudit audit-scores``, which knows the pairs by the suite file that lies beside.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from fairaudit.errors import UsageError
from fairaudit.items import Item
from fairaudit.suites.templates.generator import load_templates

_ROLES: Final = ("stereotype", "anti_stereotype")
_TASK: Final = """\
# Written by fairaudit: embedded templates, axis {axis}. The number is the share of pairs in which
# the stereotyped sentence is likelier; its standard error takes pairs for independent, which they
# are not. `fairaudit audit-scores` reads the logged samples and respects their clusters.
task: {task}
dataset_path: json
dataset_kwargs:
  data_files:
    test: {data}
output_type: multiple_choice
test_split: test
doc_to_text: ""
target_delimiter: ""
doc_to_choice: "{{{{[stereotype, anti_stereotype]}}}}"
doc_to_target: 0
num_fewshot: 0
metric_list:
  - metric: acc
    aggregation: mean
    higher_is_better: false
metadata:
  version: 1
"""


def export_tasks(
    folder: str | os.PathLike[str], *, axes: Sequence[str] | None = None
) -> list[Path]:
    """Write a task of lm-evaluation-harness for each axis of the embedded templates.

    Parameters
    ----------
    folder : path
        Gets, for each axis, ``fairaudit_templates_AXIS.yaml`` (the task), ``.jsonl`` (its
        documents) and ``.csv`` (the same pairs as a suite file, for ``audit-scores``).
    axes : sequence of str, optional
        Which axes; default: all.

    Returns
    -------
    list of Path
        The task files.

    Raises
    ------
    UsageError
        If an axis is unknown, or a file exists.
    """
    by_axis: dict[str, list[Item]] = defaultdict(list)
    for item in load_templates():
        if set(_ROLES) <= item.texts.keys():
            by_axis[item.axis].append(item)
    wanted = list(by_axis if axes is None else axes)
    unknown = next((axis for axis in wanted if axis not in by_axis), None)
    if unknown is not None:
        raise UsageError(f"the templates have no axis '{unknown}'; there are {', '.join(by_axis)}")
    target = Path(folder).resolve()
    target.mkdir(parents=True, exist_ok=True)
    return [_write(target, axis, by_axis[axis]) for axis in wanted]


def _write(folder: Path, axis: str, items: Sequence[Item]) -> Path:
    task = f"fairaudit_templates_{axis}"
    rows = [
        {"item_id": item.item_id, "axis": axis, "group": item.group or "", "cluster": item.cluster,
         **{role: item.texts[role] for role in _ROLES}}
        for item in items
    ]  # fmt: skip
    data = folder / f"{task}.jsonl"
    _new(data, "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows))
    table = io.StringIO()
    writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    _new(folder / f"{task}.csv", table.getvalue())
    path = folder / f"{task}.yaml"
    _new(path, _TASK.format(axis=axis, task=task, data=json.dumps(str(data))))
    return path


def _new(path: Path, text: str) -> None:
    try:
        with open(path, "x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError:
        raise UsageError(f"{path} exists and is not overwritten; choose another folder") from None
    except OSError as error:
        raise UsageError(f"{path}: cannot be written ({error.strerror})") from error
