"""``fairaudit experiment PLAN --dry-run``: what a plan takes, and which claims it could decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fairaudit.cli.state import console
from fairaudit.report.document import (
    Block,
    Column,
    Document,
    Heading,
    Paragraph,
    Span,
    Table,
    View,
)
from fairaudit.report.experiment.claims_in_words import statement_of
from fairaudit.report.render.terminal import render_terminal
from fairaudit.report.words import quantity
from fairaudit.vocabulary.claims import Finding
from fairaudit.vocabulary.units import Unit

if TYPE_CHECKING:
    from fairaudit.experiments.experiment_plan import ExperimentPlan
    from fairaudit.experiments.forecast import Assumptions, Forecast, WorldForecast


def show_dry_run(plan: ExperimentPlan, processes: int | None) -> None:
    """Check a plan as a run would, and print its arms, time and power."""
    from fairaudit.experiments.forecast import ASSUMED, SPREADS, forecast
    from fairaudit.experiments.parallel_arms import default_processes
    from fairaudit.experiments.plan_checks import check_plan

    for one in (plan.regimes() or {plan.name: plan}).values():
        check_plan(one)
    found = forecast(plan)
    head = Heading(f"Experiment {plan.name}: nothing was trained", View.TERMINAL)
    took = _time(found, processes or default_processes())
    blocks: list[Block] = [head, *_told(_runs(found), took)]
    for world in found.worlds:
        blocks.append(Paragraph(Span(world.name, "name"), "above", View.TERMINAL))
        if world.reason:
            blocks += _told(f"Power was not simulated: {world.reason}.")
        else:
            blocks.append(_table(world))
    if any(world.powers for world in found.worlds):
        metrics = {one.claims.metric for one in (plan.regimes() or {plan.name: plan}).values()}
        spreads = {name: SPREADS[name] for name in SPREADS if name in metrics}
        blocks.append(Paragraph(_assumed(ASSUMED, spreads), "intro", View.TERMINAL))
    console().print(render_terminal(Document(plan.name, blocks)))


def _told(*lines: str) -> list[Paragraph]:
    return [Paragraph(line, views=View.TERMINAL) for line in lines]


def _runs(found: Forecast) -> str:
    worlds = f" in {len(found.worlds)} regimes" if len(found.worlds) > 1 else ""
    arms = ", ".join(found.arms)
    return f"{found.runs} runs: {len(found.arms)} arms ({arms}), {found.seeds} seeds{worlds}"


def _time(found: Forecast, processes: int) -> str:
    from fairaudit.progress import duration

    if found.core_seconds is None:
        return "Time: not estimated, since it depends on the base model and on what it is asked"
    wall = duration(found.core_seconds / processes)
    side = f"{processes} processes" if processes > 1 else "1 process"
    return f"Time: about {wall} with {side}, if each has a core of its own"


def _table(world: WorldForecast) -> Table:
    claim = Column("Claim", lambda one: statement_of(one.claim).label, "wrap")
    return Table((claim, *map(_share, Finding)), world.powers, views=View.TERMINAL)


def _share(finding: Finding) -> Column:
    """Return how often a claim comes to a finding."""
    name = finding.value
    return Column(finding.word.label, lambda one: quantity(getattr(one, name), Unit.PERCENT))


def _assumed(assumed: Assumptions, spreads: dict[str, float]) -> str:
    from fairaudit.experiments.forecast import SIMULATED

    scatter = ", ".join(f"{name} {value:g}" for name, value in spreads.items())
    return (
        f"Shares of the axes over {SIMULATED} simulated experiments, judged as a finished one is. "
        f"Assumed, not measured: a base shows {assumed.base_shows:.0%} of what its text implies; "
        f"plain fine-tuning goes {assumed.plain_goes:.0%} of the way from there to its text, a "
        f"private arm {assumed.private_goes:.0%} of the plain one's way; twins take "
        f"{assumed.twins_remove:.0%} of what the text implies out of it; groups converge apart by "
        f"{assumed.disparity_rare:g} where one has a tenth of the text or less, else by "
        f"{assumed.disparity_equal:g}. Standard deviation over seeds: {scatter}; share of the way "
        f"{assumed.spread_share:g}, area between curves {assumed.spread_disparity:g}."
    ).replace("%", " %")
