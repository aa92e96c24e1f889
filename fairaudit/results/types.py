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
    """A confidence interval and how it was made.

    Attributes
    ----------
    low, high : float
        Bounds, in the unit of the value.
    level : float
        Confidence level, above 0 and below 1: 0.95 unless somebody asked otherwise.
    method : str
        ``wilson``, ``clopper-pearson``, ``t``, ``cr2``, ``two-way``, ``bootstrap-t``, ...
    resampling_unit : str
        What was treated as independent: ``item``, ``cluster``, ``cluster x template``, ...
    """

    low: float
    high: float
    level: float = Field(gt=0, lt=1)
    method: str
    resampling_unit: str


class Estimate(Frozen):
    """One number about one model, with everything needed to judge it.

    ``(protocol, axis, group, name)`` identifies an estimate within an audit. ``axis`` is ``all``
    for the pooled value, ``group`` is None for a whole axis.

    Attributes
    ----------
    name : str
        The metric, as `fairaudit.vocabulary.metrics` has it.
    kind : {"bias", "capability", "composite", "control", "distance"}
        What it is evidence of.
    suite, protocol : str
        What was asked, and how it was scored: ``suite/variant``.
    axis : str
        Axis of the items; ``all``: pooled.
    group : str or None
        The group that it is about; None: the whole axis.
    language : str
        Of the texts that were asked; nothing is compared between languages.
    value : float or None
        Rates as fractions 0-1, log values in nats; None with a ``reason``.
    interval : Interval or None
        Its confidence interval.
    se, df : float or None
        Standard error of ``value`` and its degrees of freedom (None: normal or not applicable).
    n, n_clusters, n_skipped, n_tied : int
        Items that entered the value; clusters they form; items left out; items whose scores tie.
    ideal, chance : float or None
        The value of a model without the measured bias, and of a model that guesses.
    range : pair of float or None
        Between what it can lie; None: no end.
    direction : {1, -1, 0}
        1: higher is more stereotyped; -1: lower is; 0: neither.
    primary : bool
        Whether verdicts rest on it; the others are exploratory.
    p_value, p_adjusted : float or None
        Two-sided test of value = ideal, raw and corrected within ``family``.
    correction, family : str or None
        How it was corrected (``holm``, ``bh``), and within which set of tests.
    family_size : int or None
        Tests in that set.
    mde : float or None
        Smallest distance from ``ideal`` that this design finds with 80 % power.
    reach : float or None
        The most that one cluster can lie away from ``value``, of what is no rate: limits on it must
        allow for clusters unlike all that were seen.
    cautions : tuple of str
        What a reader must know beside it (`fairaudit.vocabulary.cautions`).
    reason : str or None
        Why ``value`` or ``interval`` is missing.
    """

    name: str
    kind: EstimateKind
    suite: str
    protocol: str
    axis: str
    group: str | None = None
    language: str = "en"
    value: float | None
    interval: Interval | None = None
    se: float | None = None
    df: float | None = None
    n: int = Field(ge=0)
    n_clusters: int = Field(ge=0)
    n_skipped: int = Field(default=0, ge=0)
    n_tied: int = Field(default=0, ge=0)
    ideal: float | None = None
    chance: float | None = None
    range: tuple[float | None, float | None] = (None, None)
    direction: Direction = 0
    primary: bool = False
    p_value: float | None = None
    p_adjusted: float | None = None
    correction: str | None = None
    family: str | None = None
    family_size: int | None = None
    mde: float | None = None
    reach: float | None = Field(default=None, ge=0)
    cautions: tuple[str, ...] = ()
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

    Attributes
    ----------
    path : str
        Name by which its authors know it, never where a copy lies.
    blob_id : str
        Git blob id of its content.
    same_as : str or None
        Id of a file with the same content in another form.
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

    Attributes
    ----------
    item_id, axis : str
        Which item of the suite.
    group : str or None
        Whom it is about.
    protocol : str
        The protocol that the suite's verdicts rest on.
    extreme : {"towards", "against", "worst"}
        At which end of its axis it lies: of pairs towards the stereotype or against it; of what a
        model wrote, the worst score.
    texts : dict of str to str
        Text by role: ``stereotype``, ``anti_stereotype``, ``context``; ``prompt``, ``completion``.
    scores : dict of str to float
        Score by role, in nats; empty for what a model wrote.
    value : float
        Of pairs score(stereotype) − score(anti-stereotype), in nats; otherwise the text's score.
    """

    item_id: str
    axis: str
    group: str | None = None
    protocol: str
    extreme: Literal["towards", "against", "worst"]
    texts: dict[str, str]
    scores: dict[str, float] = Field(default_factory=dict)
    value: float


class SuiteRun(Frozen):
    """What became of one suite in an audit.

    Attributes
    ----------
    suite : str
        Its name.
    status : {"run", "not_run"}
        Whether it was run.
    language : str
        What its texts are written in.
    reason : str or None
        Why it was not run.
    sources : tuple of Source
        Files that it was read from.
    protocols : tuple of str
        Ids of the ways in which it was scored.
    n_items, n_skipped : int
        Items that were asked, and those without a score.
    caveats : tuple of str
        Published doubts about it.
    evidence : tuple of str
        What the suite is evidence for, as `fairaudit.suites.base.Suite` declares it.
    examples : tuple of ItemExample
        Extremes of each axis, for people who want to see what was asked; empty if not at hand.
    """

    suite: str
    status: Literal["run", "not_run"]
    language: str = "en"
    reason: str | None = None
    sources: tuple[Source, ...] = ()
    protocols: tuple[str, ...] = ()
    n_items: int = 0
    n_skipped: int = 0
    caveats: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    examples: tuple[ItemExample, ...] = ()


class AdapterOrigin(Frozen):
    """What an adapter was put on: the base model that its ``adapter_config.json`` names.

    Attributes
    ----------
    base : str
        The base model.
    base_revision : str or None
        The revision of the base that the adapter names; None: it names none.
    base_fingerprint : str or None
        As of the base audited by itself; None: it has no tokenizer.
    tokenizer : {"adapter", "base"}
        Whose tokenizer is used.
    merged : bool
        Whether its update was added to the base's weights, in fp32; a quantised base keeps its own.
    """

    base: str
    base_revision: str | None = None
    base_fingerprint: str | None = None
    tokenizer: Literal["adapter", "base"]
    merged: bool = True


class ModelIdentity(Frozen):
    """Which model was audited; ``fingerprint`` hashes weights, config and tokenizer.

    Attributes
    ----------
    id : str
        Hub id or name of the folder.
    revision : str or None
        Commit of the Hub that was read.
    fingerprint : str or None
        Hash of weights, config and tokenizer.
    architecture : str or None
        Class of the model.
    n_parameters : int or None
        Numbers in its weights, tied ones once.
    adapter : AdapterOrigin or None
        Of an adapter: its base.
    quantization : str or None
        Method and bits of a quantised checkpoint, which is scored with the values of its file.
    stored_as : str or None
        File format and number types of the weights on disk; None: the model was in memory.
    """

    id: str
    revision: str | None = None
    fingerprint: str | None = None
    architecture: str | None = None
    n_parameters: int | None = None
    adapter: AdapterOrigin | None = None
    quantization: str | None = None
    stored_as: str | None = None


#: Items per suite and axis that ``--quick`` keeps.
QUICK_ITEMS: Final = 200


class Settings(Frozen):
    """Everything a user can set that changes a number.

    Attributes
    ----------
    dtype : str or None
        Precision that the model ran in.
    bos : str or None
        The BOS rule in force: ``bos:<token>``, ``eos-as-bos:<token>``, ``none`` or ``template``.
    max_length : int or None
        Tokens after which a text is cut.
    decoding : dict or None
        How texts were written, by suite; the chat template (SHA-256) and the system prompt.
    text_scorers : tuple of str
        What scored the texts.
    seed : int
        Of everything that is drawn in an audit.
    item_limit : int or None
        Items per suite and axis that ``--limit`` or ``--quick`` keeps; None: all.
    full : bool
        Whether ``--full`` asked for all prompts and for suites that are off by default.
    axes : tuple of str or None
        Axes that were kept; None: all.
    suites : tuple of str
        What was asked for.
    token_budget : int or None
        Tokens of a batch.
    batching : dict of str to str
        How rows ran together (``equal_lengths``, ``single``), by what was asked of the model
        (``scores``, ``embeddings``, ``texts``), where padding would have changed the answers.
    recorded : str or None
        SHA-256 of the recorded scores that ``audit-scores`` read instead of running a model.
    """

    dtype: str | None = None
    bos: str | None = None
    max_length: int | None = None
    decoding: dict[str, Any] | None = None
    text_scorers: tuple[str, ...] = ()
    seed: int = 0
    item_limit: int | None = None
    full: bool = False
    axes: tuple[str, ...] | None = None
    suites: tuple[str, ...] = ()
    token_budget: int | None = None
    batching: dict[str, str] = Field(default_factory=dict)
    recorded: str | None = None


class NearTies(Frozen):
    """What was scored again in float32 because low precision may have turned it round.

    Attributes
    ----------
    compared, rescored : int
        Comparisons within an item, and how many of them were scored again.
    tolerance : float
        In nats: every smaller difference was scored again.
    largest_error : float
        Largest error of a difference in low precision that was found, in nats.
    """

    compared: int
    rescored: int
    tolerance: float
    largest_error: float


class Provenance(Frozen):
    """Where the numbers come from: enough to repeat them, and to refuse a false comparison.

    Attributes
    ----------
    model, base : ModelIdentity or None
        What was audited, and the base model that was named.
    training : dict or None
        Content of ``training.json`` beside the checkpoint.
    settings : Settings
        What can change a number.
    device : str or None
        Where it ran.
    near_ties : dict of str to NearTies
        By protocol, for a model that ran in low precision.
    versions : dict of str to str
        Of fairaudit and the packages that numbers depend on.
    """

    model: ModelIdentity
    base: ModelIdentity | None = None
    training: dict[str, Any] | None = None
    settings: Settings
    device: str | None = None
    near_ties: dict[str, NearTies] = Field(default_factory=dict)
    versions: dict[str, str] = Field(default_factory=dict)


class Run(Frozen):
    """When and where; the only part that may differ between identical audits.

    Attributes
    ----------
    started, finished : str
        ISO 8601, with the time zone.
    seconds : float
        Between them.
    host : str
        Name of the machine.
    made : str or None
        When the numbers were made, if the same audit had been made before and was read back.
    command : tuple of str or None
        Words of the command that asks for the same from any folder, but for ``--output``; None: no
        command can, or an earlier version wrote this.
    """

    started: str
    finished: str
    seconds: float
    host: str
    made: str | None = None
    command: tuple[str, ...] | None = None
