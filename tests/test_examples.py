"""Examples of items: which are chosen, worked by hand, and that nothing swells or breaks."""

from __future__ import annotations

import json

import pytest

from fairaudit.auditing.examples import MAX_CHARACTERS, examples_of
from fairaudit.auditing.run_audit import audit
from fairaudit.auditing.score_tables import recorded_rows, score_table
from fairaudit.items import Item
from fairaudit.metrics.sentence_pairs import pair_estimates
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.results import AuditResult
from fairaudit.results.digest import sealed
from fairaudit.results.texts import PromptTexts
from fairaudit.suites import DataFinder, stereoset
from tests.conftest import shared
from tests.metrics.text_tables import Asked, table, toxic

HOSTILE = "<script>alert(1)</script>\x1b[31m\x00\u202e \ud800\nx"
HARMLESS = "<script>alert(1)</script>\ufffd[31m\ufffd\ufffd \ufffd x"


def pair(item_id: str, axis: str = "gender", **more) -> Item:
    texts = {"stereotype": f"{item_id} s", "anti_stereotype": f"{item_id} a"}
    return Item(item_id, axis, "women", item_id, **{"texts": texts, **more})


def chosen(scores, *, items=None, protocol="mine/causal-sum"):
    """Examples of pairs by item id → (score of the stereotype, of the anti-stereotype)."""
    items = items or {item_id: pair(item_id) for item_id in scores}
    rows = [
        row
        for item_id, (ours, theirs) in scores.items()
        for row in recorded_rows(
            items[item_id], protocol, {"stereotype": ours, "anti_stereotype": theirs}
        )
    ]
    made = score_table(rows)
    return examples_of(made, items.values(), pair_estimates(made, 0))


def test_both_ends_and_the_next_largest_of_either_side():
    found = chosen(
        {
            "a": (-10.0, -11.0),
            "b": (-10.0, -15.0),
            "c": (-10.0, -13.0),
            "d": (-12.0, -10.0),
            "e": (-10.5, -10.0),
        }
    )
    assert [(one.item_id, one.extreme, one.value) for one in found] == [
        ("b", "towards", 5.0),
        ("c", "towards", 3.0),
        ("d", "against", -2.0),
    ]
    first = found[0]
    assert (first.axis, first.group, first.protocol) == ("gender", "women", "mine/causal-sum")
    assert first.texts == {"stereotype": "b s", "anti_stereotype": "b a"}
    assert first.scores == {"stereotype": -10.0, "anti_stereotype": -15.0}


def test_where_all_lean_one_way_all_examples_do():
    found = chosen({str(n): (-10.0, -10.0 + n) for n in range(1, 6)})
    assert [(one.item_id, one.value) for one in found] == [("5", -5.0), ("4", -4.0), ("3", -3.0)]


def test_each_axis_has_its_own_in_the_order_of_their_names():
    items = {name: pair(name, axis) for name, axis in (("1", "race"), ("2", "age"), ("3", "race"))}
    found = chosen({"1": (-1.0, -2.0), "2": (-1.0, -9.0), "3": (-1.0, -4.0)}, items=items)
    assert [(one.axis, one.item_id) for one in found] == [
        ("age", "2"),
        ("race", "3"),
        ("race", "1"),
    ]


def test_equal_preferences_are_taken_by_item_id_whatever_the_order_of_the_table():
    scores = {name: (-1.0, -2.0 - 1e-7 * n) for n, name in enumerate("abcde")}
    for order in (scores, dict(reversed(scores.items()))):
        assert [one.item_id for one in chosen(order)] == ["a", "b", "c"]


def test_ties_and_missing_scores_are_no_examples():
    found = chosen({"tie": (-5.0, -5.0001), "gone": (-1.0, None), "both": (None, None)})
    assert found == ()
    found = chosen({"tie": (-5.0, -5.0), "gone": (None, -1.0), "kept": (-2.0, -1.0)})
    assert [one.item_id for one in found] == ["kept"]


def test_no_examples_where_no_verdict_rests_on_the_table_or_nothing_is_known_of_an_item():
    scores = {"a": (-10.0, -11.0)}
    assert chosen(scores, protocol="mine/causal-mean") == ()
    rows = list(recorded_rows(pair("a"), "mine/causal-sum", {"stereotype": -1.0}))
    made = score_table(rows)
    assert examples_of(made, [pair("a")], pair_estimates(made, 0)) == ()
    rows = recorded_rows(pair("a"), "mine/causal-sum", dict.fromkeys(pair("a").texts, -1.0))
    made = score_table(rows).assign(score=[-1.0, -2.0])
    estimates = pair_estimates(made, 0)
    assert examples_of(made, [], estimates) == ()
    assert len(examples_of(made, [pair("a")], estimates)) == 1


def test_probabilities_get_their_logarithms_and_other_scores_have_none():
    (found,) = chosen({"a": (0.5, 0.25)})
    assert found.scores == {"stereotype": -0.6931, "anti_stereotype": -1.3863}
    assert found.value == 0.6931
    assert chosen({"a": (3.0, 2.0)}) == ()
    assert chosen({"a": (0.5, 0.25), "b": (-1.0, 0.25)}) == ()


def test_texts_are_cut_and_keep_their_context():
    texts = {"stereotype": "x" * 301, "anti_stereotype": HOSTILE}
    items = {"a": pair("a", texts=texts, context="y" * 300)}
    (found,) = chosen({"a": (-1.0, -2.0)}, items=items)
    assert found.texts["stereotype"] == "x" * 299 + "…"
    assert found.texts["context"] == "y" * 300
    assert found.texts["anti_stereotype"] == HARMLESS
    assert max(map(len, found.texts.values())) == MAX_CHARACTERS
    json.dumps(found.model_dump(), ensure_ascii=False).encode("utf-8")


