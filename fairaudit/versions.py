"""Which versions made a result."""

from __future__ import annotations

from importlib import metadata

from fairaudit._version import __version__


def versions_of(*packages: str) -> dict[str, str]:
    """Versions of this library and of installed packages, by name.

    Our own is never looked up: what is installed under the name ``fairaudit`` may be another
    project's, and a checkout need not be installed at all.
    """
    return {"fairaudit": __version__} | {name: metadata.version(name) for name in packages}
