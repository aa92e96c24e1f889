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
    """The optimiser and the course of its learning rate.

    Attributes
    ----------
    name : {"adamw", "sgd"}
        The optimiser.
    schedule : {"constant", "linear"}
        How the learning rate goes on after the warm-up.
    warmup : float
        Share of the steps in which the learning rate rises from 0, between 0 and 1.
    weight_decay : float
        Decoupled weight decay, at least 0.
    """

    name: Literal["adamw", "sgd"]
    schedule: Literal["constant", "linear"]
    warmup: float = Field(ge=0, le=1)
    weight_decay: float = Field(ge=0)


class LoraRecord(Frozen):
    """Low-rank adapters: their rank, their scale α, and the layers that carry one.

    Attributes
    ----------
    rank : int
        Rank of the adapters.
    alpha : float
        Their scale, in units of the rank.
    targets : tuple of str
        Modules that have one.
    """

    rank: int = Field(ge=1)
    alpha: float = Field(gt=0)
    targets: tuple[str, ...]


class CdaRecord(Frozen):
    """How counterfactual twins entered training.

    Attributes
    ----------
    mode : {"averaged", "separate", "substitution"}
        How counterfactuals are used.
    axes : tuple of str
        Axes of the words that are swapped.
    """

    mode: Literal["averaged", "separate", "substitution"]
    axes: tuple[str, ...]


class TrainingRecord(Frozen):
    """The content of ``training.json``; for DP arms nothing in it was computed on private text.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    arm : str
        ``plain``, ``cda``, ``dp``, ``dp_cda``, and ``clip_only``/``noise_only`` with or
        without.
    base_fingerprint : str
        Of the weights that training began with.
    base_adapter : AdapterOrigin or None
        Where the base was an adapter: what it was merged into.
    data_hash : str or None
        SHA-256 of the training records; None in DP arms, where it would give away whether a
        text was among them.
    objective : {"causal", "masked"}
        What was learned: next or masked tokens.
    steps : int
        Updates of the parameters.
    batch_size : int
        Expected records in a step.
    learning_rate : float
        Learning rate after the warm-up.
    optimizer : OptimizerRecord
        The optimiser.
    max_length : int
        Tokens of a row, special ones included.
    max_grad_norm : float or None
        C; None: nothing was clipped.
    clipping : {"flat", "automatic", "groupwise"}
        How; see `fairaudit.results.privacy.ClippingStatement`.
    lora : LoraRecord or None
        Adapters; None: the weights themselves were trained.
    trained : {"all", "bias"}
        Which parameters were trained where not all were: biases alone, and patterns left out.
    frozen : tuple of str
        See ``trained``.
    cda : CdaRecord or None
        Counterfactual twins; None: none.
    target_epsilon : float or None
        The ε that was asked for; None: the noise was.
    unit : {"record", "user"} or None
        What the privacy statement beside it protects, and its digest; None in other arms.
    privacy_digest : str or None
        See ``unit``.
    seed : int or None
        Seed of initialisation and data order; None in DP arms, which draw from OS entropy.
    parameter_distance : float or None
        ‖θ − θ_base‖ over all parameters, adapters merged (Euclidean norm).
    """

    schema_: Literal["fairaudit/training"] = Field(default=TRAINING_SCHEMA, alias="schema")
    schema_version: int = TRAINING_SCHEMA_VERSION
    arm: str
    base_fingerprint: str
    base_adapter: AdapterOrigin | None = None
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
    trained: Literal["all", "bias"] = "all"
    frozen: tuple[str, ...] = ()
    cda: CdaRecord | None = None
    target_epsilon: float | None = Field(default=None, gt=0)
    unit: Literal["record", "user"] | None = None
    privacy_digest: str | None = None
    seed: int | None = None
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
