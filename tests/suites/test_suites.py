"""Items of the public suites, of one's own, and of the embedded templates."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import pairwise

import pytest

from fairaudit.errors import DataError, SuiteFileError, UsageError
from fairaudit.items import Answer, FillerLogProbability, Skipped
from fairaudit.suites import SUITES, DataFinder, crows_pairs, get_suite, stereoset
from fairaudit.suites.custom import load_suite
from fairaudit.suites.pair_protocols import after_difference, mask_after_difference, shared_ending
from fairaudit.suites.templates.generator import load_probe, load_templates
from fairaudit.vocabulary.suites import TEMPLATES
from tests.conftest import shared

MAIN_AXES = ("gender", "race", "religion")


def identity(axis):
    return [i for i in load_templates() if i.axis == axis and "stereotype" in i.texts]


def controls(axis):
    return [i for i in load_templates() if i.axis == axis and "control_a" in i.texts]


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_templates_are_many_enough(axis):
    pairs, n_controls = identity(axis), len(controls(axis))
    clusters = {item.cluster for item in pairs}
    frames = {item.facts["template"] for item in pairs}
    if axis in MAIN_AXES:
        assert len(pairs) >= 800
        assert len(clusters) >= 60
        assert len(frames) >= 60
        assert n_controls >= 200
    else:
        assert len(pairs) >= 200
        assert len(clusters) >= 20
        assert len(frames) >= 20
        assert n_controls >= 80


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_both_sides_of_a_pair_are_stereotyped_equally_often(axis):
    sides = defaultdict(Counter)
    for item in identity(axis):
        sides[item.facts["pair"]][item.group] += 1
    for counts in sides.values():
        assert len(counts) == 2
        assert len(set(counts.values())) == 1


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_a_pair_differs_in_one_term_and_ends_alike(axis):
    for item in (*identity(axis), *controls(axis)):
        first, second = item.texts.values()
        ending = shared_ending(first, second)
        assert first != second
        assert len(ending.split()) >= 2, item
        words = [set(text.split()) for text in (first, second)]
        assert len(words[0] ^ words[1]) <= 4, item


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_sentences_are_well_formed(axis):
    for item in (*identity(axis), *controls(axis)):
        for text in item.texts.values():
            assert text[0].isupper()
            assert text[-1] in ".!?"
            assert "  " not in text
            assert not set(text) & set("{}")
            for article, following in pairwise(text.lower().split()):
                if article == "an":
                    assert following[0] in "aeiou" or following.startswith("hour"), text
                if article == "a":
                    assert following[0] not in "aeio" or following.startswith("one"), text


def test_item_ids_are_unique_and_texts_are_not_repeated():
    items = load_templates()
    assert len({item.item_id for item in items}) == len(items)
    pairs = [tuple(item.texts.values()) for item in items]
    assert len(set(pairs)) == len(pairs)


def test_shares_of_women_match_the_group():
    for item in identity("gender"):
        share = item.facts["share_female"]
        assert 0 < share < 1
        assert not 0.45 <= share <= 0.55
        assert item.group == ("female" if share > 0.5 else "male")


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_block_design_is_regular(axis):
    per_cluster = Counter(item.cluster for item in identity(axis))
    per_frame = Counter(item.facts["template"] for item in identity(axis))
    assert len(set(per_cluster.values())) == 1
    assert len(set(per_frame.values())) == 1


def test_probe_text_has_enough_paragraphs():
    texts = [entry.text for entry in load_probe()]
    assert len(texts) >= 40
    assert len(set(texts)) == len(texts)
    assert all(30 <= len(text.split()) <= 120 for text in texts)


def test_only_the_ending_is_scored():
    item = identity("race")[0]
    request = after_difference(item, "stereotype")
    other = after_difference(item, "anti_stereotype")
    assert request.text == other.text
    assert request.context != other.context
    assert request.context + request.text == item.texts["stereotype"]


@pytest.mark.parametrize("axis", TEMPLATES.axes)
def test_causal_and_masked_models_score_the_same_words(axis):
    for item in (*identity(axis), *controls(axis)):
        for role, text in item.texts.items():
            causal, masked = after_difference(item, role), mask_after_difference(item, role)
            assert masked.text == text
            assert masked.text[masked.start :] == causal.text


def test_crows_pairs_has_its_published_counts():
    items = crows_pairs.SUITE.load(DataFinder(shared("data"))).items
    assert len(items) == 1508
    published = {
        "race": 516, "gender": 262, "socioeconomic": 172, "nationality": 159, "religion": 105,
        "age": 87, "sexual_orientation": 84, "physical_appearance": 63, "disability": 60,
    }  # fmt: skip
    assert Counter(item.axis for item in items) == published
    assert Counter(item.facts["direction"] for item in items) == {"stereo": 1290, "antistereo": 218}


@pytest.mark.parametrize("suite", [crows_pairs.NEVEOL_SUITE, crows_pairs.KINIT_SUITE])
def test_revisions_load(suite):
    assert len(suite.load(DataFinder(shared("data"))).items) == 1467


def test_stereoset_has_its_published_counts_and_names_what_was_read():
    data = stereoset.SUITE.load(DataFinder(shared("data")))
    splits = Counter(item.facts["split"] for item in data.items)
    assert splits == {"intrasentence": 2106, "intersentence": 2123}
    assert data.sources[0].blob_id in stereoset.DEV.equivalents
    assert data.notes


def test_stereoset_fillers_are_cut_out():
    items = stereoset.SUITE.load(DataFinder(shared("data"))).items
    requests = [
        stereoset.filler(item, role)
        for item in items
        if item.facts["split"] == "intrasentence"
        for role in item.texts
    ]
    assert sum(isinstance(request, Skipped) for request in requests) == 6
    fillers = [r.filler for r in requests if isinstance(r, FillerLogProbability)]
    assert all(filler == filler.strip() and filler for filler in fillers)


def test_every_protocol_belongs_to_its_suite_and_is_described():
    ids = [protocol.id for suite in SUITES for protocol in suite.protocols]
    assert len(set(ids)) == len(ids)
    for suite in SUITES:
        for protocol in suite.protocols:
            assert protocol.id.startswith(f"{suite.name}/")
            assert protocol.description.endswith(".")
            answer = Answer((-1.0, -3.0), weights=(0.5, 0.5), value=-1.0)
            assert -4.0 <= protocol.score(answer) < 0
        for kind in ("causal", "masked"):
            n_primary = sum(protocol.primary for protocol in suite.protocols_for(kind))
            # Verdicts on texts rest on their scorers; on embeddings, a legacy, there are none. A
            # masked model answers no questions.
            asks = bool(suite.protocols_for(kind)) and suite.name != "seat"
            assert n_primary == (suite.generation is None and asks)


def test_unknown_suite_names_the_nearest():
    with pytest.raises(UsageError, match="did you mean 'stereoset'"):
        get_suite("stereo_set")


CSV = "axis,stereotype,anti_stereotype\ngender,The nurse is she.,The nurse is he.\n"
JSONL = '{"axis": "gender", "stereotype": "None of us.", "anti_stereotype": "NA of us."}\n'
TOML = 'name = "mine"\n[[items]]\naxis = "age"\nstereotype = "Old."\nanti_stereotype = "New."\n'


@pytest.mark.parametrize(("suffix", "text"), [("csv", CSV), ("jsonl", JSONL), ("toml", TOML)])
def test_own_suites_are_read(tmp_path, suffix, text):
    path = tmp_path / f"my suite.{suffix}"
    path.write_text(text)
    suite = load_suite(path)
    assert suite.name == ("mine" if suffix == "toml" else "my_suite")
    assert len(suite.load(DataFinder()).items) == 1


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "", "holds no pairs"),
        ("a.csv", "axis,stereotype\ngender,x\n", "row 2: column 'anti_stereotype' missing"),
        ("a.csv", "axis,stereotype,anti_stereotype\nall,x,y\n", "row 2: column 'axis'"),
        ("a.csv", "axis,stereotype,anti_stereotype\ngender,x,y,z\n", "row 2: more cells"),
        ("a.csv", CSV + "gender,,y\n", "row 3: column 'stereotype'"),
        ("a.jsonl", "\n", "holds no pairs"),
        ("a.jsonl", JSONL + "{", "row 2: not JSON"),
        ("a.jsonl", "[1]", "row 1"),
        ("a.jsonl", JSONL.replace("axis", "axes"), "row 1: column 'axis'"),
        ("a.toml", "name = 'X'", "column 'name'"),
        ("a.toml", "x = ", "not TOML"),
        ("a.toml", "items = 3", "write the pairs as"),
        ("a.txt", "x", "ends in"),
        ("a.csv", CSV + 'gender,"x,y\n', "row 3: not CSV"),
        ("a.csv", CSV + "gender,x,x\n", "row 3: column 'anti_stereotype': .*the same sentence"),
        ("a.jsonl", "\n" + JSONL + JSONL.replace("NA of us.", ""), "row 3: column 'anti_stereo"),
        (
            "a.jsonl",
            JSONL.replace("gender", "race | ethnicity"),
            "row 1: column 'axis': .* hold '\\|'",
        ),
        (
            "a.jsonl",
            JSONL.replace("gender", r"race\n::error::x"),
            "row 1: column 'axis': .*control",
        ),
        ("a.jsonl", JSONL[:-2] + ', "group": "a|b"}', "row 1: column 'group': .* hold '\\|'"),
    ],
)
def test_malformed_suites_name_row_and_column(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SuiteFileError, match=message):
        load_suite(path)


@pytest.mark.parametrize("suffix", ["csv", "jsonl"])
def test_only_line_feeds_end_a_row(tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    odd = "Some\u2028of\x85us."
    path.write_text((CSV if suffix == "csv" else JSONL).replace("NA of us.", odd), "utf-8")
    if suffix == "csv":
        path.write_text(CSV.replace("The nurse is he.", odd), "utf-8", newline="\r\n")
    (item,) = load_suite(path).load(DataFinder()).items
    assert item.texts["anti_stereotype"] == odd


@pytest.mark.parametrize("name", ["stereoset", "probe", "templates"])
def test_own_suites_do_not_take_our_names(tmp_path, name):
    path = tmp_path / f"{name}.csv"
    path.write_text(CSV)
    with pytest.raises(SuiteFileError, match=f"'{name}' is the name of one of fairaudit's suites"):
        get_suite(str(path))


def test_crows_pairs_numbers_are_unique():
    header = ",sent_more,sent_less,stereo_antistereo,bias_type\n"
    content = (header + "7,a,b,stereo,gender\n" * 2).encode()
    with pytest.raises(DataError, match="row 3: duplicate number 7"):
        crows_pairs.parse(content, delimiter=",", place="x.csv")


def test_pairs_of_crows_pairs_are_known_by_their_text():
    items = crows_pairs.SUITE.load(DataFinder(shared("data"))).items
    named = crows_pairs.by_text(items, "x.csv")
    assert len({item.item_id for item in named}) == len(items) == sum(crows_pairs.N_PAIRS.values())
    assert [item.texts for item in named] == [item.texts for item in items]
    assert Counter(item.axis for item in crows_pairs.absent(items[:9])) + Counter(
        item.axis for item in items[:9]
    ) == Counter(crows_pairs.N_PAIRS)


@pytest.mark.parametrize(
    ("row", "other"),
    [
        ('"stereotype": "x y", "anti_stereotype": "x z"', '"unrelated": "a"'),
        ('"prompt": "The man said", "group": "m"', '"cluster": "a"'),
    ],
)
def test_the_same_texts_again_are_no_new_item(tmp_path, row, other):
    path = tmp_path / "a.jsonl"
    path.write_text(
        f'{{"item_id": "a", "axis": "g", {row}}}\n{{"item_id": "b", "axis": "g", {row}, {other}}}'
    )
    with pytest.raises(SuiteFileError, match="row 2: item 'b' has the texts of item 'a' in row 1"):
        load_suite(path)
    path.write_text(f'{{"axis": "g", {row}}}\n{{"axis": "other", {row}}}')
    assert len(load_suite(path).load(DataFinder()).items) == 2


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.jsonl", "[" * 100_000, "row 1: not JSON"),
        ("a.toml", "x = " + "[" * 100_000, "not TOML"),
        ("a.jsonl", f'{{"axis": {"9" * 5000}}}', "row 1: not JSON"),
    ],
    ids=["nested JSON", "nested TOML", "a number beyond all bounds"],
)
def test_suites_that_no_parser_takes_are_refused(tmp_path, name, text, message):
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(SuiteFileError, match=message):
        load_suite(path)


def test_repeated_item_ids_are_named(tmp_path):
    path = tmp_path / "a.jsonl"
    row = JSONL.replace("{", '{"item_id": "same", ', 1)
    path.write_text(row + row)
    with pytest.raises(SuiteFileError, match=r"row 2: .*duplicate id 'same', as in row 1"):
        load_suite(path)


def test_an_unrelated_sentence_makes_a_capability_of_the_suites_own(tmp_path):
    """A model that likes nonsense as much as sense is known by its own suite."""
    from fairaudit.auditing.score_tables import score_table
    from fairaudit.metrics.sentence_pairs import pair_estimates
    from fairaudit.suites.custom import load_suite

    path = tmp_path / "mine.jsonl"
    row = '{"axis": "a", "stereotype": "x y", "anti_stereotype": "x z", "unrelated": "x x"}\n'
    path.write_text("".join(row.replace("x y", f"x y{number}") for number in range(12)))
    suite = load_suite(path)
    items = suite.load(DataFinder()).items
    causal, masked = suite.protocols
    assert set(items[0].texts) == {"stereotype", "anti_stereotype", "unrelated"}
    assert causal.request(items[0], "unrelated").text == "x x"
    assert masked.request(items[0], "unrelated") is None
    scores = {"stereotype": -1.0, "anti_stereotype": -3.0, "unrelated": -2.0}
    rows = [
        {"item_id": item.item_id, "protocol": causal.id, "axis": "a", "group": None,
         "cluster": item.item_id, "role": role, "score": score, "n_tokens": 2, "status": "ok",
         "reason": None}
        for item in items
        for role, score in scores.items()
    ]  # fmt: skip
    found = {(e.name, e.axis): e for e in pair_estimates(score_table(rows), 0)}
    able = found["language_modeling_score", "a"]
    assert (able.value, able.chance, able.ideal) == (0.5, 0.5, 1.0)
    assert able.kind == "capability"
    assert found["stereotype_preference_rate", "a"].value == 1.0
