"""``summary.md`` of a comparison: one line per check, to paste into a release checklist."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fairaudit.report import paired_numbers as paired
from fairaudit.report import verdicts, words
from fairaudit.report.comparison import summary
from fairaudit.report.comparison.view import (
    Candidate,
    Gap,
    Key,
    anchors,
    candidates,
    gaps,
)
from fairaudit.report.escape import code, escape, listed
from fairaudit.report.names import axis_name, caution_of, measured, metric_of, suite_name, variant
from fairaudit.report.safe_text import shorten
from fairaudit.results import Change, Comparison, ComparisonResult

_LONGEST = 120
_BOXES = (
    "A box is ticked where the candidate is shown to be no worse: reduced, within the margin, or "
    "the same model. An empty box is amplified, undecided or not readable."
)


def render_summary(result: ComparisonResult, report: str = "report.html") -> str:
    """Render the Markdown summary of one comparison; see `fairaudit.report.markdown`."""
    every, links = candidates(result), anchors(result)
    blocks = [
        f"## Bias compared with {code(shorten(result.baseline, _LONGEST))}",
        f"**{escape(summary.overall(result))}** {summary.measured(result)} {_BOXES}",
        *(block for one in every for block in _candidate(one, report, links)),
        *listed("What now", map(escape, summary.next_steps(result))),
        *_disagreement(result),
        *listed("Not compared", map(_gap, gaps(result))),
        f"{verdicts.SCOPE} Methods, exploratory tables and provenance: [{report}]({report}).",
    ]
    return "\n\n".join(blocks) + "\n"


def _candidate(found: Candidate, report: str, links: Mapping[Key, str]) -> Iterator[str]:
    yield f"### {code(shorten(found.name, _LONGEST))}"
    if found.primary:
        yield escape(f"{summary.answer(found)} In all: {summary.counted(found.primary)}")
        yield "\n".join(_check(one, f"{report}#{links[one.key]}") for one in found.primary)
    else:
        yield escape(summary.answer(found))
    beside = [f"- {_change(change)}" for change in found.beside]
    if beside:
        yield "What else changed:\n\n" + "\n".join(beside)


def _check(found: Comparison, link: str) -> str:
    word = verdicts.word_of(found)
    parts = (
        f"- [{'x' if verdicts.settled(found) else ' '}] {word.mark} **{word.label}**",
        f"[{escape(paired.place(found))} · {escape(measured(found))}]({link})",
        _difference(found),
        escape(verdicts.brief(found)),
        f"n {words.count(found.n)}",
        *(escape(caution_of(caution).label) for caution in found.cautions),
    )
    return " · ".join(parts)


def _difference(found: Comparison | Change) -> str:
    if found.difference is None:
        return words.MISSING
    shown = f"**{paired.difference(found)}**"
    return f"{shown} {paired.interval(found)}" if found.interval else f"{shown} without an interval"


def _change(found: Change) -> str:
    name = f"{escape(metric_of(found).label)} ({escape(suite_name(found.suite))}"
    name += f", {escape(axis_name(found.axis).lower())})" if found.axis != "all" else ")"
    if found.kind == "distance":
        return f"{name} · **{paired.candidate_value(found)}**"
    values = f"{paired.baseline_value(found)} → {paired.candidate_value(found)}"
    return f"{name} · {values} · {_difference(found)} · {code(variant(found.protocol))}"


def _disagreement(result: ComparisonResult) -> Iterator[str]:
    said = summary.disagreement_words(result)
    if said:
        yield f"> {escape(said)}"


def _gap(found: Gap) -> str:
    whom = ""
    if found.candidates:
        whom = f" ({', '.join(code(shorten(name, _LONGEST)) for name in found.candidates)})"
    return f"**{escape(suite_name(found.what))}**{whom}: {escape(found.reason)}"
