"""Looks at a training, kept on disk until it ends: a run that goes on has those before it.

A look is a tree of small records with arrays in it. Arrays go into an ``.npz``, the rest beside
them as JSON; only the classes named here are made when it is read back.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from fairaudit.diagnostics.checkpoint import Looked
from fairaudit.diagnostics.labels import Labels
from fairaudit.diagnostics.measure import Curvature, Measured
from fairaudit.diagnostics.moments import Moments
from fairaudit.diagnostics.per_record import PerRecord
from fairaudit.diagnostics.quantities import ModelNumbers
from fairaudit.durable import replaced_when_whole
from fairaudit.errors import ResultError
from fairaudit.parsing import parse_json
from fairaudit.results.diagnostics import ClippingParameters
from fairaudit.results.places import inside, remove_folder

#: The folder of looks in that of the diagnosis.
FOLDER: Final = ".looks"
_TREE: Final = "tree.json"
_KINDS: Final[dict[str, Any]] = {
    kind.__name__: kind
    for kind in (Looked, ModelNumbers, Measured, Moments, Curvature, PerRecord, Labels)
}


def keep(folder: Path, step: int, look: Looked, about: dict[str, Any]) -> None:
    """Write a look, whole or not at all.

    Parameters
    ----------
    folder : path
        Of the diagnosis.
    step : int
        After which it was taken.
    look : Looked
        What was seen.
    about : dict
        What must be the same for looks to be of one series, as JSON.
    """
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    tree = {"about": about, "look": _packed(look, arrays)}
    stream = io.BytesIO()
    np.savez(stream, **arrays)  # type: ignore[arg-type]
    with zipfile.ZipFile(stream, "a") as archive:
        archive.writestr(_TREE, json.dumps(tree))
    target = inside(folder, f"{FOLDER}/step-{step:09d}.npz")
    target.parent.mkdir(parents=True, exist_ok=True)
    with replaced_when_whole(target.with_name(f".{target.name}.partial"), target) as file:
        file.write(stream.getvalue())


def kept(folder: Path, about: dict[str, Any]) -> dict[int, Looked]:
    """Return the looks of an unfinished series by step.

    Raises
    ------
    ResultError
        If one is damaged, or of other texts or settings than ``about`` says.
    """
    found = {}
    for path in sorted((folder / FOLDER).glob("step-*.npz")):
        try:
            with zipfile.ZipFile(path) as archive:
                tree = parse_json(archive.read(_TREE))
            with np.load(path, allow_pickle=False) as arrays:
                look = _unpacked(tree["look"], arrays)
            step, same = int(path.stem.removeprefix("step-")), tree["about"] == about
        except Exception as error:
            raise ResultError(f"{path}: not a look that can be read; remove {FOLDER}") from error
        if not same:
            raise ResultError(
                f"{folder} holds looks with other probe texts or settings; go on with the same "
                f"or remove {folder / FOLDER}"
            )
        found[step] = look
    return found


def forget(folder: Path) -> None:
    """Remove the looks: the result has them now."""
    remove_folder(folder, FOLDER)


def _packed(value: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    if isinstance(value, np.ndarray):
        name = f"a{len(arrays)}"
        arrays[name] = value
        return {"array": name}
    if isinstance(value, ClippingParameters):
        return {"clipping": value.model_dump(mode="json")}
    if is_dataclass(value):
        packed = {one.name: _packed(getattr(value, one.name), arrays) for one in fields(value)}
        return {"kind": type(value).__name__, "fields": packed}
    if isinstance(value, dict):
        return {"mapping": [[key, _packed(one, arrays)] for key, one in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_packed(one, arrays) for one in value]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value.item() if isinstance(value, np.generic) else value}
    if isinstance(value, np.generic):
        return {"value": value.item()}
    raise TypeError(f"a look holds a {type(value).__name__}")


def _unpacked(packed: dict[str, Any], arrays: Any) -> Any:
    if "array" in packed:
        return arrays[packed["array"]]
    if "clipping" in packed:
        return ClippingParameters.model_validate(packed["clipping"])
    if "kind" in packed:
        kind = _KINDS[packed["kind"]]
        return kind(**{name: _unpacked(one, arrays) for name, one in packed["fields"].items()})
    if "mapping" in packed:
        return {key: _unpacked(one, arrays) for key, one in packed["mapping"]}
    if "tuple" in packed:
        return tuple(_unpacked(one, arrays) for one in packed["tuple"])
    return packed["value"]
