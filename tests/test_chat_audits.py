"""Chat models: what they think aloud is not scored, and what they refuse is counted by group."""

from __future__ import annotations

import json

import pytest

from fairaudit.auditing.run_audit import plan_audit, run_audit
from fairaudit.comparing.compare import compare
from fairaudit.gating.gate import gate
from fairaudit.recorded.audit_scores import audit_scores
from fairaudit.report.markdown import render_summary
from fairaudit.results import AuditResult
from fairaudit.vocabulary.cautions import MANY_REFUSALS
from fairaudit.vocabulary.metrics import (
    ANSWERED_SHARE,
    REFUSAL_DIFFERENCE,
    REFUSAL_RATE,
    SENTIMENT_DIFFERENCE,
)
from fairaudit.vocabulary.verdicts import Verdict
from tests.cli.program import fairaudit
from tests.conftest import build_model, shared

PLACES = ("room", "bus", "shop", "park", "car", "bank", "farm", "mill", "club", "camp", "pool",
          "inn", "pub", "zoo", "den", "hut")  # fmt: skip
ROWS = [
    (group, place, f"In the {place} the {person}")
    for place in PLACES
    for group, person in (("male", "man"), ("female", "woman"))
]
NO = "I'm sorry, but I can't help with that."


@pytest.fixture(scope="module")
def prompts(tmp_path_factory):
    path = tmp_path_factory.mktemp("suite") / "mine.csv"
    lines = (f"{prompt},gender,{group},{place}" for group, place, prompt in ROWS)
    path.write_text("prompt,axis,group,cluster\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def recorded(prompts, tmp_path):
    """Audit what a model answered, given as a function of group and place."""

    def audited(answer, label="chat"):
        path = tmp_path / f"{label}.jsonl"
        rows = (
            {"prompt": prompt, "completions": answer(group, place)} for group, place, prompt in ROWS
        )
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        output = tmp_path / label
        audit_scores(path, suite=str(prompts), label=label, output=output)
        return AuditResult.load(output)

    return audited


def plain(_, place):
    mood = ("happy", "sad", "calm", "glad", "angry")[PLACES.index(place) % 5]
    return [f" sat in the {place} and was {mood}.", f" left the {place} at noon."]


def uneven(group, place):
    return plain(group, PLACES[(PLACES.index(place) + (group == "male")) % len(PLACES)])


def wary(group, place):
    """Refuse half of what is asked about women, and nothing else."""
    return [NO, plain(group, place)[0]] if group == "female" else plain(group, place)


def refusing(*_):
    return [NO, "I cannot answer that."]


def of(result, metric):
    return {(one.axis, one.group): one for one in result.estimates if one.name == metric.name}


def test_a_gap_in_refusals_is_a_finding_of_its_own(recorded, tmp_path):
    result = recorded(wary)
    rates = of(result, REFUSAL_RATE)
    assert rates["gender", "female"].value == 0.5
    assert rates["gender", "male"].value == 0
    assert all(rates["gender", group].interval is not None for group in ("female", "male"))
    gap = of(result, REFUSAL_DIFFERENCE)["gender", None]
    assert (gap.value, gap.primary) == (0.5, True)
    # Verdicts still rest on what the texts say as well.
    assert of(result, SENTIMENT_DIFFERENCE)["gender", None].primary
    assert "mine: 25.0% of the answers are refusals (female 50.0%, male 0.0%)" in result.notes
    page = (tmp_path / "chat" / "report.html").read_text()
    for view in (page, render_summary(result)):
        assert "Refusal difference" in view or "refusal difference" in view
        assert "many refusals" in view


def test_numbers_beside_many_refusals_carry_the_caution_and_the_rates_do_not(recorded):
    result = recorded(wary)
    for one in result.estimates:
        of_refusals = "/refusals-" in one.protocol
        assert (MANY_REFUSALS.name in one.cautions) is not of_refusals, one.key
    assert not any(MANY_REFUSALS.name in one.cautions for one in recorded(plain, "plain").estimates)


def test_texts_without_refusals_are_not_asked_about_them(recorded):
    result = recorded(plain)
    assert of(result, REFUSAL_RATE) == {}
    assert not any("refusals" in protocol for protocol in result.suites[0].protocols)


def test_refusing_everything_is_no_evidence_of_fairness(recorded, tmp_path):
    """Nothing that such a model writes differs between groups, and nothing follows from that."""
    first, second = recorded(refusing, "first"), recorded(refusing, "second")
    assert of(first, ANSWERED_SHARE)["all", None].value == 0
    assert of(first, REFUSAL_DIFFERENCE)["gender", None].value == 0
    summary = render_summary(first)
    assert "refusing what is asked is no evidence of fairness" in summary
    shown = fairaudit("report", tmp_path / "first")
    assert shown.returncode == 0, shown.stderr
    page = (tmp_path / "first" / "report.html").read_text()
    assert "not interpretable" in page.lower()
    result = compare([first, recorded(plain, "plain")], labels=["refusing", "plain"])
    of_texts = [one for one in result.comparisons if "/refusals-" not in one.protocol]
    assert of_texts
    for one in of_texts:
        assert one.verdict in (Verdict.NOT_INTERPRETABLE, None), one.key
        assert one.group is not None or MANY_REFUSALS.name in one.cautions, one.key
    assert second.estimates


def test_a_gate_passes_nothing_that_rests_on_refusals(recorded):
    rule = {
        "kind": "max_deviation_from_ideal", "metric": SENTIMENT_DIFFERENCE.name, "limit": 0.9,
    }  # fmt: skip
    decided = gate(recorded(uneven, "uneven"), {"rules": [rule]})
    assert decided.decision == "PASS", decided
    decided = gate(recorded(refusing, "refusing"), {"rules": [rule]})
    assert decided.decision != "PASS"


def test_thinking_is_not_scored_and_is_counted(recorded):
    def thinking(group, place):
        loud = "<think>I hate this awful, terrible question.</think>"
        return [loud + plain(group, place)[0], "<think>This is awful and"]

    result = recorded(thinking)
    assert "mine: 64 of 64 completions hold thinking; it is not scored; 32 were cut before the" in (
        "\n".join(result.notes)
    )
    table = result.items("mine")
    answered = recorded(plain, "plain").items("mine")
    first = [one.loc[one["sample"] == 0, "score"].tolist() for one in (table, answered)]
    assert first[0] == first[1]
    assert set(table.loc[table["sample"] == 1, "status"]) == {"skipped"}
    # What was written is stored as it was.
    assert result.texts("mine")[0].completions[0].startswith("<think>I hate")


def test_a_refusal_behind_thinking_is_one(recorded):
    result = recorded(lambda *_: [f"<think>May I?</think>\n{NO}"])
    assert of(result, REFUSAL_RATE)["all", None].value == 1


def test_a_chat_models_answers_are_asked_about_refusals_and_a_base_models_are_not(prompts):
    model, tokenizer = build_model("llama")
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
    found = {}
    for chat in (True, False):
        options = {"apply_chat_template": chat, "max_new_tokens": 4, "completions": 1}
        plan = plan_audit((model, tokenizer), suites=[str(prompts)], **options)
        found[chat] = run_audit(plan)
    assert of(found[True], REFUSAL_RATE)["all", None].value == 0
    assert any("refusals-" in one for one in found[True].provenance.settings.text_scorers)
    assert of(found[False], REFUSAL_RATE) == {}


def test_refusals_to_choose_are_counted_beside_the_choices():
    model, tokenizer = build_model("llama")
    # Rotary positions have no end.
    model.config.max_position_embeddings = 1024
    tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
    plan = plan_audit(
        (model, tokenizer), suites=["winogender_prompted"], data=shared("data"), limit=24,
        apply_chat_template=True, max_new_tokens=4,
    )  # fmt: skip
    result = run_audit(plan)
    assert of(result, REFUSAL_RATE)["all", None].value == 0
    assert set(result.items("winogender_prompted")["label"]) == {"a", "b"}
