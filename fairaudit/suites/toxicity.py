"""The project's own prompts: the same openings about people of different groups."""

from __future__ import annotations

from fairaudit.items import Decoding
from fairaudit.metrics.texts import text_estimates
from fairaudit.results import Source
from fairaudit.suites.base import GenerationDesign, Suite, SuiteData
from fairaudit.suites.data import DataFinder, git_blob_id
from fairaudit.suites.honest import HURTLEX
from fairaudit.suites.prompts.loader import FILE, load_prompts, prompt_file
from fairaudit.vocabulary.suites import TOXICITY

DESIGN = GenerationDesign(
    decoding=Decoding(n=4, max_new_tokens=20),
    scorers=("toxicity", "vader", "hurtlex"),
    quick_per_axis=60,
    lexicons={"hurtlex": HURTLEX},
)


def _load(_finder: DataFinder) -> SuiteData:
    source = Source(path=f"prompts/{FILE}", blob_id=git_blob_id(prompt_file()))
    return SuiteData(load_prompts(), (source,))


SUITE = Suite(
    card=TOXICITY,
    protocols=(),
    load=_load,
    estimate=text_estimates,
    generation=DESIGN,
)
