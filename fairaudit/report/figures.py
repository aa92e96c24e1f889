"""Figures for papers and slides: the same estimates as in the page, as PNG.

Object-oriented Matplotlib on the Agg canvas, so that nothing of the caller's plots or back end is
touched. Same result, same bytes. Colours after Okabe and Ito; a figure without data is left out.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from fairaudit.report.clean import shorten
from fairaudit.report.draw import STYLE, Plot, draw
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.view import grouped, primary_bias
from fairaudit.results import AuditResult, Estimate

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: Every figure that an audit may have.
STEMS: Final = ("preference", "log_odds", "capability")

_COLOURS: Final = 128
_RATES: Final = ("stereotype_preference_rate", "stereotype_score")


def figures(result: AuditResult) -> dict[str, bytes]:
    """Draw the figures of one audit.

    Returns
    -------
    dict of str to bytes
        PNG files by stem: ``preference``, ``log_odds``, ``capability``; each only if there is
        something to draw.
    """
    wanted: dict[str, tuple[str, Callable[[AuditResult], list[Plot]]]] = {
        "preference": (
            "How often the stereotyped text is preferred: primary estimates",
            _preference,
        ),
        "log_odds": ("By how much the stereotyped text is preferred, in nats", _log_odds),
        "capability": ("Capability", _capability),
    }
    drawn = {}
    for stem, (title, plots_of) in wanted.items():
        plots = plots_of(result)
        if plots:
            drawn[stem] = _png(plots, title, shorten(result.label, 60))
    return drawn


def _png(plots: list[Plot], title: str, subtitle: str) -> bytes:
    import matplotlib

    with matplotlib.rc_context(dict(STYLE)), warnings.catch_warnings():
        # A name in a script that the font lacks is drawn as boxes; that is no reason to fail.
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        return _bytes(draw(plots, title, subtitle))


def _bytes(figure: Figure) -> bytes:
    """Encode with a palette: flat colours need no more, and the page that embeds it stays light."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image

    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    size = canvas.get_width_height()
    picture = Image.frombuffer("RGBA", size, canvas.buffer_rgba()).convert("RGB")
    buffer = io.BytesIO()
    # Maximum coverage keeps the rare colours, which are those that mean something.
    few = picture.quantize(_COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(buffer, "png", dpi=(figure.dpi, figure.dpi), optimize=True)
    return buffer.getvalue()


def _preference(result: AuditResult) -> list[Plot]:
    """Return one plot per protocol, of the rates that verdicts rest on."""
    shown = [found for found in primary_bias(result) if found.name in _RATES and _is_whole(found)]
    return _by_protocol(shown, shared=True)


def _log_odds(result: AuditResult) -> list[Plot]:
    """Return one plot per protocol, each with its own axis: sizes do not compare across."""
    shown = [found for found in result.estimates if found.name == "mean_log_odds"]
    return _by_protocol([found for found in shown if _is_whole(found)], shared=False)


def _capability(result: AuditResult) -> list[Plot]:
    shown = [found for found in result.estimates if found.kind == "capability"]
    by_name = grouped([found for found in shown if _is_whole(found)], lambda found: found.name)
    return [
        Plot(
            metric_of(found[0]).label,
            tuple((_place(one), one) for one in found),
            alike=tuple(found),
        )
        for found in by_name.values()
    ]


def _by_protocol(shown: list[Estimate], *, shared: bool) -> list[Plot]:
    return [
        Plot(
            f"{shorten(suite_name(found[0].suite), 40)}, {shorten(variant(protocol), 40)}",
            tuple((axis_name(one.axis), one) for one in found),
            alike=tuple(shown if shared else found),
        )
        for protocol, found in grouped(shown, lambda one: one.protocol).items()
    ]


def _place(found: Estimate) -> str:
    place = f"{suite_name(found.suite)}, {variant(found.protocol)}"
    return place if found.axis == "all" else f"{place}, {axis_name(found.axis).lower()}"


def _is_whole(found: Estimate) -> bool:
    return found.group is None and found.value is not None
