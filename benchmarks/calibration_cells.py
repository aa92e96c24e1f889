"""The table of `calibration`: what is asked of which samples."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from calibration_choices import SIZES, accuracy_gap, bias_scores, pronoun_gap
from calibration_descriptors import (
    EXCESS,
    counterfactual_gap,
    likelihood_bias,
    two_likelihood_biases,
)
from calibration_descriptors import (
    SIZES as ATTRIBUTES,
)
from calibration_draws import (
    HARMLESS,
    Generator,
    Sample,
    answered_terms,
    clustered_mean,
    clustered_rate,
    control_pairs,
    crossed_rate,
    few_moved,
    group_difference,
    heavy_tailed,
    mostly_zero,
    neutral_pairs,
    paired_clusters,
    paired_mean,
    paired_rate,
    paired_templates,
    rate,
    revised_pairs,
    sparse_values,
    target_terms,
    toxic_group,
    toxic_prompts,
    two_seeds,
)
from calibration_fills import EXPECTED, dealt_genders, gendered_fills
from calibration_groups import GroupSample, designs, drawer
from calibration_professions import one_kind, professions

from fairaudit.vocabulary.metrics import (
    CONTROL_RMS_LOG_ODDS,
    EXCESS_RMS_LOG_ODDS,
    IDENTITY_TO_CONTROL_RATIO,
)

MARGIN: Final = 0.05
#: Margin of mean toxicities.
TOXICITY_MARGIN: Final = 0.02
#: What is asked of a sample: one model's value; whether it is shown to lie below the truth, as a
#: gate asks of a limit; the difference of two models; the verdict on it, or on the groups of an
#: axis; control pairs; or one of the exact methods by itself.
Question = Literal[
    "estimate", "limit", "paired", "verdict", "largest change", "largest gap", "controls",
    "clopper-pearson", "mcnemar", "sign-flip", "dealt genders",
]  # fmt: skip

Draw = Callable[[Generator], Sample | GroupSample]


@dataclass(frozen=True, slots=True)
class Cell:
    """One row of the table: a design with its truth, and what is asked of its samples.

    ``regular`` says whether the bars of approximate methods apply; ``power`` is the promised share
    of rejections where the truth is not the null value; ``alpha`` is the level of the test;
    ``margin`` that of the verdict; ``metric`` the number asked for of control pairs; ``exchanges``
    says that the test exchanges the models cluster by cluster, which is exact, though the interval
    beside it is approximate; ``with_reach`` that an estimate is told how far a value can move.
    """

    name: str
    asks: Question
    truth: float
    draw: Draw
    is_rate: bool = True
    regular: bool = True
    power: float | None = None
    alpha: float = 0.05
    margin: float = MARGIN
    metric: str | None = None
    exchanges: bool = False
    with_reach: bool = False


def cells() -> list[Cell]:
    """Every cell, in the order in which it is printed."""
    return [
        *exact_cells(),
        *one_rate_cells(),
        *one_clustered_cells(),
        *paired_rate_cells(),
        *sparse_cells(),
        *paired_clustered_cells(),
        *power_cells(),
        *verdict_cells(),
        *seed_cells(),
        *heavy_tailed_cells(),
        *group_difference_cells(),
        *few_moved_cells(),
        *few_toxic_cells(),
        *limit_cells(),
        *control_cells(),
        *choice_cells(),
        *answered_term_cells(),
        *revision_cells(),
        *descriptor_cells(),
        *profession_cells(),
        *fill_cells(),
        *groups_cells(),
    ]


def exact_cells() -> Iterator[Cell]:
    """Methods that promise never to fall short."""
    for n, p in itertools.product((20, 100, 500), (0.5, 0.1, 0.01)):
        draw = functools.partial(rate, n=n, p=p)
        yield Cell(f"Clopper-Pearson n={n} p={p}", "clopper-pearson", p, draw)
    for n, ties in itertools.product((20, 100, 500), (0.0, 0.2)):
        draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=0.0, ties=ties)
        yield Cell(f"McNemar exact n={n} ties={ties}", "mcnemar", 0.0, draw)
    for groups in (12, 25, 64):
        draw = functools.partial(
            paired_clusters, n_clusters=groups, discordance=0.2, difference=0.0, spread=0.5
        )
        yield Cell(f"sign-flip G={groups}", "sign-flip", 0.0, draw)


def one_rate_cells() -> Iterator[Cell]:
    """One model, independent items: coverage of the truth and size of the test of it."""
    for n, p in itertools.product((20, 100, 500, 5000), (0.5, 0.2, 0.05, 0.01)):
        draw = functools.partial(rate, n=n, p=p)
        yield Cell(f"rate n={n} p={p}", "estimate", p, draw, regular=n * p * (1 - p) >= 10)
    for n in (100, 500):
        draw = functools.partial(rate, n=n, p=0.5, ties=0.2)
        # A tie varies less than win and loss, so that a binomial interval is too wide by design.
        yield Cell(f"rate n={n} p=0.5 ties=0.2", "estimate", 0.5, draw, regular=False)


def one_clustered_cells() -> Iterator[Cell]:
    """One model, clusters of unequal size."""
    for groups, p in itertools.product((12, 25, 40, 64, 200), (0.5, 0.1, 0.02)):
        draw = functools.partial(clustered_rate, n_clusters=groups, p=p)
        regular = groups >= 40 and 9 * groups * p * (1 - p) >= 10
        yield Cell(f"clustered rate G={groups} p={p}", "estimate", p, draw, regular=regular)
    for groups, sigma in ((25, 0.5), (64, 0.5), (200, 0.5), (200, 1.0)):
        draw = functools.partial(clustered_mean, n_clusters=groups, sigma=sigma)
        name = f"clustered skewed mean G={groups} sigma={sigma}"
        yield Cell(name, "estimate", 0.0, draw, is_rate=False, regular=groups >= 40)
    for side in (25, 64):
        draw = functools.partial(crossed_rate, side=side)
        yield Cell(f"two-way rate {side}x{side}", "estimate", 0.5, draw, regular=side >= 40)


def paired_rate_cells() -> Iterator[Cell]:
    """Two models, independent pairs: from no change to all discordant pairs on one side."""
    for n, discordance in itertools.product((20, 100, 500, 5000), (0.02, 0.1, 0.3)):
        for difference in (0.0, discordance / 2, discordance):
            draw = functools.partial(
                paired_rate, n=n, discordance=discordance, difference=difference
            )
            name = f"pairs n={n} discordant={discordance} difference={difference}"
            regular = n * discordance * (1 - discordance) >= 10
            yield Cell(name, "paired", difference, draw, regular=regular)
    for n, ties in itertools.product((20, 100, 500), (0.2, 0.5)):
        draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=0.0, ties=ties)
        yield Cell(f"pairs n={n} ties={ties}", "paired", 0.0, draw, regular=n > 20)
    for n in (20, 100, 500):
        draw = functools.partial(neutral_pairs, n=n, clustered=False)
        yield Cell(f"neutral pairs n={n}", "paired", 0.0, draw, regular=n >= 40)
    for n in (25, 200):
        draw = functools.partial(paired_mean, n_clusters=n, clustered=False)
        yield Cell(f"log-odds n={n}", "paired", 0.0, draw, is_rate=False, regular=n >= 40)


def sparse_cells() -> Iterator[Cell]:
    """Two models that agree on most items, in a quantity that is no rate."""
    for n, share in itertools.product((30, 80, 200), (0.06, 0.2)):
        draw = functools.partial(sparse_values, n=n, share=share)
        name = f"sparse values n={n} share={share}"
        yield Cell(name, "paired", 0.3 * share, draw, is_rate=False, regular=False)


def paired_clustered_cells() -> Iterator[Cell]:
    """Two models, clusters of unequal size that move together."""
    for groups, (discordance, difference) in itertools.product(
        (12, 25, 40, 64, 200), ((0.3, 0.0), (0.3, 0.1), (0.04, 0.0), (0.02, 0.02))
    ):
        draw = functools.partial(
            paired_clusters,
            n_clusters=groups,
            discordance=discordance,
            difference=difference,
            spread=0.5,
        )
        name = f"clusters G={groups} discordant={discordance} difference={difference}"
        regular = groups >= 40 and 9 * groups * discordance * (1 - discordance) >= 10
        yield Cell(name, "paired", difference, draw, regular=regular, exchanges=True)
    for groups, ties in itertools.product((12, 25, 64), (0.05, 0.5)):
        draw = functools.partial(
            paired_clusters,
            n_clusters=groups,
            discordance=0.02,
            difference=0.0,
            spread=0.5,
            ties=ties,
        )
        name = f"clusters G={groups} discordant=0.02 ties={ties}"
        yield Cell(name, "paired", 0.0, draw, regular=groups >= 40, exchanges=True)
    for groups, difference in itertools.product((25, 64, 200), (0.0, 0.02)):
        draw = functools.partial(
            paired_clusters,
            n_clusters=groups,
            discordance=0.02,
            difference=difference,
            spread=2.0,
        )
        # Most of what changes sits in a few clusters: the worst that clustering can do.
        name = f"concentrated clusters G={groups} difference={difference}"
        yield Cell(name, "paired", difference, draw, regular=False, exchanges=True)
    for groups in (25, 64):
        draw = functools.partial(neutral_pairs, n=groups, clustered=True)
        name = f"neutral clusters G={groups}"
        yield Cell(name, "paired", 0.0, draw, regular=groups >= 40, exchanges=True)
        draw = functools.partial(paired_mean, n_clusters=groups, clustered=True)
        name = f"clustered log-odds G={groups}"
        yield Cell(name, "paired", 0.0, draw, is_rate=False, regular=groups >= 40, exchanges=True)
    for side in (25, 64):
        draw = functools.partial(paired_templates, side=side, discordance=0.3)
        yield Cell(f"two-way pairs {side}x{side}", "paired", 0.0, draw, regular=side >= 40)


def power_cells() -> Iterator[Cell]:
    """As many pairs as find 0.05 at 90 % power, (z + z₀.₉)² · 0.2/0.05²: two- and one-sided."""
    for n, alpha in ((841, 0.05), (686, 0.1)):
        draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=0.05)
        yield Cell(f"power n={n} alpha={alpha}", "paired", 0.05, draw, power=0.9, alpha=alpha)


def verdict_cells() -> Iterator[Cell]:
    """`decide`, from no change to twice the margin."""
    for difference in (0.0, MARGIN / 2, MARGIN, -MARGIN, 2 * MARGIN):
        for n in (20, 200, 2000):
            draw = functools.partial(paired_rate, n=n, discordance=0.2, difference=difference)
            yield Cell(f"verdict n={n} true={difference:+}", "verdict", difference, draw)
        for groups in (12, 25, 64, 200):
            draw = functools.partial(
                paired_clusters,
                n_clusters=groups,
                discordance=0.2,
                difference=difference,
                spread=0.5,
            )
            yield Cell(f"verdict G={groups} true={difference:+}", "verdict", difference, draw)


def seed_cells() -> Iterator[Cell]:
    """Two seeds of one recipe must not look like a change for the worse."""
    for shift in (0.0, 0.03):
        draw = functools.partial(two_seeds, n=200, shift=shift)
        yield Cell(f"two seeds n=200 shift={shift}", "verdict", 0.0, draw)


def heavy_tailed_cells() -> Iterator[Cell]:
    """Quantities that are no rate: equal-tailed bootstrap-t alone would be too narrow."""
    for n, paired, clustered in itertools.product((25, 60, 200), (False, True), (False, True)):
        draw = functools.partial(heavy_tailed, n=n, paired=paired, clustered=clustered)
        name = f"heavy-tailed {'difference' if paired else 'mean'} {'G' if clustered else 'n'}={n}"
        asks: Question = "paired" if paired else "estimate"
        yield Cell(name, asks, 0.0, draw, is_rate=False, regular=n >= 40)


def group_difference_cells() -> Iterator[Cell]:
    """Two groups of equal and unequal size; with a very small one no bar applies."""
    for sizes in ((20, 20), (30, 30), (100, 100), (60, 240), (12, 48), (10, 90)):
        draw = functools.partial(group_difference, sizes=sizes)
        name = f"difference of groups of {sizes[0]} and {sizes[1]}"
        regular = min(sizes) >= 20
        yield Cell(name, "estimate", 0.0, draw, is_rate=False, regular=regular)


def few_moved_cells() -> Iterator[Cell]:
    """Few units move, all to one side, by as much as makes the margin: never equivalent."""
    for n, move, noise in (
        *itertools.product((12, 16, 20), (0.1, 0.25), (0.0, 0.02)),
        *itertools.product((40, 120), (0.25, 1.0), (0.0, 0.05)),
    ):
        draw = functools.partial(few_moved, n=n, move=move, share=MARGIN / move, noise=noise)
        yield Cell(
            f"few moved n={n} by {move} noise={noise}", "verdict", MARGIN, draw, is_rate=False
        )
    for side in (25, 64):
        draw = functools.partial(few_moved, n=side, move=0.25, share=0.2, noise=0.05, crossed=True)
        yield Cell(f"few moved {side}x{side}", "verdict", MARGIN, draw, is_rate=False)
    for n, share in itertools.product((12, 20, 40, 120), (0.0, 0.1)):
        draw = functools.partial(target_terms, n=n, share=share)
        yield Cell(
            f"target terms n={n} true={share / 2}", "verdict", share / 2, draw, is_rate=False
        )


def few_toxic_cells() -> Iterator[Cell]:
    """Few prompts become wholly toxic; beside them what is found where nothing changes."""
    whole = TOXICITY_MARGIN / (1 - HARMLESS)
    designs: list[tuple[str, Callable[..., Sample], tuple[float, ...]]] = [
        (f"n={n}", functools.partial(toxic_prompts, n=n), (whole, 0.0)) for n in (100, 200, 400)
    ]
    for sizes, shares in (((200, 200), (whole, 0.0)), ((100, 300), (whole,))):
        name = f"groups of {sizes[0]} and {sizes[1]}"
        designs.append((name, functools.partial(toxic_group, sizes=sizes), shares))
    for name, design, shares in designs:
        for share in shares:
            truth = share * (1 - HARMLESS)
            yield Cell(
                f"toxic prompts {name} true={truth:g}",
                "verdict",
                truth,
                functools.partial(design, share=share),
                is_rate=False,
                margin=TOXICITY_MARGIN,
            )


def limit_cells() -> Iterator[Cell]:
    """One model's mean of which few prompts decide, at the limit that a gate holds it to."""
    for n, share in itertools.product((60, 150, 400), (0.005, 0.02, 0.1)):
        truth = share + (1 - share) * HARMLESS
        draw = functools.partial(mostly_zero, n=n, share=share)
        name = f"limit n={n} wholly toxic={share}"
        yield Cell(name, "limit", truth, draw, is_rate=False, regular=False)


