"""The grid of one world: every arm of every seed is trained, audited and kept, never done twice."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from fairaudit.auditing.run_audit import audit
from fairaudit.errors import FairauditError, ResultError, UsageError
from fairaudit.experiments.asked_suites import Questions
from fairaudit.experiments.experiment_plan import ExperimentPlan
from fairaudit.experiments.matching import Candidate, nearest, snapshots
from fairaudit.experiments.train_arm import (
    Snapshots,
    Texts,
    is_resumable,
    is_trained,
    texts_of,
    train_arm,
)
from fairaudit.experiments.utility import text_perplexity
from fairaudit.parsing import parse_json
from fairaudit.results import AuditResult
from fairaudit.results.experiment import ArmRun
from fairaudit.results.places import inside, remove_folder
from fairaudit.training.saving import write_last
from fairaudit.vocabulary.arms import BASE, PLAIN, ArmKind, read_arm

logger = logging.getLogger(__name__)

_DONE: Final = "arm.json"
_MODEL: Final = "model"


@dataclass(frozen=True, slots=True)
class Cell:
    """One arm of one seed, and its folder within the experiment's."""

    arm: str
    seed: int

    @property
    def place(self) -> str:
        """Folder, relative to the experiment's."""
        return f"arms/{self.arm}/seed-{self.seed}"

    @property
    def audit(self) -> str:
        """Folder of its audit, relative to the experiment's."""
        return f"{self.place}/audit"

    @property
    def is_matched(self) -> bool:
        """Whether it takes its checkpoint from other arms of its seed."""
        return _is_matched(self.arm)

    @property
    def needs(self) -> tuple[Cell, ...]:
        """Cells that must have finished before it: base, plain and private arm of a matched one."""
        arm = read_arm(self.arm)
        if arm is None or not self.is_matched:
            return ()
        return tuple(Cell(one, self.seed) for one in (BASE, PLAIN, arm.beside(ArmKind.DP)))


def _is_matched(arm: str) -> bool:
    found = read_arm(arm)
    return found is not None and found.kind is ArmKind.PLAIN_MATCHED


def cells(plan: ExperimentPlan) -> list[Cell]:
    """All arms of all seeds, the base first, in an order in which each finds what it needs."""
    return [Cell(arm, seed) for seed in range(plan.seeds) for arm in (BASE, *_ordered(plan.arms))]


def _ordered(arms: tuple[str, ...]) -> list[str]:
    """Put the arms that are matched to another one last."""
    return sorted(arms, key=_is_matched)


def audits_of(runs: Sequence[ArmRun], output: Path) -> dict[tuple[str, int], AuditResult]:
    """Audits of all finished arms, by arm and seed."""
    return {
        (run.arm, run.seed): AuditResult.load(output / run.audit)
        for run in runs
        if run.status == "done" and run.audit is not None
    }


