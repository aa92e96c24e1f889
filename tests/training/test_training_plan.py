"""Numbers of a fine-tuning, and the course of its learning rate, by hand."""

from __future__ import annotations

import pytest

from fairaudit.cli.finetune import Losses
from fairaudit.training.accounting import epsilon
from fairaudit.training.finetuning_plan import make_plan
from fairaudit.training.loop import StepReport
from fairaudit.training.optimizers import learning_rate
from fairaudit.training.recipe import Recipe
from fairaudit.training.steps import DrawStatistics


def test_defaults_follow_from_the_number_of_records():
    plan = make_plan(Recipe(noise_multiplier=1.0), 10_000)
    assert (plan.batch_size, plan.steps, plan.clip_norm) == (256, 118, 1.0)
    assert plan.sample_rate == 256 / 10_000
    assert plan.delta == pytest.approx(10_000**-1.1)
    assert make_plan(Recipe(), 10).batch_size == 3
    assert make_plan(Recipe(epochs=0.5, batch_size=10), 100).steps == 5


def test_sigma_is_solved_for_the_record_in_either_mode_of_twins():
    common = {"epsilon": 4.0, "steps": 30, "batch_size": 50, "cda": ("gender",)}
    averaged = make_plan(Recipe(**common), 1000)
    separate = make_plan(Recipe(**common, cda_mode="separate"), 1000)
    assert averaged.epsilon() == pytest.approx(4, abs=0.02)
    assert separate.epsilon() == pytest.approx(4, abs=0.02)
    assert averaged.epsilon() == epsilon(averaged.noise_multiplier, 0.05, 30, averaged.delta)
    assert separate.noise_multiplier > 1.3 * averaged.noise_multiplier
    assert averaged.row_epsilon() is None
    assert separate.row_epsilon() == epsilon(separate.noise_multiplier, 0.05, 30, separate.delta)
    assert (averaged.expected_examples, separate.expected_examples) == (50, 100)
    assert averaged.epsilon(3) < averaged.epsilon()


@pytest.mark.parametrize(
    ("options", "arm", "clip", "noise"),
    [
        ({}, "plain", None, 0.0),
        ({"cda": ("gender",)}, "cda", None, 0.0),
        ({"noise_multiplier": 2.0}, "dp", 1.0, 2.0),
        ({"ablation": "clip_only", "cda": ("gender",)}, "clip_only_cda", 1.0, 0.0),
        ({"ablation": "noise_only", "noise_multiplier": 2.0}, "noise_only", 1.0, 2.0),
    ],
)
def test_arms_by_what_is_asked_for(options, arm, clip, noise):
    recipe = Recipe(**options)
    plan = make_plan(recipe, 100)
    assert (recipe.arm, plan.clip_norm, plan.noise_multiplier) == (arm, clip, noise)


def test_the_ablations_have_the_noise_and_norm_of_the_arm_they_halve():
    common = {"epsilon": 3.0, "steps": 20, "max_grad_norm": 0.5}
    whole = make_plan(Recipe(**common), 500)
    noise = make_plan(Recipe(**common, ablation="noise_only"), 500)
    assert (noise.noise_multiplier, noise.clip_norm) == (whole.noise_multiplier, 0.5)


def test_the_learning_rate_rises_then_falls_to_0_after_the_last_step():
    recipe = Recipe(learning_rate=1.0, warmup=0.2)
    rates = [learning_rate(recipe, step, 10) for step in range(10)]
    assert rates == pytest.approx([0.5, 1, 1, 7 / 8, 6 / 8, 5 / 8, 4 / 8, 3 / 8, 2 / 8, 1 / 8])
    flat = Recipe(learning_rate=1.0, warmup=0.2, schedule="constant")
    assert [learning_rate(flat, step, 10) for step in (0, 1, 2, 9)] == [0.5, 1, 1, 1]
    assert learning_rate(Recipe(learning_rate=1.0, warmup=0.0), 0, 1) == 1


def test_progress_shows_loss_clip_rate_and_epsilon_so_far():
    seen = DrawStatistics(5, loss=2.34567, clip_rate=0.8, mean_norm=3.0)
    shown = Losses(shown=True, note="")
    assert shown.words(StepReport(1, 9, seen, lambda step: 0.5)) == (
        "training · loss 2.346, clip rate 0.80, epsilon 0.50"
    )
    assert shown.words(StepReport(1, 9, DrawStatistics(5, loss=2.0), lambda step: None)) == (
        "training · loss 2.000"
    )
    nothing = StepReport(1, 9, DrawStatistics(0), lambda step: None)
    assert shown.words(nothing) == "training · step 1"
    hidden = Losses(shown=False, note="")
    assert hidden.words(StepReport(1, 9, seen, lambda step: 0.5)) == "training · epsilon 0.50"
