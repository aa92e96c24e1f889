"""Generators for draws and noise: from OS entropy where privacy depends on them, else from a seed.

Whoever knows the noise subtracts it. In a private run both generators start from the operating
system's entropy, and no seed exists that could be written down.
"""

from __future__ import annotations

import os
from typing import Final

import numpy as np
import torch

from fairaudit.errors import UsageError
from fairaudit.ranks import ranks

#: Layout of the state of PyTorch's CPU generator: seed, position, then the words of MT19937.
_STATE_BYTES: Final = 5056
_WORDS: Final = slice(3, 3 + 624)


def draw_generator(seed: int | None) -> np.random.Generator:
    """Make the generator of draws, substitutions and masks; None: 128 bits of OS entropy.

    Of several ranks all draw alike, from the entropy of the first.

    Parameters
    ----------
    seed : int or None
        Fixed, as in tests; None: secret.

    Returns
    -------
    numpy.random.Generator
        The generator.
    """
    if seed is None:
        entropy = ranks().from_first(lambda: int.from_bytes(os.urandom(16), "little"))
        return np.random.default_rng(np.random.SeedSequence(entropy))
    return np.random.default_rng(np.random.SeedSequence([seed, 1]))


def noise_generator(device: torch.device, seed: int | None) -> torch.Generator:
    """Make the generator of Gaussian noise on a device.

    Parameters
    ----------
    device : torch.device
        Where noise is added.
    seed : int or None
        Fixed, as in tests, and then there is no guarantee; None: from OS entropy.

    Returns
    -------
    torch.Generator
        The generator.
    """
    generator = torch.Generator(device=device)
    if seed is not None:
        generator.manual_seed(seed)
    elif device.type == "cpu":
        generator.set_state(_random_state())
    else:
        generator.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
    return generator


def _random_state() -> torch.Tensor:
    """Return a state of the CPU generator with all its words from OS entropy.

    Its ``manual_seed`` keeps 32 bits of a seed only, so noise seeded that way can be found by
    trying all of them.
    """
    state = torch.Generator().manual_seed(0).get_state()
    if state.numel() != _STATE_BYTES:
        raise UsageError("this PyTorch keeps its random state in an unknown form; please report it")
    words = np.frombuffer(state.numpy().tobytes(), dtype=np.uint64).copy()
    words[_WORDS] = np.frombuffer(os.urandom(624 * 4), dtype=np.uint32)
    return torch.from_numpy(words.view(np.uint8))
