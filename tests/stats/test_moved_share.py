"""The law of the moved share: by hand, by brute force, and on maps whose share was planted."""

from __future__ import annotations

import numpy as np
import pytest

from fairaudit.stats.moved_share import (
    Moves,
    fit_share,
    held_out_fit,
    over_seeds,
    share_moved,
    split,
    split_early,
)

LEANS = (-1.0, -0.5, 0.0, 0.5, 1.0)


def planted(
    share: float, rng: np.random.Generator, *, noise: float = 0.05, n_seeds: int = 3
) -> Moves:
    """Ten cells, two of each lean; both arms have noise of their own in every seed."""
    leans = LEANS * 2
    way = -0.8 * np.array(leans)[:, None]
    plain = way + noise * rng.standard_normal((10, n_seeds))
    arm = share * way + noise * rng.standard_normal((10, n_seeds))
    return Moves(arm, plain, leans)


def test_the_share_by_hand():
    # (1 · 2 + 2 · 1) / (2² + 1²)
    assert share_moved(np.array([1.0, 2.0]), np.array([2.0, 1.0])) == pytest.approx(0.8)
    assert share_moved(np.array([1.0, 2.0]), np.zeros(2)) == 0.0


def test_what_is_explained_by_hand():
    """Two leans: each is split with the share of the other one."""
    moves = Moves(np.array([[1.0], [-3.0]]), np.array([[2.0], [-4.0]]), (-1.0, 1.0))
    first, second = split(moves)
    # The share of the second lean is 3/4, so the first explains (1 − 3/4) · (0 − 2).
    assert first.change.value == pytest.approx(-1.0)
    assert first.explained.value == pytest.approx(-0.5)
    assert first.unexplained.value == pytest.approx(-0.5)
    # That of the first is 1/2: (1 − 1/2) · (0 + 4).
    assert second.explained.value == pytest.approx(2.0)
    assert second.unexplained.value == pytest.approx(-1.0)


def test_the_jackknife_of_a_mean_has_the_seeds_as_pseudo_values():
    values = np.array([[0.1, 0.4, 0.9]])
    (found,) = over_seeds(lambda seeds: values[:, seeds].mean(axis=1), 3)
    assert found.value == pytest.approx(values.mean())
    assert found.se == pytest.approx(values.std(ddof=1) / np.sqrt(3))


@pytest.mark.parametrize("n_seeds", [0, 1, 2])
def test_few_seeds_have_no_interval(n_seeds):
    (found,) = over_seeds(lambda seeds: np.array([len(seeds)], dtype=float), n_seeds)
    assert found.low is None
    assert found.n_seeds == n_seeds
    assert found.reason


def test_without_noise_the_law_is_found_and_explains_all():
    moves = planted(0.3, np.random.default_rng(0), noise=0.0)
    assert fit_share(moves).value == pytest.approx(0.3)
    assert held_out_fit([moves]).value == pytest.approx(1.0)
    for part in split(moves):
        assert part.unexplained.value == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("share", [0.2, 0.6, 1.0])
def test_the_interval_covers_a_planted_share(share):
    """300 maps: of Student's intervals over seeds at 95 % at least 91 % hold the share."""
    rng = np.random.default_rng(7)
    held = values = 0.0
    for _ in range(300):
        found = fit_share(planted(share, rng))
        assert found.value is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= share <= found.high
        values += found.value
    assert held / 300 >= 0.91
    # Noise in plain shrinks a slope; the jackknife takes that back.
    assert values / 300 == pytest.approx(share, abs=0.01)


def test_explained_and_unexplained_add_up_to_the_change():
    moves = planted(0.4, np.random.default_rng(3), noise=0.3)
    for part in split(moves, mean_over=[[0, 5], [1, 2, 3], list(range(10))]):
        assert part.explained.value + part.unexplained.value == pytest.approx(part.change.value)


def test_what_is_added_beyond_the_law_is_found():
    rng = np.random.default_rng(5)
    whole = planted(0.5, rng, noise=0.02)
    own = Moves(whole.arm + 0.3, whole.plain, whole.leans)
    (found,) = split(whole, own, [range(10)])
    assert found.unexplained.value == pytest.approx(0.3, abs=0.05)
    assert found.unexplained.low > 0.2


