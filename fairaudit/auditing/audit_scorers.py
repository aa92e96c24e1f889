"""Which text scorers an audit has, and what is left out without the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from fairaudit.results import Source
from fairaudit.suites import DataFinder, DataUnavailableError, GenerationDesign, Suite
from fairaudit.suites.languages import ENGLISH
from fairaudit.vocabulary.suites import title_of

if TYPE_CHECKING:
    from fairaudit.auditing.audit_options import ScorerOptions
    from fairaudit.scoring.texts.base import NotAvailable, TextScorer

#: Scorer that counts refusals, and scorers that read which of several answers a text gives.
REFUSALS: Final = "refusals"
_CHOICES: Final = frozenset({"choices", "people"})


@dataclass(frozen=True, slots=True)
class Scorers:
    """Text scorers by name: those at hand, those that are not, and the files behind them."""

    found: Mapping[str, TextScorer]
    missing: Mapping[str, NotAvailable]
    sources: Mapping[str, Source]

    def of(self, suite: Suite) -> tuple[TextScorer, ...]:
        """Scorers of a suite that are at hand; of a chat model's texts also that of refusals."""
        own = _design(suite).scorers
        beside = (REFUSALS,) if counts_refusals(suite) else ()
        return tuple(self.found[name] for name in (*own, *beside) if name in self.found)

    def of_choices(self, suite: Suite) -> TextScorer | None:
        """Return what counts refusals where a suite asks for one of several answers."""
        wanted = suite.language == ENGLISH and not counts_refusals(suite)
        return self.found.get(REFUSALS) if wanted else None

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
            f"{_titles(left_out)}: not scored by '{name}': {self.missing[name].reason}"
            for name, left_out in names.items()
        ]


def _titles(suites: Iterable[str]) -> str:
    return ", ".join(title_of(one) or one for one in suites)


def counts_refusals(suite: Suite) -> bool:
    """Whether refusals can stand in a suite's own table.

    The rule for refusals knows English alone, and where one of several answers is asked for, the
    table holds choices and nothing else.
    """
    return suite.language == ENGLISH and _CHOICES.isdisjoint(_design(suite).scorers)


def make_scorers(
    suites: Iterable[Suite],
    finder: DataFinder,
    options: ScorerOptions,
    device: str,
    *,
    refusals: bool = False,
) -> Scorers:
    """Make every scorer that suites of prompts name, each once, and with ``refusals`` theirs.

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
    names += [REFUSALS] * (refusals and bool(designs))
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
