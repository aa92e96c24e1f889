"""The privacy statement under a gate: what it declares, checked as far as reading it goes.

Recomputing ε takes an accountant, which the audit ran and whose finding stands in its result; a
gate reads. What it can see besides is whether the statement claims anything, is about this model,
and does not contradict itself.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from fairaudit.errors import fault_words
from fairaudit.gating.gate_checks import Check, settled, show
from fairaudit.gating.gate_selection import Result, with_candidate
from fairaudit.gating.policy import MaxEpsilon
from fairaudit.results.audit import AuditResult
from fairaudit.results.gate import GateDecision
from fairaudit.results.privacy import PrivacyStatement
from fairaudit.results.types import ModelIdentity
from fairaudit.vocabulary.decisions import FAIL, INCONCLUSIVE, NOT_RUN, PASS


def max_epsilon(rule: MaxEpsilon, result: Result, candidate: str | None) -> Check:
    """Check that the declared ε keeps the limit, in a statement that a reader can believe.

    NOT_RUN without a statement; INCONCLUSIVE with one that is not complete, or does not say which
    model it is about; FAIL with one that claims nothing, contradicts itself, is about another
    model, or states ε at a δ of 1/records or more, which allows single records to be revealed.
    """
    selector = with_candidate("privacy", candidate)
    content = _content(result, candidate)
    if content is None:
        reason = "no privacy statement was found beside the checkpoint"
        return settled(rule.kind, selector, NOT_RUN, reason, bound=rule.limit)
    try:
        statement = PrivacyStatement.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{first['loc'][0]}: {fault_words(first)}"
        reason = f"the privacy statement is not complete: {where}"
        return settled(rule.kind, selector, INCONCLUSIVE, reason, bound=rule.limit)
    decision, reason = _judged(rule, statement, result, candidate)
    return settled(
        rule.kind, selector, decision, reason,
        value=statement.epsilon, bound=rule.limit, n=statement.records,
    )  # fmt: skip


def _judged(
    rule: MaxEpsilon, statement: PrivacyStatement, result: Result, candidate: str | None
) -> tuple[GateDecision, str]:
    problem = next(_problems(rule, statement, result, candidate), None)
    if problem is not None:
        return FAIL, problem
    if None in (statement.model_fingerprint, _model_of(result, candidate).fingerprint):
        return INCONCLUSIVE, "nothing says that the privacy statement is about this model"
    return PASS, f"{_declared(statement)}; `fairaudit verify` recomputes it"


def _content(result: Result, candidate: str | None) -> dict[str, Any] | None:
    if isinstance(result, AuditResult):
        return result.privacy
    return result.provenance.privacy.get(candidate or "")


def _refutation(result: Result, candidate: str | None) -> str | None:
    if isinstance(result, AuditResult):
        return result.privacy_refuted
    return result.provenance.privacy_refuted.get(candidate or "")


def _model_of(result: Result, candidate: str | None) -> ModelIdentity:
    if isinstance(result, AuditResult):
        return result.provenance.model
    return result.provenance.candidates[candidate or ""].model


def _declared(statement: PrivacyStatement) -> str:
    assert statement.epsilon is not None
    return f"epsilon {show(statement.epsilon)} is declared at delta {statement.delta:.3g}"


def _problems(
    rule: MaxEpsilon, statement: PrivacyStatement, result: Result, candidate: str | None
) -> Iterator[str]:
    if statement.noise_reproducible:
        yield "no guarantee: the noise was drawn from a fixed seed"
    if statement.epsilon is None:
        yield "the privacy statement claims no guarantee"
        return
    about, fingerprint = statement.model_fingerprint, _model_of(result, candidate).fingerprint
    if about is not None and fingerprint is not None and about != fingerprint:
        yield f"the privacy statement is about another model ({about[:12]}, not {fingerprint[:12]})"
    refuted = _refutation(result, candidate)
    if refuted is not None:
        yield refuted
    expected = statement.sample_rate * statement.records
    if not math.isclose(expected, statement.expected_batch_size, rel_tol=1e-6):
        yield "the privacy statement contradicts itself: sample rate, records and batch size"
    if statement.noise_multiplier == 0:
        yield "the privacy statement contradicts itself: an epsilon without noise"
    if statement.cda.mode == "separate" and statement.cda.epsilon_method != "mixture":
        yield "epsilon ignores that twins are separate records"
    if statement.delta >= 1 / statement.records:
        yield f"{_declared(statement)}, not below 1/records: single records may be revealed"
    if statement.epsilon > rule.limit:
        yield f"{_declared(statement)}, above {show(rule.limit)}"
    if rule.max_delta is not None and statement.delta > rule.max_delta:
        yield f"{_declared(statement)}, a delta above {rule.max_delta:.3g}"
