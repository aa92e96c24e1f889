"""Every quantity against a loop over records with gradients from autograd."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from fairaudit.diagnostics.bias import bias_pairs, bias_rows, bias_score
from fairaudit.diagnostics.curvature import random_signs
from fairaudit.diagnostics.measure import Work, measure
from fairaudit.diagnostics.per_record import noise_deviation, per_record
from fairaudit.diagnostics.quantities import ModelNumbers, bias_summary, quantities
from fairaudit.diagnostics.swap import swap_parts
from fairaudit.gradients import GradientEngine
from fairaudit.results.diagnostics import ClippingParameters
from tests.diagnostics.brute import (
    as_direction,
    as_vector,
    brute,
    encoded,
    probe_labels,
    probe_records,
    quadratic,
    row_loss,
    tiny,
)

ETA, SIGMA, SIZE, PROBES, SEED = 0.05, 0.8, 40.0, 2, 5


def close(found, expected):
    return pytest.approx(expected, rel=1e-5, abs=1e-9 * max(1.0, abs(expected))) == found


class Case:
    """A tiny model measured by the library, and the same by brute force.

    In fp64, so that a difference is one of formulas and not of rounding.
    """

    def __init__(self, family: str, pairs: str = "exact") -> None:
        self.loaded = tiny(family)
        self.loaded.model.double()
        self.engine = GradientEngine(self.loaded.model, objective=self.loaded.kind)
        records = probe_records()
        self.labels = probe_labels()
        self.units = encoded(self.loaded, records)
        self.brute = brute(self.loaded, self.units)
        # Between two norms, so that rounding decides nothing.
        self.clip = float(np.sort(self.brute.norms)[5:7].mean())
        self.bias_rows = bias_rows(bias_pairs("gender", 4, SEED), self.loaded)
        self.bias = bias_score(self.engine, self.bias_rows, pad_id=0)
        work = Work(
            rows=self.units,
            labels=self.labels,
            record_ids=[record.id for record in records],
            clip_norm=self.clip,
            bias={"gender": self.bias},
            pairs=pairs,
            curvature_probes=PROBES,
            seed=SEED,
        )
        self.found = measure(self.loaded, self.engine, work)
        self.parameters = ClippingParameters(
            max_grad_norm=self.clip, noise_multiplier=SIGMA, batch_size=SIZE, learning_rate=ETA
        )
        values = per_record(self.found, self.parameters, None)
        self.numbers = ModelNumbers(
            "m", self.found, values, self.labels, self.parameters,
            {"gender": bias_summary(self.bias)},
        )  # fmt: skip
        self.printed = {q.key: q.value for q in quantities(self.numbers, 199, SEED)}

    def value(self, name: str, group: str | None = None, other: str | None = None, axis="axis"):
        return self.printed["m", axis, group, other, name]


@pytest.fixture(scope="module", params=["gpt2", "bert"])
def case(request):
    return Case(request.param)


def groups(case):
    names = [name for _, name in case.labels.group_names]
    return {name: np.flatnonzero(case.labels.groups == place) for place, name in enumerate(names)}


def test_losses_norms_and_means_of_norms(case):
    assert case.found.losses == pytest.approx(case.brute.losses, rel=1e-5)
    assert case.found.norms == pytest.approx(case.brute.norms, rel=1e-5)
    for name, inside in groups(case).items():
        assert close(case.value("mean_norm", name), case.brute.norms[inside].mean())
        assert close(case.value("loss", name), case.brute.losses[inside].mean())


def unbiased(case, g, first, second):
    """Mean of ⟨g_i, g_j⟩ over pairs of records of different templates, one by one."""
    templates = case.labels.templates
    products = [
        g[i] @ g[j] for i, j in itertools.product(first, second) if templates[i] != templates[j]
    ]
    return np.mean(products)


def test_norm_of_mean_leaves_out_pairs_of_one_template(case):
    g, clipped = case.brute.gradients, case.brute.clipped(case.clip)
    for name, inside in groups(case).items():
        for vectors, quantity in ((g, "norm_of_mean"), (clipped, "norm_of_mean_clipped")):
            squared = unbiased(case, vectors, inside, inside)
            found = case.value(quantity, name)
            assert (found is None) == (squared <= 0)
            if squared > 0:
                assert close(found, squared**0.5)
        assert close(case.value("naive_norm_of_mean", name), np.linalg.norm(g[inside].mean(axis=0)))


def test_formula_of_the_unbiased_norm_when_every_record_has_its_own_template(case):
    # ‖μ̂‖² = (‖Σ g‖² − Σ‖g‖²)/(n(n − 1)).
    from dataclasses import replace

    from fairaudit.diagnostics.grams import moments_of_gram

    n = len(case.units)
    alone = replace(case.labels, templates=np.arange(n))
    found = moments_of_gram(case.found.gram, case.found.factors, alone).unbiased()
    for place, inside in enumerate(groups(case).values()):
        g, k = case.brute.gradients[inside], len(inside)
        expected = (np.sum(g.sum(axis=0) ** 2) - np.sum(g**2)) / (k * (k - 1))
        assert close(found[place, place], expected)


def test_clip_rate_attenuation_and_clipping_bias(case):
    g, clipped = case.brute.gradients, case.brute.clipped(case.clip)
    factors = np.minimum(1, case.clip / case.brute.norms)
    assert 0 < (case.brute.norms > case.clip).mean() < 1
    for name, inside in groups(case).items():
        plain, kept = g[inside].mean(axis=0), clipped[inside].mean(axis=0)
        size = np.linalg.norm(plain)
        assert case.value("clip_rate", name) == (case.brute.norms[inside] > case.clip).mean()
        assert close(case.value("mean_clip_factor", name), factors[inside].mean())
        assert close(case.value("attenuation", name), np.linalg.norm(kept) / size)
        bias = np.linalg.norm(plain - kept)
        assert case.value("clipping_bias", name) == pytest.approx(bias, rel=1e-5)
        assert case.value("clipping_bias_relative", name) == pytest.approx(bias / size, rel=1e-5)
        cosine = plain @ kept / size / np.linalg.norm(kept)
        assert close(case.value("clipping_cosine", name), cosine)
        assert close(case.value("effective_weight", name), factors[inside].sum() / factors.sum())
        assert case.value("record_share", name) == len(inside) / len(g)


def test_cosines_with_the_batch(case):
    g, clipped = case.brute.gradients, case.brute.clipped(case.clip)
    batch, kept = g.mean(axis=0), clipped.mean(axis=0)
    assert close(case.value("batch_norm", axis="all"), np.linalg.norm(batch))
    assert close(case.value("batch_norm_clipped", axis="all"), np.linalg.norm(kept))
    for name, inside in groups(case).items():
        group = g[inside].mean(axis=0)
        before = group @ batch / np.linalg.norm(group) / np.linalg.norm(batch)
        after = group @ kept / np.linalg.norm(group) / np.linalg.norm(kept)
        assert close(case.value("batch_cosine", name), before)
        assert close(case.value("clipped_batch_cosine", name), after)
        assert case.value("misalignment", name) == pytest.approx(before - after, rel=1e-5)
        turned = np.linalg.norm(group) * (before - after)
        assert case.value("turned_away", name) == pytest.approx(turned, rel=1e-5)
        noise = SIGMA * case.clip / SIZE
        signal = group @ kept / (np.linalg.norm(group) * noise)
        assert close(case.value("signal_to_noise", name), signal)


def test_conflict_leaves_out_pairs_of_one_template(case):
    g, clipped = case.brute.gradients, case.brute.clipped(case.clip)
    for (a, first), (b, second) in itertools.combinations(groups(case).items(), 2):
        for vectors, name in ((g, "conflict"), (clipped, "conflict_clipped")):
            own = unbiased(case, vectors, first, first), unbiased(case, vectors, second, second)
            found = case.value(name, a, b)
            if min(own) <= 0:
                assert found is None
            else:
                cosine = unbiased(case, vectors, first, second) / np.sqrt(own[0] * own[1])
                assert close(found, np.clip(cosine, -1, 1))


def test_curvature_and_decomposition(case):
    g, clipped = case.brute.gradients, case.brute.clipped(case.clip)
    batch, kept = g.mean(axis=0), clipped.mean(axis=0)
    probes = [
        as_vector(case.loaded, random_signs(case.engine.parameters, SEED, number))
        for number in range(PROBES)
    ]
    rho, noise = np.linalg.norm(kept) / np.linalg.norm(batch), SIGMA * case.clip / SIZE

    def along(vector):
        return np.array([quadratic(case.loaded, rows[0], vector) for rows in case.units])

    plain_bend, kept_bend = along(batch), along(kept)
    trace = np.mean([along(probe) for probe in probes], axis=0)
    assert case.found.curvature.batch == pytest.approx(plain_bend, rel=1e-5)
    for name, inside in groups(case).items():
        first, bend, kept_own = g[inside].mean(axis=0), plain_bend[inside], kept_bend[inside]
        clipping = ETA * (first @ batch - first @ kept) + ETA**2 / 2 * (
            kept_own.mean() - bend.mean()
        )
        direction = ETA * first @ (rho * batch - kept) + ETA**2 / 2 * (
            kept_own.mean() - rho**2 * bend.mean()
        )
        magnitude = ETA * first @ (batch - rho * batch) + ETA**2 / 2 * (rho**2 - 1) * bend.mean()
        for quantity, expected in (
            ("risk_clipping", clipping),
            ("risk_direction", direction),
            ("risk_magnitude", magnitude),
        ):
            assert case.value(quantity, name) == pytest.approx(expected, rel=1e-5)
        assert close(case.value("curvature_trace", name), trace[inside].mean())
        risk = ETA**2 / 2 * trace[inside].mean() * noise**2
        assert close(case.value("risk_noise", name), risk)


def test_the_decomposition_is_an_identity(case):
    for name in groups(case):
        clipping = case.value("risk_clipping", name)
        parts = case.value("risk_direction", name) + case.value("risk_magnitude", name)
        assert parts == pytest.approx(clipping, rel=1e-6)


def test_bias_score_and_its_gradient(case):
    found, like = case.bias, list(case.loaded.model.parameters())
    total = sum(
        weight * row_loss(case.loaded, row)
        for weight, row in zip(case.bias_rows.weights, case.bias_rows.rows, strict=True)
    )
    gradient = torch.cat([g.flatten() for g in torch.autograd.grad(total, like)]).numpy()
    assert close(found.value, total.item())
    assert close(found.gradient_norm, np.linalg.norm(gradient))
    assert as_vector(case.loaded, found.gradient) == pytest.approx(gradient, abs=1e-9)


def test_influence_of_records_on_the_bias_score_and_of_noise(case):
    gradient = as_vector(case.loaded, case.bias.gradient)
    deviation = ETA * SIGMA * case.clip / SIZE * np.linalg.norm(gradient)
    assert close(case.value("bias_noise", axis="gender"), deviation)
    g, clipped, n = case.brute.gradients, case.brute.clipped(case.clip), len(case.units)
    for name, inside in groups(case).items():
        for vectors, quantity in (
            (g, "bias_influence_gender"),
            (clipped, "bias_influence_clipped_gender"),
        ):
            pushes = -ETA / n * vectors[inside] @ gradient
            assert close(case.value(quantity, name), pushes.sum())


def test_swap_odd_share_and_gap_of_clip_factors(case):
    texts = [
        ("He was a poor farmer.", "She was a poor farmer."),
        ("A man met a lawyer.",),
        ("A man met a lawyer.", "A woman met a lawyer.", "People met a lawyer."),
    ]
    from fairaudit.diagnostics.encoding import RowEncoder

    encoder = RowEncoder(case.loaded, max_length=32, seed=0)
    units = [
        encoder.rows(variants, record=str(place), template=str(place))
        for place, variants in enumerate(texts)
    ]
    found = swap_parts(
        case.engine, units, clip_norm=case.clip, pad_id=0, names=["first", "second", "third"]
    )
    assert np.isnan(found.share[1])
    assert np.isnan(found.clip_gap[1])
    for place in (0, 2):
        g = brute(case.loaded, [(row,) for row in units[place]]).gradients
        even, odd = g.mean(axis=0), g[0] - g.mean(axis=0)
        share = np.linalg.norm(odd) / np.linalg.norm(even)
        assert found.share[place] == pytest.approx(share, rel=1e-5)
        factors = np.minimum(1, case.clip / np.linalg.norm(g, axis=1))
        assert found.clip_gap[place] == pytest.approx(factors[0] - factors[1:].mean(), abs=1e-5)
        if place == 0:
            assert np.linalg.norm(g[0] - g[1]) / np.linalg.norm(g[0] + g[1]) == pytest.approx(
                share, rel=1e-4
            )


@pytest.mark.parametrize("pairs", ["sums", "sketch"])
def test_group_sums_give_the_moments_of_the_gram_matrix(case, pairs):
    other = Case(case.loaded.model.config.model_type, pairs)
    exact, summed = case.found.moments, other.found.moments
    for name in ("counts", "plain", "clipped", "mixed", "plain_paired", "clipped_paired", "pairs"):
        expected = np.asarray(getattr(exact, name))
        # Entries whose terms cancel carry the rounding of the terms, not of themselves.
        rounding = 1e-5 * float(np.abs(expected).max())
        assert getattr(summed, name) == pytest.approx(expected, rel=1e-4, abs=rounding)
    assert other.found.along_batch == pytest.approx(case.found.along_batch, rel=1e-5)
    assert other.found.along_clipped == pytest.approx(case.found.along_clipped, rel=1e-5)
    if pairs == "sketch":
        norms = np.outer(case.found.norms, case.found.norms)
        error = np.abs(other.found.gram - case.found.gram) / norms
        assert 0 < error.max() < 0.1
        assert 0 < other.found.sketch_error < 0.2


@pytest.mark.parametrize("family", ["roberta", "distilbert", "llama", "qwen2"])
def test_curvature_of_other_architectures(family):
    from fairaudit.diagnostics.curvature import curvatures

    loaded = tiny(family)
    row = encoded(loaded, probe_records()[:1])[0][0]
    vector = np.random.default_rng(1).normal(size=sum(p.numel() for p in loaded.model.parameters()))
    inputs = {"input_ids": torch.tensor([row.ids]), "labels": torch.tensor([row.labels])}
    found = curvatures(
        loaded.model, inputs, as_direction(loaded, vector), causal=loaded.kind == "causal"
    )
    assert float(found[0]) == pytest.approx(quadratic(loaded, row, vector), rel=1e-3)


@pytest.mark.parametrize("family", ["gpt2", "bert"])
def test_fp32_gives_the_same_within_its_rounding(family):
    loaded = tiny(family)
    units = encoded(loaded, probe_records())
    exact = Case(family)
    work = Work(
        rows=units, labels=exact.labels, record_ids=[str(n) for n in range(len(units))],
        clip_norm=exact.clip, pairs="exact", seed=SEED,
    )  # fmt: skip
    found = measure(loaded, GradientEngine(loaded.model, objective=loaded.kind), work)
    assert found.norms == pytest.approx(exact.found.norms, rel=2e-4)
    assert found.losses == pytest.approx(exact.found.losses, rel=2e-4)
    size = np.outer(exact.found.norms, exact.found.norms)
    assert np.abs(found.gram - exact.found.gram).max() < 2e-4 * size.max()


def test_noise_deviation_needs_all_three():
    assert noise_deviation(ClippingParameters(max_grad_norm=1.0, noise_multiplier=1.0)) is None


def test_records_that_push_most_are_those_at_both_ends(case):
    from fairaudit.diagnostics.records import ProbeTexts
    from fairaudit.diagnostics.result_from_numbers import strongest_pushes

    texts = ProbeTexts(tuple(probe_records()), (), "mine", public=False)
    found = list(strongest_pushes(case.numbers, texts))
    pushes = case.numbers.records.values["bias_influence_gender"]
    assert found[0].record == texts.records[int(np.argmax(pushes))].id
    assert found[0].push == pushes.max()
    assert min(found, key=lambda one: one.push).push == pushes.min()
    assert len({one.record for one in found}) == len(found) == 10
    assert found[0].text is None