@dataclass(frozen=True, slots=True)
class Grid:
    """An experiment that is set up: what runs a cell, wherever it runs.

    Parameters
    ----------
    plan : ExperimentPlan
        Its settings.
    output : path
        Its folder.
    base : str
        The base model.
    asked : Questions
        What every arm is asked.
    """

    plan: ExperimentPlan
    output: Path
    base: str
    asked: Questions

    def run(self, cell: Cell) -> ArmRun:
        """Train and audit a cell, unless that is done and can be read."""
        done = self.finished(cell)
        if done is not None:
            try:
                AuditResult.load(self.output / cell.audit)
            except ResultError as error:
                logger.warning("%s: audited again", error)
            else:
                return done
        # What is left of an audit that was cut off, or is damaged, would be taken for another's.
        remove_folder(self.output, cell.audit)
        return self._train_and_audit(cell)

    def finished(self, cell: Cell) -> ArmRun | None:
        """Return a cell that is done; one that failed is tried again.

        Raises
        ------
        ResultError
            If its file is about another arm, or names another audit than its own.
        """
        path = self.output / cell.place / _DONE
        try:
            run = ArmRun.model_validate_json(path.read_text("utf-8"))
        except (OSError, ValueError):
            return None
        if run.status != "done":
            return None
        if (run.arm, run.seed, run.audit) != (cell.arm, cell.seed, cell.audit):
            raise ResultError(
                f"{path}: names '{run.audit}' of {run.arm}, seed {run.seed}, not the audit beside "
                "it; remove the file to audit the arm again"
            )
        return run

    def _train_and_audit(self, cell: Cell) -> ArmRun:
        folder, clock = inside(self.output, cell.place), time.perf_counter()
        try:
            found = self._trained(cell)
            audit(
                found.pop("checkpoint"),
                suites=self.asked.suites,
                label=f"{cell.arm}, seed {cell.seed}",
                quick=self.plan.audit.quick,
                data=self.plan.audit.data,
                toxicity_classifier=self.asked.toxicity_classifier,
                output=inside(self.output, cell.audit),
                progress=False,
            )
            run = ArmRun(
                arm=cell.arm,
                seed=cell.seed,
                status="done",
                audit=cell.audit,
                seconds=round(time.perf_counter() - clock, 1),
                **found,
            )
        except UsageError:
            raise
        except (FairauditError, OSError) as error:
            logger.warning("%s, seed %d failed: %s", cell.arm, cell.seed, error)
            run = ArmRun(arm=cell.arm, seed=cell.seed, status="failed", reason=str(error))
        folder.mkdir(parents=True, exist_ok=True)
        write_last(folder, _DONE, run.model_dump_json(indent=1))
        return run

    def _trained(self, cell: Cell) -> dict[str, Any]:
        """Return the checkpoint of a cell, with what is to be said about its training."""
        texts = texts_of(self.plan, cell.seed)
        if cell.arm == BASE:
            return {"checkpoint": self.base, "perplexity": self._perplexity(self.base, texts)}
        if cell.is_matched:
            return self._matched(cell)
        folder = self._model(cell)
        if not is_trained(folder, self.plan):
            if not is_resumable(folder):
                remove_folder(self.output, f"{cell.place}/{_MODEL}")
            hook = self._snapshots(cell, texts)
            train_arm(cell.arm, self.plan, self.base, texts, folder, cell.seed, on_step=hook)
        return {"checkpoint": str(folder), **_about(folder)}

    def _model(self, cell: Cell) -> Path:
        return inside(self.output, f"{cell.place}/{_MODEL}")

    def _perplexity(self, checkpoint: str | Path, texts: Texts) -> float:
        """Held-out perplexity, of rows as long as those of the plain arm."""
        longest = self.plan.settings(PLAIN).get("max_length")
        return text_perplexity(checkpoint, texts.held_out, texts.text_column, max_length=longest)

    def _snapshots(self, cell: Cell, texts: Texts) -> Snapshots | None:
        """Keep checkpoints along the plain run where another arm is matched to one of them."""
        wanted = any(map(_is_matched, self.plan.arms))
        if cell.arm != PLAIN or not wanted:
            return None
        folder = self._snapshots_of_plain(cell.seed)
        return Snapshots(folder, self.base, lambda path: self._perplexity(path, texts))

    def _matched(self, cell: Cell) -> dict[str, Any]:
        """Of the plain run, its base and its end included, what is as far as the private arm."""
        arm = read_arm(cell.arm)
        assert arm is not None
        partner = Cell(arm.beside(ArmKind.DP), cell.seed)
        wanted = held_out_perplexity(self._model(partner))
        base = self.finished(Cell(BASE, cell.seed))
        of_plain = Cell(PLAIN, cell.seed)
        plain = self.finished(of_plain)
        if (
            wanted is None
            or base is None
            or base.perplexity is None
            or plain is None
            or plain.perplexity is None
            or plain.steps is None
        ):
            raise FairauditError(
                f"{cell.arm} needs the arms '{BASE}', '{partner.arm}' and '{PLAIN}' of seed "
                f"{cell.seed} to finish"
            )
        found, gap = nearest(
            (
                Candidate(self.base, 0, base.perplexity),
                *snapshots(self._snapshots_of_plain(cell.seed)),
                Candidate(str(self._model(of_plain)), plain.steps, plain.perplexity),
            ),
            wanted,
        )
        return {
            "checkpoint": found.checkpoint,
            "steps": found.step,
            "perplexity": found.perplexity,
            "match_gap": gap,
        }

    def _snapshots_of_plain(self, seed: int) -> Path:
        return inside(self.output, f"{Cell(PLAIN, seed).place}/snapshots")


def _about(folder: Path) -> dict[str, Any]:
    training = parse_json((folder / "training.json").read_text("utf-8"))
    privacy = folder / "privacy.json"
    claim = parse_json(privacy.read_text("utf-8")) if privacy.exists() else {}
    return {
        "steps": training["steps"],
        "learning_rate": training["learning_rate"],
        "epsilon": claim.get("epsilon"),
        "row_epsilon": claim.get("row_epsilon"),
        "perplexity": held_out_perplexity(folder),
    }


def held_out_perplexity(folder: Path) -> float | None:
    """Perplexity on the held-out text, which the fine-tuner keeps in ``private/``.

    An experiment trains on text that may be shown; see the report's note on that.
    """
    path = folder / "private" / "held_out.json"
    if not path.exists():
        return None
    value = float(parse_json(path.read_text("utf-8"))["fine_tuned"])
    return value if math.isfinite(value) else None
