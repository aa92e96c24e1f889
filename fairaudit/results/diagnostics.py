"""`DiagnosticsResult`: whose gradient is clipped, turned or drowned, in memory and as a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field, PrivateAttr, model_validator

from fairaudit.errors import ResultError
from fairaudit.results import files
from fairaudit.results.digest import sealed_json
from fairaudit.results.display import Plotted
from fairaudit.results.folders import staged_result
from fairaudit.results.types import Frozen, Interval, ModelIdentity, Run

if TYPE_CHECKING:
    import pandas as pd

DIAGNOSTICS_SCHEMA: Literal["fairaudit/diagnostics"] = "fairaudit/diagnostics"
DIAGNOSTICS_SCHEMA_VERSION = 2

#: What every result on private text says.
NOT_COVERED = "not covered by the privacy guarantee"


class ClippingParameters(Frozen):
    """The private gradient query (Σ clip(g_i, C) + σC·N(0, I))/B that a model is looked at with.

    None where nobody said; then the quantities that need it are not run.

    Attributes
    ----------
    max_grad_norm : float or None
        C, the length to which a record's gradient is clipped.
    noise_multiplier : float or None
        σ, standard deviation of the noise in units of C.
    batch_size : float or None
        B, the expected batch size of training, which the noise is divided by.
    learning_rate : float or None
        η; None: bias influence is per unit of learning rate, and the decomposition is not run.
    sources : dict of str to str
        Where each of them comes from, by name: ``flag``, ``privacy.json``, ``training.json``.
    """

    max_grad_norm: float | None = Field(default=None, gt=0)
    noise_multiplier: float | None = Field(default=None, ge=0)
    batch_size: float | None = Field(default=None, gt=0)
    learning_rate: float | None = Field(default=None, gt=0)
    sources: dict[str, str] = Field(default_factory=dict)


class DiagnosedModel(Frozen):
    """One checkpoint: which it is, where it stands in the series, and its private query.

    Attributes
    ----------
    label : str
        Name of the model.
    step : int or None
        Training step, where all models of the result have one; None: models beside each other.
    identity : ModelIdentity
        Which checkpoint it is.
    clipping : ClippingParameters
        C, σ, B and η that its numbers stand for.
    private : bool
        Whether a privacy statement lies beside it.
    """

    label: str
    step: int | None = None
    identity: ModelIdentity
    clipping: ClippingParameters = ClippingParameters()
    private: bool = False


class ProbeGroup(Frozen):
    """A group of probe texts, or one that was left out.

    Attributes
    ----------
    axis : str
        Its axis.
    group : str
        Its name.
    n : int
        Records of the group.
    n_templates : int
        Templates that its records come from, which are what is resampled.
    reason : str or None
        Why it was left out; None: it was looked at.
    """

    axis: str
    group: str
    n: int = Field(ge=0)
    n_templates: int = Field(ge=0)
    reason: str | None = None


class Quantity(Frozen):
    """One number about one group's gradient in one model, with its formula's name.

    ``(model, axis, group, other, name)`` is unique. ``group`` None: about the whole batch;
    ``other``: the second group of a quantity of two.

    Attributes
    ----------
    model : str
        Label of the model.
    axis : str
        Axis of the groups.
    group : str or None
        The group; None: the whole batch.
    other : str or None
        A second group, of what is about two.
    name : str
        The quantity, such as ``clip_rate``.
    value : float or None
        In the unit of the quantity; None with a reason.
    interval : Interval or None
        Interval over resampled templates.
    se : float or None
        Standard error, where it is not that of resampled templates: of the Hutchinson probes.
    n : int
        Records that entered.
    n_templates : int
        Templates that its records come from, which are what is resampled.
    reason : str or None
        Why the value or the interval is missing.
    """

    model: str
    axis: str
    group: str | None = None
    other: str | None = None
    name: str
    value: float | None
    interval: Interval | None = None
    se: float | None = Field(default=None, ge=0)
    n: int = Field(default=0, ge=0)
    n_templates: int = Field(default=0, ge=0)
    reason: str | None = None

    @property
    def key(self) -> tuple[str, str, str | None, str | None, str]:
        """``(model, axis, group, other, name)``."""
        return (self.model, self.axis, self.group, self.other, self.name)


class GroupDifference(Frozen):
    """A quantity of one group beside that of another, with interval and test.

    Attributes
    ----------
    model : str or None
        The model; None: over the series of all of them.
    axis : str
        Axis of both groups.
    group : str
        The group.
    other : str
        The group that it is held against.
    name : str
        The quantity that is compared.
    scale : {"log_ratio", "difference"}
        ``log_ratio``: log(group / other); ``difference``: group − other.
    difference : float or None
        On the scale that ``scale`` names; None with a reason.
    interval : Interval or None
        Interval over resampled templates.
    p_value, p_adjusted : float or None
        Permutation of templates, two-sided; raw and adjusted within ``family``.
    correction : str or None
        How it was corrected: ``holm``, ``bh``.
    family : str or None
        Within which set of tests it was corrected.
    family_size : int or None
        Tests in that set.
    primary : bool
        Named before the data were seen: corrected by Holm, the others by Benjamini and
        Hochberg.
    n_templates : int
        Templates that its records come from, which are what is resampled.
    reason : str or None
        Why something is missing; None: nothing is.
    """

    model: str | None
    axis: str
    group: str
    other: str
    name: str
    scale: Literal["log_ratio", "difference"]
    difference: float | None
    interval: Interval | None = None
    p_value: float | None = Field(default=None, ge=0, le=1)
    p_adjusted: float | None = Field(default=None, ge=0, le=1)
    correction: str | None = None
    family: str | None = None
    family_size: int | None = None
    primary: bool = False
    n_templates: int = Field(default=0, ge=0)
    reason: str | None = None

    @property
    def key(self) -> tuple[str | None, str, str, str, str]:
        """``(model, axis, group, other, name)``."""
        return (self.model, self.axis, self.group, self.other, self.name)


class RecordPush(Frozen):
    """A record that pushes a bias score more than most; all of them stand in ``records/``.

    Attributes
    ----------
    model : str
        Label of the model.
    axis : str
        Axis of the bias score.
    record : str
        Id of the probe record.
    group : str
        Axis and name of the record's group.
    push : float
        First-order change of the bias score in one step on it, in nats; after clipping.
    push_clipped : float or None
        See ``push``; None where nothing is clipped.
    text : str or None
        The text, where it is public.
    """

    model: str
    axis: str
    record: str
    group: str
    push: float
    push_clipped: float | None = None
    text: str | None = None


class DiagnosticsProvenance(Frozen):
    """What was looked at, and how: enough to repeat it.

    Attributes
    ----------
    texts, texts_hash : str
        ``built-in``, or the name of the user's file, and the hash of its texts and groups.
    texts_public : bool
        Public texts say nothing about anybody; others are not covered by the privacy guarantee.
    settings : dict
        Everything that was set.
    sketch_error : float or None
        Largest relative error of sketched inner products; None: they are exact.
    device : str or None
        What it was computed on.
    versions : dict of str to str
        Versions of the libraries that decide numbers, by name.
    """

    texts: str
    texts_hash: str
    texts_public: bool
    settings: dict[str, Any] = Field(default_factory=dict)
    sketch_error: float | None = None
    device: str | None = None
    versions: dict[str, str] = Field(default_factory=dict)


class DiagnosticsResult(Plotted, Frozen):
    """Everything one diagnosis found about the gradients of groups, in one or several models.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    models : tuple of DiagnosedModel
        The models, in order of their steps where they have one.
    groups : tuple of ProbeGroup
        Groups of probe texts.
    quantities : tuple of Quantity
        Every number about one model.
    differences : tuple of GroupDifference
        How groups differ, with tests.
    pushes : tuple of RecordPush
        Records that push the bias score most, in either direction.
    provenance : DiagnosticsProvenance
        Probe texts, settings and versions that decide the numbers.
    notes : tuple of str
        What a reader must know, in sentences.
    run : Run
        When, where and with which command it was made.
    """

    schema_: Literal["fairaudit/diagnostics"] = Field(default=DIAGNOSTICS_SCHEMA, alias="schema")
    schema_version: int = DIAGNOSTICS_SCHEMA_VERSION
    models: tuple[DiagnosedModel, ...] = Field(min_length=1)
    groups: tuple[ProbeGroup, ...]
    quantities: tuple[Quantity, ...]
    differences: tuple[GroupDifference, ...] = ()
    pushes: tuple[RecordPush, ...] = ()
    provenance: DiagnosticsProvenance
    notes: tuple[str, ...] = ()
    run: Run

    _records: dict[str, pd.DataFrame] = PrivateAttr(default_factory=dict)
    _folder: Path | None = PrivateAttr(default=None)
    _sha256: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="after")
    def _keys_are_unique(self) -> DiagnosticsResult:
        for entries in (self.quantities, self.differences):
            keys = [entry.key for entry in entries]
            if len(set(keys)) < len(keys):
                raise ValueError("two entries share a key")
        if len({model.label for model in self.models}) < len(self.models):
            raise ValueError("two models share a label")
        return self

    @property
    def is_series(self) -> bool:
        """Whether the models are steps of one training."""
        return len(self.models) > 1 and all(model.step is not None for model in self.models)

    def with_records(self, tables: Mapping[str, pd.DataFrame]) -> DiagnosticsResult:
        """Attach tables of single records, by model; returns the result.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            A table for each model, by label.
        """
        self._records.update(tables)
        return self

    def records(self, model: str | None = None) -> pd.DataFrame:
        """One row per probe record: norm, clip factor, bias influence; by default the last model.

        Parameters
        ----------
        model : str
            Label of the model.

        Raises
        ------
        ResultError
            If there is no such table.
        """
        label = self.models[-1].label if model is None else model
        if label not in self._records:
            place = [entry.label for entry in self.models].index(label) if self._known(label) else 0
            if self._folder is None or not self._known(label):
                raise ResultError(f"there is no table of records for '{label}'")
            path = self._folder / "records" / f"{place}.parquet"
            files.refuse_foreign(path, f"records/{path.name}", self._sha256)
            self._records[label] = files.read_table(path)
        return self._records[label]

    def _known(self, label: str) -> bool:
        return any(model.label == label for model in self.models)

    def quantity(
        self,
        name: str,
        *,
        model: str | None = None,
        axis: str,
        group: str | None = None,
        other: str | None = None,
    ) -> Quantity:
        """Find one quantity by its key; by default of the last model.

        Parameters
        ----------
        name, axis : str
            Of its key.
        model : str or None
            Label of the model.
        group, other : str or None
            The group, and the one beside it, of quantities of two.

        Raises
        ------
        KeyError
            If there is no such quantity.
        """
        key = (self.models[-1].label if model is None else model, axis, group, other, name)
        for entry in self.quantities:
            if entry.key == key:
                return entry
        raise KeyError(key)

    def to_frame(self) -> pd.DataFrame:
        """One row per quantity; the interval is spread over ``low`` and ``high``."""
        return _frame(self.quantities)

    def differences_frame(self) -> pd.DataFrame:
        """One row per difference between two groups, with interval and p-values."""
        return _frame(self.differences)

    def to_json(self) -> str:
        """Return the text of ``result.json``: sorted keys, two-space indent, digest, no NaN."""
        return self._json({})

    def _json(self, sha256: Mapping[str, str]) -> str:
        content = self.model_dump(mode="json", by_alias=True)
        content["schema_version"] = DIAGNOSTICS_SCHEMA_VERSION
        return sealed_json(files.with_hashes(content, sha256))

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write ``result.json``, both tables as CSV and ``records/*.parquet`` (one per model).

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
            sha256: dict[str, str] = {}
            for place, model in enumerate(self.models):
                if model.label in self._records:
                    path = stage / "records" / f"{place}.parquet"
                    files.write_table(self._records[model.label], path)
                    sha256[f"records/{path.name}"] = files.sha256_of(path)
            files.write_text(stage / "quantities.csv", self.to_frame().to_csv(index=False))
            frame = self.differences_frame()
            files.write_text(stage / "differences.csv", frame.to_csv(index=False))
            files.write_text(stage / "result.json", self._json(sha256))
        return target

    @classmethod
    def load(cls, folder: str | Path) -> DiagnosticsResult:
        """Read a diagnostics folder (or its ``result.json``).

        Parameters
        ----------
        folder : path
            The result's folder, or its ``result.json``.

        Raises
        ------
        ResultError
            If there is none, the file is damaged or was changed, or its schema is newer than this
            version.
        """
        path = Path(folder)
        path = path / "result.json" if path.is_dir() else path
        content = files.read_content(
            path, schema=DIAGNOSTICS_SCHEMA, version=DIAGNOSTICS_SCHEMA_VERSION, sealed_from=2
        )
        sha256 = files.taken_hashes(content, path)
        result = files.validated(content, cls, path)
        result._folder, result._sha256 = path.parent, sha256
        return result

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two diagnoses the same: models, texts and settings, never the time."""
        return {
            "models": [
                (model.label, model.identity.fingerprint or model.identity.id)
                for model in self.models
            ],
            "clipping": [model.clipping.model_dump(mode="json") for model in self.models],
            "texts": self.provenance.texts_hash,
            "settings": self.provenance.settings,
        }


def _frame(entries: tuple[Quantity, ...] | tuple[GroupDifference, ...]) -> pd.DataFrame:
    import pandas as pd

    rows = []
    for entry in entries:
        row = entry.model_dump(exclude={"interval"})
        row["low"] = entry.interval.low if entry.interval else None
        row["high"] = entry.interval.high if entry.interval else None
        rows.append(row)
    return pd.DataFrame(rows)
