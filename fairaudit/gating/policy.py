"""What a release must show: the rules of a gate, read from TOML.

A policy names the error level of every statement, the family over which failures are corrected,
and its rules::

    [policy]
    name = "release"
    alpha = 0.05
    max_lost = 0.05
    allow_differences = ["dtype"]

    [[rules]]
    kind = "max_increase_vs_baseline"
    suite = "templates"
    axis = ["gender", "race", "religion"]
    margin = 0.05

Limits are fractions, as in every file. A rule is about the primary estimates of whole axes. With a
``metric`` it is about all numbers of that name, or with ``primary = true`` beside it about the
primary ones. ``suite``, ``protocol``, ``axis``, ``group`` and ``metric`` are glob patterns or lists
of them. What a pattern finds is judged number by number; a pattern that finds nothing is a check
that was not run, never one that passed. So is an axis that a pattern matches and only one side of a
comparison was scored on.
"""

from __future__ import annotations

import difflib
import hashlib
import tomllib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, ValidationError, model_validator

from fairaudit.errors import UsageError, fault_words
from fairaudit.parsing import parse_toml
from fairaudit.results.files import dump_json
from fairaudit.results.types import Frozen
from fairaudit.vocabulary.files import no_policy
from fairaudit.vocabulary.suites import CARDS, RESERVED
from fairaudit.vocabulary.verdicts import SMALLEST_ALPHA


def _patterns(value: Any) -> Any:
    """Read one pattern as a list of one."""
    return (value,) if isinstance(value, str) else value


Pattern = Annotated[str, Field(strict=True, min_length=1)]
Patterns = Annotated[tuple[Pattern, ...], BeforeValidator(_patterns), Field(min_length=1)]
Limit = Annotated[float, Field(strict=True, gt=0)]
#: As `fairaudit.results.relations.setting_differences` names them.
Setting = Literal["dtype", "quantization", "bos", "max_length", "engine"]
Settings = Annotated[tuple[Setting, ...], BeforeValidator(_patterns)]
Share = Annotated[float, Field(strict=True, gt=0, lt=1)]


class Selector(Frozen):
    """Which numbers a rule is about."""

    suite: Patterns = ("*",)
    protocol: Patterns = ("*",)
    axis: Patterns = ("*",)
    #: None: whole axes only.
    group: Patterns | None = None
    #: None: primary estimates only.
    metric: Patterns | None = None
    #: Keep to primary estimates beside ``metric`` as well.
    primary: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _a_group_needs_a_metric(self) -> Selector:
        if self.group is not None and self.metric is None:
            raise ValueError("'group' needs 'metric' beside it: no group has a primary estimate")
        return self


class MaxDeviationFromIdeal(Selector):
    """The value lies within ``limit`` of its ideal, on either side."""

    kind: Literal["max_deviation_from_ideal"]
    limit: Limit


class MaxIncreaseVsBaseline(Selector):
    """The difference towards the stereotype stays below ``margin``.

    On the other side of the ideal the candidate stays within ``max_deviation``, unless the baseline
    itself lies beyond that: then the candidate may not move there by as much as ``margin``, since a
    rule about a baseline judges what the candidate adds (`MaxDeviationFromIdeal` judges where it
    stands). Without ``max_deviation`` the candidate may not be past the ideal by more than
    ``margin``, unless it is shown to have moved there by less.
    """

    kind: Literal["max_increase_vs_baseline"]
    #: None: the margin that the comparison used for this metric.
    margin: Limit | None = None
    max_deviation: Limit | None = None


class EquivalentToBaseline(Selector):
    """The difference lies within ``margin`` of 0, on either side."""

    kind: Literal["equivalent_to_baseline"]
    margin: Limit | None = None


class MinItems(Selector):
    """At least ``minimum`` items entered the number."""

    kind: Literal["min_items"]
    minimum: Annotated[int, Field(strict=True, ge=1)]


class MinCapability(Selector):
    """The capability is shown to exceed ``minimum``; without one, what guessing reaches."""

    kind: Literal["min_capability"]
    minimum: Share | None = None


class MaxEpsilon(Frozen):
    """The privacy statement beside the checkpoint declares an ε of at most ``limit``.

    An ε at a δ of 1/records or more protects no single record, and breaks the rule as well.
    """

    kind: Literal["max_epsilon"]
    limit: Limit
    #: Largest δ at which ε may be stated; None: any below 1/records.
    max_delta: Share | None = None


class Requires(Frozen):
    """The suites have run, and gave a number that verdicts rest on."""

    kind: Literal["requires"]
    suite: Patterns


Rule = (
    MaxDeviationFromIdeal
    | MaxIncreaseVsBaseline
    | EquivalentToBaseline
    | MinItems
    | MinCapability
    | MaxEpsilon
    | Requires
)
_RULES: Final[dict[str, type[Frozen]]] = {
    "max_deviation_from_ideal": MaxDeviationFromIdeal,
    "max_increase_vs_baseline": MaxIncreaseVsBaseline,
    "equivalent_to_baseline": EquivalentToBaseline,
    "min_items": MinItems,
    "min_capability": MinCapability,
    "max_epsilon": MaxEpsilon,
    "requires": Requires,
}


