"""Everything a fine-tuning will do, read and checked before a step is taken."""

from __future__ import annotations

import itertools
import logging
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from fairaudit.errors import ResultError, UsageError
from fairaudit.scoring.checkpoints.weights import check_not_quantised
from fairaudit.scoring.load import LoadedModel, load_model
from fairaudit.training.adapters import check_rank
from fairaudit.training.canaries import Canaries, draw_canaries, read_canaries
from fairaudit.training.counterfactuals import Counterfactuals, find_counterfactuals
from fairaudit.training.draws import Labeller, labeller
from fairaudit.training.encoding import Corpus, RowFrame, encode_records, row_frame
from fairaudit.training.finetune_options import FinetuneOptions
from fairaudit.training.finetuning_plan import Plan, make_plan
from fairaudit.training.masking import Masker
from fairaudit.training.randomness import draw_generator
from fairaudit.training.recipe import Recipe
from fairaudit.training.records import Records, read_records
from fairaudit.training.saving import check_output

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FineTuning:
    """A fine-tuning that is ready to run.

    Parameters
    ----------
    options : FinetuneOptions
        What was asked for.
    plan : Plan
        Its numbers, with σ and ε where there is noise.
    loaded : LoadedModel
        The base model in fp32; training changes it.
    records : Records
        The training text by privacy unit.
    corpus : Corpus
        The same, encoded; records without two tokens are left out.
    counterfactuals : Counterfactuals or None
        Twins of the text.
    held_out : Corpus or None
        Text on which perplexity is measured before and after.
    canaries : Canaries or None
        Records of random tokens, half of them among those of the corpus.
    """

    options: FinetuneOptions
    plan: Plan
    loaded: LoadedModel
    records: Records
    corpus: Corpus
    counterfactuals: Counterfactuals | None
    held_out: Corpus | None
    canaries: Canaries | None = None

    @property
    def output(self) -> Path:
        """The output folder."""
        return Path(self.options.output)

    @property
    def causal(self) -> bool:
        """Whether the objective is causal; otherwise masked."""
        return self.loaded.kind == "causal"

    @property
    def pad_id(self) -> int:
        """Token on places that are masked out; any will do."""
        return self.loaded.pad_id

    @property
    def label(self) -> Labeller:
        """The objective's labels."""
        if self.causal:
            return labeller(None)
        return labeller(Masker.of(self.loaded.tokenizer, self.corpus.frame))

    @property
    def data(self) -> dict[str, Any]:
        """Counts and hash of the training text. Not covered by ε."""
        return {
            "data_hash": self.records.data_hash,
            "unit": self.records.unit,
            "records": self.n_records,
            "empty_rows": self.records.n_empty,
            "rows_beyond_cap": self.records.n_overflow,
            "short_texts": self.corpus.n_short,
            "truncated_texts": self.corpus.n_truncated,
            "swapped_records": self.corpus.n_swapped,
        }

    @property
    def n_records(self) -> int:
        """Records of the text itself, without canaries."""
        planted = 0 if self.canaries is None else len(self.canaries.records)
        return len(self.corpus.records) - planted

    @property
    def identity(self) -> dict[str, Any]:
        """All that must be the same for a run to go on."""
        return {
            **{
                one.name: list(value) if isinstance(value, tuple) else value
                for one in fields(Recipe)
                for value in [getattr(self.options, one.name)]
            },
            "base model": self.loaded.identity.fingerprint,
            "training text": self.records.data_hash,
        }

    def check_same(self, identity: dict[str, Any]) -> None:
        """Raise if an unfinished run was started otherwise.

        Raises
        ------
        ResultError
            Naming the first setting that changed.
        """
        for name, value in self.identity.items():
            if identity.get(name) != value:
                before = identity.get(name)
                raise ResultError(
                    f"{self.output}: {name.replace('_', ' ')} was {_short(before)} when the run "
                    f"began and is {_short(value)} now; go on with the same settings or choose "
                    "another folder"
                )


