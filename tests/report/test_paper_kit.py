"""What a paper takes from a result: tables to compute with and to print, figures without titles."""

from __future__ import annotations

import csv
import io
import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from fairaudit.report import words
from fairaudit.report.comparison.view import primary
from fairaudit.report.files import write_report
from fairaudit.report.html import render_html
from fairaudit.report.papertables import MARK, paper_tables
from fairaudit.results import AuditResult
from tests.report import comparisons
from tests.report.comparisons import comparison, result, whole_comparison


def test_every_primary_number_stands_in_the_csv():
    made = whole_comparison(2)
    rows = list(csv.DictReader(io.StringIO(paper_tables(made)["primary.csv"])))
    assert len(rows) == len(primary(made))
    for found, row in zip(primary(made), rows, strict=True):
        assert row["verdict"] == (found.verdict.word.label if found.verdict else "no value")
        if found.difference is not None:
            assert float(row["difference"]) == pytest.approx(100 * found.difference, abs=1e-5)
            assert (row["difference_unit"], row["unit"]) == ("points", "%")


def test_the_latex_is_booktabs_and_nothing_from_outside_is_a_command():
    text = paper_tables(comparisons.hostile())["primary.tex"]
    assert text.startswith(MARK)
    assert "\\toprule" in text
    body = text[text.index("\\midrule") : text.index("\\bottomrule")]
    assert not re.search(r"(?<!\\)[%#_&](?!\s)", body.replace(" & ", ""))
    name = r"\input{/etc/passwd} 50%_a"
    text = paper_tables(result([comparison(candidate=name)], (name,)))["primary.tex"]
    assert r"\input{" not in text
    assert r"\textbackslash{}input\{/etc/passwd\} 50\%\_a" in text


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs LaTeX")
def test_latex_sets_it(tmp_path: Path):
    table = paper_tables(whole_comparison(2))["primary.tex"]
    head = "\\documentclass{article}\\usepackage{booktabs}\\begin{document}\n"
    (tmp_path / "a.tex").write_text(f"{head}{table}\\end{{document}}\n", "utf-8")
    asked = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "a.tex"]
    done = subprocess.run(asked, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]


def test_an_audit_has_its_tables_too(audit: AuditResult):
    tables = paper_tables(audit)
    rows = list(csv.DictReader(io.StringIO(tables["primary.csv"])))
    found = [one for one in audit.estimates if one.primary and one.kind == "bias"]
    assert len(rows) == len(found)
    assert words.value_of(found[0]).replace("%", "\\%") in tables["primary.tex"]


@pytest.mark.long
def test_figures_for_papers_lie_beside_the_png_without_titles(tmp_path: Path):
    made = whole_comparison(2)
    write_report(made, tmp_path)
    names = {path.name for path in (tmp_path / "figures").iterdir()}
    for stem in ("differences_1", "differences_2", "plane"):
        assert {f"{stem}.png", f"{stem}.svg", f"{stem}.pdf"} <= names
    plane = (tmp_path / "figures" / "plane.svg").read_text("utf-8")
    assert "fairaudit" in plane
    # Words are drawn as paths, and named in comments.
    assert "Token accuracy" in plane
    assert "Bias and capability" not in plane
    assert "<dc:date>" not in plane
    before = {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()}
    write_report(made, tmp_path)
    assert {path.name: path.read_bytes() for path in (tmp_path / "figures").iterdir()} == before
    write_report(whole_comparison(1), tmp_path)
    assert not (tmp_path / "figures" / "plane.pdf").exists()
    assert (tmp_path / "tables" / "primary.tex").exists()


def test_each_table_of_a_page_can_be_linked_and_saved():
    html = render_html(whole_comparison(2), {})
    tables = html.count('<div class="scroll"')
    assert tables > 10
    assert html.count('aria-label="Link to this table"') == tables
    saved = re.findall(r'download="table-[^"]*" href="data:text/csv;charset=utf-8,([^"]*)"', html)
    assert len(saved) == tables
    rows = list(csv.reader(io.StringIO(unquote(saved[1]))))
    assert rows[0][:2] == ["Axis, what was measured", "Verdict"]
    assert "56.4 %" in rows[1][2]


def test_a_frame_is_compact_unless_all_is_asked_for(audit: AuditResult):
    made = whole_comparison(1)
    for found, most in ((made, 20), (audit, 18)):
        small, large = found.to_frame(), found.to_frame(columns="all")
        assert small.shape[1] == most < large.shape[1]
        assert set(small.columns) <= set(large.columns)
        assert len(small) == len(large)