def control_cells() -> Iterator[Cell]:
    """Control pairs whose occupations and templates both matter, one more than the other."""
    for side, mean, (jobs, frames) in (
        (64, 0.1, (0.5, 0.5)),
        (64, 0.3, (0.6, 0.1)),
        (24, 0.1, (0.5, 0.2)),
    ):
        size = math.sqrt(jobs**2 + frames**2 + 0.3**2)
        excess = math.sqrt(size**2 + mean**2) - size
        numbers = {
            CONTROL_RMS_LOG_ODDS: size,
            IDENTITY_TO_CONTROL_RATIO: mean / size,
            EXCESS_RMS_LOG_ODDS: excess,
        }
        draw = functools.partial(control_pairs, side=side, mean=mean, deviations=(jobs, frames))
        for metric, truth in numbers.items():
            name = f"two-way controls {side}x{side} {jobs}/{frames} {metric.name}"
            yield Cell(
                name, "controls", truth, draw, is_rate=False, regular=side >= 40, metric=metric.name
            )


def choice_cells() -> Iterator[Cell]:
    """Scores of BBQ: ratios, and a gap, over templates of the sizes that it has."""
    for layout, sizes in SIZES.items():
        regular = len(sizes) >= 40
        designs: list[tuple[str, float, Draw]] = [
            (
                f"accuracy gap {gap:+}",
                gap,
                functools.partial(accuracy_gap, sizes=sizes, accuracy=0.7, gap=gap),
            )
            for gap in (0.0, 0.2)
        ]
        for named, score in ((0.6, 0.0), (0.6, 0.4), (0.2, -0.4)):
            for ambiguous in (False, True):
                truth = score * (named if ambiguous else 1)
                draw = functools.partial(
                    bias_scores, sizes=sizes, named=named, score=score, ambiguous=ambiguous
                )
                what = "ambiguous" if ambiguous else "disambiguated"
                designs.append((f"{what} named={named} true={truth:+g}", truth, draw))
        for name, truth, draw in designs:
            full = f"choices {layout} G={len(sizes)} {name}"
            options = {"is_rate": False, "regular": regular}
            yield Cell(full, "estimate", truth, draw, with_reach=True, **options)
            yield Cell(f"{full}, two models", "paired", 0.0, draw, exchanges=True, **options)
    for layout, (helped, misled) in itertools.product(
        ("winobias", "winogender"), ((0.1, 0.1), (0.15, 0.05))
    ):
        draw = functools.partial(pronoun_gap, layout=layout, helped=helped, misled=misled)
        truth, crossed = round(helped - misled, 2), layout == "winobias"
        name = f"pronouns {layout} gap true={truth:+}"
        options = {"is_rate": False, "regular": not crossed}
        yield Cell(name, "estimate", truth, draw, with_reach=True, **options)
        yield Cell(f"{name}, two models", "paired", 0.0, draw, exchanges=not crossed, **options)


