"""Shorter pages of experiments and maps, and no fact lost: each stands on the page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from fairaudit.report import names, words
from fairaudit.report.experiment import claims_in_words as findings
from fairaudit.report.experiment import convergence, numbers, regimes, summary, training, view
from fairaudit.report.experiment.arms import arm_of
from fairaudit.report.experiment.twins import pairs
from fairaudit.report.html import render_html
from fairaudit.report.map import numbers as of_map
from fairaudit.results.experiment import ArmDifference, Claim, ExperimentResult, Level
from fairaudit.results.map import MapResult, OverSeeds
from fairaudit.vocabulary.units import Unit
from tests.report import experiments, maps
from tests.report.test_facts import lost


def _of_claim(found: Claim) -> Iterator[str]:
    yield findings.statement_of(found.claim).label
    yield findings.word_of(found).label
    yield numbers.difference(found)
    yield from () if found.interval is None else (numbers.interval(found),)
    yield numbers.seeds(found.n_seeds)
    yield from findings.sentences(found)
    yield findings.brief(found)


def _of_level(found: Level) -> Iterator[str]:
    yield arm_of(found.arm).name
    yield names.axis_name(found.axis)
    yield numbers.metric_named(found.name).label
    yield found.protocol
    yield numbers.level(found)
    yield from () if found.interval is None else (numbers.level_interval(found),)
    yield from () if found.implied is None else (numbers.implied(found),)


def _of_difference(found: ArmDifference | None) -> Iterator[str]:
    if found is not None:
        yield numbers.difference(found)
        yield from () if found.interval is None else (numbers.interval(found),)


def _of_runs(result: ExperimentResult) -> Iterator[str]:
    for row in view.arm_rows(result):
        yield row.arm.meaning
        yield f"{len(row.done)} of {len(row.runs)}"
        yield numbers.distinct(run.steps for run in row.done)
        yield numbers.distinct(run.learning_rate for run in row.done)
        for field in ("epsilon", "row_epsilon"):
            yield numbers.spent(row.done, field)
        for values, unit in ((row.perplexities, Unit.NUMBER), (row.distances, Unit.NATS)):
            yield numbers.mean(values, unit)
            yield numbers.spread(values, unit)
    yield from summary.failures(result)


def _of_training(result: ExperimentResult) -> Iterator[str]:
    for reading in training.readings(result):
        yield reading.words
        yield from _of_difference(reading.plain)
        yield from _of_difference(reading.matched)
    for pair in pairs(result):
        yield f"{pair.with_twins.name} beside {pair.without.name}"
        yield from _of_difference(pair.change)
        yield numbers.level(pair.level_with)
        yield numbers.level(pair.level_without)
    for course in convergence.rows(result):
        yield course.pair
        yield from (words.number(area, Unit.SIGNED_NUMBER) for area in course.areas)
        yield "" if course.mean is None else words.number(course.mean, Unit.SIGNED_NUMBER)
    for push in result.pushes:
        yield push.group
        yield convergence.small(push.value)
        yield convergence.small(push.clipped)


def _of_predictions(result: ExperimentResult) -> Iterator[str]:
    for found in result.predictions:
        yield numbers.outcome(found)
        yield found.reason or words.correlation(found.value or 0.0)
        bounds = words.bounds(found.interval, Unit.SIGNED_NUMBER)
        yield from () if found.interval is None else (bounds,)


def _of_origin(result: ExperimentResult | MapResult) -> Iterator[str]:
    yield from result.notes
    yield from result.versions.values()
    yield from (result.name, result.run.started, result.run.host)


def _of_experiment(result: ExperimentResult) -> Iterator[str]:
    for claim in result.claims:
        yield from _of_claim(claim)
        yield summary.remark(result, claim)
    for level in result.levels:
        yield from _of_level(level)
    for one in result.differences:
        yield from _of_difference(one) if one.group is None else ()
    yield from _of_runs(result)
    yield from _of_training(result)
    yield from _of_predictions(result)
    yield from (fact for gap in summary.gaps(result) for fact in (gap.what, gap.reason))
    yield summary.explained(result)
    yield from summary.answers(result)
    yield from _of_origin(result)


def _of_regimes(result: ExperimentResult) -> Iterator[str]:
    yield from regimes.answers(result)
    for regime in result.regimes:
        yield from (regimes.heading_of(regime), regime.meaning)
        for claim in regime.claims:
            yield from _of_claim(claim)
            yield summary.remark(regime, claim)
        table = regimes.table_of(regime)
        for level in table.levels.values():
            yield from (numbers.level(level), numbers.level_interval(level))
        for row in table.rows:
            yield numbers.spent(row.done)
            yield numbers.mean(row.perplexities, Unit.NUMBER)
            yield numbers.mean(row.distances, Unit.NATS)
        yield from table.implied.values()
        yield from _of_predictions(regime)
    yield from _of_origin(result)


def _over_seeds(found: OverSeeds | None, unit: Unit) -> Iterator[str]:
    if found is not None and found.value is not None:
        yield words.quantity(found.value, unit)
        yield from () if found.interval is None else (words.bounds(found.interval, unit),)


def _of_map(result: MapResult) -> Iterator[str]:
    unit = of_map.unit_of(result)
    for cell in result.cells:
        for part in (cell.change, cell.explained, cell.unexplained):
            yield from _over_seeds(part, unit)
    for one in result.frequencies:
        yield of_map.frequency(one.frequency)
        for part in (one.change, one.explained, one.unexplained, one.early, one.beyond_early):
            yield from _over_seeds(part, unit)
        yield of_map.share_whole(one.share)
    for side in result.sides:
        yield from _over_seeds(side.change, unit)
    yield from (of_map.share_whole(one.share) for one in result.moved)
    yield from (of_map.r_squared(one) for one in result.held_out)
    for world in result.worlds:
        yield from (world.folder, of_map.lean(world.lean), words.quantity(world.implied, unit))
        for part in (world.base, world.plain):
            yield of_map.whole(part, unit)
        yield from world.failures
    yield from _of_origin(result)


_KINDS: dict[str, tuple[Callable[[], Any], Callable[[Any], Iterable[str]], int]] = {
    "complete": (experiments.complete, _of_experiment, 2000),
    "three seeds": (lambda: experiments.whole_experiment(3), _of_experiment, 1500),
    "failures": (experiments.with_failures, _of_experiment, 1200),
    "regimes": (experiments.in_regimes, _of_regimes, 150),
    "map": (maps.whole_map, _of_map, 300),
}


@pytest.mark.parametrize("kind", _KINDS)
def test_a_page_loses_nothing(kind: str):
    make, facts_of, at_least = _KINDS[kind]
    result = make()
    facts = [fact for fact in facts_of(result) if fact and fact != words.MISSING]
    assert len(facts) > at_least
    assert lost(facts, render_html(result, {})) == []


def test_a_lost_fact_would_be_found():
    result = experiments.complete()
    fact = numbers.interval(result.claims[0])
    html = render_html(result, {}).replace(fact, "")
    assert fact in lost(_of_experiment(result), html)
