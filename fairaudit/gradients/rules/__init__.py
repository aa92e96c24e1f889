"""One rule per layer type, one file per rule; a new layer is a file here and a line in `RULES`.

A rule is a function from what went into a layer and what came back to its output to a `Factor`.
"""

from __future__ import annotations

from torch import nn

from fairaudit.gradients.rules.base import Rule
from fairaudit.gradients.rules.cohere_norm import COHERE_NORM
from fairaudit.gradients.rules.conv1d import CONV1D
from fairaudit.gradients.rules.embedding import EMBEDDING
from fairaudit.gradients.rules.layer_norm import LAYER_NORM
from fairaudit.gradients.rules.linear import LINEAR
from fairaudit.gradients.rules.opt_position import OPT_POSITION
from fairaudit.gradients.rules.rms_norm import RMS_NORM
from fairaudit.gradients.rules.scaled_embedding import SCALED_EMBEDDING

RULES: list[Rule] = [
    LINEAR,
    CONV1D,
    EMBEDDING,
    SCALED_EMBEDDING,
    OPT_POSITION,
    LAYER_NORM,
    COHERE_NORM,
    RMS_NORM,
]


def rule_for(module: nn.Module) -> Rule | None:
    """Find the rule of a module's class, or of a base class whose forward it has not replaced."""
    by_name = {name: rule for rule in RULES for name in rule.layers}
    for kind in type(module).__mro__:
        rule = by_name.get(f"{kind.__module__}.{kind.__qualname__}")
        if rule is not None and getattr(kind, "forward", None) is type(module).forward:
            return rule
    return None
