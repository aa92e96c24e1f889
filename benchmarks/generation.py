"""Speed of writing texts beside one prompt at a time, and of whole audits, in one run.

``python benchmarks/generation.py [--output FILE] [--audits MODEL --data FOLDER]`` continues the
project's own prompts greedily with `transformers`' ``generate``, one prompt at a time with its
key-value cache, and in our batches; checks that the texts are the same; and prints times and
ratios. With ``--audits`` it also times the default and the quick audit of a checkpoint, each with
an empty cache.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers
from scoring import build, tokenizer

from fairaudit.items import Completions, Decoding, Generation
from fairaudit.scoring.generate import Generator, stop_ids
from fairaudit.scoring.load import LoadedModel, load_model
from fairaudit.suites.prompts.loader import load_prompts

REPEATS = 3
N_TOKENS = 20
GREEDY = Decoding(n=1, max_new_tokens=N_TOKENS, do_sample=False)
SAMPLED = Decoding(n=4, max_new_tokens=N_TOKENS)


def prompts(count: int) -> list[str]:
    """Take a spread of the project's own prompts."""
    texts = [item.texts["prompt"] for item in load_prompts()]
    return texts[:: len(texts) // count][:count]


@torch.inference_mode()
def one_at_a_time(loaded: LoadedModel, generator: Generator, texts: list[str]) -> list[str]:
    """Run ``generate`` on each prompt by itself, greedily, with its cache: the usual loop."""
    found = []
    stop = sorted(stop_ids(loaded)) or None
    for text in texts:
        ids = torch.tensor([generator._encoder.prompt(text)])
        output = loaded.model.generate(
            ids,
            attention_mask=torch.ones_like(ids),
            do_sample=False,
            max_new_tokens=N_TOKENS,
            eos_token_id=stop,
            pad_token_id=0,
        )
        written = output[0, ids.shape[1] :].tolist()
        found.append(generator._text(tuple(ids[0].tolist()), tuple(written)))
    return found


@dataclass
class Timed:
    """Seconds of each repeat, on the clock and of the processor."""

    run: Callable[[], object]
    wall: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)

    def repeat(self) -> None:
        """Run once more."""
        wall, processor = time.perf_counter(), time.process_time()
        self.run()
        self.wall.append(time.perf_counter() - wall)
        self.processor.append(time.process_time() - processor)

    @property
    def seconds(self) -> float:
        """Median on the clock."""
        return statistics.median(self.wall)

    @property
    def processor_seconds(self) -> float:
        """Median of the processor."""
        return statistics.median(self.processor)


def measure(name: str, source: Any, count: int) -> dict[str, Any]:
    """Time both ways on one model, in turn so that a slow minute hits them alike."""
    loaded = load_model(source)
    generator = Generator(loaded)
    texts = prompts(count)
    greedy = generator.plan([Generation(text, GREEDY) for text in texts])
    sampled = generator.plan([Generation(text, SAMPLED) for text in texts])
    written = [found for found in generator.run(greedy).values() if isinstance(found, Completions)]
    usual_texts = one_at_a_time(loaded, generator, texts)
    same = sum(a.texts[0] == b for a, b in zip(written, usual_texts, strict=True))
    ours = Timed(lambda: generator.run(greedy))
    usual = Timed(lambda: one_at_a_time(loaded, generator, texts))
    drawn = Timed(lambda: generator.run(sampled))
    for _ in range(REPEATS):
        for way in (ours, usual, drawn):
            way.repeat()
    n_written = sum(sum(found.n_tokens) for found in written)
    n_drawn = sum(
        sum(found.n_tokens)
        for found in generator.run(sampled).values()
        if isinstance(found, Completions)
    )
    return {
        "model": name,
        "prompts": len(texts),
        "same_greedy_texts": same,
        "speed_up_over_one_at_a_time": round(usual.seconds / ours.seconds, 2),
        "speed_up_in_processor_time": round(usual.processor_seconds / ours.processor_seconds, 2),
        "tokens_per_second_greedy": round(n_written / ours.seconds),
        "tokens_per_second_one_at_a_time": round(n_written / usual.seconds),
        "tokens_per_second_sampled_4_per_prompt": round(n_drawn / drawn.seconds),
    }


def audit_seconds(model: str, data: str, *options: str) -> float:
    """Seconds of a whole audit by the command line, with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "fairaudit", "--quiet", "audit", model, "--data", data]
        environment = os.environ | {"FAIRAUDIT_CACHE": f"{folder}/cache", "HF_HUB_OFFLINE": "1"}
        start = time.perf_counter()
        subprocess.run(
            [*command, *options, "--output", f"{folder}/out"],
            env=environment,
            stdout=subprocess.DEVNULL,
            check=True,
        )
        return round(time.perf_counter() - start, 1)


def built(size: str, texts: list[str]) -> tuple[Any, Any]:
    """Build a GPT-2 of a size with random weights and a tokenizer trained on the texts."""
    return build(size, masked=False), tokenizer(texts, masked=False)


def main() -> None:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    parser.add_argument("--audits", metavar="MODEL", help="checkpoint folder of audits to time")
    parser.add_argument("--data", help="folder with benchmark files")
    arguments = parser.parse_args()
    texts = prompts(1000)
    rows = [
        measure("GPT-2 4x256", built("4x256", texts), count=200),
        measure("GPT-2 6x768", built("6x768", texts), count=64),
    ]
    if arguments.audits:
        rows.insert(0, measure(Path(arguments.audits).name, arguments.audits, count=200))
    record: dict[str, Any] = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "results": rows,
    }
    if arguments.audits:
        record["audit_seconds"] = {
            "model": Path(arguments.audits).name,
            "default": audit_seconds(arguments.audits, arguments.data),
            "quick": audit_seconds(arguments.audits, arguments.data, "--quick"),
        }
    text = json.dumps(record, indent=2)
    print(text)
    if arguments.output is not None:
        arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
