"""`ComparisonResult`: candidates beside one baseline, in memory and as a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import Field, model_validator

from fairaudit.results import files
from fairaudit.results.consistency import comparison_contradictions, refuse
from fairaudit.results.digest import sealed_json
from fairaudit.results.display import Plotted
from fairaudit.results.folders import staged_result
from fairaudit.results.old_claims import with_refutations
from fairaudit.results.old_gaps import with_gap_fields
from fairaudit.results.types import (
    Direction,
    Estimate,
    EstimateKind,
    Frozen,
    Interval,
    Provenance,
    Run,
    SuiteRun,
)
from fairaudit.vocabulary.verdicts import Verdict

if TYPE_CHECKING:
    import pandas as pd

COMPARISON_SCHEMA: Literal["fairaudit/comparison"] = "fairaudit/comparison"
COMPARISON_SCHEMA_VERSION = 2

_NOT_IN_A_ROW: Final = {
    "interval", "candidate_interval", "cautions", "group_changes", "searched", "bounds",
}  # fmt: skip

#: What `to_frame` shows unless all is asked for.
_COMPACT: Final = [
    "candidate", "suite", "protocol", "axis", "group", "name", "value_baseline", "value_candidate",
    "difference", "low", "high", "deviation_change", "margin", "n", "n_clusters", "mde",
    "p_adjusted", "primary", "verdict", "cautions",
]  # fmt: skip


class Paired(Frozen):
    """One quantity of two models, measured on the items that both of them scored.

    Attributes
    ----------
    name : str
        The metric, as `fairaudit.vocabulary.metrics` has it.
    suite : str
        What was asked.
    protocol : str
        How it was scored: ``suite/variant``.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str or None
        The group that it is about; None: the whole axis.
    language : str
        Of the texts that both models were asked.
    baseline : str
        Label of the first audit.
    candidate : str
        Label of the model that is held against it.
    value_baseline, value_candidate : float or None
        Values on the common items, which may be fewer than those of either audit.
    difference : float or None
        candidate − baseline, times ``direction`` where that is not 0: above 0 is more
        stereotyped.
    ratio : float or None
        candidate / baseline, unsigned; None where the baseline is 0 or ratios mean nothing.
    interval : Interval or None
        Interval of ``difference``, with its standard error and degrees of freedom (None:
        normal).
    se : float or None
        Standard error of ``difference``.
    df : float or None
        Its degrees of freedom (None: normal).
    n : int
        Items that both audits scored.
    n_clusters : int
        Clusters that they form.
    n_skipped : int
        Items that one audit scored and the other did not.
    n_only_baseline, n_only_candidate : int
        Of them, those that only the baseline, or only the candidate, has a score for. Of
        prompts that lost some of their texts the share, rounded up; of the probe text tokens.
    lost_group : str or None
        The group that lost most, of a number about several, with its share as `lost_share` has
        it.
    lost_group_share : float
        Share that this group lost, 0-1.
    direction : Direction
        1: higher is more stereotyped; −1: lower is; 0: neither.
    reason : str or None
        Why a value, the interval or the verdict is missing.
    """

    name: str
    suite: str
    protocol: str
    axis: str
    group: str | None = None
    language: str = "en"
    baseline: str
    candidate: str
    value_baseline: float | None
    value_candidate: float | None
    difference: float | None
    ratio: float | None = None
    interval: Interval | None = None
    se: float | None = None
    df: float | None = None
    n: int = Field(ge=0)
    n_clusters: int = Field(ge=0)
    n_skipped: int = Field(default=0, ge=0)
    n_only_baseline: int = Field(default=0, ge=0)
    n_only_candidate: int = Field(default=0, ge=0)
    lost_group: str | None = None
    lost_group_share: float = Field(default=0.0, ge=0.0, le=1.0)
    direction: Direction = 0
    reason: str | None = None

    @property
    def key(self) -> tuple[str, str, str, str | None, str]:
        """``(candidate, protocol, axis, group, name)``, unique within a comparison."""
        return (self.candidate, self.protocol, self.axis, self.group, self.name)

    @property
    def n_lost(self) -> int:
        """Items that only one of the audits scored."""
        return self.n_only_baseline + self.n_only_candidate

    @property
    def lost_share(self) -> float:
        """Share of one audit's items that the other lacks, on the side where it is larger."""
        return share_lost(self.n, self.n_only_baseline, self.n_only_candidate)


