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
from fairaudit.lines import first_line
from fairaudit.parsing import parse_json
from fairaudit.results.privacy import CanaryStatement, PrivacyStatement, was_changed
from fairaudit.results.training import TRAINING_SCHEMA, TrainingRecord
from fairaudit.training.accounting import Bound, Steps, joint_bound, tradeoff_points
from fairaudit.training.recipe import Accountant
from fairaudit.training.tradeoff_audit import any_ruled_out, inverse_of_points

#: Accountants and versions of them differ by this share; a claim of 0.0001 is none of 0.02.
TOLERANCE: Final = 0.005
#: Probability with which the guesses about a correct run's canaries may refute it.
CURVE_ERROR: Final = 0.05


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
    """Recompute ε from a statement's own values, and look whether it belongs to its checkpoint.

    Parameters
    ----------
    statement : PrivacyStatement or path
        The statement, its file, or the checkpoint folder that holds ``privacy.json``; in a folder
        the fingerprint of the weights and what ``training.json`` says are compared too.

    Returns
    -------
    Verification
        Claimed and recomputed ε, whether the claim follows, and what was noticed.

    Raises
    ------
    ResultError
        If a file is missing, damaged or of a newer schema, or its values are beyond computing.
    ModelError
        If the folder's weights cannot be loaded.
    """
    if isinstance(statement, PrivacyStatement):
        return check_statement(statement)
    folder = Path(statement)
    content = PrivacyStatement.content(folder)
    return check_statement(
        PrivacyStatement.of(content),
        _fingerprint(folder),
        training=_training_beside(folder),
        changed=was_changed(content),
    )


def check_statement(
    statement: PrivacyStatement,
    fingerprint: str | None = None,
    *,
    training: TrainingRecord | None = None,
    changed: bool = False,
) -> Verification:
    """Recompute ε, and look whether the claim is about what lies beside it.

    Parameters
    ----------
    statement : PrivacyStatement
        The claim.
    fingerprint : str or None
        Of the weights beside it.
    training : TrainingRecord or None
        How they were made.
    changed : bool
        Whether the file is not what its digest was made of.
    """
    bound = bound_of(statement)
    return Verification(
        statement,
        bound.epsilon,
        (
            *(["it was changed after it was written (its digest does not fit)"] if changed else ()),
            *_problems(statement, bound.epsilon),
            *_other_weights(statement, fingerprint),
            *_other_training(statement, training),
        ),
        (*_warnings(statement, bound), *_unseen_weights(statement, fingerprint)),
    )


def verify_canaries(folder: str | Path) -> tuple[CanaryStatement, str | None]:
    """Guess again, from ``private/`` and the weights, which canaries were in the training text.

    Parameters
    ----------
    folder : str or Path
        A checkpoint with ``private/`` beside its weights.

    Returns
    -------
    CanaryStatement, str or None
        What they tell, and why it contradicts the statement beside them, if it does.

    Raises
    ------
    ResultError
        If there is no statement, or no file of canaries.
    ModelError
        If the weights cannot be loaded.
    """
    from fairaudit.scoring.load import load_model
    from fairaudit.training.canaries import canary_bound, read_canaries

    place = Path(folder)
    statement = PrivacyStatement.of(PrivacyStatement.content(place))
    planted = read_canaries(place)
    found = canary_bound(planted, load_model(place, device="cpu"), statement.delta)
    problem = _contradiction(statement, found)
    if problem is not None:
        return found, problem
    if statement.canaries is not None and statement.canaries.planted != found.planted:
        return found, (
            f"the statement is of {statement.canaries.planted} canaries, private/ holds "
            f"{found.planted}"
        )
    return found, None


class ClaimNote(NamedTuple):
    """What an audit says of the claim beside its checkpoint.

    Attributes
    ----------
    said : str
        One line with its warnings.
    refuted : bool
        Whether the claim does not follow.
    """

    #: One line with its warnings.
    said: str
    #: Whether the claim does not follow.
    refuted: bool


