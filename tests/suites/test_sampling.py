"""Which part of a suite is asked: the same whatever else is asked (issue 18, item 12)."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fairaudit.auditing.audit_request import QUICK_ITEMS
from fairaudit.auditing.run_audit import plan_audit
from fairaudit.auditing.suite_plan import Size, load_items
from fairaudit.items import Item
from fairaudit.suites import SUITES, DataFinder
from fairaudit.suites.custom import load_suite
from fairaudit.suites.prompts.loader import load_prompts
from fairaudit.suites.sampling import even_quotas, quick_sample, sample_prompts
from fairaudit.suites.templates.generator import load_templates
from tests.conftest import shared

SIZES = (Size(QUICK_ITEMS, full=False, quick=True), Size(None, full=False), Size(None, full=True))


def items_of(sizes, *, matched):
    return [
        Item(f"{group}/{n}", "axis", group, f"c{n}" if matched else f"{group}/{n}", {"prompt": "x"})
        for group, size in sizes.items()
        for n in range(size)
    ]


@pytest.mark.parametrize(
    ("sizes", "total", "quotas"),
    [([100, 10, 100], 100, [45, 10, 45]), ([3, 3], 5, [2, 3]), ([], 5, []), ([2, 2], 9, [2, 2])],
)
def test_quotas_by_hand(sizes, total, quotas):
    assert even_quotas(sizes, total) == quotas


@given(st.lists(st.integers(0, 50), min_size=1), st.integers(0, 500))
def test_quotas_are_even_and_exhaust_the_total(sizes, total):
    quotas = even_quotas(sizes, total)
    assert sum(quotas) == min(total, sum(sizes))
    assert all(0 <= quota <= size for quota, size in zip(quotas, sizes, strict=True))
    most = max(quotas)
    assert all(
        quota >= most - 1 or quota == size for quota, size in zip(quotas, sizes, strict=True)
    )


def test_samples_are_even_and_in_order():
    items = items_of({"a": 80, "b": 12, "c": 200}, matched=False)
    sample = sample_prompts(items, 60)
    assert Counter(item.group for item in sample) == {"a": 24, "b": 12, "c": 24}
    assert sample == tuple(item for item in items if item in sample)
    assert sample_prompts(items, 1000) == tuple(items)


def test_groups_that_share_openings_keep_the_same_ones():
    sample = sample_prompts(items_of({"a": 50, "b": 50}, matched=True), 20)
    kept = {group: [i.cluster for i in sample if i.group == group] for group in "ab"}
    assert kept["a"] == kept["b"]
    assert len(kept["a"]) == 10


def test_quick_samples_of_our_prompts_stay_matched_and_use_all_words():
    sample = sample_prompts(load_prompts(), 60)
    keys = {
        group: [(i.cluster, i.item_id.rsplit("/", 1)[1]) for i in sample if i.group == group]
        for group in ("female", "male")
    }
    assert keys["female"] == keys["male"]
    assert len({cluster for cluster, _ in keys["male"]}) == 30
    assert len({place for _, place in keys["male"]}) == 6
    assert Counter(item.axis for item in sample) == {"gender": 60, "race": 60, "religion": 60}


def test_a_quick_sample_is_stratified_and_in_order():
    items = load_templates()
    sample = quick_sample(items, 50)
    strata = Counter((item.axis, tuple(item.texts)) for item in sample)
    assert set(strata.values()) == {50}
    order = {item.item_id: index for index, item in enumerate(items)}
    assert [order[item.item_id] for item in sample] == sorted(order[i.item_id] for i in sample)


def test_a_sample_is_no_prefix():
    """Items are drawn, not taken as they stand in the file."""
    items = items_of({"a": 400}, matched=False)
    for sample in (sample_prompts(items, 100), quick_sample(items, 100)):
        places = [int(item.item_id.split("/")[1]) for item in sample]
        # Of 100 out of 400, a quarter in each quarter: 25 with a deviation of 3.8.
        assert all(10 < sum(q <= place < q + 100 for place in places) < 40 for q in (0, 100, 200))


NAMES = st.sampled_from("abcd")
ITEMS = st.lists(st.tuples(NAMES, NAMES | st.none(), st.integers(0, 9)), max_size=60).map(
    lambda rows: [
        Item(str(number), axis, group, f"{axis}/{cluster}", {"prompt": "x"})
        for number, (axis, group, cluster) in enumerate(rows)
    ]
)


@given(ITEMS, st.sets(NAMES), st.integers(1, 12), st.integers(0, 12))
@pytest.mark.parametrize("sample", [quick_sample, sample_prompts])
def test_a_sample_is_a_part_of_a_larger_one_and_does_not_hang_on_other_axes(
    sample, items, axes, size, more
):
    whole, chosen = sample(items, size), [item for item in items if item.axis in axes]
    assert sample(chosen, size) == tuple(item for item in whole if item.axis in axes)
    assert set(map(id, whole)) <= set(map(id, sample(items, size + more)))


def _asked(suite, axes, size, finder):
    entry = load_items(suite, finder, axes, size)
    assert entry.data is not None
    return {item.item_id for item in entry.data.items}


@pytest.mark.long
@pytest.mark.parametrize("suite", SUITES, ids=lambda suite: suite.name)
def test_every_suite_asks_the_same_of_an_axis_whatever_else_it_asks(suite):
    finder = DataFinder(shared("data"))
    everything = {item.item_id: item.axis for item in suite.load(finder).items}
    by_size = [_asked(suite, None, size, finder) for size in SIZES]
    assert by_size[0] <= by_size[1] <= by_size[2] == set(everything)
    axes = sorted(set(everything.values()))
    for size, whole in zip(SIZES, by_size, strict=True):
        for chosen in (axes[:1], axes[-1:], axes[1:]):
            expected = {name for name in whole if everything[name] in chosen}
            if chosen:
                assert _asked(suite, chosen, size, finder) == expected


@pytest.mark.parametrize("kind", ["pairs", "prompts"])
def test_so_does_a_suite_of_ones_own_under_any_name(tmp_path, kind):
    row = {
        "pairs": '{{"axis": "{0}", "stereotype": "x {1}", "anti_stereotype": "y {1}"}}\n',
        "prompts": '{{"axis": "{0}", "group": "{2}", "prompt": "{2} {1} was"}}\n',
    }[kind]
    text = "".join(row.format("ab"[n % 2], n, "cd"[n // 2 % 2]) for n in range(1000))
    asked = []
    for name in ("one", "other"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text(text)
        suite = load_suite(path)
        asked.append([_asked(suite, axes, SIZES[0], DataFinder()) for axes in (None, ["a"])])
    assert asked[0] == asked[1]
    whole, on_a = asked[0]
    assert len(whole) == 2 * len(on_a) == {"pairs": 400, "prompts": 120}[kind]
    assert on_a < whole


def test_two_audits_of_a_model_ask_the_prompts_of_a_common_axis(checkpoint):
    """Seed, axes and decoding differ; of 60 prompts they share all."""
    first = plan_audit(checkpoint("gpt2"), suites=["toxicity"], quick=True)
    other = plan_audit(checkpoint("gpt2"), suites=["toxicity"], axes=["race"], quick=True, seed=7)
    prompts = [
        {name for name in plan.suites[1].prompts if name.startswith("race/")}
        for plan in (first, other)
    ]
    assert prompts[0] == prompts[1]
    assert len(prompts[0]) == 60
    decodings = {
        request.decoding for plan in (first, other) for request in plan.suites[1].prompts.values()
    }
    assert {decoding.seed for decoding in decodings} == {0, 7}
    assert len({replace(decoding, seed=0) for decoding in decodings}) == 1
