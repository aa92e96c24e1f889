"""Train one recipe with several seeds, and ask what holds for it and not for one model only.

python examples/several_seeds.py ./base text.jsonl --seeds 0 1 2 3 4 --output seeds
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import fmean, stdev

import fairaudit
from fairaudit.stats.intervals import t_interval


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("text")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=None, help="default: three epochs")
    parser.add_argument("--output", type=Path, default=Path("seeds"))
    asked = parser.parse_args()

    options = {"suites": ["templates"], "axes": ["gender"]}
    audits = [fairaudit.audit(asked.base, label="base", **options)]
    for seed in asked.seeds:
        model = asked.output / f"seed-{seed}"
        fairaudit.finetune(
            asked.base, asked.text, output=model, seed=seed, steps=asked.steps, batch_size=8
        )
        audits.append(fairaudit.audit(model, label=f"seed-{seed}", **options))
    compared = fairaudit.compare(audits, output=asked.output / "compared")
    primary = compared.to_frame().query("primary")
    print(primary[["candidate", "axis", "difference", "verdict"]].to_string(index=False))

    # Each row above resamples items and is about one model. This resamples training instead.
    for axis, rows in primary.groupby("axis"):
        values = list(rows["difference"])
        mean, error = fmean(values), stdev(values) / len(values) ** 0.5
        low, high = t_interval(mean, error, df=len(values) - 1)
        print(f"{axis}: {mean:+.3f} [{low:+.3f}, {high:+.3f}] over {len(values)} seeds")


if __name__ == "__main__":
    main()
