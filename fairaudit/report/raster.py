"""Figures as PNG: object-oriented Matplotlib on the Agg canvas.

Nothing of the caller's plots or back end is touched. Same figure, same bytes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STYLE: Final[Any] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.usetex": False,
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "path.simplify": True,
}

_COLOURS: Final = 128
#: Stands in every figure that we made, so that no other one is taken for ours.
MARK: Final = b"Software\x00fairaudit"


def png(draw: Callable[[], Figure]) -> bytes:
    """Draw a figure in our style and encode it.

    A palette: flat colours need no more, and the page that embeds it stays light.
    """
    import matplotlib

    with matplotlib.rc_context(dict(STYLE)), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        return _bytes(draw())


def _bytes(figure: Figure) -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    size = canvas.get_width_height()
    picture = Image.frombuffer("RGBA", size, canvas.buffer_rgba()).convert("RGB")
    buffer = io.BytesIO()
    # Maximum coverage keeps the rare colours, which are those that mean something.
    few = picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    marked = PngInfo()
    key, _, value = MARK.decode().partition("\x00")
    marked.add_text(key, value)
    # The highest level takes three times as long for 3 % fewer bytes.
    few.save(buffer, "png", dpi=(figure.dpi, figure.dpi), compress_level=8, pnginfo=marked)
    return buffer.getvalue()


#: Stands in every vector figure that we made.
VECTOR_MARK: Final = b"fairaudit"
#: How `fairaudit.report.draw.head` names title and subtitle: a paper has captions of its own.
HEAD: Final = "head"
_VECTOR_STYLE: Final[Any] = {"svg.hashsalt": "fairaudit", "svg.fonttype": "path"}
_METADATA: Final[Any] = {
    "svg": {"Creator": VECTOR_MARK.decode(), "Date": None},
    "pdf": {"Creator": VECTOR_MARK.decode(), "Producer": None, "CreationDate": None},
}


def vectors(draw: Callable[[], Figure]) -> dict[str, bytes]:
    """Draw a figure for a paper, without the title: by format, ``svg`` and ``pdf``.

    The same figure gives the same bytes.
    """
    import matplotlib

    style = {**STYLE, **_VECTOR_STYLE}
    with matplotlib.rc_context(style), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = draw()
        for text in [text for text in figure.texts if text.get_gid() == HEAD]:
            text.remove()
        found = {}
        for kind, metadata in _METADATA.items():
            buffer = io.BytesIO()
            figure.savefig(buffer, format=kind, bbox_inches="tight", metadata=metadata)
            found[kind] = buffer.getvalue()
        return found
