"""CrowS-Pairs on the real chat model: our score of every sentence is the harness's."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys

import pytest

from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Scorer
from fairaudit.suites import DataFinder, get_suite
from fairaudit.suites.pair_protocols import PAIR
from tests.conftest import shared
from tests.real.conftest import SCRIPT, fetching

pytestmark = pytest.mark.real

PROTOCOL = "crows_pairs/causal-sum"
#: Every so many pairs of the 1,508 are asked; FAIRAUDIT_EVERY_PAIR=1 asks all.
STEP = 1 if os.environ.get("FAIRAUDIT_EVERY_PAIR") else 50
#: Nats by which two sums of log-probabilities in fp32 may differ.
NATS = 2e-3


def test_every_sentence_has_the_score_that_the_harness_gives_it(real, tmp_path):
    if importlib.util.find_spec("lm_eval") is None:
        pytest.skip("needs the package lm-eval")
    folder = real(fetching().SMOLLM2)
    suite = get_suite("crows_pairs")
    items = suite.load(DataFinder(shared("data"))).items[::STEP]
    protocol = next(one for one in suite.protocols if one.id == PROTOCOL)
    scorer = Scorer(load_model(folder, device="cpu"))
    asked = {(item.item_id, role): protocol.request(item, role) for item in items for role in PAIR}
    answers = scorer.run(scorer.plan(asked.values()))
    ours = {
        item.item_id: [answers[asked[item.item_id, role]].total for role in PAIR] for item in items
    }
    theirs = by_harness(folder, items, tmp_path)
    assert theirs.keys() == ours.keys()
    worst = max(
        abs(own - other)
        for name in ours
        for own, other in zip(ours[name], theirs[name]["log_likelihoods"], strict=True)
    )
    assert worst < NATS
    apart = {name: a - b for name, (a, b) in ours.items() if abs(a - b) > 2 * NATS}
    assert len(apart) > 0.95 * len(ours)
    assert {name: gap > 0 for name, gap in apart.items()} == {
        name: theirs[name]["stereotype"] for name in apart
    }
    print(f"{len(apart)} of {len(ours)} pairs are no ties; at most {worst:.1e} nats apart")


def by_harness(folder, items, tmp_path):
    """Ask the harness in a process of its own, from a local task file."""
    pairs, output = tmp_path / "pairs.jsonl", tmp_path / "found.json"
    rows = (
        {"id": item.item_id, "sent_more": item.texts[PAIR[0]], "sent_less": item.texts[PAIR[1]]}
        for item in items
    )
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    script = SCRIPT.parent / "harness_pairs.py"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", script, folder, pairs, output],
        capture_output=True,
        text=True,
        env=os.environ | {"HF_DATASETS_CACHE": str(tmp_path / "datasets")},
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(output.read_text(encoding="utf-8"))
