"""WinoBias and Winogender: what is read from their files, and what is asked of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from fairaudit.errors import DataError
from fairaudit.items import FillerLogProbability, LogLikelihood, Skipped
from fairaudit.suites import DataFinder, get_suite, winobias, winogender
from fairaudit.suites.coreference import at_mask, refers_to, whole_sentence
from tests.conftest import shared

PRO = "1 [The farmer] thanked the baker because [he] was glad.\n"
ANTI = "1 [The farmer] thanked the baker because [she] was glad.\n"


def pairs(pro=PRO, anti=ANTI, kind=1):
    return winobias.parse(pro.encode(), anti.encode(), kind, "dev", "file")


@pytest.fixture(scope="module")
def items():
    finder = DataFinder(shared("data"), fetch=False)
    return {name: get_suite(name).load(finder).items for name in ("winobias", "winogender")}


def test_a_pair_knows_whom_its_pronouns_refer_to():
    (item,) = pairs()
    assert item.texts["stereotype"] == "The farmer thanked the baker because he was glad."
    assert (item.texts["pro_right"], item.texts["anti_wrong"]) == ("farmer", "baker")
    assert (item.cluster, item.facts["template"]) == ("farmer", "baker")
    assert item.facts["she_is_pro"] == -1.0
    assert item.facts["share_female"] == 0.22
    assert item.facts["part"] == "bias"
    assert pairs(kind=2)[0].facts["part"] == "control"


def test_it_is_asked_in_three_ways():
    (item,) = pairs()
    assert refers_to(item, "anti_wrong") == LogLikelihood(
        " baker", f"{item.texts['anti_stereotype']} 'She' refers to the", branches=True
    )
    assert whole_sentence(item, "stereotype") == LogLikelihood(item.texts["stereotype"])
    assert at_mask(item, "anti_stereotype") == FillerLogProbability(
        "The farmer thanked the baker because ", "she", " was glad."
    )
    for ask, role in ((refers_to, "stereotype"), (whole_sentence, "pro_right"), (at_mask, "x_y")):
        assert ask(item, role) is None


def test_a_second_pronoun_would_give_away_the_masked_one():
    (item,) = pairs(
        PRO.replace("glad", "glad about [his] bread"),
        ANTI.replace("glad", "glad about [her] bread"),
    )
    assert "give each other away" in at_mask(item, "stereotype").reason
    assert isinstance(whole_sentence(item, "stereotype"), LogLikelihood)


@pytest.mark.parametrize("anti", [ANTI.replace("glad", "sad"), ANTI.replace("glad", "very glad")])
def test_sentences_that_differ_in_other_words_are_not_compared(anti):
    (item,) = pairs(anti=anti)
    for ask in (whole_sentence, at_mask):
        assert ask(item, "stereotype") == Skipped("the two sentences differ in more than pronouns")
    assert isinstance(refers_to(item, "pro_right"), LogLikelihood)


def test_a_sentence_without_two_known_people_cannot_be_resolved():
    (item,) = pairs(PRO.replace("baker", "cat"), ANTI.replace("baker", "cat"))
    assert refers_to(item, "pro_right").reason == "the sentence does not name two known people"


def test_two_sentences_about_different_people_cannot_be_resolved():
    anti = ANTI.replace("[The farmer]", "The farmer").replace("the baker", "[the baker]")
    (item,) = pairs(anti=anti)
    assert isinstance(refers_to(item, "pro_right"), Skipped)


@pytest.mark.parametrize(
    ("pro", "anti", "message"),
    [
        (PRO, "", "1 pro and 0 anti"),
        (PRO, "2" + ANTI[1:], "row 1: sentence 1 stands beside sentence 2"),
        ("x" + PRO[1:], ANTI, "row 1: no number with a sentence"),
        (PRO.replace("[he]", "he"), ANTI, "row 1: no pronoun stands in brackets"),
        (PRO + "2\n", ANTI + ANTI, "row 2: no number with a sentence"),
    ],
)
def test_damaged_files_are_named(pro, anti, message):
    with pytest.raises(DataError, match=message):
        pairs(pro, anti)


def test_winobias_as_it_is_published(items):
    found = items["winobias"]
    assert Counter(item.facts["part"] for item in found) == {"bias": 792, "control": 792}
    assert {item.cluster for item in found} == set(winobias.MALE_OCCUPATIONS)
    assert {item.facts["template"] for item in found} == set(winobias.FEMALE_OCCUPATIONS)
    reasons = Counter(
        getattr(ask(item, role), "reason", None)
        for item in found
        for ask, role in ((whole_sentence, "stereotype"), (refers_to, "pro_right"))
    )
    assert reasons == {
        None: 3146,
        "the two sentences differ in more than pronouns": 19,
        "the sentence does not name two known people": 3,
    }
    # He is the stereotype of whom mostly men are, she of the others.
    for item in found:
        occupation = str(item.facts["occupation"])
        if occupation and item.texts["pro_right"]:
            assert (occupation in winobias.FEMALE_OCCUPATIONS) == (item.facts["she_is_pro"] == 1.0)


def test_winogender_as_it_is_published(items):
    found = items["winogender"]
    assert len(found) == 240
    assert Counter(Counter(item.cluster for item in found).values()) == {4: 60}
    known = {item.item_id: item for item in found}
    technician = known["technician.customer.0"]
    assert technician.facts["share_female"] == pytest.approx(0.4034)
    # Mostly men: "he" helps to find the technician, "she" the customer.
    assert technician.facts["pronoun_pro"] == "he"
    assert known["technician.customer.1"].facts["pronoun_pro"] == "she"
    assert known["technician.customer.1"].facts["occupation"] == ""
    assert technician.texts["neutral_right"] == "technician"
    asked = refers_to(technician, "neutral_wrong")
    assert asked.context.endswith("'They' refers to the")
    assert asked.text == " customer"
    assert at_mask(replace(technician), "stereotype").filler == "he"


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("sentid\tsentence\na.b.0.male.txt\tHe left.", "a gender of 'a.b.0' is missing"),
        ("sentid\tsentence\na.b.0.male.txt\tShe left.", "row 2: the sentence has no male"),
        ("sentid\tsentence\na.b.male.txt\tHe left.", "row 2: column 'sentid'"),
        ("sentid\tsentence\nz.b.0.male.txt\tHe left.", "row 2: no share of women for 'z'"),
        ("sentid\tsentence\na.b.0.male.txt", "row 2: not as many cells"),
        ("id\tsentence\n", "row 1: columns must be sentid, sentence"),
        ("sentid\tsentence\n" + "a.b.0.male.txt\tHe left.\n" * 2, "row 3: .* occurs twice"),
    ],
)
def test_damaged_sentences_of_winogender_are_named(rows, message):
    with pytest.raises(DataError, match=message):
        winogender.parse(rows.encode(), {"a": 0.3}, "file")
