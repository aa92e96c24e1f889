"""Plans: what will be asked, of which model, and what is said about the rest."""

from __future__ import annotations

import pytest

from fairaudit.auditing import plan_audit, run_audit
from tests.conftest import build_model, shared

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
        "stereoset: 78 items have no protocol for masked models and were not asked" in result.notes
    )
