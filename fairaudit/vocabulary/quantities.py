"""Every quantity of a diagnosis once: its name in results, its label, unit, and what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from fairaudit.vocabulary.units import Unit


@dataclass(frozen=True, slots=True)
class Meaning:
    """A quantity in words: its label, how it is written, and what it tells."""

    label: str
    unit: Unit
    tells: str


#: All of them, by the name in results.
QUANTITIES: Final = {
    "loss": Meaning("Loss", Unit.SIZE, "Mean loss of the group's texts, nats per token."),
    "mean_norm": Meaning(
        "Mean of norms",
        Unit.SIZE,
        "Mean length of single records' gradients: who is hit by clipping.",
    ),
    "norm_of_mean": Meaning(
        "Norm of mean",
        Unit.SIZE,
        "Length of the group's mean gradient, unbiased: how far the group is from its own optimum. "
        "Groups of different size compare.",
    ),
    "naive_norm_of_mean": Meaning(
        "Norm of mean, naive",
        Unit.SIZE,
        "The same without the correction for noise between records: the smaller a group, the "
        "larger it comes out.",
    ),
    "norm_of_mean_clipped": Meaning(
        "Norm of mean, clipped", Unit.SIZE, "Length of the group's mean clipped gradient, unbiased."
    ),
    "clip_rate": Meaning(
        "Clip rate", Unit.PERCENT, "Share of records whose gradient is longer than C."
    ),
    "mean_clip_factor": Meaning(
        "Mean clip factor",
        Unit.PERCENT,
        "Mean of min(1, C/norm): what clipping leaves of a record's length. 100 % is all.",
    ),
    "attenuation": Meaning(
        "Attenuation",
        Unit.PERCENT,
        "Length of the group's mean gradient after clipping over that before: who loses magnitude.",
    ),
    "clipping_bias": Meaning(
        "Clipping bias",
        Unit.SIZE,
        "Distance between the group's mean gradient and its mean clipped gradient.",
    ),
    "clipping_bias_relative": Meaning(
        "Clipping bias, relative", Unit.PERCENT, "The same over the length of the mean gradient."
    ),
    "clipping_cosine": Meaning(
        "Cosine, clipped to plain",
        Unit.COSINE,
        "Direction of the group's mean clipped gradient against its plain one. 1: unchanged.",
    ),
    "batch_cosine": Meaning(
        "Cosine with the update",
        Unit.COSINE,
        "Direction of the group's gradient against that of the whole batch.",
    ),
    "clipped_batch_cosine": Meaning(
        "Cosine with the clipped update",
        Unit.COSINE,
        "Direction of the group's gradient against that of the clipped batch.",
    ),
    "misalignment": Meaning(
        "Turned by clipping",
        Unit.COSINE,
        "Cosine with the update minus cosine with the clipped one: above 0, clipping turns the "
        "update away from the group.",
    ),
    "turned_away": Meaning(
        "Turned away",
        Unit.SIGNED_SIZE,
        "The same in gradient length: what of the group's gradient the clipped direction leaves "
        "behind. Above 0 is away from the group.",
    ),
    "record_share": Meaning("Share of records", Unit.PERCENT, "The group's share of the batch."),
    "effective_weight": Meaning(
        "Effective weight",
        Unit.PERCENT,
        "The group's share of the clip factors: below its share of records, clipping gives it "
        "less weight.",
    ),
    "signal_to_noise": Meaning(
        "Signal to noise",
        Unit.SIZE,
        "What the clipped update does along the group's gradient over the deviation of the noise "
        "in that direction, in one step.",
    ),
    "curvature_trace": Meaning(
        "Curvature",
        Unit.SIZE,
        "Trace of the Hessian of the group's loss, from random directions: how sensitive the group "
        "is to noise.",
    ),
    "risk_clipping": Meaning(
        "Excess risk of clipping",
        Unit.SIGNED_SIZE,
        "How much worse one clipped step is for the group's loss than one plain step, in nats: "
        "exactly direction plus magnitude.",
    ),
    "risk_direction": Meaning(
        "… by direction", Unit.SIGNED_SIZE, "The part because clipping turns the update."
    ),
    "risk_magnitude": Meaning(
        "… by magnitude", Unit.SIGNED_SIZE, "The part because clipping shortens the update."
    ),
    "risk_noise": Meaning(
        "Excess risk of noise",
        Unit.SIGNED_SIZE,
        "What the noise of one step costs the group, in nats.",
    ),
    "swap_odd_share": Meaning(
        "Swap-odd share",
        Unit.SIZE,
        "What a text's gradient does not share with those of its counterfactual twins, over what "
        "it does: counterfactual augmentation cancels it.",
    ),
    "clip_factor_gap": Meaning(
        "Clip factor, text − twin",
        Unit.COSINE,
        "Clip factor of a text minus that of its twins: with twins clipped apart, this does not "
        "cancel.",
    ),
    "conflict": Meaning(
        "Agreement of gradients",
        Unit.COSINE,
        "Cosine of two groups' mean gradients: below 0, what helps one group hurts the other.",
    ),
    "conflict_clipped": Meaning(
        "Agreement of clipped gradients", Unit.COSINE, "The same after clipping."
    ),
    "batch_norm": Meaning("Length of the update", Unit.SIZE, "Norm of the batch's mean gradient."),
    "batch_norm_clipped": Meaning(
        "Length of the clipped update", Unit.SIZE, "Norm of the batch's mean clipped gradient."
    ),
    "norm_ratio": Meaning(
        "Ratio of the two", Unit.PERCENT, "Length of the clipped update over that of the plain one."
    ),
    "bias_score": Meaning(
        "Bias score",
        Unit.COSINE,
        "Signed mean log-odds on pairs of the embedded templates, in nats: above 0 leans towards "
        "the stereotype.",
    ),
    "bias_gradient_norm": Meaning(
        "Sensitivity of the bias score", Unit.SIZE, "Norm of the bias score's gradient."
    ),
    "bias_noise": Meaning(
        "Bias moved by noise",
        Unit.SIGNED_SIZE,
        "Standard deviation of what the noise of one step alone does to the bias score, in nats.",
    ),
    "convergence_disparity": Meaning(
        "Convergence disparity",
        Unit.COSINE,
        "Log-ratio of the two groups' norms of mean, minus that in the first model: above 0 the "
        "first group has been left behind.",
    ),
    "slope_difference": Meaning(
        "Difference of slopes",
        Unit.COSINE,
        "Change of log norm of mean over the series, fitted by a line, first group minus second.",
    ),
    "area_between_curves": Meaning(
        "Area between curves",
        Unit.COSINE,
        "Mean convergence disparity over the series.",
    ),
}
