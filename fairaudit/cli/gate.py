"""``fairaudit gate``: may this model be released."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fairaudit.cli.early import refuse_missing_policy, refuse_missing_results
from fairaudit.cli.options import takes
from fairaudit.cli.state import append_step_summary, console
from fairaudit.errors import ResultError, UsageError
from fairaudit.gating.gate_options import GateOptions
from fairaudit.vocabulary.decisions import INCONCLUSIVE, NOT_RUN

if TYPE_CHECKING:
    from fairaudit.gating.gate_selection import Result
    from fairaudit.gating.policy import Policy
    from fairaudit.results import GateResult


@takes(GateOptions)
def gate_command(
    chosen: dict[str, Any],
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML to this file.")] = None,
    init: Annotated[
        Path | None, typer.Option(help="Write a starter policy to this file, and stop.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Folder for gate.json; default: the result's own.")
    ] = None,
) -> None:
    """Decide by a policy: 0 pass, 1 fail, 3 undecided."""
    folder, policy = Path(chosen["result"]), chosen.get("policy")
    if (policy is None) == (init is None):
        raise UsageError("give either --policy FILE to decide or --init FILE to start a policy")
    place = output or (folder if folder.is_dir() else folder.parent)
    if init is None:
        forget_decision(place)
    refuse_missing_policy(None if policy is None else Path(policy))
    refuse_missing_results(folder)
    from fairaudit.gating.gate import load_result
    from fairaudit.gating.policy import read_policy

    if init is not None:
        _start_policy(folder, init)
        return
    assert policy is not None
    rules = read_policy(Path(policy))
    result, undecided = load_result(folder), chosen["allow_inconclusive"]
    raise typer.Exit(apply_policy(result, rules, place, junit=junit, allow_inconclusive=undecided))


def apply_policy(
    result: Result,
    policy: Policy | Path,
    folder: Path | None,
    *,
    junit: Path | None = None,
    allow_inconclusive: bool = False,
) -> int:
    """Gate a result, write and print what came of it, and return the exit code.

    Parameters
    ----------
    result : AuditResult or ComparisonResult
        What was measured.
    policy : Policy or path
        Read it with `fairaudit.gating.policy.read_policy` before a long run, so that a typing error
        does not cost one.
    folder : path or None
        Where ``gate.json`` is written; None: nowhere.
    junit : path, optional
        Where JUnit XML is written.
    allow_inconclusive : bool
        See `fairaudit.gate`.

    Raises
    ------
    UsageError, ResultError
        If the policy cannot be read or a file cannot be written.
    """
    from fairaudit.gating.gate import gate
    from fairaudit.report.terminal import render_terminal

    if folder is not None:
        forget_decision(folder)
    decided = gate(result, policy, allow_inconclusive=allow_inconclusive)
    if folder is not None:
        decided.save(folder)
        if (folder / "report.html").is_file():
            # Imported only where there is a page, for a gate should start at once.
            from fairaudit.report.files import show_decision

            show_decision(result, folder)
    if junit is not None:
        _write_junit(decided, junit, allow_inconclusive=allow_inconclusive)
    console().print(render_terminal(decided))
    if allow_inconclusive and decided.decision in {INCONCLUSIVE, NOT_RUN}:
        # A log that ends with INCONCLUSIVE above a green job is a riddle.
        console().print(_forgiven(decided))
    _step_summary(decided)
    return decided.exit_code


def _forgiven(decided: GateResult) -> str:
    if decided.exit_code == 0:
        return "Exit code 0: --allow-inconclusive lets an undecided gate through."
    at_fault = any(rule.refused for rule in decided.rules)
    why = "the comparison itself is at fault" if at_fault else "nothing was evaluated"
    return f"Exit code {decided.exit_code} in spite of --allow-inconclusive: {why}."


def forget_decision(folder: Path) -> None:
    """Remove the decision of an earlier gate, so that one which fails leaves none behind.

    Raises
    ------
    ResultError
        If it cannot be removed.
    """
    path = folder / "gate.json"
    try:
        if path.is_file() and b'"fairaudit/gate"' in path.read_bytes():
            path.unlink()
    except OSError as error:
        raise ResultError(f"{path}: cannot be removed ({error.strerror})") from error


def _write_junit(decided: GateResult, path: Path, *, allow_inconclusive: bool) -> None:
    from fairaudit.report.junit import render_junit

    _write(path, render_junit(decided, allow_inconclusive=allow_inconclusive))


def _step_summary(decided: GateResult) -> None:
    """Append the checklist where GitHub asks for one."""
    from fairaudit.report.markdown import render_summary

    append_step_summary(lambda: render_summary(decided))


def _start_policy(folder: Path, path: Path) -> None:
    from fairaudit.gating.gate import load_result
    from fairaudit.report.starter import render_starter_policy

    if path.exists():
        raise UsageError(f"{path} exists; a policy is not overwritten, choose another file")
    _write(path, render_starter_policy(load_result(folder)))
    console().print(f"policy: {path}", highlight=False, markup=False, soft_wrap=True)


def _write(path: Path, text: str) -> None:
    from fairaudit.results.files import write_text

    try:
        write_text(path, text)
    except OSError as error:
        raise ResultError(f"{path}: cannot be written ({error.strerror})") from error
