"""What weakens a guarantee is said where there is one; elsewhere it would only confuse."""

from __future__ import annotations

import pytest

from fairaudit.training.finetune_options import FinetuneOptions
from fairaudit.training.jobs import make_job

TEXTS = ["The nurse said that she was tired."] * 5 + [
    f"Nobody could say why {n}." for n in range(40)
]
PEOPLE = [f"person {n}" for n in range(43)] + ["Alice", "alice"]


@pytest.fixture
def warned(checkpoint, tmp_path, caplog):
    """Warnings of a fine-tuning before its first step."""

    def of(**options) -> str:
        path = tmp_path / "text.csv"
        rows = zip(TEXTS, PEOPLE, strict=True)
        path.write_text("text,who\n" + "".join(f"{text},{who}\n" for text, who in rows))
        caplog.clear()
        with caplog.at_level("WARNING", logger="fairaudit"):
            make_job(
                FinetuneOptions(
                    checkpoint("gpt2"), path, output=tmp_path / "out", batch_size=8, steps=2,
                    text_column="text", **options,
                )
            )  # fmt: skip
        return caplog.text

    return of


def test_copies_of_a_record_are_told_to_who_trains_privately(warned):
    assert "epsilon is that of one copy" in warned(epsilon=8.0)
    assert warned() == ""


def test_names_that_are_alike_are_told_to_who_trains_privately(warned):
    assert "'Alice', 'alice'" in warned(epsilon=8.0, unit_column="who")
    assert warned(unit_column="who") == ""