def share_lost(n: int, n_only_baseline: int, n_only_candidate: int) -> float:
    """Share of one audit's items that the other lacks, on the side where it is larger."""
    lost = max(n_only_baseline, n_only_candidate)
    return lost / (n + lost) if lost else 0.0


class GroupChange(Frozen):
    """How one group changed against the others, of an axis with more than two groups.

    Attributes
    ----------
    group : str
        The group.
    n : int
        Items of the group that both audits scored.
    n_clusters : int
        Clusters that they form.
    value_baseline, value_candidate : float
        Mean of the group minus that of ``against_group``, or of the means of all other groups.
    difference : float
        candidate − baseline, signed as `Paired.difference`.
    se_below, se_above : float or None
        Standard errors of ``difference`` towards lower and towards higher values, and their
        degrees of freedom; None where the axis has too few clusters.
    df : float or None
        Degrees of freedom of both standard errors.
    """

    group: str
    n: int = Field(ge=0)
    n_clusters: int = Field(ge=0)
    value_baseline: float
    value_candidate: float
    difference: float
    se_below: float | None = Field(default=None, gt=0)
    se_above: float | None = Field(default=None, gt=0)
    df: float | None = Field(default=None, gt=0)


class BoundPair(Frozen):
    """Bounds of a difference, each holding with probability 1 − ``alpha``.

    Attributes
    ----------
    alpha : float
        One-sided error level.
    low : float
        Lower bound at that level.
    high : float
        Upper bound at that level.
    """

    alpha: float = Field(gt=0, lt=1)
    low: float
    high: float


class Comparison(Paired):
    """One bias of candidate and baseline: the signed paired difference and its verdict.

    Attributes
    ----------
    deviation_change : float or None
        ``|candidate − ideal| − |baseline − ideal|``: above 0 is further from the ideal.
    ideal : float or None
        Value of a model without the measured bias.
    n_discordant : int or None
        Items on which the two models prefer differently; None where items have no preference.
    mean_square : float or None
        Mean squared item difference; with ``difference`` and ``n`` it gives a rate's interval
        at any level.
    reach : float or None
        The most that one cluster can move, of what is no rate: claims that the difference is
        small must allow for clusters unlike all that were seen.
    primary : bool
        Whether verdicts rest on it; others are exploratory.
    p_value, p_adjusted : float or None
        Two-sided test of no difference, raw and adjusted within ``family``.
    p_equivalence : float or None
        One-sided tests of difference ≤ −margin and ≥ margin (TOST): the larger p.
    correction : str or None
        How it was corrected: ``holm``, ``bh``.
    family : str or None
        Within which set of tests it was corrected.
    family_size : int or None
        Tests in that set.
    alpha : float
        Error level of the verdict.
    margin : float or None
        Half-width of the zone of equivalence; None: this metric declares none.
    increase_up_to : float or None
        Upper 1 − ``alpha`` bound of the difference: the largest increase that is not excluded,
        which a gate holds against its margin.
    worst_case : tuple of float, float] or None
        Of rates: least and greatest difference if the items that only one audit scored had gone
        either way.
    mde : float or None
        Smallest difference that this design finds with 80 % power.
    verdict : Verdict or None
        None without a difference. Verdicts of exploratory comparisons are corrected in a family
        of their own.
    cautions : tuple of str
        What a reader must know beside it (`fairaudit.vocabulary.cautions`).
    candidate_interval : Interval or None
        The candidate's own interval, at 1 − alpha, for limits on the other side of the ideal.
    worst_group, against_group : str or None
        Of an axis with more than two groups: the group that the values are about, and the one
        it is held against (None: the mean of the others).
    group_changes : tuple of GroupChange
        Every group's change, of which ``difference`` is the largest; and how many independent
        ones the search amounts to.
    searched : float or None
        See ``group_changes``.
    bounds : tuple of BoundPair
        Bounds of ``difference`` at several levels, ``alpha`` falling, where no formula gives
        them.
    """

    deviation_change: float | None = None
    ideal: float | None = None
    n_discordant: int | None = Field(default=None, ge=0)
    mean_square: float | None = Field(default=None, ge=0)
    reach: float | None = Field(default=None, ge=0)
    primary: bool = False
    p_value: float | None = None
    p_adjusted: float | None = None
    p_equivalence: float | None = None
    correction: str | None = None
    family: str | None = None
    family_size: int | None = None
    alpha: float = Field(gt=0, lt=0.5)
    margin: float | None = Field(default=None, gt=0)
    increase_up_to: float | None = None
    worst_case: tuple[float, float] | None = None
    mde: float | None = None
    verdict: Verdict | None = None
    cautions: tuple[str, ...] = ()
    candidate_interval: Interval | None = None
    worst_group: str | None = None
    against_group: str | None = None
    group_changes: tuple[GroupChange, ...] = ()
    searched: float | None = Field(default=None, ge=1)
    bounds: tuple[BoundPair, ...] = ()


