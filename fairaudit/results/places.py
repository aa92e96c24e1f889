"""Places inside a run's own folder: nothing outside of it is written or removed.

Names come from files that anybody may have edited, and a folder may hold links to elsewhere. So
whatever is written or removed by a name is first found here.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from fairaudit.errors import ResultError
from fairaudit.lines import lines_of


def named(folder: Path, name: str) -> Path:
    """Return the file or folder that a stored name means, for reading.

    Links are followed, since folders of a download cache consist of them.

    Raises
    ------
    ResultError
        If the name itself leads out of the folder, or to the folder.
    """
    parts = name.replace("\\", "/").split("/")
    if Path(name).is_absolute() or "\0" in name or not all(part.strip(". ") for part in parts):
        raise ResultError(f"{folder}: '{name}' is not the name of a file in this folder")
    return folder / name


def inside(folder: Path, name: str | Path) -> Path:
    """Return the file or folder of a name, for writing or removing.

    Parameters
    ----------
    folder : path
        The run's own folder; it may itself be a link.
    name : str or path
        Relative to it.

    Raises
    ------
    ResultError
        If the name, or a link on the way, leads out of the folder, or to the folder.
    """
    place = named(folder, str(name))
    try:
        real, root = place.resolve(), folder.resolve()
    except (OSError, RuntimeError) as error:
        raise ResultError(f"{place}: cannot be found ({error})") from error
    if root not in real.parents:
        raise ResultError(f"{place} is a link out of {folder}; remove the link")
    return place


def refuse_file(folder: Path) -> Path:
    """Return the deepest folder that is there, of an output folder and those above it.

    Raises
    ------
    ResultError
        If that is a file.
    """
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not existing.is_dir():
        raise ResultError(f"{existing} is a file; name a folder for the output")
    return existing


#: The folder of what no privacy guarantee covers, in that of a model or a diagnosis.
PRIVATE: Final = "private"
_IGNORED: Final = ".gitignore"


def keep_from_upload(folder: Path) -> None:
    """Name ``private/`` in the ``.gitignore`` of a folder, and everything in that of ``private/``.

    Git reads both. `huggingface_hub.upload_folder` sends the first one to the Hub, which then takes
    none of the files that it names; that of a subfolder it does not look at.

    Raises
    ------
    ResultError
        If a link leads out of the folder, or a file cannot be written.
    """
    place = inside(folder, _IGNORED)
    line = f"{PRIVATE}/"
    try:
        known = place.read_text(encoding="utf-8") if place.exists() else ""
        if line not in lines_of(known):
            gap = "" if not known or known.endswith("\n") else "\n"
            _write(place, f"{known}{gap}{line}\n")
        _write(inside(folder, f"{PRIVATE}/{_IGNORED}"), "*\n", mode=0o600)
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{place}: cannot be written ({error})") from error


def _write(place: Path, text: str, mode: int = 0o644) -> None:
    with open(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as stream:
        stream.write(text.encode())


def remove_folder(folder: Path, name: str) -> None:
    """Remove a folder of the run with all that it holds, if it is there.

    Raises
    ------
    ResultError
        If it is not inside the run's folder, or cannot be removed.
    """
    place = inside(folder, name)
    try:
        shutil.rmtree(place)
    except FileNotFoundError:
        pass
    except OSError as error:
        raise ResultError(f"{place}: cannot be removed ({error.strerror or error})") from error


def remove_file(folder: Path, name: str) -> None:
    """Remove a file of the run, if it is there.

    Raises
    ------
    ResultError
        If it is not inside the run's folder, or cannot be removed.
    """
    place = inside(folder, name)
    try:
        place.unlink(missing_ok=True)
    except OSError as error:
        raise ResultError(f"{place}: cannot be removed ({error.strerror})") from error
