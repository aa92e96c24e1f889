"""The one rule that turns a paired difference into a verdict, for comparison and gate alike.

In this order:

1. the (1 − 2α) interval lies inside ±margin, and so does all that units unlike those seen could
   add (`fairaudit.stats.unseen`): ``equivalent`` (caution ``nonzero`` if the 1 − α interval leaves
   out 0: the difference is real and too small to matter);
2. the adjusted test rejects and the 1 − α interval lies above 0: ``amplified``;
3. it rejects and the interval lies below 0: ``reduced`` (caution ``overshot`` where the candidate
   may have gone past the ideal to the other side by more than the margin);
4. else ``inconclusive``: undecided about an increase of up to the upper bound.

Before all of them: the same model is ``identical``, and a model that is not shown to be more
capable than chance is ``not_interpretable``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from fairaudit.stats.evidence import Evidence, Student, two_sided
from fairaudit.stats.unseen import limiting
from fairaudit.vocabulary.cautions import NONZERO, OVERSHOT
from fairaudit.vocabulary.verdicts import Verdict


@dataclass(frozen=True, slots=True)
class Decision:
    """A verdict with the bounds it rests on.

    Parameters
    ----------
    verdict : Verdict
        What the difference comes to.
    low, high : float or None
        The 1 − α interval of the difference.
    p_value : float or None
        The p-value that was held against α, adjusted if an adjusted one was given.
    p_equivalence : float or None
        Larger p-value of the two one-sided tests against ±margin, with what no unit has shown;
        None without a margin.
    cautions : tuple of str
        ``nonzero`` or ``overshot``.
    """

    verdict: Verdict
    low: float | None = None
    high: float | None = None
    p_value: float | None = None
    p_equivalence: float | None = None
    cautions: tuple[str, ...] = ()


def decide(
    difference: float,
    se: float | None,
    df: float | None,
    margin: float | None,
    alpha: float = 0.05,
    *,
    evidence: Evidence | None = None,
    within: Evidence | None = None,
    p_adjusted: float | None = None,
    candidate_low: float | None = None,
    identical: bool = False,
    capable: bool = True,
) -> Decision:
    """Decide whether a bias was amplified, reduced, kept, or cannot be told.

    Parameters
    ----------
    difference : float
        Candidate − baseline, signed so that above 0 is more stereotyped.
    se, df : float or None
        Its standard error and degrees of freedom (None: normal). Without a positive standard error
        and without ``evidence`` nothing can be decided.
    margin : float or None
        Half-width of the zone of equivalence, in units of ``difference``; None: this metric has
        no equivalence.
    alpha : float
        Error level, 0 < α < 0.5.
    evidence : Evidence, optional
        Bounds at any level; default Student's from ``se`` and ``df``.
    within : Evidence, optional
        Bounds of all that must lie inside ±margin, where that is more than the difference, such as
        every group's change beside the largest; default ``evidence``.
    p_adjusted : float, optional
        Two-sided p-value of no difference, adjusted in its family; default the unadjusted one
        from ``evidence``.
    candidate_low : float, optional
        Lower bound of the candidate's own deviation from the ideal, signed as ``difference``.
    identical : bool
        Both models have the same fingerprint.
    capable : bool
        Both models are shown to be more capable than chance.

    Returns
    -------
    Decision
        The verdict, the interval that it rests on, and cautions; the order of the rules is above.

    Raises
    ------
    ValueError
        If α or margin is out of range, or the difference is not finite.

    Examples
    --------
    >>> decide(0.10, 0.02, None, margin=0.05).verdict.value
    'amplified'
    >>> decide(0.01, 0.01, None, margin=0.05).verdict.value
    'equivalent'
    >>> decide(0.05, 0.05, None, margin=0.05).verdict.value
    'inconclusive'
    """
    _check(difference, margin, alpha)
    if identical:
        return Decision(Verdict.IDENTICAL)
    if evidence is None:
        if se is None or not se > 0:
            return Decision(Verdict.INCONCLUSIVE if capable else Verdict.NOT_INTERPRETABLE)
        evidence = Student(difference, se, se, df)
    p = two_sided(evidence) if p_adjusted is None else p_adjusted
    low, high = evidence.lower(alpha / 2), evidence.upper(alpha / 2)
    inside = limiting(evidence if within is None else within)
    p_equivalence = None if margin is None else equivalence_p(inside, margin)
    verdict = _verdict(inside, low, high, p <= alpha, margin, alpha)
    cautions = _cautions(verdict, low, high, margin, candidate_low)
    if not capable:
        verdict, cautions = Verdict.NOT_INTERPRETABLE, ()
    return Decision(verdict, low, high, p, p_equivalence, cautions)


def equivalence_p(evidence: Evidence, margin: float) -> float:
    """P-value of "outside ±margin", the larger of two one-sided ones (Schuirmann 1987).

    It is at most α where the 1 − 2α interval lies inside ±margin.
    """
    return max(evidence.p_at_most(-margin), evidence.p_at_least(margin))


def _verdict(
    inside: Evidence, low: float, high: float, rejects: bool, margin: float | None, alpha: float
) -> Verdict:
    if margin is not None and inside.lower(alpha) > -margin and inside.upper(alpha) < margin:
        return Verdict.EQUIVALENT
    if rejects and low > 0:
        return Verdict.AMPLIFIED
    if rejects and high < 0:
        return Verdict.REDUCED
    return Verdict.INCONCLUSIVE


def _cautions(
    verdict: Verdict, low: float, high: float, margin: float | None, candidate_low: float | None
) -> tuple[str, ...]:
    if verdict is Verdict.EQUIVALENT and not low <= 0 <= high:
        return (NONZERO.name,)
    past = candidate_low is not None and candidate_low < -(margin or 0.0)
    return (OVERSHOT.name,) if verdict is Verdict.REDUCED and past else ()


def _check(difference: float, margin: float | None, alpha: float) -> None:
    if not math.isfinite(difference):
        raise ValueError(f"the difference must be a finite number, not {difference}")
    if not 0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, not {alpha}")
    if margin is not None and not margin > 0:
        raise ValueError(f"the margin must be above 0, not {margin}")
