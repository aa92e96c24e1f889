"""How a finding is coloured, wherever it is shown: on a page, in a figure, in a terminal."""

from __future__ import annotations

from enum import Enum


class Tone(Enum):
    """Colour and filling of a drawn point; the value is its style class."""

    #: Empty: that of what is neither.
    colour: str
    #: Of words in a terminal.
    style: str

    def __new__(cls, name: str, colour: str = "", style: str = "") -> Tone:
        """Make a tone with its colours."""
        made = object.__new__(cls)
        made._value_, made.colour, made.style = name, colour, style
        return made

    TOWARDS = "towards", "#D55E00", "dark_orange3"
    AWAY = "away", "#0072B2", "dodger_blue1"
    WITHIN = "within", "#00805e", "green4"
    APART = "apart"
    #: What is claimed, shown the other way round.
    OPPOSITE = "opposite", "#8e2a74", "magenta3"
    #: Hollow: the level compared with is not excluded, or nothing is known.
    OPEN = "open"