class Change(Paired):
    """Capability, composite score or distance moved: a change without a verdict.

    Attributes
    ----------
    kind : EstimateKind
        What it is evidence of: ``capability``, ``distance``, ``control``, ...
    candidate_estimate : Estimate or None
        The candidate's own value on the common items, with interval, ideal and chance level;
        None for distances.
    """

    kind: EstimateKind
    candidate_estimate: Estimate | None = None


class ItemChange(Frozen):
    """One pair on which two models differ much; an extreme of its axis, and it may offend.

    Attributes
    ----------
    candidate : str
        Label of the model that is held against it.
    suite : str
        What was asked.
    protocol : str
        How it was scored: ``suite/variant``.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str or None
        The group of the item.
    item_id : str
        Id of the item within its suite.
    texts : dict of str to str
        Text by role, cut: ``stereotype``, ``anti_stereotype``; empty where no audit stored
        them.
    before, after : float
        score(stereotype) − score(anti-stereotype) of baseline and candidate, in nats.
    """

    candidate: str
    suite: str
    protocol: str
    axis: str
    group: str | None = None
    item_id: str
    texts: dict[str, str] = Field(default_factory=dict)
    before: float
    after: float

    @property
    def change(self) -> float:
        """Above 0: the candidate prefers the stereotype more."""
        return self.after - self.before


class NotCompared(Frozen):
    """What could not be compared, and why.

    A gap reaches as far as its last field that is not None: without a protocol it is the whole
    suite, without an axis the whole protocol. ``suite`` is None where an old file does not say.

    Attributes
    ----------
    key : str
        The same in words, for people.
    reason : str
        Why, in words.
    candidate : str
        Label of the model that is held against it.
    suite : str or None
        The suite; None: all of them.
    protocol : str or None
        The protocol; None: all of them.
    axis : str or None
        The axis; None: all of them.
    group : str or None
        The group; None: whole axes.
    metric : str or None
        The metric; None: all of them.
    """

    key: str
    reason: str
    candidate: str
    suite: str | None = None
    protocol: str | None = None
    axis: str | None = None
    group: str | None = None
    metric: str | None = None

    @classmethod
    def of(
        cls,
        candidate: str,
        suite: str,
        reason: str,
        *,
        protocol: str | None = None,
        axis: str | None = None,
        group: str | None = None,
        metric: str | None = None,
    ) -> NotCompared:
        """Make a gap, with its key in words."""
        return cls(
            key=f"{candidate}: {_place(suite, protocol, axis, group, metric)}",
            reason=reason,
            candidate=candidate,
            suite=suite,
            protocol=protocol,
            axis=axis,
            group=group,
            metric=metric,
        )

    def reaches(self, number: Estimate | Paired) -> bool:
        """Whether a number lies in this gap; whose candidate it is, the caller knows."""
        return (
            self.suite in (None, number.suite)
            and self.protocol in (None, number.protocol)
            and self.axis in (None, number.axis)
            and ((self.group is None and self.metric is None) or self.group == number.group)
            and self.metric in (None, number.name)
        )

    @property
    def what(self) -> str:
        """The gap in words, without its candidate."""
        return _place(self.suite, self.protocol, self.axis, self.group, self.metric) or self.key


