"""Twins read as they should, go back to their record, and depend on nothing else."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fairaudit.augmentation import MAX_VARIANTS, Swapper
from fairaudit.augmentation.analysis import analyse
from fairaudit.augmentation.casing import recase
from fairaudit.augmentation.coverage import restores
from fairaudit.augmentation.lexicon import all_readings
from fairaudit.errors import UsageError
from tests.augmentation.corpora import bold_sentences, wikitext_lines

GENDER = Swapper()


def twin(text: str, *axes: str, shifts="choice", seed=0) -> str:
    """The only twin of a text."""
    (only,) = Swapper(axes or ("gender",), shifts, seed).twins(text)
    return only


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # pronouns
        ("She saw her brother.", "He saw his sister."),
        ("He thanked her.", "She thanked him."),
        ("The book is his.", "The book is hers."),
        ("The book is hers, not his.", "The book is his, not hers."),
        ("She hurt herself.", "He hurt himself."),
        ("his or her vote", "her or his vote"),
        ("He told her that her dog bit him.", "She told him that his dog bit her."),
        # clitics, straight and curly
        ("she's late and he'd know", "he's late and she'd know"),
        ("She’ll call; he’s out.", "He’ll call; she’s out."),
        ("the king's horse", "the queen's horse"),
        ("the boys' boots", "the girls' boots"),
        ("the actress' role", "the actor's role"),
        ("Yes, ma'am.", "Yes, sir."),
        # case and punctuation
        ("HE IS HER SON.", "SHE IS HIS DAUGHTER."),
        ("She\tand  the\n*boys*", "He\tand  the\n*girls*"),
        ("sHE", "hE"),
        ("The Best Man kissed the First Lady.", "The Maid of Honor kissed the First Gentleman."),
        ("MY LORD", "MY LADY"),
        ("my Lord Foxham", "my Lady Foxham"),
        # hyphens
        ("her ex-wife and mother-in-law", "his ex-husband and father-in-law"),
        ("a great-grandmother", "a great-grandfather"),
        ("two step-sons", "two step-daughters"),
        # plural, possessive and irregular forms
        ("policewomen and firemen", "policemen and firewomen"),
        ("the heroes' wives", "the heroines' husbands"),
        # titles
        ("Mr. Brown met Mrs Gray.", "Mrs. Brown met Mr Gray."),
        ("Sir James and Lady Mary", "Dame Mary and Lord James"),
        ("Miss Marple is out; Miss Brown is in.", "Miss Marple is out; Mister Brown is in."),
        ("Queen Mary had a nephew.", "King James had a niece."),
        # a or an
        ("An uncle is a king.", "An aunt is a queen."),
        ("He is an heir of a duke.", "She is an heir of a duchess."),
        ("an emperor, AN EARL", "an empress, A COUNTESS"),
        # old feminine forms go one way
        ("an authoress and an author", "an author and an author"),
    ],
)  # fmt: skip
def test_gender(text, expected):
    assert twin(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "King Kong climbed the tower.",
        "I read Little Women twice.",
        "We sailed to the Virgin Islands.",
        "the Isle of Man",
        "a bachelor's degree in chemistry",
        "the Beach Boys and the Spice Girls",
        "Spider-Man, X-Men and Wonder Woman",
        "They played in the Women's World Cup.",
        "a man-made lake",
        "They miss Brown.",
        "Oh God, the Chicago Bulls lost.",
        "Count the votes.",
        "LeBron James and Senator Thomas met in St. Louis.",
        "They live on George Street near Henry Park.",
        "I hope you will mark the frank answer.",
        "human, manager, shepherd, Germany",
        "",
        "  \n",
    ],
)
def test_what_is_left_alone(text):
    assert GENDER.twins(text) == []


def test_protected_phrases_begin_with_a_capital_where_they_are_names():
    assert GENDER.twins("Black Widow, Little Women") == []
    assert twin("the little women") == "the little men"


def test_names_are_consistent_within_a_record():
    text = "Mary met John. John liked Mary, and Mary's dog liked John."
    assert twin(text) == "James met Patricia. Patricia liked James, and James's dog liked Patricia."
    assert twin(twin(text)) == text


def test_a_name_used_as_a_surname_is_a_surname_in_the_whole_record():
    text = "William James wrote novels. James never married."
    assert twin(text) == "Elizabeth James wrote novels. James never married."
    assert twin("Mary Elizabeth Smith") == "James William Smith"
    assert twin("Mr. James and Dr. Thomas") == "Mrs. James and Dr. Thomas"
    assert twin("Grace Kelly, by the grace of God") == "Victor Kelly, by the grace of God"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the white shirt of a white man", "the white shirt of an Asian man"),
        ("Black holes, black voters", "Black holes, Hispanic voters"),
        ("Blacks and whites vote.", "Hispanics and blacks vote."),
        ("Asian voters eat Asian food.", "White voters eat European food."),
        ("an African-American poet", "a Hispanic-American poet"),
        ("AFRICA", "LATIN AMERICA"),
    ],
)
def test_race_goes_to_another_group(text, expected):
    found = {twin for seed in range(30) for twin in Swapper(("race",), seed=seed).twins(text)}
    assert expected in found
    assert len(found) == 3
    assert found == set(Swapper(("race",), "all").twins(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A Christian went to church.", "A Jew went to synagogue."),
        ("A Christian family read the Bible.", "A Jewish family read the Torah."),
        ("Islam and Islamic art", "Hinduism and Hindu art"),
        ("He is Muslim; a Muslim spoke to Muslims.", "He is Hindu; a Hindu spoke to Hindus."),
        ("An imam met a priest.", "A pujari met a rabbi."),
        ("Rabbi Levi celebrates Passover.", "Lama Levi celebrates Losar."),
    ],
)
def test_religion_goes_to_another_group(text, expected):
    found = {twin for seed in range(60) for twin in Swapper(("religion",), seed=seed).twins(text)}
    assert expected in found
    assert len(found) == 4


def test_religion_leaves_names_alone():
    left = "Christian Bale and Moses Malone in Christ Church and St Andrew's Church"
    assert Swapper(("religion",)).twins(left) == []


def lexicon_word(entry):
    return entry.spelling


WORDS = st.sampled_from(
    [e.spelling for e in all_readings("gender") if e.rule in {"always", "common", "kin"}
     and e.sense not in {"feminine_forms", "feminine_address", "masculine_forms"}]
)  # fmt: skip
NEUTRAL = st.sampled_from(["tree", "runs", "the", "a", "an", "and", "of", "7", "green", "to"])
GAPS = st.sampled_from([" ", ", ", ". ", "\n", "; ", " - "])
CASES = st.sampled_from([str.lower, str.upper, str.capitalize])


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.one_of(WORDS, NEUTRAL), GAPS, CASES), min_size=1, max_size=12))
def test_tagged_sequences_go_back_exactly(parts):
    """On (word, class) sequences: shifting every word and back gives every word."""
    text = "".join(case(word) + gap for word, gap, case in parts)
    for hit in analyse(text, ("gender",)).hits:
        surface = text[hit.start : hit.end]
        reading = hit.reading
        there = recase(surface, reading.spelling, reading.shifted(1))
        back = recase(there, reading.shifted(1), reading.spelling)
        assert back == surface


SAFE = st.sampled_from(
    ["she", "he", "himself", "herself", "man", "women", "king", "queen", "mother", "fathers",
     "actress", "policeman", "sons", "niece", "boy", "girls", "widow", "masculine", "cow"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.one_of(SAFE, NEUTRAL), GAPS), min_size=1, max_size=12), CASES)
def test_unambiguous_text_round_trips(parts, case):
    text = case("".join(word + gap for word, gap in parts))
    for twin in GENDER.twins_of(GENDER.analyse(text)):
        assert restores(text, twin, ("gender",)), twin


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_any_text_is_kept_outside_the_words_swapped(text):
    analysis = GENDER.analyse(text)
    assert analysis.render({}) == text
    assert all(twin != text for twin in GENDER.twins(text))


@settings(deadline=None)
@given(
    st.sampled_from(["man", "gentleman", "she"]),
    st.sampled_from(["woman", "lady", "he"]),
    st.data(),
)
def test_mixed_case_goes_letter_by_letter(source, target, data):
    flags = data.draw(st.lists(st.booleans(), min_size=len(source), max_size=len(source)))
    surface = "".join(c.upper() if f else c for c, f in zip(source, flags, strict=True))
    there = recase(surface, source, target)
    assert there.lower() == target
    shared = min(len(source), len(target))
    assert [c.isupper() for c in there[:shared]] == flags[:shared] or surface.isupper()
    if len(source) <= len(target):
        assert recase(there, target, source) == surface


def test_at_least_99_percent_of_bold_records_round_trip():
    texts = bold_sentences()[::4]
    swapper = Swapper(("gender", "race", "religion"))
    lost = sum(
        any(not restores(text, twin, swapper.axes) for twin in swapper.twins_of(analysis))
        for text in texts
        for analysis in (swapper.analyse(text),)
    )
    assert len(texts) > 5000
    assert lost / len(texts) <= 0.01


def test_at_least_99_percent_of_wikitext_records_round_trip():
    texts = wikitext_lines()
    lost = sum(
        any(not restores(text, twin, ("gender",)) for twin in GENDER.twins_of(analysis))
        for text in texts
        for analysis in (GENDER.analyse(text),)
    )
    assert lost / len(texts) <= 0.01


def test_a_twin_depends_on_its_record_and_the_seed_alone():
    texts = [f"A Muslim woman of {n} met a black man." for n in range(40)]
    swapper = Swapper(("religion", "race", "gender"), seed=3)
    forward = {text: swapper.twins(text) for text in texts}
    again = Swapper(("religion", "race", "gender"), seed=3)
    assert {text: again.twins(text) for text in reversed(texts)} == forward
    other = Swapper(("religion", "race", "gender"), seed=4)
    assert any(other.twins(text) != forward[text] for text in texts)


def test_the_choice_of_a_group_does_not_depend_on_the_other_axes():
    text = "A Muslim woman"
    alone = twin(text, "religion")
    assert alone in Swapper(("gender", "religion")).twins(text)


def test_at_most_four_variants():
    text = "The Muslim woman met a black man."
    for shifts in ("choice", "all"):
        for axes in [("gender",), ("gender", "race"), ("gender", "race", "religion"), ("race",)]:
            twins = Swapper(axes, shifts).twins(text)
            assert len(twins) < MAX_VARIANTS
            assert len(set(twins) | {text}) == len(twins) + 1


def test_three_axes_swap_each_in_two_of_four_variants():
    swapper = Swapper(("gender", "race", "religion"))
    twins = swapper.twins_of(swapper.analyse("The Muslim woman met a black man."))
    assert len(twins) == 3
    for axis in swapper.axes:
        assert sum(bool(twin.shifts[axis]) for twin in twins) == 2


def test_all_shifts_give_every_other_group_once():
    text = "a Hispanic voter"
    assert sorted(Swapper(("race",), "all").twins(text)) == [
        "a black voter",
        "a white voter",
        "an Asian voter",
    ]


def test_a_word_of_two_axes_belongs_to_the_first():
    assert twin("a Latina singer", "gender", "race") == "a Latino singer"
    assert twin("a Latina singer", "race", "gender").split()[1] in {"black", "white", "Asian"}


def test_choices_are_spread_over_the_groups():
    swapper = Swapper(("race",))
    drawn = [swapper.twins(f"{n} white voters")[0].split()[1] for n in range(600)]
    for group in ("black", "Asian", "Hispanic"):
        # 200 expected, standard deviation 11.5
        assert abs(drawn.count(group) - 200) < 60


def test_substitution_is_a_fair_coin_of_the_record():
    texts = [f"She has {n} sons." for n in range(1000)]
    swapped = [GENDER.substitute(text) != text for text in texts]
    # standard deviation 16
    assert abs(sum(swapped) - 500) < 80
    assert [GENDER.substitute(text) != text for text in texts] == swapped
    assert GENDER.substitute("No word here.") == "No word here."


def test_variants_by_mode():
    assert GENDER.variants("a son", "two-sided") == ["a son", "a daughter"]
    assert GENDER.variants("a son", "one-sided") == ["a daughter"]
    assert GENDER.variants("a sun", "one-sided") == ["a sun"]
    assert GENDER.variants("a son", "substitution") in (["a son"], ["a daughter"])


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"axes": ("age",)}, "axis 'age' has no lexicon; use gender, race, religion"),
        ({"axes": ()}, "name at least one axis"),
        ({"axes": ("race", "race")}, "named twice"),
        ({"shifts": "some"}, "use choice or all"),
        ({"seed": -1}, "is negative"),
    ],
)
def test_settings_that_make_no_sense(settings_, message):
    with pytest.raises(UsageError, match=message):
        Swapper(**settings_)


def test_an_unknown_mode():
    with pytest.raises(UsageError, match="mode 'both' is unknown"):
        GENDER.variants("a son", "both")


def test_a_swapper_can_be_pickled_and_compared():
    again = pickle.loads(pickle.dumps(Swapper(["race"], "all", 7)))
    assert again == Swapper(("race",), "all", 7)
    assert hash(again) == hash(Swapper(("race",), "all", 7))
