"""Gate a release: audit the base and the candidate, compare them, decide by a policy.

python examples/release_gate.py distilgpt2 ./checkpoint --output gated
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import fairaudit

#: What the release must show. Limits are fractions: 0.05 is 5 points.
POLICY = {
    "policy": {"name": "release", "alpha": 0.05},
    "rules": [
        {"kind": "requires", "suite": "templates"},
        {"kind": "max_increase_vs_baseline", "suite": "templates", "margin": 0.05},
    ],
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("base")
    parser.add_argument("candidate")
    parser.add_argument("--output", type=Path, default=Path("gated"))
    asked = parser.parse_args()

    base, candidate = (
        fairaudit.audit(
            model, suites=["templates"], axes=["gender"], label=label, output=asked.output / label
        )
        for label, model in (("base", asked.base), ("candidate", asked.candidate))
    )
    # The first audit is the baseline. Both were asked the same items, so differences are paired.
    compared = fairaudit.compare([base, candidate], output=asked.output / "compared")
    decided = fairaudit.gate(compared, POLICY)
    print(decided.explain())
    return decided.exit_code


if __name__ == "__main__":
    sys.exit(main())
