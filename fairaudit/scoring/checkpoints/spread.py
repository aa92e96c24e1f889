"""Models that fit no single device: spread over several, and over the disk, by accelerate.

Each layer then runs where its weights lie, or where they are brought to as it runs. Scores are
those of one device but for the rounding of other kernels.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Mapping
from typing import Any

import torch

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.parallel import part


def spread(model: Any, device_map: str, memory: Mapping[int | str, int] | None) -> Any:
    """Put each layer where there is room, and what fits nowhere on the disk.

    Parameters
    ----------
    model : PreTrainedModel
        In main memory; weights of files that are mapped into it need no room there.
    device_map : str
        One of `MAPS`.
    memory : mapping or None
        Bytes that each device may hold; None: what accelerate finds free.

    Raises
    ------
    ModelError
        If a single layer fits nowhere.
    """
    try:
        from accelerate import disk_offload, dispatch_model, infer_auto_device_map
        from accelerate.utils import get_balanced_memory, get_max_memory
    except ModuleNotFoundError as error:
        raise ModelError("a device map needs accelerate: pip install accelerate") from error
    model.tie_weights()
    whole = [*(model._no_split_modules or ())]
    room = get_max_memory(None if memory is None else dict(memory))
    if device_map.startswith("balanced"):
        room = get_balanced_memory(
            model, room, no_split_module_classes=whole, low_zero=device_map == "balanced_low_0"
        )
    places = infer_auto_device_map(model, max_memory=room, no_split_module_classes=whole)
    folder = tempfile.mkdtemp(prefix="fairaudit-offload-") if "disk" in places.values() else None
    if folder is not None:
        # Made here, by this process, and nobody else's.
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
    try:
        if places == {"": "disk"}:
            return disk_offload(model, folder)
        return dispatch_model(model, places, offload_dir=folder)
    except (ValueError, RuntimeError) as error:
        raise ModelError(f"the model cannot be spread over these devices ({error})") from error


def check_room(model: Any, device: torch.device, dtype: torch.dtype) -> None:
    """Refuse a model whose weights need more memory than is free, before any is taken.

    Raises
    ------
    ModelError
        With what it needs, what there is, and what to do.
    """
    free = _free(device)
    kept = [one for one in model.parameters() if one.dtype == dtype and device.type == "cpu"]
    n = sum(one.numel() for one in model.parameters()) - sum(one.numel() for one in kept)
    need = n * dtype.itemsize
    if free is not None and need > free:
        raise ModelError(
            f"its {n:,} weights need {need / 2**30:.1f} GiB as {str(dtype).removeprefix('torch.')} "
            f"and {free / 2**30:.1f} GiB are free on {device}; use --device-map auto, or "
            "--dtype bfloat16"
        )


def check_copy(model: Any) -> None:
    """Refuse to copy weights out of their file where main memory cannot hold them.

    Raises
    ------
    ModelError
        With what they need, what there is, and what to do.
    """
    # What lies on a GPU or on the disk is no part of the file any more.
    mapped = [part(one) for one in model.parameters() if one.device.type == "cpu"]
    need, free = sum(one.nbytes for one in mapped), _free(torch.device("cpu"))
    if free is not None and need > free:
        raise ModelError(
            f"its weights need {need / 2**30:.1f} GiB and {free / 2**30:.1f} GiB are free in main "
            "memory; use --device-map auto"
        )


def _free(device: torch.device) -> int | None:
    """Bytes that are free on a device; None where that cannot be told."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "cpu":
        try:
            import psutil
        except ModuleNotFoundError:
            return None
        return int(psutil.virtual_memory().available)
    return None


def input_device(model: Any) -> torch.device:
    """Return where a model takes its inputs: where its first weights lie, or are brought to."""
    devices: list[torch.device] = [one.device for one in model.parameters()]
    if devices[0].type != "meta":
        return devices[0]
    held = (one for one in devices if one.type not in ("meta", "cpu"))
    return next(held, torch.device("cpu"))


def devices_of(model: Any) -> str:
    """Name the kinds of devices that compute: ``cpu``, ``cuda``, ``cpu+cuda``."""
    kinds = {one.device.type for one in model.parameters()} - {"meta"}
    return "+".join(sorted(kinds)) or "cpu"
