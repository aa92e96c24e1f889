"""`fairaudit experiment map`: what it would take, and what it refuses."""

from __future__ import annotations

import pytest

from fairaudit.experiments.experiment_plan import shipped_plan
from tests.cli.program import fairaudit


def test_a_dry_run_says_the_grid_and_how_long_it_takes(tmp_path):
    done = fairaudit("experiment", "map", "--dry-run", "--processes", "15")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith("map map: 5 leans × 2 shares × 3 seeds, arms plain, dp_0.5, dp_2")
    assert second.startswith("estimate: 270 trainings and audits, about ")
    assert second.endswith("with 15 side by side")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("map",), "--output FOLDER to run the map"),
        (("map", "nothing.toml", "--dry-run"), "no such plan file"),
        (("map", "--dry-run", "--budget", "0.0001"), "does not fit into 1 minute"),
        (("demo", "map", "-o", "out"), "belong to a map"),
        (("demo", "--budget", "1", "-o", "out"), "belong to a map"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(arguments, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = fairaudit("experiment", *arguments)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_one_lean_is_no_map(tmp_path):
    path = tmp_path / "map.toml"
    path.write_text(shipped_plan("map").replace("[-1.0, -0.5, 0.0, 0.5, 1.0]", "[1.0]"))
    done = fairaudit("experiment", "map", path, "--dry-run")
    assert done.returncode == 2
    assert "two differences or more" in done.stderr
    done = fairaudit("experiment", path, "-o", tmp_path / "out")
    assert done.returncode == 2
    assert f"fairaudit experiment map {path}" in done.stderr