def claim_note(
    privacy: dict[str, Any] | None,
    fingerprint: str | None,
    training: dict[str, Any] | None = None,
) -> ClaimNote | None:
    """One line about the claim that lies beside a checkpoint, for the notes of its audit.

    Parameters
    ----------
    privacy : dict or None
        Content of ``privacy.json``; None where there is none.
    fingerprint : str or None
        Fingerprint of the weights that were audited.
    training : dict or None
        Content of ``training.json``.

    Returns
    -------
    ClaimNote or None
        The finding. None where nothing is claimed and nothing is said; never raises for a damaged
        claim, which is what such a note is for.
    """
    if privacy is None:
        return None
    try:
        found = check_statement(
            PrivacyStatement.of(privacy),
            fingerprint,
            training=None if training is None else TrainingRecord.of(training),
            changed=was_changed(privacy),
        )
    except FairauditError as error:
        return ClaimNote(f"the privacy statement does not follow: {error}", True)
    return ClaimNote("; ".join((found.sentence, *found.warnings)), not found.consistent)


def _training_beside(folder: Path) -> TrainingRecord | None:
    """Record of the training in a folder; None where there is none, or another tool's file."""
    path = folder / "training.json"
    if not path.is_file():
        return None
    try:
        content = parse_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{path}: cannot be read ({first_line(error)})") from error
    ours = isinstance(content, dict) and content.get("schema") == TRAINING_SCHEMA
    return TrainingRecord.load(path) if ours else None


def _fingerprint(folder: Path) -> str | None:
    """Fingerprint of the weights in a folder, or None where there are none."""
    if not folder.is_dir() or not any(folder.glob("*.safetensors")):
        return None
    from fairaudit.scoring.load import load_model

    return load_model(folder, device="cpu").identity.fingerprint


def bound_of(statement: PrivacyStatement, copies: int = 1, delta: float | None = None) -> Bound:
    """Bound on ε that follows from a statement's parameters, whatever it claims.

    Parameters
    ----------
    statement : PrivacyStatement
        With the parameters.
    copies : int
        How often the record stands in the text.
    delta : float or None
        Another δ than that of the claim.

    Returns
    -------
    Bound
        ε at ``delta``, and the accountant that gave it.

    Raises
    ------
    ResultError
        If a parameter is so large or small that floating point has no answer.
    """
    run = steps_of(statement, copies)
    # A PLD accountant composes the same losses as the PRV one.
    accountant: Accountant = "rdp" if statement.accountant == "rdp" and run.draws == 1 else "prv"
    try:
        return joint_bound([run], delta or statement.delta, accountant=accountant)
    except (ArithmeticError, ValueError) as error:
        raise ResultError(
            f"privacy.json: no epsilon can be computed for noise_multiplier "
            f"{statement.noise_multiplier:g}, sample_rate {statement.sample_rate:g}, steps "
            f"{statement.steps} and delta {statement.delta:g}: a value is out of reach"
        ) from error


def steps_of(statement: PrivacyStatement, copies: int = 1) -> Steps:
    """Return what a statement's run does to one record, or to all its copies.

    With shuffled batches a record is in one batch of each epoch, whichever it is: as many Gaussian
    mechanisms as there are epochs, without amplification by sampling.
    """
    draws = copies * (2 if statement.cda.mode == "separate" else 1)
    if statement.sampler == "poisson":
        return Steps(statement.noise_multiplier, statement.sample_rate, statement.steps, draws)
    epochs = max(1, math.ceil(statement.steps * statement.sample_rate - 1e-9))
    return Steps(statement.noise_multiplier, 1.0, epochs, draws)


def _problems(statement: PrivacyStatement, recomputed: float) -> Iterator[str]:
    claimed = statement.epsilon
    if claimed is not None and statement.noise_reproducible:
        yield "an epsilon is claimed though the noise was drawn from a fixed seed"
    if claimed is not None and recomputed > claimed * (1 + TOLERANCE):
        yield f"epsilon {claimed:.4g} is claimed, the parameters give {_number(recomputed)}"
    yield from _copies_problems(statement)
    if statement.canaries is not None:
        problem = _contradiction(statement, statement.canaries)
        yield from [] if problem is None else [problem]
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


