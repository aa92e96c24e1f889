"""Logs of inspect_ai: the ``.json`` form, and the ``.eval`` form, which is a ZIP of the same.

Both hold a head (format version, task, status, configuration) and samples. A sample has the texts
that were offered as A, B, C, what the model wrote, and the epoch: with several epochs each question
is asked several times. Members of an ``.eval`` file are compressed by Zstandard, which Python's
``zipfile`` cannot read before 3.14; they are decompressed by pyarrow.
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fairaudit.errors import DataError
from fairaudit.parsing import parse_json

#: The version of the format that is read; inspect_ai 0.3 writes it.
VERSION: Final = 2
_ZIP: Final = b"PK\x03\x04"
_ZSTANDARD: Final = 93
_HEADER: Final = "header.json"
_START: Final = "_journal/start.json"
#: A sample's file, or of one that was stored in pieces the piece with its answer.
_SAMPLE: Final = re.compile(r"samples/(.+_epoch_\d+)(?:\.json|/sample\.json)")
_HEAD_OF_JSON: Final = re.compile(r'\s*\{\s*"version"\s*:\s*[^,{}\[\]]+,\s*"status"\s*:')
_NAMES_IN_JSON: Final = (b'"version"', b'"status"', b'"eval"')
#: Beyond this a number is no epoch but a fault.
_MOST_EPOCHS: Final = 10_000
#: The name and sizes of a member follow its fixed header.
_LOCAL_HEADER: Final = 30
_NAME_LENGTHS: Final = slice(26, 30)


@dataclass(frozen=True, slots=True)
class InspectSample:
    """One question of a log, asked once.

    Parameters
    ----------
    place : str
        File and sample, for messages.
    sample_id : str
        As the task names it.
    epoch : int
        Which time it was asked, from 1.
    question : str
        The text of the question.
    choices : tuple of str
        The answers that were offered, in the order of their letters.
    written : str
        What the model wrote; empty if nothing.
    failed : str or None
        Why what was written is no answer, as an error that ended the sample.
    target : tuple of str
        Letters of the right answers, as the task says.
    scores : mapping
        What the log's own scorers say, by scorer.
    metadata : mapping
        What else the task says of the question.
    """

    place: str
    sample_id: str
    epoch: int
    question: str
    choices: tuple[str, ...]
    written: str
    failed: str | None
    target: tuple[str, ...]
    scores: Mapping[str, Any]
    metadata: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class InspectLog:
    """A log: its samples, and what its head says of the run.

    Parameters
    ----------
    task : str
        Name of the task without the package in front.
    status : str
        ``success``, or how far the run came.
    epochs : int
        How often each question was to be asked.
    limit : str or None
        Which samples the run was limited to, as the configuration says it.
    origin : str
        Model, task and versions in words.
    samples : tuple of InspectSample
        Each sample and epoch once.
    n_stopped : int
        Samples that a limit of tokens, messages or time stopped.
    """

    task: str
    status: str
    epochs: int
    limit: str | None
    origin: str
    samples: tuple[InspectSample, ...]
    n_stopped: int


def is_inspect_log(content: bytes) -> bool:
    """Whether a file is a log of inspect_ai, in either form."""
    if content.startswith(_ZIP):
        # No other archive is read: a damaged one is named as what it should be.
        return True
    if _HEAD_OF_JSON.match(content[:1000].decode("utf-8-sig", "replace")):
        return True
    # The head may stand in another order.
    if not all(name in content for name in _NAMES_IN_JSON):
        return False
    try:
        found = parse_json(content)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and found.keys() >= {"version", "status", "eval"}


def read_inspect_log(content: bytes, place: str) -> InspectLog:
    """Read a log in either form.

    Parameters
    ----------
    content : bytes
        The file.
    place : str
        Its name, for messages.

    Raises
    ------
    DataError
        If it is damaged, of another version of the format, or holds no samples; the message names
        the sample.
    """
    head, found = _of_zip(content, place) if content.startswith(_ZIP) else _of_json(content, place)
    if head.get("version") != VERSION:
        raise DataError(
            f"{place}: a log of inspect_ai of format version {head.get('version')!r}; version "
            f"{VERSION} is read: write it anew with 'inspect log convert'"
        )
    bodies = list(found)
    if not bodies:
        raise DataError(f"{place}: a log without samples (run with --no-log-samples?)")
    try:
        evaluation = head["eval"]
        task, config = str(evaluation["task"]), dict(evaluation.get("config") or {})
        epochs = int(config.get("epochs") or 1)
    except (KeyError, TypeError, ValueError) as error:
        raise DataError(f"{place}: the head of the log is damaged ({error!r})") from error
    samples = tuple(_sample(body, place) for body in bodies)
    _refuse_twice(samples)
    return InspectLog(
        task=task.rpartition("/")[2],
        status=str(head.get("status", "started")),
        epochs=max(epochs, *(one.epoch for one in samples)),
        limit=_limit(config),
        origin=_origin(evaluation, task, head.get("plan")),
        samples=samples,
        n_stopped=sum(bool(body.get("limit")) for body in bodies),
    )


def _of_json(content: bytes, place: str) -> tuple[Mapping[str, Any], Iterator[Any]]:
    log = _object(content, place)
    return log, iter(log.get("samples") or [])


@dataclass(frozen=True, slots=True)
class _Archive:
    """An ``.eval`` file: its bytes, and its members by name."""

    place: str
    content: bytes
    opened: zipfile.ZipFile
    members: Mapping[str, zipfile.ZipInfo]

    def read(self, name: str) -> dict[str, Any]:
        """Return the object that a member holds."""
        return _object(_member(self, self.members[name]), f"{self.place}: {name}")


def _of_zip(content: bytes, place: str) -> tuple[Mapping[str, Any], Iterator[Any]]:
    """Head and samples of an ``.eval`` file; a run that did not finish has only a journal."""
    try:
        opened = zipfile.ZipFile(io.BytesIO(content))
    except zipfile.BadZipFile as error:
        raise DataError(f"{place}: not a whole .eval file ({error})") from error
    # A name that is there twice was written anew: the last one counts.
    archive = _Archive(place, content, opened, {one.filename: one for one in opened.infolist()})
    named = _HEADER if _HEADER in archive.members else _START
    if named not in archive.members:
        raise DataError(f"{place}: a ZIP, but no log of inspect_ai")
    names = [name for name in archive.members if _SAMPLE.fullmatch(name)]
    return archive.read(named), (_sample_of_zip(archive, name) for name in names)


def _sample_of_zip(archive: _Archive, name: str) -> dict[str, Any]:
    """One sample, its metadata put back where they were stored apart."""
    found = archive.read(name)
    apart = name.removesuffix("sample.json") + "metadata.json"
    if name.endswith("/sample.json") and apart in archive.members:
        found["metadata"] = archive.read(apart)
    return found


def _member(archive: _Archive, info: zipfile.ZipInfo) -> bytes:
    """Content of one member, checked by its length and checksum."""
    where, content = f"{archive.place}: {info.filename}", archive.content
    if info.compress_type != _ZSTANDARD:
        try:
            return archive.opened.read(info)
        except (
            zipfile.BadZipFile,
            EOFError,
            NotImplementedError,
            RuntimeError,
            zlib.error,
        ) as error:
            raise DataError(f"{where}: cannot be read ({error})") from error
    import pyarrow as pa

    try:
        lengths = content[info.header_offset : info.header_offset + _LOCAL_HEADER][_NAME_LENGTHS]
        start = info.header_offset + _LOCAL_HEADER + sum(struct.unpack("<HH", lengths))
        packed = pa.BufferReader(content[start : start + info.compress_size])
        found = bytes(pa.input_stream(packed, compression="zstd").read(info.file_size))
    except (struct.error, OSError) as error:
        raise DataError(f"{where}: cannot be read ({error})") from error
    if len(found) != info.file_size or zlib.crc32(found) != info.CRC:
        raise DataError(f"{where}: damaged; get the log again")
    return found


def _object(content: bytes, place: str) -> dict[str, Any]:
    try:
        found = parse_json(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise DataError(f"{place}: not JSON ({error}); was the log cut off?") from error
    if not isinstance(found, dict):
        raise DataError(f"{place}: not a log of inspect_ai")
    return found


def _sample(body: Any, place: str) -> InspectSample:
    try:
        where = f"{place}: sample {body['id']} (epoch {body['epoch']})"
        choices = body.get("choices") or ()
        target = body.get("target") or ()
        return InspectSample(
            place=where,
            sample_id=str(body["id"]),
            epoch=_whole(body["epoch"]),
            question=_question(body["input"]),
            choices=tuple(_text(one) for one in choices),
            written=_text((body.get("output") or {}).get("completion") or ""),
            failed=_failure(body),
            target=tuple(target) if isinstance(target, list) else tuple(_text(target)),
            scores=dict(body.get("scores") or {}),
            metadata=dict(body.get("metadata") or {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        name = body.get("id", "?") if isinstance(body, dict) else "?"
        raise DataError(
            f"{place}: sample {name}: not a sample of inspect_ai ({error!r})"
        ) from error


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= _MOST_EPOCHS:
        raise ValueError(f"the epoch is {value!r}")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} where a text is expected")
    return value


def _question(asked: Any) -> str:
    """Text of the question: the input, or the last message of the user in it."""
    if isinstance(asked, str):
        return asked
    return _text([one["content"] for one in asked if one["role"] == "user"][-1])


def _failure(body: Mapping[str, Any]) -> str | None:
    if body.get("error"):
        return "an error ended the sample"
    return "the log marks the sample as invalid" if body.get("invalidation") else None


def _refuse_twice(samples: tuple[InspectSample, ...]) -> None:
    seen = set()
    for one in samples:
        if (one.sample_id, one.epoch) in seen:
            raise DataError(f"{one.place}: the same sample again")
        seen.add((one.sample_id, one.epoch))


def _limit(config: Mapping[str, Any]) -> str | None:
    """Which samples a run was limited to."""
    if config.get("limit") is not None:
        return f"limit {config['limit']}"
    return None if config.get("sample_id") is None else "chosen samples"


def _origin(evaluation: Mapping[str, Any], task: str, plan: Any) -> str:
    """Say what was run: a number is about this model, task and prompt."""
    packages = evaluation.get("packages") or {}
    written_by = ", ".join(f"{name} {version}" for name, version in sorted(packages.items()))
    version = evaluation.get("task_version", "?")
    steps = (plan or {}).get("steps") or []
    asked: dict[str, Any] = next((s for s in steps if s.get("solver") == "multiple_choice"), {})
    params = asked.get("params") or {}
    own = [
        words
        for name, words in (("template", "a template of its own"), ("cot", "reasoning asked for"))
        if params.get(name)
    ]
    said = f"model {evaluation.get('model', '?')}, task {task} version {version}"
    return ", ".join(filter(None, (said, written_by, *own)))