def test_the_fit_by_brute_force():
    moves = planted(0.5, np.random.default_rng(11), noise=0.2)
    errors, spread = [], []
    for cell, lean in enumerate(moves.leans):
        rest = [c for c in range(10) if moves.leans[c] != lean]
        k = share_moved(moves.arm[rest].mean(axis=1), moves.plain[rest].mean(axis=1))
        middle = np.mean([moves.arm[c] - moves.plain[c] for c in rest])
        for seed in range(3):
            others = [s for s in range(3) if s != seed]
            expected = (1 - k) * -moves.plain[cell, others].mean()
            change = moves.arm[cell, seed] - moves.plain[cell, seed]
            errors.append((change - expected) ** 2)
            spread.append((change - middle) ** 2)
    found = held_out_fit([moves])
    assert found.value == pytest.approx(1 - sum(errors) / sum(spread))
    assert found.low < found.value < found.high <= 1


def test_pure_noise_is_not_explained():
    """Noise of the plain arm stands in both sides of the law; it must not explain itself."""
    rng = np.random.default_rng(13)
    found = [
        held_out_fit([Moves(rng.normal(size=(10, 3)), rng.normal(size=(10, 3)), LEANS * 2)]).value
        for _ in range(100)
    ]
    assert np.mean([value <= 0 for value in found]) > 0.85
    assert np.mean(found) < -0.1


def test_arms_together_lie_between_them():
    rng = np.random.default_rng(17)
    good, bad = planted(0.3, rng, noise=0.02), planted(0.3, rng, noise=0.5)
    apart = [held_out_fit([one]).value for one in (good, bad)]
    assert min(apart) < held_out_fit([good, bad]).value < max(apart)


@pytest.mark.parametrize(
    ("moves", "reason"),
    [
        (Moves(np.ones((2, 1)), np.ones((2, 1)), (0.0, 1.0)), "from the others"),
        (Moves(np.ones((2, 3)), np.zeros((2, 3)), (1.0, 1.0)), "one lean"),
        (Moves(np.ones((2, 3)), np.ones((2, 3)), (0.0, 1.0)), "nothing to explain"),
    ],
)
def test_why_there_is_no_fit(moves, reason):
    found = held_out_fit([moves])
    assert found.value is None
    assert reason in found.reason


def test_moves_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="one row per cell"):
        Moves(np.ones((2, 3)), np.ones((2, 3)), (1.0,))
    with pytest.raises(ValueError, match="finite"):
        Moves(np.array([[np.nan]]), np.ones((1, 1)), (1.0,))


def test_stopping_early_by_hand():
    """Halfway along, plain runs have gone a quarter where k is fitted, half in the split cells."""
    leans = (-1.0, 1.0)
    fitted = Moves(np.array([[2.0], [-2.0]]), np.array([[4.0], [-4.0]]), leans)
    split_of = Moves(np.array([[7.0], [7.0]]), np.array([[8.0], [8.0]]), leans)
    (found,) = split_early(
        fitted, [np.array([[1.0], [-1.0]])], split_of, [np.array([[4.0], [4.0]])], [[0, 1]]
    )
    # k is 1/2: a third of the way from 1/4 to the end, where it is 4 + (8 − 4)/3.
    assert found.change.value == pytest.approx(-1.0)
    assert found.explained.value == pytest.approx(4 + 4 / 3 - 8)
    assert found.unexplained.value == pytest.approx(7 - 4 - 4 / 3)


def test_on_a_straight_way_stopping_early_is_the_law():
    moves = planted(0.4, np.random.default_rng(19), noise=0.1)
    way = [share * moves.plain for share in (0.1, 0.3, 0.7)]
    early = split_early(moves, way, moves, way, [range(10)])
    law = split(moves, mean_over=[range(10)])
    assert early[0].explained.value == pytest.approx(law[0].explained.value)
    assert early[0].unexplained.low == pytest.approx(law[0].unexplained.low)