class PolicySettings(Frozen):
    """The table ``[policy]``."""

    name: Pattern = "policy"
    #: A bound that decides holds with probability 1 − alpha.
    alpha: Annotated[float, Field(strict=True, ge=SMALLEST_ALPHA, lt=0.5)] = 0.05
    #: Largest share of one audit's items that the other may lack; beyond it no rule about a
    #: comparison passes.
    max_lost: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.05
    #: Settings in which baseline and candidate may differ, such as ``dtype`` where a model is
    #: compared with its quantised form; others keep rules about a baseline from passing.
    allow_differences: Settings = ()
    #: Over what Holm corrects failures: all numbers of the policy, or those of each rule.
    family: Literal["policy", "rule"] = "policy"


class Policy(Frozen):
    """All rules that a release must pass, and the error level at which each is judged."""

    policy: PolicySettings = PolicySettings()
    rules: tuple[Annotated[Rule, Field(discriminator="kind")], ...] = Field(min_length=1)

    @property
    def alpha(self) -> float:
        """Error level of each one-sided bound, 10⁻⁶ ≤ α < 0.5."""
        return self.policy.alpha

    @property
    def hash(self) -> str:
        """SHA-256 of the policy in canonical form, defaults filled in."""
        return hashlib.sha256(dump_json(self.model_dump(mode="json")).encode()).hexdigest()


def read_policy(policy: Policy | Mapping[str, Any] | str | Path) -> Policy:
    """Read a policy from a TOML file, or from a mapping of the same shape.

    Raises
    ------
    UsageError
        If the file is missing or not TOML, a key is unknown (the message names the nearest one), a
        value is out of range, or there is no rule.
    """
    if isinstance(policy, Policy):
        return policy
    if isinstance(policy, Mapping):
        return _validate(dict(policy), "policy")
    return _validate(_read_toml(Path(policy)), str(policy))


def check_suites(policy: Policy, present: Iterable[str]) -> None:
    """Refuse a policy that names a suite which neither fairaudit nor the result knows.

    Raises
    ------
    UsageError
        Naming the rule and the nearest suite.
    """
    known = sorted({*CARDS, *RESERVED, *present})
    for place, rule in enumerate(policy.rules, start=1):
        for pattern in _suite_patterns(rule):
            if not any(matches(name, pattern) for name in known):
                where = f"policy '{policy.policy.name}', rule {place} ({rule.kind})"
                raise UsageError(f"{where}: no suite is called '{pattern}'{near(pattern, known)}")


def matches(name: str, pattern: str) -> bool:
    """Whether a name is what a pattern says, or is called exactly so."""
    return name == pattern or fnmatchcase(name, pattern)


def near(word: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest of the known words, or at all of them."""
    names = list(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean '{close[0]}'?" if close else f"; there are {', '.join(names)}"


def _suite_patterns(rule: Rule) -> tuple[str, ...]:
    if isinstance(rule, MaxEpsilon):
        return ()
    protocols = rule.protocol if isinstance(rule, Selector) else ()
    of_protocols = (pattern.partition("/")[0] for pattern in protocols if "/" in pattern)
    return (*rule.suite, *of_protocols)


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return parse_toml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UsageError(no_policy(path)) from None
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: not a TOML file ({error})") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read as text ({error})") from error


def _validate(content: dict[str, Any], source: str) -> Policy:
    try:
        return Policy.model_validate(content)
    except ValidationError as error:
        raise UsageError(f"{source}: {_in_words(error)}") from error


def _in_words(error: ValidationError) -> str:
    """Say what one error is about: table or rule, key, and what to write instead.

    A key that is misspelt is missing as well: the misspelling is what to mend.
    """
    errors = error.errors()
    first = next((one for one in errors if one["type"] == "extra_forbidden"), errors[0])
    place, model, keys = _place(first["loc"])
    key = str(keys[0]) if keys else ""
    match first["type"]:
        case "extra_forbidden":
            return f"{place}unknown key '{key}'{near(key, model.model_fields)}"
        case "missing":
            return f"{place}'{key}' is missing"
        case "union_tag_not_found":
            return f"{place}'kind' is missing{near('', _RULES)}"
        case "union_tag_invalid":
            kind = str(first["input"].get("kind"))
            return f"{place}no rule is called '{kind}'{near(kind, _RULES)}"
        case "too_short" if key == "rules":
            return "a policy without rules decides nothing; add a [[rules]] table"
        case "value_error":
            return place + fault_words(first)
    found = f" = {first['input']!r}" if isinstance(first["input"], str | int | float) else ""
    said = fault_words(first)
    message = said[:1].lower() + said[1:]
    return f"{place}{key}{found}: {message}"


def _place(
    location: tuple[int | str, ...],
) -> tuple[str, type[Frozen], tuple[int | str, ...]]:
    """Return where an error is, in words, the model of that place, and the keys within it."""
    match location:
        case ("rules", int(index), str(kind), *rest):
            return f"rule {index + 1} ({kind}): ", _RULES.get(kind, Policy), tuple(rest)
        case ("rules", int(index)):
            return f"rule {index + 1}: ", Policy, ()
        case ("policy", _, *_):
            return "[policy] ", PolicySettings, location[1:]
    return "", Policy, location
