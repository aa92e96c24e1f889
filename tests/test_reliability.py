"""docs/reliability.md says what the tests show, no more and no less."""

from __future__ import annotations

from tests.reliability import PAGE, faults, written


def test_the_table_of_faults_is_that_of_the_tests():
    """After a change: ``python -m tests.reliability``."""
    page = PAGE.read_text(encoding="utf-8")
    assert written(page) == page


def test_there_are_faults_and_each_stands_once():
    found = [one.what for one in faults()]
    assert len(found) > 10
    assert len(set(found)) == len(found)
    assert "reliability.md" in (PAGE.parents[1] / "README.md").read_text(encoding="utf-8")
