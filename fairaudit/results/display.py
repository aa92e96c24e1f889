"""How results show themselves: in a notebook, and wherever Python prints them."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Shown:
    """A result that shows its answer on one screen: as text, and in a notebook as a table.

    Reports read results, never the other way round; so the report is asked for by name, and only
    when something is to be shown.
    """

    def __repr__(self) -> str:
        """Return title, answer and the first numbers."""
        return str(_rendered("screen")(_document(self), type(self).__name__))

    def __str__(self) -> str:
        """Return the same as ``repr``."""
        return repr(self)

    def _repr_html_(self) -> str:
        return str(_rendered("notebook")(_document(self)))


def _document(result: Shown) -> Any:
    return import_module("fairaudit.report.documents.of_result").document_of(result)


def _rendered(view: str) -> Any:
    return getattr(import_module(f"fairaudit.report.render.{view}"), f"render_{view}")


class Plotted(Shown):
    """A result that also draws its figures on demand."""

    def plot(self, name: str | None = None) -> Any:
        """Return a figure of the result, which a notebook shows.

        Parameters
        ----------
        name : str, optional
            Which one, by the name of its file in ``figures/``; without it, the first.

        Returns
        -------
        fairaudit.report.notebook.Drawing
            ``.figure`` is the Matplotlib figure, ``.save(path)`` writes a PNG.

        Raises
        ------
        UsageError
            If there is no such figure; the message names those there are.
        """
        return import_module("fairaudit.report.notebook").plot(self, name)
