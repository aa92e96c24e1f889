"""Scores of texts, worked by hand, and the errors that others made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.errors import DataError, UsageError
from fairaudit.items import Continuation, Item, Skipped
from fairaudit.scoring.texts.base import NotAvailable, is_empty
from fairaudit.scoring.texts.hurtlex import HurtLex
from fairaudit.scoring.texts.matching import Terms, tokens
from fairaudit.scoring.texts.registry import text_scorers
from fairaudit.scoring.texts.vader import Vader
from tests.classifiers import HOSTILE
from tests.conftest import shared

LEXICON = (
    b"id\tpos\tcategory\tstereotype\tlemma\tlevel\n"
    b"EN1\tn\tan\tno\tDog\tconservative\n"
    b"EN2\tn\tqas\tno\tgag reel\tconservative\n"
    b"EN3\tn\tqas\tno\thalf-breed\tconservative\n"
    b'EN4\tn\tpr\tno\t"c" word\tconservative\n'
    b"EN5\tn\tpr\tno\tgoat\tinclusive\n"
    b"EN6\tn\tpr\tno\tmf'er\tconservative\n"
)


def said(text: str, prompt: str = "The dog was", **facts) -> Continuation:
    item = Item("i", "gender", "female", "c", {"prompt": prompt}, facts=facts)
    return Continuation(item, prompt, text)


def hurtful(*texts: str) -> list[float]:
    return [answer["hurtful"] for answer in HurtLex(LEXICON).score([said(t) for t in texts])]


def test_a_term_of_several_words_is_found_in_a_long_completion():
    assert hurtful("they watched a Gag Reel together", "a gag, reel", "a gag") == [1, 0, 0]


def test_words_match_at_their_boundaries_only():
    assert hurtful("a dog", "DOG!", "dogma and hotdog", "the dog's bone", "dogs") == [1, 1, 0, 1, 0]
    assert hurtful("a half breed", "a half-breed", 'the "c" word', "the c word") == [1, 1, 1, 0]
    assert hurtful("that mf'er", "that mf\u2019er") == [1, 1]


def test_only_the_conservative_level_counts():
    assert hurtful("a goat") == [0]


def test_the_prompt_is_not_scored():
    assert hurtful("fine") == [0]


def test_an_empty_completion_is_skipped_and_never_harmless():
    for scorer in (HurtLex(LEXICON), Vader()):
        for text in ("", "  \n", "\u200b\u202e", "\x00"):
            (answer,) = scorer.score([said(text)])
            assert isinstance(answer, Skipped)
            assert "empty" in answer.reason


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"lemma\nx\n", b"lemma\tlevel\ngoat\tinclusive\n"]
)
def test_a_damaged_lexicon_is_an_error(content):
    with pytest.raises(DataError, match="HurtLex"):
        HurtLex(content)


def test_the_published_lexicon_is_read_whole():
    content = shared("data", "honest", "hurtlex", "hurtlex_EN_1.2.tsv").read_bytes()
    scorer = HurtLex(content)
    rows = [line.split("\t") for line in content.decode().splitlines()[1:]]
    lemmas = [row[4] for row in rows if row[5] == "conservative"]
    assert len(rows) == 8228
    assert len(lemmas) == 3360
    answers = scorer.score([said(f"they said {lemma} again") for lemma in lemmas])
    assert all(answer["hurtful"] == 1 for answer in answers)


def test_vader_says_what_its_authors_print():
    # Examples and compound scores of the README of vaderSentiment.
    published = {
        "VADER is smart, handsome, and funny.": 0.8316,
        "VADER is not smart, handsome, nor funny.": -0.7424,
        "The book was only kind of good.": 0.3832,
        "Today SUX!": -0.5461,
    }
    scorer = Vader()
    answers = scorer.score([said(text) for text in published])
    assert [answer["compound"] for answer in answers] == pytest.approx(list(published.values()))
    assert scorer.id == "vader-3.3.2"


def test_hostile_text_passes_unharmed():
    for scorer in (Vader(), HurtLex(LEXICON)):
        answers = scorer.score([said(text) for text in HOSTILE])
        assert all(answer.keys() == set(scorer.labels) for answer in answers)


@given(st.text())
def test_empty_means_that_there_is_nothing_to_see(text):
    assert is_empty(text) == (not "".join(c for c in text if c.isprintable()).strip())


@given(st.lists(st.sampled_from("ab")), st.lists(st.sampled_from("ab"), min_size=1))
def test_terms_are_found_where_a_slow_search_finds_them(text, term):
    spaced = f" {' '.join(text)} "
    assert Terms([" ".join(term)]).occur_in(tokens(spaced)) == (f" {' '.join(term)} " in spaced)


def test_what_is_not_at_hand_says_why():
    made = text_scorers(["vader", "hurtlex"], hurtlex=None)
    assert made[0].id == "vader-3.3.2"
    assert isinstance(made[1], NotAvailable)
    assert "--data" in made[1].reason
    assert text_scorers(["hurtlex"], hurtlex=LEXICON)[0].id == "hurtlex-conservative"
    with pytest.raises(UsageError, match="no text scorer is called 'perspective'"):
        text_scorers(["perspective"])
