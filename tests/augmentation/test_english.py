"""The swapper is for English: other languages are left alone, and refused as a corpus."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.augmentation import Swapper, augment
from fairaudit.augmentation.english import is_english
from fairaudit.augmentation.files import augment_file
from fairaudit.errors import DataError
from fairaudit.suites.embedded import TEMPLATES
from tests.conftest import shared

FOREIGN = [
    "Elle a pris son livre et son fils est venu.",
    "Komm her, sagte er, und der Man stand auf.",
    "Il a mis son manteau dans la main.",
    "La actor principal es su hermana.",
    "Sie sagte, dass ihr son nicht kommen wird.",
    "Hon sa att hennes son inte är hemma.",
    "Ona powiedziała, że jej son nie jest w domu.",
    "Она сказала, что her брат дома.",
    "彼女は先生です。",
]
ENGLISH = [
    "She thanked her father.",
    "The nurse lost her keys; it was hers.",
    "His son met the actor.",
    "Beyoncé and her husband José moved to Québec with their son.",
    "Mr. van der Berg and his wife",
    "HE IS A MAN.",
    "he",
    "",
]


@pytest.mark.parametrize("text", FOREIGN)
def test_other_languages_are_not_swapped(text):
    assert not is_english(text)
    assert Swapper(("gender", "race", "religion")).twins(text) == []


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is(text):
    assert is_english(text)


@given(st.sampled_from([text for text in ENGLISH if text]))
def test_a_twin_is_taken_as_its_record_is(text):
    assert all(is_english(twin) for twin in Swapper().twins(text))


def test_our_own_items_are_english():
    items = TEMPLATES.load(None).items
    texts = [text for item in items for text in item.texts.values()]
    assert all(is_english(text) for text in texts)


def test_public_english_is_taken_for_english():
    """At most 3 of 1,000 are not, and they lose no more than their twins."""
    path = shared("data", "crows_pairs", "crows_pairs_anonymized.csv")
    with path.open(encoding="utf-8") as stream:
        texts = [row["sent_more"] for row in csv.DictReader(stream)]
    assert sum(not is_english(text) for text in texts) <= 0.003 * len(texts)


def test_a_corpus_of_another_language_is_refused(tmp_path):
    with pytest.raises(DataError, match="5 of 6 records look like another language"):
        augment([*FOREIGN[:5], ENGLISH[0]])
    done = augment([FOREIGN[0], *ENGLISH[:3]])
    assert done.report.foreign_records == 1
    assert done.variants[0] == (FOREIGN[0],)
    source, output = tmp_path / "a.txt", tmp_path / "b.txt"
    source.write_text("\n".join(FOREIGN))
    output.write_text("as it was")
    with pytest.raises(DataError, match="words are swapped in English text alone"):
        augment_file(source, output, Swapper())
    assert output.read_text() == "as it was"


def test_the_shared_foreign_case(tmp_path):
    path = shared("cases", "cda_foreign.txt")
    with pytest.raises(DataError, match="4 of 5 records"):
        augment_file(path, tmp_path / "out.txt", Swapper())
