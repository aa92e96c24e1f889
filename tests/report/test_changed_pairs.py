"""Which pairs changed: chosen from stored tables, shown behind a warning, filtered by CSS alone."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path
from urllib.parse import unquote

import pandas as pd
import pytest

from fairaudit.comparing.item_changes import PAIRS, item_changes
from fairaudit.comparing.joining import Joined
from fairaudit.comparing.pairing import Terms
from fairaudit.report.documents.pairs import pairs_csv
from fairaudit.report.html import render_html
from fairaudit.report.markdown import render_summary
from fairaudit.results import ComparisonResult
from fairaudit.results.comparison import ItemChange
from tests.report import audits
from tests.report.browser import browse, needs_chromium
from tests.report.comparisons import comparison, result
from tests.report.pages import Page

_PROTOCOL = "crows_pairs/causal-sum"
_TERMS = Terms("base", "tuned", 0.05, None, 0)


def _table(preferences: dict[str, float], axis: str = "gender") -> pd.DataFrame:
    rows = [
        {
            "item_id": item, "protocol": _PROTOCOL, "axis": axis, "group": None, "cluster": item,
            "role": role, "score": score, "n_tokens": 5, "status": "ok", "reason": None,
            "text": f"{role} of {item}",
        }
        for item, value in preferences.items()
        for role, score in (("stereotype", -10 + value), ("anti_stereotype", -10.0))
    ]  # fmt: skip
    return pd.DataFrame(rows)


def _changes(before: dict[str, float], after: dict[str, float]) -> list[ItemChange]:
    joined = Joined("crows_pairs", _table(before), _table(after), {}, {})
    return list(item_changes(joined, {_PROTOCOL}, _TERMS))


def test_flips_come_first_then_the_largest_change():
    before = {"a": 2.0, "b": -0.1, "c": 1.0, "d": 0.5, "e": 1.0}
    after = {"a": 5.0, "b": 0.1, "c": 1.0, "d": -0.5, "e": -2.0}
    found = _changes(before, after)
    # Up: b flips, though a moved further. Down: e flips by more than d. c did not move.
    assert [one.item_id for one in found] == ["b", "a", "e", "d"]
    assert [one.change for one in found] == pytest.approx([0.2, 3.0, -3.0, -1.0])
    assert found[0].texts == {
        "stereotype": "stereotype of b", "anti_stereotype": "anti_stereotype of b",
    }  # fmt: skip


def test_only_so_many_of_an_axis_are_kept():
    before = {f"i{n:02}": 0.0 for n in range(40)}
    after = {name: (n - 20.5) / 10 for n, name in enumerate(before)}
    found = _changes(before, after)
    assert len(found) == 2 * PAIRS
    assert max(one.change for one in found) == pytest.approx(1.85)


def test_recorded_probabilities_count_as_nats():
    ours, theirs = _table({"a": 0.0}), _table({"a": 0.0})
    ours["score"], theirs["score"] = [0.2, 0.4], [0.4, 0.2]
    (found,) = item_changes(Joined("crows_pairs", ours, theirs, {}, {}), {_PROTOCOL}, _TERMS)
    assert (found.before, found.after) == pytest.approx((-0.6931, 0.6931))


def _with_pairs(*more: ItemChange) -> ComparisonResult:
    base = {"candidate": "dp", "suite": "crows_pairs", "protocol": _PROTOCOL, "group": None}
    made = [
        ItemChange(**base, axis="gender", item_id="1", before=-0.2, after=0.4,
                   texts={"stereotype": "She is a nurse.", "anti_stereotype": "He is a nurse."}),
        ItemChange(**base, axis="race", item_id="2", before=0.9, after=0.1,
                   texts={"stereotype": audits.HOSTILE, "anti_stereotype": "=1+2"}),
    ]  # fmt: skip
    both = [comparison(), comparison(axis="race")]
    return result(both).model_copy(update={"item_changes": (*made, *more)})


def test_the_page_marks_the_words_that_differ_behind_a_warning():
    html = render_html(_with_pairs(), {})
    part = html[html.index('<section id="pairs"') :]
    part = part[: part.index("</section>") + len("</section>")]
    assert "<mark>She</mark> is a nurse." in part
    assert "<mark>He</mark> is a nurse." in part
    assert part.index("content warning") < part.index("<mark>")
    assert part.index("<details") < part.index("<mark>")
    text = Page(part).text
    assert "−0.200 nats +0.400 nats +0.600 nats flips" in " ".join(text.split())
    assert "<script" not in part
    assert "nurse" not in render_summary(_with_pairs())


def test_without_pairs_there_is_no_such_section():
    assert 'id="pairs"' not in render_html(result([comparison()]), {})


def test_the_link_holds_the_table_and_no_formula():
    html = render_html(_with_pairs(), {})
    (address,) = re.findall(r'href="data:text/csv;charset=utf-8,([^"]*)"', html)
    rows = list(csv.DictReader(io.StringIO(unquote(address))))
    assert [row["axis"] for row in rows] == ["gender", "race"]
    assert rows[0]["change_nats"] == "0.6"
    assert rows[1]["anti_stereotype"] == "'=1+2"
    assert pairs_csv([]).count("\n") == 1


def test_a_crowd_of_pairs_stays_light():
    one = _with_pairs().item_changes[0]
    crowd = [
        one.model_copy(update={"item_id": str(n), "axis": f"axis {n % 30}", "after": 1 + n / 1e4})
        for n in range(3000)
    ]
    html = render_html(_with_pairs(*crowd), {})
    assert html.count("<mark>") < 700
    assert len(html.encode()) < 700_000


_FILTER = """<script>
const seen = name => [...document.querySelectorAll('.' + name)]
  .filter(one => one.offsetParent !== null).length;
document.querySelectorAll('details').forEach(one => one.open = true);
const told = [];
for (const style of ['all', 'pick-1', 'pick-2', 'pick-up', 'pick-down']) {
  document.querySelectorAll('.' + style).forEach(one => one.checked = true);
  told.push(style + ':' + seen('of-1') + seen('of-2') + seen('way-up') + seen('way-down'));
  document.querySelectorAll('.all').forEach(one => one.checked = true);
}
const said = document.createElement('pre');
said.id = 'said';
said.textContent = told.join(' ');
document.body.append(said);
</script>"""


@needs_chromium
def test_filters_work_without_a_script_of_ours(tmp_path: Path):
    """Chosen by a script of the test alone, in a copy whose policy lets one run."""
    html = render_html(_with_pairs(), {})
    open_to_tests = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html)
    page = tmp_path / "page.html"
    page.write_text(open_to_tests + _FILTER, "utf-8")
    shown = browse(page, "--dump-dom", "--virtual-time-budget=5000").stdout
    said = re.search(r'<pre id="said">(.*?)</pre>', shown)
    assert said is not None
    assert said[1] == "all:1111 pick-1:1010 pick-2:0101 pick-up:1110 pick-down:1101"
