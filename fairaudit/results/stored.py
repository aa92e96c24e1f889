"""Results that are one file of their folder, written whole and read back checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Self

from fairaudit.results import files
from fairaudit.results.types import Frozen


class Stored(Frozen):
    """A result in a file: its schema and version are the defaults of the fields of that name."""

    #: Name of the file.
    _file: ClassVar[str] = "result.json"

    def to_json(self) -> str:
        """Return the text of the file: sorted keys, two-space indent, no NaN."""
        return files.dump_json(self.model_dump(mode="json", by_alias=True))

    def save(self, folder: str | Path) -> Path:
        """Write the file into a folder, in place of an earlier one, whole or not at all.

        Raises
        ------
        ResultError
            If the folder cannot be written to.
        """
        with files.staged_folder(Path(folder)) as stage:
            files.write_text(stage / self._file, self.to_json())
        return Path(folder)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read the file from its folder, or from its own path.

        Raises
        ------
        ResultError
            If there is none, it is damaged, or its schema is newer than this version.
        """
        path = Path(folder)
        path = path / cls._file if path.is_dir() else path
        known: dict[str, Any] = {name: field.default for name, field in cls.model_fields.items()}
        version = known["schema_version"]
        return files.read_result(path, cls, schema=known["schema_"], version=version)
