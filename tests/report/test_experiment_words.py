from __future__ import annotations

from dataclasses import replace

import pytest

from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import summary, view
from fairaudit.report.experiment.arms import arm_of, in_order
from fairaudit.report.experiment.training import Case, Reading, readings
from fairaudit.report.marks import Tone
from fairaudit.results.experiment import ArmDifference
from fairaudit.vocabulary.arms import Arm
from fairaudit.vocabulary.claims import NEGLIGIBLE, Finding
from tests.report.experiments import (
    ARMS,
    claim,
    complete,
    difference,
    in_regimes,
    interval,
    whole_experiment,
    with_failures,
)


@pytest.mark.parametrize(
    ("fields", "brief", "tone"),
    [
        ({}, "DP, ε = 3 leans further towards the stereotype than Plain", Tone.APART),
        (
            {"finding": "not_supported", "value": 0.02, "interval": interval(-0.1, 0.14)},
            "an amplification of 0.200 nats or more is excluded",
            Tone.WITHIN,
        ),
        (
            {"finding": "not_supported", "value": -0.5, "interval": interval(-0.7, -0.3)},
            "DP, ε = 3 leans less towards the stereotype than Plain",
            Tone.OPPOSITE,
        ),
        (
            {"finding": "undecided", "value": 0.1, "interval": interval(-0.2, 0.4)},
            "compatible with an amplification of up to 0.400 nats, or with none",
            Tone.OPEN,
        ),
        (
            {"finding": "undecided", "value": 0.2, "interval": interval(0.01, 0.4)},
            "compatible with an amplification of up to 0.400 nats (0 is left out by this interval, "
            "yet not after correction over axes)",
            Tone.OPEN,
        ),
        (
            {"finding": "undecided", "value": 0.2, "interval": None, "reason": "1 seed only"},
            "1 seed only",
            Tone.OPEN,
        ),
        (
            {"finding": "undecided", "value": None, "interval": None, "reason": "arm failed"},
            "arm failed",
            Tone.OPEN,
        ),
        (
            {"claim": "cda_removes_amplification", "reference": "dp_cda_3"},
            "DP + CDA, ε = 3 leans less towards the stereotype than DP, ε = 3",
            Tone.APART,
        ),
        (
            {
                "claim": "cda_removes_amplification",
                "reference": "dp_cda_3",
                "finding": "not_supported",
                "interval": interval(-0.7, -0.3),
            },
            "DP + CDA, ε = 3 leans further towards the stereotype than DP, ε = 3",
            Tone.OPPOSITE,
        ),
        (
            {
                "claim": "cda_removes_amplification",
                "reference": "dp_cda_3",
                "finding": "not_applicable",
                "interval": interval(0.1, 0.3),
                "reason": "there is none to remove",
            },
            "there is none to remove",
            Tone.OPEN,
        ),
        (
            {"claim": "gradients_converge_unequally"},
            "groups converge more unequally in DP, ε = 3 than in Plain",
            Tone.APART,
        ),
        ({"claim": "somebody_else_s"}, "DP, ε = 3 lies above Plain", Tone.APART),
    ],
)
def test_every_finding_in_words(fields: dict[str, object], brief: str, tone: Tone):
    found = claim(**fields)
    assert findings.brief(found) == brief
    assert findings.mark_of(found).tone is tone
    assert findings.sentences(found)[-1] == findings.word_of(found).limit


def test_a_finding_in_sentences():
    assert findings.sentences(claim()) == (
        "Gender: mean log-odds of DP, ε = 3 minus Plain: +0.400 nats, 95 % interval "
        "[+0.250, +0.550] over 5 seeds.",
        "DP, ε = 3 leans further towards the stereotype than Plain (Holm over axes, adjusted "
        "p = 0.006).",
        "The interval over seeds lies beyond 0 in the claimed direction, also after correction "
        "for the number of axes.",
        "This does not say that other models, texts or settings would show it.",
    )
    one = claim(interval=None, n_seeds=1, finding="undecided", reason="too few")
    assert findings.measured(one).endswith(
        "+0.400 nats over 1 seed, without an interval (too few)."
    )
    none = claim(value=None, interval=None, finding="undecided", reason="arm failed")
    assert findings.measured(none).endswith("minus Plain: no value (arm failed).")


def test_a_rate_differs_in_points():
    found = claim(metric="stereotype_preference_rate", value=0.052, interval=None)
    assert findings.measured(found).startswith("Gender: stereotype preference rate")
    assert "+5.2 points" in findings.measured(found)


ABOVE, BELOW, OPEN = difference(0.1, 0.5), difference(-0.5, -0.1), difference(-0.2, 0.3)
UNKNOWN = difference(None)


