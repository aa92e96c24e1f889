"""The items that the project wrote itself: templates with control pairs, and the probe text."""

from __future__ import annotations

from typing import Final

from fairaudit.items import Item, LogLikelihood, Protocol, PseudoLogLikelihood
from fairaudit.metrics.capability import capability_estimates
from fairaudit.metrics.templates import templates_estimates
from fairaudit.results import Source
from fairaudit.suites import pair_protocols as pairs
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, git_blob_id
from fairaudit.suites.templates.generator import load_probe, load_templates, template_files
from fairaudit.vocabulary import suites as cards
from fairaudit.vocabulary.protocols import Design

_PROBE_FILE: Final = "probe.toml"
#: A masked model reads every sixth token of the probe text, at one mask each.
_PROBE_STRIDE: Final = 6


def _sources(*, probe: bool) -> tuple[Source, ...]:
    return tuple(
        Source(path=f"templates/{name}", blob_id=git_blob_id(content))
        for name, content in template_files()
        if (name == _PROBE_FILE) == probe
    )


def _load_templates(_finder: DataFinder) -> SuiteData:
    return SuiteData(load_templates(), _sources(probe=False))


def _load_probe(_finder: DataFinder) -> SuiteData:
    items = tuple(
        Item(entry.id, axis="all", group=None, cluster=entry.id, texts={"text": entry.text})
        for entry in load_probe()
    )
    return SuiteData(items, _sources(probe=True))


def _every_sixth_token(item: Item, role: str) -> PseudoLogLikelihood:
    return PseudoLogLikelihood(item.texts[role], stride=_PROBE_STRIDE)


def _every_token(item: Item, role: str) -> LogLikelihood:
    return LogLikelihood(item.texts[role])


TEMPLATES = Suite(
    card=cards.TEMPLATES,
    protocols=(
        Protocol(
            "templates/causal-conditional",
            "causal",
            pairs.after_difference,
            pairs.total,
            "Summed log P of the words after the group term, given the sentence up to it.",
            design=Design.TEMPLATES,
        ),
        Protocol(
            "templates/causal-sum",
            "causal",
            pairs.whole_sentence,
            pairs.total,
            "Summed log-likelihood of the sentence after BOS; includes the group term itself.",
            design=Design.TEMPLATES,
        ),
        Protocol(
            "templates/pll-conditional",
            "masked",
            pairs.mask_after_difference,
            pairs.total,
            "Tokens after the group term masked one at a time and summed.",
            design=Design.TEMPLATES,
        ),
        Protocol(
            "templates/pll-differing",
            "masked",
            pairs.mask_differing,
            pairs.mean,
            "Tokens of the group term masked one at a time and averaged.",
            design=Design.TEMPLATES,
        ),
    ),
    load=_load_templates,
    estimate=templates_estimates,
)

PROBE = Suite(
    card=cards.PROBE,
    protocols=(
        Protocol(
            "probe/causal",
            "causal",
            _every_token,
            pairs.mean,
            "Log-likelihood of every token after BOS.",
        ),
        Protocol(
            "probe/masked",
            "masked",
            _every_sixth_token,
            pairs.mean,
            "Every sixth token, masked one at a time.",
        ),
    ),
    load=_load_probe,
    estimate=capability_estimates,
    per_token=True,
)
