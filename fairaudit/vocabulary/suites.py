"""Every suite once: what it is called, what it asks on which axes, whom to cite, and its doubts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from fairaudit.vocabulary.protocols import INTERSENTENCE, INTRASENTENCE, Design, variant_of

NOT_STATED: Final = "not stated"


@dataclass(frozen=True, slots=True)
class Task:
    """A dataset of the Hugging Face Hub and a task of it: its configuration of that name.

    The Hub shows a score where the dataset's ``eval.yaml`` registers the task, else ignores it.

    Parameters
    ----------
    dataset : str
        Id on the Hub, where a copy of the authors' items lies; audits read the authors' own files.
    name : str
        The configuration.
    n_items : int
        Items that every model can be asked.
    """

    dataset: str
    name: str
    n_items: int

    @property
    def file(self) -> str:
        """Name of the file of its score."""
        dataset = self.dataset.partition("/")[2]
        return f"{dataset}.yaml" if dataset == self.name else f"{dataset}_{self.name}.yaml"


@dataclass(frozen=True, slots=True)
class SuiteCard:
    """What is known about a suite before any data.

    Parameters
    ----------
    name : str
        The word used in files and on the command line.
    title : str
        As it is called.
    asks : str
        The question that it answers.
    citation, license : str
        Whom to cite, and the terms of the data.
    axes : tuple of str
        Axes that its items cover.
    caveats : tuple of str
        Published doubts about its validity; printed with its scores.
    evidence : tuple of str
        What it is evidence for: tags of `FRAMEWORKS`.
    dataset : str or None
        What model cards name as its data: a Hub id, or a word without a slash for items that no
        dataset of the Hub holds; default ``name``.
    tasks : mapping of str to Task
        By the part that a protocol asks, its task on the Hub; ``""``: that of the whole suite.
    design : Design or None
        How its items are built, which says what is measured; None: what its score table tells.
    """

    name: str
    title: str
    asks: str
    citation: str = NOT_STATED
    license: str = NOT_STATED
    axes: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    dataset: str | None = None
    tasks: Mapping[str, Task] = field(default_factory=dict)
    design: Design | None = None


_ACT: Final = "EU AI Act Annex XI 2(c)"
_DOCUMENTED: Final = "NIST AI RMF MEASURE 2.1"
_FAIRNESS: Final = "NIST AI RMF MEASURE 2.11"

#: What the framework of each tag asks for, in our words. Sources: Regulation (EU) 2024/1689, Annex
#: XI; NIST AI 100-1 (AI Risk Management Framework 1.0), MEASURE 2.1 and 2.11.
FRAMEWORKS: Final = {
    _ACT: (
        "Technical documentation of a general-purpose model: by which methods biases were looked "
        "for, how the model was evaluated, and what came of it"
    ),
    _DOCUMENTED: "Test sets, metrics and tools of testing are documented",
    _FAIRNESS: "Fairness and bias are evaluated, and the results documented",
}

#: Doubts about every suite of prompts that are continued.
OF_PROMPTS: Final = (
    "Texts are drawn at random, so another seed gives other numbers; intervals are over prompts "
    "and include that.",
    "A text scorer has biases of its own: the same text about another group may get another score.",
)
_OF_CROWS_PAIRS: Final = (
    "Blodgett et al. 2021 found pairs without a clear or valid stereotype in most of a sample; "
    "the authors' own README warns of noise.",
    "Pikuliak et al. 2023: control groups score illogically too; read beside the control pairs.",
)

TEMPLATES: Final = SuiteCard(
    "templates",
    "Embedded templates",
    "Does the model find a stereotyped attribute or occupation more probable after the group "
    "that the stereotype names?",
    citation="Written by the fairaudit project; shares of women: US Bureau of Labor Statistics",
    license="Apache-2.0",
    axes=("gender", "race", "religion", "sexual_orientation", "age", "disability"),
    caveats=("Constructed sentences: they show associations, not behaviour in use.",),
    evidence=(_ACT, _FAIRNESS),
    dataset="fairaudit-templates",
    design=Design.TEMPLATES,
)

PROBE: Final = SuiteCard(
    "probe",
    "Probe text",
    "How well does the model predict plain prose that names no group?",
    citation="Written by the fairaudit project",
    license="Apache-2.0",
    evidence=(_DOCUMENTED,),
    dataset="fairaudit-probe",
)

CROWS_PAIRS: Final = SuiteCard(
    "crows_pairs",
    "CrowS-Pairs",
    "Does the model prefer the more stereotyped of two nearly equal sentences?",
    citation="Nangia, Vania, Bhalerao, Bowman (2020), CrowS-Pairs, EMNLP",
    license="CC BY-SA 4.0",
    axes=(
        "race", "gender", "socioeconomic", "nationality", "religion", "age", "sexual_orientation",
        "physical_appearance", "disability",
    ),
    caveats=_OF_CROWS_PAIRS,
    evidence=(_ACT, _FAIRNESS),
    dataset="nyu-mll/crows_pairs",
    tasks={"": Task("nyu-mll/crows_pairs", "crows_pairs", 1508)},
    design=Design.CROWS_PAIRS,
)  # fmt: skip

CROWS_PAIRS_NEVEOL: Final = SuiteCard(
    "crows_pairs_neveol",
    "CrowS-Pairs, Névéol revision",
    CROWS_PAIRS.asks,
    citation="Névéol, Dupont, Bezançon, Fort (2022), French CrowS-Pairs, ACL",
    license="derived from CC BY-SA 4.0; the copy states no licence",
    axes=CROWS_PAIRS.axes,
    caveats=_OF_CROWS_PAIRS,
    evidence=(_ACT, _FAIRNESS),
    design=Design.CROWS_PAIRS,
)

CROWS_PAIRS_KINIT: Final = SuiteCard(
    "crows_pairs_kinit",
    "CrowS-Pairs, Kinit revision",
    CROWS_PAIRS.asks,
    citation="Pikuliak, Beňová, Bachratý (2023), Social Bias Measures, EACL",
    license="derived from CC BY-SA 4.0; the copy states no licence",
    axes=CROWS_PAIRS.axes,
    caveats=_OF_CROWS_PAIRS,
    evidence=(_ACT, _FAIRNESS),
    design=Design.CROWS_PAIRS,
)

_STEREOSET: Final = "McGill-NLP/stereoset"
STEREOSET: Final = SuiteCard(
    "stereoset",
    "StereoSet",
    "Does the model prefer stereotyped over anti-stereotyped and sense over nonsense?",
    citation="Nadeem, Bethke, Reddy (2021), StereoSet, ACL",
    license="CC BY-SA 4.0",
    axes=("gender", "profession", "race", "religion"),
    caveats=(
        "Blodgett et al. 2021 found many clusters without a clear or valid stereotype.",
        "The published scores average over 79 target terms, only 3 of them about religion.",
    ),
    evidence=(_ACT, _FAIRNESS),
    dataset=_STEREOSET,
    tasks={
        # Of 2,106 clusters, masked models cannot be asked the two with a second blank.
        INTRASENTENCE: Task(_STEREOSET, INTRASENTENCE, 2104),
        INTERSENTENCE: Task(_STEREOSET, INTERSENTENCE, 2123),
    },
    design=Design.STEREOSET,
)

_OF_BBQ: Final = (
    "Stereotypes of the United States, in English; templates by crowdworkers and authors.",
    "A model that cannot answer questions picks at random or by length: read the accuracy beside "
    "the bias scores.",
)
BBQ: Final = SuiteCard(
    "bbq",
    "BBQ",
    "Does the model answer by stereotype where the text does not say, or against what it says?",
    citation=(
        "Parrish, Chen, Nangia, Padmakumar, Phang, Thompson, Htut, Bowman (2022), BBQ: A "
        "Hand-Built Bias Benchmark for Question Answering, Findings of ACL"
    ),
    license="CC BY 4.0",
    axes=(
        "age", "disability", "gender", "nationality", "physical_appearance", "race", "race_x_ses",
        "race_x_gender", "religion", "socioeconomic", "sexual_orientation",
    ),
    caveats=_OF_BBQ,
    evidence=(_ACT, _FAIRNESS),
    design=Design.CHOICES,
)  # fmt: skip

BBQ_PROMPTED: Final = SuiteCard(
    "bbq_prompted",
    "BBQ (prompted)",
    "Does the model write the answer of a stereotype where the text does not say, or against what "
    "it says?",
    citation=BBQ.citation,
    license=BBQ.license,
    axes=BBQ.axes,
    caveats=(
        *_OF_BBQ,
        "For models that follow instructions. An answer that is none of the three is counted and "
        "left out; where many are, the rest are no random part.",
    ),
    evidence=BBQ.evidence,
    design=Design.CHOICES,
)

_OF_COREFERENCE: Final = (
    "Blodgett et al. 2021 found unclear stereotypes and unnatural sentences in both Winograd "
    "suites; two genders only.",
    "A model that cannot resolve pronouns has no gap: read the accuracy on the control sentences.",
)
WINOBIAS: Final = SuiteCard(
    "winobias",
    "WinoBias",
    "Does the model find out better to whom a pronoun refers where its gender is that of the "
    "stereotype?",
    citation=(
        "Zhao, Wang, Yatskar, Ordonez, Chang (2018), Gender Bias in Coreference Resolution: "
        "Evaluation and Debiasing Methods, NAACL"
    ),
    license="MIT",
    axes=("gender",),
    caveats=_OF_COREFERENCE,
    evidence=(_ACT, _FAIRNESS),
    design=Design.COREFERENCE,
)

_OF_WRITTEN_PEOPLE: Final = (
    "For models that follow instructions. An answer that is neither of the two is counted, and "
    "its pair left out; where many are, the rest are no random part.",
    "Both sentences of a pair offer the people in the same order, and A is right in half of the "
    "pairs: a model that always writes the same letter has no gap, and an accuracy of one half.",
)
WINOBIAS_PROMPTED: Final = SuiteCard(
    "winobias_prompted",
    "WinoBias (prompted)",
    "Does the model write more often rightly to whom a pronoun refers where its gender is that of "
    "the stereotype?",
    citation=WINOBIAS.citation,
    license=WINOBIAS.license,
    axes=WINOBIAS.axes,
    caveats=(*_OF_COREFERENCE, *_OF_WRITTEN_PEOPLE),
    evidence=WINOBIAS.evidence,
    design=Design.COREFERENCE,
)

WINOGENDER: Final = SuiteCard(
    "winogender",
    "Winogender",
    "Does it depend on the pronoun's gender whether the model takes it for somebody's at work?",
    citation=(
        "Rudinger, Naradowsky, Leonard, Van Durme (2018), Gender Bias in Coreference Resolution, "
        "NAACL"
    ),
    license="MIT",
    axes=("gender",),
    caveats=_OF_COREFERENCE,
    evidence=(_ACT, _FAIRNESS),
    design=Design.COREFERENCE,
)

WINOGENDER_PROMPTED: Final = SuiteCard(
    "winogender_prompted",
    "Winogender (prompted)",
    "Does it depend on the pronoun's gender whether the model writes that it is somebody's at "
    "work?",
    citation=WINOGENDER.citation,
    license=WINOGENDER.license,
    axes=WINOGENDER.axes,
    caveats=(*_OF_COREFERENCE, *_OF_WRITTEN_PEOPLE),
    evidence=WINOGENDER.evidence,
    design=Design.COREFERENCE,
)

HOLISTIC_BIAS: Final = SuiteCard(
    "holistic_bias",
    "HolisticBias",
    "Does the model find sentences about people likelier or less likely by the word that describes "
    "them?",
    citation=(
        "Smith, Hall, Kambadur, Presani, Williams (2022), \"I'm sorry to hear that\": Finding New "
        "Biases in Language Models with a Holistic Descriptor Dataset, EMNLP"
    ),
    license="CC BY-SA 4.0",
    axes=(
        "disability", "age", "physical_appearance", "characteristics", "cultural", "gender",
        "nationality", "nonce", "political_ideology", "race", "religion", "sexual_orientation",
        "socioeconomic",
    ),
    caveats=(
        "Words differ in perplexity for reasons that have nothing to do with groups: length, how "
        "common they are, how they are split into tokens. A large share alone shows no harm; "
        "compare models.",
        "The axis of made-up words (nonce) names nobody. It shows how far words differ for no "
        "social reason.",
        "Many descriptors are slurs or were rejected by those they describe, so that a model "
        "should find some sentences unlikely.",
    ),
    evidence=(_ACT, _FAIRNESS),
    design=Design.DESCRIPTORS,
)  # fmt: skip

REDDIT_BIAS: Final = SuiteCard(
    "reddit_bias",
    "RedditBias",
    "Are the words of a biased comment likelier about the group it names than about another one?",
    citation=(
        "Barikeri, Lauscher, Vulić, Glavaš (2021), RedditBias: A Real-World Resource for Bias "
        "Evaluation and Debiasing of Conversational Language Models, ACL-IJCNLP"
    ),
    license="MIT; the comments are by Reddit users",
    axes=("gender", "sexual_orientation", "race", "religion_jews", "religion_muslims"),
    caveats=(
        "Groups were exchanged by a list of words: some of the other sentences are unnatural, and "
        "unlikely for that reason.",
        "Comments are pieces of longer ones, and few attributes make up most of an axis.",
        "Offensive content, in English, from one website.",
    ),
    evidence=(_ACT, _FAIRNESS),
    design=Design.COUNTERFACTUAL,
)

BEC_PRO: Final = SuiteCard(
    "bec_pro",
    "BEC-Pro",
    "Does the model tie professions to men or women as labour statistics do?",
    citation=(
        "Bartl, Nissim, Gatt (2020), Unmasking Contextual Stereotypes: Measuring and Mitigating "
        "BERT's Gender Bias, GeBNLP"
    ),
    license="CC BY 4.0",
    axes=("gender",),
    caveats=(
        "Two genders only; which gender dominates a profession is that of the United States.",
        "Delobelle et al. 2022 found that scores from templates and prompts of masked models "
        "depend on the wording and agree little with each other.",
    ),
    evidence=(_ACT, _FAIRNESS),
    design=Design.PROFESSIONS,
)

DISCO: Final = SuiteCard(
    "disco",
    "DisCo",
    "Do the words that the model fills into a sentence depend on the gender of the name in it?",
    citation=(
        "Webster, Wang, Tenney, Beutel, Pitler, Pavlick, Chen, Chi, Petrov (2020), Measuring and "
        "Reducing Gendered Correlations in Pre-trained Models, arXiv:2010.06032; names and "
        "templates are those of fairaudit"
    ),
    license="Apache-2.0",
    axes=("gender",),
    caveats=(
        "It says that fills differ between names of women and men, not that they are stereotypes: "
        "a pronoun that agrees with the name counts as well.",
        "Two genders only, and names that are common in the United States: what depends on age or "
        "origin of a name is in the number too.",
        "The interval is over templates; the names are held fixed.",
        "Delobelle et al. 2022 found that scores from templates and prompts of masked models "
        "depend on the wording and agree little with each other.",
    ),
    evidence=(_ACT, _FAIRNESS),
    dataset="fairaudit-disco",
    design=Design.FILLS,
)

TOXICITY: Final = SuiteCard(
    "toxicity",
    "Prompts about groups",
    "Does the model write more toxic text, or text of a darker tone, about people of one group "
    "than of another?",
    citation=(
        "Prompts written by the fairaudit project; measure after Srivastava et al. (2024), Table 1,"
        " and Gehman et al. (2020), RealToxicityPrompts, Findings of EMNLP"
    ),
    license="Apache-2.0",
    axes=("gender", "race", "religion"),
    caveats=OF_PROMPTS,
    evidence=(_ACT, _FAIRNESS),
)

BOLD: Final = SuiteCard(
    "bold",
    "BOLD",
    "Does the tone of what the model writes depend on whom or what it writes about?",
    citation=(
        "Dhamala, Sun, Kumar, Krishna, Pruksachatkun, Chang, Gupta (2021), BOLD: Dataset and "
        "Metrics for Measuring Biases in Open-Ended Language Generation, FAccT"
    ),
    license="CC BY-SA 4.0",
    axes=("gender", "race", "profession", "religion", "political_ideology"),
    caveats=(
        *OF_PROMPTS,
        "Prompts differ between groups in more than the group: what a page of Wikipedia is about "
        "sets the tone, too.",
        "A model that was trained on Wikipedia has read the sentences that the prompts begin.",
    ),
    evidence=(_ACT, _FAIRNESS),
)

REGARD: Final = SuiteCard(
    "regard",
    "Regard",
    "Does the model write of one group with less regard than of another?",
    citation=(
        "Sheng, Chang, Natarajan, Peng (2019), The Woman Worked as a Babysitter: On Biases in "
        "Language Generation, EMNLP-IJCNLP"
    ),
    license="none stated; the prompts are the openings that the paper names",
    axes=("gender", "race", "sexual_orientation"),
    caveats=(
        *OF_PROMPTS,
        "Ten openings for each group: few clusters, so intervals are wide however many texts are "
        "written.",
    ),
    evidence=(_ACT, _FAIRNESS),
)

HONEST: Final = SuiteCard(
    "honest",
    "HONEST",
    "How often does the model complete a sentence about a person with a hurtful word?",
    citation=(
        "Nozza, Bianchi, Hovy (2021), HONEST: Measuring Hurtful Sentence Completion in Language "
        "Models, NAACL; Nozza, Bianchi, Lauscher, Hovy (2022), LT-EDI; lexicon: Bassignana, "
        "Basile, Patti (2018), Hurtlex, CLiC-it"
    ),
    license="MIT; the lexicon CC BY-NC-SA 4.0",
    axes=("gender", "queer_identity"),
    caveats=(
        *OF_PROMPTS,
        "A word of the lexicon is not always meant to hurt, and a hurtful sentence may do without.",
    ),
    evidence=(_ACT, _FAIRNESS),
)

SEAT: Final = SuiteCard(
    "seat",
    "SEAT",
    "Are texts about one group embedded nearer to one set of attributes than others?",
    citation=(
        "May, Wang, Bordia, Bowman, Rudinger (2019), On Measuring Social Biases in Sentence "
        "Encoders, NAACL; Caliskan, Bryson, Narayanan (2017), Science; religion: Meade, "
        "Poole-Dayan, Reddy (2022), ACL"
    ),
    license="CC BY-NC 4.0; the religion tests state none",
    axes=("gender", "race", "religion", "age", "disability"),
    caveats=(
        "Legacy: associations of embeddings do not predict what a model does (Goldfarb-Tarrant et "
        "al. 2021, Delobelle et al. 2022).",
        "Sentences made from one word are treated as independent, so p-values are too small; "
        "inputs averaged beforehand would make models without any bias look significant.",
    ),
    evidence=(_FAIRNESS,),
)

#: All of them, by name, in the order in which they are run and reported.
CARDS: Final[dict[str, SuiteCard]] = {
    one.name: one for one in list(globals().values()) if isinstance(one, SuiteCard)
}

#: Axes that blanks for underscores do not make words of.
AXIS_NAMES: Final = {
    "religion_jews": "religion, Jews",
    "religion_muslims": "religion, Muslims",
}

#: Suites that results and policies may name, though this version cannot run them.
RESERVED: Final = {
    "counterfactual": "Counterfactual",
}

#: What suites of one's own ask, of sentence pairs and of prompts, unless their file says it.
OWN_PAIRS: Final = "Does the model prefer the more stereotyped sentence of a pair?"
OWN_PROMPTS: Final = "Does what the model writes depend on the group that a prompt names?"


def title_of(suite: str) -> str | None:
    """Return what a suite is called; None for one that is not ours."""
    known = CARDS.get(suite)
    return RESERVED.get(suite) if known is None else known.title


def called(place: str) -> str:
    """Return a suite, or a protocol behind its suite, as people call it.

    Examples
    --------
    >>> called("crows_pairs/causal-sum")
    'CrowS-Pairs, causal-sum'
    """
    suite, _, variant = place.partition("/")
    title = title_of(suite) or suite
    return f"{title}, {variant}" if variant else title


def task_of(protocol: str) -> Task | None:
    """Return the task of the Hub whose items a protocol asks; None where there is none."""
    card, variant = CARDS.get(protocol.partition("/")[0]), variant_of(protocol)
    if card is None:
        return None
    return card.tasks.get("") or card.tasks.get("" if variant is None else variant.part)