def written(item_id: str, *completions: str, prompt: str | None = None) -> PromptTexts:
    n = len(completions)
    return PromptTexts(
        item_id, "gender", "female", prompt or f"{item_id} said", completions, (4,) * n, (True,) * n
    )


def test_the_worst_text_of_the_two_worst_prompts():
    made = table(
        [
            toxic("female", 0.1, 0.9, item_id="a"),
            toxic("male", 0.8, 0.85, item_id="b"),
            toxic("male", 0.95, None, item_id="c"),
            toxic("male", None, None, item_id="d"),
        ]
    )
    texts = [written(name, f"{name}0", f"{name}1") for name in "abcd"]
    found = examples_of(made, (), (), texts)
    assert [(one.item_id, one.extreme, one.value) for one in found] == [
        ("c", "worst", 0.95),
        ("a", "worst", 0.9),
    ]
    assert [one.texts for one in found] == [
        {"prompt": "c said", "completion": "c0"},
        {"prompt": "a said", "completion": "a1"},
    ]
    assert found[0].protocol == "toxicity/judge@1"
    assert found[0].scores == {}


def test_of_sentiment_the_lowest_is_worst_and_equal_ones_are_taken_by_item_id():
    made = table(
        [Asked("x", {"compound": [value]}, item_id=name) for name, value in
         (("c", -0.5), ("b", -0.5), ("a", -0.5), ("z", 0.9))]
    )  # fmt: skip
    texts = [written(name, HOSTILE) for name in "abcz"]
    found = examples_of(made, (), (), texts)
    assert [(one.item_id, one.value) for one in found] == [("a", -0.5), ("b", -0.5)]
    assert found[0].texts["completion"] == HARMLESS
    assert examples_of(made, (), (), texts[3:])[0].item_id == "z"


def test_the_same_prompt_is_shown_once():
    made = table(
        [toxic("female", x, item_id=name) for name, x in zip("abc", (3, 2, 1), strict=True)]
    )
    texts = [written("a", "1", prompt="p"), written("b", "1", prompt="p"), written("c", "2")]
    assert [one.item_id for one in examples_of(made, (), (), texts)] == ["a", "c"]


def test_scores_without_a_verdict_give_no_examples():
    made = table([Asked("x", {"female_words": [1.0], "male_words": [0.0]}, item_id="a")])
    assert examples_of(made, (), (), [written("a", "she")]) == ()


@pytest.mark.long
def test_audits_keep_examples_that_are_small_and_the_same_again(checkpoint, tmp_path):
    prompts = tmp_path / "mine.csv"
    prompts.write_text("prompt,axis,group\nThe man,gender,male\nThe woman,gender,female\n")
    suites = ["templates", str(prompts)]
    first, again = (
        audit(checkpoint("gpt2"), suites=suites, axes=["age", "gender"], output=tmp_path / name)
        for name in ("first", "again")
    )
    by_suite = {run.suite: run.examples for run in first.suites}
    assert len(by_suite["templates"]) == 6
    assert len(by_suite["mine"]) == 2
    assert {one.texts["prompt"] for one in by_suite["mine"]} == {"The man", "The woman"}
    assert again.model_dump(exclude={"run"}) == first.model_dump(exclude={"run"})
    assert AuditResult.load(tmp_path / "first").suites == first.suites
    stored = json.loads((tmp_path / "first" / "result.json").read_text(encoding="utf-8"))
    size = sum(len(json.dumps(run["examples"], indent=2)) for run in stored["suites"])
    assert 2_000 < size < 8_000


def test_a_file_without_examples_is_read(checkpoint, tmp_path):
    audit(checkpoint("gpt2"), suites=["templates"], axes=["age"], output=tmp_path / "out")
    path = tmp_path / "out" / "result.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    assert content["suites"][0].pop("examples")
    path.write_text(json.dumps(sealed(content)), encoding="utf-8")
    assert AuditResult.load(path).suites[0].examples == ()


def test_recorded_scores_have_the_texts_of_their_file(tmp_path):
    path = tmp_path / "scores.csv"
    path.write_text(
        ",sent_more,sent_less,stereo_antistereo,bias_type,sent_more_score,sent_less_score\n"
        "0,Women cried.,Men cried.,stereo,gender,-5.0,-6.5\n"
        "1,Men cooked.,Women cooked.,antistereo,gender,-4.0,-3.0\n"
    )
    (run,) = audit_scores(path, suite="crows_pairs").suites
    assert [(one.extreme, abs(one.value)) for one in run.examples] == [
        ("towards", 1.5),
        ("against", 1.0),
    ]
    assert run.examples[0].texts["stereotype"] == "Women cried."


@pytest.mark.parametrize("score", [0.5, -0.5])
def test_recorded_stereoset_takes_texts_from_its_data(score, tmp_path):
    items = stereoset.SUITE.load(DataFinder(shared("data"))).items
    item = next(item for item in items if item.facts["split"] == "intrasentence")
    entries = [
        {"id": item.facts[f"{role}_id"], "score": score * (2 if role == "anti_stereotype" else 1)}
        for role in item.texts
    ]
    path = tmp_path / "predictions.json"
    path.write_text(json.dumps({"intrasentence": entries, "intersentence": []}))
    (run,) = audit_scores(path, suite="stereoset", data=shared("data")).suites
    (found,) = run.examples
    assert (found.item_id, found.protocol) == (item.item_id, "stereoset/intrasentence-recorded")
    assert found.extreme == ("against" if score > 0 else "towards")
    assert found.value == (-0.6931 if score > 0 else 0.5)
    assert found.texts["stereotype"] == item.texts["stereotype"]
