"""One step of clipped, noisy SGD, and what it costs a group to second order (Esipova 2022).

The loss of group a changes by L_a(θ − η v) − L_a(θ) ≈ −η⟨g_a, v⟩ + η²/2 · vᵀH_a v. With v = g_B
there is no privacy; with v = ḡ_B there is clipping, and noise N(0, (σC/B)² I) adds the last term.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fairaudit.diagnostics.moments import Array


@dataclass(frozen=True, slots=True)
class Projections:
    """How records, or groups, stand to the two updates; arrays of one shape, scalars of the batch.

    Parameters
    ----------
    along_batch, along_clipped : array
        ⟨g, g_B⟩ and ⟨g, ḡ_B⟩.
    curvature_batch, curvature_clipped : array
        g_Bᵀ H g_B and ḡ_Bᵀ H ḡ_B.
    norm_ratio : float
        r = ‖ḡ_B‖/‖g_B‖.
    """

    along_batch: Array
    along_clipped: Array
    curvature_batch: Array
    curvature_clipped: Array
    norm_ratio: float


@dataclass(frozen=True, slots=True)
class ExcessRisk:
    """Excess risk of a step in nats, of records or groups; above 0 is a worse step for them.

    Parameters
    ----------
    clipping : array
        R_clip, exactly ``direction + magnitude``.
    direction : array
        R_dir: clipping turns the update.
    magnitude : array
        R_mag: clipping shortens the update.
    """

    clipping: Array
    direction: Array
    magnitude: Array


def excess_risk(found: Projections, learning_rate: float) -> ExcessRisk:
    """Split the excess risk of clipping into turn and length.

    R_clip = η(⟨g_a, g_B⟩ − ⟨g_a, ḡ_B⟩) + η²/2 (ḡ_BᵀH_aḡ_B − g_BᵀH_a g_B);
    R_dir = η⟨g_a, r g_B − ḡ_B⟩ + η²/2 (ḡ_BᵀH_aḡ_B − r² g_BᵀH_a g_B);
    R_mag = η⟨g_a, g_B − r g_B⟩ + η²/2 (r² − 1) g_BᵀH_a g_B.

    Parameters
    ----------
    found : Projections
        Of records or groups; all three are linear in g_a and H_a, so the mean over a group's
        records is the group's.
    learning_rate : float
        η.

    References
    ----------
    Esipova et al. 2022, arXiv:2206.07737.
    """
    first, second, rho = learning_rate, learning_rate**2 / 2, found.norm_ratio
    return ExcessRisk(
        clipping=first * (found.along_batch - found.along_clipped)
        + second * (found.curvature_clipped - found.curvature_batch),
        direction=first * (rho * found.along_batch - found.along_clipped)
        + second * (found.curvature_clipped - rho**2 * found.curvature_batch),
        magnitude=first * (1 - rho) * found.along_batch
        + second * (rho**2 - 1) * found.curvature_batch,
    )


def noise_risk(trace: Array, learning_rate: float, noise_deviation: float) -> Array:
    """Excess risk of noise: R_noise = η²/2 · Tr(H_a) · (σC/B)².

    The code published with the paper lacks the 1/B².

    Parameters
    ----------
    trace : array
        Tr(H_a).
    learning_rate : float
        η.
    noise_deviation : float
        σC/B, standard deviation of the noise in each coordinate of the update's gradient.
    """
    return np.asarray(learning_rate**2 / 2 * trace * noise_deviation**2)


def bias_push(products: Array, learning_rate: float, n: int) -> Array:
    """Bias influence I_i = −(η/B)⟨∇M, g_i⟩ of each record, in nats of the bias score M.

    Above 0 a record pushes towards the stereotype. For SGD the sum over records and steps is
    M(T) − M(0) to first order.

    Parameters
    ----------
    products : array
        ⟨∇M, g_i⟩, or ⟨∇M, s_i g_i⟩ for the clipped push.
    learning_rate : float
        η.
    n : int
        B, what the sum of gradients is divided by.
    """
    return np.asarray(-learning_rate / n * products)


def bias_noise(gradient_norm: float, learning_rate: float, noise_deviation: float) -> float:
    """Return the standard deviation of what noise alone does to M in a step: η(σC/B)‖∇M‖."""
    return learning_rate * noise_deviation * gradient_norm
