"""How a model is to be loaded, as the user writes it; read before anything heavy is imported."""

from __future__ import annotations

import re
from typing import Final

from fairaudit.errors import UsageError

#: Precisions of weights by name; ``auto`` leaves the choice to the kind of checkpoint.
DTYPE_NAMES: Final = ("float32", "bfloat16", "float16")
#: How accelerate may choose places.
MAPS: Final = ("auto", "balanced", "balanced_low_0", "sequential")
_UNITS: Final = {
    "": 1,
    "KIB": 2**10,
    "MIB": 2**20,
    "GIB": 2**30,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
}
_AMOUNT: Final = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]*)")


def read_memory(text: str) -> dict[int | str, int]:
    """Read what each device may hold: ``0=20GiB,cpu=64GiB``; what is not named holds nothing.

    Raises
    ------
    UsageError
        If it is written in another way.
    """
    found: dict[int | str, int] = {}
    for part in text.split(","):
        place, _, amount = (one.strip() for one in part.partition("="))
        read = _AMOUNT.fullmatch(amount)
        unit = None if read is None else _UNITS.get(read[2].upper())
        if read is None or unit is None or not (place == "cpu" or place.isdigit()):
            raise UsageError(f"'{part}' is no device and its memory; write 0=20GiB,cpu=64GiB")
        found[int(place) if place.isdigit() else place] = int(float(read[1]) * unit)
    return found


def check_map(device_map: str) -> str:
    """Return the name of a way to spread a model.

    Raises
    ------
    UsageError
        If accelerate knows no such way.
    """
    if device_map not in MAPS:
        raise UsageError(f"'{device_map}' is no device map; use {', '.join(MAPS)}")
    return device_map


def check_wanted(dtype: str, device_map: str | None, max_memory: str | None) -> None:
    """Refuse a precision, a device map or amounts of memory that cannot be.

    Parameters
    ----------
    dtype : str
        Name of a precision.
    device_map : str or None
        How a model is to be spread.
    max_memory : str or None
        What each device may hold, as ``0=20GiB,cpu=64GiB``.

    Raises
    ------
    UsageError
        Naming what there is.
    """
    if dtype != "auto" and dtype not in DTYPE_NAMES:
        raise UsageError(f"'{dtype}' is not a dtype; use auto, {', '.join(DTYPE_NAMES)}")
    if device_map is not None:
        check_map(device_map)
    if max_memory is not None:
        read_memory(max_memory)
