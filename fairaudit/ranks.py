"""One audit by several processes, as torchrun or ``accelerate launch`` start them.

Every rank makes the same plan; the batches of a stage are dealt by cost, each rank runs its own,
and all of them then hold all answers. Which rank answered what changes nothing: the batches are
those of one process. What needs no model (statistics, files, the screen) is the first rank's work.
Where all ranks hold parts of one model, each batch is run by all of them at the same time.

An error on one rank is told to all of them, so that all end with it and none waits for ever.
"""

from __future__ import annotations

import contextlib
import datetime
import hashlib
import heapq
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from fairaudit.errors import FairauditError

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")
R = TypeVar("R")

#: A rank waits so long for the slowest; one that dies is noticed at once, by its connection.
_PATIENCE: Final = datetime.timedelta(days=2)
_LOST: Final = "another process of this run has ended; start all of them again to go on"


class RankError(FairauditError):
    """Another process of the same run ended; its own line says why."""

    def __init__(self, message: str, exit_code: int = 2, *, is_told: bool = False) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        #: Whether another rank says the same on the screen.
        self.is_told = is_told


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What one rank has to tell: a result, or the error that it met."""

    result: Any = None
    error: str | None = None
    exit_code: int = 0

    @classmethod
    def of(cls, work: Callable[[], Any]) -> tuple[_Outcome, Exception | None]:
        try:
            return cls(work()), None
        except FairauditError as error:
            return cls(error=str(error), exit_code=error.exit_code), error
        except Exception as error:
            return cls(error=f"{type(error).__name__}: {error}", exit_code=70), error


@dataclass(slots=True)
class Ranks:
    """The processes of one run, as one of them sees them.

    Parameters
    ----------
    rank : int
        Place of this process, 0 to ``size`` − 1.
    size : int
        Number of processes.
    """

    rank: int = 0
    size: int = 1
    #: Whether each process holds a part of one model: all of them run every batch together.
    one_model: bool = False
    #: Above 0 while this process works on what is its alone.
    _alone: int = field(default=0, repr=False)

    @property
    def is_first(self) -> bool:
        """Whether this process writes files and speaks to the user."""
        return self.rank == 0

    @property
    def is_one(self) -> bool:
        """Whether nobody shares the work now."""
        return self.size == 1 or self._alone > 0

    @property
    def keeps(self) -> bool:
        """Whether what this process found is its own to store."""
        return self.is_first or not self.one_model

    def as_first(self, look: Callable[[], T]) -> T:
        """Return what the first rank sees, where all run one model; else what this one sees.

        Each looks into the same store at another moment, and who finds a batch there does not run
        it: the others would wait.
        """
        return self.from_first(look) if self.one_model else look()

    def together(self, work: Callable[[], T]) -> T:
        """Run something on every rank; an error of one of them is raised on all.

        Raises
        ------
        RankError
            If another rank met an error; this one's own is raised as it is.
        """
        if self.is_one:
            return work()
        ours, error = _Outcome.of(work)
        if isinstance(error, RankError):
            # Something inside was shared as well, so all know of it already.
            raise error
        if error is not None and self.one_model and not isinstance(error, FairauditError):
            raise self._left(error) from error
        # Results stay where they are: only whether there is one is told.
        self._exchange(replace(ours, result=None), error)
        result: T = ours.result
        return result

    def from_first(self, work: Callable[[], T]) -> T:
        """Run something on the first rank alone, and return its result on every rank.

        Nothing in ``work`` is shared among ranks. The result is pickled.

        Raises
        ------
        RankError
            On the other ranks, if the first met an error.
        """
        if self.is_one:
            return work()
        ours, error = _Outcome(), None
        if self.is_first:
            with self._by_itself():
                ours, error = _Outcome.of(work)
        result: T = self._exchange(ours, error)[0].result
        return result

    def over(
        self,
        batches: Sequence[T],
        work: Callable[[T], R],
        cost: Callable[[T], float],
        tell: Callable[[int], object] | None = None,
        content: Callable[[T], object] = lambda batch: batch,
    ) -> Iterator[tuple[T, R]]:
        """Yield each batch with what ``work`` makes of it, in order, the work shared by cost.

        Parameters
        ----------
        batches : sequence
            The same on every rank.
        work : callable
            Its results are pickled.
        cost : callable
            What a batch costs, in any unit.
        tell : callable or None
            Called with the cost of what was done since; over all calls the cost of all batches.
        content : callable
            What tells a batch from others, in words (`repr`); compared among ranks.

        Raises
        ------
        RankError
            If another rank failed, ended, or had other batches.
        """
        tell = tell or _nobody
        if self.is_one:
            for batch in batches:
                yield batch, work(batch)
                tell(int(cost(batch)))
            return
        costs = [float(cost(batch)) for batch in batches]
        told = hashlib.sha256()
        for batch in batches:
            told.update(repr(content(batch)).encode("utf-8", "surrogatepass"))
        sign = told.hexdigest()
        if self.one_model:
            yield from self._in_step(batches, work, costs, tell, sign)
            return
        mine = dealt(costs, self.size)[self.rank]

        def ours() -> tuple[str, dict[int, R]]:
            progress = _Share(sum(costs), sum(costs[place] for place in mine), tell)
            found: dict[int, R] = {}
            for place in mine:
                found[place] = work(batches[place])
                progress.add(costs[place])
            return sign, found

        outcome, error = _Outcome.of(ours)
        everything = [one.result for one in self._exchange(outcome, error)]
        _check_same([theirs for theirs, _ in everything])
        answers = {place: result for _, found in everything for place, result in found.items()}
        for place, batch in enumerate(batches):
            yield batch, answers[place]

    def _in_step(
        self,
        batches: Sequence[T],
        work: Callable[[T], R],
        costs: Sequence[float],
        tell: Callable[[int], object],
        sign: str,
    ) -> Iterator[tuple[T, R]]:
        """Run every batch on every rank; all go on with the first one's answer, to the last bit."""
        _check_same([one.result for one in self._exchange(_Outcome(sign), None)])
        for batch, cost in zip(batches, costs, strict=True):
            ours, error = _Outcome.of(partial(work, batch))
            if error is not None and not isinstance(error, FairauditError):
                raise self._left(error) from error
            answers = self._exchange(ours if self.is_first else replace(ours, result=None), error)
            yield batch, answers[0].result
            tell(int(cost))

    def _left(self, error: Exception) -> RankError:
        """Leave the group: the others may be in the middle of a batch, and would wait for ever."""
        import torch.distributed as dist

        if dist.is_initialized():
            dist.destroy_process_group()
        said = str(error).lower()
        if isinstance(error, dist.DistError) or "connection" in said or "gloo" in said:
            return RankError(_LOST, exit_code=70)
        if isinstance(error, MemoryError) or "memory" in said:
            return RankError(
                "out of memory on a batch; use more processes or a smaller --token-budget"
            )
        return RankError(f"{type(error).__name__}: {error}", exit_code=70)

    def add_up(self, tensors: Iterable[Tensor]) -> None:
        """Replace each tensor by its sum over all ranks, the same on all, in place.

        Raises
        ------
        RankError
            If another rank ended.
        """
        if self.is_one:
            return
        import torch.distributed as dist

        try:
            for tensor in tensors:
                dist.all_reduce(tensor)
        except RuntimeError as lost:
            raise RankError(_LOST, exit_code=70) from lost

    @contextlib.contextmanager
    def _by_itself(self) -> Iterator[None]:
        self._alone += 1
        try:
            yield
        finally:
            self._alone -= 1

    def _exchange(self, ours: _Outcome, error: Exception | None) -> list[_Outcome]:
        import torch.distributed as dist

        everything: list[Any] = [None] * self.size
        try:
            dist.all_gather_object(everything, ours)
        except RuntimeError as lost:
            if error is not None:
                raise error from lost
            raise RankError(_LOST, exit_code=70) from lost
        failed = next((one for one in everything if one.error is not None), None)
        if failed is None:
            return everything
        if error is not None and everything.index(failed) == self.rank:
            raise error
        raise RankError(str(failed.error), failed.exit_code, is_told=True)


