"""Reading and writing result files: canonical JSON, Parquet, and nothing half-written."""

from __future__ import annotations

import contextlib
import glob
import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from pydantic import BaseModel, ValidationError

from fairaudit.durable import flush_tree, put_in_place
from fairaudit.errors import ResultError, fault_words
from fairaudit.parsing import parse_json
from fairaudit.results.digest import dump_json as dump_json
from fairaudit.results.digest import is_intact
from fairaudit.results.locks import LOCK, alone_at, alone_in, beside
from fairaudit.results.places import inside, refuse_file, remove_folder
from fairaudit.vocabulary.files import where_to_look

if TYPE_CHECKING:
    import pandas as pd

#: Seconds to wait for another process that moves its files into the same folder.
_PATIENCE: Final = 60.0

#: Folders in the folders of results.
_ROOMS: Final = (
    *("items", "texts", "figures", ".eval_results", "records"),
    *("private", "diagnostics", "arms", "comparisons"),
)

ModelT = TypeVar("ModelT", bound=BaseModel)


def write_text(path: Path, text: str) -> None:
    """Write a text file as UTF-8, creating its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a score table as Parquet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table.to_parquet(path, index=False, compression="zstd")


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


#: Where ``result.json`` keeps the SHA-256 of the files beside it.
_FILES: Final = "files"


def with_hashes(content: Mapping[str, Any], sha256: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of a result file that names the files beside it, where there are any."""
    return {**content, **({_FILES: dict(sha256)} if sha256 else {})}


def taken_hashes(content: dict[str, Any], path: Path) -> dict[str, str]:
    """Take the SHA-256 of the files beside it out of the content of a result file.

    Raises
    ------
    ResultError
        If there is something else in their place.
    """
    sha256 = content.pop(_FILES, {})
    if not isinstance(sha256, dict):
        raise ResultError(f"{path}: '{_FILES}' does not name files with their SHA-256")
    return sha256


def refuse_foreign(path: Path, name: str, sha256: Mapping[str, str]) -> None:
    """Raise if a file is none of those that a result names, where it names any, or was changed.

    Raises
    ------
    ResultError
        If the file is there and is not as it was written.
    """
    if sha256 and name not in sha256 and path.exists():
        raise ResultError(f"{path} is none of the files that result.json names; remove it")
    refuse_changed(path, sha256.get(name))


def refuse_changed(path: Path, sha256: str | None) -> None:
    """Raise if a file is there and its bytes are not those that a result names.

    Raises
    ------
    ResultError
        If it was changed, or cannot be read.
    """
    try:
        if sha256 is not None and path.exists() and sha256_of(path) != sha256:
            raise ResultError(
                f"{path} was changed after it was written (its SHA-256 is not that of "
                "result.json); make the result again"
            )
    except OSError as error:
        raise ResultError(f"{path}: cannot be read ({error.strerror})") from error


#: What a column may hold, by the name that pandas has for it; "empty": nothing at all.
_TEXT: Final = frozenset({"string", "empty"})
_NUMBER: Final = frozenset({"floating", "integer", "empty"})
_SCALAR: Final = frozenset({*_TEXT, *_NUMBER, "boolean"})


def read_table(
    path: Path, *, texts: Iterable[str] = (), numbers: Iterable[str] = ()
) -> pd.DataFrame:
    """Read a score table, every column of which holds texts, numbers or truth values.

    Parameters
    ----------
    path : path
        The Parquet file.
    texts, numbers : iterable of str
        Columns that hold texts or nothing, and numbers or nothing; where the table has them.

    Raises
    ------
    ResultError
        If the file is missing or damaged, or a column is of another type.
    """
    import pandas as pd
    import pyarrow as pa

    try:
        table = pd.read_parquet(path)
    except FileNotFoundError:
        raise ResultError(f"{path}: no such score table") from None
    except (OSError, ValueError, pa.ArrowException) as error:
        raise ResultError(f"{path}: not a readable Parquet file ({error})") from error
    if not table.columns.is_unique:
        raise ResultError(f"{path}: two columns have one name")
    wanted = {**dict.fromkeys(texts, _TEXT), **dict.fromkeys(numbers, _NUMBER)}
    for name, column in table.items():
        found = pd.api.types.infer_dtype(column, skipna=True)
        if found not in wanted.get(str(name), _SCALAR):
            raise ResultError(f"{path}: column '{name}' holds values of another type ({found})")
    return table


@contextlib.contextmanager
def staged_folder(target: Path, *, check: Callable[[Path], None] | None = None) -> Iterator[Path]:
    """Collect files beside ``target`` and move them there only when all are complete.

    ``result.json`` moves last, so a folder with that file is a whole audit. On an error nothing
    in ``target`` changes and the staged files are removed. ``check`` is called with the folder
    before the first file moves.

    Raises
    ------
    ResultError
        If the folder cannot be written to, or a link in it leads elsewhere.
    """
    try:
        prefix = beside(target.resolve(), "partial-")
        prefix.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_behind(prefix)
        stage = Path(tempfile.mkdtemp(prefix=prefix.name, dir=prefix.parent))
    except OSError as error:
        raise ResultError(f"{target}: cannot write there ({error.strerror})") from error
    try:
        with alone_in(stage, "writing here"):
            yield stage
        with alone_at(target, "writing into this folder", patience=_PATIENCE):
            if check is not None:
                check(target)
            _move_into(stage, target)
    except OSError as error:
        raise ResultError(f"{target}: writing failed ({error.strerror})") from error
    finally:
        _remove_stage(stage)


