"""What can be asked about the gradients of a batch's units after one backward pass."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from fairaudit.errors import NonFiniteError, UsageError
from fairaudit.gradients.inner_products import gram
from fairaudit.gradients.inputs import ordered
from fairaudit.gradients.norms import unit_norms
from fairaudit.gradients.rows import Gradient, Rows, zeros
from fairaudit.gradients.sums import add_weighted, row_products
from fairaudit.gradients.units import Grouping, grouping, unit_index


@dataclass(frozen=True, slots=True)
class Query:
    """Gradients g_u of a batch's units, none of which is formed as a whole.

    g_u = Σ_r w_r ∇L_r over the rows r of unit u, with w_r = 1/K_u unless row weights were given,
    and L_r the mean loss over the row's label tokens. Made by `GradientEngine.query`. It holds
    what the batch left in the layers: let go of it before the next one.

    Parameters
    ----------
    rows : Rows
        What entered the layers and what came back, row by row.
    grouping : Grouping
        Which rows form a unit, with their weights.
    record_ids : sequence of str, optional
        Names of the units, for messages.
    """

    rows: Rows
    grouping: Grouping
    record_ids: Sequence[str] | None = None
    _norms: list[Tensor] = field(default_factory=list, repr=False)

    @property
    def n_units(self) -> int:
        """Number of units U."""
        return self.grouping.n_units

    @property
    def losses(self) -> Tensor:
        """Loss of every unit [U]: Σ_r w_r L_r, nats, fp64."""
        return self.grouping.sum_rows(self.rows.losses)

    @property
    def row_losses(self) -> Tensor:
        """Loss of every row [R], nats, fp64, in the order of the batch."""
        return self.rows.in_callers_order(self.rows.losses)

    @property
    def row_tokens(self) -> Tensor:
        """Number of label tokens of every row [R], in the order of the batch."""
        return self.rows.in_callers_order(self.rows.tokens)

    def norms(self, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Euclidean norm of every unit's gradient over all trainable parameters.

        Products are taken in fp32 and added up in fp64; units whose gradient nearly cancels over
        its tokens are computed again in fp64. With ``dtype=torch.float64`` all are.

        Returns
        -------
        Tensor
            ‖g_u‖, [U], fp64.

        Raises
        ------
        NonFiniteError
            If a norm is NaN or infinite; the record is named.

        References
        ----------
        Goodfellow 2015, arXiv:1510.01799; Li et al. 2022, arXiv:2110.05679; Bu et al. 2023,
        arXiv:2210.00038.
        """
        if dtype == torch.float32 and self._norms:
            return self._norms[0]
        norms = unit_norms(self.rows, self.grouping, dtype)
        self.refuse_non_finite(norms, "gradient")
        if dtype == torch.float32:
            self._norms.append(norms)
        return norms

    def weighted_sum(self, weights: Tensor, into: Gradient | None = None) -> Gradient:
        """Sum Σ_u weights_u g_u: one re-weighted matrix product per use of a parameter.

        Parameters
        ----------
        weights
            [U]. Clip factors give the clipped sum, 1/U the mean.
        into
            Gradient to add to, in place.

        Returns
        -------
        dict of str to Tensor
            One entry per trainable parameter, fp32 (fp64 for fp64 parameters); `into` if given.

        Raises
        ------
        UsageError
            If the weights are not finite or not one per unit.
        NonFiniteError
            If a record's gradient is NaN or infinite; it is named. Asked for before the norms,
            `into` is then spoilt.
        """
        if weights.shape != (self.n_units,) or not bool(weights.isfinite().all()):
            raise UsageError(
                f"weights must be finite and of shape [{self.n_units}], one per unit; "
                f"got {list(weights.shape)}"
            )
        total = zeros(self.rows.parameters) if into is None else into
        add_weighted(self.rows, self.grouping.row_weights(weights.detach()), total)
        if not self._norms and not _all_finite(total):
            self.norms()
            raise NonFiniteError("the weighted sum of gradients overflows")
        return total

    def weighted_sums(self, weights: Tensor) -> list[Gradient]:
        """Several sums, weights [G, U]; disjoint groups of units cost as much as one sum."""
        return [self.weighted_sum(row) for row in weights]

    def dot(self, direction: Mapping[str, Tensor], *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Inner product ⟨g_u, direction⟩ of every unit's gradient with a direction.

        Parameters
        ----------
        direction
            By parameter name; a parameter that is left out counts as 0.
        dtype
            Precision of the products; they are added up in fp64.

        Returns
        -------
        Tensor
            [U], fp64.

        Raises
        ------
        UsageError
            If the direction names an unknown parameter.
        NonFiniteError
            If a product is NaN or infinite; the record is named.
        """
        unknown = sorted(set(direction) - set(self.rows.parameters))
        if unknown:
            raise UsageError(f"direction: '{unknown[0]}' is not a trainable parameter")
        products = self.grouping.sum_rows(row_products(self.rows, direction, dtype))
        self.refuse_non_finite(products, "product with the direction")
        return products

    def gram(self, other: Query | None = None, *, dtype: torch.dtype = torch.float32) -> Tensor:
        """Inner products of all pairs of units.

        All units' gradients are formed, slice by slice of each parameter, so that memory stays
        bounded; the time is that of one weight gradient per unit.

        Parameters
        ----------
        other
            Another batch of the same engine; this one if None.
        dtype
            Precision of the products; they are added up in fp64.

        Returns
        -------
        Tensor
            ⟨g_u, g_v⟩, [U, V], fp64.

        Raises
        ------
        NonFiniteError
            If a product is NaN or infinite; the record is named.
        """
        first = (self.rows, self.grouping)
        second = first if other is None else (other.rows, other.grouping)
        products = gram(first, second, dtype)
        if not bool(products.isfinite().all()):
            self.norms()
            (self if other is None else other).norms()
            raise NonFiniteError("inner products of records overflow")
        return products

    def regroup(
        self, units: int | Tensor | None = None, row_weights: Tensor | None = None
    ) -> Query:
        """See the same rows as other units, without another pass.

        ``regroup()`` takes the rows one by one. With two twins per unit, of gradients g and h, and
        row weights ½ and −½ the units' gradients are the swap-odd parts (g − h)/2; with the
        default weights they are the swap-even parts (g + h)/2.

        Parameters
        ----------
        units, row_weights
            As in `GradientEngine.query`, for the rows of the batch in their order there.
        """
        index = unit_index(units, len(self.rows.losses))
        weights = None if row_weights is None else ordered(row_weights, self.rows.order)
        return Query(self.rows, grouping(ordered(index, self.rows.order), weights))

    def of_parameters(self, names: Collection[str]) -> Query:
        """See the same units with some of the parameters only, as if the others were frozen."""
        rows = replace(
            self.rows,
            parameters={n: p for n, p in self.rows.parameters.items() if n in names},
            uses={n: uses for n, uses in self.rows.uses.items() if n in names},
        )
        return Query(rows, self.grouping, self.record_ids)

    def refuse_non_finite(self, values: Tensor, what: str) -> None:
        """Raise `NonFiniteError` naming the first unit whose value [U] is NaN or infinite."""
        bad = (~values.isfinite()).nonzero().flatten().tolist()
        if bad:
            name = (
                f"unit {bad[0]} of the batch"
                if self.record_ids is None
                else self.record_ids[bad[0]]
            )
            raise NonFiniteError(
                f"record {name}: {what} is NaN or infinite ({len(bad)} of {len(values)} units); "
                "look at the record, or lower the learning rate if training has diverged"
            )


def _all_finite(gradient: Gradient) -> bool:
    """Whether all entries are finite: a sum is NaN or infinite as soon as one of them is."""
    return all(bool(value.sum(dtype=torch.float64).isfinite()) for value in gradient.values())
