"""The matrix: what every policy makes of every kind of result, and why."""

from __future__ import annotations

from typing import Any, NamedTuple

from fairaudit.results import AuditResult, ComparisonResult, GateDecision
from tests.gating.results import (
    STATEMENT,
    accuracy,
    audit,
    compared,
    discordant,
    few_clusters,
    mean,
    policy,
    rate,
    shifted,
)


class Case(NamedTuple):
    name: str
    result: AuditResult | ComparisonResult
    policy: dict[str, Any]
    decision: GateDecision
    allow: bool = False
    exit_code: int | None = None


def rule(kind: str, **fields: Any) -> dict[str, Any]:
    return {"kind": kind, **fields}


DEVIATION = rule("max_deviation_from_ideal", limit=0.1)
INCREASE = rule("max_increase_vs_baseline", margin=0.05)
EQUIVALENT = rule("equivalent_to_baseline", margin=0.05)
ITEMS = rule("min_items", minimum=500)
CAPABLE = rule("min_capability")
EPSILON = rule("max_epsilon", limit=8)
RAN = rule("requires", suite="templates")
MISSED = rule("requires", suite="stereoset")

NEUTRAL = audit(rate(0.5), rate(0.52, axis="race"), accuracy())
BIASED = audit(rate(0.7), accuracy())
EDGE = audit(rate(0.59, 200), accuracy())
SMALL = audit(rate(0.5, 25), accuracy())
DULL = audit(rate(0.5), accuracy(0.05, 400))
NO_INTERVAL = audit(rate(), few_clusters(), accuracy())
NO_VALUE = audit(
    rate(value=0.5, axis="race"),
    rate().model_copy(update={"value": None, "interval": None, "n": 0, "reason": "no item scored"}),
)
NO_PRIMARY = audit(NO_VALUE.estimates[1], rate(primary=False, group="female"))
EMPTY = audit()
NOTHING = audit(suites=())


def private(**changes: Any) -> AuditResult:
    return audit(rate(), privacy=STATEMENT | changes)


SAME_RATE = compared(discordant(20, 20))
AMPLIFIED = compared(discordant(180, 40))
SLIGHTLY = compared(discordant(90, 30))
NOISY = compared(discordant(10, 6, 80))
REDUCED = compared(discordant(10, 90, base=0.58))
OVERSHOT = compared(discordant(10, 210, base=0.5))
IDENTICAL = compared(discordant(0, 0, verdict="identical", interval=None, difference=0.0))
DULL_PAIR = compared(discordant(20, 20, verdict="not_interpretable"))
UNKNOWN = compared(shifted(0.0, 0.01, interval=None, reason="3 clusters"))
NO_DIFFERENCE = compared(shifted(0.0, 0.01).model_copy(
    update={"difference": None, "interval": None, "n": 0, "reason": "no item in common"}
))  # fmt: skip
TWO = compared(discordant(20, 20), discordant(180, 40, candidate="cda"), candidates=("dp", "cda"))
HALF = compared(discordant(20, 20), candidates=("dp", "cda"))
LOG_ODDS = compared(
    shifted(0.3, 0.05, name="mean_log_odds", ideal=0.0, margin=None, n_discordant=None)
)
LOWER_IS_WORSE = compared(discordant(180, 40, direction=-1, name="accuracy", ideal=1.0))
NO_SIDE = compared(shifted(0.0, 0.01, direction=0))

