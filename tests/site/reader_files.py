"""What pages take for granted: models, texts and plans of a reader, tiny and real."""

from __future__ import annotations

import csv
import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

from tests.classifiers import GOOD, save, sentences
from tests.cli.program import fairaudit
from tests.cli.test_interrupted_map import PLAN as MAP
from tests.cli.test_killed import PLAN as EXPERIMENT
from tests.conftest import build_model
from tests.gguf_files import write_gguf
from tests.site.blocks import blocks, page_file


def own_models(folder: Path) -> None:
    """Save a base, a fine-tuned model, a chat model, an adapter and a text."""
    model, tokenizer = build_model("gpt2")
    for name in ("distilgpt2", "checkpoint", "chat"):
        if name == "checkpoint":
            _nudge(model)
        if name == "chat":
            tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
        _saved(model, tokenizer, folder / name)
    for name in ("text", "train", "held_out"):
        rows = [
            {"text": f"The nurse said that she was number {n} of the {name}."} for n in range(600)
        ]
        lines = (f"{json.dumps(row)}\n" for row in (rows[:24] if name == "text" else rows))
        (folder / f"{name}.jsonl").write_text("".join(lines), encoding="utf-8")
    _adapter(folder)


def _saved(model: Any, tokenizer: Any, folder: Path) -> None:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def _nudge(model: Any) -> None:
    import torch

    with torch.no_grad():
        for number, weight in enumerate(model.parameters()):
            weight.add_(0.01 * torch.cos(torch.arange(weight.numel()) + number).view_as(weight))


def _adapter(folder: Path) -> None:
    if importlib.util.find_spec("peft") is None:
        return
    import peft
    from transformers import AutoModelForCausalLM

    base = AutoModelForCausalLM.from_pretrained(folder / "distilgpt2")
    config = peft.LoraConfig(r=2, target_modules=["c_attn"], fan_in_fan_out=True)
    peft.get_peft_model(base, config).save_pretrained(folder / "adapter")
    path = folder / "adapter" / "adapter_config.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "base_model_name_or_path": str(folder / "distilgpt2")}))


def files_of(page: str, folder: Path) -> None:
    """Write what a page says that its reader has."""
    make = _MAKES.get(page)
    if make is not None:
        make(folder)


def _recorded_logs(folder: Path) -> None:
    text = (folder / "mine.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    texts = [row[role] for row in rows for role in ("stereotype", "anti_stereotype")]
    lines = (f'"{text}",{-30.0 - n / 4}\n' for n, text in enumerate(texts))
    (folder / "pairs.csv").write_text("sentence,log_likelihood\n" + "".join(lines))


def _policy(folder: Path) -> None:
    page = page_file("how-to/private-fine-tuning")
    policy = next(one.text for one in blocks(page) if one.language == "toml")
    (folder / "private.toml").write_text(policy)


def _quantised(folder: Path) -> None:
    _saved(*build_model("llama"), folder / "model")
    write_gguf(folder / "model.Q4_K_M.gguf", quantised="Q8_0")
    (folder / "gguf-folder").mkdir(exist_ok=True)
    write_gguf(folder / "gguf-folder" / "model.Q8_0.gguf", quantised="Q8_0")


def _measured(folder: Path) -> None:
    _quantised(folder)
    save(folder / "CLASSIFIER")
    rows = [(text, "0", "male" if "man" in text else "female") for text in sentences(GOOD)]
    with (folder / "labelled.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("text", "label", "group"), *rows, ("a poor man", "1", "male")])
    asked = folder / "asked.jsonl"
    assert fairaudit("suites", "prompts", "toxicity", "--output", asked).returncode == 0
    prompts = [json.loads(line) for line in asked.read_text().splitlines()]
    answered = (json.dumps({**row, "completions": [" was glad."]}) for row in prompts)
    (folder / "texts.jsonl").write_text("\n".join(answered) + "\n")


def _training(folder: Path) -> None:
    for name in ("BASE", "MODEL", "base", "models/base", "models/theirs"):
        shutil.copytree(folder / "distilgpt2", folder / name)
    made = ("--trainer", "opacus", "--records", "5000", "--batch-size", "64", "--steps", "50",
            "--noise-multiplier", "1", "--max-grad-norm", "1")  # fmt: skip
    for name in ("theirs", "seed-0", "seed-1", "seed-2"):
        place = folder / "models" / name
        shutil.copytree(folder / "distilgpt2", place, dirs_exist_ok=True)
        assert fairaudit("statement", "new", place, *made).returncode == 0
    (folder / "plan.toml").write_text(EXPERIMENT)
    (folder / "map.toml").write_text(MAP)


def _processes(folder: Path) -> None:
    for name in ("BASE", "MODEL", "runs/a/final", "runs/b/final"):
        shutil.copytree(folder / "distilgpt2", folder / name)
    (folder / "models.txt").write_text("# two runs\nruns/a/final\nruns/b/final\n")


def _readme(folder: Path) -> None:
    shutil.copytree(folder / "distilgpt2", folder / "base")


_MAKES = {
    "README.md": _readme,
    "how-to/private-fine-tuning": _policy,
    "how-to/quantised-models": _quantised,
    "how-to/recorded-logs": _recorded_logs,
    "measured": _measured,
    "processes": _processes,
    "training": _training,
}
