from __future__ import annotations

import io

import pytest
from rich.console import Console

from fairaudit.report.experiment import numbers
from fairaudit.report.terminal import render_terminal
from fairaudit.results.experiment import ExperimentResult
from tests.report.experiments import complete, hostile, whole_experiment, with_failures


def _shown(result: ExperimentResult, width: int = 80) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width).print(render_terminal(result))
    return stream.getvalue()


def test_findings_numbers_and_seeds_stand_in_one_line():
    made = complete()
    lines = _shown(made).splitlines()
    assert lines[0] == "Experiment full"
    assert lines[1].startswith("DP amplifies bias: supported on all 3 axes")
    row = next(line for line in lines if line.startswith("  ✓ supported  "))
    assert row.split()[:4] == [
        "✓",
        "supported",
        "Gender",
        numbers.difference(made.claims[0]).split()[0],
    ]
    assert row.rstrip().endswith("5")


def test_under_training_is_said():
    text = " ".join(_shown(whole_experiment()).split())
    assert "Explained by under-training, as far as these seeds can tell: DP, ε = 3" in text
    assert "not explained by under-training" in text


def test_failed_arms_and_what_is_missing():
    text = " ".join(_shown(with_failures()).split())
    assert "DP, ε = 3 4 of 5 3.00" in text
    assert "DP + CDA, per row, ε = 3 0 of 5 – – –" in text
    assert "Failed DP, ε = 3, seed 2: the loss became infinite DP + CDA, per row" in text
    assert "Toxicity of continuations (the published Table 1): no text was generated" in text


@pytest.mark.parametrize(
    "result", [complete(), whole_experiment(1), whole_experiment(arms=("base",)), with_failures()]
)
def test_it_fits_eighty_columns(result: ExperimentResult):
    assert max(len(line.rstrip()) for line in _shown(result).splitlines()) <= 80


def test_hostile_names_neither_style_nor_steer_the_terminal():
    text = _shown(hostile(), width=200)
    assert "\x1b" not in text
    assert "<script>" in text
