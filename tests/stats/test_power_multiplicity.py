"""What a design can find, and corrections for many tests."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.multitest import multipletests

from fairaudit.stats.intervals import t_interval, wilson
from fairaudit.stats.multiplicity import adjust, holm
from fairaudit.stats.power import (
    minimum_detectable_effect,
)

P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def test_normal_by_hand() -> None:
    # z(0.975) + z(0.8) = 1.959964 + 0.841621.
    assert minimum_detectable_effect(1.0) == pytest.approx(2.801585, abs=1e-5)
    assert minimum_detectable_effect(0.5, None, alpha=0.1) == pytest.approx(1.243237, abs=1e-5)


def test_few_degrees_of_freedom_cost_power() -> None:
    # t(0.975; 9) + t(0.8; 9) = 2.262157 + 0.883404.
    assert minimum_detectable_effect(2.0, 9) == pytest.approx(2 * 3.145561, abs=1e-5)
    assert minimum_detectable_effect(1.0, 1e7) == pytest.approx(minimum_detectable_effect(1.0))


def test_power_at_the_minimum_detectable_effect() -> None:
    effect = minimum_detectable_effect(0.3, power=0.9)
    beyond = stats.norm.sf(stats.norm.ppf(0.975) - effect / 0.3)
    assert beyond == pytest.approx(0.9, abs=1e-9)


def test_holm_bh_by_by_hand() -> None:
    p = [0.04, 0.01, 0.03]
    # Holm: 3·0.01, 2·0.03, then the running maximum. BH: from the largest, 0.04 bounds all others.
    assert adjust(p, "holm") == pytest.approx([0.06, 0.03, 0.06])
    assert adjust(p, "bh") == pytest.approx([0.04, 0.03, 0.04])
    # BY: BH times 1 + 1/2 + 1/3.
    assert adjust(p, "by") == pytest.approx([0.04 * 11 / 6, 0.03 * 11 / 6, 0.04 * 11 / 6])


def test_missing_values_pass_through_and_do_not_count() -> None:
    assert adjust([None, 0.02, math.nan, 0.03], "holm") == [None, 0.04, None, 0.04]
    assert adjust([None, math.nan], "bh") == [None, None]
    assert adjust([], "holm") == []


@settings(max_examples=20, deadline=None)
@given(P_VALUES, st.sampled_from(["holm", "bh", "by"]))
def test_adjusted_values_are_larger_and_keep_their_order(p, method) -> None:
    adjusted = np.array(adjust(p, method))
    order = np.argsort(p, kind="stable")
    assert (adjusted >= np.array(p) - 1e-12).all()
    assert (np.diff(adjusted[order]) >= -1e-12).all()
    assert adjusted.max() <= 1


@settings(max_examples=20, deadline=None)
@given(P_VALUES, st.sampled_from(["holm", "bh"]))
def test_one_real_test_among_missing_ones_is_unchanged(p, method) -> None:
    assert adjust([None, p[0], None], method) == [None, pytest.approx(p[0]), None]


@pytest.mark.long
@settings(max_examples=20, deadline=None)
@given(P_VALUES, st.sampled_from([("holm", "holm"), ("bh", "fdr_bh"), ("by", "fdr_by")]))
def test_adjusted_values_equal_statsmodels(p, names) -> None:
    ours, theirs = names
    assert adjust(p, ours) == pytest.approx(multipletests(p, method=theirs)[1], abs=1e-12)


def test_adjusted_values_must_be_probabilities() -> None:
    with pytest.raises(ValueError, match="0-1"):
        adjust([0.1, 1.2], "bh")


def test_holm_at_the_edges() -> None:
    assert holm([]) == []
    assert holm([0.02, 0.02]) == [0.04, 0.04]
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    for bad in (-0.1, 1.1, math.nan):
        with pytest.raises(ValueError, match="0-1"):
            holm([0.1, bad])


@pytest.mark.parametrize(
    "modules",
    [
        "stats.multiplicity, fairaudit.stats.decide, fairaudit.stats.power",
        "comparing.compare",
        "auditing.run_audit",
    ],
)
def test_heavy_statistics_are_not_loaded(modules: str) -> None:
    code = (
        f"import sys; import fairaudit.{modules};"
        "print(sorted({'statsmodels', 'scipy.stats', 'torch'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_half_widths_of_the_suites() -> None:
    # CrowS-Pairs religion, gender, race and all, at p = 0.5; Wilson's are a little narrower.
    for n, half in ((105, 0.096), (262, 0.061), (516, 0.043), (1508, 0.025)):
        low, high = t_interval(0.5, 0.5 / math.sqrt(n))
        assert (high - low) / 2 == pytest.approx(half, abs=0.0006)
        low, high = wilson(n / 2, n)
        assert half * 0.97 < (high - low) / 2 < half * 1.01
