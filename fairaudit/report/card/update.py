"""Put a result into the README of a model, again and again, and touch nothing else."""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from fairaudit.durable import put_in_place
from fairaudit.errors import ResultError, UsageError
from fairaudit.report.card import frontmatter
from fairaudit.report.card.audit import audit_card
from fairaudit.report.card.comparison import comparison_card
from fairaudit.report.card.index import audit_results, candidate_results
from fairaudit.report.card.text import line_end, split, with_block
from fairaudit.report.comparison.view import Candidate, candidates
from fairaudit.report.document import Document
from fairaudit.report.escape import escape
from fairaudit.report.render.markdown import render_markdown
from fairaudit.report.safe_text import shorten
from fairaudit.results import AuditResult, ComparisonResult

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_LONGEST: Final = 96
_BOM: Final = "\ufeff"


def update_card(
    result: AuditResult | ComparisonResult | str | Path,
    readme: str | Path = "README.md",
    *,
    candidate: str | None = None,
) -> Path:
    """Write a result into a model card: its ``model-index`` and two sections of its body.

    The sections *Bias, Risks, and Limitations* and *Evaluation* stand between
    ``<!-- fairaudit:begin -->`` and ``<!-- fairaudit:end -->``, at the end of a card that has no
    such comments. Everything else stays byte for byte, but for comments inside ``model-index``.
    Doing it twice changes nothing.

    Parameters
    ----------
    result : AuditResult, ComparisonResult or path
        The result, or its folder.
    readme : path
        The card; created if there is none.
    candidate : str, optional
        Whose card it is, by label; needed for a comparison of several candidates.

    Returns
    -------
    Path
        The card.

    Raises
    ------
    UsageError
        If the folder holds neither audit nor comparison, or the candidate is not named.
    ResultError
        If the result cannot be read, or the card cannot be read, patched or written.
    """
    shown = result if isinstance(result, AuditResult | ComparisonResult) else _load(Path(result))
    path = Path(readme)
    before = _read(path)
    try:
        after = render_card(shown, before, candidate)
    except ResultError as error:
        raise ResultError(f"{path}: {error}") from error
    if after != before:
        _write(path.resolve(), after)
    return path


def render_card(
    result: AuditResult | ComparisonResult, card: str = "", candidate: str | None = None
) -> str:
    """Return a card with a result in it; see `update_card`.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
        Everything shown stands in it; nothing is computed here.
    card : str
        The text of the card so far; empty: a new one.
    candidate : str, optional
        Whose card it is, by label.
    """
    from huggingface_hub.repocard_data import eval_results_to_model_index

    mark = _BOM if card.startswith(_BOM) else ""
    parts, newline = split(card.removeprefix(_BOM)), line_end(card)
    shown = _content(result, candidate, frontmatter.read(parts.front).get("pipeline_tag"))
    index = eval_results_to_model_index(shown.name, shown.entries) if shown.entries else []
    ours = [entry for model in index for entry in model["results"]]
    if not card:
        parts = split(f"# {escape(shown.name)}\n")
    front = frontmatter.merge(parts.front, ours, shown.name, newline)
    return with_block(mark + parts.with_front(front, newline), shown.body, newline)


@dataclass(frozen=True, slots=True)
class _Content:
    """What a result puts into a card."""

    name: str
    body: str
    entries: list[EvalResult]


def _content(result: AuditResult | ComparisonResult, candidate: str | None, tag: Any) -> _Content:
    task = tag if isinstance(tag, str) else None
    if isinstance(result, AuditResult):
        name = shorten(result.label, _LONGEST)
        return _Content(name, _body(audit_card(result)), audit_results(result, task))
    whose = candidate_of(result, candidate)
    entries = candidate_results(result, whose, task)
    return _Content(shorten(whose.name, _LONGEST), _body(comparison_card(result, whose)), entries)


def _body(document: Document) -> str:
    return render_markdown(document, "", depth=2)


def candidate_of(result: ComparisonResult, name: str | None) -> Candidate:
    """Find the candidate whose card it is.

    Raises
    ------
    UsageError
        If there is none of that name, or several and none is named.
    """
    every = candidates(result)
    if name is None and len(every) == 1:
        return every[0]
    for one in every:
        if one.name == name:
            return one
    names = ", ".join(f"'{shorten(one.name, 40)}'" for one in every)
    if name is None:
        raise UsageError(
            f"the comparison has {len(every)} candidates; --candidate names one of {names}"
        )
    raise UsageError(f"no candidate is called '{shorten(name, 40)}'; there are {names}")


def _load(folder: Path) -> AuditResult | ComparisonResult:
    from fairaudit.results.loading import load_result

    found = load_result(folder)
    if isinstance(found, AuditResult | ComparisonResult):
        return found
    raise UsageError(f"{folder}: a card takes an audit or a comparison, not this kind of result")


def _read(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        return ""
    except IsADirectoryError:
        raise ResultError(f"{path} is a folder; name the file of the card") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ResultError(f"{path}: not a readable UTF-8 file ({error})") from error


def _write(path: Path, text: str) -> None:
    """Replace the card as a whole, keeping its permissions."""
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(text.encode("utf-8"))
            if path.exists():
                shutil.copymode(path, name)
            else:
                os.chmod(name, 0o644)
            put_in_place(Path(name), path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        raise ResultError(f"{path}: cannot be written ({error.strerror})") from error
