"""Small audits with scores of our choosing, as an audit of a suite of one's own would hold them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from fairaudit.items import SCORE_COLUMNS
from fairaudit.metrics.capability import capability_estimates
from fairaudit.metrics.sentence_pairs import pair_estimates
from fairaudit.results import (
    AuditResult,
    ModelIdentity,
    Provenance,
    Run,
    Settings,
    Source,
    SuiteRun,
)

PROTOCOL = "mine/causal-sum"


def pair_table(
    log_odds: dict[str, list[float]] | list[float], clusters: list[str] | None = None
) -> pd.DataFrame:
    """Score table of pairs with the given log-odds, by axis; None: the pair was skipped."""
    by_axis = log_odds if isinstance(log_odds, dict) else {"gender": log_odds}
    rows = []
    for axis, values in by_axis.items():
        for index, value in enumerate(values):
            skipped = value is None or np.isnan(value)
            for role, score in (("stereotype", value), ("anti_stereotype", 0.0)):
                row = {
                    "item_id": f"{axis}-{index}",
                    "protocol": PROTOCOL,
                    "axis": axis,
                    "group": "all",
                    "cluster": clusters[index] if clusters else f"{axis}-{index}",
                    "role": role,
                    "score": np.nan if skipped else score,
                    "n_tokens": 5,
                    "status": "skipped" if skipped else "ok",
                    "reason": "too long" if skipped else None,
                }
                rows.append(row)
    return pd.DataFrame(rows, columns=list(SCORE_COLUMNS))


def probe_table(log_probs: np.ndarray, top1: np.ndarray | None = None) -> pd.DataFrame:
    """Probe scores [paragraphs, tokens]; every second token is the same, so chance is about ½."""
    paragraphs, tokens = log_probs.shape
    best = np.ones_like(log_probs, dtype=bool) if top1 is None else top1
    rows = [
        {
            "item_id": f"p{p:02}", "protocol": "probe/causal", "axis": "all", "group": None,
            "cluster": f"p{p:02}", "role": "text", "score": log_probs[p, t], "n_tokens": 1,
            "status": "ok", "reason": None, "position": t, "token_id": t % 10,
            "top1": bool(best[p, t]),
        }
        for p in range(paragraphs)
        for t in range(tokens)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def make_audit(
    label: str,
    pairs: pd.DataFrame,
    probe: pd.DataFrame | None = None,
    *,
    fingerprint: str | None = None,
    blob: str = "a" * 40,
    training: dict[str, Any] | None = None,
    settings: Settings | None = None,
) -> AuditResult:
    """Build an audit of one suite of pairs, with or without the probe text."""
    tables = {"mine": pairs} if probe is None else {"mine": pairs, "probe": probe}
    estimates = pair_estimates(pairs, 0)
    if probe is not None:
        estimates += capability_estimates(probe, 0)
    return AuditResult(
        label=label,
        suites=(
            SuiteRun(
                suite="mine",
                status="run",
                sources=(Source(path="mine.csv", blob_id=blob),),
                protocols=tuple(sorted(pairs["protocol"].unique())),
                n_items=pairs["item_id"].nunique(),
            ),
        ),
        estimates=tuple(estimates),
        provenance=Provenance(
            model=ModelIdentity(id=label, fingerprint=fingerprint or f"weights of {label}"),
            settings=settings or Settings(suites=("mine",)),
            training=training,
        ),
        run=Run(started="2026-01-01", finished="2026-01-01", seconds=1.0, host="here"),
    ).with_tables(tables)
