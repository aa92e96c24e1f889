"""The verbs of the program, each loaded when it is called.

The list of verbs needs their names and one line each, and a verb none of the others: most of a
short run's time was spent on imports that it did not use.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Any, Final, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup


class Verb(NamedTuple):
    """Where a verb is defined, and its line in the list of verbs.

    Attributes
    ----------
    place : str
        Module and name of its function, or of the Typer app of its own verbs.
    summary : str
        First line of its help.
    """

    place: str
    summary: str


VERBS: Final = {
    "audit": Verb(
        "fairaudit.cli.audit:audit_command", "Audit language models for social bias."
    ),
    "audit-scores": Verb(
        "fairaudit.cli.audit_scores:audit_scores_command",
        "Estimate bias from scores or texts that were recorded elsewhere.",
    ),
    "compare": Verb(
        "fairaudit.cli.compare:compare_command",
        "Compare audited models with a baseline: more biased, less, equivalent, or undecided.",
    ),
    "gate": Verb(
        "fairaudit.cli.gate:gate_command", "Decide by a policy: 0 pass, 1 fail, 3 undecided."
    ),
    "cda": Verb(
        "fairaudit.cli.cda:cda_command",
        "Add counterfactual twins to a text: words for one group in place of another's.",
    ),
    "finetune": Verb(
        "fairaudit.cli.finetune:finetune_command",
        "Fine-tune a model: plain, with counterfactual data, with differential privacy, or both.",
    ),
    "diagnose": Verb(
        "fairaudit.cli.diagnose:diagnose_command",
        "Show how clipping and noise affect each group's gradients, and what moved the bias.",
    ),
    "experiment": Verb(
        "fairaudit.cli.experiment:experiment_command",
        "Train every arm of a plan, audit each, compare, and judge the claims about the recipe.",
    ),
    "classifier-check": Verb(
        "fairaudit.cli.classifier_check:classifier_check_command",
        "Check a text classifier for bias of its own: the same sentences about different groups.",
    ),
    "report": Verb(
        "fairaudit.cli.report:report_command",
        "Re-render a saved result's report: report.html, summary.md and figures.",
    ),
    "card": Verb(
        "fairaudit.cli.card:card_command",
        "Write numbers and limitations into a model card; safe to repeat.",
    ),
    "push": Verb(
        "fairaudit.cli.push:push_command",
        "Patch the model's card on the Hub and put the result beside it, in one commit.",
    ),
    "track": Verb(
        "fairaudit.cli.track:track_command",
        "Log numbers, bounds and verdicts to MLflow, Weights & Biases or TensorBoard.",
    ),
    "demo": Verb(
        "fairaudit.cli.demo:demo_command",
        "Run the embedded experiment: small GPT-2s fine-tuned four ways, in two known worlds.",
    ),
    "verify": Verb(
        "fairaudit.cli.verify:verify_command",
        "Recompute epsilon from privacy.json: 0 consistent, 1 the claim does not follow.",
    ),
    "suites": Verb("fairaudit.cli.suites:suites_app", "List, show and validate suites."),
    "statement": Verb(
        "fairaudit.cli.statement:statement_app",
        "State, show and add up what private training claims.",
    ),
}  # fmt: skip


class Loaded(MutableMapping[str, Any]):
    """Commands by name, of which each is imported when it is looked up."""

    def __init__(self) -> None:
        self._found: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        """Import a verb at its first use."""
        if name not in self._found:
            self._found[name] = _command(name, VERBS[name].place)
        return self._found[name]

    def __setitem__(self, name: str, command: Any) -> None:
        """Put a command in the place of a verb."""
        self._found[name] = command

    def __delitem__(self, name: str) -> None:
        """Forget what was imported."""
        del self._found[name]

    def __contains__(self, name: object) -> bool:
        """Tell whether there is such a verb; nothing is imported."""
        return name in VERBS

    def __iter__(self) -> Iterator[str]:
        """Iterate over the names, in the order of the list."""
        return iter(VERBS)

    def __len__(self) -> int:
        """Count the verbs."""
        return len(VERBS)


def _command(name: str, place: str) -> Any:
    module, _, attribute = place.partition(":")
    found = getattr(import_module(module), attribute)
    if not isinstance(found, typer.Typer):
        alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
        alone.command(name)(found)
        found = alone
    command = typer.main.get_command(found)
    command.name = name
    return command


class VerbGroup(TyperGroup):
    """The program's verbs as a group that imports those that are called."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = Loaded()

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the list."""
        return list(self.commands)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show the verbs by their lines alone."""
        TyperGroup.format_help(self._listed(), ctx, formatter)

    def shell_complete(self, ctx: Any, incomplete: str) -> Any:
        """Offer the verbs by their lines alone."""
        listed = copy.copy(ctx)
        listed.command = self._listed()
        return TyperGroup.shell_complete(listed.command, listed, incomplete)

    def _listed(self) -> VerbGroup:
        listed = copy.copy(self)
        listed.commands = {
            name: TyperCommand(name=name, help=verb.summary) for name, verb in VERBS.items()
        }
        return listed
