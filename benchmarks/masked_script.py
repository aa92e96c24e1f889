"""The published way to score pairs with a masked model: one masked variant a forward pass.

``python benchmarks/masked_script.py MODEL ITEMS OUTPUT`` reads lines of JSON with ``id`` and the
two sentences of a pair as ``choices``, and writes both scores of each pair by id. It is the
algorithm of CrowS-Pairs' metric (Nangia et al. 2020), written anew: the tokens that both share are
masked one at a time, the log-probabilities of the true tokens are added up, and a pair's scores are
rounded to 3 decimals. `peers` runs it.
"""

from __future__ import annotations

import argparse
import difflib
import json
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForMaskedLM, AutoTokenizer


def shared(first: list[int], second: list[int]) -> tuple[list[int], list[int]]:
    """Places of the tokens that both sentences have, in each of them."""
    blocks = difflib.SequenceMatcher(None, [str(x) for x in first], [str(x) for x in second])
    places: tuple[list[int], list[int]] = ([], [])
    for name, a, b, c, d in blocks.get_opcodes():
        if name == "equal":
            places[0].extend(range(a, b))
            places[1].extend(range(c, d))
    return places


@torch.no_grad()
def log_probability(model: Any, ids: torch.Tensor, place: int, mask: int) -> float:
    """Log-probability of the token at a place when it alone is masked."""
    masked = ids.clone()
    masked[0, place] = mask
    logits = model(masked)[0][0, place]
    return float(torch.log_softmax(logits, dim=0)[ids[0, place]])


def score(model: Any, tokenizer: Any, sentences: list[str]) -> list[float]:
    """Score both sentences of a pair; the first and last token are those the tokenizer adds."""
    rows = [tokenizer.encode(sentence, return_tensors="pt") for sentence in sentences]
    places = shared(rows[0][0].tolist(), rows[1][0].tolist())
    mask, totals = tokenizer.mask_token_id, [0.0, 0.0]
    for a, b in zip(places[0][1:-1], places[1][1:-1], strict=True):
        totals[0] += log_probability(model, rows[0], a, mask)
        totals[1] += log_probability(model, rows[1], b, mask)
    return [round(total, 3) for total in totals]


def main() -> None:
    """Score every pair, one after the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path)
    parser.add_argument("items", type=Path)
    parser.add_argument("output", type=Path)
    given = parser.parse_args()
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    model = AutoModelForMaskedLM.from_pretrained(given.model, dtype=torch.float32).eval()
    rows = [json.loads(line) for line in given.items.read_text(encoding="utf-8").splitlines()]
    scores = {row["id"]: score(model, tokenizer, row["choices"]) for row in rows}
    given.output.write_text(json.dumps(scores), encoding="utf-8")


if __name__ == "__main__":
    main()
