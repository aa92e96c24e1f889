"""The words that suites and scorers share: items, requests, answers, protocols.

A suite turns *items* (what is asked) into *requests* (what a model must be asked); a scorer turns
requests into *answers*; a *protocol* names one exact way to do both and to reduce an answer to one
number. Neither side knows the other: both only know this module, which imports nothing but the
standard library.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from fairaudit.vocabulary.protocols import Design, is_primary

ModelKind = Literal["causal", "masked", "recorded"]

#: Columns of every score table, in this order. Facts of the items follow as further columns.
SCORE_COLUMNS = (
    "item_id",
    "protocol",
    "axis",
    "group",
    "cluster",
    "role",
    "score",
    "n_tokens",
    "status",
    "reason",
)
NUMBER_COLUMNS = ("score", "n_tokens")
TEXT_COLUMNS = tuple(name for name in SCORE_COLUMNS if name not in NUMBER_COLUMNS)

#: The column of a score table that holds the texts of pairs, where they were stored.
PAIR_TEXT: Final = "text"

#: Two scores closer than this (in nats) are tied; rounding of fp32 sums stays well below it.
TIE_TOLERANCE = 2e-4


@dataclass(frozen=True, slots=True)
class Item:
    """One question of a benchmark: the texts whose scores are compared with each other.

    Parameters
    ----------
    item_id : str
        Unique within the suite.
    axis : str
        The social axis: ``gender``, ``race``, ``religion``, ...
    group : str or None
        The group the item is about, where the suite knows it.
    cluster : str
        What is resampled together: items that share it are not independent.
    texts : mapping of str to str
        Text by role (``stereotype``, ``anti_stereotype``, ``unrelated``, ``control_a``, ...).
    context : str
        Text that precedes every role's text and is not scored.
    facts : mapping of str to str or float
        What else is known about the item and wanted in the score table, such as the labour
        statistics behind an occupation or a second, crossed cluster (``template``).
    """

    item_id: str
    axis: str
    group: str | None
    cluster: str
    texts: Mapping[str, str]
    context: str = ""
    facts: Mapping[str, str | float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogLikelihood:
    """Log P(token | everything before it) for each token of ``text`` after ``context``.

    For causal models. The tokens of ``text`` are those that end beyond the last character of
    ``context`` when both are tokenized together. ``branches`` says that other requests begin alike,
    as the answers to one question do, so that what they share is worth encoding once. With a
    ``reference`` only those tokens are scored that it shares, by longest matching blocks; see
    `PseudoLogLikelihood` for ``text_first``.
    """

    text: str
    context: str = ""
    branches: bool = False
    reference: str | None = None
    text_first: bool = True


@dataclass(frozen=True, slots=True)
class PseudoLogLikelihood:
    """Log P(token | all other tokens), each token masked in turn; for masked models.

    ``positions`` selects which tokens are masked: ``all``, or those that are ``shared`` with or
    ``differing`` from ``reference`` by longest matching blocks of tokens. Such an alignment depends
    on the order of its two sides, so the pair must agree on it: ``text_first`` says whether
    ``text`` is the first side. Only tokens that end beyond character ``start`` are selected, and
    ``stride`` keeps only every n-th of them.
    """

    text: str
    reference: str | None = None
    positions: Literal["all", "shared", "differing"] = "all"
    text_first: bool = True
    start: int = 0
    stride: int = 1


@dataclass(frozen=True, slots=True)
class UnmaskedLogLikelihood:
    """Log P(token | the whole unmasked sentence) for each token; for masked models.

    With ``attention`` the answer also carries the attention that each token receives, averaged
    over layers, heads and queries.
    """

    text: str
    attention: bool = False


@dataclass(frozen=True, slots=True)
class FillerLogProbability:
    """Log P of each sub-token of ``filler`` between ``before`` and ``after``; for masked models.

    Each sub-token is read at a single mask with the earlier sub-tokens filled in and the later
    ones left out. Where ``blank`` is given, each place of it in ``before`` and ``after`` is a mask
    too, whatever the tokenizer calls its own.
    """

    before: str
    filler: str
    after: str
    blank: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    """The token that a masked model finds ``rank``-th likeliest where ``text`` has its ``blank``.

    The answer is that token, its word and its log-probability; rank 1 is the likeliest.
    """

    text: str
    blank: str
    rank: int


@dataclass(frozen=True, slots=True)
class Association:
    """How much nearer a text lies to some texts than to others, by its embedding; both kinds.

    Mean cosine with ``near`` minus mean cosine with ``far``. ``pooling`` says what stands for a
    text: the ``mean`` of the last layer over its tokens, or its ``first`` or ``last`` token.
    """

    text: str
    near: tuple[str, ...]
    far: tuple[str, ...]
    pooling: Literal["mean", "first", "last"] = "mean"


#: Requests that are answered by log-probabilities of tokens.
TokenRequest = (
    LogLikelihood | PseudoLogLikelihood | UnmaskedLogLikelihood | FillerLogProbability | Fill
)
Request = TokenRequest | Association


@dataclass(frozen=True, slots=True)
class Decoding:
    """How texts are generated; part of what a number about them means.

    Parameters
    ----------
    n : int
        Completions per prompt.
    max_new_tokens : int
        Longest completion, in tokens.
    do_sample : bool
        Sample from the (tempered, truncated) distribution; otherwise take the likeliest token.
    temperature, top_p, top_k : float, float, int
        Of the sampling; ``top_k`` 0 keeps all tokens.
    seed : int
        Of the sampling. The same prompt gets the same completions whatever else is generated.
    """

    n: int = 1
    max_new_tokens: int = 32
    do_sample: bool = True
    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Generation:
    """Texts that continue ``prompt``; for causal models."""

    prompt: str
    decoding: Decoding


@dataclass(frozen=True, slots=True)
class Completions:
    """What a model wrote after one prompt: the continuations alone, without the prompt.

    ``ended`` says of each whether the model ended it, rather than the limit of tokens.
    """

    texts: tuple[str, ...]
    n_tokens: tuple[int, ...]
    ended: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Continuation:
    """One text to be scored: what was asked, what came, and the item it belongs to."""

    item: Item
    prompt: str
    text: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model said to one request: one entry per scored token, or one number.

    Parameters
    ----------
    log_probs : tuple of float
        Natural logarithms of probabilities.
    token_ids : tuple of int
        The scored tokens.
    top1 : tuple of bool
        Whether the scored token was the most probable one.
    weights : tuple of float or None
        Attention received by each scored token, if the request asked for it.
    value : float or None
        The answer to a request that is not about tokens: an association.
    word : str or None
        The token that was found, without spaces around it, if the request asked for one.
    """

    log_probs: tuple[float, ...]
    token_ids: tuple[int, ...] = ()
    top1: tuple[bool, ...] = ()
    weights: tuple[float, ...] | None = None
    value: float | None = None
    word: str | None = None

    @property
    def n_tokens(self) -> int:
        """Number of scored tokens."""
        return len(self.log_probs)

    @property
    def total(self) -> float:
        """Summed log-probability, in nats."""
        return math.fsum(self.log_probs)

    @property
    def mean(self) -> float:
        """Mean log-probability per scored token, in nats."""
        return self.total / self.n_tokens

    @property
    def log_mean_probability(self) -> float:
        """Logarithm of the arithmetic mean of the token probabilities, in nats."""
        top = max(self.log_probs)
        mean = math.fsum(math.exp(value - top) for value in self.log_probs) / self.n_tokens
        return top + math.log(mean)

    @property
    def weighted_mean(self) -> float:
        """Mean over tokens of weight × log-probability, in nats."""
        if self.weights is None:
            raise ValueError("the request did not ask for attention weights")
        products = (w * lp for w, lp in zip(self.weights, self.log_probs, strict=True))
        return math.fsum(products) / self.n_tokens


