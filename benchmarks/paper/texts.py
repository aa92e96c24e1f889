"""Write the training and held-out sentences of `gpt2-mini.toml`, persons held out whole.

``python benchmarks/paper/texts.py DIR`` reads BOLD's Wikipedia sentences from the shared data, as
``benchmarks/finetune_arms.py`` does, one sentence a line. The text stays out of the repository.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from finetune_arms import sentences


def main() -> None:
    """Write both files."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    for name, texts in zip(("train", "held_out"), sentences(), strict=True):
        lines = [" ".join(text.split()) for text in texts]
        (folder / f"{name}.txt").write_text("".join(f"{line}\n" for line in lines), "utf-8")
        print(f"{folder / name}.txt: {len(lines)} sentences")


if __name__ == "__main__":
    main()
