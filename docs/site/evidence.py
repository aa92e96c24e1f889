"""Evidence pages: every record of ``benchmarks/results``, as it is stored."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from docs.site.tables import code, table

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "benchmarks" / "results"
#: The script of each record, by the beginning of its file's name.
SCRIPTS: Final = {
    "calibration": "calibration.py",
    "choices": "choices.py",
    "classifier": "real/classifier.py",
    "cost": "cost.py",
    "diagnostics-cpu": "diagnostics.py",
    "diagnostics-power": "diagnostics_power.py",
    "dp-step": "dp_step.py",
    "finetune-arms": "finetune_arms.py",
    "generation": "generation.py",
    "gradients": "gradients.py",
    "language-guard": "language_guard.py",
    "peers": "peers.py",
    "privacy-audit": "privacy_audit.py",
    "privacy-one-run": "privacy_one_run.py",
    "ranks": "ranks.py",
    "scoring": "scoring.py",
    "truth": "truth.py",
}
#: Digits of a number that is shown; records have more.
_DIGITS: Final = 4


def records() -> dict[str, Path]:
    """Every record by its name; of one in two forms, that for readers."""
    found = {path.stem: path for path in sorted(RESULTS.glob("*.json"))}
    return found | {path.stem: path for path in sorted(RESULTS.glob("*.md"))}


def script_of(name: str) -> str:
    """Return the script that made a record, by the longest beginning of its name."""
    return SCRIPTS[max((one for one in SCRIPTS if name.startswith(one)), key=len)]


def page(name: str, path: Path) -> str:
    """One record: the command, what it measures in the script's own words, and the numbers."""
    script = ROOT / "benchmarks" / script_of(name)
    what = _first_sentence(script)
    head = f"# {name.replace('-', ' ').capitalize()}\n\n{what}\n"
    made = f"\nMade by `python {script.relative_to(ROOT)}`; stored in `{path.relative_to(ROOT)}`.\n"
    if path.suffix == ".md":
        text = path.read_text(encoding="utf-8")
        return "\n".join([head, made, text.removeprefix("# Calibration\n")])
    return "\n".join([head, made, *_shown(json.loads(path.read_text(encoding="utf-8")))])


def _first_sentence(script: Path) -> str:
    import ast

    doc = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return doc.partition("\n\n")[0].replace("``", "`")


def _shown(content: Mapping[str, Any], level: int = 2) -> Iterator[str]:
    """Single numbers as one table, lists of like things as one each, groups as sections."""
    single = {key: value for key, value in content.items() if not isinstance(value, dict | list)}
    if single:
        yield table(("", ""), [(_words(key), _cell(value)) for key, value in single.items()])
    for key, value in content.items():
        if key in single:
            continue
        yield f"{'#' * min(level, 6)} {_words(key)}\n"
        if isinstance(value, dict):
            alike = _alike(value)
            yield from [alike] if alike else _shown(value, level + 1)
        else:
            yield _listed(value)


def _alike(value: Mapping[str, Any]) -> str:
    """One table of entries that all have the same names; empty where they do not."""
    rows = list(value.values())
    if len(rows) < 2 or not all(isinstance(one, dict) for one in rows):
        return ""
    return _rows([{"": key, **one} for key, one in value.items()])


def _listed(value: Sequence[Any]) -> str:
    if value and all(isinstance(one, dict) for one in value):
        return _rows(value)
    return ", ".join(_cell(one) for one in value) + "\n"


def _rows(rows: Sequence[Mapping[str, Any]]) -> str:
    flat = [dict(_flat(row)) for row in rows]
    heads = list(dict.fromkeys(key for row in flat for key in row))
    return table([_words(head) for head in heads],
                 [[_cell(row.get(head)) for head in heads] for row in flat])  # fmt: skip


def _flat(row: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in row.items():
        name = f"{before}{' ' if before else ''}{key}"
        if isinstance(value, dict):
            yield from _flat(value, name)
        else:
            yield name, value


def _words(key: str) -> str:
    return key.replace("_", " ")


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, list):
        return ", ".join(map(_cell, value))
    return "" if value is None else str(value)


def index() -> str:
    """List all records, the command of each, and the recorded runs of reports/."""
    rows = [(f"[{name}]({name}.md)", code(f"python benchmarks/{script_of(name)}"))
            for name in records()]  # fmt: skip
    return "\n".join([
        "# Records\n",
        "Every page below is made from a file of `benchmarks/results` when the site is built; no "
        "number is typed in.\n",
        table(("record", "command"), rows),
        _toctree(records()),
    ])  # fmt: skip


def _toctree(names: Mapping[str, Any]) -> str:
    return "\n".join(["```{toctree}", ":hidden:", "", *names, "```", ""])


def runs() -> str:
    """List the recorded runs: their pages lie in reports/."""
    pages = [*sorted((ROOT / "reports").glob("*/*.md")), ROOT / "benchmarks/paper/README.md"]
    names = [f"../{path.relative_to(ROOT).with_suffix('')}" for path in pages]
    lines = [f"- [{_title(path)}]({name}.md)" for path, name in zip(pages, names, strict=True)]
    head = "# Recorded runs\n\nWhole runs, stored with their plan, report and pictures.\n"
    return "\n".join([head, *lines, "", _toctree(dict.fromkeys(names))])


def _title(path: Path) -> str:
    """Heading of a page, and its folder where that does not say it."""
    text = path.read_text(encoding="utf-8")
    heading = next(line for line in text.splitlines() if line.startswith("#")).lstrip("# ")
    return f"{heading} ({path.parent.name})"


#: Every generated page, by its place on the site.
PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "evidence/index": index,
    "evidence/runs": runs,
    **{f"evidence/{name}": partial(page, name, path) for name, path in records().items()},
}
