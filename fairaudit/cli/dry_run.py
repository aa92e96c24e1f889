"""``fairaudit experiment PLAN --dry-run``: what a plan takes, and which claims it could decide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table

from fairaudit.cli.state import console

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
    say = console()
    say.print(f"Experiment {plan.name}: nothing was trained", style="bold", highlight=False)
    say.print(_runs(found), highlight=False)
    say.print(_time(found, processes or default_processes()), highlight=False)
    for world in found.worlds:
        say.print()
        say.print(world.name, style="bold underline", highlight=False, markup=False)
        if world.reason:
            say.print(f"Power was not simulated: {world.reason}.", highlight=False, markup=False)
        else:
            say.print(_table(world))
    if any(world.powers for world in found.worlds):
        metrics = {one.claims.metric for one in (plan.regimes() or {plan.name: plan}).values()}
        spreads = {name: SPREADS[name] for name in SPREADS if name in metrics}
        say.print()
        say.print(_assumed(ASSUMED, spreads), style="dim", highlight=False)


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
    from fairaudit.report.experiment.claims_in_words import statement_of
    from fairaudit.report.terminal_tables import grid
    from fairaudit.report.words import quantity
    from fairaudit.vocabulary.claims import Finding
    from fairaudit.vocabulary.units import Unit

    table = grid("Claim", *(one.word.label for one in Finding))
    for one in world.powers:
        shares = (one.supported, one.not_supported, one.undecided, one.not_applicable)
        shown = (quantity(share, Unit.PERCENT) for share in shares)
        table.add_row(statement_of(one.claim).label, *shown)
    return table


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
