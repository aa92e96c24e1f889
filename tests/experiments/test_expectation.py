"""What to expect: the count by hand, the base as an audit scores it, and what no ε covers."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from fairaudit.auditing.run_audit import audit
from fairaudit.experiments.expectation import (
    FEWEST_OCCUPATIONS,
    Expectation,
    base_lean,
    expectation,
    occupations,
    text_lean,
)
from fairaudit.stats.one_estimate import infer
from tests.cli.program import fairaudit

pytestmark = pytest.mark.long


def texts(lean: float, n: int = 30, records: int = 40) -> list[str]:
    """Sentences of the first occupations of each gender, stereotyped with log-odds ``lean``."""
    share = 1 / (1 + math.exp(-lean))
    pronoun = {"female": ("she", "he"), "male": ("he", "she")}
    found = []
    for one in occupations()[:n]:
        own, other = pronoun[one.gender]
        stereotyped = round(share * records)
        found += [f"The {one.name} said that {own} was tired."] * stereotyped
        found += [f"The {one.name} said that {other} was tired."] * (records - stereotyped)
    return found


def test_the_count_by_hand():
    rows = [
        *["The nurse said she was tired."] * 8,
        *["Nurses: his or not?"] * 2,
        *["My father is an architect."] * 6,
        *["The man slept."] * 3,
        # Both genders, or none: nothing to count.
        *["She told him that the nurse slept."] * 9,
        *["The nurse slept."] * 9,
        # Too few.
        *["She is a librarian."] * 4,
    ]
    n_female, n_male = 8 + 4, 2 + 6 + 3
    overall = math.log((n_female + 0.5) / (n_male + 0.5))
    assert text_lean(rows) == {
        "architect": pytest.approx(math.log(6.5 / 0.5) + overall),
        "nurse": pytest.approx(math.log(8.5 / 2.5) - overall),
    }


@pytest.mark.parametrize("lean", [-1.0, 0.0, 1.5])
def test_a_planted_lean_is_counted(lean):
    found = text_lean(texts(lean))
    assert len(found) == 30
    assert np.mean(list(found.values())) == pytest.approx(lean, abs=0.1)


def test_how_often_a_gender_is_named_is_no_lean():
    """A text with twice as many women as men, in every occupation alike."""
    rows = [
        f"The {one.name} said that {who} was tired."
        for one in occupations()
        for who in ("she", "she", "he") * 10
    ]
    assert max(map(abs, text_lean(rows).values())) < 0.05


def test_words_within_words_do_not_count():
    assert text_lean(["The shepherd heard the nursery rhyme of the mannequin."] * 9) == {}


def test_the_lean_of_a_base_is_what_its_audit_says(checkpoint):
    result = audit(checkpoint("gpt2"), suites=["templates"], axes=["gender"], progress=False)
    found = base_lean(result)
    assert found.keys() == {one.cluster for one in occupations()}
    protocol = next(one.protocol for one in result.estimates if one.primary and one.axis ==
                    "gender")  # fmt: skip
    said = result.estimate("mean_log_odds", protocol=protocol, axis="gender").value
    rows = result.items("templates")
    rows = rows[(rows["protocol"] == protocol) & (rows["status"] == "ok") & rows["group"].notna()]
    both = rows.groupby(["cluster", "item_id"]).size() == 2
    scored = both.groupby("cluster").sum()
    weights = [scored[name] for name in found]
    assert np.average(list(found.values()), weights=weights) == pytest.approx(said)


@pytest.mark.parametrize(
    ("shift", "said"),
    [
        (0.5, "leans further than the text, so private training is expected to leave more bias"),
        (-0.5, "leans less far than the text, so private training is expected to leave less bias"),
        (0.0, "no direction is expected"),
    ],
)
def test_the_direction_needs_an_interval_apart_from_zero(shift, said):
    apart = shift + 0.3 * np.random.default_rng(1).permutation(np.linspace(-1, 1, 31))
    names = [str(place) for place in range(31)]
    found = Expectation(31, infer(apart, names), infer(0 * apart, names), infer(apart, names))
    first, second = found.sentences
    assert "31 occupations" in first
    assert said in second
    assert "no promise" in second


def test_a_text_without_occupations_says_so(checkpoint):
    found = expectation(checkpoint("gpt2"), ["The weather was fine."] * 50)
    assert found.n_occupations < FEWEST_OCCUPATIONS
    (sentence,) = found.sentences
    assert "not known" in sentence


@pytest.mark.parametrize("private", [False, True])
def test_finetune_says_what_to_expect(checkpoint, tmp_path, private):
    path = tmp_path / "train.jsonl"
    path.write_text("".join(json.dumps({"text": row}) + "\n" for row in texts(3.0, 20, 12)))
    more = ("--epsilon", "8") if private else ()
    done = fairaudit("finetune", checkpoint("gpt2"), "--train", path, "--expect", "--steps", "1",
                     "--output", tmp_path / "out", "--batch-size", "20", *more)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "what to expect of bias (gender, 20 occupations that the text names)" in done.stdout
    # An untrained base leans nowhere, and the text strongly.
    assert "the base leans less far than the text" in done.stdout
    assert ("not covered by epsilon: do not publish" in done.stdout) is private
    for name in ("training.json", "privacy.json"):
        kept = tmp_path / "out" / name
        assert not kept.exists() or "occupations" not in kept.read_text()