def _place(
    suite: str | None, protocol: str | None, axis: str | None, group: str | None, metric: str | None
) -> str:
    named = [protocol or suite or "", *([] if axis is None else [axis])]
    if group is not None or metric is not None:
        named.append(group or "-")
    return " | ".join((*named, *([] if metric is None else [metric])))


class Agreement(Frozen):
    """Rank correlation of two metric families' differences over axes and candidates.

    Attributes
    ----------
    family_a : str
        One kind of evidence.
    family_b : str
        The other kind.
    value : float or None
        Kendall's tau-b, −1 to 1; None where fewer than 3 pairs or no spread allow none.
    p_value : float or None
        Two-sided test of τ = 0.
    n : int
        Pairs of numbers that entered.
    opposed : tuple of str
        Axes on which one family says amplified and the other reduced.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    family_a: str
    family_b: str
    value: float | None
    p_value: float | None = None
    n: int = Field(ge=0)
    opposed: tuple[str, ...] = ()
    reason: str | None = None


class ComparisonProvenance(Frozen):
    """Where both sides come from, by label.

    Attributes
    ----------
    baseline : Provenance
        Of the first audit.
    candidates : dict of str to Provenance
        Of each other audit, by label.
    settings : dict
        alpha, correction, margins, policy: everything that was set for the comparison.
    audits : dict of str to str
        Content hash of each audit that entered, by label.
    privacy : dict of str to dict
        Privacy statement found beside each checkpoint, by label; checkpoints without one are
        absent.
    privacy_refuted : dict of str to str
        Why a statement does not follow, by label; others are absent.
    """

    baseline: Provenance
    candidates: dict[str, Provenance]
    settings: dict[str, Any] = Field(default_factory=dict)
    audits: dict[str, str] = Field(default_factory=dict)
    privacy: dict[str, dict[str, Any]] = Field(default_factory=dict)
    privacy_refuted: dict[str, str] = Field(default_factory=dict)


class ComparisonResult(Plotted, Frozen):
    """Everything one comparison found about candidates against one baseline.

    ``comparisons`` holds biases with verdicts, ``changes`` what a reader must know beside them,
    ``not_compared`` what is missing. The result stands alone: the audits are not needed to read
    it, nor to gate on it.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    baseline : str
        Label of the first audit.
    candidates : tuple of str
        Labels of the others.
    comparisons : tuple of Comparison
        Every bias that was compared, with its verdict.
    suites : tuple of SuiteRun
        The suites that were compared, with their caveats, as the baseline's audit states them.
    changes : tuple of Change
        What has no verdict and stands beside it: capability, distance, controls.
    not_compared : tuple of NotCompared
        What could not be compared, and why.
    agreement : tuple of Agreement
        How far kinds of evidence agree about the axes.
    item_changes : tuple of ItemChange
        Of every axis the pairs that changed most, in either direction; no verdict rests on
        them.
    provenance : ComparisonProvenance
        What decides the numbers: both audits and all settings.
    notes : tuple of str
        What a reader must know, in sentences.
    run : Run
        When, where and with which command it was made.
    """

    schema_: Literal["fairaudit/comparison"] = Field(default=COMPARISON_SCHEMA, alias="schema")
    schema_version: int = COMPARISON_SCHEMA_VERSION
    baseline: str
    candidates: tuple[str, ...] = Field(min_length=1)
    comparisons: tuple[Comparison, ...]
    suites: tuple[SuiteRun, ...] = ()
    changes: tuple[Change, ...] = ()
    not_compared: tuple[NotCompared, ...] = ()
    agreement: tuple[Agreement, ...] = ()
    item_changes: tuple[ItemChange, ...] = ()
    provenance: ComparisonProvenance
    notes: tuple[str, ...] = ()
    run: Run

    @model_validator(mode="before")
    @classmethod
    def _old_files_get_fields(cls, content: Any) -> Any:
        return with_refutations(with_gap_fields(content)) if isinstance(content, dict) else content

    @model_validator(mode="after")
    def _keys_and_labels_are_unique(self) -> ComparisonResult:
        labels = (self.baseline, *self.candidates)
        if len(set(labels)) < len(labels):
            raise ValueError("two audits share a label")
        keys = [entry.key for entry in (*self.comparisons, *self.changes)]
        if len(set(keys)) < len(keys):
            raise ValueError("two comparisons share a key")
        if self.provenance.candidates.keys() != set(self.candidates):
            raise ValueError("the provenance is not that of the candidates")
        about = {entry.candidate for entry in (*self.comparisons, *self.changes)}
        about |= {entry.candidate for entry in self.not_compared}
        if not about <= set(self.candidates):
            raise ValueError("an entry is about no candidate of this comparison")
        return self

    def comparison(
        self, name: str, *, candidate: str, protocol: str, axis: str, group: str | None = None
    ) -> Comparison:
        """Find one comparison by its key.

        Parameters
        ----------
        name, protocol, axis : str
            Of its key.
        candidate : str
            Its label.
        group : str or None
            Of its key; None: the whole axis.

        Raises
        ------
        KeyError
            If there is no such comparison.
        """
        key = (candidate, protocol, axis, group, name)
        for entry in self.comparisons:
            if entry.key == key:
                return entry
        raise KeyError(key)

    def to_frame(self, columns: Literal["compact", "all"] = "compact") -> pd.DataFrame:
        """One row per comparison; the interval is spread over ``low``, ``high`` and ``method``.

        Parameters
        ----------
        columns : {"compact", "all"}
            The columns that are read, or every field.
        """
        import pandas as pd

        rows = []
        for entry in self.comparisons:
            row = entry.model_dump(exclude=_NOT_IN_A_ROW)
            row["low"] = entry.interval.low if entry.interval else None
            row["high"] = entry.interval.high if entry.interval else None
            row["method"] = entry.interval.method if entry.interval else None
            row["cautions"] = ", ".join(entry.cautions)
            rows.append(row)
        frame = pd.DataFrame(rows)
        return frame if columns == "all" else frame.reindex(columns=_COMPACT)

    def to_json(self) -> str:
        """Return the text of ``result.json``: sorted keys, two-space indent, digest, no NaN."""
        content = self.model_dump(mode="json", by_alias=True)
        # What an older version wrote is written as this one does.
        return sealed_json({**content, "schema_version": COMPARISON_SCHEMA_VERSION})

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write ``result.json``; never leaves a half-written file.

        Parameters
        ----------
        folder : path
            Created if needed. May hold an earlier run of the same.
        overwrite : bool
            Replace whatever result lies there.

        Raises
        ------
        ResultError
            If ``folder`` holds another result (unless ``overwrite``) or files of others.
        """
        target = Path(folder)
        with staged_result(target, self, overwrite=overwrite) as stage:
            files.write_text(stage / "result.json", self.to_json())
        return target

    @classmethod
    def load(cls, folder: str | Path) -> ComparisonResult:
        """Read a comparison folder (or its ``result.json``).

        Parameters
        ----------
        folder : path
            The result's folder, or its ``result.json``.

        Raises
        ------
        ResultError
            If there is no comparison, the file is damaged or was changed after it was written, its
            numbers contradict each other, or its schema is newer than this version.
        """
        path = Path(folder)
        path = path / "result.json" if path.is_dir() else path
        result = files.read_result(
            path,
            cls,
            schema=COMPARISON_SCHEMA,
            version=COMPARISON_SCHEMA_VERSION,
            sealed_from=2,
        )
        refuse(result.contradictions(), path)
        return result

    def contradictions(self) -> Iterator[str]:
        """Say which numbers contradict each other: none of a result that nobody changed."""
        return comparison_contradictions(self)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two comparisons the same: labels, audits and settings, never the time."""
        return {
            "baseline": self.baseline,
            "candidates": list(self.candidates),
            "audits": self.provenance.audits,
            "settings": self.provenance.settings,
        }
