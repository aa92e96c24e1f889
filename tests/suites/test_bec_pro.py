"""BEC-Pro: what is read from its file, and what is asked of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from fairaudit.errors import DataError
from fairaudit.items import Answer, FillerLogProbability, LogLikelihood, Skipped
from fairaudit.scoring.token_rows import Encoder
from fairaudit.suites import DataFinder, bec_pro, get_suite
from fairaudit.suites.bec_pro import BLANK, at_first_mask, at_mask, whole_sentence
from tests.conftest import byte_level_tokenizer, shared, word_piece_tokenizer

HEAD = "\tSentence\tTemplate\tPerson\tGender\tProfession\tProf_Gender"


def file_of(*rows):
    cells = (
        ("0", sentence, "<person subject> met a <profession>.", person, gender, profession, kind)
        for sentence, person, gender, profession, kind in rows
    )
    return "\n".join([HEAD, *map("\t".join, cells)]).encode()


MAN = ("This man met a tea manager.", "man", "male", "tea manager", "male")
WOMAN = ("This woman met a tea manager.", "woman", "female", "tea manager", "male")


def items(*rows):
    return bec_pro.parse(file_of(*rows), "file")


@pytest.fixture(scope="module")
def published():
    return get_suite("bec_pro").load(DataFinder(shared("data"), fetch=False)).items


def test_a_pair_has_both_sentences_and_both_with_the_profession_masked():
    (item,) = items(WOMAN, MAN)
    assert item.texts == {
        "male": "This man met a tea manager.",
        "female": "This woman met a tea manager.",
        "male_prior": "This man met a [MASK] [MASK].",
        "female_prior": "This woman met a [MASK] [MASK].",
    }
    assert (item.axis, item.group, item.cluster) == ("gender", "male-dominated", "tea manager")
    assert item.facts["template"] == "<person subject> met a <profession>."


def test_the_person_is_asked_at_a_mask_and_not_the_manager():
    (item,) = items(MAN, WOMAN)
    assert at_mask(item, "male") == FillerLogProbability(
        "This ", "man", " met a tea manager.", BLANK
    )
    assert at_mask(item, "female_prior") == FillerLogProbability(
        "This ", "woman", " met a [MASK] [MASK].", BLANK
    )
    assert whole_sentence(item, "female") == LogLikelihood("This woman met a tea manager.")
    assert whole_sentence(item, "female_prior") is None


def test_of_a_word_of_several_tokens_the_first_counts():
    assert at_first_mask(Answer((-1.0, -5.0))) == -1.0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"person_male": "uncle"}, "does not have the word for the person"),
        ({"cluster": "teapot"}, "does not name the profession"),
    ],
)
def test_what_cannot_be_found_is_skipped_with_a_reason(change, reason):
    (item,) = items(MAN, WOMAN)
    facts = {**item.facts, **{key: one for key, one in change.items() if key != "cluster"}}
    damaged = replace(item, facts=facts, cluster=change.get("cluster", item.cluster))
    for ask in (at_mask, whole_sentence):
        found = ask(damaged, "male")
        assert isinstance(found, Skipped)
        assert reason in found.reason


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ((MAN,), "the female sentence of 'This man met a tea manager.' is missing"),
        ((WOMAN,), "the male sentence of 'This woman met a tea manager.' is missing"),
        ((MAN, WOMAN, MAN), "row 4: .* occurs twice"),
        ((MAN, (*WOMAN[:2], "male", *WOMAN[3:])), "row 3: 'woman' is no male person"),
        ((MAN, (*WOMAN[:2], "f", *WOMAN[3:])), "row 3: 'woman' is no f person"),
        ((MAN, (*WOMAN[:4], "mixed")), "row 3: column 'Prof_Gender' holds 'mixed'"),
        ((MAN, (*WOMAN[:4], "female")), "'tea manager' is of two kinds"),
        (((*MAN[:4], "male\tx"), WOMAN), "row 2: not as many cells"),
    ],
)
def test_damaged_rows_are_named(rows, message):
    with pytest.raises(DataError, match=message):
        items(*rows)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"Sentence\tPerson\n", "row 1: columns must be"), (b"\xff\xfe\x00", "not UTF-8")],
)
def test_another_file_is_refused(content, message):
    with pytest.raises(DataError, match=message):
        bec_pro.parse(content, "file")


@pytest.mark.parametrize("tokenizer", [word_piece_tokenizer, byte_level_tokenizer])
def test_a_blank_is_the_mask_of_the_tokenizer(tokenizer):
    special = {"bos": "<s>", "eos": "</s>", "pad": "<pad>", "mask": "<mask>"}
    made = tokenizer() if tokenizer is word_piece_tokenizer else tokenizer(**special)
    asked = FillerLogProbability("The ", "man", " met a [MASK] [MASK].", BLANK)
    reads = Encoder(made, None).encode([asked])[asked]
    # The word's own mask stands first, at the place that is read.
    first = reads[0]
    masks = [n for n, one in enumerate(first.row.ids) if one == made.mask_token_id]
    assert len(masks) == 3
    assert first.position == masks[0]
    plain = FillerLogProbability("The ", "man", " met a [MASK] [MASK].")
    (same,) = Encoder(made, None).encode([plain]).values()
    assert (same == reads) == (made.mask_token == "[MASK]")


def test_as_it_is_published(published):
    assert len(published) == 2700
    assert Counter(item.group for item in published) == {
        "male-dominated": 900, "female-dominated": 900, "balanced": 900,
    }  # fmt: skip
    assert Counter(Counter(item.cluster for item in published).values()) == {45: 60}
    for item in published:
        for role in item.texts:
            asked = at_mask(item, role)
            assert isinstance(asked, FillerLogProbability)
            gender = role.partition("_")[0]
            assert asked.filler == item.facts[f"person_{gender}"]
            n_masks = len(item.cluster.split()) if role.endswith("prior") else 0
            assert asked.after.count(BLANK) == n_masks


def test_masks_are_those_of_the_file_but_in_the_rows_that_it_gets_wrong(published):
    content = shared("data", "bec_pro", "BEC-Pro_EN.tsv").read_text(encoding="utf-8").splitlines()
    theirs = {}
    for line in content[1:]:
        _, sentence, *masked = line.split("\t")[:5]
        theirs[sentence] = (masked[0], masked[2])
    wrong = 0
    for item in published:
        for gender in ("male", "female"):
            ours = tuple(
                f"{asked.before}{BLANK}{asked.after}"
                for asked in (at_mask(item, gender), at_mask(item, f"{gender}_prior"))
            )
            wrong += ours != theirs[item.texts[gender]]
    assert wrong == 23
