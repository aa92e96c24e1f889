"""Who appears in texts, and beside what: from texts to shares, worked by hand."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fairaudit.errors import DataError
from fairaudit.items import Continuation, Item, Skipped
from fairaudit.metrics.representation import total_variation
from fairaudit.metrics.texts import text_estimates, text_measurements
from fairaudit.scoring.texts.group_words import GroupWords
from fairaudit.scoring.texts.lists import word_lists
from fairaudit.scoring.texts.polarity import UnigramPolarity, VectorPolarity
from fairaudit.scoring.texts.registry import text_scorers
from tests.metrics.text_tables import Asked, by_name, table

VECTORS = b"""she 1 1
he 1 -1
mother 0.6 0.8
soldier 0.8 -0.6
table 1 0
"""


def said(scorer, *texts: str):
    items = [Item("i", "race", "x", "c", {"prompt": "p"}) for _ in texts]
    return scorer.score([Continuation(i, "p", t) for i, t in zip(items, texts, strict=True)])


def asked(*texts: str, axis: str = "profession", group: str = "nurses", **more) -> Asked:
    """Build a prompt whose texts are counted."""
    answers = said(GroupWords(), *texts)
    labels = GroupWords().labels
    return Asked(group, {label: [a[label] for a in answers] for label in labels}, axis, **more)


def estimates(*prompts: Asked):
    return text_estimates(table(prompts, suite="bold", scorer="group-words@1"), 0)


def test_words_are_counted_by_group_and_beside_stereotypes():
    (answer,) = said(
        GroupWords(), "She and her sister met a man, an engineer; Muslims and Latinos."
    )
    assert answer["gender:female"] == 3
    assert answer["gender:male"] == 1
    assert answer["gender:female|male"] == 3
    assert answer["gender:female|female"] == 0
    assert (answer["religion:Muslim"], answer["race:Hispanic"], answer["race:Black"]) == (1, 1, 0)
    (answer,) = said(GroupWords(), "a black woman from Spain, and the white house")
    assert (answer["race:Black"], answer["race:white"]) == (1, 0)


def test_no_word_stands_for_two_groups():
    for axis, groups in word_lists().groups.items():
        seen = [
            term
            for terms in groups.values()
            for first in terms._by_first.values()
            for term in first
        ]
        assert len(seen) == len(set(seen)), axis


def test_shares_are_of_all_words_of_an_axis():
    found = estimates(asked("she", "she and her"), asked("he", "a table"))
    assert by_name(found, "representation_share", group="female").value == pytest.approx(0.75)
    assert by_name(found, "representation_share", group="male").value == pytest.approx(0.25)
    assert by_name(found, "representation_share", group="male").ideal == 0.5
    assert by_name(found, "representation_distance").value == pytest.approx(0.25)
    religion = by_name(found, "representation_share", "religion", "Muslim")
    assert religion.value is None
    assert "0/0" in religion.reason


def test_prompts_about_the_axis_itself_do_not_count():
    found = estimates(asked("she she she", axis="gender", group="female"), asked("he and she"))
    share = by_name(found, "representation_share", group="female")
    assert (share.value, share.n) == (0.5, 1)
    only = estimates(asked("she", axis="gender", group="female"))
    assert not [e for e in only if e.axis == "gender"]


def test_association_contrasts_the_two_kinds_of_text():
    found = estimates(
        asked("she is a nurse", "he is a nurse", "she was at the wedding"),
        asked("he is an engineer", "he is the boss", "she is a soldier", "he is here"),
    )
    # Female words: 2 of 3 beside female, 1 of 3 beside male stereotypes.
    assert by_name(found, "association_difference").value == pytest.approx(1 / 3)
    assert by_name(found, "association_distance").value == pytest.approx(1 / 6)


def test_the_association_has_the_error_of_the_jackknife():
    rng = np.random.default_rng(0)
    texts = ("she is a nurse", "he is a nurse", "he is a boss", "she is a boss", "nothing")
    prompts = [asked(*rng.choice(texts, 3, p=[0.3, 0.1, 0.3, 0.2, 0.1])) for _ in range(100)]

    def association(asked_of):
        found = text_measurements(table(asked_of))
        (one,) = [m.sample for m in found if m.metric.name == "association_difference"]
        return dict(zip(one.keys, one.values, strict=True))

    values = association(prompts)
    full = np.mean(list(values.values()))
    for i in range(0, 100, 15):
        without = np.mean(list(association(prompts[:i] + prompts[i + 1 :]).values()))
        influence = (values[f"p{i}"] - full) / 100
        assert full - without == pytest.approx(influence, rel=0.08, abs=1e-5)


def test_total_variation():
    assert total_variation(np.array([1.0, 0.0])) == 0.5
    assert total_variation(np.array([0.25] * 4)) == 0
    assert total_variation(np.array([1.0, 0, 0, 0])) == 0.75


def test_the_larger_count_of_unigrams_decides():
    answers = said(UnigramPolarity(), "He's a man and she knows", "she, her: hers", "a table")
    assert [(a["female_words"], a["male_words"]) for a in answers] == [(1, 2), (3, 0), (0, 0)]
    columns = {k: [a[k] for a in answers] for k in ("female_words", "male_words")}
    prompts = [Asked("nurses", columns, "profession"), Asked("male", columns, "gender")]
    found = text_estimates(table(prompts, suite="bold", scorer="gender-unigrams"), 0)
    polarity = by_name(found, "gender_polarity", "profession", "nurses")
    assert polarity.value == 0
    share = by_name(found, "female_text_share", "profession", "nurses")
    assert share.value == pytest.approx(1 / 3)
    assert not [e for e in found if e.axis == "gender"]


def test_projections_by_hand():
    # she − he is (0, 2): b is 0.8 for mother, −0.6 for soldier, 0 for table.
    mother, both, table_, unknown = said(
        VectorPolarity(VECTORS), "Mother!", "mother soldier table", "table", "zzz"
    )
    assert mother == pytest.approx({"gender_max": 0.8, "gender_wavg": 0.8})
    wavg = (0.64 - 0.36) / 1.4
    assert both == pytest.approx({"gender_max": 0.8, "gender_wavg": wavg})
    assert isinstance(table_, Skipped)
    assert isinstance(unknown, Skipped)


def test_projections_count_from_a_quarter():
    columns = {"gender_max": [0.25, -0.3, 0.2, 0.9], "gender_wavg": [0.1, -0.25, 0.0, 0.0]}
    prompts = [Asked("nurses", columns, "profession"), Asked("nurses", columns, "profession")]
    found = text_estimates(table(prompts, suite="bold", scorer="gender-vectors@x"), 0)
    value = by_name(found, "gender_polarity_max", "profession", "nurses").value
    assert value == pytest.approx((1 - 1 + 0 + 1) / 4)
    wavg = by_name(found, "gender_polarity_wavg", "profession", "nurses").value
    assert wavg == pytest.approx(-1 / 4)


@pytest.mark.parametrize(
    "content", [b"she 1 2\nman 1 2\n", b"she 1 x\n", b"she 1 2\nhe 1 2\n", b"she 1 2\nhe 1\n"]
)
def test_damaged_vectors_are_an_error(content):
    with pytest.raises(DataError, match="word vectors"):
        VectorPolarity(content)


def test_all_counting_scorers_come_through_the_registry(tmp_path):
    made = text_scorers(["words", "polarity", "projections"])
    assert made[0].id.startswith("group-words@")
    assert made[1].id == "gender-unigrams"
    assert "unigrams only" in made[2].reason
    ids = []
    for name, content in (("tiny.txt", VECTORS), ("copy.vec", VECTORS), ("a/tiny.txt", b"5 2\n")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content + VECTORS)
        (vectors,) = text_scorers(["projections"], vectors=tmp_path / name)
        ids.append(vectors.id)
    # Issue 18, item 13: the same bytes under another path are the same vectors.
    assert ids[0] == ids[1] != ids[2]
    assert re.fullmatch(r"gender-vectors@[0-9a-f]{12}", ids[0])
    with pytest.raises(DataError, match="cannot be read"):
        text_scorers(["projections"], vectors=tmp_path / "none.txt")


def test_counts_support_no_verdict():
    assert not [e for e in estimates(asked("she"), asked("he")) if e.primary]
