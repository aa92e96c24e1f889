"""Pushing card and results to a model's repository on the Hugging Face Hub, when asked to."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fairaudit.errors import ResultError, UsageError
from fairaudit.items import PAIR_TEXT
from fairaudit.lines import first_line
from fairaudit.report.card.update import render_card
from fairaudit.report.files import load_decision, page_of
from fairaudit.results import AuditResult, ComparisonResult, loading

if TYPE_CHECKING:
    from huggingface_hub import HfApi

#: Folder of a model's repository that gets the result.
FOLDER: Final = "fairaudit"
#: Files of a result that are pushed. What a model wrote (``texts/``) and what lies in ``private/``
#: is none of them.
_FILES: Final = ("result.json", "summary.md", "report.html", "gate.json")
_TABLES: Final = "items/*.parquet"
_EVAL: Final = ".eval_results/*.yaml"
_CARD: Final = "README.md"


@dataclass(frozen=True, slots=True)
class Push:
    """What is pushed, or would be.

    Parameters
    ----------
    repo : str
        ``owner/name`` of the model.
    files : tuple of str
        Paths in the repository, the card first.
    card : str
        The whole card with the result in it.
    url : str or None
        Of the commit or pull request; None for a dry run.
    left_out : tuple of str
        Score tables that stay here, since they hold the texts of a benchmark.
    """

    repo: str
    files: tuple[str, ...]
    card: str
    url: str | None = None
    left_out: tuple[str, ...] = ()


def push_to_hub(
    folder: str | os.PathLike[str],
    repo: str,
    *,
    dry_run: bool = False,
    create_pr: bool = False,
    candidate: str | None = None,
    card: str | None = None,
    api: HfApi | None = None,
) -> Push:
    """Push a result to its model's repository on the Hub: the card patched, files beside it.

    Everything goes into one commit. The repository must exist. Texts that the model wrote,
    ``private/``, score tables with the texts of a benchmark and the texts of pairs that changed
    are never uploaded: public copies of a benchmark end up in training data, and a suite of one's
    own may be nobody else's. An audit's result and report show a few items, and both kinds name
    the machine and the folders of the run.

    Parameters
    ----------
    folder : path
        Of an audit or a comparison.
    repo : str
        ``owner/name`` of the model on the Hub.
    dry_run : bool
        Send nothing, and read nothing from the network: return what would be pushed.
    create_pr : bool
        Open a pull request in place of a commit.
    candidate : str, optional
        Whose card it is, where a comparison has several candidates.
    card : str, optional
        Text of the card that is patched; default: the repository's own, of a dry run an empty one.
    api : HfApi, optional
        Client with the endpoint and token to use; default: that of ``huggingface_hub``.

    Returns
    -------
    Push
        Paths, card and address.

    Raises
    ------
    UsageError
        If the folder holds neither audit nor comparison, or ``repo`` is no ``owner/name``.
    ResultError
        If the result cannot be read, the card cannot be patched, or the Hub refuses.
    """
    from huggingface_hub import HfApi

    result = loading.load_result(folder)
    if not isinstance(result, AuditResult | ComparisonResult):
        raise UsageError(f"{os.fspath(folder)}: neither an audit nor a comparison")
    if len(parts := repo.split("/")) != 2 or not all(parts):
        raise UsageError(f"'{repo}' is no repository of the Hub; write owner/name")
    sent: dict[str, Path | bytes] = dict(_files(Path(folder)))
    if isinstance(result, ComparisonResult):
        sent |= _without_texts(result, Path(folder), sent)
    tables = {path: _holds_texts(path) for path in sorted(Path(folder).glob(_TABLES))}
    sent |= {f"{FOLDER}/items/{path.name}": path for path, held in tables.items() if not held}
    left_out = tuple(f"items/{path.name}" for path, held in tables.items() if held)
    client = api or HfApi()
    if card is None:
        card = "" if dry_run else _card_of(client, repo)
    patched = render_card(result, card, candidate)
    planned = Push(repo, (_CARD, *sent), patched, left_out=left_out)
    if dry_run:
        return planned
    return replace(planned, url=_commit(client, planned, sent, create_pr=create_pr))


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    """Each file that is pushed, by its path in the repository."""
    for pattern in _FILES:
        for path in sorted(folder.glob(pattern)):
            yield f"{FOLDER}/{path.relative_to(folder).as_posix()}", path
    for path in sorted(folder.glob(_EVAL)):
        yield path.relative_to(folder).as_posix(), path


def _without_texts(result: ComparisonResult, folder: Path, sent: Iterable[str]) -> dict[str, bytes]:
    """Write a comparison and its page anew without the texts of pairs that changed."""
    if not any(item.texts for item in result.item_changes):
        return {}
    bare = tuple(item.model_copy(update={"texts": {}}) for item in result.item_changes)
    public = result.model_copy(update={"item_changes": bare})
    found = {f"{FOLDER}/result.json": public.to_json().encode()}
    page = f"{FOLDER}/report.html"
    if page in sent:
        found[page] = page_of(public, folder, load_decision(folder, result)).encode()
    return found


def _holds_texts(path: Path) -> bool:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return PAIR_TEXT in pq.read_schema(path).names
    except (OSError, pa.ArrowException) as error:
        raise ResultError(f"{path}: not a readable Parquet file ({error})") from error


def _card_of(client: HfApi, repo: str) -> str:
    from huggingface_hub.errors import EntryNotFoundError

    with tempfile.TemporaryDirectory() as place:
        try:
            path = client.hf_hub_download(repo, _CARD, local_dir=place)
        except EntryNotFoundError:
            return ""
        except Exception as error:
            raise _refused(repo, error) from error
        return Path(path).read_text(encoding="utf-8")


def _commit(client: HfApi, push: Push, sent: dict[str, Path | bytes], *, create_pr: bool) -> str:
    from huggingface_hub import CommitOperationAdd

    operations = [CommitOperationAdd(_CARD, push.card.encode())]
    operations += [CommitOperationAdd(name, path) for name, path in sent.items()]
    try:
        made = client.create_commit(
            push.repo, operations, commit_message="Bias audit by fairaudit", create_pr=create_pr
        )
    except Exception as error:
        raise _refused(push.repo, error) from error
    return str(made.pr_url or made.commit_url)


def _refused(repo: str, error: Exception) -> ResultError:
    """Say it in one line: the client raises errors of several libraries, without a common base."""
    return ResultError(f"{repo}: the Hub did not take it ({first_line(error)})")