@dataclass(slots=True)
class _Share:
    """Progress of all ranks, as far as one of them can tell: shares are dealt to end together."""

    total: float
    own: float
    tell: Callable[[int], object]
    done: float = 0.0
    told: int = 0

    def add(self, cost: float) -> None:
        self.done += cost
        reached = round(self.total * self.done / self.own) if self.own else 0
        self.tell(reached - self.told)
        self.told = reached


def _check_same(signs: Sequence[str]) -> None:
    if len(set(signs)) > 1:
        raise RankError("the processes were given different work; start all with one command")


def dealt(costs: Sequence[float], size: int) -> list[list[int]]:
    """Deal places to ranks, the dearest first, each to the rank that has least.

    Returns
    -------
    list of list of int
        Places of each rank, in order.
    """
    shares: list[list[int]] = [[] for _ in range(size)]
    loads = [(0.0, rank) for rank in range(size)]
    for place in sorted(range(len(costs)), key=lambda place: -costs[place]):
        load, rank = heapq.heappop(loads)
        shares[rank].append(place)
        heapq.heappush(loads, (load + costs[place], rank))
    return [sorted(share) for share in shares]


def _nobody(amount: int) -> None:
    """Hear of progress and tell nobody."""


_ONE: Final = Ranks()
_found: list[Ranks] = []


def ranks() -> Ranks:
    """Return the processes of this run; one, unless a launcher started several.

    Joins them on the first call (``WORLD_SIZE`` and ``RANK`` in the environment, as torchrun and
    accelerate set them), or takes the group that the caller's program has joined.

    Raises
    ------
    RankError
        If the other processes cannot be reached.
    """
    if not _found:
        _found.append(_joined() if is_launched() else _ONE)
    return _found[0]


def is_launched() -> bool:
    """Whether a launcher started several processes, this one among them."""
    return "RANK" in os.environ and os.environ.get("WORLD_SIZE", "1") != "1"


def _joined() -> Ranks:
    import atexit

    import torch
    import torch.distributed as dist

    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count())
    if not dist.is_initialized():
        backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
        try:
            dist.init_process_group(backend, timeout=_PATIENCE)
        except (RuntimeError, ValueError) as error:
            raise RankError(
                f"the processes of this run cannot reach each other ({error})"
            ) from error
        atexit.register(_leave)
    return Ranks(dist.get_rank(), dist.get_world_size())


def _leave() -> None:
    """End after the first rank: a launcher ends the others as soon as one has an exit code."""
    import torch
    import torch.distributed as dist

    if not dist.is_initialized():
        return
    with contextlib.suppress(RuntimeError):
        if dist.get_rank() > 0:
            # Nothing is ever sent: this fails when the first rank has gone.
            dist.recv(torch.zeros(1), src=0)
    with contextlib.suppress(RuntimeError):
        dist.destroy_process_group()
