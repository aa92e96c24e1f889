"""Counterfactual data augmentation: lexicons, the swapper, and what it covers.

A *record* is one text. Its *twins* are the same text with the words for one group put in place of
those for another: pronouns, nouns, titles and first names for gender; names of groups for race and
religion. The swapper works on (word, class) pairs, and each class is a permutation of its words, so
that the twin of a twin is the record wherever both are read alike.

References
----------
Lu, K., Mardziel, P., Wu, F., Amancharla, P., Datta, A. (2020). Gender bias in neural natural
language processing. Logic, Language, and Security.
Hall Maudslay, R., Gonen, H., Cotterell, R., Teufel, S. (2019). It's all in the name: mitigating
gender bias with name-based counterfactual data substitution. EMNLP.
Webster, K. et al. (2020). Measuring and reducing gendered correlations in pre-trained models.
"""

from fairaudit.augmentation.analysis import Analysis, Hit
from fairaudit.augmentation.corpus import Augmentation, augment
from fairaudit.augmentation.coverage import CoverageReport
from fairaudit.augmentation.lexicon import AXES
from fairaudit.augmentation.swapper import MAX_VARIANTS, MODES, Swapper

__all__ = [
    "AXES",
    "MAX_VARIANTS",
    "MODES",
    "Analysis",
    "Augmentation",
    "CoverageReport",
    "Hit",
    "Swapper",
    "augment",
]
