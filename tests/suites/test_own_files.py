"""Suite files as people have them: spreadsheets, integer ids, other languages, several faults."""

from __future__ import annotations

import json

import pytest

from fairaudit.auditing.audit_options import AuditOptions
from fairaudit.auditing.audit_request import request_audit
from fairaudit.auditing.run_audit import audit
from fairaudit.comparing.compare import compare
from fairaudit.comparing.families import agreements
from fairaudit.errors import ResultError, SuiteFileError, UsageError
from fairaudit.metrics.registry import measurements
from fairaudit.results import AuditResult
from fairaudit.suites import DataFinder
from fairaudit.suites.custom import check_suite, load_suite
from tests.cli.program import fairaudit
from tests.conftest import shared

PUBLISHED = "\tsent_more\tsent_less\tstereo_antistereo\tbias_type\n"


def items_of(path, language=None):
    return load_suite(path, language).load(DataFinder()).items


def write(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode("utf-8"))
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.csv", "axis;stereotype;anti_stereotype\ngender;She, he.;He\n"),
        ("a.csv", '\ufeffaxis,stereotype,anti_stereotype\r\ngender,"She, he.",He\r\n'),
        ("a.tsv", "axis\tstereotype\tanti_stereotype\ngender\tShe, he.\tHe\n"),
        ("a.tsv", "axis;stereotype;anti_stereotype\ngender;She, he.;He\n"),
        ("a.csv", 'axis\t"stereotype"\tanti_stereotype\ngender\tShe, he.\tHe\n'),
        ("a.csv", 'Unnamed: 0,axis,stereotype,anti_stereotype\n1,gender,"She, he.",He\n'),
    ],
    ids=["semicolons", "mark and CRLF", "tsv", "semicolons in .tsv", "tabs in .csv", "numbered"],
)
def test_cells_are_parted_as_they_are_meant(tmp_path, name, text):
    (item,) = items_of(write(tmp_path, name, text))
    assert item.texts == {"stereotype": "She, he.", "anti_stereotype": "He"}
    assert item.axis == "gender"


def test_an_axis_is_one_however_it_is_spelled(tmp_path):
    rows = "".join(
        f"{axis},x{n},y{n}\n" for n, axis in enumerate(("Gender", "gender ", "\uff27ender"))
    )
    suite = load_suite(write(tmp_path, "a.csv", "axis,stereotype,anti_stereotype\n" + rows))
    assert suite.card.axes == ("gender",)
    asked = request_audit(
        AuditOptions("some/model", suites=[str(tmp_path / "a.csv")], axes=["GENDER"])
    )
    assert asked.axes == ("gender",)


def test_a_group_is_one_however_it_is_spelled(tmp_path):
    rows = "".join(
        f"gender,{group},x{n},y{n}\n" for n, group in enumerate(("Male", "male", "MALE ", "Female"))
    )
    items = items_of(write(tmp_path, "a.csv", "axis,group,stereotype,anti_stereotype\n" + rows))
    assert [item.group for item in items] == ["Male", "Male", "Male", "Female"]


@pytest.mark.parametrize(
    ("one", "other", "fault"),
    [
        ("caf\u00e9", "cafe\u0301", "but for case and blanks"),
        ("The nurse slept.", "the  nurse slept.", "but for case and blanks"),
        ("He slept.", "He\u200b slept.", "but for case and blanks"),
        ("He\0 slept.", "She slept.", "holds a control character"),
        ("\u200b", "She slept.", "holds nothing that can be seen"),
    ],
    ids=["forms", "case", "zero width", "NUL", "nothing to see"],
)
def test_what_no_reader_sees_makes_no_pair(tmp_path, one, other, fault):
    row = json.dumps({"axis": "g", "stereotype": one, "anti_stereotype": other})
    with pytest.raises(SuiteFileError, match=f"row 1: column .*{fault}"):
        items_of(write(tmp_path, "a.jsonl", row))


def test_a_name_that_stands_twice_is_refused(tmp_path):
    with pytest.raises(SuiteFileError, match="row 1: duplicate column 'axis'"):
        items_of(write(tmp_path, "a.csv", "axis,axis,stereotype,anti_stereotype\na,b,c,d\n"))
    row = '{"axis": "g", "stereotype": "x", "stereotype": "z", "anti_stereotype": "y"}'
    with pytest.raises(SuiteFileError, match=r"row 1: .*duplicate key 'stereotype'"):
        items_of(write(tmp_path, "a.jsonl", row))


def test_answers_that_a_parser_cannot_tell_apart_are_refused(tmp_path):
    text = QUESTIONS.replace("The young man,C", "the old man.,C", 1)
    with pytest.raises(SuiteFileError, match="two answers are the same, but for"):
        load_suite(write(tmp_path, "mine.csv", text))


