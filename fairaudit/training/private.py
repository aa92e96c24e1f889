"""The folder ``private/`` of a fine-tuning: what ε does not cover, and the state of a run.

It holds what was computed on private text (losses, clip rates, samples of twins, coverage) and,
until the run is complete, the state that it goes on from, with the generators of noise and draws.
Files can be read by their owner only.
"""

from __future__ import annotations

import contextlib
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import torch

from fairaudit.durable import replaced_when_whole
from fairaudit.errors import ResultError
from fairaudit.results import files
from fairaudit.results.places import PRIVATE, inside, keep_from_upload, remove_file

_STATE: Final = "state.pt"
#: SHA-256 of the state, and of the one before it: the state is replaced after this file is.
_SUMS: Final = "state.sha256"
_README: Final = """\
Everything in this folder was computed on the training text and is not covered by the privacy
guarantee. Do not publish it. Files:
  log.jsonl       loss, clip rate and size of each step
  data.json       counts and hash of the training text
  coverage.json   what counterfactual augmentation swapped
  twins.jsonl     some records and their twins, where that was asked for
  canaries.json   records of random tokens, and which of them were in the text
  held_out.json   perplexity on the held-out text
"""


class PrivateFolder:
    """Reads and writes ``private/`` of an output folder.

    Parameters
    ----------
    output : path
        The output folder of the fine-tuning.
    """

    def __init__(self, output: Path) -> None:
        self._output, self._folder = output, output / PRIVATE
        #: SHA-256 of the state that lies there, once it was written or read.
        self._sum = ""

    @property
    def has_state(self) -> bool:
        """Whether an unfinished run can be continued."""
        return (self._folder / _STATE).exists()

    def create(self) -> Path:
        """Make the folder, for its owner only, and return it.

        Raises
        ------
        ResultError
            If it cannot be made, or is a link to elsewhere.
        """
        inside(self._output, self._folder.name)
        with self._reported():
            self._folder.mkdir(parents=True, exist_ok=True)
            self._folder.chmod(0o700)
        self.write_text("README.txt", _README)
        keep_from_upload(self._output)
        return self._folder

    def write_text(self, name: str, text: str) -> None:
        """Write a file whole or not at all."""
        place = self._folder / name
        with self._reported(), replaced_when_whole(self._partial(name), place, 0o600) as stream:
            stream.write(text.encode("utf-8"))

    def write_json(self, name: str, content: Any) -> None:
        """Write a JSON file."""
        self.write_text(name, files.dump_json(content))

    def write_lines(self, name: str, rows: Iterable[dict[str, Any]]) -> None:
        """Write a JSONL file."""
        lines = (json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
        self.write_text(name, "".join(line + "\n" for line in lines))

    def save_state(self, state: dict[str, Any]) -> None:
        """Replace the state of the run; the one before stays until the new one is complete."""
        partial = self._partial(_STATE)
        with self._reported(), replaced_when_whole(partial, self._folder / _STATE, 0o600) as stream:
            torch.save(state, stream)
            stream.flush()
            before, self._sum = self._sum, files.sha256_of(partial)
            self.write_text(_SUMS, f"{self._sum}\n{before}\n")

    def load_state(self) -> dict[str, Any]:
        """Read the state of an unfinished run.

        Raises
        ------
        ResultError
            If there is none, or it is damaged.
        """
        path = self._folder / _STATE
        if not path.exists():
            raise ResultError(f"{path.parent.parent}: no unfinished run to go on with")
        try:
            self._check_sum(path)
            state = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise ResultError(f"{path}: not a readable state; start in a new folder") from error
        return dict(state)

    def _check_sum(self, path: Path) -> None:
        known = self._folder / _SUMS
        self._sum = files.sha256_of(path)
        if known.exists():
            if self._sum not in known.read_text(encoding="ascii").split("\n"):
                raise ValueError("its SHA-256 is another one")
            return
        # As earlier versions wrote it. PyTorch does not look at the checksums of its archive.
        with zipfile.ZipFile(path) as archive:
            if archive.testzip() is not None:
                raise ValueError("a checksum does not fit")

    def drop_state(self) -> None:
        """Remove the state, and with it the generators of noise and draws."""
        for name in (_STATE, _SUMS):
            remove_file(self._output, f"{self._folder.name}/{name}")

    def _partial(self, name: str) -> Path:
        return inside(self._output, f"{self._folder.name}/.{name}.partial")

    @contextlib.contextmanager
    def _reported(self) -> Any:
        try:
            yield
        except OSError as error:
            raise ResultError(f"{self._folder}: cannot write ({error.strerror})") from error
        except RuntimeError as error:
            # What PyTorch's writer makes of a full disk.
            raise ResultError(f"{self._folder}: cannot write the state ({error})") from error
