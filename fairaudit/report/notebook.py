"""Figures of a result one at a time, for a notebook."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fairaudit.errors import UsageError
from fairaudit.report.figures import drawers
from fairaudit.report.raster import png
from fairaudit.report.safe_text import clean
from fairaudit.results import loading

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that any notebook shows, whatever its Matplotlib back end."""

    name: str
    make: Callable[[], Figure] = field(repr=False)

    @property
    def figure(self) -> Figure:
        """The figure in Matplotlib, drawn anew, to change or save."""
        return self.make()

    def save(self, path: str | Path) -> Path:
        """Write the figure as PNG, in our style."""
        target = Path(path)
        target.write_bytes(self._repr_png_())
        return target

    def _repr_png_(self) -> bytes:
        return png(self.make)


def plot(result: loading.Result, name: str | None = None) -> Drawing:
    """Return a figure of a result by name, the first without one.

    Raises
    ------
    UsageError
        If there is no such figure; the message names those there are.
    """
    found = drawers(result)
    if not found:
        raise UsageError("there is nothing to draw: no number has a value")
    stem = next(iter(found)) if name is None else name
    if stem not in found:
        raise UsageError(f"no figure is called '{clean(stem)}'; there are {', '.join(found)}")
    return Drawing(stem, found[stem])
