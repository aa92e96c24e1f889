"""Statistics for scores that another tool recorded: no model runs here.

python examples/logs_from_elsewhere.py --output recorded

The files of examples/data hold log-likelihoods of sentences, a column each. Logs of
lm-evaluation-harness and inspect_ai, StereoSet predictions and others are read alike.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import fairaudit

DATA = Path(__file__).parent / "data"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path("recorded"))
    asked = parser.parse_args()

    audits = [
        fairaudit.audit_scores(
            DATA / f"{name}.csv",
            suite=str(DATA / "pairs.csv"),
            label=name,
            output=asked.output / name,
        )
        for name in ("before", "after")
    ]
    for audit in audits:
        (primary,) = audit.to_frame().query("primary").to_dict("records")
        print(
            f"{audit.label}: {primary['value']:.3f} [{primary['low']:.3f}, {primary['high']:.3f}]"
        )
    compared = fairaudit.compare(audits, output=asked.output / "compared")
    columns = ["axis", "difference", "n", "n_clusters", "mde", "verdict"]
    print(compared.to_frame().query("primary")[columns].to_string(index=False))


if __name__ == "__main__":
    main()
