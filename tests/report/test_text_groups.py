"""Table 1 of generated text in the report: what stands in it, and that it survives any text."""

from __future__ import annotations

import re

import numpy as np
import pytest

from fairaudit.metrics.texts import text_estimates
from fairaudit.report.audit.figures import drawers
from fairaudit.report.audit.summary import measured
from fairaudit.report.audit.textgroups import group_tables, plots
from fairaudit.report.html import render_html
from fairaudit.report.names import METRICS, metric_of, protocol_meaning
from tests.metrics.text_tables import Asked, table, toxic
from tests.report.audits import whole_audit


def prompts(*means: tuple[str, float], axis: str = "gender", n: int = 45) -> list[Asked]:
    factors = np.linspace(0.5, 1.5, n)
    return [
        toxic(group, mean * x, mean, axis=axis, item_id=f"{axis}{group}{i}")
        for group, mean in means
        for i, x in enumerate(factors)
    ]


@pytest.fixture(scope="module")
def audit():
    rows = [
        *prompts(("female", 0.12), ("male", 0.07)),
        *prompts(("Black", 0.3), ("white", 0.1), ("Asian", 0.2), axis="race"),
        *prompts(("nurses", 0.1), ("drivers", 0.2), axis="profession", n=5),
    ]
    estimates = text_estimates(table(rows), 0)
    return whole_audit().model_copy(update={"estimates": tuple(estimates)})


def test_the_reference_stands_first_and_the_contrasts_below(audit):
    found = group_tables(audit)["toxicity"]
    axes = {axis.axis: axis for axis in found.axes}
    assert [one.group for one in axes["gender"].groups] == ["male", "female"]
    assert [one.name for one in axes["gender"].contrasts] == [
        "toxicity_difference",
        "toxicity_ratio",
    ]
    assert [one.group for one in axes["race"].groups] == ["white", "Asian", "Black"]
    assert axes["race"].contrasts[-1].name == "toxicity_largest_gap"
    assert axes["profession"].reference is None
    labels = [axes["gender"].contrast_label(one) for one in axes["gender"].contrasts]
    assert labels == ["female − male", "female / male"]
    assert axes["race"].contrast_label(axes["race"].contrasts[0]) == "mean of the others − white"
    assert axes["race"].contrast_label(axes["race"].contrasts[-1]) == "largest − smallest"


def test_the_page_shows_means_difference_and_ratio(audit):
    page = render_html(audit, {})
    part = page[page.index("By group: mean toxicity") :]
    part = re.sub(r"<svg.*?</svg>", "", part[: part.index("</table>")], flags=re.DOTALL)
    words = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", part))
    for shown in (
        "male reference",
        "7.0 %",
        "female",
        "12.0 %",
        "female − male",
        "+5.0 points",
        "1.71 ×",
    ):
        assert shown in words
    assert "5 prompts of group" in words


def test_the_question_names_what_was_asked(audit):
    assert "does it write otherwise about one group than about another?" in measured(audit)
    assert "stereotyped text more probable" in measured(whole_audit())


def test_a_figure_shows_every_axis_whose_means_have_intervals(audit):
    found = plots(audit)
    assert [plot.title for plot in found] == [
        "Prompts about groups, gender: mean toxicity",
        "Prompts about groups, race: mean toxicity",
    ]
    (bare,) = (one for one in group_tables(audit)["toxicity"].axes if one.axis == "profession")
    assert [one.interval for one in bare.groups] == [None, None]
    assert [row.label for row in found[0].rows] == ["male", "female"]
    assert found[0].rows[1].mark.ideal == pytest.approx(0.07)
    assert "texts" in drawers(audit)
    assert "texts" not in drawers(whole_audit())


def test_hostile_groups_are_shown_as_text():
    rows = prompts(("<script>x</script>", 0.1), ("a\u202eb\x00", 0.2), axis="<b>axis")
    audit = whole_audit().model_copy(update={"estimates": tuple(text_estimates(table(rows), 0))})
    page = render_html(audit, {})
    assert "<script>x" not in page
    assert "<b>axis" not in page
    assert "\x00" not in page


def test_missing_values_say_why():
    rows = [toxic("male", None), toxic("female", 0.2)]
    audit = whole_audit().model_copy(update={"estimates": tuple(text_estimates(table(rows), 0))})
    page = render_html(audit, {})
    assert "By group: mean toxicity" in page
    # A single text has no interval, and a mean without one is not drawn.
    assert plots(audit) == []


def test_every_metric_of_texts_is_explained(audit):
    kinds = {
        "compound": {"compound": [0.3]},
        "regard": {label: [0.25] for label in ("negative", "neutral", "positive", "other")},
        "hurtful": {"hurtful": [0.0]},
        "words": {"female_words": [1.0], "male_words": [0.0]},
        "vectors": {"gender_max": [0.3], "gender_wavg": [0.1]},
        "counts": {"gender:female": [1.0], "gender:male": [1.0]},
    }
    found = list(audit.estimates)
    for scorer, labels in kinds.items():
        rows = [Asked(g, labels, "race", item_id=g) for g in ("white", "Black", "Asian")]
        found += text_estimates(table(rows, scorer=scorer), 0)
    assert len({one.name for one in found}) > 25
    for one in found:
        assert one.name in METRICS
        assert metric_of(one).meaning


@pytest.mark.parametrize(
    "scorer",
    [
        "vader-3.3.2",
        "hurtlex-conservative",
        "group-words@1",
        "gender-unigrams",
        "a/b@c",
        "mean-causal",
    ],
)
def test_scorers_are_explained(scorer):
    assert protocol_meaning(f"toxicity/{scorer}")
