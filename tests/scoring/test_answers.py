"""Which of several answers a text gives."""

from __future__ import annotations

import pytest

from fairaudit.scoring.texts.answers import answer_of

ANSWERS = ("The grandfather", "The grandson", "Can't be determined")


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("The grandfather", 0),
        ("the grandson.", 1),
        ("grandson", 1),
        ("\n  Can’t be determined\nbecause nothing is said", 2),
        ("Answer: The grandfather", 0),
        ("The answer is the grandson.", 1),
        ("The grandfather and the grandson", None),
        ("The grandfathers", None),
        ("I would say the grandfather", None),
        ("", None),
        ("unknown", None),
    ],
)
def test_an_answer_is_taken_by_its_words(text, index):
    assert answer_of(text, ANSWERS) == index


@pytest.mark.parametrize(
    ("text", "index"),
    [
        ("A", 0), ("(b)", 1), ("C.", 2), ("b) The grandson", 1), ("C: can't be determined.", 2),
        ("Answer: B", 1), ("The correct answer is (A).", 0), ("B - grandson", 1),
        ("B) The grandfather", None), ("A or B", None), ("D", None), ("AB", None),
        ("A man", None),
    ],
)  # fmt: skip
def test_a_letter_counts_where_letters_were_offered(text, index):
    assert answer_of(text, ANSWERS, letters=True) == index
    if len(text.strip("().")) == 1:
        assert answer_of(text, ANSWERS) is None


def test_no_pronoun_is_taken_for_an_article():
    """A filter that strips articles anywhere made nothing of "he", and "other" of "another"."""
    answers = ("He", "The", "Another")
    assert [answer_of(text, answers) for text in ("he", "the", "another", "the he")] == [0, 1, 2, 0]
    assert answer_of("other", answers) is None


def test_an_answer_with_an_article_of_its_own_is_found_first():
    assert answer_of("the old man", ("An old man", "The old man", "Unknown")) == 1
    assert answer_of("old man", ("An old man", "The old man", "Unknown")) is None
