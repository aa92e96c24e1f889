"""The built-in probe texts: stereotyped, anti-stereotyped and neutral sentences by template.

The three texts of a template tell the same action: of somebody whom the stereotype ties to it, of
somebody whom it ties to the opposite, and of somebody without a group. Templates take turns in
whose action is told, so that the groups of texts name both sides equally often.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any, Final

from fairaudit.diagnostics.records import ProbeRecord, ProbeTexts, probe_texts
from fairaudit.errors import UsageError
from fairaudit.parsing import parse_toml

AXES: Final = ("gender", "race", "religion")
STEREOTYPE, ANTI_STEREOTYPE, NEUTRAL = "stereotype", "anti_stereotype", "neutral"

#: By group of texts: place in ``who`` of whoever does the first action, and the second one.
_SUBJECTS: Final = {STEREOTYPE: (0, 1), ANTI_STEREOTYPE: (1, 0), NEUTRAL: (2, 2)}


def built_in(axes: Sequence[str] | None = None) -> ProbeTexts:
    """Probe texts of some axes, by default of all: 24 templates each, with one text a group.

    Raises
    ------
    UsageError
        If an axis has no probe texts.
    """
    chosen = AXES if axes is None else tuple(axes)
    for axis in chosen:
        if axis not in AXES:
            raise UsageError(f"no probe texts for axis '{axis}'; there are {', '.join(AXES)}")
    records = [record for axis in dict.fromkeys(chosen) for record in _records(axis)]
    return probe_texts(records, source="built-in", public=True)


def _records(axis: str) -> Iterator[ProbeRecord]:
    content = files("fairaudit.diagnostics.texts").joinpath(f"{axis}.toml")
    templates: dict[str, dict[str, Any]] = parse_toml(content.read_text("utf-8"))["templates"]
    for number, (key, template) in enumerate(templates.items()):
        action = number % 2
        for group, subjects in _SUBJECTS.items():
            who, what = template["who"][subjects[action]], template["what"][action]
            text = template["text"].format(who=who, what=what)
            yield ProbeRecord(
                id=f"{axis}/{key}/{group}",
                text=text[0].upper() + text[1:],
                axis=axis,
                group=group,
                template=f"{axis}/{key}",
            )