def _remove_left_behind(prefix: Path) -> None:
    """Remove what processes that were killed had staged for this place: nobody holds its lock."""
    for left in prefix.parent.glob(f"{glob.escape(prefix.name)}*"):
        if left.is_symlink():
            continue
        # Killed before it locked its stage; where it only is about to, it makes the folder again.
        with contextlib.suppress(OSError):
            left.rmdir()
        if (left / LOCK).is_file():
            with contextlib.suppress(ResultError), alone_in(left, "writing here"):
                _remove_stage(left)


def _remove_stage(stage: Path) -> None:
    """Remove a stage, its lock last: one that has files and no lock would be taken for others'."""
    with contextlib.suppress(OSError):
        for path in stage.iterdir():
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            elif path.name != LOCK:
                path.unlink(missing_ok=True)
        (stage / LOCK).unlink(missing_ok=True)
        stage.rmdir()


def _move_into(stage: Path, target: Path) -> None:
    staged = sorted(path for path in stage.rglob("*") if path.is_file() and path.name != LOCK)
    staged.sort(key=lambda path: path.name == "result.json")
    names = [path.relative_to(stage) for path in staged]
    for folder in {name.parent for name in names if name.parent.name}:
        inside(target, folder)
    for path, name in zip(staged, names, strict=True):
        destination = target / name
        destination.parent.mkdir(parents=True, exist_ok=True)
        put_in_place(path, destination)


def made_once(folder: Path, make: Callable[[Path], object]) -> Path:
    """Make a folder beside its place and move it there when it is whole, unless it is there.

    Raises
    ------
    ResultError
        If it cannot be written.
    """
    if folder.exists():
        return folder
    name = f".{folder.name}.partial"
    remove_folder(folder.parent, name)
    try:
        make(folder.parent / name)
        flush_tree(folder.parent / name)
        (folder.parent / name).rename(folder)
    except OSError as error:
        raise ResultError(f"{folder}: writing failed ({error.strerror})") from error
    finally:
        remove_folder(folder.parent, name)
    return folder


def refuse_unwritable(folder: Path) -> None:
    """Raise unless files can be written into ``folder``, which need not exist.

    Raises
    ------
    ResultError
        If it or a folder above it is a file or write-protected, or a folder in it that files go
        into is a link to elsewhere.
    """
    existing = refuse_file(folder)
    if not os.access(existing, os.W_OK):
        raise ResultError(f"{folder}: cannot write there (permission denied)")
    for room in _ROOMS:
        inside(folder, room)


def read_result(
    path: Path, kind: type[ModelT], *, schema: str, version: int, sealed_from: int | None = None
) -> ModelT:
    """Read and validate one result file.

    Parameters
    ----------
    path, kind : path, type
        The file, and the type of what it holds.
    schema : str
        What the file must say that it is.
    version : int
        The newest schema version that can be read.
    sealed_from : int, optional
        The first schema version whose files carry a digest; see `fairaudit.results.digest`.

    Raises
    ------
    ResultError
        If the file is missing, not JSON, of another schema, newer, changed after it was written,
        or holds unknown keys.
    """
    return validated(
        read_content(path, schema=schema, version=version, sealed_from=sealed_from), kind, path
    )


def read_content(
    path: Path, *, schema: str, version: int, sealed_from: int | None = None
) -> dict[str, Any]:
    """Read what a result file says, without its digest, which fits; see `read_result`."""
    content = _read_json(path, schema)
    found = content.get("schema") if isinstance(content, dict) else None
    if found != schema:
        raise ResultError(f"{path}: expected schema '{schema}', found {found!r}")
    stored = content.get("schema_version")
    if type(stored) is not int or stored < 1:
        raise ResultError(f"{path}: schema_version is missing or not a whole number from 1")
    if stored > version:
        raise ResultError(f"{path}: schema version {stored} is newer than this fairaudit reads")
    if sealed_from is not None and stored >= sealed_from:
        return _unsealed(content, path)
    return dict(content)


def validated(content: Mapping[str, Any], kind: type[ModelT], path: Path) -> ModelT:
    """Make a result of what its file says.

    Raises
    ------
    ResultError
        Naming the first place that does not fit.
    """
    try:
        return kind.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ResultError(f"{path}: {where}: {fault_words(first)}") from error


def _unsealed(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """Return a file's content without its digest, once that is seen to fit."""
    if not is_intact(content):
        raise ResultError(
            f"{path} was changed after it was written (its digest does not fit); remove it, then "
            "make the result again"
        )
    return {key: value for key, value in content.items() if key != "digest"}


def _read_json(path: Path, schema: str) -> Any:
    try:
        return parse_json(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ResultError(f"{path}: no such file; name {where_to_look(schema)}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise ResultError(f"{path}: not readable as JSON ({error})") from error
