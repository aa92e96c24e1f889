"""The item scores of an audit as a dataset: every row, and nothing lost on the way."""

from __future__ import annotations

import pandas as pd
import pytest

import fairaudit
from fairaudit.errors import UsageError
from fairaudit.integrations.item_scores import COLUMNS
from tests.conftest import build_model


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    folder = tmp_path_factory.mktemp("audit") / "out"
    fairaudit.audit(
        build_model("gpt2"), suites=["templates"], axes=["gender"], limit=30, output=folder,
        label="small", progress=False,
    )  # fmt: skip
    return folder


def test_a_dataset_has_the_rows_of_all_tables(audited, tmp_path):
    result = fairaudit.AuditResult.load(audited)
    scores = fairaudit.item_scores(audited)
    assert scores.column_names == ["model", "suite", *COLUMNS]
    assert len(scores) == sum(len(result.items(name)) for name in result.tables)
    assert set(scores["model"]) == {"small"}
    scores.to_parquet(tmp_path / "scores.parquet")
    back = pd.read_parquet(tmp_path / "scores.parquet")
    ours = result.items("templates").reset_index(drop=True)
    theirs = back[back["suite"] == "templates"].reset_index(drop=True)
    pd.testing.assert_series_equal(theirs["score"], ours["score"])
    assert list(theirs["item_id"]) == list(ours["item_id"])


def test_a_preference_can_be_counted_without_fairaudit(audited):
    result = fairaudit.AuditResult.load(audited)
    table = fairaudit.item_scores(result, suites=["templates"]).to_pandas()
    (estimate,) = (one for one in result.estimates if one.primary and one.suite == "templates")
    scores = table[table["protocol"] == estimate.protocol].pivot(
        index="item_id", columns="role", values="score"
    )
    pairs = scores.dropna(subset=["stereotype", "anti_stereotype"])
    share = (pairs["stereotype"] > pairs["anti_stereotype"]).mean()
    assert len(pairs) == estimate.n
    assert share == pytest.approx(estimate.value, abs=1 / estimate.n)


def test_an_unknown_suite_is_one_line(audited):
    with pytest.raises(UsageError, match="no items for 'bbq'; there are: probe, templates"):
        fairaudit.item_scores(audited, suites=["bbq"])
