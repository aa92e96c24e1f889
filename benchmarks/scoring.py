"""Speed of scoring beside the ways it is usually done, in one run on one machine.

``python benchmarks/scoring.py [--output FILE]`` prints times, ratios and peak memory for models
of two sizes built from config (weights random: speed does not depend on them) on sentences of the
embedded templates, and checks that all ways give the same answers.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from fairaudit.items import LogLikelihood, PseudoLogLikelihood, Request
from fairaudit.scoring.forward import Forward
from fairaudit.scoring.load import load_model
from fairaudit.scoring.scorer import Plan, Scorer
from fairaudit.suites.templates.generator import load_probe, load_templates

SIZES = {"6x768": (6, 768, 12, 50257), "4x256": (4, 256, 4, 8192)}
REPEATS = 3


def sentences(count: int) -> list[str]:
    """Sentences of many lengths: a spread of templates, and those of the probe text."""
    texts = [item.texts["stereotype"] for item in load_templates() if "stereotype" in item.texts]
    prose = [part + "." for entry in load_probe() for part in entry.text.rstrip(".").split(". ")]
    half = count // 2
    return texts[:: len(texts) // half][:half] + prose[: count - half]


def tokenizer(texts: list[str], *, masked: bool) -> Any:
    """Train a byte-level tokenizer on the texts."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=4000,
        special_tokens=["<s>", "<mask>", "<pad>"],
        initial_alphabet=alphabet,
        show_progress=False,
    )
    backend.train_from_iterator(texts, trainer)
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        pad_token="<pad>",
        mask_token="<mask>" if masked else None,
    )


def build(size: str, *, masked: bool) -> Any:
    """Build a model of the given layers × width, heads and vocabulary."""
    layers, width, heads, vocabulary = SIZES[size]
    torch.manual_seed(0)
    if masked:
        config = transformers.BertConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            architectures=["BertForMaskedLM"],
        )
        return transformers.BertForMaskedLM(config).eval()
    config = transformers.GPT2Config(
        vocab_size=vocabulary,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        n_positions=256,
        architectures=["GPT2LMHeadModel"],
    )
    return transformers.GPT2LMHeadModel(config).eval()


@torch.inference_mode()
def one_at_a_time(model: Any, plan: Plan) -> list[float]:
    """One row per forward pass, log-softmax over all positions: the usual loop."""
    totals = []
    for reads in plan.reads.values():
        assert isinstance(reads, tuple)
        total = 0.0
        for row in dict.fromkeys(read.row for read in reads):
            log_probs = torch.log_softmax(model(input_ids=torch.tensor([row.ids])).logits[0], -1)
            total += sum(float(log_probs[r.position, r.target]) for r in reads if r.row == row)
        totals.append(total)
    return totals


@torch.inference_mode()
def bare_forward(model: Any, forward: Forward, plan: Plan) -> None:
    """Run the batches of the plan through the model and throw the logits away."""
    for batch in plan.batches:
        model(**forward._inputs(batch))


def seconds(run: Callable[[], object], repeats: int = REPEATS) -> float:
    """Median time of a few runs."""
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def measure(size: str, *, masked: bool, count: int) -> dict[str, Any]:
    """Time all ways on one model and compare their answers."""
    texts = sentences(count)
    model = build(size, masked=masked)
    scorer = Scorer(load_model((model, tokenizer(texts, masked=masked))))
    kind: Callable[[str], Request] = PseudoLogLikelihood if masked else LogLikelihood
    plan = scorer.plan([kind(text) for text in texts])
    answers = scorer.run(plan)
    loop = one_at_a_time(model, plan)
    difference = max(
        abs(answer.total - total)  # type: ignore[union-attr]
        for answer, total in zip(answers.values(), loop, strict=True)
    )
    ours = seconds(lambda: scorer.run(plan))
    single = seconds(lambda: one_at_a_time(model, plan), repeats=1)
    bare = seconds(lambda: bare_forward(model, scorer._forward, plan))
    return {
        "model": f"{'BERT' if masked else 'GPT-2'} {size}",
        "sentences": len(plan.reads),
        "rows": sum(len(batch.rows) for batch in plan.batches),
        "ours_ms_per_sentence": round(1000 * ours / len(plan.reads), 2),
        "speed_up_over_one_at_a_time": round(single / ours, 2),
        "time_relative_to_bare_forward": round(ours / bare, 2),
        "largest_difference_nats": float(f"{difference:.1e}"),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }


def main() -> None:
    """Measure, print, and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path)
    output = parser.parse_args().output
    rows = [
        measure("4x256", masked=False, count=400),
        measure("6x768", masked=False, count=200),
        measure("4x256", masked=True, count=60),
    ]
    record = {
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads",
        "torch": torch.__version__,
        "transformers": transformers.__version__,
        "results": rows,
    }
    text = json.dumps(record, indent=2)
    print(text)
    if output is not None:
        output.write_text(text + "\n")


if __name__ == "__main__":
    main()