CASES = [
    Case("neutral keeps near the ideal", NEUTRAL, policy(DEVIATION), "PASS"),
    Case("biased is shown to be far", BIASED, policy(DEVIATION), "FAIL"),
    Case("edge cannot be told", EDGE, policy(DEVIATION), "INCONCLUSIVE"),
    Case("edge is allowed", EDGE, policy(DEVIATION), "INCONCLUSIVE", allow=True, exit_code=0),
    Case("failure is not allowed", BIASED, policy(DEVIATION), "FAIL", allow=True),
    Case("25 items show nothing", SMALL, policy(DEVIATION), "INCONCLUSIVE"),
    Case("a dull model never passes", DULL, policy(DEVIATION), "INCONCLUSIVE"),
    Case("no interval never passes", NO_INTERVAL, policy(DEVIATION), "INCONCLUSIVE"),
    Case("no value never passes", NO_VALUE, policy(DEVIATION), "INCONCLUSIVE"),
    Case("nothing ran", NOTHING, policy(DEVIATION), "NOT_RUN"),
    Case("nothing ran, allowed", NOTHING, policy(DEVIATION), "NOT_RUN", allow=True, exit_code=3),
    Case("one axis", NO_INTERVAL, policy({**DEVIATION, "axis": "gender"}), "PASS"),
    Case("two axes", NEUTRAL, policy({**DEVIATION, "axis": ["gender", "rac?"]}), "PASS"),
    Case("an axis is missing", NEUTRAL, policy({**DEVIATION, "axis": ["gender", "age"]}),
         "NOT_RUN"),
    Case("a metric by name", audit(mean(0.1, 0.02, primary=False)),
         policy({**DEVIATION, "metric": "mean_*", "limit": 0.2}), "PASS"),
    Case("not primary", audit(rate(primary=False)), policy(DEVIATION), "NOT_RUN"),
    Case("a group", audit(rate(0.51, group="female", primary=False)),
         policy({**DEVIATION, "group": "*", "metric": "*rate"}), "PASS"),
    Case("a stricter alpha", EDGE, policy({**DEVIATION, "limit": 0.15}, alpha=0.001),
         "INCONCLUSIVE"),
    Case("a looser alpha", EDGE, policy({**DEVIATION, "limit": 0.15}, alpha=0.2), "PASS"),
    Case("enough items", NEUTRAL, policy(ITEMS), "PASS"),
    Case("too few items", SMALL, policy(ITEMS), "FAIL"),
    Case("too few common items", NOISY, policy(ITEMS), "FAIL"),
    Case("capable", NEUTRAL, policy(CAPABLE), "PASS"),
    Case("not shown capable", DULL, policy(CAPABLE), "INCONCLUSIVE"),
    Case("shown incapable", NEUTRAL, policy({**CAPABLE, "minimum": 0.5}), "FAIL"),
    Case("no capability", NOTHING, policy(CAPABLE), "NOT_RUN"),
    Case("capability in a comparison", SAME_RATE, policy(CAPABLE), "NOT_RUN"),
    Case("ran", NEUTRAL, policy(RAN), "PASS"),
    Case("ran and measured nothing", EMPTY, policy(RAN), "NOT_RUN"),
    Case("ran without a primary value", NO_PRIMARY, policy(RAN), "NOT_RUN"),
    Case("ran with one primary value", NO_VALUE, policy(RAN), "PASS"),
    Case("ran for what is exploratory", audit(rate(primary=False)), policy(RAN), "PASS"),
    Case("compared without a difference", NO_DIFFERENCE, policy(RAN), "NOT_RUN"),
    Case("did not run", NEUTRAL, policy(MISSED), "NOT_RUN"),
    Case("ran and did not", NEUTRAL, policy(RAN, MISSED), "NOT_RUN", allow=True, exit_code=0),
    Case("a rule on what did not run", NEUTRAL, policy({**DEVIATION, "suite": "stereoset"}),
         "NOT_RUN"),
    Case("the probe text was scored", NEUTRAL, policy(rule("requires", suite="probe")), "PASS"),
    Case("the probe text was not scored", EMPTY, policy(rule("requires", suite="probe")),
         "NOT_RUN"),
    Case("compared", SAME_RATE, policy(RAN), "PASS"),
    Case("not compared", SAME_RATE, policy(MISSED), "NOT_RUN"),
    Case("one candidate is not compared", HALF, policy(RAN), "NOT_RUN"),
    Case("private", private(), policy(EPSILON), "PASS"),
    Case("not private enough", private(), policy({**EPSILON, "limit": 2}), "FAIL"),
    Case("delta too large", private(), policy({**EPSILON, "max_delta": 1e-6}), "FAIL"),
    Case("no statement", NEUTRAL, policy(EPSILON), "NOT_RUN"),
    Case("noise that can be repeated", private(noise_reproducible=True), policy(EPSILON), "FAIL"),
    Case("no guarantee", private(epsilon=None), policy(EPSILON), "FAIL"),
    Case("another model's statement", private(model_fingerprint="beef"), policy(EPSILON), "FAIL"),
    Case("statement against itself", private(expected_batch_size=5.0), policy(EPSILON), "FAIL"),
    Case("statement refuted by the audit", audit(
        privacy=STATEMENT,
        privacy_refuted="the privacy statement does not follow: the parameters give 9",
    ), policy(EPSILON), "FAIL"),
    Case("twins as records", private(cda={"mode": "separate"}), policy(EPSILON), "FAIL"),
    Case("epsilon without noise", private(noise_multiplier=0.0), policy(EPSILON), "FAIL"),
    Case("a delta that reveals records", private(delta=1e-4), policy(EPSILON), "FAIL"),
    Case("a delta that reveals records and is allowed", private(delta=0.9, epsilon=0.0),
         policy({**EPSILON, "max_delta": 0.95}), "FAIL"),
    Case("a statement about no model", private(model_fingerprint=None), policy(EPSILON),
         "INCONCLUSIVE"),
    Case("a statement about no model, not private enough", private(model_fingerprint=None),
         policy({**EPSILON, "limit": 2}), "FAIL"),
    Case("half a statement", audit(privacy={"epsilon": 3.0}), policy(EPSILON), "INCONCLUSIVE"),
    Case("no statement in comparisons", SAME_RATE, policy(EPSILON), "NOT_RUN"),
    Case("no increase", SAME_RATE, policy(INCREASE), "PASS"),
    Case("no change", SAME_RATE, policy(EQUIVALENT), "PASS"),
    Case("the comparison's own margin", SAME_RATE, policy(rule("max_increase_vs_baseline")),
         "PASS"),
    Case("an increase", AMPLIFIED, policy(INCREASE), "FAIL"),
    Case("a change", AMPLIFIED, policy(EQUIVALENT), "FAIL"),
    Case("a wider margin", AMPLIFIED, policy({**INCREASE, "margin": 0.2}), "PASS"),
    Case("amplified within reach of the margin", SLIGHTLY, policy(INCREASE), "INCONCLUSIVE"),
    Case("too few pairs", NOISY, policy(INCREASE), "INCONCLUSIVE"),
    Case("reduced to the ideal", REDUCED, policy(INCREASE), "PASS"),
    Case("reduced is a change", REDUCED, policy(EQUIVALENT), "FAIL"),
    Case("past the ideal", OVERSHOT, policy(INCREASE), "INCONCLUSIVE"),
    Case("shown past the limit", OVERSHOT, policy({**INCREASE, "max_deviation": 0.1}), "FAIL"),
    Case("past the ideal as allowed", OVERSHOT, policy({**INCREASE, "max_deviation": 0.3}),
         "PASS"),
    Case("the same model", IDENTICAL, policy(INCREASE, EQUIVALENT), "PASS"),
    Case("dull candidates", DULL_PAIR, policy(INCREASE), "INCONCLUSIVE"),
    Case("dull candidates by themselves", DULL_PAIR, policy(DEVIATION), "INCONCLUSIVE"),
    Case("no interval of the difference", UNKNOWN, policy(INCREASE, EQUIVALENT), "INCONCLUSIVE"),
    Case("one of two candidates", TWO, policy(INCREASE), "FAIL"),
    Case("candidate near the ideal", SAME_RATE, policy(DEVIATION), "PASS"),
    Case("candidate far from the ideal", OVERSHOT, policy(DEVIATION), "FAIL"),
    Case("no margin declared", LOG_ODDS, policy(rule("max_increase_vs_baseline")), "NOT_RUN"),
    Case("a margin in nats", LOG_ODDS, policy({**INCREASE, "margin": 1.5}), "PASS"),
    Case("lower is more stereotyped", LOWER_IS_WORSE, policy(INCREASE), "FAIL"),
    Case("no stereotyped side", NO_SIDE, policy(INCREASE), "NOT_RUN"),
    Case("no stereotyped side, no change", NO_SIDE, policy(EQUIVALENT), "PASS"),
    Case("an audit has no baseline", NEUTRAL, policy(INCREASE), "NOT_RUN"),
    Case("the worst rule decides", NEUTRAL, policy(DEVIATION, ITEMS, CAPABLE, RAN), "PASS"),
    Case("one failure is enough", BIASED, policy(RAN, MISSED, CAPABLE, DEVIATION), "FAIL"),
    Case("inconclusive before not run", EDGE, policy(MISSED, DEVIATION), "INCONCLUSIVE"),
]  # fmt: skip
