"""Fine-tune with and without differential privacy on the same text, and compare both with the base.

python examples/dp_against_plain.py ./base text.jsonl --epsilon 3 --output dp
"""

from __future__ import annotations

import argparse
from pathlib import Path

import fairaudit


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base", help="Hub id or folder of the base model")
    parser.add_argument("text", help="one record per line or row")
    parser.add_argument("--epsilon", type=float, default=3.0)
    parser.add_argument("--steps", type=int, default=None, help="default: three epochs")
    parser.add_argument("--output", type=Path, default=Path("dp"))
    asked = parser.parse_args()

    # The arms differ in one thing only: same text, same steps, same loss.
    for arm, epsilon in (("plain", None), ("private", asked.epsilon)):
        fairaudit.finetune(
            asked.base,
            asked.text,
            output=asked.output / "models" / arm,
            epsilon=epsilon,
            steps=asked.steps,
            batch_size=8,
        )
    # Epsilon is recomputed from what the run recorded; a target is never copied.
    print(fairaudit.verify(asked.output / "models" / "private"))

    models = {
        "base": asked.base,
        "plain": asked.output / "models" / "plain",
        "private": asked.output / "models" / "private",
    }
    audits = [
        fairaudit.audit(
            model,
            suites=["templates"],
            axes=["gender"],
            label=label,
            output=asked.output / "audits" / label,
        )
        for label, model in models.items()
    ]
    compared = fairaudit.compare(audits, output=asked.output / "compared")
    primary = compared.to_frame().query("primary")
    print(
        primary[["candidate", "axis", "difference", "verdict", "cautions"]].to_string(index=False)
    )
    # How far the private model went of the plain one's way, and what to expect of its bias.
    print(*compared.notes, sep="\n")


if __name__ == "__main__":
    main()
