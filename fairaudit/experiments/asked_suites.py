"""What every arm of an experiment is asked: suites by name, or the known world's own items."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.tone_judge import train_judge
from fairaudit.experiments.world import population, prompts
from fairaudit.items import Item
from fairaudit.results.files import made_once
from fairaudit.training.saving import write_last

#: Suite files of the known world: pairs of sentences, and prompts about persons.
PAIRS, PROMPTS = "world", "world_prompts"
_JUDGE: Final = "judge"
_KEYS: Final = ("item_id", "axis", "group", "cluster")


@dataclass(frozen=True, slots=True)
class Questions:
    """Suites, and the classifier of what the arms write; both as `fairaudit.audit` takes them."""

    suites: tuple[str, ...]
    toxicity_classifier: str | None


def questions(plan: ExperimentPlan, output: Path) -> Questions:
    """Return what is asked; files of the known world are written where it is asked.

    Prompts and their judge are added where the world's text has sentences about persons.
    """
    classifier = plan.audit.toxicity_classifier
    if plan.audit.suites:
        return Questions(plan.audit.suites, classifier)
    pairs = population(plan.audit.openings, plan.audit.tails)
    suites = [_written(output / f"{PAIRS}.jsonl", pairs)]
    if plan.text.world is not None and plan.text.world.people > 0:
        suites.append(_written(output / f"{PROMPTS}.jsonl", prompts()))
        classifier = classifier or str(made_once(output / _JUDGE, train_judge))
    return Questions(tuple(suites), classifier)


def _written(path: Path, items: Iterable[Item]) -> str:
    if not path.exists():
        rows = ({**{key: getattr(item, key) for key in _KEYS}, **item.texts} for item in items)
        text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        write_last(path.parent, path.name, text)
    return str(path)
