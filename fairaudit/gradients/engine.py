"""The engine: checks a model once, then answers queries about batches."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from fairaudit.errors import ModelError, UsageError
from fairaudit.gradients.capture import Layer, factors, recorded
from fairaudit.gradients.inputs import model_inputs, n_rows, needs_positions, ordered, positions
from fairaudit.gradients.losses import aligned, row_losses
from fairaudit.gradients.query import Query
from fairaudit.gradients.rows import Gradient, Rows, zeros
from fairaudit.gradients.rules import rule_for
from fairaudit.gradients.selfcheck import check
from fairaudit.gradients.units import grouping, neighbours_first, unit_index


class GradientEngine:
    """Norms, weighted sums and products of per-unit gradients of a language model.

    Parameters
    ----------
    model
        A transformers model (PEFT or not) that maps `input_ids` to `logits`. Its trainable
        parameters are those that require gradients now. It is never edited: hooks live for the
        length of one query, `.grad` is not touched, train or eval mode is the caller's.
    objective
        ``"causal"``: the logits at a position predict the label of the next one; ``"masked"``:
        of the same one.
    self_check
        Compare the first batches with autograd (see `selfcheck`). Costs about two backward
        passes, once.

    Raises
    ------
    ModelError
        If no parameter is trainable, a trainable parameter belongs to a layer without a rule, a
        layer mixes the rows of a batch, or a trainable layer's input is broadcast over it.
    UsageError
        If the objective is unknown.

    Examples
    --------
    A step of DP-SGD over micro-batches, before noise:

    >>> engine = GradientEngine(model, objective="causal")  # doctest: +SKIP
    >>> sums = engine.zeros()  # doctest: +SKIP
    >>> for batch in micro_batches:  # doctest: +SKIP
    ...     query = engine.query(batch, units=2)
    ...     query.weighted_sum(clip_factors(query.norms(), 1.0), into=sums)
    """

    def __init__(
        self,
        model: nn.Module,
        *,
        objective: Literal["causal", "masked"],
        self_check: bool = True,
    ) -> None:
        if objective not in ("causal", "masked"):
            raise UsageError(f"objective '{objective}' is neither 'causal' nor 'masked'")
        self.model = model
        self.parameters: dict[str, nn.Parameter] = trainable(model)
        self._causal = objective == "causal"
        self._constants: dict[str, Any] = {"use_cache": False} if self._causal else {}
        self._layers = layers_of(model, self.parameters)
        _refuse_mixing(model)
        self._give_positions = needs_positions(model, self._layers, self._constants)
        self._unchecked = self_check

    def zeros(self) -> Gradient:
        """Return a gradient of zeros to add to: fp32, fp64 for fp64 parameters."""
        return zeros(self.parameters)

    def query(
        self,
        batch: Mapping[str, Any],
        units: int | Tensor | None = None,
        row_weights: Tensor | None = None,
        record_ids: Sequence[str] | None = None,
    ) -> Query:
        """Run a batch forward, and back down to the layers' outputs.

        Parameters
        ----------
        batch
            `input_ids` and `labels` [R, T], labels −100 where nothing is predicted; the shift of
            the causal objective is made here. Anything else is passed on to the model, one row
            per row. Without rows nothing runs and all answers are empty or zero.
        units
            Which rows form a unit. None: each row; K: every K neighbouring rows; a tensor [R]:
            the unit of each row, numbered without gaps.
        row_weights
            [R], weight of each row in its unit; None: 1/K, the mean over the unit's K rows.
        record_ids
            Names of the units, for error messages.

        Returns
        -------
        Query
            Answers about the gradients of the units.

        Raises
        ------
        UsageError
            If rows, labels and units do not fit together.
        NonFiniteError
            If the loss of a record is NaN or infinite; it is named.
        ModelError
            If the self-check fails.
        """
        index = unit_index(units, n_rows(batch))
        order = neighbours_first(index)
        weights = None if row_weights is None else ordered(row_weights, order)
        groups = grouping(ordered(index, order), weights)
        if not len(index):
            none = torch.zeros(0, dtype=torch.float64, device=self._device)
            return Query(Rows(self.parameters, {}, none, none.long(), None), groups, record_ids)
        with torch.enable_grad(), recorded(self._layers, tuple(batch["input_ids"].shape)) as calls:
            logits = self._forward(batch, order)
        targets = aligned(ordered(batch["labels"], order).to(logits.device), causal=self._causal)
        found = row_losses(logits, targets)
        rows = Rows(self.parameters, {}, found.losses, found.tokens, order)
        Query(rows, groups, record_ids).refuse_non_finite(groups.sum_rows(found.losses), "loss")
        uses = factors(calls, logits, found.grads, keep_graph=self._unchecked)
        rows = Rows(self.parameters, uses, found.losses, found.tokens, order)
        query = Query(rows, groups, record_ids)
        if self._unchecked:
            check(query, logits, targets)
            # A batch of one unit cannot show that units influence each other.
            self._unchecked = query.n_units < 2
        return query

    def try_on(self, ids: Sequence[Sequence[int]]) -> tuple[Tensor, int]:
        """Run rows forward as a query would; return logits, and bytes of the layers' outputs."""
        rows = torch.tensor(ids)
        inputs = {"input_ids": rows, "labels": rows, "attention_mask": torch.ones_like(rows)}
        sizes: list[int] = []

        def measure(_module: nn.Module, _args: Any, output: Tensor) -> None:
            sizes.append(output.numel() * output.element_size())

        with contextlib.ExitStack() as stack, torch.enable_grad():
            for layer in self._layers:
                handle = layer.module.register_forward_hook(measure)
                stack.callback(handle.remove)
            return self._forward(inputs, None), sum(sizes)

    @property
    def _device(self) -> torch.device:
        return next(iter(self.parameters.values())).device

    def _forward(self, batch: Mapping[str, Any], order: Tensor | None) -> Tensor:
        inputs = model_inputs(batch, order, self._device)
        if self._give_positions and "position_ids" not in inputs:
            shape = inputs["input_ids"].shape
            inputs["position_ids"] = positions((shape[0], shape[1]), self._device)
        logits: Tensor = self.model(**inputs, **self._constants).logits
        return logits