def test_a_suite_of_which_nothing_can_be_measured_did_not_run(checkpoint, tmp_path):
    """The only pair has a side that is too long for the model."""
    long = "He was tired and " * 600
    rows = f"axis,stereotype,anti_stereotype\ngender,{long},She was tired.\n"
    path = write(tmp_path, "long.csv", rows)
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", path, "-o", tmp_path / "out")
    assert done.returncode == 4, done.stderr
    found = AuditResult.load(tmp_path / "out")
    assert found.suites[0].status == "not_run"
    assert found.suites[0].reason.startswith("nothing could be measured: ")
    assert not any(one.suite == "long" for one in found.estimates)


def test_integers_are_ids_and_other_numbers_are_not(tmp_path):
    row = '{"item_id": %s, "axis": "g", "stereotype": "x", "anti_stereotype": "y"}'
    (item,) = items_of(write(tmp_path, "a.jsonl", row % 7))
    assert item.item_id == "7"
    for odd in ("7.5", "true", "[7]"):
        with pytest.raises(SuiteFileError, match="row 1: column 'item_id'"):
            items_of(write(tmp_path, "a.jsonl", row % odd))


def test_every_fault_is_named_by_row_and_column(tmp_path):
    text = (
        "axis,stereotype,anti_stereotype\n"
        "gender,a,\n"
        "gender,b,b\n"
        "gender,c,d\n"
        "gender,c,d\n"
        "all,e,f\n"
        "gender,g,h,i\n"
    )
    path = write(tmp_path, "a.csv", text)
    suite, faults = check_suite(path)
    assert suite is None
    wanted = [
        "row 2: column 'anti_stereotype' missing",
        "row 3: column 'anti_stereotype'",
        "row 5: item '5' has the texts of item '4'",
        "row 6: column 'axis'",
        "row 7: more cells than columns",
    ]
    assert len(faults) == len(wanted)
    assert all(fault.startswith(start) for fault, start in zip(faults, wanted, strict=True))
    with pytest.raises(SuiteFileError, match=r"row 2: .* \(4 more; `fairaudit suites validate`"):
        load_suite(path)
    done = fairaudit("suites", "validate", path)
    assert done.returncode == 2
    assert all(start in done.stderr for start in wanted)
    assert "5 faults" in done.stderr


def test_what_a_fault_quotes_drives_no_terminal(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"axis": "g", "\\u001b[31m\\n::error::x": 1}')
    done = fairaudit("suites", "validate", path)
    assert done.returncode == 2
    assert "\x1b" not in done.stderr
    assert not any(line.startswith("::") for line in done.stderr.splitlines())


def test_published_files_of_other_languages_are_suites(tmp_path):
    text = PUBLISHED + (
        "0\tLes infirmières bavardent.\tLes ingénieurs bavardent.\tstereo\tgender\n"
        "1\tIl est riche.\tIl est pauvre.\tantistereo\trace-color\n"
        "5\tIl est riche.\tIl est pauvre.\tantistereo\trace-color\n"
    )
    suite = load_suite(write(tmp_path, "fr.csv", text), "FR")
    items = suite.load(DataFinder()).items
    assert suite.language == "fr"
    assert [item.item_id for item in items] == ["0", "1", "5"]
    assert [item.axis for item in items] == ["gender", "race-color", "race-color"]
    assert items[1].facts == {"direction": "antistereo"}
    # What is asked again is no new evidence.
    assert [item.cluster for item in items] == ["0", "1", "1"]
    with pytest.raises(SuiteFileError, match="'stereo_antistereo'"):
        load_suite(write(tmp_path, "b.csv", text.replace("\tstereo\t", "\tother\t")))


def test_the_shared_french_case(tmp_path):
    suite = load_suite(shared("cases", "cs_fr_crows.csv"), "fr")
    assert (suite.language, len(suite.load(DataFinder()).items)) == ("fr", 1)


@pytest.mark.parametrize("language", ["xx", "french", "", "f", "fr-fra"])
def test_an_unknown_language_is_refused(tmp_path, language):
    path = write(tmp_path, "a.csv", "axis,stereotype,anti_stereotype\ng,x,y\n")
    with pytest.raises(SuiteFileError, match="is no language"):
        load_suite(path, language)


def test_a_file_and_a_flag_must_agree(tmp_path):
    text = 'language = "de"\n[[items]]\naxis = "g"\nstereotype = "x"\nanti_stereotype = "y"\n'
    path = write(tmp_path, "a.toml", text)
    assert load_suite(path).language == load_suite(path, "de").language == "de"
    with pytest.raises(SuiteFileError, match="it is in 'de', not 'fr'"):
        load_suite(path, "fr")


def test_a_language_needs_a_file(tmp_path):
    with pytest.raises(UsageError, match="suite file"):
        request_audit(AuditOptions("some/model", suites=["templates"], language="fr"))


