"""From the numbers of models to the result: quantities, differences, tables of records, notes."""

from __future__ import annotations

import datetime
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from fairaudit.diagnostics.checkpoint import Looked, Settings
from fairaudit.diagnostics.differences import differences
from fairaudit.diagnostics.per_record import bias_name
from fairaudit.diagnostics.quantities import ModelNumbers, quantities
from fairaudit.diagnostics.records import ProbeTexts
from fairaudit.results.diagnostics import (
    NOT_COVERED,
    DiagnosedModel,
    DiagnosticsProvenance,
    DiagnosticsResult,
    RecordPush,
)
from fairaudit.results.types import Run
from fairaudit.versions import versions_of

if TYPE_CHECKING:
    import pandas as pd

ADAM_NOTE: Final = (
    "These are properties of the gradient query (the mean of clipped gradients plus noise). An "
    "optimiser such as Adam makes an update of it whose length and direction are its own."
)
#: Records shown for each direction in which a bias score is pushed.
STRONGEST: Final = 5


class Clock:
    """When a diagnosis started."""

    def __init__(self) -> None:
        self._start, self._started = time.perf_counter(), _now()

    def run(self) -> Run:
        """When and where it ran, until now."""
        seconds = time.perf_counter() - self._start
        return Run(started=self._started, finished=_now(), seconds=seconds, host=platform.node())


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


@dataclass(frozen=True, slots=True)
class Diagnosed:
    """One model of the result and what was found about it."""

    model: DiagnosedModel
    looked: Looked


def assemble(
    found: Sequence[Diagnosed],
    texts: ProbeTexts,
    settings: Settings,
    *,
    device: str,
    clock: Clock,
    notes: Sequence[str] = (),
) -> DiagnosticsResult:
    """Put the result together; all statistics over models are computed here."""
    numbers = [entry.looked.numbers for entry in found]
    steps = _steps([entry.model for entry in found])
    errors = [entry.looked.sketch_error for entry in found]
    known = [error for error in errors if error is not None]
    result = DiagnosticsResult(
        models=tuple(entry.model for entry in found),
        groups=texts.groups,
        quantities=tuple(
            quantity
            for one in numbers
            for quantity in quantities(one, settings.replicates, settings.seed)
        ),
        differences=tuple(differences(numbers, steps, settings.replicates, settings.seed)),
        pushes=tuple(push for one in numbers for push in strongest_pushes(one, texts)),
        provenance=DiagnosticsProvenance(
            texts=texts.source,
            texts_hash=texts.hash,
            texts_public=texts.public,
            settings=stored_settings(settings),
            sketch_error=max(known) if known else None,
            device=device,
            versions=versions_of("torch", "transformers", "numpy", "scipy"),
        ),
        notes=(*_notes(found, texts), *notes),
        run=clock.run(),
    )
    return result.with_records({one.label: _table(one, texts) for one in numbers})


def strongest_pushes(numbers: ModelNumbers, texts: ProbeTexts) -> Iterator[RecordPush]:
    """Yield the records of one model that push each bias score most, in both directions."""
    values = numbers.records.values
    for axis in numbers.bias:
        plain = values[bias_name(axis, clipped=False)]
        clipped = values.get(bias_name(axis, clipped=True))
        order = np.argsort(plain, kind="stable")
        ends = np.concatenate([order[-STRONGEST:][::-1], order[:STRONGEST]])
        for place in dict.fromkeys(ends.tolist()):
            record = texts.records[place]
            yield RecordPush(
                model=numbers.label,
                axis=axis,
                record=record.id,
                group=f"{record.axis}/{record.group}",
                push=float(plain[place]),
                push_clipped=None if clipped is None else float(clipped[place]),
                text=record.text if texts.public else None,
            )


def _steps(models: Sequence[DiagnosedModel]) -> list[int] | None:
    steps = [model.step for model in models if model.step is not None]
    return steps if len(steps) == len(models) and len(models) > 1 else None


def _notes(found: Sequence[Diagnosed], texts: ProbeTexts) -> list[str]:
    notes = [ADAM_NOTE]
    if not texts.public:
        notes.insert(0, f"Computed on texts that nobody declared public: {NOT_COVERED}.")
    notes.append("The batch B is the mix of all probe texts, not a batch of training.")
    if any(entry.model.clipping.learning_rate is None for entry in found):
        notes.append(
            "Where no learning rate is known, bias influence and its noise are per unit of it."
        )
    cut = max(entry.looked.n_truncated for entry in found)
    if cut:
        notes.append(f"{cut} texts or twins were longer than a row and were cut.")
    loading = dict.fromkeys(note for entry in found for note in entry.looked.notes)
    return [*notes, *loading, *texts.notes]


def _table(numbers: ModelNumbers, texts: ProbeTexts) -> pd.DataFrame:
    """One row per record; the texts themselves stay where they are unless they are ours."""
    import pandas as pd

    columns: dict[str, object] = {
        "record": [record.id for record in texts.records],
        "axis": [record.axis for record in texts.records],
        "group": [record.group for record in texts.records],
        "template": [record.template for record in texts.records],
    }
    if texts.public:
        columns["text"] = [record.text for record in texts.records]
    values: Mapping[str, np.ndarray] = numbers.records.values
    return pd.DataFrame(columns | dict(values))


def stored_settings(settings: Settings) -> dict[str, object]:
    """Return settings as they are read back from JSON."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in asdict(settings).items()
    }
