"""How much of a corpus the swapper reaches, and how well its twins read."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from fairaudit.augmentation.analysis import Analysis, analyse
from fairaudit.augmentation.swapper import Twin
from fairaudit.errors import DataError

#: Perplexity of each text; a fluency ratio compares twins and originals with it.
Scorer = Callable[[Sequence[str]], Sequence[float]]


@dataclass(frozen=True, slots=True)
class CoverageReport:
    """What was swapped, and what was not.

    Parameters
    ----------
    records, swapped_records : int
        Records read, and those with at least one twin.
    twins : int
        Twins made.
    swaps_by_class : mapping of str to int
        Words swapped, by ``axis/class``, most frequent first.
    unswapped : mapping of str to int
        Words that name a group and were left: without counterpart, protected, or read otherwise
        (a colour, a surname); most frequent first.
    round_trip_failures : int
        Twins that, swapped back, do not give their record again.
    records_not_restored : int
        Records with such a twin.
    fluency_ratio : float or None
        Perplexity of the twins over that of their records, geometric means; above 0, ideally 1.
    fluency_reason : str or None
        Why there is no ratio.
    foreign_records : int
        Records that look like another language than English; they have no twins.
    """

    records: int
    swapped_records: int
    twins: int
    swaps_by_class: Mapping[str, int]
    unswapped: Mapping[str, int]
    round_trip_failures: int
    records_not_restored: int
    fluency_ratio: float | None = None
    fluency_reason: str | None = "no scorer was given"
    foreign_records: int = 0

    @property
    def share(self) -> float:
        """Share of records with a twin, 0 to 1; 0 without records."""
        return self.swapped_records / self.records if self.records else 0.0

    @property
    def round_trip_share(self) -> float:
        """Share of records that all their twins give again, 0 to 1, ideally 1; 1 if none."""
        return 1.0 - self.records_not_restored / self.records if self.records else 1.0

    @property
    def swaps(self) -> int:
        """Words swapped in all records."""
        return sum(self.swaps_by_class.values())


@dataclass
class CoverageCounter:
    """Counts record by record, so that a corpus need not fit in memory."""

    axes: tuple[str, ...]
    records: int = 0
    swapped_records: int = 0
    twins: int = 0
    failures: int = 0
    records_not_restored: int = 0
    foreign_records: int = 0
    by_class: Counter[str] = field(default_factory=Counter)
    unswapped: Counter[str] = field(default_factory=Counter)

    def add(self, analysis: Analysis, twins: Sequence[Twin]) -> None:
        """Count one record and its twins."""
        self.records += 1
        self.foreign_records += analysis.is_foreign
        self.swapped_records += bool(twins)
        self.twins += len(twins)
        self.by_class.update(f"{hit.reading.axis}/{hit.reading.sense}" for hit in analysis.hits)
        self.unswapped.update(analysis.left)
        lost = sum(not restores(analysis.text, twin, self.axes) for twin in twins)
        self.failures += lost
        self.records_not_restored += bool(lost)

    def refuse_foreign(self) -> None:
        """Raise where most of the records are not English: their twins would be missing.

        Raises
        ------
        DataError
            With the number of records.
        """
        if 2 * self.foreign_records > self.records:
            raise DataError(
                f"{self.foreign_records:,} of {self.records:,} records look like another language; "
                "words are swapped in English text alone"
            )

    def report(
        self, *, fluency_ratio: float | None = None, fluency_reason: str | None = None
    ) -> CoverageReport:
        """Return the counts as a report."""
        if fluency_ratio is None and fluency_reason is None:
            fluency_reason = "no scorer was given"
        return CoverageReport(
            records=self.records,
            swapped_records=self.swapped_records,
            twins=self.twins,
            swaps_by_class=dict(self.by_class.most_common()),
            unswapped=dict(self.unswapped.most_common()),
            round_trip_failures=self.failures,
            records_not_restored=self.records_not_restored,
            fluency_ratio=fluency_ratio,
            fluency_reason=fluency_reason,
            foreign_records=self.foreign_records,
        )


def restores(text: str, twin: Twin, axes: tuple[str, ...]) -> bool:
    """Whether swapping a twin back gives the record, character by character."""
    back = {axis: -shift for axis, shift in twin.shifts.items()}
    return analyse(twin.text, axes).render(back) == text


def fluency(
    scorer: Scorer, originals: Sequence[str], twins: Sequence[str]
) -> tuple[float | None, str | None]:
    """Ratio of perplexities, twins over their records, and the reason if there is none.

    The ratio is exp(mean(log ppl(twin)) - mean(log ppl(record))) over the pairs whose two
    perplexities are finite and positive.
    """
    if not twins:
        return None, "no record has a twin"
    scores = zip(scorer(twins), scorer(originals), strict=True)
    logs = [
        math.log(twin) - math.log(original)
        for twin, original in scores
        if min(twin, original) > 0 and math.isfinite(twin) and math.isfinite(original)
    ]
    if not logs:
        return None, "the scorer returned no finite perplexity"
    return math.exp(fmean(logs)), None
