"""Every weight of a model comes from its file, and every weight in the file is used.

A weight that the file lacks would be random; a weight that nothing reads means that config and
file tell of different models. Both change scores without a sign, so both are refused. What cannot
change a score is left alone: weights of another task's head, and buffers that older versions
stored and that are computed anew today.
"""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from transformers import PreTrainedModel

from fairaudit.errors import ModelError

#: Names that a line holds.
_NAMED: Final = 3
#: Where older versions stored the causal mask of an attention module; the mask is no weight.
_STORED_MASK: Final = re.compile(r"(.*(?:attn|attention))\.(?:bias|masked_bias|causal_mask)")
#: Value head that trainers of rewards put beside a language model.
_VALUE_HEAD: Final = "v_head."


@dataclass(frozen=True, slots=True)
class KeyReport:
    """What loading a file into a model left open.

    Parameters
    ----------
    missing : collection of str
        Weights of the model that are not in the file.
    unused : collection of str
        Weights in the file that the model has no place for.
    misshapen : collection of str
        Weights whose shape in the file is not the model's, with both shapes.
    """

    missing: Collection[str] = ()
    unused: Collection[str] = ()
    misshapen: Collection[str] = ()

    @classmethod
    def of(cls, report: Mapping[str, Any]) -> KeyReport:
        """Read the report of ``from_pretrained(output_loading_info=True)``."""
        shapes = (
            f"{name} {list(stored)} for {list(wanted)}"
            for name, stored, wanted in report["mismatched_keys"]
        )
        return cls(report["missing_keys"], report["unexpected_keys"], tuple(shapes))

    def check(self, name: str, advice: str) -> None:
        """Raise if anything is left open.

        Raises
        ------
        ModelError
            In one line: how many weights of each kind, some by name, and ``advice``.
        """
        problems = [
            f"{_count(found)} {what} ({_some(found)})"
            for found, what in (
                (self.missing, "missing from the file and would be random"),
                (self.unused, "in the file but not used"),
                (self.misshapen, "of another shape than the model's"),
            )
            if found
        ]
        if problems:
            raise ModelError(f"{name}: {'; '.join(problems)}; {advice}")


def check_keys(model: Any, report: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Refuse a model whose weights are not those of its file.

    Parameters
    ----------
    model : PreTrainedModel
        The model after loading.
    report : mapping
        From ``from_pretrained(output_loading_info=True)``.
    name : str
        Name of the checkpoint.

    Returns
    -------
    tuple of str
        What to note: unused heads of other tasks.

    Raises
    ------
    ModelError
        If a weight is missing, unused, or has another shape.
    """
    found = KeyReport.of(report)
    open_keys = {key for key in found.unused if not _is_buffer(model, key)}
    heads = _heads_of_others(model, open_keys)
    left = KeyReport(found.missing, open_keys - heads, found.misshapen)
    left.check(name, _advice(model, left))
    if not heads:
        return ()
    return (f"{name}: {_count(heads)} of another task's head and not used ({_some(heads)})",)


def _advice(model: Any, left: KeyReport) -> str:
    body = f"{model.base_model_prefix}."
    if not left.unused and not left.misshapen and not any(k.startswith(body) for k in left.missing):
        return "was the model saved without its head?"
    return "do config.json and the weights belong together?"


def _names(model: Any, key: str) -> tuple[str, str]:
    """Names that a key of the file may have in the model: a backbone saved alone has no prefix."""
    return key, f"{model.base_model_prefix}.{key}"


def _is_buffer(model: Any, key: str) -> bool:
    """Whether a key is of a buffer that the model computes anew: positions, a causal mask."""
    buffers = {name for name, _ in model.named_buffers()}
    names = _names(model, key)
    return not buffers.isdisjoint(names) or any(_is_mask(model, name) for name in names)


def _is_mask(model: Any, name: str) -> bool:
    """Whether it is the causal mask of an attention module of the model.

    Such a module holds further modules and no weight of its own, so it has no bias to learn.
    """
    match = _STORED_MASK.fullmatch(name)
    parent = None if match is None else _module(model, match[1])
    return (
        parent is not None
        and any(True for _ in parent.children())
        and not any(True for _ in parent.parameters(recurse=False))
    )


def _module(model: Any, name: str) -> Any:
    try:
        return model.get_submodule(name)
    except AttributeError:
        return None


def _heads_of_others(model: Any, keys: Iterable[str]) -> set[str]:
    """Keys that another class of the model's family has, built from the same config.

    The loaded class is the one that the checkpoint names, so what only another class reads is no
    part of its scores: the pooler and the next-sentence head of BERT, a classifier. A layer that
    the config does not ask for is in no class.
    """
    left = set(keys)
    heads = {key for key in left if key.startswith(_VALUE_HEAD)}
    for relative in _relatives(model) if left - heads else ():
        if left <= heads:
            break
        known = relative.state_dict().keys()
        heads |= {key for key in left if not known.isdisjoint(_names(model, key))}
    return heads


def _relatives(model: Any) -> Iterator[Any]:
    """Models of all classes that share the model's file and config, without memory."""
    own = type(model)
    config_class = type(model.config)
    for _, other in inspect.getmembers(sys.modules[own.__module__], inspect.isclass):
        if not issubclass(other, PreTrainedModel) or other.config_class is not config_class:
            continue
        try:
            with torch.device("meta"):
                yield other(model.config)
        except Exception:
            # A class that cannot be built from this config cannot have written the file either.
            continue


def _count(names: Collection[str]) -> str:
    return "1 weight is" if len(names) == 1 else f"{len(names)} weights are"


def _some(names: Collection[str]) -> str:
    first = sorted(names)[:_NAMED]
    return ", ".join(first) + (", …" if len(names) > len(first) else "")
