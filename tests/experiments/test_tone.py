"""The tone of the known world: what it implies, a reader that knows it, and the judge of it."""

from __future__ import annotations

import json
import math
from collections import Counter

import pytest

from fairaudit.auditing.score_tables import score_table, text_rows
from fairaudit.errors import FairauditError, UsageError
from fairaudit.experiments import tone_judge as tone
from fairaudit.experiments.asked_suites import questions
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.experimenting import experiment
from fairaudit.experiments.world import (
    AXES,
    Mixture,
    implied,
    implied_tone,
    load_words,
    prompts,
    sentences,
)
from fairaudit.items import Completions, Continuation
from fairaudit.metrics.texts import text_estimates
from fairaudit.scoring.texts.classifier import toxicity_classifier
from fairaudit.suites.base import PROMPT
from fairaudit.suites.custom import load_suite
from tests.experiments.ideal_reader import IdealReader

MIXTURES = {
    "alike": Mixture(people=0.2),
    "apart": Mixture(people=0.3, harsh=0.1, tone=1.5, mu=0.5),
    "per axis": Mixture(people=0.1, harsh=0.4, tone={"gender": 0.8, "race": -0.6}),
}
ONE_TEXT = Completions((" ...",), (1,), (True,))


def harshness(reader: IdealReader, prompt: str) -> float:
    """Probability that a sentence that begins with ``prompt`` ends harshly."""
    begun = reader.log_prefix(prompt)
    return sum(math.exp(reader.log_probability(prompt + e) - begun) for e in load_words().harsh)


@pytest.mark.parametrize("name", MIXTURES)
def test_an_ideal_reader_gets_exactly_the_implied_tone(name):
    """Through the metrics that also score what models write."""
    mixture = MIXTURES[name]
    reader = IdealReader(mixture)
    rows = [
        row
        for item in prompts()
        for row in text_rows(
            item, "world_prompts/judge@1", ("toxic",), ONE_TEXT,
            [{"toxic": harshness(reader, item.texts[PROMPT])}],
        )
    ]  # fmt: skip
    found = {(e.axis, e.group, e.name): e.value for e in text_estimates(score_table(rows), 0)}
    for axis in AXES:
        expected = implied_tone(mixture, axis)
        for group, value in expected.toxicity_mean.items():
            assert found[axis, group, "toxicity_mean"] == pytest.approx(value, abs=1e-12)
        difference = found[axis, None, "toxicity_difference"]
        assert difference == pytest.approx(expected.toxicity_difference, abs=1e-12)
        ratio = found[axis, None, "toxicity_ratio"]
        assert ratio == pytest.approx(expected.toxicity_ratio, rel=1e-9)


def test_what_is_drawn_has_the_implied_tone():
    """Shares among 30,000 sentences lie within 5 standard errors."""
    mixture, words = MIXTURES["apart"], load_words()
    drawn = sentences(mixture, 30_000, seed=2)
    about = Counter(
        (text.startswith(f"{opening} a woman"), text.endswith(words.harsh))
        for text in drawn
        for opening in words.openings
        if text.startswith((f"{opening} a woman", f"{opening} a man"))
    )
    for group, is_second in (("male", False), ("female", True)):
        n = about[is_second, True] + about[is_second, False]
        p = implied_tone(mixture, "gender").toxicity_mean[group]
        assert abs(about[is_second, True] / n - p) < 5 * math.sqrt(p * (1 - p) / n)


def test_sentences_about_persons_leave_the_pairs_alone():
    """The log-odds of a pair are those of a text without persons."""
    with_persons = MIXTURES["apart"]
    reader = IdealReader(with_persons)
    assert reader.log_prefix("") == pytest.approx(0.0, abs=1e-12)
    assert implied(with_persons, "race") == implied(Mixture(mu=0.5), "race")
    first, second = (
        reader.log_probability(f"On Monday the nurse was in a hurry, and {who} went home.")
        for who in ("she", "he")
    )
    nurse = [concept.text for concept in load_words().axes["gender"].concepts].index("nurse")
    theta = with_persons.log_odds("gender")[nurse]
    assert abs(first - second) == pytest.approx(abs(theta))


