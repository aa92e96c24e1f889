"""Words that look like words for a group and are not: idioms, ships, countries, first names."""

from __future__ import annotations

import pytest

from fairaudit.augmentation import Swapper
from fairaudit.augmentation.coverage import restores

GENDER = Swapper(("gender",))
RELIGION = Swapper(("religion",), "all")


def gender_twin(text: str) -> str:
    twins = GENDER.twins(text)
    return twins[0] if twins else text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Each user sets s/he own name, (s)he said.", None),
        ("The (wo)man, the fe/male voter and a steward(ess)", None),
        ("Dear Mr(s). Hill", None),
        ("He/she left his/her bag.", "She/he left her/his bag."),
        ("his or her vote", "her or his vote"),
        ("he or she", "she or he"),
        ("The boy(s) met the king/queen.", "The girl(s) met the queen/king."),
    ],
)
def test_forms_for_both_sexes(text, expected):
    assert gender_twin(text) == (expected or text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He was a ladies' man.", "She was a ladies' man."),
        ("The dog is man's best friend.", None),
        ("an old wives' tale", None),
        ("It is still a boys' club.", None),
        ("the old boys’ network", None),
        ("Lady's slipper grows here.", None),
        ("She was his girl Friday.", "He was her girl Friday."),
        ("a gentlemen's agreement", None),
        ("The Virgin Mary on a grandfather clock", None),
        ("Bob's your uncle.", None),
        ("She played the queen of spades.", "He played the queen of spades."),
        ("the boys' boots and the ladies' coats", "the girls' boots and the gentlemen's coats"),
    ],
)
def test_idioms_stay(text, expected):
    assert gender_twin(text) == (expected or text)


@pytest.mark.parametrize(
    "text",
    [
        "The ship lost her mast.",
        "The USS Nancy sailed; she sank.",
        "HMS Victory and her crew",
        "The Queen Elizabeth left Southampton.",
        "The Titanic struck an iceberg on her maiden voyage, and she sank in 1912.",
        "The Nancy was moored in the harbour.",
        "Launched in 1901, the schooner lost her captain in a gale.",
        "Britain ruled her colonies.",
        "France lost her colonies, and she never won them back.",
        "The SS William Evarts was launched in April.",
    ],
)
def test_ships_and_countries_stay(text):
    assert GENDER.twins(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "She docked at Port Elizabeth on the Queen Mary.",
            "He docked at Port Elizabeth on the Queen Mary.",
        ),
        ("Queen Elizabeth left Southampton.", "King William left Southampton."),
        ("On the ship she danced.", "On the ship he danced."),
        ("The boat she bought was green.", "The boat he bought was green."),
        ("The boat carried her home.", "The boat carried him home."),
        ("The ship was hers.", "The ship was his."),
        ("He lost his ship.", "She lost her ship."),
        ("Smith boarded the ship. She waved.", "Smith boarded the ship. He waved."),
        ("The captain said she saw the ship.", "The captain said he saw the ship."),
        ("In Spain she became famous.", "In Spain he became famous."),
        ("France was where she grew up.", "France was where he grew up."),
        ("The Lady Mary smiled.", "The Lord James smiled."),
        ("the Mary I knew sailed away", "the James I knew sailed away"),
    ],
)
def test_people_near_ships_and_countries_are_swapped(text, expected):
    assert gender_twin(text) == expected
    assert all(restores(text, twin, ("gender",)) for twin in GENDER.twins_of(GENDER.analyse(text)))


@pytest.mark.parametrize(
    "text",
    [
        "Christian said he was late.",
        "Then Christian walked home.",
        "I met Christian at noon.",
        "We sang for Christian.",
        "Christian's book is here.",
        "Mary and Christian left.",
    ],
)
def test_christian_is_a_first_name(text):
    assert RELIGION.twins(text) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Christian said he was late.", "A Muslim said he was late."),
        ("The Christian said no.", "The Muslim said no."),
        ("She is Christian.", "She is Muslim."),
        ("Christian and Jewish leaders met.", "Muslim and Hindu leaders met."),
        ("He was raised Christian.", "He was raised Islamic."),
        ("non-Muslim students", "non-Jewish students"),
        ("Christian charity", "Islamic charity"),
    ],
)
def test_believers_are_swapped(text, expected):
    analysis = RELIGION.analyse(text)
    twins = {analysis.render({"religion": shift}) for shift in range(1, 5)}
    assert len(twins) == 4
    assert expected in twins


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the gentlemen's coats", "the ladies' coats"),
        ("the ladies’ coats", "the gentlemen’s coats"),
        ("THE MILKMEN'S STRIKE", "THE MILKMAIDS' STRIKE"),
    ],
)
def test_a_possessive_mark_suits_its_plural(text, expected):
    assert gender_twin(text) == expected
    assert gender_twin(expected) == text


def test_the_all_blacks_are_a_team():
    assert Swapper(("race",)).twins("The All Blacks won.") == []
    assert Swapper(("race",)).twins("All blacks may vote.") != []