def test_a_finding_has_one_colour_and_one_mark_wherever_it_is_shown():
    """ "Not supported" was blue or green, "supported" orange or black."""
    claims = [*complete().claims, *(one for some in in_regimes().regimes for one in some.claims)]
    shown = {(findings.word_of(one), findings.mark_of(one).tone) for one in claims}
    assert {word for word, _ in shown} == {one for one in findings.WORDS[:5] if one != NEGLIGIBLE}
    assert all(tone is word.tone for word, tone in shown)
    # What is negligible is no effect that matters: it has the colour of that finding.
    decided = [
        one.tone for one in findings.WORDS if one.tone is not Tone.OPEN and one != NEGLIGIBLE
    ]
    assert len(set(decided)) == len(decided) == 3
    assert len({word.mark for word in findings.WORDS}) == len(findings.WORDS)


@pytest.mark.parametrize("finding", ["supported", "not_supported"])
def test_a_claim_within_the_margin_is_supported_but_negligible(finding: str):
    """An effect too small to matter was told like one that matters, or as none."""
    small = claim(finding=finding, value=0.05, interval=interval(0.02, 0.08), margin=0.1)
    assert findings.word_of(small).label == "supported, but negligible"
    assert findings.brief(small).endswith("yet by less than the 0.100 nats that would matter")
    made = complete().model_copy(update={"claims": (small,)})
    assert summary.answers(made)[0] == "DP amplifies bias: supported, but negligible on gender."
    large = small.model_copy(update={"interval": interval(0.02, 0.12)})
    lost = small.model_copy(update={"p_adjusted": 0.2})
    for other in (large, lost):
        assert findings.word_of(other) == other.finding.word


def test_the_opposite_of_a_claim_is_a_finding_in_the_answer():
    (_, biased) = in_regimes().regimes
    assert summary.answers(biased)[0].startswith("DP amplifies bias: the opposite is shown on all")


@pytest.mark.parametrize(
    ("plain", "matched", "short"),
    [
        (BELOW, OPEN, "explained by under-training"),
        (ABOVE, OPEN, "explained by under-training"),
        (ABOVE, ABOVE, "not explained by under-training"),
        (BELOW, BELOW, "not explained by under-training"),
        (BELOW, ABOVE, "the sides differ"),
        (ABOVE, BELOW, "the sides differ"),
        (ABOVE, None, "under-training not ruled out"),
        (ABOVE, UNKNOWN, "under-training not ruled out"),
        (OPEN, OPEN, "not told apart from plain"),
        (OPEN, None, "not told apart from plain"),
        (OPEN, ABOVE, "apart only at equal training"),
        (UNKNOWN, ABOVE, "too few seeds to tell"),
    ],
)
def test_under_training_explains_only_what_plain_alone_shows(
    plain: ArmDifference, matched: ArmDifference | None, short: str
):
    found = Reading(arm_of("dp_3"), "gender", plain, matched, gap=0.1)
    assert found.case.short == short
    assert (found.case is Case.EXPLAINED) == (short == "explained by under-training")
    assert found.words.startswith("Explained by under-training: ") == (found.case is Case.EXPLAINED)


@pytest.mark.parametrize("gap", [None, 0.4])
def test_a_match_that_is_not_close_explains_nothing(gap):
    """Perplexity does not tell how far a model is along, or no checkpoint is as far."""
    for matched in (OPEN, ABOVE, BELOW):
        found = Reading(arm_of("dp_3"), "gender", BELOW, matched, gap=gap)
        assert found.case.short == "under-training not ruled out"
        assert found.case is not Case.EXPLAINED
    hidden = Reading(arm_of("dp_3"), "gender", OPEN, ABOVE, gap=gap)
    assert hidden.case.short == "not told apart from plain"


def test_the_gap_of_a_match_is_that_of_all_seeds():
    made = whole_experiment()
    assert all(one.is_close for one in readings(made) if one.matched is not None)
    one_unknown = tuple(
        run.model_copy(update={"match_gap": None})
        if (run.arm, run.seed) == ("plain_matched_3", 1)
        else run
        for run in made.runs
    )
    doubtful = readings(made.model_copy(update={"runs": one_unknown}))
    assert {one.gap for one in doubtful if one.arm.id == "dp_3"} == {None}
    assert all(one.is_close for one in doubtful if one.arm.id == "dp_20")


def test_what_under_training_leaves_open_is_said():
    found = Reading(arm_of("dp_3"), "gender", BELOW, OPEN, gap=0.1)
    assert found.words == (
        "Explained by under-training: beyond 0 against plain, but not against a plain checkpoint "
        "of the same perplexity. At equal perplexity, up to 0.300 nats more or 0.200 nats less "
        "remains possible."
    )