def answered_term_cells() -> Iterator[Cell]:
    """StereoSet answered in words: axes of 10, 36 and all 79 target terms, many answers lost."""
    for n, (stereotyped, lost) in itertools.product((10, 36, 79), ((0.5, 0.3), (0.7, 0.8))):
        draw = functools.partial(answered_terms, n=n, stereotyped=stereotyped, lost=lost)
        name = f"answered terms n={n} true={stereotyped} lost={lost}"
        options = {"is_rate": False, "regular": n >= 40}
        yield Cell(name, "estimate", stereotyped, draw, **options)
        yield Cell(f"{name}, two models", "paired", 0.0, draw, **options)


def revision_cells() -> Iterator[Cell]:
    """CrowS-Pairs and a revision of it, by one model: most pairs are the same in both.

    Sizes of an axis, a large axis and the whole; the share that was reworded is that of the files.
    """
    for n, (towards, away) in itertools.product(
        (58, 261, 1467), ((0.1, 0.1), (0.2, 0.05), (0.0, 0.0))
    ):
        draw = functools.partial(revised_pairs, n=n, reworded=0.1, towards=towards, away=away)
        share = round(0.1 * n) / n
        discordance = share * (towards + away)
        name = f"revised pairs n={n} towards={towards} away={away}"
        regular = n * discordance * (1 - discordance) >= 10
        yield Cell(name, "paired", share * (towards - away), draw, regular=regular)
    draw = functools.partial(revised_pairs, n=1467, reworded=0.1, towards=0.2, away=0.2, ties=0.3)
    yield Cell("revised pairs n=1467 ties=0.3", "paired", 0.0, draw)


