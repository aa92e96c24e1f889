"""What two audits have in common: suites of one version, protocols, and items that both scored."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from fairaudit.comparing.decoding import other_decoding
from fairaudit.errors import ResultError
from fairaudit.items import SCORE_COLUMNS
from fairaudit.results import AuditResult, NotCompared, SuiteRun
from fairaudit.results.comparison import share_lost
from fairaudit.vocabulary.suites import PROBE

if TYPE_CHECKING:
    from pandas import DataFrame, Series

_ITEM: Final = ["protocol", "item_id"]
#: Columns of a score table without which a row cannot be placed.
_PLACED: Final = ("item_id", "protocol", "axis", "cluster", "role")
#: One model scores a text alike up to this much, in nats or as a share.
_ROUNDING: Final = 1e-3
#: A sum of log-probabilities is far from it; its square can still be added up.
_LARGEST_SCORE: Final = 1e9


@dataclass(frozen=True, slots=True)
class Joined:
    """The rows of one suite that two audits share.

    Parameters
    ----------
    suite : str
        Name of the suite.
    baseline, candidate : DataFrame
        The same items with the same roles, all of them scored; of a prompt that was continued
        several times, at least one text. The number of its texts may differ.
    dropped : mapping
        By protocol and axis, the items that only one of them scored.
    axes : mapping
        Of each protocol and axis, whether the baseline, and the candidate, has scores.
    only : mapping
        By protocol, axis and group, what only the baseline, and only the candidate, scored:
        items; of the probe text tokens; of prompts with fewer texts that share of them.
    """

    suite: str
    baseline: DataFrame
    candidate: DataFrame
    dropped: Mapping[tuple[str, str], int]
    axes: Mapping[tuple[str, str], tuple[bool, bool]]
    only: Mapping[tuple[str, str, str | None], tuple[float, float]] = field(default_factory=dict)

    @property
    def protocols(self) -> tuple[frozenset[str], frozenset[str]]:
        """Protocols by which the baseline, and the candidate, has scores."""
        ours, theirs = (
            frozenset(protocol for (protocol, _), scored in self.axes.items() if scored[side])
            for side in (0, 1)
        )
        return ours, theirs

    @property
    def common_places(self) -> frozenset[tuple[str, str]]:
        """Protocols and axes on which the audits have scored items in common."""
        return frozenset(_places(self.baseline))

    @property
    def same_scores(self) -> bool:
        """Whether both gave the same scores, up to rounding (as on another device)."""
        ours, theirs = (side["score"].to_numpy(float) for side in (self.baseline, self.candidate))
        if len(ours) != len(theirs):
            return False
        return np.allclose(ours, theirs, rtol=0, atol=_ROUNDING, equal_nan=True)

    def n_dropped(self, protocol: str, axis: str) -> int:
        """Items of a protocol and axis (``all``: of every axis) that were left out."""
        return sum(
            count
            for (of_protocol, on_axis), count in self.dropped.items()
            if of_protocol == protocol and axis in ("all", on_axis)
        )

    def n_only(self, protocol: str, axis: str, group: str | None) -> tuple[int, int]:
        """Count what only the baseline, and only the candidate, scored; rounded up.

        ``all`` is every axis, and None every group.
        """
        counts = [
            count
            for (of_protocol, on_axis, of_group), count in self.only.items()
            if of_protocol == protocol and axis in ("all", on_axis) and group in (None, of_group)
        ]
        # Rounding up what is a whole number but for rounding would count one too many.
        ours, theirs = (
            math.ceil(round(sum(count[side] for count in counts), 6)) for side in (0, 1)
        )
        return ours, theirs

    def lost_by_group(self, protocol: str, axis: str) -> dict[str, float]:
        """Share of each group's items that one audit lacks, of groups that lost any."""
        names = [
            (on_axis, group)
            for of_protocol, on_axis, group in self.only
            if of_protocol == protocol and group is not None and axis in ("all", on_axis)
        ]
        return {
            group: share_lost(
                self._n_shared(protocol, on_axis, group), *self.n_only(protocol, on_axis, group)
            )
            for on_axis, group in names
        }

    def _n_shared(self, protocol: str, axis: str, group: str) -> int:
        rows = self.baseline
        inside = (rows["protocol"] == protocol) & (rows["axis"] == axis) & (rows["group"] == group)
        return int(rows.loc[inside, "item_id"].nunique())


def suites_of(*audits: AuditResult) -> list[str]:
    """Return the names of all suites that any of the audits lists, in their order."""
    return list(dict.fromkeys(run.suite for audit in audits for run in audit.suites))


