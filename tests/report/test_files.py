from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from fairaudit.cli.app import app
from fairaudit.errors import ResultError
from fairaudit.report.files import write_report
from fairaudit.report.raster import MARK
from fairaudit.results import AuditResult, ComparisonResult
from fairaudit.results.loading import load_result
from tests.report import comparisons


def _content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.long
def test_the_files_of_a_report(audit: AuditResult, tmp_path: Path):
    write_report(audit, tmp_path / "audit")
    first = _content(tmp_path / "audit")
    assert set(first) == {
        "report.html",
        "summary.md",
        "model_card.md",
        ".eval_results/crows_pairs.yaml",
        ".eval_results/stereoset_intrasentence.yaml",
        "tables/primary.csv",
        "tables/primary.tex",
        *(
            f"figures/{stem}.{kind}"
            for stem in ("preference", "log_odds", "capability", "groups")
            for kind in ("png", "svg", "pdf")
        ),
    }
    write_report(audit, tmp_path / "audit")
    assert _content(tmp_path / "audit") == first
    assert list(tmp_path.iterdir()) == [tmp_path / "audit"]


def test_a_report_beside_its_result(empty: AuditResult, tmp_path: Path):
    empty.save(tmp_path / "audit")
    before = (tmp_path / "audit" / "result.json").read_bytes()
    write_report(AuditResult.load(tmp_path / "audit"), tmp_path / "audit")
    assert (tmp_path / "audit" / "result.json").read_bytes() == before
    assert set(_content(tmp_path / "audit")) == {
        "result.json",
        "report.html",
        "summary.md",
        "model_card.md",
        "tables/primary.csv",
        "tables/primary.tex",
    }


@pytest.mark.long
def test_figures_of_an_earlier_report_do_not_stay(
    audit: AuditResult, empty: AuditResult, tmp_path: Path
):
    write_report(audit, tmp_path)
    write_report(empty, tmp_path)
    assert not list((tmp_path / "figures").glob("*.png"))
    assert not list((tmp_path / ".eval_results").glob("*.yaml"))


def test_a_file_in_the_way(empty: AuditResult, tmp_path: Path):
    (tmp_path / "audit").write_text("mine")
    with pytest.raises(ResultError):
        write_report(empty, tmp_path / "audit")
    assert (tmp_path / "audit").read_text() == "mine"


def test_the_files_of_a_comparison(tmp_path: Path):
    made = comparisons.half_missing()
    made.save(tmp_path)
    write_report(load_result(tmp_path), tmp_path)
    first = _content(tmp_path)
    assert set(first) == {
        "result.json",
        "report.html",
        "summary.md",
        "tables/primary.csv",
        "tables/primary.tex",
        *(f"figures/differences.{kind}" for kind in ("png", "svg", "pdf")),
    }
    write_report(made, tmp_path)
    assert _content(tmp_path) == first


def test_figures_of_candidates_that_are_gone_do_not_stay(tmp_path: Path, empty: AuditResult):
    (tmp_path / "figures").mkdir()
    for name in ("differences_1.png", "plane.png", "mine.png"):
        (tmp_path / "figures" / name).write_bytes(b"old " + MARK)
    write_report(empty, tmp_path)
    assert [path.name for path in (tmp_path / "figures").iterdir()] == ["mine.png"]


def test_whichever_result_lies_there_is_read(tmp_path: Path, empty: AuditResult):
    empty.save(tmp_path / "audit")
    comparisons.undecided().save(tmp_path / "comparison")
    assert isinstance(load_result(tmp_path / "audit"), AuditResult)
    assert isinstance(load_result(tmp_path / "comparison"), ComparisonResult)


@pytest.mark.parametrize("content", [None, "", "[1]", "{", '{"schema": ["fairaudit/audit"]}'])
def test_no_result_lies_there(tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(ResultError):
        load_result(tmp_path)


def test_the_command_renders_a_comparison(tmp_path: Path):
    comparisons.undecided().save(tmp_path)
    done = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert "undecided" in (tmp_path / "summary.md").read_text(encoding="utf-8")
