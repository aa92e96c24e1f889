"""``summary.md`` of a map: the finding, the map as a table, and what explains it."""

from __future__ import annotations

from fairaudit.report.escape import code, escape, listed
from fairaudit.report.experiment.arms import arm_of, in_order
from fairaudit.report.map import numbers, summary, view
from fairaudit.report.safe_text import shorten
from fairaudit.results.map import MapResult
from fairaudit.vocabulary.tones import Tone

_LONGEST = 120


def render_summary(result: MapResult, report: str = "report.html") -> str:
    """Render the Markdown summary of a map; see `fairaudit.report.markdown`."""
    said = (summary.same(result), summary.way(result), summary.unexplained(result))
    blocks = [
        f"## Map {code(shorten(result.name, _LONGEST))}",
        f"**{escape(summary.headline(result))}**",
        *(escape(line) for line in said if line),
        escape(summary.measured(result)),
        *(_sheet(sheet, result) for sheet in view.all_sheets(result)),
        _law(result),
        _frequencies(result),
        *listed("Failed", map(escape, summary.failures(result))),
        f"{summary.SCOPE} Figures, all numbers and provenance: [{report}]({report}).",
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _sheet(sheet: view.Sheet, result: MapResult) -> str:
    unit = numbers.unit_of(result)
    head = " | ".join(numbers.lean(lean) for lean in sheet.leans)
    rows = []
    for arm in sheet.arms:
        shown = []
        for lean in sheet.leans:
            cell = sheet.cells.get((arm.id, lean))
            number = numbers.change(cell.change if cell else None, unit).removesuffix(unit.suffix)
            sure = cell is not None and numbers.tone(cell.change) is not Tone.OPEN
            shown.append(f"**{number}**" if sure else number)
        rows.append(f"| {escape(shorten(arm.name, _LONGEST))} | {' | '.join(shown)} |")
    return (
        f"### Change of bias against plain,{unit.suffix}: second group has "
        f"{numbers.frequency(sheet.share)} of the text\n\n"
        f"Across: lean of the base minus lean of the text. Bold: the interval over seeds leaves "
        f"out 0.\n\n| Arm | {head} |\n| --- |{' ---: |' * len(sheet.leans)}\n" + "\n".join(rows)
    )


def _law(result: MapResult) -> str:
    fits = {one.arm: one for one in result.held_out}
    shares = {one.arm: one for one in result.moved}
    rows = [
        f"| {escape(shorten(arm.name, _LONGEST))} | {numbers.share_whole(shares[arm.id].share)} | "
        f"{numbers.r_squared(fits[arm.id]) if arm.id in fits else '–'} |"
        for arm in in_order(shares)
    ]
    if not rows:
        return ""
    return (
        "### What moving less explains\n\n| Arm | Share of the way from base to plain | "
        "R² over held-out cells |\n| --- | ---: | ---: |\n" + "\n".join(rows)
    )


def _frequencies(result: MapResult) -> str:
    unit = numbers.unit_of(result)
    order = {arm.id: place for place, arm in enumerate(in_order(result.arms))}
    found = sorted(result.frequencies, key=lambda one: (order[one.arm], one.frequency))
    rows = [
        f"| {escape(shorten(arm_of(one.arm).name, _LONGEST))} | "
        f"{numbers.frequency(one.frequency)} | {numbers.whole(one.explained, unit)} | "
        f"{numbers.whole(one.unexplained, unit)} | {numbers.whole(one.beyond_early, unit)} |"
        for one in found
    ]
    if not rows:
        return ""
    return (
        "### What it does not explain, by frequency of the group\n\n"
        "| Arm | Group has | Explained | Not explained | Beyond plain stopped as far along |\n"
        "| --- | ---: | ---: | ---: | ---: |\n" + "\n".join(rows)
    )
