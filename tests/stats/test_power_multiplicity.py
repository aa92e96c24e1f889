"""What a design can find, and corrections for many tests."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from fairaudit.stats.multiplicity import adjust
from fairaudit.stats.power import minimum_detectable_effect

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


# Holm in statsmodels collects garbage on every call, hence few examples.
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