def test_readings_of_an_experiment():
    found = {(one.arm.id, one.axis): one for one in readings(whole_experiment())}
    assert {arm for arm, _ in found} == {"dp_3", "dp_10", "dp_20"}
    assert found["dp_3", "gender"].case is Case.EXPLAINED
    assert found["dp_10", "gender"].case.short == "under-training not ruled out"
    assert found["dp_20", "gender"].case.short == "not explained by under-training"
    said = summary.explained(whole_experiment())
    assert "Explained by under-training, as far as these seeds can tell: DP, ε = 3 (gender" in said
    assert "Not explained by under-training: DP, ε = 20 (gender" in said
    assert "Under-training is not ruled out: DP, ε = 10 (gender" in said


def test_the_answer_names_every_claim_and_axis():
    said = summary.answers(complete())
    assert said[0] == "DP amplifies bias: supported on all 3 axes (gender, race and religion)."
    assert said[1] == (
        "Gradients converge unequally: supported on gender; not supported on race; undecided on "
        "religion."
    )
    assert said[2].startswith("CDA removes the amplification: ")
    assert summary.answers(whole_experiment(arms=("base", "cda")))[0].startswith("No claim")


def test_one_seed_decides_nothing():
    made = whole_experiment(n_seeds=1)
    assert all("undecided on all 3 axes" in said for said in summary.answers(made))
    assert "each with 1 seed, " in summary.measured(made)
    assert summary.measured(made).endswith("Fewer than 3 seeds decide nothing.")
    assert "Fewer" not in summary.measured(whole_experiment())
    assert summary.explained(made) == ""


def test_what_is_missing_is_named():
    gaps = [gap.what for gap in summary.gaps(whole_experiment(arms=("base", "plain", "dp_20")))]
    assert gaps == [
        "Claim “Gradients converge unequally”",
        "Claim “CDA removes the amplification”",
        "Plain, matched",
        "Does disparity predict?",
        "Toxicity of continuations (the published Table 1)",
    ]
    assert [gap.what for gap in summary.gaps(complete())] == gaps[-1:]


def test_failures_are_listed_by_arm_and_seed():
    said = list(summary.failures(with_failures()))
    assert said[0] == "DP, ε = 3, seed 2: the loss became infinite"
    assert said[1] == "DP + CDA, per row, ε = 3, seed 0: the loss became infinite"
    assert len(said) == 6


def test_arms_are_read_from_no_privacy_to_the_most():
    names = [arm.id for arm in in_order(reversed(list(ARMS)))]
    assert names[:3] == ["base", "plain", "plain_matched_20"]
    assert names[-6:] == [
        "dp_20",
        "dp_10",
        "dp_3",
        "dp_cda_3",
        "dp_cda_separate_3",
        "dp_cda_row_3",
    ]


def test_unknown_arms_are_shown_as_they_are():
    assert arm_of("dp_cda_2.5").name == "DP + CDA, ε = 2.5"
    unknown = Arm("x", None, None, "x")
    for name in ("dp", "plain_3", "mine", "mine_3", "<b>", ""):
        assert arm_of(name) == replace(unknown, id=name, name=name)
    assert arm_of("a\nb").name == "a b"


def test_the_endpoint_is_the_declared_metric_of_the_first_protocol():
    made = whole_experiment()
    assert view.endpoint(made, "gender") == ("world/causal-sum", "mean_log_odds")
    other = made.levels[0].model_copy(update={"protocol": "a/x"})
    with_other = made.model_copy(update={"levels": (*made.levels, other)})
    assert view.endpoint(with_other, "gender") == ("a/x", "mean_log_odds")
    assert view.endpoint(made, "age") is None
    assert view.levels_of(made, "age") == ()
    bare = made.model_copy(update={"plan": {}, "claims": ()})
    assert view.endpoint(bare, "gender") == ("world/causal-sum", "mean_log_odds")


@pytest.mark.parametrize(
    ("axes", "said"),
    [
        (("gender", "race", "religion"), "none of the 3 axes (gender, race and religion)."),
        (("gender", "race"), "neither axis (gender and race)."),
    ],
)
def test_a_claim_that_holds_nowhere_does_not_sound_as_if_it_held_somewhere(axes, said):
    """ "Not supported on all 3 axes" was read as: on two of them."""
    made = complete()
    claims = tuple(
        claim.model_copy(update={"finding": Finding.NOT_SUPPORTED})
        for claim in made.claims
        if claim.axis in axes and claim.claim == made.claims[0].claim
    )
    (line, *_) = summary.answers(made.model_copy(update={"claims": claims}))
    assert line == f"DP amplifies bias: supported on {said}"
