"""What can be said about the difference of two models."""

from __future__ import annotations

from dataclasses import dataclass

from fairaudit.stats.evidence import Evidence, evidence_of, paired_square
from fairaudit.stats.unseen import reaching


@dataclass(frozen=True, slots=True)
class PairedInference:
    """The difference candidate − baseline; ``reason`` explains a missing value or interval.

    Parameters
    ----------
    value_baseline, value_candidate : float or None
        θ of each model on the common items.
    difference : float or None
        θ_candidate − θ_baseline.
    n, n_clusters : int
        Items and clusters that entered; in a two-way design the smaller number of labels.
    n_discordant : int or None
        Items on which the models differ; None where the quantity is no rate.
    mean_square : float or None
        Mean squared item difference.
    se, df : float or None
        Standard error and degrees of freedom (None: normal).
    low, high : float or None
        Interval of the difference.
    level : float
        Confidence level.
    method : str or None
        ``tango``, ``bootstrap-t``, ``cr2``, ``t`` or ``two-way``.
    resampling_unit : str or None
        What counts as independent: ``item``, ``cluster`` or ``cluster x template``.
    reach : float or None
        The most that one unit can move, of what is no rate: what no unit has shown may lie that
        far out (`fairaudit.stats.unseen`).
    p_value : float or None
        Two-sided test of no difference.
    mde : float or None
        Difference that a test at 1 − level finds with 80 % power.
    cautions : tuple of str
        ``few_clusters`` where that is why there is no interval.
    reason : str or None
        Why value or interval is missing.
    """

    value_baseline: float | None
    value_candidate: float | None
    difference: float | None
    n: int
    n_clusters: int
    n_discordant: int | None = None
    mean_square: float | None = None
    se: float | None = None
    df: float | None = None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str | None = None
    resampling_unit: str | None = None
    reach: float | None = None
    p_value: float | None = None
    mde: float | None = None
    cautions: tuple[str, ...] = ()
    reason: str | None = None

    @classmethod
    def missing(cls, reason: str) -> PairedInference:
        """No value, because ``reason``."""
        return cls(None, None, None, 0, 0, reason=reason)

    @property
    def square(self) -> float:
        """``mean_square`` as a discordance; see `paired_square`."""
        assert self.difference is not None
        assert self.mean_square is not None
        return paired_square(self.difference, self.mean_square)

    def evidence(self) -> Evidence | None:
        """Bounds and one-sided tests at any level; None without an interval."""
        if self.difference is None or self.method is None or self.low is None or self.high is None:
            return None
        seen = evidence_of(
            self.difference,
            method=self.method,
            low=self.low,
            high=self.high,
            level=self.level,
            se=self.se,
            df=self.df,
            n=self.n,
            n_clusters=self.n_clusters,
            mean_square=self.mean_square,
        )
        return reaching(seen, self.difference, self.reach, self.n_clusters)
