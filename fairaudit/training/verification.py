"""Whether a privacy statement follows from its own parameters.

That is all a reader can check: whether training followed them cannot be seen from a checkpoint.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from fairaudit.errors import FairauditError, ResultError
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.training.accounting import Accountant, epsilon

#: Accountants and versions of them differ by this share; a claim of 0.0001 is none of 0.02.
TOLERANCE: Final = 0.005


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of recomputing a claim.

    Parameters
    ----------
    statement : PrivacyStatement
        The claim.
    recomputed : float
        Record-level ε that follows from noise, sampling rate, steps, δ and the twins' mode;
        infinite where there is no noise.
    problems : tuple of str
        Why the claim does not follow; empty: consistent with its declared parameters.
    warnings : tuple of str
        What weakens a consistent claim.
    """

    statement: PrivacyStatement
    recomputed: float
    problems: tuple[str, ...]
    warnings: tuple[str, ...]

    @property
    def consistent(self) -> bool:
        """Whether the declared ε follows from the declared parameters."""
        return not self.problems

    @property
    def sentence(self) -> str:
        """The finding in one sentence."""
        if self.problems:
            return "the privacy statement does not follow: " + "; ".join(self.problems)
        if self.statement.epsilon is None:
            return "no guarantee is claimed"
        return (
            f"epsilon {self.statement.epsilon:.4g} at delta {self.statement.delta:.3g} is "
            f"consistent with its declared parameters (recomputed: {self.recomputed:.4g}); whether "
            "training followed them cannot be seen from here"
        )


def verify(statement: PrivacyStatement | str | Path) -> Verification:
    """Recompute ε from a statement's own values, and look whether it belongs to the weights.

    Parameters
    ----------
    statement : PrivacyStatement or path
        The statement, its file, or the checkpoint folder that holds ``privacy.json``; in a folder
        with weights, their fingerprint is compared too.

    Raises
    ------
    ResultError
        If the file is missing, damaged or of a newer schema, or its values are beyond computing.
    ModelError
        If the folder's weights cannot be loaded.
    """
    if isinstance(statement, PrivacyStatement):
        return check_statement(statement)
    folder = Path(statement)
    return check_statement(PrivacyStatement.load(folder), _fingerprint(folder))


def check_statement(statement: PrivacyStatement, fingerprint: str | None = None) -> Verification:
    """Recompute ε; given the fingerprint of weights, look whether the claim is about them."""
    recomputed = epsilon_of(statement)
    return Verification(
        statement,
        recomputed,
        (*_problems(statement, recomputed), *_other_weights(statement, fingerprint)),
        (*_warnings(statement), *_unseen_weights(statement, fingerprint)),
    )


class ClaimNote(NamedTuple):
    """What an audit says of the claim beside its checkpoint."""

    #: One line with its warnings.
    said: str
    #: Whether the claim does not follow.
    refuted: bool


def claim_note(privacy: dict[str, Any] | None, fingerprint: str | None) -> ClaimNote | None:
    """One line about the claim that lies beside a checkpoint, for the notes of its audit.

    Parameters
    ----------
    privacy : dict or None
        Content of ``privacy.json``; None where there is none.
    fingerprint : str or None
        Fingerprint of the weights that were audited.

    Returns
    -------
    ClaimNote or None
        The finding. None where nothing is claimed and nothing is said; never raises for a damaged
        claim, which is what such a note is for.
    """
    if privacy is None:
        return None
    try:
        found = check_statement(PrivacyStatement.of(privacy), fingerprint)
    except FairauditError as error:
        return ClaimNote(f"the privacy statement does not follow: {error}", True)
    return ClaimNote("; ".join((found.sentence, *found.warnings)), not found.consistent)


def _fingerprint(folder: Path) -> str | None:
    """Fingerprint of the weights in a folder, or None where there are none."""
    if not folder.is_dir() or not any(folder.glob("*.safetensors")):
        return None
    from fairaudit.scoring.load import load_model

    return load_model(folder, device="cpu").identity.fingerprint


def epsilon_of(statement: PrivacyStatement) -> float:
    """Record-level ε that follows from a statement's parameters, whatever it claims.

    Raises
    ------
    ResultError
        If a parameter is so large or small that floating point has no answer.
    """
    separate = statement.cda.mode == "separate"
    # A PLD accountant composes the same losses as the PRV one.
    accountant: Accountant = "rdp" if statement.accountant == "rdp" and not separate else "prv"
    try:
        return epsilon(
            statement.noise_multiplier,
            statement.sample_rate,
            statement.steps,
            statement.delta,
            separate_twins=separate,
            accountant=accountant,
        )
    except (ArithmeticError, ValueError) as error:
        raise ResultError(
            f"privacy.json: no epsilon can be computed for noise_multiplier "
            f"{statement.noise_multiplier:g}, sample_rate {statement.sample_rate:g}, steps "
            f"{statement.steps} and delta {statement.delta:g}: a value is out of reach"
        ) from error


def _problems(statement: PrivacyStatement, recomputed: float) -> Iterator[str]:
    claimed = statement.epsilon
    if claimed is not None and statement.noise_reproducible:
        yield "an epsilon is claimed though the noise was drawn from a fixed seed"
    if claimed is not None and recomputed > claimed * (1 + TOLERANCE):
        yield f"epsilon {claimed:.4g} is claimed, the parameters give {_number(recomputed)}"
    expected = statement.sample_rate * statement.records
    if not math.isclose(expected, statement.expected_batch_size, rel_tol=1e-6):
        yield (
            f"sample rate x records is {expected:.6g}, the expected batch size is "
            f"{statement.expected_batch_size:.6g}"
        )
    method = "mixture" if statement.cda.mode == "separate" else "record"
    if statement.cda.epsilon_method != method:
        yield (
            f"twins in mode '{statement.cda.mode}' need the method '{method}', not "
            f"'{statement.cda.epsilon_method}'"
        )


def _warnings(statement: PrivacyStatement) -> Iterator[str]:
    if statement.epsilon is not None and statement.delta >= 1 / statement.records:
        yield f"delta {statement.delta:.3g} is not below 1/records: single records may be revealed"
    if not statement.secure_noise:
        yield "the noise came from a generator that is not cryptographic"


def _other_weights(statement: PrivacyStatement, fingerprint: str | None) -> Iterator[str]:
    claimed = statement.model_fingerprint
    if claimed is not None and fingerprint is not None and claimed != fingerprint:
        yield "the statement was written for other weights than those beside it"


def _unseen_weights(statement: PrivacyStatement, fingerprint: str | None) -> Iterator[str]:
    if statement.model_fingerprint is None:
        yield "the statement does not say which weights it is about"
    elif fingerprint is None:
        yield "no weights were looked at, so they may be others than those the statement is about"


def _number(value: float) -> str:
    return "no finite epsilon" if math.isinf(value) else f"{value:.4g}"
