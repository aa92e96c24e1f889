"""Before anything is trained: whether the plan can be run, and the folder is free for it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel

from fairaudit.errors import DataError, ResultError, UsageError
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.train_arm import recipe_of, texts_of
from fairaudit.parsing import parse_json
from fairaudit.results.files import dump_json, refuse_unwritable
from fairaudit.results.locks import LOCK
from fairaudit.scoring.load import load_model
from fairaudit.training.accounting import Steps, joint_bound
from fairaudit.training.finetuning_plan import Plan, make_plan
from fairaudit.training.records import read_records
from fairaudit.training.saving import partial_name, write_last
from fairaudit.vocabulary.arms import ArmKind

#: Keys of a plan's text that name a file.
_FILES: Final = ("file", "held_out_file")


def check_plan(plan: ExperimentPlan, worlds: int = 1) -> dict[str, str]:
    """Check what can be checked before anything is trained: recipes, sizes, text and base model.

    Parameters
    ----------
    plan : ExperimentPlan
        Without regimes.
    worlds : int
        How many plans like this one train on its text.

    Returns
    -------
    dict
        Hash of each text, by its file: what a plan does not say.

    Raises
    ------
    UsageError, DataError, ModelError
        If it cannot be run as it is.
    """
    texts = texts_of(plan, seed=0)
    held_out, train = (
        read_records(text, text_column=texts.text_column) for text in (texts.held_out, texts.train)
    )
    if not held_out.rows:
        raise DataError("the held-out text holds no record")
    numbers = {
        arm.id: make_plan(recipe_of(arm.id, plan, seed=0), len(train.rows))
        for arm in plan.read_arms
        if arm.kind is not ArmKind.PLAIN_MATCHED
    }
    if plan.text.file is not None and not plan.text.public:
        _check_budget(plan, [numbers[arm.id] for arm in plan.read_arms if arm.private], worlds)
    if plan.base.model is not None:
        load_model(plan.base.model, device="cpu")
    read = {plan.text.file: train, plan.text.held_out_file: held_out}
    return {name: records.data_hash for name, records in read.items() if name is not None}


def _check_budget(plan: ExperimentPlan, private: Sequence[Plan], worlds: int) -> None:
    """Raise unless the plan says that all its models together may cost what they cost."""
    runs = plan.seeds * worlds
    file, models = plan.text.file, len(private) * runs
    spent = joint_epsilon(private, runs)
    allowed = plan.text.total_epsilon
    others = len(plan.read_arms) - len(private)
    unprotected = f"; {others} arms protect nothing, so keep their models to yourself"
    if allowed is not None and spent <= allowed:
        return
    raise UsageError(
        f"the text '{file}' may be private, and the {models} private models of this experiment "
        f"spend epsilon {spent:.4g} together, per record{unprotected if others else ''}. If "
        f"anybody may read the text, say public = true in [text]; if not, say total_epsilon = "
        f"{math.ceil(10 * spent) / 10 if math.isfinite(spent) else 'inf'}, or plan fewer models"
    )


def joint_epsilon(plans: Sequence[Plan], seeds: int) -> float:
    """ε per record of all models that some private arms train on one text, each with some seeds."""
    if not plans:
        return 0.0
    runs = [
        Steps(one.noise_multiplier, one.sample_rate, one.steps * seeds, 2 if one.separate else 1)
        for one in plans
    ]
    return joint_bound(runs, max(one.delta for one in plans)).epsilon


def claim_folder(plan: BaseModel, output: Path, inputs: Mapping[str, str]) -> None:
    """Write plan and hashes of texts into the experiment's folder, or check that they are there."""
    refuse_unwritable(output)
    content = plan.model_dump(mode="json") | ({"inputs": dict(inputs)} if inputs else {})
    place = output / "plan.json"
    if not place.exists():
        # Of a run that was killed before its plan was whole.
        ours = {LOCK, partial_name(place.name)}
        if output.exists() and any(path.name not in ours for path in output.iterdir()):
            raise ResultError(f"{output} is not empty and holds no experiment; choose another")
        write_last(output, place.name, dump_json(content))
        return
    try:
        kept = parse_json(place.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ResultError(f"{place}: damaged ({error}); choose another folder") from error
    for name, before, now in _changes(_by_content(kept), _by_content(content)):
        raise ResultError(
            f"{output} holds an experiment with {name} = {before}, the plan says {now}; go on "
            "with the same plan or choose another folder"
        )


def _by_content(content: Any) -> Any:
    """Name each text of a plan by its hash, and no folder of data: where they lie does not matter.

    Benchmark files are known by their pinned content ids.
    """
    if not isinstance(content, dict):
        return content
    parts = {key: part for key, part in content.items() if isinstance(part, dict)}
    text, inputs = parts.get("text", {}), parts.get("inputs", {})
    files = {key: str(text[key]) for key in _FILES if str(text.get(key)) in inputs}
    return {
        **content,
        "audit": {key: value for key, value in parts.get("audit", {}).items() if key != "data"},
        "text": {**text, **{key: inputs[name] for key, name in files.items()}},
        "inputs": {name: known for name, known in inputs.items() if name not in files.values()},
    }


def _changes(before: Any, now: Any, name: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Where two plans differ, by dotted name."""
    if isinstance(before, dict) and isinstance(now, dict):
        for key in sorted(before.keys() | now.keys()):
            inner = f"{name}.{key}" if name else str(key)
            yield from _changes(before.get(key), now.get(key), inner)
    elif before != now:
        yield name, before, now
