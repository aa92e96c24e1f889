"""``fairaudit card``: once, twice, of an audit and of a comparison, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from huggingface_hub import ModelCard

from tests.cli.program import fairaudit
from tests.report import audits, comparisons


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text("---\nlicense: mit\n---\n# Mine\n")
    return path


def test_an_audit_into_a_card_twice(tmp_path: Path, readme: Path):
    audits.whole_audit().save(tmp_path / "audit")
    done = fairaudit("card", tmp_path / "audit", "--readme", readme)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"card: {readme}\n"
    first = readme.read_bytes()
    assert ModelCard.load(readme).data.license == "mit"
    assert fairaudit("--quiet", "card", tmp_path / "audit", "--readme", readme).stdout == ""
    assert readme.read_bytes() == first


def test_one_candidate_of_several(tmp_path: Path, readme: Path):
    comparisons.whole_comparison(3).save(tmp_path / "compared")
    done = fairaudit("card", tmp_path / "compared", "--readme", readme)
    assert (done.returncode, done.stdout) == (2, "")
    assert "names one of 'plain', 'dp-eps8', 'dp-eps3-cda'" in done.stderr
    done = fairaudit("card", tmp_path / "compared", "--readme", readme, "--candidate", "dp-eps8")
    assert done.returncode == 0
    assert "dp-eps8" in readme.read_text()


def test_a_damaged_card_is_one_line(tmp_path: Path, readme: Path):
    audits.whole_audit().save(tmp_path / "audit")
    readme.write_text("<!-- fairaudit:begin -->\n")
    done = fairaudit("card", tmp_path / "audit", "--readme", readme)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "fairaudit:end" in done.stderr


def test_no_result_and_no_readme(tmp_path: Path, readme: Path):
    assert fairaudit("card", tmp_path / "none", "--readme", readme).returncode == 2
    assert fairaudit("card", tmp_path).returncode == 2
