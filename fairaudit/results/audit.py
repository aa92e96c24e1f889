"""`AuditResult`: one audited model, in memory and as a folder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal, Self

from pydantic import Field, PrivateAttr, model_validator

from fairaudit.errors import ResultError
from fairaudit.items import NUMBER_COLUMNS, TEXT_COLUMNS
from fairaudit.results import files
from fairaudit.results.consistency import audit_contradictions, refuse
from fairaudit.results.digest import digest_of, sealed_json
from fairaudit.results.display import Plotted
from fairaudit.results.folders import staged_result
from fairaudit.results.old_claims import with_refutation
from fairaudit.results.places import named
from fairaudit.results.texts import PromptTexts, read_texts, write_texts
from fairaudit.results.types import Estimate, Frozen, Provenance, Run, SuiteRun

if TYPE_CHECKING:
    import pandas as pd

SCHEMA: Literal["fairaudit/audit"] = "fairaudit/audit"
SCHEMA_VERSION = 2

#: What `to_frame` shows unless all is asked for.
_COMPACT: Final = [
    "suite", "protocol", "axis", "group", "name", "kind", "value", "low", "high", "method", "ideal",
    "n", "n_clusters", "mde", "p_adjusted", "primary", "reason", "cautions",
]  # fmt: skip


class AuditResult(Plotted, Frozen):
    """Everything one audit found about one model.

    Immutable. ``estimates`` holds the numbers; ``items(suite)`` gives the score table they were
    computed from, so that no statistic ever needs the model again.

    Attributes
    ----------
    schema_ : str
        Which kind of file it is.
    schema_version : int
        Version of its form; every version reads all older ones.
    label : str
        Name of the model.
    suites : tuple of SuiteRun
        What was asked, what it found examples of, and what was not run and why.
    estimates : tuple of Estimate
        Every number.
    provenance : Provenance
        Model, files, options and versions that decide the numbers.
    privacy : dict or None
        Content of ``privacy.json`` beside the checkpoint; None without one.
    privacy_refuted : str or None
        Why the claim of ``privacy`` does not follow; None: it does, or nothing is claimed.
    notes : tuple of str
        What a reader must know, in sentences.
    run : Run
        When, where and with which command it was made.
    """

    schema_: Literal["fairaudit/audit"] = Field(default=SCHEMA, alias="schema")
    schema_version: int = SCHEMA_VERSION
    label: str
    suites: tuple[SuiteRun, ...]
    estimates: tuple[Estimate, ...]
    provenance: Provenance
    privacy: dict[str, Any] | None = None
    privacy_refuted: str | None = None
    notes: tuple[str, ...] = ()
    run: Run

    _tables: dict[str, pd.DataFrame] = PrivateAttr(default_factory=dict)
    _texts: dict[str, tuple[PromptTexts, ...]] = PrivateAttr(default_factory=dict)
    _folder: Path | None = PrivateAttr(default=None)
    #: SHA-256 of each table and file of texts in the folder, by its path; none in old folders.
    _sha256: dict[str, str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _claims_of_old_files_get_a_field(cls, content: Any) -> Any:
        return with_refutation(content) if isinstance(content, dict) else content

    @model_validator(mode="after")
    def _keys_are_unique(self) -> AuditResult:
        seen = set()
        for estimate in self.estimates:
            if estimate.key in seen:
                raise ValueError(f"two estimates share the key {estimate.key}")
            seen.add(estimate.key)
        return self

    def with_tables(self, tables: Mapping[str, pd.DataFrame]) -> AuditResult:
        """Attach score tables (by file stem) to the result; returns the result.

        Parameters
        ----------
        tables : mapping of str to DataFrame
            Score tables by suite.
        """
        self._tables.update(tables)
        return self

    def with_texts(self, texts: Mapping[str, tuple[PromptTexts, ...]]) -> AuditResult:
        """Attach what the model wrote (by suite) to the result; returns the result.

        Parameters
        ----------
        texts : mapping of str to tuple of PromptTexts
            By suite.
        """
        self._texts.update(texts)
        return self

    def in_memory(self) -> Self:
        """Read all tables and texts, so that the folder is needed no longer; returns the result."""
        for name in self.tables:
            self.items(name)
        for name in self._with_texts:
            self.texts(name)
        self._folder, self._sha256 = None, {}
        return self

    def texts(self, suite: str) -> tuple[PromptTexts, ...]:
        """Texts that the model wrote for a suite of prompts; they may offend.

        Parameters
        ----------
        suite : str
            A suite of prompts.

        Raises
        ------
        ResultError
            If the audit has no such texts, or their file cannot be read.
        """
        if suite not in self._texts:
            if self._folder is None:
                raise ResultError(f"this audit has no texts for '{suite}'")
            self._texts[suite] = read_texts(self._file("texts", f"{suite}.jsonl"))
        return self._texts[suite]

    def items(self, suite: str) -> pd.DataFrame:
        """Score table of a suite: one row per item, protocol and role.

        Parameters
        ----------
        suite : str
            One of `tables`.

        Raises
        ------
        ResultError
            If the audit has no such table, or its file cannot be read.
        """
        if suite not in self._tables:
            if self._folder is None:
                raise ResultError(f"this audit has no items for '{suite}'")
            path = self._file("items", f"{suite}.parquet")
            self._tables[suite] = files.read_table(path, texts=TEXT_COLUMNS, numbers=NUMBER_COLUMNS)
        return self._tables[suite]

    def _file(self, kind: str, name: str) -> Path:
        """Path of a file of the folder, which is as it was written."""
        assert self._folder is not None
        path = named(self._folder / kind, name)
        files.refuse_foreign(path, f"{kind}/{name}", self._sha256)
        return path

    @property
    def tables(self) -> tuple[str, ...]:
        """Names of the score tables that ``items`` can give."""
        return self._names(self._tables, "items/*.parquet")

    @property
    def _with_texts(self) -> tuple[str, ...]:
        return self._names(self._texts, "texts/*.jsonl")

    def _names(self, attached: Iterable[str], pattern: str) -> tuple[str, ...]:
        """Names of what is attached or lies in the folder."""
        stored = () if self._folder is None else self._folder.glob(pattern)
        return tuple(sorted({*attached, *(path.stem for path in stored)}))

    def estimate(
        self, name: str, *, protocol: str, axis: str = "all", group: str | None = None
    ) -> Estimate:
        """Find one estimate by its key.

        Parameters
        ----------
        name, protocol, axis : str
            Of its key.
        group : str or None
            Of its key; None: the whole axis.

        Raises
        ------
        KeyError
            If the audit has no such estimate.
        """
        key = (protocol, axis, group, name)
        for estimate in self.estimates:
            if estimate.key == key:
                return estimate
        raise KeyError(key)

    def to_frame(self, columns: Literal["compact", "all"] = "compact") -> pd.DataFrame:
        """One row per estimate; the interval is spread over ``low``, ``high`` and ``method``.

        Parameters
        ----------
        columns : {"compact", "all"}
            The columns that are read, or every field.
        """
        import pandas as pd

        rows = []
        for estimate in self.estimates:
            row = estimate.model_dump(exclude={"interval", "range", "cautions"})
            interval = estimate.interval
            row["low"] = interval.low if interval else None
            row["high"] = interval.high if interval else None
            row["method"] = interval.method if interval else None
            row["cautions"] = ", ".join(estimate.cautions)
            rows.append(row)
        frame = pd.DataFrame(rows)
        return frame if columns == "all" else frame.reindex(columns=_COMPACT)

    def to_json(self) -> str:
        """Return the text of ``result.json``: sorted keys, two-space indent, digest, no NaN."""
        return self._json({})

    def _json(self, sha256: Mapping[str, str]) -> str:
        return sealed_json(files.with_hashes(self._content(), sha256))

    @property
    def digest(self) -> str:
        """SHA-256 of everything that the audit found; the same for a repeated run."""
        return digest_of(self._content())

    def _content(self) -> dict[str, Any]:
        """Content of ``result.json``; of an audit that an older version wrote, as this one does."""
        return {**self.model_dump(mode="json", by_alias=True), "schema_version": SCHEMA_VERSION}

    def save(self, folder: str | Path, *, overwrite: bool = False) -> Path:
        """Write ``result.json``, ``items/*.parquet`` and ``texts/*.jsonl``; nothing half-written.

        Parameters
        ----------
        folder : path
            Created if needed. May hold an earlier run of the same audit.
        overwrite : bool
            Replace whatever result lies there.

        Raises
        ------
        ResultError
            If ``folder`` holds another result, or files that are not from fairaudit.
        """
        target = Path(folder)
        with staged_result(target, self, overwrite=overwrite) as stage:
            for name in self.tables:
                files.write_table(self.items(name), named(stage / "items", f"{name}.parquet"))
            for name in self._with_texts:
                write_texts(named(stage / "texts", f"{name}.jsonl"), self.texts(name))
            written = sorted(
                path for kind in ("items", "texts") for path in (stage / kind).glob("*")
            )
            hashes = {path.relative_to(stage).as_posix(): files.sha256_of(path) for path in written}
            files.write_text(stage / "result.json", self._json(hashes))
        return target

    @classmethod
    def load(cls, folder: str | Path) -> AuditResult:
        """Read an audit folder (or its ``result.json``).

        Parameters
        ----------
        folder : path
            The result's folder, or its ``result.json``.

        Raises
        ------
        ResultError
            If there is no audit, the file is damaged or was changed after it was written, its
            numbers contradict each other, or its schema is newer than this version.
        """
        path = Path(folder)
        path = path / "result.json" if path.is_dir() else path
        content = files.read_content(path, schema=SCHEMA, version=SCHEMA_VERSION, sealed_from=2)
        sha256 = files.taken_hashes(content, path)
        result = files.validated(content, cls, path)
        refuse(result.contradictions(), path)
        result._folder, result._sha256 = path.parent, sha256
        return result

    def contradictions(self) -> Iterator[str]:
        """Say which numbers contradict each other: none of a result that nobody changed."""
        return audit_contradictions(self.estimates)

    @property
    def identity(self) -> dict[str, Any]:
        """What makes two audits the same audit; see `identity_of`."""
        return self.identity_of(self.label, self.provenance)

    @staticmethod
    def identity_of(label: str, provenance: Provenance) -> dict[str, Any]:
        """Label, model and settings, never the time: known before anything is scored.

        Parameters
        ----------
        label : str
            Name of the audit.
        provenance : Provenance
            Model and settings.
        """
        return {
            "label": label,
            "model": provenance.model.fingerprint or provenance.model.id,
            "settings": provenance.settings.model_dump(mode="json"),
        }