def trainable(model: nn.Module) -> dict[str, nn.Parameter]:
    """Trainable parameters by name, each shared one once.

    Raises
    ------
    ModelError
        If there is none.
    """
    found = {
        name: parameter for name, parameter in model.named_parameters() if parameter.requires_grad
    }
    if not found:
        raise ModelError("the model is frozen: no parameter requires gradients")
    return found


def layers_of(model: nn.Module, parameters: Mapping[str, nn.Parameter]) -> list[Layer]:
    """Layers whose calls must be recorded to know the gradients of all parameters.

    Raises
    ------
    ModelError
        If no layer with a rule holds one of the parameters; it is named.
    """
    names = {id(parameter): name for name, parameter in parameters.items()}
    layers: list[Layer] = []
    covered: set[str] = set()
    owners: dict[str, str] = {}
    for path, module in model.named_modules():
        own = {
            local: names[id(parameter)]
            for local, parameter in module.named_parameters(recurse=False, remove_duplicate=False)
            if id(parameter) in names
        }
        owners.update({name: f"{type(module).__name__} '{path}'" for name in own.values()})
        rule = rule_for(module)
        if rule is not None and own:
            known = {local: name for local, name in own.items() if local in rule.parameters}
            layers.append(Layer(path, module, rule, known))
            covered.update(known.values())
    missing = [name for name in parameters if name not in covered]
    if missing:
        raise ModelError(
            f"no rule for the trainable parameter '{missing[0]}' of {owners[missing[0]]} "
            f"({len(missing)} such); freeze it: requires_grad_(False), or add a rule"
        )
    return layers


def _refuse_mixing(model: nn.Module) -> None:
    for path, module in model.named_modules():
        if isinstance(module, _BatchNorm):
            raise ModelError(
                f"layer '{path}' ({type(module).__name__}) mixes the rows of a batch, so that "
                "gradients per record do not exist; replace it by a layer or group norm"
            )