def test_no_person_begins_with_another():
    """Then what follows a prompt is an ending, and nothing else."""
    persons = [
        text for axis in AXES for term in load_words().axes[axis].persons for text in term.texts
    ]
    assert len(set(persons)) == len(persons)
    for one in persons:
        assert not any(other.startswith(one) for other in persons if other != one), one


@pytest.mark.parametrize(
    "options", [{"people": 0.95}, {"people": -0.1}, {"harsh": 0.0}, {"harsh": 1.0}]
)
def test_an_impossible_tone_is_refused(options):
    with pytest.raises(UsageError):
        Mixture(**options)


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    return tone.train_judge(tmp_path_factory.mktemp("tone") / "judge")


def test_the_judge_knows_every_ending_and_loads_as_any_classifier(judge):
    scorer = toxicity_classifier(judge)
    item = next(prompts())
    known = list(tone.texts(load_words()))
    found = scorer.score([Continuation(item, item.texts[PROMPT], text) for text, _ in known])
    for (text, harsh), score in zip(known, found, strict=True):
        assert (score["toxic"] > 0.9) == harsh, text
        assert (score["gentle"] > 0.9) != harsh, text


def test_an_unsure_judge_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(tone, "_STEPS", 1)
    with pytest.raises(FairauditError, match="the judge of tone is unsure of"):
        tone.train_judge(tmp_path / "judge")
    assert not (tmp_path / "judge").exists()


def plan(**text) -> ExperimentPlan:
    world = {"sentences": 120, "mu": 1.0, **text}
    return ExperimentPlan.model_validate(
        {
            "name": "tiny",
            "seeds": 1,
            "arms": ["plain"],
            "base": {"layers": 1, "width": 16, "steps": 3, "text": {"sentences": 300}},
            "text": {"world": world, "held_out_sentences": 50},
            "audit": {"quick": True},
            "train": {"steps": 2, "batch_size": 30, "max_length": 32, "learning_rate": 1e-3},
        }
    )


@pytest.mark.long
def test_prompts_are_asked_where_the_text_speaks_of_persons(tmp_path):
    without = questions(plan(), tmp_path / "without")
    assert without.toxicity_classifier is None
    assert [path.name for path in (tmp_path / "without").iterdir()] == ["world.jsonl"]
    asked = questions(plan(people=0.2), tmp_path / "with")
    assert [path.rsplit("/", 1)[-1] for path in asked.suites] == [
        "world.jsonl", "world_prompts.jsonl"
    ]  # fmt: skip
    suite = load_suite(tmp_path / "with" / "world_prompts.jsonl")
    assert [item.texts for item in suite.load(None).items] == [one.texts for one in prompts()]
    # A second call takes what is there.
    before = (tmp_path / "with" / "judge" / "model.safetensors").stat().st_mtime_ns
    assert questions(plan(people=0.2), tmp_path / "with") == asked
    assert (tmp_path / "with" / "judge" / "model.safetensors").stat().st_mtime_ns == before


@pytest.mark.long
def test_an_experiment_says_how_harshly_its_arms_write(tmp_path):
    """From text to table: levels by group beside what the text implies."""
    result = experiment(plan(people=0.2, tone=1.0), output=tmp_path / "out")
    expected = implied_tone(Mixture(people=0.2, tone=1.0), "gender")
    found = {
        (level.group, level.name): level
        for level in result.levels
        if (level.arm, level.axis) == ("plain", "gender") and level.name.startswith("toxicity")
    }
    for group, value in expected.toxicity_mean.items():
        level = found[group, "toxicity_mean"]
        assert 0 <= level.value <= 1
        assert level.implied == pytest.approx(value)
    difference = found[None, "toxicity_difference"]
    assert difference.implied == pytest.approx(expected.toxicity_difference)
    assert difference.value == pytest.approx(
        found["female", "toxicity_mean"].value - found["male", "toxicity_mean"].value
    )
    assert any("toxic in the known world" in note for note in result.notes)
    written = (tmp_path / "out" / "arms/plain/seed-0/audit/texts/world_prompts.jsonl").read_text()
    assert json.loads(written.splitlines()[0])["prompt"]
    assert "Mean toxicity by group" in (tmp_path / "out" / "report.html").read_text()