def join_suite(
    suite: str, baseline: AuditResult, candidate: AuditResult, label: str
) -> tuple[Joined | None, list[NotCompared]]:
    """Join one suite of two audits; what cannot be joined is named with the reason.

    Parameters
    ----------
    suite : str
        A suite that either audit names.
    baseline, candidate : AuditResult
    label : str
        The candidate's label, for the keys of what is not compared.
    """
    runs = _run(baseline, suite), _run(candidate, suite)
    reason = _refusal(*runs) or other_decoding(suite, baseline, candidate)
    if reason is not None:
        return None, [NotCompared.of(label, suite, reason)]
    ours, theirs = _table(baseline, suite), _table(candidate, suite)
    reason = _placed_otherwise(ours, theirs)
    if reason is not None:
        return None, [NotCompared.of(label, suite, reason)]
    found = _join(suite, ours, theirs)
    return found, list(_lonely_protocols(found, label))


def join_probe(baseline: AuditResult, candidate: AuditResult) -> Joined | str:
    """Join the probe text token by token, or say why that cannot be done.

    Parameters
    ----------
    baseline, candidate : AuditResult
        Both with their score tables.

    Returns
    -------
    Joined or str
        The rows that both have, in one order; or the reason in words.
    """
    if PROBE.name not in baseline.tables or PROBE.name not in candidate.tables:
        return "one of the audits has no scores on the probe text"
    a, b = _table(baseline, PROBE.name), _table(candidate, PROBE.name)
    joined = _join(PROBE.name, a, b)
    if joined.baseline.empty:
        return "the audits have no paragraph of the probe text in common"
    token = ["protocol", "item_id", "position", "token_id"]
    if not joined.baseline[token].equals(joined.candidate[token]):
        return "the models have different tokenizers: probabilities per token do not compare"
    return joined


def _run(audit: AuditResult, suite: str) -> SuiteRun | None:
    return next((run for run in audit.suites if run.suite == suite), None)


def _refusal(baseline: SuiteRun | None, candidate: SuiteRun | None) -> str | None:
    for run, side in ((baseline, "baseline"), (candidate, "candidate")):
        if run is None:
            return f"not part of the {side}'s audit"
        if run.status == "not_run":
            return f"not run for the {side}: {run.reason}"
    assert baseline is not None
    assert candidate is not None
    if baseline.language != candidate.language:
        return (
            f"another language: {baseline.language} for the baseline, {candidate.language} for the "
            "candidate"
        )
    ours, theirs = ({one.content_id for one in run.sources} for run in (baseline, candidate))
    if ours == theirs:
        return None
    versions = {source.path: source.blob_id[:12] for source in baseline.sources}
    for source in candidate.sources:
        if source.content_id not in ours:
            other = versions.get(source.path, "no such file")
            return (
                f"different versions of the data: {source.path} is {other} for the baseline, "
                f"{source.blob_id[:12]} for the candidate"
            )
    return "different versions of the data: the candidate's audit read fewer files"


def _placed_otherwise(a: DataFrame, b: DataFrame) -> str | None:
    """Say which item stands on another axis, group or cluster in the other table; None: none.

    The data are the same files, so one of the tables is not what an audit wrote.
    """
    columns = [name for name in ("axis", "group", "cluster", "template") if name in a and name in b]
    if a[[*_ITEM, *columns]].equals(b[[*_ITEM, *columns]]):
        return None
    ours, theirs = (
        table.drop_duplicates(_ITEM).set_index(_ITEM)[columns].astype(object) for table in (a, b)
    )
    both = ours.index.intersection(theirs.index)
    ours, theirs = ours.loc[both], theirs.loc[both]
    differs = (ours != theirs) & ~(ours.isna() & theirs.isna())
    if not differs.to_numpy().any():
        return None
    row, column = (int(place[0]) for place in np.nonzero(differs.to_numpy()))
    told = [str(side.iat[row, column]) for side in (ours, theirs)]
    return (
        f"item {both[row][1]} has {columns[column]} {told[0]} for the baseline, {told[1]} for the "
        "candidate; audit again"
    )


def _lonely_protocols(joined: Joined, label: str) -> Iterator[NotCompared]:
    a, b = joined.protocols
    for protocol in sorted(a ^ b):
        side = "baseline" if protocol in a else "candidate"
        reason = f"only the {side} was scored by this protocol"
        yield NotCompared.of(label, joined.suite, reason, protocol=protocol)


def _table(audit: AuditResult, suite: str) -> DataFrame:
    table = audit.items(suite)
    missing = [column for column in SCORE_COLUMNS if column not in table]
    if missing:
        raise ResultError(f"{audit.label}: items of '{suite}' have no column '{missing[0]}'")
    damage = next(_damage(table), None)
    if damage is not None:
        raise ResultError(f"{audit.label}: items of '{suite}' are damaged: {damage}; audit again")
    key = [*_ITEM, "role", *(["position"] if suite == PROBE.name and "position" in table else [])]
    twice = table.duplicated(key)
    if twice.any():
        first = table.loc[twice, key].iloc[0]
        raise ResultError(
            f"{audit.label}: items of '{suite}' hold {', '.join(map(str, first))} more than once"
        )
    return table


