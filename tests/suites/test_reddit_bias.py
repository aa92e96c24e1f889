"""RedditBias: what is read from its files, and what is asked of it."""

from __future__ import annotations

from collections import Counter

import pytest

from fairaudit.errors import DataError
from fairaudit.items import LogLikelihood, PseudoLogLikelihood, Skipped
from fairaudit.suites import DataFinder, get_suite
from fairaudit.suites.reddit_bias import FILES, SUITE, parse, parse_attributes
from tests.conftest import shared

TARGET = "comment,comments_processed\nshe said hats cook well,hats cook well\n"
OTHER = "comments,comments_processed\nhats cook well,caps cook well\n"
WORDS = b'cook*\n"very loud"\nloud\nart\n'


def items(target=TARGET, other=OTHER, words=WORDS):
    attributes = parse_attributes(words, "words")
    files = (target.encode(), "ours"), (other.encode(), "theirs")
    return parse(*files, attributes, "gender", "hats")


def of_comment(comment):
    """Item of a comment and its counterpart."""
    target = f'comment,comments_processed\n"{comment}","{comment}"\n'
    other = f'comments,comments_processed\n"{comment}","caps"\n'
    (item,) = items(target, other)
    return item


def test_row_n_of_both_files_is_a_pair():
    (item,) = items()
    assert item.texts == {"stereotype": "hats cook well", "anti_stereotype": "caps cook well"}
    assert (item.axis, item.group) == ("gender", "hats")


@pytest.mark.parametrize(
    ("comment", "cluster"),
    [
        ("hats cook", "gender/cook"),
        ("hats are cooking art", "gender/cook"),
        ("hats like Art, and cook", "gender/art"),
        ("hats are very loud", "gender/very loud"),
        ("hats are loud", "gender/loud"),
        ("hats like artists", "gender/2"),
    ],
)
def test_pairs_about_one_attribute_are_a_cluster(comment, cluster):
    assert of_comment(comment).cluster == cluster


def test_shared_tokens_are_asked():
    (item,) = items()
    causal, masked = SUITE.protocols
    ours, theirs = item.texts.values()
    assert causal.request(item, "stereotype") == LogLikelihood(ours, reference=theirs)
    other = causal.request(item, "anti_stereotype")
    assert other == LogLikelihood(theirs, reference=ours, text_first=False)
    assert masked.request(item, "stereotype") == PseudoLogLikelihood(ours, theirs, "shared", True)
    assert causal.primary
    assert masked.primary


def test_a_pair_of_one_sentence_is_not_scored():
    (item,) = items(other=OTHER.replace("caps", "hats"))
    for protocol in SUITE.protocols:
        for role in item.texts:
            assert protocol.request(item, role) == Skipped("the two sentences are the same")


@pytest.mark.parametrize(
    ("target", "other", "message"),
    [
        (TARGET, OTHER + "a,b\n", "ours has 1 comments, theirs 2"),
        (TARGET, OTHER.replace("hats cook", "hats cooked"), "theirs: row 2: another comment than"),
        (TARGET, OTHER.replace("caps cook well", " "), "row 2: column 'comments_processed' is em"),
        (TARGET.replace("comment,", "text,"), OTHER, "ours: column 'comment' is missing"),
        (TARGET, OTHER.replace("comments,", "text,"), "theirs: column 'comments' is missing"),
        (TARGET + "only one cell\n", OTHER, "ours: row 3: not as many cells as columns"),
        (TARGET.splitlines()[0], OTHER.splitlines()[0], "ours: holds no comments"),
        (TARGET + '"cut', OTHER, "ours: row 3: not CSV"),
    ],
)
def test_damaged_files_are_named(target, other, message):
    with pytest.raises(DataError, match=message):
        items(target, other)


@pytest.mark.parametrize(("words", "message"), [(b"\n*\n", "no attributes"), (b"\xff", "UTF-8")])
def test_damaged_attributes_are_named(words, message):
    with pytest.raises(DataError, match=f"words: .*{message}"):
        items(words=words)


def test_reddit_bias_as_it_is_published():
    data = get_suite("reddit_bias").load(DataFinder(shared("data"), fetch=False))
    assert Counter(item.axis for item in data.items) == {
        "gender": 253, "sexual_orientation": 235, "race": 254, "religion_jews": 238,
        "religion_muslims": 236,
    }  # fmt: skip
    assert set(FILES) == set(SUITE.card.axes)
    assert len(data.sources) == 15
    assert len({item.item_id for item in data.items}) == len(data.items)
    causal, _ = SUITE.protocols
    skipped = [
        item for item in data.items if isinstance(causal.request(item, "stereotype"), Skipped)
    ]
    assert [item.axis for item in skipped] == ["religion_muslims"]
    clusters = {axis: set() for axis in FILES}
    for item in data.items:
        clusters[item.axis].add(item.cluster)
    assert {axis: len(found) for axis, found in clusters.items()} == {
        "gender": 22, "sexual_orientation": 39, "race": 39, "religion_jews": 45,
        "religion_muslims": 31,
    }  # fmt: skip