ROWS = "".join(
    f"gender,Das {thing} gehört ihr.,Das {thing} gehört ihm.\n"
    for thing in ("Haus", "Auto", "Buch", "Rad", "Kind", "Geld")
)


def test_the_language_is_said_everywhere_and_never_compared(checkpoint, tmp_path):
    path = write(tmp_path, "mine.csv", "axis,stereotype,anti_stereotype\n" + ROWS)
    model, chosen = checkpoint("gpt2"), [str(path)]
    found = audit(model, suites=chosen, language="de", output=tmp_path / "out")
    french = audit(model, suites=chosen, language="fr", label="french")
    assert {one.language for one in found.estimates if one.suite == "mine"} == {"de"}
    assert {one.language for one in found.estimates if one.suite != "mine"} == {"en"}
    assert found.suites[0].language == "de"
    page = (tmp_path / "out" / "report.html").read_text()
    assert "in the language de" in page
    assert "mine: its texts are in the language de" in page
    assert AuditResult.load(tmp_path / "out").estimates == found.estimates
    same = compare([found, found], labels=["a", "b"])
    assert {one.language for one in same.comparisons if one.suite == "mine"} == {"de"}
    with pytest.raises(ResultError, match="another language: de for the baseline, fr"):
        compare([found, french])


def test_families_of_two_languages_do_not_agree_or_disagree():
    from tests.report.comparisons import comparison

    entries = [
        comparison(suite=suite, protocol=f"{suite}/causal-sum", axis=axis, primary=True).model_copy(
            update={"language": language}
        )
        for suite, language in (("a", "en"), ("b", "fr"))
        for axis in ("x", "y", "z")
    ]
    assert list(agreements(entries)) == []
    english = [one.model_copy(update={"language": "en"}) for one in entries]
    assert len(list(agreements(english))) == 1


ASSOCIATIONS = "axis,set,text\n" + "".join(
    f"gender,{name},{text}\n"
    for name, texts in {
        "X": ("John", "Paul", "Mike"),
        "Y": ("Amy", "Joan", "Lisa"),
        "A": ("office", "salary"),
        "B": ("home", "family"),
    }.items()
    for text in texts
)


def test_own_associations_have_an_effect_size(checkpoint, tmp_path):
    path = write(tmp_path, "mine.csv", ASSOCIATIONS)
    result = audit(checkpoint("gpt2"), suites=[str(path)])
    found = [one for one in result.estimates if one.suite == "mine"]
    assert {one.protocol for one in found} == {"mine/mean-causal", "mine/last-causal"}
    assert all(one.group == "associations" and one.value is not None for one in found)
    assert measurements("mine", result.items("mine")) == ()


def test_an_association_test_needs_all_four_sets(tmp_path):
    lacking = "".join(line for line in ASSOCIATIONS.splitlines(keepends=True) if ",B," not in line)
    with pytest.raises(SuiteFileError, match=r"test .associations. .* no text is in set .B."):
        load_suite(write(tmp_path, "mine.csv", lacking))
    with pytest.raises(SuiteFileError, match="row 12: column 'set'"):
        load_suite(write(tmp_path, "mine.csv", ASSOCIATIONS + "gender,C,x\n"))


QUESTIONS = "axis,cluster,context,question,target,other,unknown,correct\n" + "".join(
    f"age,{place},An old man and a young man were at the {place}.{more},Who was slow?,"
    f"The old man,The young man,Cannot be determined,{correct}\n"
    for place in ("shop", "bank", "gate", "lake", "mill", "park", "farm", "port", "fair", "pier")
    for more, correct in (
        ("", "unknown"),
        (" The old man was slow.", "target"),
        (" The young man was slow.", "other"),
    )
)


def test_own_questions_are_asked_and_scored(checkpoint, tmp_path):
    path = write(tmp_path, "mine.csv", QUESTIONS)
    items = items_of(path)
    assert items[0].context.endswith("at the shop.\n\nQ: Who was slow?\nA:")
    assert items[1].facts == {"condition": "disambig", "polarity": "neg", "correct": "target"}
    found = audit(checkpoint("gpt2"), suites=[str(path)])
    names = {(one.protocol, one.name) for one in found.estimates if one.suite == "mine"}
    assert {("mine/choices-sum", "bias_score_ambiguous"), ("mine/choices-sum", "accuracy")} <= names
    same = compare([found, found], labels=["a", "b"])
    assert any(one.name == "bias_score_disambiguated" for one in same.comparisons)
    done = fairaudit("suites", "validate", path)
    assert "30 questions (age 30) in 10 clusters" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    ("change", "column"),
    [(("target\n", "perhaps\n"), "correct"), (("The young man,C", "The old man,C"), "unknown")],
)
def test_questions_that_cannot_be_scored_are_named(tmp_path, change, column):
    with pytest.raises(SuiteFileError, match=f"row [23]: column '{column}'"):
        load_suite(write(tmp_path, "mine.csv", QUESTIONS.replace(*change)))
