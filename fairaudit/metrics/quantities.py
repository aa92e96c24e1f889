"""What every score of a text has in common: its mean by group, and how the groups differ."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairaudit.metrics.gaps import (
    difference_measurements,
    difference_without_interval,
    largest_gap_estimates,
    level_measurements,
    overall_measurement,
)
from fairaudit.metrics.prompts import PerText, Prompts, Reduce, Texts, by_axis
from fairaudit.metrics.sample_estimates import Measurement, Metric, estimates

if TYPE_CHECKING:
    from fairaudit.results import Estimate


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number per text, and the metrics that it gives.

    Parameters
    ----------
    labels : tuple of str
        Labels that it is made of; it is left out of tables that lack one.
    per_text : callable
        Makes it of the columns of those labels.
    level : Metric
        Its mean by group; with ``difference`` also over all prompts.
    difference : Metric or None
        Other groups minus the reference group.
    largest_gap : Metric or None
        Largest minus smallest mean.
    largest_change : Metric or None
        Between two models, the largest change of any group against the reference group, or against
        the other groups.
    reduce : {"mean", "max"}
        From the texts of a prompt to the prompt; a maximum needs more than one text.
    not_axis : str or None
        Prompts of this axis are left out.
    """

    labels: tuple[str, ...]
    per_text: PerText
    level: Metric
    difference: Metric | None = None
    largest_gap: Metric | None = None
    largest_change: Metric | None = None
    reduce: Reduce = "mean"
    not_axis: str | None = None

    def fits(self, texts: Texts) -> bool:
        """Whether the texts of a protocol have what it is made of."""
        return texts.labels.issuperset(self.labels) and (self.reduce == "mean" or texts.several)

    def measurements(self, texts: Texts, *, primary: bool) -> Iterator[Measurement]:
        """All that can be compared between models, of one protocol.

        Parameters
        ----------
        texts : Texts
            Texts of one protocol.
        primary : bool
            Whether verdicts rest on how the groups differ in it.
        """
        pooled = self.difference is not None
        for prompts in self.prompts(texts, pooled=pooled):
            if prompts.axis == "all":
                yield overall_measurement(self.level, prompts)
                continue
            yield from level_measurements(self.level, prompts)
            if self.difference is not None:
                yield from difference_measurements(self.difference, prompts, primary=primary)

    def estimates(self, texts: Texts, seed: int, *, primary: bool) -> Iterator[Estimate]:
        """All estimates of one protocol; see `measurements`."""
        yield from estimates(self.measurements(texts, primary=primary), seed)
        for prompts in self.prompts(texts):
            if self.difference is not None:
                yield from difference_without_interval(self.difference, prompts, primary=primary)
            if self.largest_gap is not None:
                yield from largest_gap_estimates(self.largest_gap, prompts, seed, primary=primary)

    def prompts(self, texts: Texts, *, pooled: bool = False) -> Iterator[Prompts]:
        """Values of the prompts of one protocol, axis by axis, and with ``pooled`` of all axes."""
        found = by_axis(texts, self.per_text, reduce=self.reduce, pooled=pooled)
        return (prompts for prompts in found if prompts.axis != self.not_axis)
