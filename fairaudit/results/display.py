"""How results show themselves in a notebook."""

from __future__ import annotations

from importlib import import_module
from typing import Any


class Shown:
    """A result that a notebook shows: its answer as a table, its figures on demand.

    Reports read results, never the other way round; so the report is asked for by name, and only
    when something is to be shown.
    """

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

    def _repr_html_(self) -> str:
        return str(import_module("fairaudit.report.notebook").fragment(self))
