"""Each fact about a metric stands once, and reaches every view (issue 19)."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Collection
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import create_model

import fairaudit.vocabulary.metrics as vocabulary
from fairaudit.gating.gate_checks import range_of
from fairaudit.metrics.crows_pairs import crows_pairs_estimates
from fairaudit.report.experiment import numbers
from fairaudit.report.names import metric_of
from fairaudit.suites import PROBE, SUITES
from fairaudit.vocabulary.arms import ArmKind, read_arm
from fairaudit.vocabulary.cautions import CAUTIONS
from fairaudit.vocabulary.claims import STATEMENTS, Finding
from fairaudit.vocabulary.decisions import GateDecision
from fairaudit.vocabulary.influences import Influence, influence_of
from fairaudit.vocabulary.metrics import METRICS, Metric
from fairaudit.vocabulary.protocols import VARIANTS
from fairaudit.vocabulary.reasons import NotRun, not_run_of
from fairaudit.vocabulary.suites import CARDS, FRAMEWORKS, NOT_STATED, RESERVED
from fairaudit.vocabulary.units import Unit
from fairaudit.vocabulary.verdicts import Verdict
from tests.comparing.audits import pair_table
from tests.report import audits
from tests.report.comparisons import comparison

PACKAGE = Path(__file__).resolve().parents[1] / "fairaudit"
TEMPLATES = sorted((PACKAGE / "report" / "templates").rglob("*.j2"))
SOURCES = sorted(path for path in PACKAGE.rglob("*.py") if "vocabulary" not in path.parts)
#: What is a key of a file or a column's head, and happens to be the name of a metric.
NOT_THE_METRIC = {
    "experiments/train_arm.py": {"perplexity"},
    "experiments/grid.py": {"perplexity"},
    "experiments/matching.py": {"perplexity"},
}
#: Spelt like the id of a suite: kinds of text scorers, a word with a silent h, keys of files.
NOT_THE_SUITE = {
    "auditing/kept_audits.py": {"toxicity", "regard"},
    "suites/bold.py": {"toxicity", "regard"},
    "suites/custom.py": {"toxicity", "regard"},
    "suites/regard.py": {"regard"},
    "suites/toxicity.py": {"toxicity"},
    "scoring/texts/registry.py": {"toxicity", "regard"},
    "scoring/texts/classifier.py": {"toxicity"},
    "report/provenance.py": {"toxicity", "regard"},
    "augmentation/articles.py": {"honest"},
    "diagnostics/probes.py": {"templates"},
    "report/documents/arm_tables.py": {"toxicity"},
    "report/page.py": {"templates"},
}


@cache
def sources() -> dict[str, str]:
    """Text of each module outside the vocabulary."""
    return {path.relative_to(PACKAGE).as_posix(): path.read_text("utf-8") for path in SOURCES}


@cache
def words_of_sources() -> frozenset[str]:
    return frozenset(word for text in sources().values() for word in re.findall(r"\w+", text))


def is_used(name: str) -> bool:
    """Whether a name of the vocabulary stands as a whole in a module outside it."""
    if re.fullmatch(r"\w+", name):
        return name in words_of_sources()
    return any(re.search(rf"\b{re.escape(name)}\b", text) for text in sources().values())


@cache
def strings() -> dict[str, set[str]]:
    """What stands in quotes, by module."""
    return {
        place: {
            node.value
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        for place, text in sources().items()
    }


def named(names: Collection[str]) -> dict[str, set[str]]:
    """Which of some names stand in quotes, by module; those where none does are left out."""
    found = {place: texts.intersection(names) for place, texts in strings().items()}
    return {place: some for place, some in found.items() if some}


def test_no_name_of_a_metric_stands_outside_the_vocabulary():
    assert named(METRICS.keys()) == NOT_THE_METRIC


def test_no_name_of_a_caution_stands_outside_the_vocabulary():
    """So none ships without words."""
    assert named(CAUTIONS.keys()) == {}


@pytest.mark.parametrize("caution", CAUTIONS.values(), ids=lambda caution: caution.name)
def test_every_caution_has_its_words_and_is_used(caution):
    assert caution.label
    assert caution.meaning.endswith(".")
    # Of `contaminated` only the word is there: no audit looks at the training text yet.
    assert is_used(caution.name.upper()) or caution.name == "contaminated"


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
    assert not metric.is_rate or metric.unit is Unit.PERCENT
    assert metric.name == next(
        name.lower() for name, one in vars(vocabulary).items() if one is metric
    )


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_what_rates_differ_by_is_in_points(metric):
    """A difference of two rates was written as ``+5.0 %``, which reads as relative."""
    assert not (metric.unit.signed and "%" in metric.unit.suffix)
    differs = metric.range[0] == -1 or metric.over_groups is not None or "distance" in metric.name
    if metric.unit.in_hundredths:
        assert (metric.unit.suffix == " points") is differs


def test_the_vocabulary_needs_nothing_else():
    folder = PACKAGE / "vocabulary"
    modules = [f"fairaudit.vocabulary.{path.stem}" for path in folder.glob("*.py")]
    code = (
        "import sys; before = set(sys.modules)\n"
        f"import {', '.join(modules)}\n"
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
    assert range_of(entry) == made.range


def test_no_id_of_a_suite_stands_outside_the_vocabulary():
    found = named(CARDS.keys() | RESERVED.keys())
    # Views and the command line set words in bold.
    for place, some in found.items():
        if place.startswith(("report/", "cli/")):
            some.discard("bold")
    assert {place: some for place, some in found.items() if some} == NOT_THE_SUITE


@pytest.mark.parametrize("suite", [*SUITES, PROBE], ids=lambda suite: suite.name)
def test_every_suite_has_its_words(suite):
    card = suite.card
    assert CARDS[card.name] is card
    assert card.title
    assert card.asks.endswith("?")
    assert NOT_STATED not in (card.citation, card.license)
    assert set(card.evidence) <= FRAMEWORKS.keys()
    assert all(caveat.endswith(".") for caveat in card.caveats)


def test_every_card_is_that_of_a_suite():
    assert {suite.name for suite in (*SUITES, PROBE)} == CARDS.keys()
    assert {tag for card in CARDS.values() for tag in card.evidence} == FRAMEWORKS.keys()
    assert not CARDS.keys() & RESERVED.keys()


#: Names whose strings files hold.
ENUMS = (Verdict, Finding, GateDecision)
NAMES = frozenset(one.value for enum in ENUMS for one in enum) | STATEMENTS.keys()


def test_no_verdict_finding_decision_or_claim_stands_outside_the_vocabulary():
    assert named(NAMES) == {}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_template_decides_by_a_name(path):
    compared = set(re.findall(r"[!=]= *[\"'](\w+)[\"']", path.read_text(encoding="utf-8")))
    assert not compared & (NAMES | CARDS.keys() | METRICS.keys() | CAUTIONS.keys() | set(ArmKind))


#: An option of the fine-tuner, a folder, and a key of the known world's words.
NOT_THE_ARM = {
    "experiments/train_arm.py": {"cda"},
    "experiments/experiment_plan.py": {"base"},
    "experiments/worlds.py": {"base"},
    "experiments/world.py": {"plain"},
}


def test_no_kind_of_arm_stands_outside_the_vocabulary():
    """In the rooms of experiments: elsewhere these are words of everyday."""
    found = named({kind.value for kind in ArmKind})
    assert {place: some for place, some in found.items() if "experiment" in place} == NOT_THE_ARM


@pytest.mark.parametrize("one", [*Verdict, *Finding], ids=str)
def test_every_verdict_and_finding_has_its_words_and_is_used(one):
    word = one.word
    assert word.label == one.value.replace("_", " ")
    assert len(word.mark) == 1
    assert word.meaning.endswith(".")
    assert word.limit.endswith(".")
    assert is_used(f"{type(one).__name__}.{one.name}")


@pytest.mark.parametrize("enum", ENUMS)
def test_what_files_hold_reads_as_before(enum):
    """A name is the string that files hold: written and read back, compared and printed as such."""
    model = create_model("Holder", value=(enum, ...))
    for one in enum:
        held = model(value=one.value)
        assert held.value is one
        assert held.model_dump_json() == f'{{"value":"{one.value}"}}'
        assert f"{one}" == str(one) == one.value


def test_marks_of_verdicts_differ():
    assert len({one.word.mark for one in Verdict}) == len(Verdict)
    assert len({one.word.mark for one in Finding}) == len(Finding)


@pytest.mark.parametrize("claim", STATEMENTS.values(), ids=lambda claim: claim.name)
def test_every_claim_has_its_words_and_is_used(claim):
    assert all((claim.label, claim.says, claim.effect))
    # Why it was not judged: for want of an arm, or of a difference to explain.
    assert claim.needs or claim.without
    assert "{arm}" in claim.forth
    assert "{reference}" in claim.back
    assert claim.presupposes is None or (claim.presupposes in STATEMENTS and claim.without)
    assert is_used(claim.name.upper())


def test_decisions_stand_from_worst_to_best():
    assert [one.rank for one in GateDecision] == [0, 1, 2, 3]
    assert [one.exit_code for one in GateDecision] == [1, 3, 3, 0]
    assert all(is_used(one.name) for one in GateDecision)
    assert [one for one in GateDecision if one.junit is None] == [GateDecision.PASS]


@pytest.mark.parametrize("kind", ArmKind)
def test_the_name_of_an_arm_is_read_back(kind):
    name = f"{kind}_2.5" if kind.has_epsilon else kind.value
    found = read_arm(name)
    assert (found.id, found.kind) == (name, kind)
    assert found.epsilon == (2.5 if kind.has_epsilon else None)
    assert "{}" not in found.name + found.meaning
    assert read_arm(kind.value if kind.has_epsilon else f"{kind}_3") is None
    assert read_arm(found.beside(ArmKind.DP) if kind.has_epsilon else "dp_1").kind is ArmKind.DP
    assert all((kind.label, kind.meaning))


PROTOCOLS = [protocol for suite in SUITES for protocol in suite.protocols]


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=lambda protocol: protocol.id)
def test_every_protocol_of_a_suite_has_its_words(protocol):
    """And what verdicts rest on is what the vocabulary says, in suite and estimate alike."""
    if protocol.design is None:
        return
    variant = VARIANTS[protocol.id.partition("/")[2]]
    assert protocol.primary == (protocol.design in variant.primary_in)


@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_verdicts_rest_on_a_protocol_for_each_kind_of_model_that_a_suite_asks(suite):
    designed = [protocol for protocol in suite.protocols if protocol.design is not None]
    primary = {protocol.model_kind for protocol in designed if protocol.primary}
    assert primary == {protocol.model_kind for protocol in designed}


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


@given(st.text(min_size=1))
def test_a_reason_of_what_was_not_run_is_read_back(why):
    assert not_run_of(NotRun(why).reason) == NotRun(why)
    assert not_run_of(None) is None
    assert not_run_of("below resolution") is None


def test_a_largest_change_stands_for_a_difference():
    for metric in METRICS.values():
        assert (metric.stands_for is not None) == (metric.over_groups == "change")
        assert metric.stands_for is None or METRICS[metric.stands_for].over_groups is None


@pytest.mark.parametrize("unit", Unit)
def test_differences_show_their_sign(unit):
    assert unit.difference.signed
    assert unit.difference.in_hundredths == unit.in_hundredths


def test_every_card_has_its_suite_and_one_design():
    assert [suite.name for suite in SUITES] == [name for name in CARDS if name != PROBE.name]
    for suite in SUITES:
        designs = {one.design for one in suite.protocols}
        assert designs <= {suite.card.design}, suite.name
