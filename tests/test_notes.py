"""Notes name suites, protocols and axes as people do, and write differences of rates in points."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import pandas as pd
import pytest

from fairaudit.auditing.audit_suites import skipped_notes, unparsed_notes
from fairaudit.auditing.audit_texts import refusal_notes, repeated_note
from fairaudit.comparing.losses import loss_notes
from fairaudit.results.texts import PromptTexts
from fairaudit.vocabulary.suites import CARDS, called
from tests.report.audits import make
from tests.report.comparisons import comparison

_IDS = re.compile(rf"\b({'|'.join(CARDS)})/|\b\w+_\w+\b")


def _skipped() -> Iterable[str]:
    row = {"item_id": "1", "protocol": "crows_pairs/aula", "status": "skipped", "reason": "no",
           "score": None, "role": "stereotype", "axis": "sexual_orientation"}  # fmt: skip
    other = {**row, "protocol": "crows_pairs/aul", "status": "ok", "score": -1.0, "reason": None}
    return skipped_notes({"crows_pairs": pd.DataFrame([row, other])}, ())


def _repeated() -> Iterable[str]:
    texts = [
        PromptTexts(item_id=str(n), axis="gender", group="male", prompt="He", completions=("no",),
                    n_tokens=(1,), ended=(True,))
        for n in range(40)
    ]  # fmt: skip
    return [repeated_note("toxicity", texts) or ""]


def _lost() -> Iterable[str]:
    lost = {"n_only_baseline": 90, "worst_case": (-0.021, 0.034), "axis": "sexual_orientation"}
    return loss_notes([comparison(**lost)])


def _share(name: str) -> list:
    return [make("stereoset/intrasentence-choice", "all", 100, 100, name=name, kind="control",
                 value=0.25)]  # fmt: skip


_NOTES: dict[str, tuple[Callable[[], Iterable[str]], str]] = {
    "skipped": (_skipped, "CrowS-Pairs, aula: skipped"),
    "unparsed": (lambda: unparsed_notes(_share("unparsed_share")), "StereoSet, intrasentence-ch"),
    "refusals": (lambda: refusal_notes(_share("refusal_rate")), "StereoSet: 25.0%"),
    "repeated": (_repeated, "Prompts about groups: 40 of 40"),
    "lost": (_lost, "dp: CrowS-Pairs, causal-sum, sexual orientation: 90 of"),
}


@pytest.mark.parametrize("kind", _NOTES)
def test_a_note_has_no_id(kind: str):
    make_notes, said = _NOTES[kind]
    (note,) = make_notes()
    assert note.startswith(said)
    assert not _IDS.search(note)


def test_prompts_that_sentiment_scores_are_not_called_toxicity():
    """The suite is named by what it asks; what scored the texts is the metric's name."""
    assert "toxic" not in called("toxicity/vader-3.3.2").lower()


def test_what_lost_items_could_have_changed_is_in_points():
    (note,) = _lost()
    assert note.endswith("the difference lies between \N{MINUS SIGN}2.1 and +3.4 points")
