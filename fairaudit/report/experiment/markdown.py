"""``summary.md`` of an experiment: one line per claim and axis, to paste where it is discussed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fairaudit.report import words
from fairaudit.report.escape import code, escape, listed
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import numbers, regimes, summary, view
from fairaudit.report.names import Unit, axis_name
from fairaudit.report.safe_text import shorten
from fairaudit.results.experiment import Claim, ExperimentResult

_LONGEST = 120


def render_summary(result: ExperimentResult, report: str = "report.html") -> str:
    """Render the Markdown summary of one experiment; see `fairaudit.report.markdown`."""
    if result.regimes:
        return _of_regimes(result, report)
    gaps = (f"**{escape(gap.what)}**: {escape(gap.reason)}" for gap in summary.gaps(result))
    blocks = [
        f"## Experiment {code(shorten(result.name, _LONGEST))}",
        "\n".join(f"- **{escape(line)}**" for line in summary.answers(result)),
        " ".join(filter(None, (escape(summary.explained(result)), summary.measured(result)))),
        *(
            block
            for name, claims in view.claims_by_name(result).items()
            for block in _claim(name, claims, result)
        ),
        _arms(result),
        *listed("Failed", map(escape, summary.failures(result))),
        *listed("Not looked at", gaps),
        f"{findings.SCOPE} Figures, all numbers and provenance: [{report}]({report}).",
    ]
    return "\n\n".join(blocks) + "\n"


def _of_regimes(result: ExperimentResult, report: str) -> str:
    blocks = [
        f"## Experiment {code(shorten(result.name, _LONGEST))}",
        "\n".join(f"- **{escape(line)}**" for line in regimes.answers(result)),
        regimes.measured(result),
        *(block for regime in result.regimes for block in _regime(regime)),
        *listed("Failed", map(escape, regimes.failures(result))),
        f"{findings.SCOPE} Figures, all numbers and provenance: [{report}]({report}).",
    ]
    return "\n\n".join(blocks) + "\n"


def _regime(regime: ExperimentResult) -> Iterator[str]:
    yield f"### {escape(regimes.heading_of(regime))}"
    if regime.meaning:
        yield escape(shorten(regime.meaning, 300))
    for name, claims in view.claims_by_name(regime).items():
        lines = "\n".join(_finding(found, regime) for found in claims)
        yield f"**{escape(shorten(findings.statement_of(name).label, _LONGEST))}**\n\n{lines}"


def _claim(name: str, claims: Sequence[Claim], result: ExperimentResult) -> Iterator[str]:
    yield f"### {escape(shorten(findings.statement_of(name).label, _LONGEST))}"
    yield "\n".join(_finding(found, result) for found in claims)


def _finding(found: Claim, result: ExperimentResult) -> str:
    word, remark = findings.word_of(found), summary.remark(result, found)
    shown = words.MISSING if found.value is None else f"**{numbers.difference(found)}**"
    if found.interval is not None:
        shown += f" {numbers.interval(found)}"
    parts = (
        f"- {word.mark} **{word.label}**",
        escape(shorten(axis_name(found.axis), _LONGEST)),
        shown,
        numbers.seeds(found.n_seeds),
        escape(findings.brief(found)),
        *([f"**{escape(remark)}**"] if remark else []),
    )
    return " · ".join(parts)


def _arms(result: ExperimentResult) -> str:
    head = (
        "### Arms\n\n| Arm | Seeds | ε per record | ε per row | Held-out perplexity | Moved |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: |\n"
    )
    return head + "\n".join(_arm(row) for row in view.arm_rows(result))


def _arm(row: view.ArmRow) -> str:
    cells = (
        escape(shorten(row.arm.name, _LONGEST)),
        f"{len(row.done)} of {len(row.runs)}",
        numbers.spent(row.done),
        numbers.spent(row.done, "row_epsilon"),
        numbers.mean((run.perplexity for run in row.done), Unit.NUMBER),
        numbers.mean((run.distance for run in row.done), Unit.NATS),
    )
    return f"| {' | '.join(cells)} |"
