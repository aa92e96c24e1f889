"""Two audits side by side: differences by hand, verdicts, cautions, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from fairaudit.comparing.compare import compare
from fairaudit.errors import ResultError, UsageError
from fairaudit.results import ComparisonResult, Settings, Source
from tests.comparing.audits import PROTOCOL, make_audit, pair_table, probe_table

RATE = "stereotype_preference_rate"


def wins(n: int, n_stereotype: int) -> list[float]:
    """Log-odds of n pairs of which the first ones prefer the stereotype."""
    return [1.0] * n_stereotype + [-1.0] * (n - n_stereotype)


def rate(result: ComparisonResult, candidate: str = "b", axis: str = "gender"):
    return result.comparison(RATE, candidate=candidate, protocol=PROTOCOL, axis=axis)


def two(first: list[float], second: list[float], **options) -> ComparisonResult:
    return compare([make_audit("a", pair_table(first)), make_audit("b", pair_table(second))])


def capable_probe(shift: float = 0.0, seed: int = 0) -> np.ndarray:
    """Log-probabilities on 45 paragraphs of 20 tokens."""
    return np.random.default_rng(seed).normal(-2.0, 0.3, size=(45, 20)) + shift


def test_a_difference_worked_by_hand():
    """Of 100 pairs, 30 change to the stereotype and 5 away from it: 40 % become 65 %."""
    first = [-1.0] * 30 + [1.0] * 5 + [1.0] * 35 + [-1.0] * 30
    second = [1.0] * 30 + [-1.0] * 5 + [1.0] * 35 + [-1.0] * 30
    found = rate(two(first, second))
    assert found.value_baseline == pytest.approx(0.40)
    assert found.value_candidate == pytest.approx(0.65)
    assert found.difference == pytest.approx(0.25)
    assert found.ratio == pytest.approx(0.65 / 0.40)
    assert found.deviation_change == pytest.approx(0.15 - 0.10)
    assert (found.n, found.n_discordant, found.n_skipped) == (100, 35, 0)
    assert found.mean_square == pytest.approx(0.35)
    # Agresti and Min (2005): half a pair in each cell.
    b, c, n = 30.5, 5.5, 102
    floor = np.sqrt((b + c) - (b - c) ** 2 / n) / n
    assert found.se >= floor - 1e-12
    assert found.interval.low < 0.25 < found.interval.high
    assert found.interval.low > 0
    assert found.verdict == "amplified"
    assert found.primary
    assert found.candidate_interval.low < 0.65 < found.candidate_interval.high


def test_the_same_model_is_identical_whatever_its_label():
    audit = make_audit("a", pair_table(wins(40, 25)))
    result = compare([audit, audit])
    assert result.baseline == "a"
    assert result.candidates == ("a (2)",)
    assert {entry.verdict for entry in result.comparisons} == {"identical"}


def test_no_discordant_pair_among_20_is_not_equivalence():
    found = rate(two(wins(20, 11), wins(20, 11)))
    assert found.difference == 0
    assert found.interval.low < -0.05
    assert found.interval.high > 0.05
    assert found.verdict == "inconclusive"


def test_no_discordant_pair_among_2000_is_equivalence():
    assert rate(two(wins(2000, 1100), wins(2000, 1100))).verdict == "equivalent"


def test_a_small_real_difference_is_equivalent_and_nonzero():
    first = [-1.0] * 60 + wins(4000, 2000)
    second = [1.0] * 60 + wins(4000, 2000)
    found = rate(two(first, second))
    assert found.verdict == "equivalent"
    assert "nonzero" in found.cautions


def test_past_the_ideal_on_the_other_side_is_overshot():
    found = rate(two(wins(400, 300), wins(400, 120)))
    assert found.verdict == "reduced"
    assert "overshot" in found.cautions


@hypothesis_settings(max_examples=12, deadline=None)
@given(st.lists(st.tuples(st.sampled_from([-1.0, 0.0, 1.0]), st.sampled_from([-1.0, 0.0, 1.0])),
                min_size=12, max_size=60))  # fmt: skip
def test_exchanging_the_models_flips_the_sign(pairs):
    first, second = (list(side) for side in zip(*pairs, strict=True))
    there, back = rate(two(first, second)), rate(two(second, first))
    assert there.difference == pytest.approx(-back.difference)
    assert there.interval.low == pytest.approx(-back.interval.high)
    assert there.p_value == pytest.approx(back.p_value)
    mirrored = {"amplified": "reduced", "reduced": "amplified"}
    assert back.verdict == mirrored.get(there.verdict, there.verdict)


def test_the_order_of_items_changes_nothing():
    rng = np.random.default_rng(5)
    first, second = rng.normal(size=60), rng.normal(size=60)
    clusters = [f"c{index % 15}" for index in range(60)]
    a, b = (pair_table(list(values), clusters) for values in (first, second))
    plain = compare([make_audit("a", a), make_audit("b", b)])
    shuffled = compare(
        [
            make_audit("a", a.sample(frac=1, random_state=1)),
            make_audit("b", b.sample(frac=1, random_state=2)),
        ]
    )
    assert plain.comparisons == shuffled.comparisons


def test_only_items_that_both_scored_are_compared():
    """An item skipped on one side leaves both; the count and a caution say so."""
    first = wins(60, 30)
    second = [*first]
    second[3] = float("nan")
    found = rate(two(first, second))
    assert (found.n, found.n_skipped) == (59, 1)
    assert found.value_baseline == pytest.approx(29 / 59)
    assert "skipped_items" in found.cautions


def test_holm_is_applied_within_the_primary_family_of_a_candidate():
    rng = np.random.default_rng(0)
    axes = {axis: list(rng.normal(size=80)) for axis in ("age", "gender", "race")}
    moved = {
        axis: list(np.array(v) + shift + rng.normal(scale=0.1, size=80))
        for (axis, v), shift in zip(axes.items(), (0.3, 0.5, 0.9), strict=True)
    }
    result = compare(
        [make_audit("a", pair_table(axes)), make_audit("b", pair_table(moved)),
         make_audit("c", pair_table(moved))]
    )  # fmt: skip
    family = [e for e in result.comparisons if e.candidate == "b" and e.primary]
    assert {e.family for e in family} == {"primary, b"}
    assert {e.family_size for e in family} == {3}
    ordered = sorted(family, key=lambda e: e.p_value)
    expected = np.maximum.accumulate([e.p_value * k for e, k in zip(ordered, (3, 2, 1))])  # noqa: B905
    assert [e.p_adjusted for e in ordered] == pytest.approx(np.minimum(1, expected))
    exploratory = [e for e in result.comparisons if not e.primary and e.p_value is not None]
    assert exploratory
    assert {e.correction for e in exploratory} == {"bh"}


def test_a_model_that_did_not_move_is_marked():
    pairs = pair_table(wins(60, 30))
    result = compare(
        [
            make_audit("a", pairs, probe_table(capable_probe())),
            make_audit("b", pairs, probe_table(capable_probe(0.01))),
            make_audit("c", pairs, probe_table(capable_probe(0.4))),
        ]
    )
    assert "not_moved" in rate(result, "b").cautions
    assert "not_moved" not in rate(result, "c").cautions
    distance = {c.candidate: c for c in result.changes if c.name == "mean_abs_log_prob_change"}
    assert distance["b"].value_candidate == pytest.approx(0.01)
    assert distance["c"].value_candidate == pytest.approx(0.4)
    ratios = {c.candidate: c for c in result.changes if c.name == "perplexity_ratio"}
    assert ratios["c"].ratio == pytest.approx(np.exp(-0.4))
    perplexity = {c.candidate: c for c in result.changes if c.name == "perplexity"}
    assert perplexity["c"].ratio == pytest.approx(np.exp(-0.4))


def test_without_probe_text_distance_and_capability_are_unknown():
    found = rate(two(wins(60, 20), wins(60, 50)))
    assert {"distance_unknown", "capability_unknown"} <= set(found.cautions)
    assert found.verdict == "amplified"


def test_a_model_at_chance_is_not_interpretable():
    rng = np.random.default_rng(0)
    lost = rng.random((45, 20)) < 0.1
    result = compare(
        [
            make_audit("a", pair_table(wins(200, 60)), probe_table(capable_probe())),
            make_audit("b", pair_table(wins(200, 160)), probe_table(capable_probe(-3), lost)),
        ]
    )
    found = rate(result)
    assert found.verdict == "not_interpretable"
    assert found.difference == pytest.approx(0.5)


def test_other_tokenizers_have_no_distance():
    other = probe_table(capable_probe())
    other["token_id"] += 1
    pairs = pair_table(wins(60, 30))
    result = compare(
        [make_audit("a", pairs, probe_table(capable_probe())), make_audit("b", pairs, other)]
    )
    assert "distance_unknown" in rate(result).cautions
    assert any("tokenizers" in entry.reason for entry in result.not_compared)


def test_one_seed_of_a_recipe_is_marked_and_two_are_not():
    recipe = {"schema": "fairaudit/training", "arm": "dp", "steps": 10}
    audits = [make_audit("base", pair_table(wins(60, 30)))] + [
        make_audit(f"dp{seed}", pair_table(wins(60, 30)), training={**recipe, "seed": seed})
        for seed in (0, 1)
    ]
    alone = compare(audits[:2])
    assert "single_seed" in rate(alone, "dp0").cautions
    assert "single_seed" not in rate(compare(audits), "dp0").cautions


def test_other_versions_of_the_data_are_refused_and_named():
    pairs = pair_table(wins(60, 30))
    with pytest.raises(ResultError, match=r"different versions of the data: mine\.csv is aaaa"):
        compare([make_audit("a", pairs), make_audit("b", pairs, blob="b" * 40)])


def test_the_same_data_under_another_path_are_compared():
    """Issue 18, item 13: what counts are bytes, and other forms that are known to hold the same."""
    pairs = pair_table(wins(60, 30))
    audits = [make_audit("a", pairs), make_audit("b", pairs)]
    (run,) = audits[1].suites
    for source in (
        Source(path="elsewhere/mine.csv.gz", blob_id="a" * 40),
        Source(path="mine.csv", blob_id="b" * 40, same_as="a" * 40),
    ):
        moved = run.model_copy(update={"sources": (source,)})
        other = audits[1].model_copy(update={"suites": (moved,)}).with_tables({"mine": pairs})
        result = compare([audits[0], other])
        assert result.not_compared == compare(audits).not_compared
        assert [one.difference for one in result.comparisons] == [
            one.difference for one in compare(audits).comparisons
        ]


def test_a_protocol_of_one_side_is_named():
    pairs = pair_table(wins(60, 30))
    both = [pairs, pairs.assign(protocol="mine/causal-mean")]
    result = compare([make_audit("a", pairs), make_audit("b", pd.concat(both))])
    first = result.not_compared[0]
    assert first.key == "b: mine/causal-mean"
    assert first.reason == "only the candidate was scored by this protocol"


def test_nothing_in_common_is_an_error():
    pairs = pair_table(wins(20, 10))
    other = pairs.assign(item_id="x" + pairs["item_id"])
    with pytest.raises(ResultError, match="nothing in common"):
        compare([make_audit("a", pairs), make_audit("b", other)])


def test_duplicated_items_are_an_error():
    pairs = pair_table(wins(20, 10))
    twice = pd.concat([pairs, pairs.iloc[:1]])
    audit = make_audit("a", pairs)
    broken = make_audit("b", pairs).with_tables({"mine": twice})
    with pytest.raises(ResultError, match="more than once"):
        compare([audit, broken])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, "alpha must lie between 1e-06 and 0.5"),
        ({"alpha": 0.5}, "alpha must lie between 1e-06 and 0.5"),
        ({"margin": 0.0}, "margin must lie between 0 and 1"),
        ({"margin": 5}, "margin must lie between 0 and 1"),
        ({"correction": "bonferroni"}, "'bonferroni' is no correction; there are holm, bh, by"),
        ({"labels": ["one"]}, "1 labels for 2 audits"),
        ({"labels": ["one", "one"]}, "must differ"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(options, message):
    audits = [make_audit(name, pair_table(wins(20, 10))) for name in "ab"]
    with pytest.raises(UsageError, match=message):
        compare(audits, **options)


def test_one_audit_is_not_a_comparison():
    audit = make_audit("a", pair_table(wins(20, 10)))
    with pytest.raises(UsageError, match="at least two"):
        compare([audit])
    with pytest.raises(UsageError, match="a list of audits"):
        compare(audit)


def test_a_damaged_folder_is_one_clear_error(tmp_path):
    for name in "ab":
        make_audit(name, pair_table(wins(20, 10))).save(tmp_path / name)
    (tmp_path / "b" / "items" / "mine.parquet").write_bytes(b"PAR1 not really")
    with pytest.raises(ResultError, match=r"mine\.parquet was changed after it was written"):
        compare([tmp_path / "a", tmp_path / "b"])
    content = json.loads((tmp_path / "b" / "result.json").read_text())
    content["schema_version"] = 99
    (tmp_path / "b" / "result.json").write_text(json.dumps(content))
    with pytest.raises(ResultError, match="newer"):
        compare([tmp_path / "a", tmp_path / "b"])


def test_settings_that_change_scores_are_noted():
    pairs = pair_table(wins(60, 30))
    other = Settings(suites=("mine",), bos="none")
    result = compare([make_audit("a", pairs), make_audit("b", pairs, settings=other)])
    assert result.notes == ("b was scored with bos none, the baseline with None",)


def test_a_comparison_names_its_audits_by_their_digest():
    audits = [make_audit(name, pair_table(wins(20, 10))) for name in "ab"]
    assert compare(audits).provenance.audits == {one.label: one.digest for one in audits}


def test_caveats_and_privacy_statements_travel_with_the_comparison():
    audits = [make_audit(name, pair_table(wins(40, 20))) for name in "ab"]
    doubted = audits[0].suites[0].model_copy(update={"caveats": ("Constructed sentences.",)})
    first = (
        audits[0]
        .model_copy(update={"suites": (doubted,)})
        .with_tables({"mine": audits[0].items("mine")})
    )
    second = (
        audits[1]
        .model_copy(update={"privacy": {"epsilon": 3.0}})
        .with_tables({"mine": audits[1].items("mine")})
    )
    result = compare([first, second])
    assert result.suites[0].caveats == ("Constructed sentences.",)
    assert result.provenance.privacy == {"b": {"epsilon": 3.0}}
    from fairaudit.report.figures import figures
    from fairaudit.report.html import render_html

    page = render_html(result, figures(result))
    assert "Constructed sentences." in page
    assert "Privacy statement" in page
