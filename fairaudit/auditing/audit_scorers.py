"""Which text scorers an audit has, and what is left out without the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fairaudit.results import Source
from fairaudit.suites import DataFinder, DataUnavailableError, GenerationDesign, Suite

if TYPE_CHECKING:
    from fairaudit.auditing.audit_options import ScorerOptions
    from fairaudit.scoring.texts.base import NotAvailable, TextScorer


@dataclass(frozen=True, slots=True)
class Scorers:
    """Text scorers by name: those at hand, those that are not, and the files behind them."""

    found: Mapping[str, TextScorer]
    missing: Mapping[str, NotAvailable]
    sources: Mapping[str, Source]

    def of(self, suite: Suite) -> tuple[TextScorer, ...]:
        """Scorers of a suite that are at hand."""
        return tuple(self.found[name] for name in _design(suite).scorers if name in self.found)

    def sources_of(self, suite: Suite) -> tuple[Source, ...]:
        """Files behind a suite's scorers."""
        return tuple(self.sources[name] for name in _design(suite).scorers if name in self.sources)

    def refusal(self, suite: Suite) -> str | None:
        """Why a suite cannot be scored at all, or None if it can."""
        needed = _design(suite).required or _design(suite).scorers
        if any(name in self.found for name in needed):
            return None
        return "; ".join(self.missing[name].reason for name in needed)

    def notes(self, suites: Iterable[Suite]) -> list[str]:
        """Say which scorers were left out of which suites, and why."""
        names: dict[str, list[str]] = {}
        for suite in suites:
            for name in _design(suite).scorers:
                if name in self.missing:
                    names.setdefault(name, []).append(suite.name)
        return [
            f"{', '.join(left_out)}: not scored by '{name}' (NOT_RUN): {self.missing[name].reason}"
            for name, left_out in names.items()
        ]


def make_scorers(
    suites: Iterable[Suite], finder: DataFinder, options: ScorerOptions, device: str
) -> Scorers:
    """Make every scorer that suites of prompts name, each once.

    Raises
    ------
    ModelError
        If a classifier that was named cannot be loaded.
    DataError
        If a lexicon has other content than the pinned one.
    """
    from fairaudit.scoring.texts.base import NotAvailable
    from fairaudit.scoring.texts.registry import text_scorers

    designs = [_design(suite) for suite in suites]
    names = list(dict.fromkeys(name for design in designs for name in design.scorers))
    contents, sources = _lexicons(designs, finder)
    made = text_scorers(
        names,
        hurtlex=contents.get("hurtlex"),
        toxicity=options.toxicity_classifier,
        regard=options.regard_classifier,
        device=device,
        vectors=options.word_vectors,
    )
    found: dict[str, TextScorer] = {}
    missing: dict[str, NotAvailable] = {}
    for name, scorer in zip(names, made, strict=True):
        if isinstance(scorer, NotAvailable):
            missing[name] = scorer
        else:
            found[name] = scorer
    return Scorers(found, missing, sources)


def _lexicons(
    designs: Iterable[GenerationDesign], finder: DataFinder
) -> tuple[dict[str, bytes], dict[str, Source]]:
    """Contents and sources of the lexicons that can be had, by the scorer's name."""
    contents: dict[str, bytes] = {}
    sources: dict[str, Source] = {}
    pinned = {name: file for design in designs for name, file in design.lexicons.items()}
    for name, file in pinned.items():
        try:
            contents[name], sources[name] = finder.read(file)
        except DataUnavailableError:
            # The scorer then says itself that it lacks its lexicon.
            continue
    return contents, sources


def _design(suite: Suite) -> GenerationDesign:
    assert suite.generation is not None
    return suite.generation