@dataclass(frozen=True, slots=True)
class Skipped:
    """A request that this model cannot answer, with the reason in words."""

    reason: str


#: An answer in words that is none of those to choose from.
NOT_UNDERSTOOD = Skipped("the answer is none of the choices")
#: What a file of answers, scores or texts does not hold.
NO_ANSWER = Skipped("no recorded answer")
NO_SCORE = Skipped("no recorded score")
NO_TEXT = Skipped("no recorded completion")


@dataclass(frozen=True, slots=True)
class Protocol:
    """One exact way of scoring a suite's items; numbers of different protocols never mix.

    Parameters
    ----------
    id : str
        ``<suite>/<protocol>``.
    model_kind : {"causal", "masked", "recorded"}
        Which models can answer it; ``recorded`` scores come from a file.
    request : callable
        ``(item, role) -> Request``; None where the protocol does not use that item or role,
        `Skipped` where it should but cannot.
    score : callable
        ``Answer -> float``, in nats.
    description : str
        One sentence with the definition and its source.
    design : str or None
        How items of the suite are built, which says whether verdicts rest on this protocol.
    """

    id: str
    model_kind: ModelKind
    request: Callable[[Item, str], Request | Skipped | None]
    score: Callable[[Answer], float]
    description: str
    design: Design | None = None

    @property
    def primary(self) -> bool:
        """Whether verdicts rest on it. The others are run too and marked exploratory."""
        return self.design is not None and is_primary(self.design, self.id)
