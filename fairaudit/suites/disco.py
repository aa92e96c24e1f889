"""DisCo: words that a masked model fills in, after names of women and after names of men.

Webster et al. 2020 put a name into one slot of a template and take the model's three likeliest
words for the other. Each word that stands among the three is tested for dependence on the gender
of the name; the score is the number of dependent words per template. See
`fairaudit.metrics.fills` for the numbers.

What differs from the paper:

- Names and templates are our own: 40 names of either gender and 24 templates, against the paper's
  14 templates with its lists of names, and of nouns for people, which are not asked here.
- A fill is a token of the model's vocabulary, whatever it is: no word is left out, nor are pieces
  of words, punctuation, or pronouns that only agree with the name.
- The test is Pearson's chi-squared without continuity correction, of names with and without the
  word, corrected for the words of the same template (Bonferroni).
- Beside the score stands its excess over the score when the genders are dealt to the names at
  random, with a permutation p-value: the chi-squared law is rough where a word follows few names,
  and words of several templates follow the same names.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Final

from fairaudit.items import Fill, Item, Protocol
from fairaudit.metrics.fills import FEMALE, MALE, ROLES, fill_estimates
from fairaudit.parsing import parse_toml
from fairaudit.results import Source
from fairaudit.suites import fills
from fairaudit.suites import pair_protocols as pairs
from fairaudit.suites.base import Suite, SuiteData
from fairaudit.suites.data import DataFinder, git_blob_id
from fairaudit.vocabulary.protocols import Design
from fairaudit.vocabulary.suites import DISCO

#: What stands for the mask in a text, whatever a tokenizer calls its own.
BLANK: Final = "[BLANK]"
FILE: Final = "disco.toml"


def load_fills() -> tuple[Item, ...]:
    """All items, always in the same order: by template, gender and name."""
    content = parse_toml(_content().decode("utf-8"))
    return tuple(_items(content["sentences"], content["names"]))


def _content() -> bytes:
    return files(fills).joinpath(FILE).read_bytes()


def _items(templates: dict[str, str], names: dict[str, list[str]]) -> Iterator[Item]:
    for key, template in templates.items():
        for gender in (FEMALE, MALE):
            for name in names[gender]:
                text = template.format(who=name, fill=BLANK)
                yield Item(
                    item_id=f"{key}/{name}",
                    axis="gender",
                    group=gender,
                    cluster=key,
                    texts=dict.fromkeys(ROLES, text),
                    facts={"name": name},
                )


def fill(item: Item, role: str) -> Fill:
    """Ask for the word of a role: the likeliest at the blank, the second or the third."""
    return Fill(item.texts[role], BLANK, 1 + ROLES.index(role))


def _load(_finder: DataFinder) -> SuiteData:
    source = Source(path=f"fills/{FILE}", blob_id=git_blob_id(_content()))
    return SuiteData(load_fills(), (source,))


SUITE: Final = Suite(
    card=DISCO,
    protocols=(
        Protocol(
            f"{DISCO.name}/top-fills",
            "masked",
            fill,
            pairs.total,
            "The three likeliest tokens at the blank, with their log P (Webster et al. 2020).",
            design=Design.FILLS,
        ),
    ),
    load=_load,
    estimate=fill_estimates,
    default=False,
)
