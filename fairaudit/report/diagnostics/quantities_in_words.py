"""Quantities of a diagnosis in words: label, how the value is written, what it tells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from fairaudit.report.names import axis_name
from fairaudit.report.safe_text import clean
from fairaudit.report.words import MISSING
from fairaudit.results.diagnostics import DiagnosedModel, GroupDifference, Quantity
from fairaudit.results.types import Interval
from fairaudit.vocabulary.influences import Influence, influence_of

_MINUS: Final = "−"


class Form(Enum):
    """How a value is written."""

    SIZE = "size"
    SHARE = "share"
    COSINE = "cosine"
    SMALL = "small"


@dataclass(frozen=True, slots=True)
class Meaning:
    """A quantity in words."""

    label: str
    form: Form
    tells: str


QUANTITIES: Final = {
    "loss": Meaning("Loss", Form.SIZE, "Mean loss of the group's texts, nats per token."),
    "mean_norm": Meaning(
        "Mean of norms",
        Form.SIZE,
        "Mean length of single records' gradients: who is hit by clipping.",
    ),
    "norm_of_mean": Meaning(
        "Norm of mean",
        Form.SIZE,
        "Length of the group's mean gradient, unbiased: how far the group is from its own optimum. "
        "Groups of different size compare.",
    ),
    "naive_norm_of_mean": Meaning(
        "Norm of mean, naive",
        Form.SIZE,
        "The same without the correction for noise between records: the smaller a group, the "
        "larger it comes out.",
    ),
    "norm_of_mean_clipped": Meaning(
        "Norm of mean, clipped", Form.SIZE, "Length of the group's mean clipped gradient, unbiased."
    ),
    "clip_rate": Meaning(
        "Clip rate", Form.SHARE, "Share of records whose gradient is longer than C."
    ),
    "mean_clip_factor": Meaning(
        "Mean clip factor",
        Form.SHARE,
        "Mean of min(1, C/norm): what clipping leaves of a record's length. 100 % is all.",
    ),
    "attenuation": Meaning(
        "Attenuation",
        Form.SHARE,
        "Length of the group's mean gradient after clipping over that before: who loses magnitude.",
    ),
    "clipping_bias": Meaning(
        "Clipping bias",
        Form.SIZE,
        "Distance between the group's mean gradient and its mean clipped gradient.",
    ),
    "clipping_bias_relative": Meaning(
        "Clipping bias, relative", Form.SHARE, "The same over the length of the mean gradient."
    ),
    "clipping_cosine": Meaning(
        "Cosine, clipped to plain",
        Form.COSINE,
        "Direction of the group's mean clipped gradient against its plain one. 1: unchanged.",
    ),
    "batch_cosine": Meaning(
        "Cosine with the update",
        Form.COSINE,
        "Direction of the group's gradient against that of the whole batch.",
    ),
    "clipped_batch_cosine": Meaning(
        "Cosine with the clipped update",
        Form.COSINE,
        "Direction of the group's gradient against that of the clipped batch.",
    ),
    "misalignment": Meaning(
        "Turned by clipping",
        Form.COSINE,
        "Cosine with the update minus cosine with the clipped one: above 0, clipping turns the "
        "update away from the group.",
    ),
    "turned_away": Meaning(
        "Turned away",
        Form.SMALL,
        "The same in gradient length: what of the group's gradient the clipped direction leaves "
        "behind. Above 0 is away from the group.",
    ),
    "record_share": Meaning("Share of records", Form.SHARE, "The group's share of the batch."),
    "effective_weight": Meaning(
        "Effective weight",
        Form.SHARE,
        "The group's share of the clip factors: below its share of records, clipping gives it "
        "less weight.",
    ),
    "signal_to_noise": Meaning(
        "Signal to noise",
        Form.SIZE,
        "What the clipped update does along the group's gradient over the deviation of the noise "
        "in that direction, in one step.",
    ),
    "curvature_trace": Meaning(
        "Curvature",
        Form.SIZE,
        "Trace of the Hessian of the group's loss, from random directions: how sensitive the group "
        "is to noise.",
    ),
    "risk_clipping": Meaning(
        "Excess risk of clipping",
        Form.SMALL,
        "How much worse one clipped step is for the group's loss than one plain step, in nats: "
        "exactly direction plus magnitude.",
    ),
    "risk_direction": Meaning(
        "… by direction", Form.SMALL, "The part because clipping turns the update."
    ),
    "risk_magnitude": Meaning(
        "… by magnitude", Form.SMALL, "The part because clipping shortens the update."
    ),
    "risk_noise": Meaning(
        "Excess risk of noise", Form.SMALL, "What the noise of one step costs the group, in nats."
    ),
    "swap_odd_share": Meaning(
        "Swap-odd share",
        Form.SIZE,
        "What a text's gradient does not share with those of its counterfactual twins, over what "
        "it does: counterfactual augmentation cancels it.",
    ),
    "clip_factor_gap": Meaning(
        "Clip factor, text − twin",
        Form.COSINE,
        "Clip factor of a text minus that of its twins: with twins clipped apart, this does not "
        "cancel.",
    ),
    "conflict": Meaning(
        "Agreement of gradients",
        Form.COSINE,
        "Cosine of two groups' mean gradients: below 0, what helps one group hurts the other.",
    ),
    "conflict_clipped": Meaning(
        "Agreement of clipped gradients", Form.COSINE, "The same after clipping."
    ),
    "batch_norm": Meaning("Length of the update", Form.SIZE, "Norm of the batch's mean gradient."),
    "batch_norm_clipped": Meaning(
        "Length of the clipped update", Form.SIZE, "Norm of the batch's mean clipped gradient."
    ),
    "norm_ratio": Meaning(
        "Ratio of the two", Form.SHARE, "Length of the clipped update over that of the plain one."
    ),
    "bias_score": Meaning(
        "Bias score",
        Form.COSINE,
        "Signed mean log-odds on pairs of the embedded templates, in nats: above 0 leans towards "
        "the stereotype.",
    ),
    "bias_gradient_norm": Meaning(
        "Sensitivity of the bias score", Form.SIZE, "Norm of the bias score's gradient."
    ),
    "bias_noise": Meaning(
        "Bias moved by noise",
        Form.SMALL,
        "Standard deviation of what the noise of one step alone does to the bias score, in nats.",
    ),
    "convergence_disparity": Meaning(
        "Convergence disparity",
        Form.COSINE,
        "Log-ratio of the two groups' norms of mean, minus that in the first model: above 0 the "
        "first group has been left behind.",
    ),
    "slope_difference": Meaning(
        "Difference of slopes",
        Form.COSINE,
        "Change of log norm of mean over the series, fitted by a line, first group minus second.",
    ),
    "area_between_curves": Meaning(
        "Area between curves",
        Form.COSINE,
        "Mean convergence disparity over the series.",
    ),
}


def meaning_of(name: str) -> Meaning:
    """Return a quantity in words; an unknown one as it is called."""
    influence = influence_of(name)
    if influence is not None:
        return _influence(influence)
    return QUANTITIES.get(name) or Meaning(clean(name.replace("_", " ")), Form.SMALL, "")


def _influence(influence: Influence) -> Meaning:
    axis = axis_name(influence.axis).lower()
    tail = ", clipped" if influence.clipped else ""
    return Meaning(
        f"Push on {axis} bias{tail}",
        Form.SMALL,
        f"What one step on the texts does to the {axis} bias score, to first order, in nats"
        f"{' after clipping' if influence.clipped else ''}. Above 0 is towards the stereotype.",
    )


def shown(value: float | None, form: Form) -> str:
    """Return a value in the digits of its form, or a dash."""
    if value is None:
        return MISSING
    if form is Form.SHARE:
        return f"{100 * value:.1f} %".replace("-", _MINUS)
    if form is Form.COSINE:
        return _signed(f"{value:.3f}")
    if form is Form.SMALL:
        return _signed(f"{value:+.3g}")
    return _signed(f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}")


def _signed(text: str) -> str:
    return text.replace("-", _MINUS)


def value_of(found: Quantity) -> str:
    """Return the value of a quantity, or a dash."""
    return shown(found.value, meaning_of(found.name).form)


def bounds_of(interval: Interval | None, form: Form) -> str:
    """Return the bounds of an interval, or an empty text."""
    if interval is None:
        return ""
    return f"[{shown(interval.low, form)}, {shown(interval.high, form)}]"


def difference_of(found: GroupDifference) -> str:
    """Return a difference with its interval: a log-ratio as how many times as large."""
    form = _difference_form(found)
    if found.difference is None:
        return MISSING
    text = shown(found.difference, form)
    return f"{text} {bounds_of(found.interval, form)}".rstrip()


def _difference_form(found: GroupDifference) -> Form:
    if found.scale == "log_ratio":
        return Form.COSINE
    form = meaning_of(found.name).form
    return Form.SMALL if form in (Form.SMALL, Form.COSINE) else form


def group_name(group: str) -> str:
    """Return the name of a group with blanks."""
    known = {"stereotype": "stereotyped", "anti_stereotype": "anti-stereotyped"}
    return clean(known.get(group, group.replace("_", " ")))


def other_name(axis: str, other: str) -> str:
    """Return the name of the second group, with its axis where it has one."""
    head, slash, tail = other.partition("/")
    if slash and head != axis and head in ("gender", "race", "religion"):
        return f"{axis_name(head)}: {group_name(tail)}"
    return group_name(other)


def model_name(model: DiagnosedModel) -> str:
    """Return the label of a model, or its step in a series."""
    return clean(model.label) if model.step is None else f"step {model.step:,}"
