"""Near-ties of a model in low precision, scored again in fp32.

In bfloat16 a sentence's log-likelihood is off by some hundredths of a nat: far more than what makes
a tie, and enough to turn a close preference round. What is compared within an item (a sentence and
its counterpart, the choices of a question) is therefore scored again in fp32 where the difference
is small against the errors that low precision is seen to make. How large these are is measured,
not assumed: the nearest comparisons of every protocol are scored again first, then all that lie
within three times the largest error found, until there is none left.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from fairaudit.auditing.suite_plan import SuitePlan
from fairaudit.items import TIE_TOLERANCE, Answer, Association, Request, Skipped, TokenRequest
from fairaudit.results.types import NearTies

if TYPE_CHECKING:
    from fairaudit.auditing.audit_plan import AuditPlan
    from fairaudit.scoring.load import LoadedModel

Answers = Mapping[Request, Answer | Skipped]

#: Precisions in which a score may be off by more than a tie.
_LOW: Final = ("bfloat16", "float16")
#: Comparisons of each protocol that are scored again whatever their difference is.
_NEAREST: Final = 100
#: A difference of this many times the largest error seen is taken for certain.
_SAFETY: Final = 3.0
#: In any case what is this near in low precision is scored again, in nats.
_LEAST: Final = 10 * TIE_TOLERANCE


@dataclass(frozen=True, slots=True)
class _Comparison:
    """Requests whose scores are compared with each other, and how an answer is scored."""

    requests: tuple[TokenRequest, ...]
    score: Callable[[Answer], float]

    def scores(self, answers: Answers) -> list[float]:
        """Scores of the requests that were answered."""
        found = (answers[request] for request in self.requests)
        return [self.score(answer) for answer in found if isinstance(answer, Answer)]

    def gap(self, answers: Answers) -> float:
        """Smallest difference of two scores; infinite where fewer than two were answered."""
        ordered = sorted(self.scores(answers))
        return min(
            (high - low for low, high in pairwise(ordered)),
            default=float("inf"),
        )

    def error(self, coarse: Answers, exact: Answers) -> float:
        """Largest error of a difference of two scores."""
        pairs = zip(self.scores(coarse), self.scores(exact), strict=True)
        errors = [low - high for low, high in pairs]
        return max(errors) - min(errors)


class _Protocol:
    """The comparisons of one protocol, the nearest first, and how many were scored again."""

    def __init__(self, comparisons: Iterable[_Comparison], coarse: Answers) -> None:
        gaps = ((one.gap(coarse), one) for one in comparisons)
        known = [(gap, one) for gap, one in gaps if gap < float("inf")]
        known.sort(key=lambda entry: entry[0])
        self._coarse = coarse
        self._gaps = [gap for gap, _ in known]
        self._comparisons = [one for _, one in known]
        self._error = 0.0
        self._done = 0

    @property
    def tolerance(self) -> float:
        """Difference beyond which low precision is taken at its word, in nats."""
        return max(_SAFETY * self._error, _LEAST)

    def wanted(self) -> list[_Comparison]:
        """Comparisons that must be scored again and were not yet."""
        near = bisect_left(self._gaps, self.tolerance)
        return self._comparisons[self._done : max(near, min(_NEAREST, len(self._gaps)))]

    def learn(self, exact: Answers) -> None:
        """Take note of the errors that were found."""
        for one in self.wanted():
            self._error = max(self._error, one.error(self._coarse, exact))
            self._done += 1

    @property
    def result(self) -> NearTies:
        """What provenance says of it."""
        return NearTies(
            compared=len(self._gaps),
            rescored=self._done,
            tolerance=self.tolerance,
            largest_error=self._error,
        )


def near_ties_in_fp32(plan: AuditPlan, answers: Answers) -> tuple[Answers, dict[str, NearTies]]:
    """Answer what is nearly tied again, exactly; nothing for a model in fp32 or quantised.

    Parameters
    ----------
    plan : AuditPlan
        The audit.
    answers : mapping
        Its answers in low precision.

    Returns
    -------
    answers, mapping of str to NearTies
        All answers, and what was scored again by protocol.
    """
    if plan.loaded.dtype not in _LOW or plan.loaded.identity.quantization is not None:
        return answers, {}
    protocols = {
        protocol: _Protocol(found, answers) for protocol, found in _comparisons(plan.suites)
    }
    exact: dict[Request, Answer | Skipped] = {}
    with plan.scorer.in_fp32() as scorer:
        while wanted := [one for found in protocols.values() for one in found.wanted()]:
            # In an order that all ranks share.
            requests = dict.fromkeys(request for one in wanted for request in one.requests)
            new = [request for request in requests if request not in exact]
            exact.update(scorer.run(scorer.plan(new)))
            for found in protocols.values():
                found.learn(exact)
    return {**answers, **exact}, {name: found.result for name, found in protocols.items()}


def near_tie_notes(loaded: LoadedModel, found: Mapping[str, NearTies]) -> list[str]:
    """Say how much was scored again, or why nothing was."""
    if loaded.dtype in _LOW and loaded.identity.quantization is not None:
        return ["the model is quantised: it has no weights in which near-ties could be settled"]
    compared = sum(one.compared for one in found.values())
    if not compared:
        return []
    rescored = sum(one.rescored for one in found.values())
    return [
        f"{loaded.dtype}: {rescored:,} of {compared:,} comparisons were near enough for "
        "rounding to turn them round, and were scored again in float32"
    ]


def _comparisons(plans: Iterable[SuitePlan]) -> Iterator[tuple[str, list[_Comparison]]]:
    """Yield each protocol with what is compared within its items."""
    for plan in plans:
        if plan.suite.per_token:
            continue
        asked: dict[tuple[str, str], list[TokenRequest]] = {}
        for (item_id, protocol_id, _role), request in plan.requests.items():
            if not isinstance(request, Skipped | Association):
                asked.setdefault((protocol_id, item_id), []).append(request)
        for protocol in plan.protocols:
            yield (
                protocol.id,
                [
                    _Comparison(tuple(requests), protocol.score)
                    for (protocol_id, _item), requests in asked.items()
                    if protocol_id == protocol.id
                ],
            )
