"""One run of lm-evaluation-harness on CrowS-Pairs from a local file, in a process of its own.

``python benchmarks/real/harness_pairs.py MODEL PAIRS OUTPUT`` reads lines of JSON with ``id``,
``sent_more`` and ``sent_less``, writes a task file for them that calls the harness's own functions
for CrowS-Pairs, and writes by id the log-likelihoods of both sentences and the harness's choice.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

#: The harness's own task for English, but for where the pairs lie.
TASK: Final = """\
task: local_crows_pairs
dataset_path: json
dataset_kwargs:
  data_files:
    test: {pairs}
test_split: test
output_type: multiple_choice
doc_to_text: ""
doc_to_target: 0
doc_to_choice: !function {functions}.doc_to_choice
target_delimiter: ""
process_results: !function {functions}.process_results
metric_list:
  - metric: pct_stereotype
    aggregation: mean
    higher_is_better: false
"""


def harness(model: Path, pairs: Path, batch_size: int) -> dict[str, dict[str, Any]]:
    """Return what the harness finds for each pair."""
    import lm_eval
    from lm_eval.tasks import TaskManager

    found = find_spec("lm_eval")
    assert found is not None
    assert found.origin is not None
    own = Path(found.origin).parent / "tasks" / "crows_pairs" / "utils.py"
    with tempfile.TemporaryDirectory() as folder:
        # Functions are looked for beside the task file.
        (Path(folder) / "utils.py").write_text(own.read_text("utf-8"), "utf-8")
        task = TASK.format(pairs=pairs.resolve(), functions="utils")
        (Path(folder) / "local_crows_pairs.yaml").write_text(task, "utf-8")
        result = lm_eval.simple_evaluate(
            model="hf",
            model_args={"pretrained": str(model), "dtype": "float32"},
            tasks=["local_crows_pairs"],
            task_manager=TaskManager(include_path=folder, include_defaults=False),
            batch_size=batch_size,
            device="cpu",
            bootstrap_iters=0,
            log_samples=True,
        )
    return {
        str(sample["doc"]["id"]): {
            "log_likelihoods": [float(answer[0]) for answer in sample["filtered_resps"]],
            "stereotype": sample["pct_stereotype"] == 1.0,
        }
        for sample in result["samples"]["local_crows_pairs"]
    }


def main() -> None:
    """Read the paths from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("pairs", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--batch-size", type=int, default=16)
    given = parser.parse_args()
    found = harness(given.model, given.pairs, given.batch_size)
    given.output.write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
