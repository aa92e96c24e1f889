"""Augment a file: read, swapped and written row by row, in place only when whole."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np

from fairaudit.augmentation.coverage import CoverageCounter, CoverageReport
from fairaudit.augmentation.file_rows import (
    RECORD,
    VARIANT,
    FileRow,
    csv_line,
    decoded_lines,
    file_type,
    open_bytes,
    read_rows,
    write_row,
)
from fairaudit.augmentation.swapper import Mode, Swapper, check_mode
from fairaudit.durable import put_in_place
from fairaudit.errors import DataError, UsageError

#: Records with twins that are kept to be shown.
SAMPLES: Final = 5


@dataclass(frozen=True)
class FileAugmentation:
    """What became of a file.

    Parameters
    ----------
    report : CoverageReport
        What was swapped.
    samples : tuple of (str, str)
        Some records and a twin of each, drawn evenly with the swapper's seed.
    rows : int
        Records written.
    """

    report: CoverageReport
    samples: tuple[tuple[str, str], ...]
    rows: int


def augment_file(
    source: Path,
    output: Path,
    swapper: Swapper,
    *,
    mode: Mode = "two-sided",
    column: str = "text",
) -> FileAugmentation:
    """Write a file with the variants of every record of another.

    Parameters
    ----------
    source, output : Path
        ``.txt``, ``.jsonl`` or ``.csv``, both the same, each with or without ``.gz``.
    swapper : Swapper
        What makes the twins.
    mode : {"two-sided", "one-sided", "substitution"}
        What becomes of a record.
    column : str
        Column of JSONL and CSV that holds the text.

    Returns
    -------
    FileAugmentation
        A coverage report and a sample of twins.

    Raises
    ------
    UsageError
        If the output is the source, or of another file type.
    DataError
        If the source cannot be read, holds no record, or the output cannot be written. A file
        that stood at ``output`` is then as it was.
    """
    check_mode(mode)
    kind = _checked_type(source, output)
    work = _Work(swapper, mode, column, kind, output.name.endswith(".gz"))
    try:
        with (
            open_bytes(source, "rb", compressed=source.name.endswith(".gz")) as stream,
            _replaced_when_whole(output) as partial,
            open_bytes(partial, "wb", compressed=work.compressed) as target,
        ):
            work.run(read_rows(source, decoded_lines(source, stream), column), target)
            if not work.counter.records:
                raise DataError(f"{source}: holds no record")
            work.counter.refuse_foreign()
    except (EOFError, zlib.error) as error:
        raise DataError(f"{source}: is damaged ({error})") from error
    except OSError as error:
        raise DataError(f"{error.filename or source}: {error.strerror or error}") from error
    return FileAugmentation(work.counter.report(), tuple(work.samples), work.written)


def _checked_type(source: Path, output: Path) -> str:
    kind = file_type(source)
    if file_type(output) != kind:
        raise UsageError(f"{output}: the output must end in {kind} like the input, .gz or not")
    if not source.is_file():
        raise DataError(f"{source}: {'is a folder' if source.is_dir() else 'no such file'}")
    if output.is_dir():
        raise UsageError(f"{output}: is a folder; name a file")
    if source.resolve() == output.resolve() or (output.exists() and output.samefile(source)):
        raise UsageError(f"{output}: is the input; name another file for the output")
    return kind


@contextmanager
def _replaced_when_whole(path: Path) -> Iterator[Path]:
    """Yield a temporary name that takes the place of ``path`` unless something goes wrong."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        put_in_place(partial, path)
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


class _Work:
    """The state of one pass over a file."""

    def __init__(
        self, swapper: Swapper, mode: Mode, column: str, kind: str, compressed: bool
    ) -> None:
        self.swapper, self.mode, self.column = swapper, mode, column
        self.kind, self.compressed = kind, compressed
        self.counter = CoverageCounter(swapper.axes)
        self.samples: list[tuple[str, str]] = []
        self.written = 0
        self._generator = np.random.default_rng(np.random.SeedSequence([swapper.seed, SAMPLES]))

    def run(self, rows: Iterator[FileRow], target: IO[bytes]) -> None:
        for number, row in enumerate(rows):
            if number == 0 and self.kind == ".csv":
                target.write(csv_line([*row.content, RECORD, VARIANT]).encode())
            target.write("".join(self._lines(row)).encode("utf-8"))

    def _lines(self, row: FileRow) -> Iterator[str]:
        if row.text is None:
            yield row.content
            return
        analysis = self.swapper.analyse(row.text)
        found = self.swapper.twins_of(analysis)
        record, twins = self.counter.records, [twin.text for twin in found]
        self.counter.add(analysis, found)
        if twins:
            self._sample(row.text, twins[0])
        for text in self.swapper.arrange(row.text, twins, self.mode):
            variant = twins.index(text) + 1 if text in twins else 0
            self.written += 1
            yield write_row(self.kind, row, text, self.column, record, variant)

    def _sample(self, text: str, twin: str) -> None:
        """Keep an even sample of the pairs seen so far (Vitter 1985, algorithm R)."""
        if len(self.samples) < SAMPLES:
            self.samples.append((text, twin))
            return
        place = int(self._generator.integers(self.counter.swapped_records))
        if place < SAMPLES:
            self.samples[place] = (text, twin)
