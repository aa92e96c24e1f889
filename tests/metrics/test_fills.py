"""Words that are filled in after names, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chi2_contingency

from fairaudit.auditing.score_tables import item_rows, score_table
from fairaudit.items import Answer, Item, Skipped
from fairaudit.metrics.fills import FEMALE, MALE, ROLES, chi_squared, fill_estimates, gendered
from fairaudit.suites.disco import SUITE

(PROTOCOL,) = SUITE.protocols
N = 20
TEMPLATES = 12


def item(template, gender, number):
    facts = {"name": f"{gender}{number}"}
    return Item(f"{template}/{gender}{number}", "gender", gender, str(template), {}, facts=facts)


def table_of(words, templates=TEMPLATES, n=N):
    """Score table in which ``words(template, gender, number)`` are filled in; None: skipped."""
    return score_table(
        row
        for template in range(templates)
        for gender in (FEMALE, MALE)
        for number in range(n)
        for role, word in zip(ROLES, words(template, gender, number), strict=True)
        for row in item_rows(
            item(template, gender, number),
            PROTOCOL,
            role,
            Skipped("none") if word is None else Answer((-1.0,), word=word),
        )
    )


def estimates(table, seed=0):
    return {one.name: one for one in fill_estimates(table, seed)}


def test_chi_squared_is_that_of_scipy():
    """And corrected for the candidates: at p between 0.05/m and 0.05 nothing is found."""
    rng = np.random.default_rng(0)
    women = np.arange(40) < 20
    for _ in range(200):
        rates = rng.random((2, 3))[(~women).astype(int)]
        has = (rng.random((40, 3)) < rates).astype(float)
        # A word after no name, and one after every name, cannot depend on gender.
        has = np.column_stack([has, np.zeros(40), np.ones(40)])
        expected = 0
        for word in has.T[:3]:
            table = [[word[side].sum(), (1 - word[side]).sum()] for side in (women, ~women)]
            if 0 < word.sum() < 40:
                expected += chi2_contingency(table, correction=False).pvalue < 0.05 / 5
        statistics = chi_squared(has, women[None].astype(float))
        assert statistics[0, 3:].tolist() == [0, 0]
        assert gendered(statistics).tolist() == [expected]


def test_score_worked_by_hand():
    """Of the templates, every second fills in one word after women and another after men."""

    def words(template, gender, number):
        own = gender if template % 2 == 0 else "it"
        return own, "same", "too"

    found = estimates(table_of(words))
    score = found["gendered_fills"]
    assert score.value == pytest.approx((2 * 6 + 0 * 6) / 12)
    assert (score.n, score.n_clusters) == (TEMPLATES * 2 * N, TEMPLATES)
    assert (score.primary, score.ideal, score.p_value) == (True, None, None)
    assert score.interval.resampling_unit == "template"
    excess = found["gendered_fills_excess"]
    assert excess.value == pytest.approx(1.0, abs=0.1)
    assert excess.p_value == pytest.approx(1 / 2000)
    assert excess.interval is None
    assert "random assignments" in excess.reason


def test_swapping_the_genders_and_the_order_of_rows_change_nothing():
    rng = np.random.default_rng(1)
    drawn = {}

    def words(template, gender, number, turn=False):
        if turn:
            gender = {FEMALE: MALE, MALE: FEMALE}[gender]
        key = template, gender, number
        if key not in drawn:
            own = rng.choice(["a", "b"], p=[0.8, 0.2] if gender == FEMALE else [0.3, 0.7])
            drawn[key] = (str(own), "c", "d")
        return drawn[key]

    table = table_of(words)
    one = estimates(table)
    other = estimates(table_of(lambda *key: words(*key, turn=True)))
    shuffled = estimates(table.sample(frac=1, random_state=0))
    for name in one:
        assert other[name].value == pytest.approx(one[name].value, abs=0.05)
        assert shuffled[name].value == one[name].value
        assert shuffled[name].p_value == one[name].p_value
    assert other["gendered_fills"].value == one["gendered_fills"].value > 0


@pytest.mark.long
def test_names_that_are_alike_give_a_p_value_that_is_uniform():
    """Words follow a trait of the name that is not its gender, alike in all templates."""
    rng = np.random.default_rng(2)
    p_values = []
    for seed in range(200):
        trait = {(gender, k): rng.random() < 0.4 for gender in (FEMALE, MALE) for k in range(N)}
        table = table_of(
            lambda template, gender, number, trait=trait: (
                f"old{template}" if trait[gender, number] else f"new{template}",
                "b",
                "c",
            ),
            templates=3,
        )
        p_values.append(estimates(table, seed)["gendered_fills_excess"].p_value)
    assert np.mean(np.array(p_values) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 200)


def test_items_without_all_words_are_missing_and_counted():
    def words(template, gender, number):
        return (gender, "b", None if number == 0 else "c")

    found = estimates(table_of(words))["gendered_fills"]
    assert (found.n, found.n_skipped) == (TEMPLATES * 2 * (N - 1), TEMPLATES * 2)
    assert found.value == 2.0


def test_a_template_with_one_gender_only_is_left_out_and_nothing_is_no_zero():
    table = table_of(lambda template, gender, number: (gender, "b", "c"))
    women = table[table["group"] == FEMALE]
    found = estimates(women)
    for name in ("gendered_fills", "gendered_fills_excess"):
        assert found[name].value is None
        assert found[name].reason
    mixed = table[(table["group"] == FEMALE) | (table["cluster"] == "0")]
    assert estimates(mixed)["gendered_fills"].n_clusters == 1
    nothing = estimates(table_of(lambda *_: (None, None, None), templates=2, n=2))
    assert nothing["gendered_fills"].value is None
    assert nothing["gendered_fills"].n_skipped == 8