def _contradiction(statement: PrivacyStatement, planted: CanaryStatement) -> str | None:
    """Say whether canaries contradict a claim: its ε, or all that its parameters allow."""
    claimed = statement.epsilon
    if claimed is None:
        return None
    if planted.epsilon_lower_bound > claimed:
        return f"{planted.sentence}, but {claimed:.4g} is claimed"
    points = tradeoff_points(steps_of(statement), statement.delta) if planted.counts else []
    curve = inverse_of_points([*points, (claimed, statement.delta)])
    if not any_ruled_out(planted.planted, planted.counts, curve, CURVE_ERROR):
        return None
    return (
        f"{planted.sentence}; noise, sampling rate and steps as declared would give so many right "
        f"guesses with a probability below {CURVE_ERROR:g}"
    )


def _copies_problems(statement: PrivacyStatement) -> Iterator[str]:
    copies, claimed = statement.most_copies or 1, statement.copies_epsilon
    if copies == 1 or claimed is None:
        return
    recomputed = bound_of(statement, copies).epsilon
    if recomputed > claimed * (1 + TOLERANCE):
        yield (
            f"epsilon {claimed:.4g} is claimed of {copies} copies of a record, the parameters "
            f"give {_number(recomputed)}"
        )


def _other_training(statement: PrivacyStatement, training: TrainingRecord | None) -> Iterator[str]:
    """Compare the statement with the record of the training beside it."""
    if training is None:
        return
    if not training.is_private:
        yield f"training.json is of an arm without privacy ('{training.arm}')"
        return
    mode, axes = ("none", ()) if training.cda is None else (training.cda.mode, training.cda.axes)
    pairs = {
        "steps": (statement.steps, training.steps),
        "the batch size": (statement.expected_batch_size, training.batch_size),
        "the clipping norm": (statement.max_grad_norm, training.max_grad_norm),
        "the clipping": (statement.clipping.kind, training.clipping),
        "the target epsilon": (statement.target_epsilon, training.target_epsilon),
        "the mode of the twins": (statement.cda.mode, mode),
        "the axes of the twins": (", ".join(statement.cda.axes), ", ".join(axes)),
    }
    # Records of older versions and statements of other trainers leave these out.
    optional = {
        "the base model": (statement.base_fingerprint, training.base_fingerprint),
        "the unit": (statement.unit, training.unit),
    }
    if training.privacy_digest is not None:
        pairs["its digest"] = (statement.digest, training.privacy_digest)
    known = {name: pair for name, pair in optional.items() if None not in pair}
    for name, (here, there) in {**pairs, **known}.items():
        same = (
            math.isclose(here, there, rel_tol=1e-6)
            if isinstance(here, float) and isinstance(there, int | float)
            else here == there
        )
        if not same:
            yield f"{name} is {_short(here)} here and {_short(there)} in training.json"


def _warnings(statement: PrivacyStatement, bound: Bound) -> Iterator[str]:
    if bound.accountant != _kind(statement.accountant) and statement.epsilon is not None:
        yield (
            f"the bound comes from the accountant '{bound.accountant}', the statement names "
            f"'{statement.accountant}'"
        )
    if statement.canaries is not None:
        yield statement.canaries.sentence
    if (statement.most_copies or 1) > 1:
        spent = statement.copies_epsilon
        said = "has no finite bound" if spent is None else f"is {spent:.4g}"
        yield (
            f"one record stands {statement.most_copies} times in the text: epsilon of all its "
            f"copies together {said}"
        )
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


def _kind(accountant: str) -> Accountant:
    return "rdp" if accountant == "rdp" else "prv"


def _short(value: object) -> str:
    text = "not given" if value in (None, "") else str(value)
    return text if len(text) <= 20 else f"{text[:12]}..."


def _number(value: float) -> str:
    return "no finite epsilon" if math.isinf(value) else f"{value:.4g}"
