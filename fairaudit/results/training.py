"""`TrainingRecord`: what ``training.json`` says about how a checkpoint was made."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from fairaudit.results import files
from fairaudit.results.privacy import examples_of_step
from fairaudit.results.types import AdapterOrigin, Frozen
from fairaudit.vocabulary.arms import ArmKind

TRAINING_SCHEMA: Literal["fairaudit/training"] = "fairaudit/training"
TRAINING_SCHEMA_VERSION = 1

#: What differs between seeds of one recipe.
_BY_SEED = {"seed", "parameter_distance", "privacy_digest"}


class OptimizerRecord(Frozen):
    """The optimiser and the course of its learning rate."""

    name: Literal["adamw", "sgd"]
    schedule: Literal["constant", "linear"]
    #: Share of the steps in which the learning rate rises from 0, between 0 and 1.
    warmup: float = Field(ge=0, le=1)
    weight_decay: float = Field(ge=0)


class LoraRecord(Frozen):
    """Low-rank adapters: their rank, their scale α, and the layers that carry one."""

    rank: int = Field(ge=1)
    alpha: float = Field(gt=0)
    targets: tuple[str, ...]


class CdaRecord(Frozen):
    """How counterfactual twins entered training."""

    mode: Literal["averaged", "separate", "substitution"]
    axes: tuple[str, ...]


class TrainingRecord(Frozen):
    """The content of ``training.json``; for DP arms nothing in it was computed on private text."""

    schema_: Literal["fairaudit/training"] = Field(default=TRAINING_SCHEMA, alias="schema")
    schema_version: int = TRAINING_SCHEMA_VERSION
    #: ``plain``, ``cda``, ``dp``, ``dp_cda``, and ``clip_only``/``noise_only`` with or without.
    arm: str
    base_fingerprint: str
    #: Where the base was an adapter: what it was merged into.
    base_adapter: AdapterOrigin | None = None
    #: SHA-256 of the training records; None in DP arms, where it would give away whether a text
    #: was among them.
    data_hash: str | None
    objective: Literal["causal", "masked"]
    steps: int = Field(ge=1)
    batch_size: int = Field(ge=1)
    learning_rate: float = Field(gt=0)
    optimizer: OptimizerRecord
    max_length: int = Field(ge=2)
    max_grad_norm: float | None = Field(default=None, gt=0)
    clipping: Literal["flat", "automatic", "groupwise"] = "flat"
    lora: LoraRecord | None = None
    #: Which parameters were trained where not all were: biases alone, and patterns left out.
    trained: Literal["all", "bias"] = "all"
    frozen: tuple[str, ...] = ()
    cda: CdaRecord | None = None
    target_epsilon: float | None = Field(default=None, gt=0)
    #: What the privacy statement beside it protects, and its digest; None in other arms.
    unit: Literal["record", "user"] | None = None
    privacy_digest: str | None = None
    #: Seed of initialisation and data order; None in DP arms, which draw from OS entropy.
    seed: int | None = None
    #: ‖θ − θ_base‖ over all parameters, adapters merged (Euclidean norm).
    parameter_distance: float | None = Field(default=None, ge=0)

    @property
    def recipe(self) -> dict[str, Any]:
        """All that seeds of one recipe have in common."""
        return self.model_dump(mode="json", by_alias=True, exclude=_BY_SEED)

    @property
    def is_private(self) -> bool:
        """Whether gradients were clipped and noise was added: the arms that claim an ε."""
        return self.arm in (ArmKind.DP, ArmKind.DP_CDA)

    @property
    def expected_examples(self) -> float:
        """What a step divides by; see `fairaudit.results.privacy.examples_of_step`."""
        return examples_of_step(self.batch_size, None if self.cda is None else self.cda.mode)

    def to_json(self) -> str:
        """Return the text of ``training.json``."""
        return files.dump_json(self.model_dump(mode="json", by_alias=True))

    @classmethod
    def load(cls, folder: str | Path) -> TrainingRecord:
        """Read ``training.json`` from a checkpoint folder, or the file itself.

        Raises
        ------
        ResultError
            If there is none, a value is out of range, or its schema is newer than this version.
        """
        path = Path(folder)
        path = path / "training.json" if path.is_dir() else path
        return files.read_result(path, cls, schema=TRAINING_SCHEMA, version=TRAINING_SCHEMA_VERSION)

    @classmethod
    def of(cls, content: dict[str, Any]) -> TrainingRecord:
        """Return the record in the content of a ``training.json`` that was read elsewhere.

        Raises
        ------
        ResultError
            If a value is out of range or a key unknown.
        """
        return files.validated(content, cls, Path("training.json"))
