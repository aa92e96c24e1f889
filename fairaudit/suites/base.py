"""What a suite is: items, protocols, and the metrics that its score table supports."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fairaudit.items import Decoding, Item, ModelKind, Protocol
from fairaudit.results import Estimate, Source
from fairaudit.suites.languages import ENGLISH
from fairaudit.vocabulary.suites import SuiteCard

if TYPE_CHECKING:
    import pandas as pd

    from fairaudit.suites.data import DataFinder, PinnedFile


#: The role of the text that a model continues.
PROMPT = "prompt"


@dataclass(frozen=True, slots=True)
class SuiteData:
    """The items of a suite and the files they were read from.

    Parameters
    ----------
    items : tuple of Item
        In the authors' order.
    sources : tuple of Source
        Files that they were read from.
    notes : tuple of str
        What a reader of the result must know about them.
    """

    items: tuple[Item, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GenerationDesign:
    """How the texts of a suite are made, and by what they are scored.

    Parameters
    ----------
    decoding : Decoding
        How prompts are continued; the seed is the audit's.
    scorers : tuple of str
        Names of text scorers; those that cannot be had are left out, and the audit says so.
    required : tuple of str
        Scorers without which the suite says nothing: it is not run unless one can be had. Empty:
        any will do.
    per_axis : int or None
        Prompts of each axis that an audit asks by default; None: all of them.
    quick_per_axis : int
        Prompts of each axis of a quick audit.
    lexicons : mapping of str to PinnedFile
        Public files that scorers read, by the scorer's name.
    """

    decoding: Decoding
    scorers: tuple[str, ...]
    required: tuple[str, ...] = ()
    per_axis: int | None = None
    quick_per_axis: int = 60
    lexicons: Mapping[str, PinnedFile] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Suite:
    """One benchmark: what is asked, how it may be scored, what may be concluded.

    Parameters
    ----------
    card : SuiteCard
        What is known about it before any data.
    protocols : tuple of Protocol
        Every scoring variant, each under its own id.
    load : callable
        ``DataFinder -> SuiteData``; raises DataError if the data cannot be had.
    estimate : callable
        ``(score table, seed) -> list of Estimate``.
    default : bool
        Run unless suites are named; others run with ``--full`` or by name.
    per_token : bool
        The score table holds one row per token instead of one per item and role.
    generation : GenerationDesign or None
        For a suite of prompts whose continuations are scored: it has no protocols of its own, each
        text scorer gives one.
    language : str
        What its texts are written in; nothing is compared between languages.
    """

    card: SuiteCard
    protocols: tuple[Protocol, ...]
    load: Callable[[DataFinder], SuiteData]
    estimate: Callable[[pd.DataFrame, int], list[Estimate]]
    default: bool = True
    per_token: bool = False
    generation: GenerationDesign | None = None
    language: str = ENGLISH

    @property
    def name(self) -> str:
        """The word used in files and on the command line."""
        return self.card.name

    def estimated(self, table: pd.DataFrame, seed: int) -> list[Estimate]:
        """Return all estimates of a score table, in the suite's language."""
        found = self.estimate(table, seed)
        if self.language == ENGLISH:
            return found
        return [one.model_copy(update={"language": self.language}) for one in found]

    def protocols_for(self, kind: ModelKind) -> tuple[Protocol, ...]:
        """Protocols that a model of this kind can answer."""
        return tuple(protocol for protocol in self.protocols if protocol.model_kind == kind)
