"""`ClassifierCheck`: what a text classifier makes of groups, and of texts that people labelled."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field

from fairaudit.results.digest import dump_json
from fairaudit.results.types import Estimate, Frozen
from fairaudit.vocabulary.metrics import CLASSIFIER_GAP

SCHEMA: Final = "fairaudit/classifier-check"
#: Gaps with a corrected p-value below it count as shown.
ALPHA: Final = 0.05


class CalibrationBin(Frozen):
    """Labelled texts of like probability: what the classifier said, and what people said.

    Attributes
    ----------
    n : int
        Texts in the bin.
    probability : float
        Mean probability.
    share : float
        Share that people labelled so, with its Wilson interval.
    low : float
        Lower bound of the share.
    high : float
        Upper bound of the share.
    """

    n: int = Field(ge=1)
    probability: float
    share: float
    low: float
    high: float


class ClassifierCheck(Frozen):
    """What a classifier makes of the same sentences about different groups.

    Estimates with the name ``classifier_gap`` say by how much its probability changes where nothing
    but the group does: ``group`` is the pair, first minus second.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    classifier : str
        Name and fingerprint (or commit) of the classifier.
    label : str
        The label whose probability is looked at.
    estimates : tuple of Estimate
        Its gaps by axis, and error rates on labelled texts.
    calibration : tuple of CalibrationBin
        Empty without labelled texts.
    n_truncated : int
        Texts that were cut to what the classifier reads.
    seed : int
        Seed of bootstrap and permutations.
    versions : dict of str to str
        Versions of the libraries that decide numbers, by name.
    """

    schema_: Literal["fairaudit/classifier-check"] = Field(default=SCHEMA, alias="schema")
    schema_version: int = 1
    classifier: str
    label: str
    estimates: tuple[Estimate, ...]
    calibration: tuple[CalibrationBin, ...] = ()
    n_truncated: int = 0
    seed: int = 0
    versions: dict[str, str] = Field(default_factory=dict)

    @property
    def gaps(self) -> tuple[Estimate, ...]:
        """Gap of every pair of groups."""
        return tuple(one for one in self.estimates if one.name == CLASSIFIER_GAP.name)

    @property
    def axes(self) -> tuple[str, ...]:
        """Axes on which its own gap is known."""
        return tuple(dict.fromkeys(one.axis for one in self.gaps))

    def largest(self, axis: str) -> Estimate | None:
        """Return the largest gap on an axis, of either sign; None where none is known."""
        known = [one for one in self.gaps if one.axis == axis and one.value is not None]
        return max(known, key=lambda one: abs(one.value or 0.0), default=None)

    def leans(self, axis: str) -> bool:
        """Whether it is shown to treat groups of an axis differently, after correction."""
        return any(
            one.p_adjusted is not None and one.p_adjusted < ALPHA
            for one in self.gaps
            if one.axis == axis
        )

    def to_json(self) -> str:
        """Return the result as JSON: sorted keys, two-space indent, no NaN."""
        return dump_json(self.model_dump(mode="json", by_alias=True))
