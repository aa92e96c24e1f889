"""Names of diagnosed quantities that hold an axis: what a step does to the bias on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_START: Final = "bias_influence_"
_CLIPPED: Final = "clipped_"


@dataclass(frozen=True, slots=True)
class Influence:
    """Push of one step on the bias score of an axis.

    Parameters
    ----------
    axis : str
        Axis of the bias score.
    clipped : bool
        Whether gradients are clipped before.
    """

    axis: str
    clipped: bool

    @property
    def name(self) -> str:
        """As it stands in results.

        >>> Influence("race", clipped=True).name
        'bias_influence_clipped_race'
        """
        return f"{_START}{_CLIPPED if self.clipped else ''}{self.axis}"


def influence_of(name: str) -> Influence | None:
    """Read a quantity's name; None where it is no influence."""
    if not name.startswith(_START):
        return None
    rest = name.removeprefix(_START)
    return Influence(rest.removeprefix(_CLIPPED), rest.startswith(_CLIPPED))