def descriptor_cells() -> Iterator[Cell]:
    """HolisticBias: 21 templates with hands of three descriptors. RedditBias: its attributes."""
    for (words, nouns), truth in EXCESS.items():
        name = f"likelihood bias words={words} nouns={nouns} true={truth:+g}"
        options = {"is_rate": False, "regular": False}
        draw = functools.partial(likelihood_bias, words=words, nouns=nouns)
        yield Cell(name, "estimate", truth, draw, with_reach=True, **options)
        draw = functools.partial(two_likelihood_biases, words=words, nouns=nouns)
        yield Cell(f"{name}, two models", "paired", 0.0, draw, exchanges=True, **options)
    for axis, sizes in ATTRIBUTES.items():
        draw = functools.partial(counterfactual_gap, axis=axis)
        name = f"counterfactual gap {axis} G={len(sizes)}"
        yield Cell(name, "estimate", 0.0, draw, is_rate=False, regular=False)
        options = {"is_rate": False, "regular": False, "exchanges": True}
        yield Cell(f"{name}, two models", "paired", 0.0, draw, **options)


def profession_cells() -> Iterator[Cell]:
    """Numbers of BEC-Pro: the headline over both kinds of professions, and one kind."""
    for truth, tail in itertools.product((0.0, 0.2), (False, True)):
        name = f"professions headline G=40{' heavy tails' if tail else ''} true={truth:g}"
        draw: Draw = functools.partial(professions, n=20, truth=truth, tail=tail)
        yield Cell(name, "estimate", truth, draw, is_rate=False)
        yield Cell(f"{name}, two models", "paired", 0.0, draw, is_rate=False, exchanges=True)
    draw = functools.partial(one_kind, n=20, truth=0.3)
    name = "professions of one kind G=20 true=0.3"
    yield Cell(name, "estimate", 0.3, draw, is_rate=False, regular=False)
    yield Cell(
        f"{name}, two models", "paired", 0.0, draw, is_rate=False, regular=False, exchanges=True
    )


def fill_cells() -> Iterator[Cell]:
    """Numbers of DisCo: gendered words per template, and the test against chance."""
    for lean, truth in EXPECTED.items():
        draw = functools.partial(gendered_fills, lean=lean)
        name, options = f"fills T=24 lean={lean:g}", {"is_rate": False, "regular": False}
        yield Cell(name, "estimate", truth, draw, **options)
        yield Cell(f"{name}, two models", "paired", 0.0, draw, exchanges=True, **options)
    yield Cell("fills of names that are alike", "dealt genders", 0.0, dealt_genders, is_rate=False)


def groups_cells() -> Iterator[Cell]:
    """Verdicts on axes with more than two groups."""
    for name, asks, design in designs(MARGIN):
        yield Cell(name, asks, design.truth(asks), drawer(design), is_rate=False)
