"""More records than an exact Gram matrix is made for."""

from __future__ import annotations

import math

import pandas as pd
import pytest

from fairaudit.diagnostics.checkpoint import MAX_EXACT
from fairaudit.diagnostics.diagnosing import diagnose
from tests.diagnostics.brute import tiny


@pytest.mark.long
def test_many_records_are_sketched_and_the_error_is_said():

    loaded = tiny("gpt2")
    rows = [
        {"text": f"{who} saw {number}.", "side": side, "story": number % 40}
        for number in range(MAX_EXACT // 2 + 2)
        for side, who in (("first", "He"), ("second", "The poor farmer"))
    ]
    result = diagnose(
        (loaded.model, loaded.tokenizer), pd.DataFrame(rows), group_column="side",
        template_column="story", replicates=199, curvature_probes=0, twins=False, max_grad_norm=9,
        learning_rate=0.1,
    )  # fmt: skip
    assert 0 < result.provenance.sketch_error < 0.3
    exact = result.quantity("norm_of_mean", axis="side", group="first")
    assert exact.interval.low < exact.value < exact.interval.high
    found = {entry.name: entry for entry in result.differences}
    values = [
        result.quantity("norm_of_mean", axis="side", group=side).value
        for side in ("first", "second")
    ]
    # What is resampled comes from sketches; it stays near the exact ratio.

    assert found["norm_of_mean"].difference == pytest.approx(
        math.log(values[0] / values[1]), abs=0.1
    )
    assert found["norm_of_mean"].p_value < 0.05
    assert found["mean_norm"].interval is not None
