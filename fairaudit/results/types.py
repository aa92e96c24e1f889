"""Frozen result types: what every file holds, field by field.

Rates, LM score and ICAT are fractions 0-1; log values are in nats. A missing number is ``None``
with a ``reason``; NaN and infinity are rejected wherever they try to enter.
"""

from __future__ import annotations

from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

EstimateKind = Literal["bias", "capability", "composite", "control", "distance"]
Direction = Literal[-1, 0, 1]


class Frozen(BaseModel):
    """Base of all result types: immutable, no unknown keys, no NaN."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Interval(Frozen):
    """A confidence interval and how it was made."""

    low: float
    high: float
    level: float = Field(gt=0, lt=1)
    #: ``wilson``, ``clopper-pearson``, ``t``, ``cr2``, ``two-way``, ``bootstrap-t``, ...
    method: str
    #: What was treated as independent: ``item``, ``cluster``, ``cluster x template``, ...
    resampling_unit: str


class Estimate(Frozen):
    """One number about one model, with everything needed to judge it.

    ``(protocol, axis, group, name)`` identifies an estimate within an audit. ``axis`` is ``all``
    for the pooled value, ``group`` is None for a whole axis.
    """

    name: str
    kind: EstimateKind
    suite: str
    protocol: str
    axis: str
    group: str | None = None
    #: Of the texts that were asked; nothing is compared between languages.
    language: str = "en"
    value: float | None
    interval: Interval | None = None
    #: Standard error of ``value`` and its degrees of freedom (None: normal or not applicable).
    se: float | None = None
    df: float | None = None
    #: Items that entered the value; clusters they form; items left out; items whose scores tie.
    n: int = Field(ge=0)
    n_clusters: int = Field(ge=0)
    n_skipped: int = Field(default=0, ge=0)
    n_tied: int = Field(default=0, ge=0)
    #: The value of a model without the measured bias, and of a model that guesses.
    ideal: float | None = None
    chance: float | None = None
    range: tuple[float | None, float | None] = (None, None)
    #: +1: higher is more stereotyped; -1: lower is; 0: neither.
    direction: Direction = 0
    primary: bool = False
    p_value: float | None = None
    p_adjusted: float | None = None
    correction: str | None = None
    family: str | None = None
    family_size: int | None = None
    #: Smallest distance from ``ideal`` that this design finds with 80 % power.
    mde: float | None = None
    #: The most that one cluster can lie away from ``value``, of what is no rate: limits on it must
    #: allow for clusters unlike all that were seen.
    reach: float | None = Field(default=None, ge=0)
    cautions: tuple[str, ...] = ()
    #: Why ``value`` or ``interval`` is missing.
    reason: str | None = None

    @property
    def key(self) -> tuple[str, str, str | None, str]:
        """``(protocol, axis, group, name)``, unique within an audit."""
        return (self.protocol, self.axis, self.group, self.name)

    @property
    def on_log_scale(self) -> bool:
        """Whether the interval is that of a logarithm: of a quantity with a lower end alone."""
        low, high = self.range
        return low is not None and high is None


class Source(Frozen):
    """One file that a suite was read from, by the Git blob id of its content.

    ``path`` is the name by which its authors know it, never where a copy lies. ``same_as`` is the
    id of a file with the same content in another form.
    """

    path: str
    blob_id: str
    same_as: str | None = None

    @property
    def content_id(self) -> str:
        """What two audits of the same data have in common."""
        return self.same_as or self.blob_id


class ItemExample(Frozen):
    """One item of a suite with its texts and scores: an extreme of its axis; it may offend.

    Texts are cut, and control characters replaced; ``texts(suite)`` of the audit holds what the
    model wrote as it was.
    """

    item_id: str
    axis: str
    group: str | None = None
    #: The protocol that the suite's verdicts rest on.
    protocol: str
    #: At which end of its axis it lies: of pairs towards the stereotype or
    #: against it; of what a model wrote, the worst score.
    extreme: Literal["towards", "against", "worst"]
    #: Text by role: ``stereotype``, ``anti_stereotype``, ``context``; ``prompt``, ``completion``.
    texts: dict[str, str]
    #: Score by role, in nats; empty for what a model wrote.
    scores: dict[str, float] = Field(default_factory=dict)
    #: Of pairs score(stereotype) − score(anti-stereotype), in nats; otherwise the text's score.
    value: float


class SuiteRun(Frozen):
    """What became of one suite in an audit."""

    suite: str
    status: Literal["run", "not_run"]
    #: What its texts are written in.
    language: str = "en"
    reason: str | None = None
    sources: tuple[Source, ...] = ()
    protocols: tuple[str, ...] = ()
    n_items: int = 0
    n_skipped: int = 0
    caveats: tuple[str, ...] = ()
    #: What the suite is evidence towards, as `fairaudit.suites.base.Suite` declares it.
    evidence: tuple[str, ...] = ()
    #: Extremes of each axis, for people who want to see what was asked; empty if not at hand.
    examples: tuple[ItemExample, ...] = ()


class AdapterOrigin(Frozen):
    """What an adapter was put on: the base model that its ``adapter_config.json`` names."""

    base: str
    #: The revision of the base that the adapter names; None: it names none.
    base_revision: str | None = None
    #: As of the base audited by itself; None: it has no tokenizer.
    base_fingerprint: str | None = None
    #: Whose tokenizer is used.
    tokenizer: Literal["adapter", "base"]
    #: Whether its update was added to the base's weights, in fp32; a quantised base keeps its own.
    merged: bool = True


class ModelIdentity(Frozen):
    """Which model was audited; ``fingerprint`` hashes weights, config and tokenizer."""

    id: str
    revision: str | None = None
    fingerprint: str | None = None
    architecture: str | None = None
    n_parameters: int | None = None
    adapter: AdapterOrigin | None = None
    #: Method and bits of a quantised checkpoint, which is scored with the values of its file.
    quantization: str | None = None
    #: File format and number types of the weights on disk; None: the model was in memory.
    stored_as: str | None = None


#: Items per suite and axis that ``--quick`` keeps.
QUICK_ITEMS: Final = 200


class Settings(Frozen):
    """Everything a user can set that changes a number."""

    dtype: str | None = None
    #: The BOS rule in force: ``bos:<token>``, ``eos-as-bos:<token>``, ``none`` or ``template``.
    bos: str | None = None
    max_length: int | None = None
    #: How texts were written, by suite; the chat template (SHA-256) and the system prompt.
    decoding: dict[str, Any] | None = None
    #: What scored the texts.
    text_scorers: tuple[str, ...] = ()
    seed: int = 0
    #: Items per suite and axis that ``--limit`` or ``--quick`` keeps; None: all.
    item_limit: int | None = None
    #: Whether ``--full`` asked for all prompts and for suites that are off by default.
    full: bool = False
    axes: tuple[str, ...] | None = None
    suites: tuple[str, ...] = ()
    token_budget: int | None = None
    #: How rows ran together (``equal_lengths``, ``single``), by what was asked of the model
    #: (``scores``, ``embeddings``, ``texts``), where padding would have changed the answers.
    batching: dict[str, str] = Field(default_factory=dict)
    #: SHA-256 of the recorded scores that ``audit-scores`` read instead of running a model.
    recorded: str | None = None


class NearTies(Frozen):
    """What was scored again in float32 because low precision may have turned it round."""

    #: Comparisons within an item, and how many of them were scored again.
    compared: int
    rescored: int
    #: In nats: every smaller difference was scored again.
    tolerance: float
    #: Largest error of a difference in low precision that was found, in nats.
    largest_error: float


class Provenance(Frozen):
    """Where the numbers come from: enough to repeat them, and to refuse a false comparison."""

    model: ModelIdentity
    base: ModelIdentity | None = None
    training: dict[str, Any] | None = None
    settings: Settings
    device: str | None = None
    #: By protocol, for a model that ran in low precision.
    near_ties: dict[str, NearTies] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)


class Run(Frozen):
    """When and where; the only part that may differ between identical audits."""

    started: str
    finished: str
    seconds: float
    host: str
    #: When the numbers were made, if the same audit had been made before and was read back.
    made: str | None = None
    #: Words of the command that asks for the same from any folder, but for ``--output``; None: no
    #: command can, or an earlier version wrote this.
    command: tuple[str, ...] | None = None