def _damage(table: DataFrame) -> Iterator[str]:
    """Say what no audit writes, by column."""
    for column in _PLACED:
        if table[column].isna().any():
            yield f"column '{column}' is empty in {table[column].isna().sum()} rows"
    odd = ~table["status"].isin(("ok", "skipped"))
    if odd.any():
        yield f"column 'status' holds '{table.loc[odd, 'status'].iloc[0]}'"
    scores = table.loc[table["status"] == "ok", "score"]
    if len(scores) and not pd.api.types.is_numeric_dtype(scores):
        yield "column 'score' does not hold numbers"
    elif (n := int((~np.isfinite(scores.to_numpy(dtype=float))).sum())) > 0:
        yield f"column 'score' is not a finite number in {n} rows whose status is 'ok'"
    elif len(scores) and float(scores.abs().max()) > _LARGEST_SCORE:
        yield f"column 'score' holds {scores.abs().max():.3g}, which no model gives"


def _join(suite: str, a: DataFrame, b: DataFrame) -> Joined:
    """Keep the items that are scored in both tables, in one order."""
    sides = _scored(a), _scored(b)
    both = sides[0].index.intersection(sides[1].index)
    # Prompts are compared whatever the number of their texts: see `fairaudit.comparing.uneven`.
    of_texts = "sample" in a and "sample" in b
    same = both if of_texts else both[(sides[0].loc[both] == sides[1].loc[both]).to_numpy()]
    attempted = pd.concat([t[[*_ITEM, "axis"]] for t in (a, b)]).drop_duplicates(_ITEM)
    kept = pd.MultiIndex.from_frame(attempted[_ITEM]).isin(same)
    protocols = set(a["protocol"].unique()) & set(b["protocol"].unique())
    lost = attempted[~kept & attempted["protocol"].isin(protocols).to_numpy()]
    counts = lost.groupby(["protocol", "axis"]).size()
    dropped = {(str(key[0]), str(key[1])): int(n) for key, n in counts.items()}  # type: ignore[index]
    shared = a[a["protocol"].isin(protocols)], b[b["protocol"].isin(protocols)]
    return Joined(suite, _only(a, same), _only(b, same), dropped, _axes(a, b), _lost(*shared))


def _lost(a: DataFrame, b: DataFrame) -> dict[tuple[str, str, str | None], tuple[float, float]]:
    """Count what only one table has scores for, by protocol, axis and group."""
    told = [*_ITEM, "status"]
    if a.columns.equals(b.columns) and a[told].equals(b[told]):
        return {}
    placed = pd.concat([t[[*_ITEM, "axis", "group"]] for t in (a, b)]).drop_duplicates(_ITEM)
    index = pd.MultiIndex.from_frame(placed[_ITEM])
    ours, theirs = (_amount(table).reindex(index, fill_value=0.0).to_numpy() for table in (a, b))
    if "sample" not in a:
        # An item that lacks a row on one side is compared on neither: that side lost all of it.
        rows = [_scored(table).reindex(index, fill_value=0).to_numpy() for table in (a, b)]
        ours = np.where(rows[0] < rows[1], 0.0, ours)
        theirs = np.where(rows[1] < rows[0], 0.0, theirs)
    counted = placed.assign(
        ours=np.clip(ours - theirs, 0.0, None), theirs=np.clip(theirs - ours, 0.0, None)
    )
    sums = counted.groupby(["protocol", "axis", "group"], dropna=False)[["ours", "theirs"]].sum()
    return {
        (str(protocol), str(axis), None if pd.isna(group) else str(group)): (float(x), float(y))
        for (protocol, axis, group), (x, y) in zip(sums.index, sums.to_numpy(), strict=True)
        if x or y
    }


def _amount(table: DataFrame) -> Series[float]:
    """How much of each item has a score: all or nothing, tokens, or a share of a prompt's texts."""
    items = (table["status"] == "ok").astype(float).groupby([table[name] for name in _ITEM])
    if "sample" in table:
        return items.mean()
    every = items.min()
    return every * items.size() if "position" in table else every


def _axes(a: DataFrame, b: DataFrame) -> dict[tuple[str, str], tuple[bool, bool]]:
    ours, theirs = (_places(table[table["status"] == "ok"]) for table in (a, b))
    return {place: (place in ours, place in theirs) for place in _places(a) | _places(b)}


def _places(table: DataFrame) -> set[tuple[str, str]]:
    places = table[["protocol", "axis"]].drop_duplicates()
    return set(zip(places["protocol"].astype(str), places["axis"].astype(str), strict=True))


def _scored(table: DataFrame) -> Series[int]:
    """Rows per item, of the items whose every row is scored; of a prompt, at least one text."""
    is_scored = table.assign(is_scored=table["status"] == "ok").groupby(_ITEM)["is_scored"]
    enough = is_scored.any() if "sample" in table else is_scored.all()
    return is_scored.size()[enough]


def _only(table: DataFrame, items: pd.Index[str]) -> DataFrame:
    inside = pd.MultiIndex.from_frame(table[_ITEM]).isin(items)
    order = [*_ITEM, "role", *(["position"] if "position" in table else [])]
    kept = table if inside.all() else table[inside]
    return kept.sort_values(order, kind="stable").reset_index(drop=True)
