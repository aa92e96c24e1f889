"""One run of lm-evaluation-harness on questions with answers, or sentence pairs, as a process.

``python benchmarks/choices_harness.py MODEL ITEMS OUTPUT --batch-size N`` reads lines of JSON with
``id``, ``prompt``, ``choices`` and ``label``, and writes the scores of the choices by id. With an
empty prompt and ``--delimiter ""`` that is the harness's own task for CrowS-Pairs. `choices` and
`peers` run it; it needs the bench extra.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import lm_eval

TASK = "answers"


def main() -> None:
    """Score every choice of every item, as the harness does for its own multiple-choice tasks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("items", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--batch-size", type=int, default=16)
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--delimiter", default=" ", help="between prompt and answer")
    given = parser.parse_args()
    task = {
        "task": TASK,
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": str(given.items)}},
        "test_split": "test",
        "output_type": "multiple_choice",
        "doc_to_text": "{{prompt}}",
        "doc_to_choice": "{{choices}}",
        "doc_to_target": "label",
        "target_delimiter": given.delimiter,
        "metric_list": [{"metric": "acc", "aggregation": "mean", "higher_is_better": True}],
    }
    found = lm_eval.simple_evaluate(
        model="hf",
        model_args={"pretrained": str(given.model), "dtype": given.dtype},
        tasks=[task],
        batch_size=given.batch_size,
        device="cpu",
        bootstrap_iters=0,
    )
    scores = {
        sample["doc"]["id"]: [float(answer[0]) for answer in sample["filtered_resps"]]
        for sample in found["samples"][TASK]
    }
    given.output.write_text(json.dumps(scores), encoding="utf-8")


if __name__ == "__main__":
    main()
