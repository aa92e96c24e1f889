"""Privacy statements about runs of other trainers, and the ε of several runs together."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal

from fairaudit.errors import ResultError, UsageError, fault_words
from fairaudit.results import files
from fairaudit.results.privacy import CdaStatement, PrivacyStatement
from fairaudit.training.accounting import Bound, joint_bound
from fairaudit.training.statement import NOT_COVERED
from fairaudit.training.verification import bound_of, steps_of

SamplerName = Literal["poisson", "shuffled"]

#: What is known of a run that fairaudit did not make.
_BY_HAND: Final = "whether the trainer followed these parameters, which were given by hand"
_DELTA_EXPONENT: Final = -1.1


def make_foreign_statement(
    *,
    trainer: str,
    records: int,
    batch_size: float,
    steps: int,
    noise_multiplier: float,
    max_grad_norm: float,
    delta: float | None = None,
    epsilon: float | None = None,
    sampler: SamplerName = "poisson",
    unit: Literal["record", "user"] = "record",
    secure_noise: bool = False,
    model_fingerprint: str | None = None,
) -> PrivacyStatement:
    """State the ε that follows from the parameters of a run of Opacus or another trainer.

    Parameters
    ----------
    trainer : str
        Its name.
    records : int
        n.
    batch_size : float
        Expected records in a step (Opacus: the batch size of the loader that it was given, times
        accumulated batches).
    steps : int
        Noisy updates in all.
    noise_multiplier, max_grad_norm : float
        σ in units of C, and C.
    delta : float or None
        δ; default n^−1.1.
    epsilon : float or None
        What was claimed; a claim that the parameters do not bear is refused, another one stands
        beside the ε that follows.
    sampler : {"poisson", "shuffled"}
        *poisson*: each record enters each step by a coin (Opacus with ``poisson_sampling=True``).
        *shuffled*: each record once an epoch (dp-transformers, a plain ``DataLoader``); nothing is
        gained by sampling then, and a record is replaced by nothing rather than removed.
    unit : {"record", "user"}
        What was clipped as a whole.
    secure_noise : bool
        Whether the noise came from a cryptographic generator (Opacus: ``secure_mode``).
    model_fingerprint : str or None
        Of the weights that it is about.

    Returns
    -------
    PrivacyStatement
        With the ε that follows, and what it does not cover.

    Raises
    ------
    UsageError
        If a value is out of range, or the parameters do not give the claim.
    """
    if not 0 < batch_size <= records:
        raise UsageError(f"batch size {batch_size:g} must lie between 0 and the {records} records")
    try:
        statement = PrivacyStatement(
            unit=unit,
            adjacency="add_remove" if sampler == "poisson" else "zero_out",
            records=records,
            sample_rate=batch_size / records,
            expected_batch_size=batch_size,
            steps=steps,
            noise_multiplier=noise_multiplier,
            max_grad_norm=max_grad_norm,
            delta=records**_DELTA_EXPONENT if delta is None else delta,
            target_epsilon=epsilon,
            sampler=sampler,
            trainer=trainer,
            cda=CdaStatement(),
            secure_noise=secure_noise,
            model_fingerprint=model_fingerprint,
            not_covered=(_BY_HAND, *NOT_COVERED),
        )
    except ValueError as error:
        raise UsageError(f"no statement can be made: {_first(error)}") from error
    bound = bound_of(statement)
    if not math.isfinite(bound.epsilon):
        raise UsageError("these parameters give no finite epsilon: there is no guarantee to state")
    if epsilon is not None and bound.epsilon > epsilon * 1.005:
        raise UsageError(
            f"epsilon {epsilon:.4g} is claimed, but these parameters give {bound.epsilon:.4g}"
            f"{_without_amplification(statement)}"
        )
    return statement.model_copy(
        update={"epsilon": bound.epsilon, "accountant": bound.accountant}
    ).sealed()


def write_statement(folder: Path, statement: PrivacyStatement) -> Path:
    """Write ``privacy.json`` beside a checkpoint.

    Parameters
    ----------
    folder : Path
        The checkpoint.
    statement : PrivacyStatement
        What is claimed of it.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ResultError
        If there is one, or the folder is none or cannot be written.
    """
    path = folder / "privacy.json"
    if not folder.is_dir():
        raise ResultError(f"{folder}: no such folder; name the checkpoint")
    if path.exists():
        raise ResultError(f"{path} is there already; remove it to write another")
    try:
        files.write_text(path, statement.to_json())
    except OSError as error:
        raise ResultError(f"{path}: cannot be written ({error.strerror})") from error
    return path


def joint_epsilon(statements: Sequence[PrivacyStatement], delta: float | None = None) -> Bound:
    """ε of several runs on the same text together, per record.

    Parameters
    ----------
    statements : sequence of PrivacyStatement
        One for each run: seeds, sweeps, arms.
    delta : float or None
        δ of all together; default the largest of theirs.

    Returns
    -------
    Bound
        ε at the common δ, at least that of any one run.

    Raises
    ------
    UsageError
        If they do not protect the same thing, or one of them has no guarantee.
    """
    if len(statements) < 2:
        raise UsageError("name the models of two runs or more")
    for name in ("unit", "adjacency"):
        found = sorted({str(getattr(one, name)) for one in statements})
        if len(found) > 1:
            raise UsageError(
                f"the runs differ in what they protect ({name}: {', '.join(found)}), so they have "
                "no epsilon together"
            )
    if any(one.epsilon is None for one in statements):
        raise UsageError("a run without a guarantee has none together with others")
    runs = [steps_of(one) for one in statements]
    plain = all(run.draws == 1 for run in runs)
    renyi = plain and any(one.accountant == "rdp" for one in statements)
    return joint_bound(
        runs,
        max(one.delta for one in statements) if delta is None else delta,
        accountant="rdp" if renyi else "prv",
    )


def _without_amplification(statement: PrivacyStatement) -> str:
    if statement.sampler == "poisson":
        return ""
    return "; with shuffled batches nothing is gained by sampling"


def _first(error: Any) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {fault_words(first)}"
