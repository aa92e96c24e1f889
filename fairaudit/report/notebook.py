"""A result in a notebook: its answer, its verdicts, and its figures one at a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from fairaudit.errors import UsageError
from fairaudit.report import paired, verdicts, words
from fairaudit.report.audit import summary as audit_summary
from fairaudit.report.audit.reading import standing_words
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.clean import clean
from fairaudit.report.comparison import summary as comparison_summary
from fairaudit.report.comparison.view import primary
from fairaudit.report.diagnostics import summary as diagnostics_summary
from fairaudit.report.diagnostics.names import difference_of, group_name, meaning_of, other_name
from fairaudit.report.experiment import numbers
from fairaudit.report.experiment import summary as experiment_summary
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.figures import drawers
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.raster import png
from fairaudit.results import AuditResult, Comparison, ComparisonResult, Estimate
from fairaudit.results.diagnostics import DiagnosticsResult, GroupDifference
from fairaudit.results.experiment import ExperimentResult, Level

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Row = tuple[str, ...]
Result = AuditResult | ComparisonResult | ExperimentResult | DiagnosticsResult
#: Rows of a table in a notebook; the others stand in ``to_frame()``.
_ROWS = 30


@dataclass(frozen=True, slots=True)
class Drawing:
    """A figure that any notebook shows, whatever its Matplotlib back end."""

    name: str
    make: Callable[[], Figure]

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


def plot(result: Result, name: str | None = None) -> Drawing:
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


def fragment(result: Result) -> str:
    """Return the answer and the numbers that it rests on, as HTML that cannot do anything."""
    title, answer = _title(result)
    head = f"<p><strong>{_text(title)}</strong><br>{_text(answer)}</p>"
    return f"<div>{head}{_table(*_rows(result))}</div>"


def _title(result: Result) -> tuple[str, str]:
    if isinstance(result, AuditResult):
        return result.label, f"{audit_summary.answer(result)} {audit_summary.found(result)}"
    if isinstance(result, ComparisonResult):
        names = words.listed(result.candidates)
        return f"{names} compared with {result.baseline}", comparison_summary.overall(result)
    if isinstance(result, ExperimentResult):
        return result.name, " ".join(experiment_summary.answers(result))
    models = words.listed([model.label for model in result.models])
    return models, diagnostics_summary.answer(result)


def _rows(result: Result) -> tuple[Row, list[Row]]:
    if isinstance(result, AuditResult):
        heads: Row = ("Suite", "Axis", "Metric", "Value", "Interval", "n", "Reading")
        return heads, [_estimate_row(one) for one in primary_bias(result) or result.estimates]
    if isinstance(result, ComparisonResult):
        heads = ("Candidate", "Suite", "Axis", "Difference", "Interval", "n", "Verdict")
        return heads, [_comparison_row(one) for one in primary(result)]
    if isinstance(result, ExperimentResult):
        heads = ("Arm", "Axis", "Metric", "Level", "Interval", "Seeds")
        return heads, [_level_row(one) for one in result.levels if one.group is None]
    heads = ("Axis", "Groups", "What", "Difference", "Adjusted p")
    return heads, [_group_row(one) for one in result.differences if one.primary]


def _estimate_row(found: Estimate) -> Row:
    return (
        f"{suite_name(found.suite)}, {variant(found.protocol)}",
        axis_name(found.axis),
        metric_of(found).label,
        words.value_of(found),
        words.interval_of(found),
        words.count(found.n),
        standing_words(found) if found.kind == "bias" else found.kind,
    )


def _comparison_row(found: Comparison) -> Row:
    word = verdicts.word_of(found)
    return (
        found.candidate,
        suite_name(found.suite),
        axis_name(found.axis),
        paired.difference(found),
        paired.interval(found),
        words.count(found.n),
        f"{word.mark} {word.name}",
    )


def _level_row(found: Level) -> Row:
    return (
        arm_of(found.arm).name,
        axis_name(found.axis),
        numbers.metric_named(found.name).label,
        numbers.level(found),
        numbers.level_interval(found),
        words.count(found.n_seeds),
    )


def _group_row(found: GroupDifference) -> Row:
    return (
        axis_name(found.axis),
        f"{group_name(found.group)} / {other_name(found.axis, found.other)}",
        meaning_of(found.name).label,
        difference_of(found),
        words.p_of(found.p_adjusted),
    )


def _table(heads: Row, rows: list[Row]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_text(one)}</th>" for one in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{_text(cell)}</td>' for cell in row)}</tr>" for row in rows[:_ROWS]
    )
    more = f"<p>and {len(rows) - _ROWS} more: see <code>to_frame()</code></p>"
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return table + (more if len(rows) > _ROWS else "")


def _text(text: str) -> str:
    return escape(clean(text))
