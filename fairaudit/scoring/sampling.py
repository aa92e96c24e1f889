"""The next token: the likeliest one, or a draw with random numbers that belong to the prompt.

A completion draws its uniform numbers from a stream of its own, seeded by the decoding's seed, the
prompt's tokens and the number of the sample. The same prompt therefore gets the same completions
whatever else is generated with it, a longer limit goes on where a shorter one stopped, and two
models that agree draw alike.
"""

from __future__ import annotations

import hashlib
from array import array

import numpy as np
import torch
from torch import Tensor

from fairaudit.items import Decoding
from fairaudit.scoring.generate_plan import Prompt


def uniforms(prompt: Prompt) -> np.ndarray:
    """Uniform numbers [n, max_new_tokens] in [0, 1) of one prompt's completions."""
    decoding = prompt.decoding
    digest = hashlib.sha256(array("q", prompt.ids).tobytes()).digest()
    words = [int(word) for word in np.frombuffer(digest, "<u4")]
    return np.stack(
        [
            np.random.default_rng(np.random.SeedSequence([decoding.seed, *words, sample])).random(
                decoding.max_new_tokens
            )
            for sample in range(decoding.n)
        ]
    )


def next_tokens(logits: Tensor, numbers: Tensor, decoding: Decoding) -> Tensor:
    """Choose one token for each row of logits [S, V].

    Parameters
    ----------
    logits : Tensor
        fp32 [S, V].
    numbers : Tensor
        Uniform numbers [S]; not used when the likeliest token is taken.
    decoding : Decoding
        How to choose.

    Returns
    -------
    Tensor
        Token ids [S].
    """
    if not decoding.do_sample:
        return logits.argmax(dim=-1)
    probabilities = torch.softmax(logits / decoding.temperature, dim=-1)
    return inverse_cdf(_truncated(probabilities, decoding), numbers)


def inverse_cdf(weights: Tensor, numbers: Tensor) -> Tensor:
    """Find the first token whose cumulated weight exceeds ``number`` × the sum of the weights.

    Summed in fp64: in fp32 the rounding over a vocabulary is as large as a rare token.
    """
    cumulated = weights.cumsum(dim=-1, dtype=torch.float64)
    wanted = numbers.to(torch.float64) * cumulated[:, -1]
    return torch.searchsorted(cumulated, wanted[:, None], right=True).squeeze(-1)


def _truncated(probabilities: Tensor, decoding: Decoding) -> Tensor:
    """Keep the ``top_k`` likeliest tokens, and of them the fewest that hold ``top_p``."""
    if decoding.top_k == 0 and decoding.top_p >= 1:
        return probabilities
    ordered, places = probabilities.sort(dim=-1, descending=True, stable=True)
    if decoding.top_k:
        ordered[:, decoding.top_k :] = 0
    if decoding.top_p < 1:
        before = ordered.cumsum(dim=-1) - ordered
        ordered[before >= decoding.top_p * ordered.sum(dim=-1, keepdim=True)] = 0
    return torch.zeros_like(probabilities).scatter_(-1, places, ordered)
