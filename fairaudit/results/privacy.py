"""`PrivacyStatement`: what a DP fine-tuning claims, with all that is needed to check the claim."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, ValidationError

from fairaudit.errors import ResultError, fault_words
from fairaudit.results import files
from fairaudit.results.digest import digest_of, is_intact
from fairaudit.results.types import Frozen

PRIVACY_SCHEMA: Literal["fairaudit/privacy"] = "fairaudit/privacy"
PRIVACY_SCHEMA_VERSION = 2
#: The first version whose files carry a digest of what they say.
_SEALED_FROM: Final = 2


def examples_of_step(batch_size: float, cda_mode: str | None) -> float:
    """Return what the summed gradient of a step is divided by: 2B with separate twins, else B."""
    return 2 * batch_size if cda_mode == "separate" else batch_size


class CdaStatement(Frozen):
    """How counterfactual twins entered training, as far as privacy is concerned.

    Attributes
    ----------
    mode : {"none", "averaged", "separate", "substitution"}
        How counterfactuals are used; ``none``: there are none.
    axes : tuple of str
        Axes of the words that are swapped.
    epsilon_method : {"record", "mixture"}
        ``record``: one clipped contribution per record; ``mixture``: twins drawn separately,
        bounded by the Gaussian mixture with sensitivities 0, C and 2C.
    """

    mode: Literal["none", "averaged", "separate", "substitution"] = "none"
    axes: tuple[str, ...] = ()
    epsilon_method: Literal["record", "mixture"] = "record"


class ClippingStatement(Frozen):
    """How a record's contribution was held to the clipping norm.

    Attributes
    ----------
    kind : {"flat", "automatic", "groupwise"}
        One factor for the whole gradient, up to C or to about C; or each block by itself.
    groups : int
        Parts of the gradient that were clipped apart; together they are within the norm.
    count_share : float
        Share of the squared sensitivity taken by the counts that thresholds are learned from; they
        are noised with the gradient, so that ε is that of both.
    """

    kind: Literal["flat", "automatic", "groupwise"] = "flat"
    groups: int = Field(default=1, ge=1)
    count_share: float = Field(default=0.0, ge=0, lt=1)


class CanaryStatement(Frozen):
    """What canaries told of ε: a lower bound from one run; see `training.one_run_audit`.

    Attributes
    ----------
    planted : int
        Each was in the text with probability ½; all count as records.
    guesses : int
        How many were guessed to be in or out.
    right : int
        How many of those guesses were right.
    epsilon_lower_bound : float
        Lower bound on ε that follows, at least 0.
    gaussian_lower_bound : float or None
        ε at the claim's δ of the strongest Gaussian mechanism that the guesses rule out; that of
        many noisy steps is nearly one. None: not computed.
    counts : tuple of (int, int)
        Guesses and right ones for each share of the canaries that was guessed.
    level : float
        Confidence of the bound, 0-1.
    """

    planted: int = Field(ge=1)
    guesses: int = Field(ge=0)
    right: int = Field(ge=0)
    epsilon_lower_bound: float = Field(ge=0)
    gaussian_lower_bound: float | None = Field(default=None, ge=0)
    counts: tuple[tuple[int, int], ...] = ()
    level: float = Field(gt=0, lt=1)

    @property
    def sentence(self) -> str:
        """What they tell, in one sentence."""
        guessed = f"{self.right} of {self.guesses} guesses about {self.planted} canaries are right"
        sure = f"with {100 * self.level:g} % confidence"
        gaussian = self.gaussian_lower_bound or 0.0
        if self.epsilon_lower_bound == 0 and gaussian == 0:
            return f"{guessed}, no more than chance allows: epsilon is not bounded from below"
        also = f"; if its trade-off is Gaussian, at least {gaussian:.3g}" if gaussian else ""
        return f"{guessed}: epsilon is at least {self.epsilon_lower_bound:.3g} {sure}{also}"


class PrivacyStatement(Frozen):
    """The content of ``privacy.json``. Seeds of noise and sampling are no part of it, ever.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    unit : {"record", "user"}
        What is protected: a row, or all rows of a person.
    adjacency : {"add_remove", "zero_out"}
        ``zero_out``: a record is replaced by nothing, and batches stay as they are.
    records : int
        Number of records (privacy units), taken as public.
    sample_rate : float
        q, probability that a record enters a step.
    expected_batch_size : float
        B = q n.
    steps : int
        Noisy updates.
    noise_multiplier : float
        σ, standard deviation of the noise in units of C; 0: none.
    max_grad_norm : float
        C, the length to which a record's gradient is clipped.
    clipping : ClippingStatement
        How contributions were held to that norm.
    delta : float
        δ of the claim.
    epsilon : float or None
        Record-level ε recomputed from the values above; None where there is no guarantee.
    target_epsilon : float or None
        The ε that was asked for; None: the noise was.
    row_epsilon : float or None
        ε of one row, the published practice for separate twins; never the claim.
    most_copies : int or None
        How often the most frequent record stands in the text; None: not counted.
    copies_epsilon : float or None
        ε of all copies of it together; None without copies, or where there is no guarantee.
    accountant : {"prv", "rdp", "pld"}
        How ε was bounded.
    sampler : {"poisson", "shuffled"}
        ``shuffled``: each record once an epoch, which amplifies nothing that is claimed here.
    trainer : str or None
        Who trained, where that was not fairaudit; its parameters were then given by hand.
    cda : CdaStatement
        Counterfactual twins, and how they enter ε.
    secure_noise : bool
        Whether noise came from a cryptographic generator.
    noise_reproducible : bool
        A fixed noise seed was used, as in tests: no guarantee at all.
    canaries : CanaryStatement or None
        What canaries told; None: none were planted.
    base_fingerprint : str or None
        Of the weights that training began with.
    model_fingerprint : str or None
        Of the weights that it is about.
    versions : dict of str to str
        Versions of the libraries that decide numbers, by name.
    not_covered : tuple of str
        What ε does not cover, in words.
    digest : str or None
        SHA-256 of all the rest, as the file said it; see `fairaudit.results.digest`.
    """

    schema_: Literal["fairaudit/privacy"] = Field(default=PRIVACY_SCHEMA, alias="schema")
    schema_version: int = PRIVACY_SCHEMA_VERSION
    unit: Literal["record", "user"] = "record"
    adjacency: Literal["add_remove", "zero_out"] = "add_remove"
    records: int = Field(ge=1)
    sample_rate: float = Field(gt=0, le=1)
    expected_batch_size: float = Field(gt=0)
    steps: int = Field(ge=1)
    noise_multiplier: float = Field(ge=0)
    max_grad_norm: float = Field(gt=0)
    clipping: ClippingStatement = ClippingStatement()
    delta: float = Field(gt=0, lt=1)
    epsilon: float | None = Field(default=None, ge=0)
    target_epsilon: float | None = Field(default=None, gt=0)
    row_epsilon: float | None = Field(default=None, ge=0)
    most_copies: int | None = Field(default=None, ge=1)
    copies_epsilon: float | None = Field(default=None, ge=0)
    accountant: Literal["prv", "rdp", "pld"] = "prv"
    sampler: Literal["poisson", "shuffled"] = "poisson"
    trainer: str | None = None
    cda: CdaStatement = CdaStatement()
    secure_noise: bool = False
    noise_reproducible: bool = False
    canaries: CanaryStatement | None = None
    base_fingerprint: str | None = None
    model_fingerprint: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)
    not_covered: tuple[str, ...] = ()
    digest: str | None = None

    @property
    def expected_examples(self) -> float:
        """What a step divides by; see `examples_of_step`."""
        return examples_of_step(self.expected_batch_size, self.cda.mode)

    @property
    def sentence(self) -> str:
        """What is claimed, in one sentence."""
        if self.epsilon is None:
            return "no guarantee is claimed"
        whose = "person" if self.unit == "user" else "record"
        return (
            f"epsilon {self.epsilon:.4g} at delta {self.delta:.3g} per {whose} of the training "
            "text is declared"
        )

    def to_json(self) -> str:
        """Return the text of ``privacy.json``."""
        return files.dump_json(self.sealed().model_dump(mode="json", by_alias=True))

    def sealed(self) -> PrivacyStatement:
        """Return the statement as this version writes it, with its digest."""
        current = self.model_copy(update={"schema_version": PRIVACY_SCHEMA_VERSION})
        digest = digest_of(current.model_dump(mode="json", by_alias=True))
        return current.model_copy(update={"digest": digest})

    @classmethod
    def load(cls, folder: str | Path) -> PrivacyStatement:
        """Read ``privacy.json`` from a checkpoint folder, or the file itself.

        Raises
        ------
        ResultError
            If there is none, a value is out of range, it was changed after it was written, or its
            schema is newer than this version.
        """
        content = cls.content(folder)
        if was_changed(content):
            raise ResultError(
                f"{_path(folder)} was changed after it was written (its digest does not fit)"
            )
        return files.validated(content, cls, _path(folder))

    @staticmethod
    def content(folder: str | Path) -> dict[str, Any]:
        """Read what ``privacy.json`` says, whether or not its digest fits.

        Raises
        ------
        ResultError
            If there is none, or it is no privacy statement that this version reads.
        """
        return files.read_content(
            _path(folder), schema=PRIVACY_SCHEMA, version=PRIVACY_SCHEMA_VERSION
        )

    @classmethod
    def of(cls, content: dict[str, Any]) -> PrivacyStatement:
        """Return the statement in the content of a ``privacy.json`` that was read elsewhere.

        Raises
        ------
        ResultError
            If a value is out of range or a key unknown.
        """
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(str(part) for part in first["loc"])
            raise ResultError(f"privacy.json: {where}: {fault_words(first)}") from error


def was_changed(content: Mapping[str, Any]) -> bool:
    """Whether the content of a ``privacy.json`` is not what its digest was made of.

    Files of version 1 had none.
    """
    version, digest = content.get("schema_version"), content.get("digest")
    sealed = digest is not None or (isinstance(version, int) and version >= _SEALED_FROM)
    return sealed and not is_intact(content)


def _path(folder: str | Path) -> Path:
    path = Path(folder)
    return path / "privacy.json" if path.is_dir() else path
