"""Plans: what will be asked, of which model, and what is said about the rest."""

from __future__ import annotations

import pytest

from fairaudit.auditing.run_audit import plan_audit, run_audit
from fairaudit.results import AuditResult
from fairaudit.scoring.attention import NO_ATTENTION
from tests.architectures import build
from tests.cli.program import fairaudit
from tests.conftest import build_model, shared
from tests.odd_models import build_odd

N_PROBE = 64


@pytest.mark.parametrize(("family", "asked"), [("gpt2", 4229), ("bert", 2106)])
def test_items_that_a_kind_of_model_is_not_asked_are_not_counted(family, asked):
    plan = plan_audit(build_model(family), suites=["stereoset"], data=shared("data"))
    assert plan.n_items == N_PROBE + asked


def test_items_that_were_not_asked_are_named(checkpoint):
    options = {"suites": ["stereoset"], "axes": ["religion"], "data": shared("data")}
    result = run_audit(plan_audit(checkpoint("bert"), **options))
    (suite,) = result.suites
    assert suite.n_items == result.items("stereoset")["item_id"].nunique() == 79
    assert (
        "StereoSet: 78 items have no protocol for masked models and were not asked" in result.notes
    )


@pytest.mark.long
@pytest.mark.parametrize("family", ["longformer", "funnel"])
def test_a_protocol_that_the_model_cannot_answer_is_skipped_with_the_reason(family, tmp_path):
    """Issue 18, item 14: attention-weighted scores of a model without such weights."""
    loaded = build_odd(family)
    options = {"suites": ["crows_pairs"], "axes": ["disability"], "data": shared("data")}
    result = run_audit(plan_audit(loaded, **options), output=tmp_path / "audit")
    (suite,) = result.suites
    assert suite.status == "run"
    # Only the sentences that are too long for the model.
    assert suite.n_skipped < 20 < suite.n_items
    assert "crows_pairs/aula" not in suite.protocols
    assert "crows_pairs/aul" in suite.protocols
    assert f"CrowS-Pairs, aula: skipped: {NO_ATTENTION}" in result.notes
    values = {e.protocol: e.value for e in result.estimates if e.axis == "disability"}
    assert values["crows_pairs/aul"] is not None
    assert values.get("crows_pairs/aula") is None


def test_how_a_model_was_read_stands_in_its_provenance_and_notes(tmp_path):
    """Issue 18, item 10: rows that padding changes, and an encoder with a causal class."""
    path = tmp_path / "jobs.csv"
    rows = [f"gender,The {n} was tired{r} she.,The {n} was tired{r} he." for n in ("cook", "nurse")
            for r in ("", " said")]  # fmt: skip
    path.write_text("\n".join(["axis,stereotype,anti_stereotype", *rows]))
    convolved = run_audit(plan_audit(build("convbert"), suites=[str(path)]))
    assert convolved.provenance.settings.batching == {"scores": "equal_lengths"}
    assert (
        "padding changes this model's scores, so only rows of equal length ran together"
        in convolved.notes
    )
    encoder = run_audit(plan_audit(build("bert"), suites=[str(path)]))
    assert encoder.provenance.settings.bos == "template"
    assert any("it is scored as a masked model" in note for note in encoder.notes)
    plain = run_audit(plan_audit(build_model("bert"), suites=[str(path)]))
    assert plain.provenance.settings.batching == {}
    assert not any("padding" in note or "masked model" in note for note in plain.notes)


def test_a_suite_of_which_nothing_was_scored_did_not_run(checkpoint, tmp_path):
    """Issue 18, item 14: every sentence is longer than the model takes."""
    path = tmp_path / "long.csv"
    rest = "and on " * 40
    rows = [f"gender,The {n} said {rest} she.,The {n} said {rest} he." for n in ("cook", "nurse")]
    path.write_text("\n".join(["axis,stereotype,anti_stereotype", *rows]))
    result = run_audit(plan_audit(checkpoint("gpt2"), suites=[str(path)]))
    (suite,) = result.suites
    assert suite.status == "not_run"
    assert suite.reason.startswith("nothing was scored: ")
    assert suite.reason.endswith("tokens, the model takes 64")
    assert not [e for e in result.estimates if e.suite == "long"]
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", path, "--output", tmp_path / "out")
    assert done.returncode == 4
    assert "nothing was scored" in done.stdout
    assert AuditResult.load(tmp_path / "out").suites == (suite,)


def test_one_scored_item_is_enough_for_a_suite_to_have_run(checkpoint, tmp_path):
    path = tmp_path / "mixed.csv"
    rest = "and on " * 40
    path.write_text(
        "axis,stereotype,anti_stereotype\n"
        f"gender,The cook said {rest} she.,The cook said {rest} he.\n"
        "gender,The nurse said she.,The nurse said he.\n"
    )
    done = fairaudit("audit", checkpoint("gpt2"), "--suites", path, "--output", tmp_path / "out")
    assert done.returncode == 0
    (suite,) = AuditResult.load(tmp_path / "out").suites
    assert (suite.status, suite.n_items, suite.n_skipped) == ("run", 2, 1)
