"""Each fact about a metric stands once, and reaches every view (issue 19)."""

from __future__ import annotations

import ast
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fairaudit.vocabulary.metrics as vocabulary
from fairaudit.gating.gate_checks import range_of
from fairaudit.metrics.crows_pairs import crows_pairs_estimates
from fairaudit.report.experiment import numbers
from fairaudit.report.names import metric_of, short_label
from fairaudit.suites import SUITES
from fairaudit.vocabulary.cautions import CAUTIONS
from fairaudit.vocabulary.influences import Influence, influence_of
from fairaudit.vocabulary.metrics import METRICS, Metric
from fairaudit.vocabulary.protocols import VARIANTS, Design
from fairaudit.vocabulary.units import Unit
from tests.comparing.audits import pair_table
from tests.report import audits
from tests.report.comparisons import comparison

PACKAGE = Path(__file__).resolve().parents[1] / "fairaudit"
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "vocabulary" not in path.parts)
#: What is a key of a file or a column's head, and happens to be the name of a metric.
NOT_THE_METRIC = {
    "experiments/arms.py": {"perplexity"},
    "experiments/grid.py": {"perplexity"},
    "experiments/matching.py": {"perplexity"},
    "report/experiment/terminal.py": {"perplexity"},
}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_name_of_a_metric_stands_outside_the_vocabulary(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    named = {text for text in strings if isinstance(text, str) and text in METRICS}
    assert named == NOT_THE_METRIC.get(path.relative_to(PACKAGE).as_posix(), set())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_name_of_a_caution_stands_outside_the_vocabulary(path):
    """So none ships without words."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    strings = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert not strings & CAUTIONS.keys()


@pytest.mark.parametrize("caution", CAUTIONS.values(), ids=lambda caution: caution.name)
def test_every_caution_has_its_words_and_is_used(caution):
    assert caution.label
    assert caution.meaning.endswith(".")
    # Of `contaminated` only the word is there: no audit looks at the training text yet.
    used = any(f"{caution.name.upper()}.name" in path.read_text() for path in SOURCES)
    assert used or caution.name == "contaminated"


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_every_metric_has_its_words_and_facts_that_fit(metric):
    assert metric.label
    assert metric.meaning.endswith((".", "!"))
    low, high = metric.range
    for value in (metric.ideal, metric.chance):
        assert value is None or low is None or low <= value
        assert value is None or high is None or value <= high
    assert metric.margin is None or metric.margin > 0
    assert not metric.is_rate or metric.range == (0.0, 1.0)
    of_shares = metric.unit in (Unit.PERCENT, Unit.SIGNED_PERCENT)
    assert not metric.is_rate or of_shares
    assert metric.name == next(
        name.lower() for name, one in vars(vocabulary).items() if one is metric
    )


def test_the_vocabulary_needs_nothing_else():
    code = (
        "import sys; before = set(sys.modules); import fairaudit.vocabulary.metrics\n"
        "print(sorted(name for name in set(sys.modules) - before if name.partition('.')[0]"
        " not in {*sys.stdlib_module_names, 'fairaudit'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_a_new_metric_is_whole(monkeypatch):
    """Added in one place, it was shown as 42.0 % in an audit and as 0.42 in a comparison."""
    made = Metric(
        "new_share", "New share", "bias", Unit.PERCENT, "A share. Ideal 0.", is_rate=True,
        ideal=0.0, range=(0.0, 1.0), direction=1, margin=0.05, short="New",
    )  # fmt: skip
    monkeypatch.setitem(METRICS, made.name, made)
    estimate = audits.whole_audit().estimates[0].model_copy(update={"name": made.name})
    entry = comparison().model_copy(update={"name": made.name, "n_discordant": None})
    assert metric_of(estimate) is metric_of(entry) is numbers.metric_named(made.name) is made
    assert short_label(made.name) == "New"
    assert range_of(entry) == made.range


PROTOCOLS = [protocol for suite in SUITES for protocol in suite.protocols]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.id)
def test_every_protocol_of_a_suite_has_its_words(protocol):
    """And what verdicts rest on is what the vocabulary says, in suite and estimate alike."""
    if protocol.design is None:
        return
    variant = VARIANTS[protocol.id.partition("/")[2]]
    assert protocol.primary == (protocol.design in variant.primary_in)


def test_every_design_has_a_primary_variant_for_either_kind_of_model():
    for design in get_args(Design):
        kinds = {
            protocol.model_kind
            for protocol in PROTOCOLS
            if protocol.design == design and protocol.primary
        }
        # No benchmark of ours is of plain pairs; a masked model answers no questions.
        expected = {"choices": {"causal"}, "pairs": set()}.get(design, {"causal", "masked"})
        assert kinds == expected


def test_a_variant_that_is_made_primary_is_so_everywhere(monkeypatch):
    """A protocol that no list in the metrics named was never primary, whatever the suite said."""
    made = replace(VARIANTS["causal-mean"], primary_in=frozenset({"crows_pairs"}))
    monkeypatch.setitem(VARIANTS, made.name, made)
    (protocol,) = (one for one in PROTOCOLS if one.id == "crows_pairs/causal-mean")
    assert protocol.primary
    table = pair_table([1.0, -1.0] * 20).assign(
        protocol="crows_pairs/causal-mean", direction="stereo"
    )
    found = {one.name: one.primary for one in crows_pairs_estimates(table, 0) if one.axis != "all"}
    assert found["stereotype_preference_rate"]


@given(st.text("abcdefgh_", min_size=1), st.booleans())
def test_an_influence_is_read_back_from_its_name(axis, clipped):
    if not axis.startswith("clipped_"):
        assert influence_of(Influence(axis, clipped).name) == Influence(axis, clipped)
    assert influence_of(axis) is None
