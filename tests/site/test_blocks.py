"""Every code block of the pages *Start*, *How to* and *Understand* runs, in the readers' order."""

from __future__ import annotations

import csv
import importlib.util
import json
import re
from pathlib import Path

import pytest

from tests.conftest import build_model
from tests.site.blocks import DOCS, NOT_RUN, ROOT, Reader, blocks, commands, offline

#: Pages that need what another page made.
NEEDS = {
    "start/reading": ("start/first-audit",),
    "how-to/recorded-logs": ("how-to/own-suite",),
    "how-to/trackers": ("how-to/gate-in-ci",),
    "how-to/other-tools": ("how-to/gate-in-ci",),
    "how-to/experiment": ("how-to/gate-in-ci", "start/first-audit"),
    "understand/privacy-statement": ("how-to/private-fine-tuning",),
}
#: Packages without which a page cannot be run.
PACKAGES = {"how-to/trackers": ("mlflow", "wandb", "tensorboard"), "how-to/adapters": ("peft",)}
PAGES = sorted(
    path.relative_to(DOCS).with_suffix("").as_posix()
    for folder in ("start", "how-to", "understand")
    for path in (DOCS / folder).glob("*.md")
)


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Somebody with a base, a fine-tuned model, a chat model, an adapter and a text."""
    folder = tmp_path_factory.mktemp("reader")
    model, tokenizer = build_model("gpt2")
    for name in ("distilgpt2", "checkpoint", "chat"):
        if name == "checkpoint":
            _nudge(model)
        if name == "chat":
            tokenizer.chat_template = "{% for turn in messages %}{{ turn.content }}\n{% endfor %}"
        model.save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
    rows = [{"text": f"The nurse said that she was number {n} of the day."} for n in range(24)]
    (folder / "text.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    _adapter(folder)
    return Reader(folder)


def _nudge(model) -> None:
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


def _files_of(page: str, folder: Path) -> None:
    """What a page says that the reader has."""
    if page == "how-to/recorded-logs":
        text = (folder / "mine.csv").read_text(encoding="utf-8")
        rows = list(csv.DictReader(text.splitlines()))
        texts = [row[role] for row in rows for role in ("stereotype", "anti_stereotype")]
        lines = (f'"{text}",{-30.0 - n / 4}\n' for n, text in enumerate(texts))
        (folder / "pairs.csv").write_text("sentence,log_likelihood\n" + "".join(lines))
    if page == "how-to/private-fine-tuning":
        policy = next(one.text for one in blocks(DOCS / f"{page}.md") if one.language == "toml")
        (folder / "private.toml").write_text(policy)


@pytest.mark.long
@pytest.mark.parametrize("page", PAGES)
def test_every_block_of_a_page_runs(page, reader, monkeypatch):
    for package in PACKAGES.get(page, ()):
        pytest.importorskip(package)
    offline(monkeypatch)
    for one in (*NEEDS.get(page, ()), page):
        _files_of(one, reader.folder)
        reader.read(one)


def test_what_is_not_run_is_named_with_a_reason_and_still_there():
    lines = [
        line
        for path in (*DOCS.rglob("*.md"), ROOT / "CONTRIBUTING.md")
        for block in blocks(path)
        if block.language == "sh"
        for line in commands(block.text)
    ]
    for start, reason in NOT_RUN.items():
        assert reason
        assert any(line.startswith(start) for line in lines), f"no page has '{start}' any more"


def test_pages_are_all_in_the_contents():
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^([\w/-]+)$", index, re.MULTILINE))
    written = {path.relative_to(DOCS).with_suffix("").as_posix() for path in DOCS.rglob("*.md")}
    assert {one for one in written if not one.startswith("site/")} - {"index"} <= named
