"""What the gate reads about the two audits: settings that differ, and which way the change runs."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.errors import UsageError
from fairaudit.gating.gate import gate
from fairaudit.gating.policy import read_policy
from fairaudit.report.junit import render_junit
from fairaudit.results import (
    AdapterOrigin,
    ComparisonProvenance,
    ModelIdentity,
    Provenance,
    Settings,
)
from fairaudit.results.relations import is_swapped, setting_differences
from tests.comparing.audits import make_audit, pair_table
from tests.gating.cases import (
    AMPLIFIED,
    CAPABLE,
    DEVIATION,
    EPSILON,
    EQUIVALENT,
    IDENTICAL,
    INCREASE,
    ITEMS,
    RAN,
    SAME_RATE,
)
from tests.gating.results import policy, provenance

FLOAT = Settings(dtype="float32", bos="bos:<s>", max_length=1024)


def sides(baseline: Provenance, candidate: Provenance, of=SAME_RATE):
    """Return a comparison whose sides come from there."""
    both = ComparisonProvenance(baseline=baseline, candidates={"dp": candidate})
    return of.model_copy(update={"provenance": both})


def scored(**changes) -> Provenance:
    return Provenance(
        model=ModelIdentity(id="m", fingerprint=changes.pop("fingerprint", "c0ffee"),
                            quantization=changes.pop("quantization", None)),
        settings=FLOAT.model_copy(update=changes),
    )  # fmt: skip


DIFFERENT = {
    "dtype": {"dtype": "bfloat16"},
    "bos": {"bos": "none"},
    "max_length": {"max_length": 512},
    "quantization": {"quantization": "bitsandbytes 8 bit"},
    "engine": {"recorded": "ab12"},
}


@pytest.mark.parametrize(("name", "change"), DIFFERENT.items(), ids=DIFFERENT)
def test_settings_that_differ_keep_a_rule_about_a_baseline_from_passing(name, change):
    """Issue 18, item 7: a fact of the file, not of a note."""
    result = sides(scored(), scored(**change))
    for rule in (INCREASE, EQUIVALENT):
        (check,) = gate(result, policy(rule)).rules
        assert check.decision == "INCONCLUSIVE"
        assert f'allow_differences = ["{name}"] in [policy]' in check.reason
        assert check.interval is not None
        allowed = gate(result, policy(rule, allow_differences=[name]))
        assert allowed.decision == "PASS"
        others = [one for one in DIFFERENT if one != name]
        assert gate(result, policy(rule, allow_differences=others)).decision == "INCONCLUSIVE"
    assert gate(result, policy(DEVIATION)).decision == "PASS"


def test_what_says_nothing_about_the_scores_may_differ():
    other = scored(seed=7, item_limit=100, suites=("templates",), token_budget=9)
    other = other.model_copy(update={"device": "cuda", "versions": {"torch": "9"}})
    assert list(setting_differences(scored(), other)) == []
    assert gate(sides(scored(), other), policy(INCREASE)).decision == "PASS"


def test_a_failure_and_an_identity_stay_what_they_are():
    other = scored(dtype="bfloat16")
    assert gate(sides(scored(), other, AMPLIFIED), policy(INCREASE)).decision == "FAIL"
    assert gate(sides(scored(), other, IDENTICAL), policy(INCREASE)).decision == "PASS"


def test_one_candidate_of_two_differs():
    pairs = pair_table([1.0, -1.0] * 1000)
    half = Settings(dtype="bfloat16", suites=("mine",))
    audits = [make_audit("base", pairs), make_audit("same", pairs),
              make_audit("half", pairs, settings=half)]  # fmt: skip
    result = compare(audits)
    assert [rule.decision for rule in gate(result, policy(INCREASE)).rules] == [
        "PASS", "INCONCLUSIVE",
    ]  # fmt: skip
    assert "half was scored with dtype bfloat16, the baseline with None" in result.notes


def test_an_unknown_setting_is_one_line():
    with pytest.raises(UsageError, match=r"\[policy\] allow_differences.*'dtype'") as caught:
        read_policy(policy(INCREASE, allow_differences=["precision"]))
    assert "\n" not in str(caught.value)
    assert read_policy(policy(INCREASE, allow_differences="dtype")).policy.allow_differences


def model(name: str, **fields) -> Provenance:
    return Provenance(
        model=ModelIdentity(id=name, fingerprint=fields.pop("fingerprint", f"weights of {name}"),
                            adapter=fields.pop("adapter", None)),
        settings=Settings(), **fields,
    )  # fmt: skip


BASE = model("base")
TUNED = {
    "training.json": model("tuned", training={"base_fingerprint": "weights of base"}),
    "--base": model("tuned", base=BASE.model),
    "--base without fingerprints": model("tuned", base=ModelIdentity(id="base")),
    "adapter": model("tuned", adapter=AdapterOrigin(
        base="base", base_fingerprint="weights of base", tokenizer="base")),
}  # fmt: skip


@pytest.mark.parametrize("tuned", TUNED.values(), ids=TUNED)
def test_a_baseline_that_was_made_from_the_candidate_is_refused(tuned):
    """Issue 18, item 7: an amplification read backwards is a reduction."""
    assert is_swapped(tuned, BASE)
    assert not is_swapped(BASE, tuned)
    assert not is_swapped(tuned, tuned)
    for rule in (INCREASE, EQUIVALENT):
        decided = gate(sides(tuned, BASE), policy(rule))
        assert (decided.decision, decided.exit_code) == ("NOT_RUN", 3)
        assert "base was made from dp" in decided.rules[0].reason
        assert gate(sides(BASE, tuned), policy(rule)).decision == "PASS"


@pytest.mark.parametrize("rule", [INCREASE, EQUIVALENT, DEVIATION, EPSILON, CAPABLE, ITEMS],
                         ids=lambda rule: rule["kind"])  # fmt: skip
def test_no_rule_passes_swapped_sides_and_nothing_forgives_them(rule):
    """Rules without a baseline would pass for the base model, and the gate would be green."""
    result = sides(TUNED["training.json"], BASE)
    for allow in (False, True):
        decided = gate(result, policy(RAN, rule), allow_inconclusive=allow)
        assert (decided.decision, decided.exit_code) == ("NOT_RUN", 3)
        assert [one.refused for one in decided.rules] == [False, True]
        assert render_junit(decided, allow_inconclusive=allow).count("<error ") == 1


def test_settings_that_differ_are_not_forgiven_as_undecided():
    result = sides(scored(), scored(dtype="bfloat16"))
    refused = gate(result, policy(RAN, INCREASE), allow_inconclusive=True)
    assert (refused.decision, refused.exit_code) == ("INCONCLUSIVE", 3)
    named = policy(RAN, INCREASE, allow_differences=["dtype"])
    assert gate(result, named, allow_inconclusive=True).exit_code == 0


def test_the_privacy_statement_names_the_base_too():
    result = sides(model("tuned"), BASE)
    claim = {"base": {"base_fingerprint": "weights of base"}}
    claimed = result.provenance.model_copy(update={"privacy": claim})
    swapped = result.model_copy(update={"provenance": claimed})
    assert gate(result, policy(INCREASE)).decision == "PASS"
    assert gate(swapped, policy(INCREASE)).decision == "NOT_RUN"


def test_models_of_one_base_are_not_swapped():
    siblings = [model(name, training={"base_fingerprint": "weights of base"}) for name in "ab"]
    assert not is_swapped(*siblings)
    assert gate(sides(*siblings), policy(INCREASE)).decision == "PASS"
    assert not is_swapped(provenance(), provenance())


def test_compare_says_that_its_sides_look_swapped():
    rng = np.random.default_rng(0)
    tables = [pair_table(rng.normal(level, 1, 300).tolist()) for level in (0.0, 1.0)]
    base = make_audit("base", tables[0])
    tuned = make_audit("tuned", tables[1], training={"base_fingerprint": "weights of base"})
    said = "tuned was made from base: baseline and candidate look swapped"
    assert not [note for note in compare([base, tuned]).notes if "swapped" in note]
    backwards = compare([tuned, base])
    assert [note for note in backwards.notes if note.startswith(said)]
    assert gate(backwards, policy({"kind": "max_increase_vs_baseline"})).decision == "NOT_RUN"
    assert gate(compare([base, tuned]), policy({"kind": "max_increase_vs_baseline"})).decision == (
        "FAIL"
    )
