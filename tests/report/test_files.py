from __future__ import annotations

from pathlib import Path

import pytest

from fairaudit.errors import ResultError
from fairaudit.report.files import write_report
from fairaudit.results import AuditResult


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_files_of_a_report(audit: AuditResult, tmp_path: Path):
    write_report(audit, tmp_path / "audit")
    first = _content(tmp_path / "audit")
    assert set(first) == {
        "report.html",
        "summary.md",
        "figures/preference.png",
        "figures/log_odds.png",
        "figures/capability.png",
    }
    write_report(audit, tmp_path / "audit")
    assert _content(tmp_path / "audit") == first
    assert list(tmp_path.iterdir()) == [tmp_path / "audit"]


def test_a_report_beside_its_result(empty: AuditResult, tmp_path: Path):
    empty.save(tmp_path / "audit")
    before = (tmp_path / "audit" / "result.json").read_bytes()
    write_report(AuditResult.load(tmp_path / "audit"), tmp_path / "audit")
    assert (tmp_path / "audit" / "result.json").read_bytes() == before
    assert set(_content(tmp_path / "audit")) == {"result.json", "report.html", "summary.md"}


def test_figures_of_an_earlier_report_do_not_stay(
    audit: AuditResult, empty: AuditResult, tmp_path: Path
):
    write_report(audit, tmp_path)
    write_report(empty, tmp_path)
    assert not list((tmp_path / "figures").glob("*.png"))


def test_a_file_in_the_way(empty: AuditResult, tmp_path: Path):
    (tmp_path / "audit").write_text("mine")
    with pytest.raises(ResultError):
        write_report(empty, tmp_path / "audit")
    assert (tmp_path / "audit").read_text() == "mine"
