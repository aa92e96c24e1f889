"""Evidence about several numbers at once: what it promises; its tests invert its bounds."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.comparing.groups import _LEVELS
from fairaudit.stats.decide import decide
from fairaudit.stats.evidence import Student
from fairaudit.stats.simultaneous import EachOf, LargestOf, Tabulated

#: As comparisons store them, as far as verdicts ask.
LEVELS = tuple(level for level in _LEVELS if level >= 1e-6)
students = st.builds(
    Student,
    st.floats(-1, 1),
    st.floats(0.01, 0.5),
    st.floats(0.01, 0.5),
    st.one_of(st.none(), st.floats(4, 200)),
)


def tabulated(one: Student) -> Tabulated:
    bounds = [(one.lower(alpha), one.upper(alpha)) for alpha in LEVELS]
    return Tabulated(LEVELS, *zip(*bounds, strict=True))


def test_only_the_lower_bound_of_the_largest_pays_for_the_search():
    worst, other = Student(0.2, 0.05, 0.05, 30), Student(0.1, 0.05, 0.08, 30)
    found = LargestOf((worst, other), 2)
    each = 1 - (1 - 0.025) ** (1 / 2)
    assert found.lower(0.025) == pytest.approx(worst.lower(each))
    assert found.upper(0.025) == max(worst.upper(0.025), other.upper(0.025))
    assert found.p_at_most(0.1) == pytest.approx(1 - (1 - worst.p_at_most(0.1)) ** 2)
    assert found.p_at_least(0.3) == max(worst.p_at_least(0.3), other.p_at_least(0.3))


def test_one_number_is_the_largest_of_itself():
    one = Student(0.2, 0.05, 0.07, 30)
    for found in (LargestOf((one,), 1.0), EachOf((one,))):
        assert found.lower(0.01) == pytest.approx(one.lower(0.01))
        assert found.upper(0.01) == one.upper(0.01)
        assert found.p_at_most(0.1) == pytest.approx(one.p_at_most(0.1))


def test_equivalence_asks_for_every_number():
    still, fell = Student(0.0, 0.005, 0.005, None), Student(-0.3, 0.005, 0.005, None)
    evidence, within = LargestOf((still, fell), 2), EachOf((still, fell))
    alone = decide(0.0, None, None, 0.05, evidence=evidence)
    assert alone.verdict == "equivalent"
    both = decide(0.0, None, None, 0.05, evidence=evidence, within=within)
    assert both.verdict == "inconclusive"
    assert both.p_equivalence == 1.0
    near = EachOf((still, Student(-0.01, 0.005, 0.005, None)))
    assert decide(0.0, None, None, 0.05, evidence=evidence, within=near).verdict == "equivalent"


@given(st.lists(students, min_size=1, max_size=5), st.floats(0, 1), st.floats(1e-5, 0.45))
def test_tests_invert_bounds(parts: list[Student], share: float, alpha: float):
    searched = 1 + share * (len(parts) - 1)
    for found in (LargestOf(tuple(parts), searched), EachOf(tuple(parts)), tabulated(parts[0])):
        low, high = found.lower(alpha), found.upper(alpha)
        assert found.p_at_most(low) == pytest.approx(alpha, rel=1e-6)
        assert found.p_at_least(high) == pytest.approx(alpha, rel=1e-6)
        assert found.p_at_most(low - 0.01) < alpha < found.p_at_most(low + 0.01)


@given(students, st.floats(1e-6, 0.5))
def test_a_table_never_promises_more_between_its_levels(one: Student, alpha: float):
    found = tabulated(one)
    # Student's quantiles bend away from the normal ones, so a straight line lies outside of them.
    width = one.upper(1e-6) - one.lower(1e-6)
    assert -1e-9 * width <= one.lower(alpha) - found.lower(alpha) <= 0.05 * width
    assert -1e-9 * width <= found.upper(alpha) - one.upper(alpha) <= 0.05 * width


def test_a_table_gives_its_own_levels_digit_by_digit():
    one = Student(0.123456789, 0.0456, 0.0789, 17)
    found = tabulated(one)
    for alpha in LEVELS:
        assert (found.lower(alpha), found.upper(alpha)) == (one.lower(alpha), one.upper(alpha))
    assert math.isfinite(found.lower(1e-9))
    assert found.lower(1e-9) < found.lower(1e-6)
