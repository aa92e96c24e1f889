"""Score tables and provenance that no audit writes: refused or doubted, never computed with."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.comparing.compare import compare
from fairaudit.errors import ResultError, UsageError
from fairaudit.vocabulary.verdicts import SMALLEST_ALPHA
from tests.comparing.audits import make_audit, pair_table, probe_table

PAIRS = pair_table([1.0, -1.0] * 50)


def changed(column, value, rows=slice(3, 5)):
    table = PAIRS.astype({column: object})
    table.iloc[rows, table.columns.get_loc(column)] = value
    return table


DAMAGED = {
    "NaN": (changed("score", np.nan).astype({"score": float}),
        "column 'score' is not a finite number in 2 rows"),
    "infinity": (changed("score", np.inf).astype({"score": float}),
        "column 'score' is not a finite number in 2 rows"),
    "minus infinity": (changed("score", -np.inf).astype({"score": float}),
        "column 'score' is not a finite number in 2 rows"),
    "text": (PAIRS.assign(score=PAIRS["score"].astype(str)), "'score' does not hold numbers"),
    "no cluster": (changed("cluster", None), "column 'cluster' is empty in 2 rows"),
    "no axis": (PAIRS.assign(axis=None), "column 'axis' is empty in 200 rows"),
    "another status": (PAIRS.assign(status="OK"), "column 'status' holds 'OK'"),
}  # fmt: skip


@pytest.mark.parametrize(("table", "message"), DAMAGED.values(), ids=DAMAGED)
def test_a_damaged_table_is_one_line_that_names_suite_and_column(table, message):
    sound = make_audit("a", PAIRS)
    damaged = make_audit("b", PAIRS).with_tables({"mine": table})
    for pair in ([sound, damaged], [damaged, sound]):
        with pytest.raises(ResultError, match="b: items of 'mine' are damaged: ") as caught:
            compare(pair)
        assert message in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_skipped_item_needs_no_score():
    skipped = pair_table([1.0, -1.0] * 50 + [float("nan")])
    assert compare([make_audit("a", skipped), make_audit("b", skipped)]).comparisons


@pytest.mark.parametrize(("shift", "verdicts"), [(1e-4, {"identical"}), (1.5, {"amplified"})])
def test_one_model_with_two_scores_is_not_identical(shift, verdicts):
    other = PAIRS.assign(score=PAIRS["score"] + shift * (PAIRS["role"] == "stereotype"))
    audits = [make_audit(name, table, fingerprint="one") for name, table in
              (("a", PAIRS), ("b", other))]  # fmt: skip
    result = compare(audits)
    rates = [one for one in result.comparisons if one.name == "stereotype_preference_rate"]
    assert {one.verdict for one in rates} == verdicts
    doubted = [note for note in result.notes if "recorded as the same model" in note]
    assert len(doubted) == (verdicts != {"identical"})


def test_one_model_with_two_probe_scores_is_not_identical():
    probes = [probe_table(np.full((45, 20), level)) for level in (-2.0, -2.5)]
    audits = [make_audit(name, PAIRS, probe, fingerprint="one")
              for name, probe in zip("ab", probes, strict=True)]  # fmt: skip
    assert "identical" not in {one.verdict for one in compare(audits).comparisons}


def test_error_levels_beyond_any_bound_are_refused():
    audits = [make_audit(name, PAIRS) for name in "ab"]
    with pytest.raises(UsageError, match=r"between 1e-06 and 0\.5, not 1e-300"):
        compare(audits, alpha=1e-300)
    assert compare(audits, alpha=SMALLEST_ALPHA).comparisons
