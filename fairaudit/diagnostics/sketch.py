"""A gradient in a few thousand numbers that keep inner products.

A Gram matrix is made of them where there are too many records for exact products. Every coordinate
gets a random sign and is added to one of k buckets; ⟨Sx, Sy⟩ has expectation ⟨x, y⟩ and, for
gradients spread over many coordinates, a standard deviation of about ‖x‖‖y‖/√k (Charikar, Chen and
Farach-Colton 2002).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import torch
from torch import Tensor

from fairaudit.diagnostics.curvature import random_signs

#: A prime, so that columns of weight matrices do not fall into one bucket.
BUCKETS: Final = 4093


class Sketch:
    """One linear map from gradients to k numbers, the same for one seed and model.

    Parameters
    ----------
    parameters : mapping of str to Tensor
        The parameters of the gradients.
    seed : int
        Seed of the signs.
    buckets : int
        k.
    """

    def __init__(
        self, parameters: Mapping[str, Tensor], *, seed: int, buckets: int = BUCKETS
    ) -> None:
        signs = random_signs(parameters, seed, number=-1)
        self._signs = {name: value.to(torch.int8).flatten() for name, value in signs.items()}
        self.buckets = buckets

    def __call__(self, gradient: Mapping[str, Tensor]) -> Tensor:
        """Sketch of a gradient, [k], fp64, on the CPU."""
        total = torch.zeros(self.buckets, dtype=torch.float64)
        for name, value in gradient.items():
            total += self._part(self._signs[name], value.flatten())
        return total

    def _part(self, signs: Tensor, values: Tensor) -> Tensor:
        signed = signs * values
        missing = -len(signed) % self.buckets
        padded = torch.nn.functional.pad(signed, (0, missing))
        return padded.view(-1, self.buckets).sum(dim=0).double().cpu()
