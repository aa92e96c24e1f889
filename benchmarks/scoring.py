"""Speed of scoring beside the ways it is usually done, in one run on one machine.

``python benchmarks/scoring.py [--output FILE]`` prints times, ratios and memory for models
of two sizes built from config (weights random: speed does not depend on them) on sentences of the
embedded templates, and checks that all ways give the same answers.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
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
REPEATS = 5


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
        bert = transformers.BertConfig(
            vocab_size=vocabulary,
            hidden_size=width,
            num_hidden_layers=layers,
            num_attention_heads=heads,
            intermediate_size=4 * width,
            architectures=["BertForMaskedLM"],
        )
        return transformers.BertForMaskedLM(bert).eval()
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
def sentence_by_sentence(model: Any, tokens: Any, texts: list[str]) -> list[float]:
    """One sentence per forward pass, log-softmax over all of it: the usual loop."""
    totals = []
    for text in texts:
        ids = torch.tensor([[tokens.bos_token_id, *tokens(text)["input_ids"]]])
        log_probs = torch.log_softmax(model(input_ids=ids).logits[0, :-1], -1)
        totals.append(float(log_probs.gather(1, ids[0, 1:, None]).sum()))
    return totals


@torch.inference_mode()
def mask_by_mask(model: Any, tokens: Any, texts: list[str]) -> list[float]:
    """One masked variant per forward pass, the usual loop of pseudo-log-likelihood."""
    totals = []
    for text in texts:
        ids = torch.tensor([tokens(text)["input_ids"]])
        total = 0.0
        for position in range(ids.shape[1]):
            masked = ids.clone()
            masked[0, position] = tokens.mask_token_id
            log_probs = torch.log_softmax(model(input_ids=masked).logits[0, position], -1)
            total += float(log_probs[ids[0, position]])
        totals.append(total)
    return totals


@torch.inference_mode()
def bare_forward(model: Any, forward: Forward, plan: Plan) -> None:
    """Run the batches of the plan through the model and throw the logits away."""
    for batch in plan.batches:
        model(**forward._inputs(batch))


@dataclass
class Timed:
    """Seconds of each repeat, and the most memory one of them took above what was held before."""

    run: Callable[[], object]
    seconds: list[float] = field(default_factory=list)
    mebibytes: float = 0.0

    def repeat(self) -> None:
        """Run once more, from a trimmed heap; Linux resets the peak of a process on request."""
        ctypes.CDLL("libc.so.6").malloc_trim(0)
        Path("/proc/self/clear_refs").write_text("5")
        before = _memory("VmRSS")
        start = time.perf_counter()
        self.run()
        self.seconds.append(time.perf_counter() - start)
        self.mebibytes = max(self.mebibytes, _memory("VmHWM") - before)

    @property
    def median(self) -> float:
        """Median seconds."""
        return statistics.median(self.seconds)


def _memory(field_name: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(field_name))


def measure(size: str, *, masked: bool, count: int) -> dict[str, Any]:
    """Time all ways on one model, in turn so that a slow minute hits them alike."""
    texts = list(dict.fromkeys(sentences(count)))
    model, tokens = build(size, masked=masked), tokenizer(texts, masked=masked)
    scorer = Scorer(load_model((model, tokens)))
    kind: Callable[[str], Request] = PseudoLogLikelihood if masked else LogLikelihood
    plan = scorer.plan([kind(text) for text in texts])
    loop = mask_by_mask if masked else sentence_by_sentence
    pairs = zip(scorer.run(plan).values(), loop(model, tokens, texts), strict=True)
    difference = max(abs(answer.total - total) for answer, total in pairs)  # type: ignore[union-attr]
    ours = Timed(lambda: scorer.run(plan))
    usual = Timed(lambda: loop(model, tokens, texts))
    bare = Timed(lambda: bare_forward(model, scorer._forward, plan))
    for _ in range(REPEATS):
        for way in (ours, usual, bare):
            way.repeat()
    return {
        "model": f"{'BERT' if masked else 'GPT-2'} {size}",
        "sentences": len(texts),
        "rows": sum(len(batch.rows) for batch in plan.batches),
        "ours_ms_per_sentence": round(1000 * ours.median / len(texts), 2),
        "speed_up_over_one_at_a_time": round(usual.median / ours.median, 2),
        "time_relative_to_bare_forward": round(ours.median / bare.median, 2),
        "largest_difference_nats": float(f"{difference:.1e}"),
        "memory_mib": round(ours.mebibytes),
        "memory_mib_one_at_a_time": round(usual.mebibytes),
        "memory_mib_bare_forward": round(bare.mebibytes),
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
