"""Which dataset of the Hugging Face Hub holds the items of a suite.

An audit reads the authors' own files; the Hub's copies are named only so that cards and
leaderboards can link to them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fairaudit.report.clean import clean
from fairaudit.report.names import variant

_CROWS_PAIRS: Final = "nyu-mll/crows_pairs"
_STEREOSET: Final = "McGill-NLP/stereoset"

_DATASETS: Final = {"crows_pairs": _CROWS_PAIRS, "stereoset": _STEREOSET}
#: Items of our own, which no dataset of the Hub holds; without a slash, so that nothing links.
_OWN: Final = {"templates": "fairaudit-templates", "probe": "fairaudit-probe"}


@dataclass(frozen=True, slots=True)
class HubTask:
    """A dataset of the Hub and a task of it: the dataset's configuration of that name.

    The Hub shows a score where the dataset's ``eval.yaml`` registers the task, else ignores it.
    """

    dataset: str
    task: str

    @property
    def file(self) -> str:
        """Name of the file of its score."""
        name = self.dataset.partition("/")[2]
        return f"{name}.yaml" if name == self.task else f"{name}_{self.task}.yaml"


_TASKS: Final = {
    "crows_pairs": HubTask(_CROWS_PAIRS, "crows_pairs"),
    "stereoset/intrasentence": HubTask(_STEREOSET, "intrasentence"),
    "stereoset/intersentence": HubTask(_STEREOSET, "intersentence"),
}


def dataset_type(suite: str) -> str:
    """Return the ``dataset.type`` of a suite in a model index: a Hub id where there is one."""
    return _DATASETS.get(suite) or _OWN.get(suite) or clean(suite)


#: Every file that an audit may have in ``.eval_results``.
FILES: Final = frozenset(task.file for task in _TASKS.values())


def task_of(protocol: str) -> HubTask | None:
    """Return dataset and task whose items a protocol asks, or None."""
    suite = protocol.partition("/")[0]
    return _TASKS.get(suite) or _TASKS.get(f"{suite}/{variant(protocol).partition('-')[0]}")
