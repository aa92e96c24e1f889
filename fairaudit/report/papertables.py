"""The primary numbers as tables for papers: CSV to compute with, LaTeX (booktabs) to print.

Rates are percent and their differences points, as everywhere; ``result.json`` holds fractions.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Sequence
from typing import Final

from fairaudit.report import deciding, verdicts, words
from fairaudit.report import paired_numbers as paired
from fairaudit.report.audit.reading import standing_words
from fairaudit.report.audit.view import primary_bias
from fairaudit.report.comparison.view import primary
from fairaudit.report.names import axis_name, metric_of, suite_name, variant
from fairaudit.report.safe_text import clean
from fairaudit.results import AuditResult, Comparison, ComparisonResult, Estimate, Interval
from fairaudit.vocabulary.units import Unit

#: First line of every LaTeX table that we made.
MARK: Final = "% Made by fairaudit"
_SPECIAL: Final = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#",
    "%": r"\%", "_": r"\_", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "−": "$-$", "±": r"$\pm$", "≥": r"$\geq$", "≈": r"$\approx$", "–": "--", "→": r"$\to$",
}  # fmt: skip
Cell = str | int | float | None
Columns = tuple[tuple[str, Callable[..., Cell]], ...]


def paper_tables(result: AuditResult | ComparisonResult) -> dict[str, str]:
    """Return ``primary.csv`` and ``primary.tex`` of a result, by name of the file."""
    if isinstance(result, AuditResult):
        estimates = primary_bias(result)
        caption = f"Primary estimates of {result.label}; ideal value in brackets behind the metric."
        return {
            "primary.csv": _csv(_ESTIMATES, estimates),
            "primary.tex": _tex(_ESTIMATES_PRINTED, estimates, caption),
        }
    compared = primary(result)
    several = len(result.candidates) > 1
    printed = _COMPARED_PRINTED if several else _COMPARED_PRINTED[1:]
    who = "the candidates" if several else result.candidates[0]
    caption = (
        f"Bias of {who} compared with {result.baseline}. Differences are signed: above 0 is more "
        "stereotyped. Intervals are unadjusted, verdicts are corrected."
    )
    return {
        "primary.csv": _csv(_COMPARED, compared),
        "primary.tex": _tex(printed, compared, caption),
    }


def _csv(columns: Columns, entries: Sequence[Estimate] | Sequence[Comparison]) -> str:
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([head for head, _ in columns])
    for one in entries:
        writer.writerow([harmless(cell) for _, tell in columns for cell in (tell(one),)])
    return stream.getvalue()


def harmless(cell: Cell) -> Cell:
    """Return a cell that is text to a spreadsheet, whatever it begins with."""
    if not isinstance(cell, str):
        return cell
    plain = clean(cell)
    return f"'{plain}" if plain[:1] in ("=", "+", "-", "@") else plain


def _tex(columns: Columns, entries: Sequence[Estimate] | Sequence[Comparison], caption: str) -> str:
    """Write a table of booktabs; text from outside cannot be a command."""
    kinds = "".join("r" if head in _NUMBERS else "l" for head, _ in columns)
    rows = [[_escape(str(tell(one) or "")) for _, tell in columns] for one in entries]
    heads = [_escape(head) for head, _ in columns]
    lines = [
        f"{MARK}; needs \\usepackage{{booktabs}}",
        "\\begin{table}",
        "\\centering",
        f"\\caption{{{_escape(caption)}}}",
        f"\\begin{{tabular}}{{{kinds}}}",
        "\\toprule",
        " & ".join(heads) + r" \\",
        "\\midrule",
        *(" & ".join(row) + r" \\" for row in rows),
        "\\bottomrule",
        "\\end{tabular}",
        "\\end{table}",
    ]
    return "\n".join(lines) + "\n"


def _escape(text: str) -> str:
    return re.sub(".", lambda one: _SPECIAL.get(one[0], one[0]), clean(text))


def _scaled(value: float | None, unit: Unit) -> float | None:
    if value is None:
        return None
    return round(100 * value if unit.in_hundredths else value, 6)


def _ends(found: Interval | None, unit: Unit) -> tuple[float | None, float | None]:
    if found is None:
        return None, None
    return _scaled(found.low, unit), _scaled(found.high, unit)


def _own(end: int) -> Callable[[Estimate], Cell]:
    return lambda one: _ends(one.interval, metric_of(one).unit)[end]


def _outer(end: int) -> Callable[[Comparison], Cell]:
    return lambda one: _ends(one.interval, paired.unit_of(one))[end]


def _inner(end: int) -> Callable[[Comparison], Cell]:
    return lambda one: _ends(deciding.inner(one), paired.unit_of(one))[end]


def _yes(known: bool | None) -> str:
    return {True: "yes", False: "no", None: ""}[known]


def _up_to(one: Comparison) -> Cell:
    used = deciding.deciding(one)
    return None if used is None else _scaled(used.high, paired.unit_of(one))


_NUMBERS: Final = frozenset({"Value", "Before", "After", "Difference", "95 % interval", "n"})
_ESTIMATES: Final[Columns] = (
    ("suite", lambda one: one.suite),
    ("protocol", lambda one: one.protocol),
    ("axis", lambda one: one.axis),
    ("metric", lambda one: one.name),
    ("unit", lambda one: metric_of(one).unit.suffix.strip()),
    ("value", lambda one: _scaled(one.value, metric_of(one).unit)),
    ("low_95", _own(0)),
    ("high_95", _own(1)),
    ("ideal", lambda one: _scaled(one.ideal, metric_of(one).unit)),
    ("p_adjusted", lambda one: one.p_adjusted),
    ("detectable", lambda one: _scaled(one.mde, metric_of(one).unit)),
    ("n", lambda one: one.n),
    ("n_clusters", lambda one: one.n_clusters),
    ("method", lambda one: one.interval.method if one.interval else None),
    ("reading", standing_words),
    ("reason", lambda one: one.reason),
)
_ESTIMATES_PRINTED: Final[Columns] = (
    ("Axis", lambda one: axis_name(one.axis)),
    ("Suite", lambda one: suite_name(one.suite)),
    ("Metric", lambda one: f"{metric_of(one).label} ({words.reference(one.ideal, one)})"),
    ("Value", words.value_of),
    ("95 % interval", words.interval_of),
    ("n", lambda one: words.count(one.n)),
    ("Reading", standing_words),
)
_COMPARED: Final[Columns] = (
    ("candidate", lambda one: one.candidate),
    ("suite", lambda one: one.suite),
    ("protocol", lambda one: one.protocol),
    ("axis", lambda one: one.axis),
    ("metric", lambda one: one.name),
    ("unit", lambda one: metric_of(one).unit.suffix.strip()),
    ("before", lambda one: _scaled(one.value_baseline, metric_of(one).unit)),
    ("after", lambda one: _scaled(one.value_candidate, metric_of(one).unit)),
    ("difference_unit", lambda one: paired.unit_of(one).suffix.strip()),
    ("difference", lambda one: _scaled(one.difference, paired.unit_of(one))),
    ("low_95", _outer(0)),
    ("high_95", _outer(1)),
    ("low_90", _inner(0)),
    ("high_90", _inner(1)),
    ("increase_up_to", _up_to),
    ("margin", lambda one: _scaled(one.margin, paired.unit_of(one))),
    ("increase_excluded", lambda one: _yes(deciding.increase_excluded(one))),
    ("p_adjusted", lambda one: one.p_adjusted),
    ("detectable", lambda one: _scaled(one.mde, paired.unit_of(one))),
    ("n", lambda one: one.n),
    ("n_clusters", lambda one: one.n_clusters),
    ("method", lambda one: one.interval.method if one.interval else None),
    ("verdict", lambda one: verdicts.word_of(one).label),
    ("reason", lambda one: one.reason),
)
_COMPARED_PRINTED: Final[Columns] = (
    ("Candidate", lambda one: one.candidate),
    ("Axis", paired.place),
    ("Suite", lambda one: f"{suite_name(one.suite)}, {variant(one.protocol)}"),
    ("Before", paired.baseline_value),
    ("After", paired.candidate_value),
    ("Difference", paired.difference),
    ("95 % interval", paired.interval),
    ("n", lambda one: words.count(one.n)),
    ("Verdict", lambda one: verdicts.word_of(one).label),
)
