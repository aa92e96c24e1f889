"""A comparison as a folder: written whole, read back equal, never over another one."""

from __future__ import annotations

import pytest

from fairaudit.comparing.compare import compare
from fairaudit.errors import ResultError
from fairaudit.results import ComparisonResult
from tests.comparing.audits import make_audit, pair_table
from tests.comparing.test_compare import wins


def test_the_result_survives_its_file_and_repeats(tmp_path):
    audits = [make_audit(n, pair_table(wins(60, k))) for n, k in (("a", 20), ("b", 40))]
    for audit in audits:
        audit.save(tmp_path / audit.label)
    first = compare([tmp_path / "a", tmp_path / "b"], output=tmp_path / "both")
    again = ComparisonResult.load(tmp_path / "both")
    assert again == first
    assert (tmp_path / "both" / "report.html").stat().st_size > 1000
    repeated = compare(audits)
    assert repeated.model_copy(update={"run": first.run}) == first
    with pytest.raises(ResultError, match="holds another result"):
        compare(audits, alpha=0.1, output=tmp_path / "both")
