"""A model in low precision, asked again in fp32.

Weights are widened one repeated block at a time, for as long as the block runs, so that fp32 needs
little more memory than the low precision that was chosen for want of it: all that stands outside
the blocks (embedding, head) and one block, at twice its size. Widened weights are exact copies;
where loading rounded them, the checkpoint's own are taken in their place.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import torch
from torch import Tensor, nn

from fairaudit.errors import ModelError
from fairaudit.scoring.checkpoints.spread import input_device
from fairaudit.scoring.load import LoadedModel
from fairaudit.scoring.memory import MEMORY_ERRORS, out_of_memory
from fairaudit.scoring.offloaded import brought_in_fp32, on_disk

#: Precisions in which a score is off by more than a tie.
_NARROW: Final = (torch.bfloat16, torch.float16)


@contextlib.contextmanager
def in_fp32(loaded: LoadedModel) -> Iterator[LoadedModel]:
    """While active, the model computes in fp32; afterwards it is as it was, to the last bit.

    Raises
    ------
    ModelError
        If memory does not suffice.
    """
    model = loaded.model
    if loaded.parts > 1 and loaded.unrounded is not None:
        # Parts of weights are widened by reading them so, not one by one.
        yield replace(loaded, model=loaded.unrounded(), dtype="float32")
        return
    own = {} if loaded.unrounded is None else _stored(loaded.unrounded())
    try:
        with brought_in_fp32(model, own, _NARROW):
            with _streamed(model, own) as works:
                if works:
                    yield replace(loaded, dtype="float32")
                    return
            with _held(_Part(_stored(model), own)):
                yield replace(loaded, dtype="float32")
    except MEMORY_ERRORS as error:
        if not out_of_memory(error):
            raise
        raise ModelError(
            "out of memory while near-ties are scored again in fp32; use --dtype float32 on a "
            "device with more memory, or a smaller --token-budget"
        ) from error


@dataclass(slots=True)
class _Part:
    """Tensors that are widened together, and what they were before.

    Parameters
    ----------
    tensors : mapping of str to Tensor
        Weights and stored buffers by name.
    own : mapping of str to Tensor
        Weights as the checkpoint has them, where loading rounded them; else empty.
    """

    tensors: Mapping[str, Tensor]
    own: Mapping[str, Tensor]
    _low: dict[str, Tensor] = field(default_factory=dict)

    def widen(self) -> None:
        """Put fp32 values in place; what is wide already stays."""
        with torch.inference_mode(False), torch.no_grad():
            for name, tensor in self.tensors.items():
                if tensor.dtype in _NARROW:
                    self._low[name] = tensor.data
                    wide = self.own.get(name, tensor.data)
                    tensor.data = wide.to(device=tensor.device, dtype=torch.float32)

    def before(self, *_: Any) -> None:
        """Widen, as a hook."""
        self.widen()

    def after(self, *_: Any) -> None:
        """Put the former values back, as a hook."""
        self.narrow()

    def narrow(self) -> None:
        """Put the former values back."""
        for name, low in self._low.items():
            self.tensors[name].data = low
        self._low.clear()


@contextlib.contextmanager
def _held(part: _Part) -> Iterator[None]:
    """Keep a part wide."""
    try:
        part.widen()
        yield
    finally:
        part.narrow()


@contextlib.contextmanager
def _streamed(model: Any, own: Mapping[str, Tensor]) -> Iterator[bool]:
    """Keep wide what stands outside the blocks, and each block while it runs.

    Yields whether the model works so: one that calls the layers of a block without calling the
    block finds them as they were.
    """
    blocks, outside = _parts(model, own)
    with contextlib.ExitStack() as stack:
        stack.enter_context(_held(outside))
        for block, part in blocks:
            stack.callback(part.narrow)
            stack.callback(block.register_forward_pre_hook(part.before).remove)
            stack.callback(block.register_forward_hook(part.after, always_call=True).remove)
        yield _works(model)


def _works(model: Any) -> bool:
    try:
        with torch.inference_mode():
            ids = torch.zeros(1, 2, dtype=torch.long, device=input_device(model))
            return bool(model(input_ids=ids).logits.dtype == torch.float32)
    except MEMORY_ERRORS as error:
        if out_of_memory(error):
            raise
        return False


def _parts(model: Any, own: Mapping[str, Tensor]) -> tuple[list[tuple[nn.Module, _Part]], _Part]:
    """Blocks with the weights that only they have, and the rest."""
    stored = _stored(model)
    everywhere = _uses(model)
    parts = []
    for block in dict.fromkeys(_blocks(model)):
        alone = {one for one, count in _uses(block).items() if everywhere[one] == count}
        found = {name: tensor for name, tensor in stored.items() if id(tensor) in alone}
        parts.append((block, _Part(found, own)))
    streamed = {name for _, part in parts for name in part.tensors}
    rest = {name: tensor for name, tensor in stored.items() if name not in streamed}
    return parts, _Part(rest, own)


def _uses(module: nn.Module) -> Counter[int]:
    """How often each tensor is stored: a shared one more than once."""
    return Counter(id(tensor) for tensor in module.state_dict(keep_vars=True).values())


def _blocks(module: nn.Module) -> Iterator[nn.Module]:
    """Repeated blocks: the members of the outermost lists of modules."""
    for child in module.children():
        if isinstance(module, nn.ModuleList) and not isinstance(child, nn.ModuleList):
            yield child
        else:
            yield from _blocks(child)


def _stored(module: nn.Module) -> dict[str, Tensor]:
    """Weights and stored buffers by name, each once; without those that lie on disk."""
    here = {
        name: tensor
        for name, tensor in module.state_dict(keep_vars=True).items()
        if not on_disk(tensor)
    }
    return dict({id(tensor): (name, tensor) for name, tensor in here.items()}.values())
