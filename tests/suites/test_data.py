"""Pinned files: found, verified, cached, refused."""

from __future__ import annotations

import gzip
import subprocess
from dataclasses import replace

import pytest

from fairaudit.errors import DataError, UsageError
from fairaudit.results import Source
from fairaudit.suites.data import DataFinder, DataUnavailableError, PinnedFile, git_blob_id

CONTENT = b"a,b\n1,None\n"
PINNED = PinnedFile(
    repository="owner/name",
    commit="0" * 40,
    path="folder/file.csv",
    blob_id=git_blob_id(CONTENT),
    local=("suite/file.csv", "suite/file.csv.gz"),
)


@pytest.fixture
def online(monkeypatch, tmp_path):
    """A mirror on disk in place of the repository host."""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    monkeypatch.setenv("FAIRAUDIT_RAW_URL", f"file://{mirror}/{{commit}}.bin")
    return mirror / f"{PINNED.commit}.bin"


def test_blob_id_is_gits_own(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(CONTENT)
    done = subprocess.run(
        ["git", "hash-object", "--no-filters", str(path)], capture_output=True, text=True
    )
    assert git_blob_id(CONTENT) == done.stdout.strip()


@pytest.mark.parametrize("compressed", [False, True])
def test_a_local_copy_is_read_and_named(tmp_path, compressed):
    folder = tmp_path / "suite"
    folder.mkdir()
    if compressed:
        (folder / "file.csv.gz").write_bytes(gzip.compress(CONTENT))
    else:
        (folder / "file.csv").write_bytes(CONTENT)
    content, source = DataFinder(tmp_path).read(PINNED)
    assert content == CONTENT
    assert source.blob_id == PINNED.blob_id


def test_other_content_is_an_error_that_says_what_to_do(tmp_path):
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "file.csv").write_bytes(b"changed")
    with pytest.raises(DataError, match="replace or remove the file") as caught:
        DataFinder(tmp_path).read(PINNED)
    assert not isinstance(caught.value, DataUnavailableError)


WHOLE = gzip.compress(CONTENT * 9)


@pytest.mark.parametrize(
    "damaged",
    [WHOLE[:-9], WHOLE[:12] + b"\xff" * 9 + WHOLE[21:], b"", WHOLE[:-6] + b"\0" * 6],
    ids=["truncated", "overwritten", "empty", "checksum"],
)
def test_a_damaged_archive_is_an_error(tmp_path, damaged):
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "file.csv.gz").write_bytes(damaged)
    with pytest.raises(DataError, match=r"cannot be read|has content id"):
        DataFinder(tmp_path).read(PINNED)


@pytest.mark.parametrize("template", ["nowhere", "{host}/x", "{", "{0}"])
def test_a_mirror_must_be_an_address(tmp_path, online, monkeypatch, template):
    monkeypatch.setenv("FAIRAUDIT_RAW_URL", template)
    with pytest.raises(UsageError, match="FAIRAUDIT_RAW_URL"):
        DataFinder(cache=tmp_path / "cache").read(PINNED)


def test_a_missing_folder_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match="does not exist"):
        DataFinder(tmp_path / "nowhere")


def test_offline_without_a_copy_is_unavailable(tmp_path):
    with pytest.raises(DataUnavailableError, match="offline"):
        DataFinder(tmp_path, cache=tmp_path / "cache").read(PINNED)


def test_fetched_once_then_cached_even_offline(tmp_path, online, monkeypatch):
    online.write_bytes(CONTENT)
    finder = DataFinder(cache=tmp_path / "cache")
    assert finder.read(PINNED)[0] == CONTENT
    online.unlink()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert finder.read(PINNED)[0] == CONTENT


def copies(tmp_path, online, pinned):
    """Finders of the same bytes in a folder, compressed there, in the cache, on the network."""
    for name, content in (
        ("file.csv", CONTENT),
        ("file.csv.gz", gzip.compress(CONTENT)),
        # Who decompressed a file may have kept its name, and the other way round.
        ("file.csv.gz", CONTENT),
        ("file.csv", gzip.compress(CONTENT)),
    ):
        folder = tmp_path / f"{len(list(tmp_path.iterdir()))}" / "suite"
        folder.mkdir(parents=True)
        (folder / name).write_bytes(content)
        yield DataFinder(folder.parent)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / pinned.blob_id).write_bytes(CONTENT)
    yield DataFinder(cache=cache)
    online.write_bytes(CONTENT)
    yield DataFinder(cache=tmp_path / "empty")


@pytest.mark.parametrize("local", [("suite/file.csv",), ("suite/file.csv.gz",)])
def test_the_same_bytes_are_the_same_source_wherever_they_lie(tmp_path, online, local):
    """Issue 18, item 13."""
    pinned = replace(PINNED, local=local)
    found = [finder.read(pinned) for finder in copies(tmp_path, online, pinned)]
    assert len(found) == 6
    assert found == [(CONTENT, Source(path=PINNED.path, blob_id=PINNED.blob_id))] * 6


def test_another_form_of_a_file_is_named_and_known_as_the_same(tmp_path):
    other = b"a;b\n1;None\n"
    pinned = replace(PINNED, equivalents={git_blob_id(other): "semicolons"})
    (tmp_path / "suite").mkdir()
    (tmp_path / "suite" / "file.csv").write_bytes(other)
    content, source = DataFinder(tmp_path).read(pinned)
    assert content == other
    assert source.blob_id == git_blob_id(other)
    assert source.content_id == PINNED.blob_id


def test_fetched_content_is_verified(tmp_path, online):
    online.write_bytes(b"something else")
    with pytest.raises(DataError, match="is not the pinned"):
        DataFinder(cache=tmp_path / "cache").read(PINNED)
    assert not (tmp_path / "cache").exists()


def test_what_cannot_be_fetched_is_unavailable(tmp_path, online):
    with pytest.raises(DataUnavailableError, match="could not be fetched"):
        DataFinder(cache=tmp_path / "cache").read(PINNED)


def test_a_damaged_cache_entry_is_fetched_again(tmp_path, online):
    online.write_bytes(CONTENT)
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / PINNED.blob_id).write_bytes(b"damaged")
    assert DataFinder(cache=cache).read(PINNED)[0] == CONTENT
    assert (cache / PINNED.blob_id).read_bytes() == CONTENT