def make_job(options: FinetuneOptions) -> FineTuning:
    """Read and check everything and work out the numbers, without a step; see `finetune`.

    Parameters
    ----------
    options : FinetuneOptions
        What was asked for.

    Returns
    -------
    FineTuning
        All that `run_job` needs.

    Raises
    ------
    UsageError
        If a value is out of range or does not fit the model.
    DataError
        If the training text cannot be read or holds no record.
    ModelError
        If the model cannot be loaded.
    ResultError
        If the output holds a model or another run.
    """
    folder, resume = Path(options.output), options.resume
    check_output(folder, resume=resume)
    records = read_records(
        options.train,
        text_column=options.text_column,
        unit_column=options.unit_column,
        max_rows_per_unit=options.max_rows_per_unit,
    )
    loaded = load_model(options.base, device=options.device, dtype="float32")
    if options.lora is None or options.save != "adapter":
        # Adapters leave the weights under them as they are (QLoRA), and are saved without them.
        purpose = "fine-tuning anything but adapters (lora, save 'adapter')"
        check_not_quantised(loaded.model, loaded.identity.id, purpose)
    for note in loaded.notes:
        logger.info("%s", note)
    _check_objective(options, loaded)
    if loaded.kind == "masked" and any(
        not isinstance(t, str) for rows in records.rows for t in rows
    ):
        raise UsageError(
            "prompts, completions and conversations are for causal models; a masked model learns "
            "from plain text"
        )
    if options.lora is not None:
        check_rank(loaded.model, options.lora)
    if options.save != "merged" and loaded.identity.adapter is not None:
        raise UsageError(
            f"{loaded.identity.id} is an adapter itself: it was merged into its base, which no "
            "other adapter could name; save the merged model"
        )
    twins = find_counterfactuals(records, options.cda, options.seed) if options.cda else None
    frame = row_frame(loaded.tokenizer, loaded.kind, _max_length(options, loaded))
    corpus = encode_records(records, loaded.tokenizer, frame, twins.of if twins else None)
    _check_tokens(corpus, loaded)
    _tell(records, corpus, private=options.mechanism == "dp")
    n_records, canaries = len(corpus.records), None
    if options.canaries is not None:
        canaries = _canaries(options, loaded, frame, folder, resume=resume)
        # How many there are is public; which of them are in is not.
        n_records += options.canaries
        corpus = replace(corpus, records=(*corpus.records, *canaries.records))
    return FineTuning(
        options=options,
        plan=make_plan(options, n_records),
        loaded=loaded,
        records=records,
        corpus=corpus,
        counterfactuals=twins,
        held_out=_held_out(options, loaded, corpus),
        canaries=canaries,
    )


def _canaries(
    recipe: Recipe, loaded: LoadedModel, frame: RowFrame, folder: Path, *, resume: bool
) -> Canaries:
    if resume:
        return read_canaries(folder)
    assert recipe.canaries is not None
    return draw_canaries(recipe.canaries, loaded, frame, draw_generator(recipe.noise_seed))


def _held_out(options: FinetuneOptions, loaded: LoadedModel, corpus: Corpus) -> Corpus | None:
    if options.held_out is None:
        return None
    records = read_records(options.held_out, text_column=options.text_column)
    encoded = encode_records(records, loaded.tokenizer, corpus.frame)
    _check_tokens(encoded, loaded)
    return encoded


def _check_tokens(corpus: Corpus, loaded: LoadedModel) -> None:
    for record in corpus.records:
        for variants in record:
            loaded.check_ids(itertools.chain.from_iterable(row.ids for row in variants))


def _check_objective(recipe: Recipe, loaded: LoadedModel) -> None:
    if recipe.objective not in (None, loaded.kind):
        raise UsageError(
            f"{loaded.identity.id} is a {loaded.kind} model; it cannot be trained with the "
            f"{recipe.objective} objective"
        )


def _max_length(recipe: Recipe, loaded: LoadedModel) -> int:
    return min(recipe.max_length, loaded.max_length or recipe.max_length)


def _tell(records: Records, corpus: Corpus, *, private: bool) -> None:
    """Say what was left out: on the screen of the text's owner, nowhere else.

    What weakens a guarantee is said where there is one.
    """
    counts = {
        "rows are beyond the cap of their unit and left out": records.n_overflow,
        "texts have fewer than two tokens and are left out": corpus.n_short,
        "texts are cut to the longest row": corpus.n_truncated,
    }
    for what, count in counts.items():
        if count:
            logger.warning("%d %s", count, what)
    if not private:
        return
    if records.alike:
        logger.warning(
            "%d names of units are alike (such as %s) and count as different persons; give each "
            "person one name, or their guarantee is that of a part of what they wrote",
            sum(len(names) for names in records.alike),
            ", ".join(repr(name) for name in records.alike[0][:3]),
        )
    if records.most_copies > 1:
        logger.warning(
            "one record stands %d times in the text; epsilon is that of one copy",
            records.most_copies,
        )


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 20 else f"{text[:12]}..."
