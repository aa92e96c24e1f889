"""`ScoresOptions`: what an audit of recorded scores can be asked for, each option once."""

from dataclasses import KW_ONLY, dataclass
from typing import Annotated

from fairaudit.auditing.audit_options import BenchmarkData, Language, ScorerOptions
from fairaudit.options import END, Option, Overwrite, Place


@dataclass(frozen=True)
class ScoresOptions(ScorerOptions):
    """File, suite and options of an audit of recorded scores or texts."""

    path: Annotated[
        Place,
        Option(
            doc="A StereoSet prediction file (JSON: split → list of ``id`` and ``score``), a "
            "CrowS-Pairs score table (CSV with ``sent_more_score`` and ``sent_less_score``), "
            "records of BBQ with answers beside them, or prompts and texts as lines of JSON with "
            "``prompt`` and ``completions`` and in other shapes, see "
            "`fairaudit.recorded.recorded_rows`; compressed by gzip or not. Scores are "
            "log-likelihoods or probabilities, never losses.",
            before="toxicity_classifier",
        ),
    ]
    _: KW_ONLY
    suite: Annotated[
        str,
        Option(
            "Suite that was asked.",
            doc="``stereoset``, ``crows_pairs``, ``bbq``, a suite of prompts (``toxicity``, "
            "``bold``, ``regard``, ``honest``) or a file of prompts of one's own.",
        ),
    ]
    output: Annotated[
        Place | None, Option("Audit folder.", flags=("--output", "-o"), required=True)
    ] = None
    overwrite: Overwrite = False
    data: BenchmarkData = None
    format: Annotated[
        str,
        Option(
            "auto, stereoset, crows_pairs, bbq, lm-eval, inspect, csv or jsonl.",
            doc="``auto``: the format of the suite, or a log of lm-evaluation-harness "
            "(``--log_samples``) of pairs, BBQ or Winogender, or a log of inspect_ai (``.json`` "
            "or ``.eval``) of BBQ or StereoSet. ``csv``: a table of sentences and their "
            "log-likelihoods.",
            flags=("--input-format",),
        ),
    ] = "auto"
    column: Annotated[
        str | None, Option("Column of answers, texts or scores, if there are several.")
    ] = None
    language: Language = None
    label: Annotated[
        str | None, Option("Name of the audit in reports; default: that of the file.")
    ] = None
    seed: Annotated[int, Option("Seed of the bootstrap.", min=0)] = 0
    device: Annotated[
        str,
        Option(
            "Of the classifiers: auto, cpu, cuda, ...", doc="Where classifiers run.", before=END
        ),
    ] = "auto"
