"""Which rows run together: a pure function of the set of reads and a token budget.

Rows of all suites are pooled, duplicates removed, sorted by length and packed so that a padded
batch holds at most ``token_budget`` tokens. The order of requests does not matter, so the same
audit always computes the same batches; equal plans give equal bytes. The longest rows come first:
a budget that does not fit the memory fails at once and not after an hour.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fairaudit.scoring.batching import Batching, fitting
from fairaudit.scoring.token_rows import Read, TokenRow


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows that run together, and what is read from them; the unit of commitment.

    ``reads`` are distinct and in a fixed order; a scored batch is one value per read, and a batch
    is stored whole or not at all.
    """

    rows: tuple[TokenRow, ...]
    reads: tuple[Read, ...]

    @property
    def n_tokens(self) -> int:
        """Tokens of the padded batch."""
        return len(self.rows) * max(len(row.ids) for row in self.rows)

    def halves(self) -> tuple[Batch, Batch]:
        """Both halves, for a device that cannot hold the whole."""
        middle = len(self.rows) // 2
        return self._of(self.rows[:middle]), self._of(self.rows[middle:])

    def parts(self, batching: Batching) -> tuple[Batch, ...]:
        """Cut into parts whose rows may run together, with the reads in the same order."""
        if batching == "padded":
            return (self,)
        return tuple(map(self._of, fitting(self.rows, lambda row: len(row.ids), batching)))

    def _of(self, rows: Sequence[TokenRow]) -> Batch:
        chosen = set(rows)
        return Batch(tuple(rows), tuple(read for read in self.reads if read.row in chosen))


def plan_batches(reads: Iterable[Read], token_budget: int) -> tuple[Batch, ...]:
    """Pack all rows that are read into batches of at most ``token_budget`` padded tokens.

    A row longer than the budget gets a batch of its own.
    """
    by_row: dict[TokenRow, set[Read]] = {}
    for read in reads:
        by_row.setdefault(read.row, set()).add(read)
    ordered = sorted(by_row, key=_place)
    return tuple(
        Batch(rows, tuple(read for row in rows for read in _in_order(by_row[row])))
        for rows in _packed(ordered, token_budget)
    )


def _place(row: TokenRow) -> tuple[bool, bool, int, tuple[int, ...], tuple[int, ...]]:
    return (*_kind(row), -len(row.ids), row.ids, row.parents)


def _kind(row: TokenRow) -> tuple[bool, bool]:
    """Rows of different kinds do not run together."""
    return (row.attention, bool(row.parents))


def _in_order(reads: set[Read]) -> list[Read]:
    return sorted(reads, key=lambda read: (read.position, read.target))


def _packed(rows: list[TokenRow], token_budget: int) -> Iterator[tuple[TokenRow, ...]]:
    batch: list[TokenRow] = []
    for row in rows:
        full = batch and (
            len(batch[0].ids) * (len(batch) + 1) > token_budget or _kind(batch[0]) != _kind(row)
        )
        if full:
            yield tuple(batch)
            batch = []
        batch.append(row)
    if batch:
        yield tuple(batch)
