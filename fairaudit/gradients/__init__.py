"""Gradients per record: norms, clipped sums, means and products, without holding any of them.

Differential privacy clips the gradient of every record; gradient-disparity diagnostics compare the
gradients of groups. Both need the gradient g_u of every unit u (a record, or a record with its
counterfactual twins), yet a batch of such gradients is as large as that many models.

**Method.** One forward pass; hooks note what enters each trainable layer. One backward pass, only
down to the layers' *outputs*: no weight gradient is formed. For a linear layer y = x Wᵀ the
gradient of unit u is Σ_t δ_t ⊗ x_t, over the tokens t of the unit, δ_t being what came back to the
output. The two factors answer everything:

* the squared norm is Σ_{t,t'} (δ_t·δ_t')(x_t·x_t'), two Gram matrices over tokens multiplied entry
  by entry, or the square of the formed gradient where that is less work;
* a weighted sum Σ_u w_u g_u (clipped sum, group mean) is one matrix product over all tokens, one
  side re-weighted;
* the product with a direction D is Σ_t δ_tᵀ D x_t.

An embedding is the same with a one-hot δ or x. Biases and the scales of normalisation layers are
small enough to be held. A parameter in use at two places (an embedding tied to the vocabulary
head) adds its *cross term* to the norm. The loss of a row is the mean over its label tokens, that
of a unit the mean over its rows, so a unit's twins are averaged *before* clipping.

On a batch, one query and its clipped sum cost about what a plain training step costs.

Sources: Goodfellow 2015 (arXiv:1510.01799) for the norms of fully connected layers; Li et al. 2022
(arXiv:2110.05679) for sequences; Bu et al. 2023 (arXiv:2210.00038) for the choice between the two
ways and the re-weighted sum from one backward pass.
"""

from fairaudit.gradients.engine import GradientEngine
from fairaudit.gradients.footprint import Footprint, footprint_of
from fairaudit.gradients.query import Query
from fairaudit.gradients.row_independence import dependence
from fairaudit.gradients.rows import Gradient
from fairaudit.gradients.sums import clip_factors, inner_product

__all__ = [
    "Footprint",
    "Gradient",
    "GradientEngine",
    "Query",
    "clip_factors",
    "dependence",
    "footprint_of",
    "inner_product",
]
